"""Tasks by name: line-and-angle stimuli, characters, clothing, whole or cut by class, with as many examples as asked.

ac, acl, at, atl, sbl, sbt, sb2l, cnc    the line-and-angle tasks, 32 × 32
digits, letters                          ten drawn digits, ten drawn letters, 28 × 28
digits04, digits59                       five of the digits each
mnist, fashion                           ten digits, ten kinds of clothing, 28 × 28
mnist04, mnist59, fashion04, fashion59   five of them each
mnist04+fashion                          five digits and all clothing as one task of fifteen classes, half of each kind
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from npnet import Split, Task, generator
from npnet.tasks import ALPHABETS, digit_task, line_task, load, mnist_halves

__all__ = ["Sizes", "cut", "image_task", "joined_tasks", "load_task", "per_class", "rows_of"]


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Numbers of examples in the three splits of a task.

    Attributes:
        train: training examples of each task.
        validation: validation examples.
        test: test examples.
    """

    train: int
    validation: int = 2_000
    test: int = 4_000

    @property
    def sizes(self) -> "Sizes":
        """Return the sizes alone, of a class that has more than these."""
        return Sizes(train=self.train, validation=self.validation, test=self.test)


_REST = 5_000  # training images set apart for validation, of which the first ones are used

_CLASSES = {
    "mnist": ("mnist", range(10)),
    "fashion": ("fashion-mnist", range(10)),
    "fashion04": ("fashion-mnist", range(5)),
    "fashion59": ("fashion-mnist", range(5, 10)),
}
"""Tasks of image files that keep their own test images: the set, and which of its classes."""


@lru_cache(maxsize=6)
def load_task(name: str, seed: int, sizes: Sizes) -> Task:
    """Return a task with these numbers of examples; the process keeps the latest tasks for its next jobs.

    The seed draws stimuli, or shuffles image files. An example that is in the training set under one number of examples
    is in no other set under another number (of MNIST's halves, up to 20,000). Raises what `line_task` and
    `npnet.tasks.load` raise.
    """
    if "+" in name:
        parts = name.split("+")
        each = Sizes(**{split: -(-size // len(parts)) for split, size in asdict(sizes).items()})
        return joined_tasks(name, [load_task(part, seed, each) for part in parts])
    if name in ("mnist04", "mnist59"):
        # The splits follow one another: cut with their usual sizes they begin at the same images whatever is asked.
        usual = max(sizes.train, 20_000), max(sizes.validation, 5_000), max(sizes.test, 5_000)
        return cut(mnist_halves(seed, *usual)[name == "mnist59"], sizes)
    if name in _CLASSES:
        return cut(image_task(name, seed), sizes)
    draw = digit_task if name in ALPHABETS else line_task
    return draw(name, seed, sizes.train, sizes.validation, sizes.test)


def image_task(name: str, seed: int) -> Task:
    """Return the task of some classes of a set of image files, shuffled: its last 5,000 training images validate.

    Of clothing the classes are, from 0, shirt, trousers, pullover, dress, coat; from 5, sandal, blouse, sneaker, bag,
    boot. Raises KeyError for an unknown name, and what `npnet.tasks.load` raises.
    """
    of, classes = _CLASSES[name]
    files = load(of)
    splits: list[Split] = []
    for images, labels in ((files.train_images, files.train_labels), (files.test_images, files.test_labels)):
        rows = np.flatnonzero(np.isin(labels, classes))
        generator(seed, name, len(splits)).shuffle(rows)
        splits.append(Split(images[rows].reshape(len(rows), -1), labels[rows].astype(np.int64) - classes[0]))
    learned, tested = splits
    rest = rows_of(learned, slice(-_REST, None))
    return Task(name, len(classes), rows_of(learned, slice(len(learned) - _REST)), rest, tested)


def rows_of(split: Split, rows: Any) -> Split:
    """Return some rows of a split, a slice or an index array."""
    return Split(split.inputs[rows], split.labels[rows])


def joined_tasks(name: str, tasks: Sequence[Task]) -> Task:
    """Return several classifications of inputs of one size as one, whose classes are theirs one after the other."""
    first = np.cumsum([0, *(task.outputs for task in tasks)])

    def together(splits: Sequence[Split]) -> Split:
        labels = [split.labels + start for split, start in zip(splits, first[:-1], strict=True)]
        return Split(np.concatenate([split.inputs[:] for split in splits]), np.concatenate(labels))

    train, validation, test = (
        together([getattr(t, which) for t in tasks]) for which in ("train", "validation", "test")
    )
    return Task(name, int(first[-1]), train, validation, test)


def per_class(split: Split, n: int) -> Split:
    """Return the first n examples of each class, in the order in which they come; all of a class that has fewer."""
    before = np.zeros(len(split), np.int64)  # how many of its class come before each example
    for label in np.unique(split.labels):
        mine = split.labels == label
        before[mine] = np.arange(mine.sum())
    return rows_of(split, np.flatnonzero(before < n))


def cut(task: Task, sizes: Sizes) -> Task:
    """Return the task with the first examples of each split; a split that is no larger stays as it is.

    That one may be drawn when it is read, and is not read here.
    """

    def first(split: Split, size: int) -> Split:
        return rows_of(split, slice(size)) if len(split) > size else split

    return replace(
        task,
        train=first(task.train, sizes.train),
        validation=first(task.validation, sizes.validation),
        test=first(task.test, sizes.test),
    )
