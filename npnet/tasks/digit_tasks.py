"""Drawn digits and letters as networks learn them: tasks in the form of MNIST that npnet makes itself, file or no file.

Images are uint8 (N, 784), 0 background to 255 full ink, and labels int64 (N,), as those of `mnist_halves`.
"""

from npnet.arguments import checked
from npnet.data import Task
from npnet.tasks.characters import CHARACTERS
from npnet.tasks.handwriting import HANDWRITING, Handwriting
from npnet.tasks.skeletons import ALPHABETS
from npnet.tasks.splits import REGIONS, Store, split_of
from npnet.tasks.stimuli import whole
from npnet.tasks.stimulus_sets import stimulus_set

__all__ = ["digit_task"]


@checked
def digit_task(
    name: str,
    seed: int,
    train: int = 20_000,
    validation: int = 5_000,
    test: int = 5_000,
    appearance: Handwriting = HANDWRITING,
    threads: int = 1,
    store: Store = "memory",
) -> Task:
    """Return a task of drawn characters with `train`, `validation` and `test` examples: inputs (N, 784) uint8.

    name: "digits", all ten; "digits04", the digits 0 to 4; "digits59", the digits 5 to 9, with labels digit − 5;
    "letters", ten capital letters. store: whether images are kept in "memory", drawn whenever they are read
    ("nowhere"), or memory-mapped from files in a folder. The default sizes are those of the paper's halves of MNIST.

    Raises ValueError for an unknown name or store, a bad seed or number of threads, or a split without examples, and
    TypeError for an appearance that is no Handwriting.
    """
    if name not in ALPHABETS:
        raise ValueError(f"name is {name!r}; expected one of {', '.join(ALPHABETS)}")
    threads = whole("threads", threads, 1, 1024)
    splits = {}
    for which, size in (("train", train), ("validation", validation), ("test", test)):
        start = REGIONS[which]
        stimuli = stimulus_set(name, seed, start, start + whole(which, size, 1, 2**40), appearance)
        splits[which] = split_of(stimuli, store, threads)
    return Task(name, CHARACTERS.classes(ALPHABETS[name]), **splits)
