"""Tasks from arrays of one's own: inputs and answers of any usual form, split, scaled and named.

    task = Task.from_arrays(X, y, validation=0.15, test=0.15, seed=0)
    task.predict(network, X)          in the terms of y

Nothing is guessed in silence: what the answers were taken for and how inputs were scaled stands in the task, and in its
repr. `npnet.tasks.forms` says which arrays are read, and `npnet.tasks.scale` how they are scaled.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.arrays import generator, shown
from npnet.data import Split, Task
from npnet.tasks.forms import Answers, answers_of, codes_of, inputs_of, weights_of
from npnet.tasks.scale import AS_THEY_ARE, Scale, scale_of

__all__ = ["ArrayTask", "task_from_arrays"]


@dataclass(frozen=True, repr=False)
class ArrayTask(Task):
    """A task made of arrays.

    classes: what each class, label or value is called in y, in the order of the outputs. scale: what was done to the
    inputs. shape: that of an input before it was laid out in a row. said: what the answers were made of.
    """

    classes: tuple[Any, ...] = ()
    scale: Scale = AS_THEY_ARE
    shape: tuple[int, ...] = ()
    said: str = ""

    def __repr__(self) -> str:
        sizes = " + ".join(str(len(split)) for split in (self.train, self.validation, self.test))
        names = [str(name) for name in self.classes]
        listed = ", ".join(names if len(names) <= 6 else [*names[:3], "...", names[-1]])
        weighted = ", with weights" * (self.train.weights is not None)
        return (
            f"<task {self.name!r}: {sizes} examples (train, validation, test) of {self.train.inputs.shape[-1]} inputs, "
            f"{self.scale}{weighted}; {len(names)} {self.train.kind}{self.said}: {listed}>"
        )

    def inputs(self, X: Any) -> np.ndarray:
        """Return inputs of the form of X as a network of this task reads them, (N, D) floats.

        Raises ValueError for inputs of another shape, and for what is no array of numbers.
        """
        flat, shape = inputs_of("X", X)
        if flat.shape[1] != self.train.inputs.shape[-1]:
            raise ValueError(f"X has inputs of shape {shape}; expected {self.shape}")
        return self.scale(flat)

    def predict(self, network: Any, X: Any) -> np.ndarray:
        """Return what a network with a head for this task says of inputs: classes (N,) in the terms of y, labels (N, K)
        of 0 and 1, or values (N, K). Raises ValueError as `inputs` does, and for a network without that head.
        """
        Z = network.logits(self.inputs(X).astype(network.dtype), self.name)
        kind = self.train.kind
        if kind == "values":
            return Z
        if kind == "labels":
            return (Z > 0).astype(np.int64)
        return np.asarray(self.classes)[(Z[:, 0] > 0).astype(int) if Z.shape[-1] == 1 else Z.argmax(-1)]


@checked
def task_from_arrays(
    X: Any,
    y: Any,
    validation: Any = 0.15,
    test: Any = 0.15,
    seed: int = 0,
    stratify: bool = True,
    scale: Any = None,
    kind: str = "",
    weights: Any = None,
    name: str = "task",
) -> ArrayTask:
    """Return the task of inputs X and answers y.

    X           (N, D), or (N, ...) of images: an array of numbers, or what makes one, as a table of pandas
    y           (N,) or (N, 1) whole numbers or words: classes; floats: values of a regression; (N, K) zeros and ones:
                one in each row for its class, or several labels at once; see kind
    validation  a fraction of the examples, a count of them, or (X, y) or (X, y, weights)
    test        likewise
    seed        of the random choice of these
    stratify    whether each class has its share of both
    scale       a number by which inputs are divided; "standard": each to mean 0 and deviation 1; "none": as they are;
                None: uint8 images with values above 127 are pixels and divided by 255, all others are as they are
    kind        "classes", "labels", "probabilities" or "values", where it should not follow from y
    weights     (N,), how much each example counts in the loss
    name        of the task and its head

    Raises ValueError, naming the argument, for what is not read, with the call that makes it readable: sparse matrices,
    masked arrays, tensors of PyTorch, complex numbers, words among inputs, what is missing or not finite; for classes
    that are too rare to be trained on; for shapes that do not fit. Warns of inputs beyond ±20.
    """
    inputs, shape = inputs_of("X", X)
    answers = answers_of(y, len(inputs), kind)
    if len(inputs) == 0:
        raise ValueError("X is empty; expected at least three examples")
    given_weights = None if weights is None else weights_of("weights", weights, len(inputs))
    order = np.arange(len(inputs))
    by = answers.codes if stratify and answers.kind == "classes" else None
    parts: dict[str, Any] = {}
    for which, share in (("test", test), ("validation", validation)):
        if isinstance(share, tuple | list):
            parts[which] = _given(which, share, shape, answers)
            continue
        n = _count(which, share, len(inputs))
        if n >= len(order):
            raise ValueError(f"{which} is {share!r}, {n} of {len(order)} examples left; expected some to train on")
        chosen = _spread(order, n, None if by is None else by[order], generator(seed, which))
        parts[which] = order[chosen]
        order = order[~chosen]
    if by is not None and (lost := sorted(set(by.tolist()) - set(by[order].tolist()))):
        names = ", ".join(repr(answers.classes[code]) for code in lost)
        raise ValueError(f"y has {names} too rarely; expected each class among the examples to train on")
    how = scale_of(scale, inputs[order])

    def split(rows: np.ndarray) -> Split:
        w = None if given_weights is None else given_weights[rows]
        return Split(how.stored(inputs[rows]), answers.codes[rows], answers.kind, w)

    splits = {"train": split(order)}
    for which in ("validation", "test"):
        part = parts[which]
        splits[which] = split(part) if isinstance(part, np.ndarray) else replace(part, inputs=how.stored(part.inputs))
    three = (splits["train"], splits["validation"], splits["test"])
    return ArrayTask(name, len(answers.classes), *three, answers.classes, how, shape, answers.said)


def _count(which: str, share: Any, n: int) -> int:
    """Return how many examples a share is: a fraction below 1, or a count."""
    if isinstance(share, bool) or not isinstance(share, int | float | np.number) or not share > 0:
        raise ValueError(f"{which} is {shown(share)}; expected a fraction, a count, or a pair (X, y)")
    return max(1, round(share * n)) if share < 1 else int(share)


def _spread(order: np.ndarray, n: int, by: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """Choose n of some examples at random, of each class its share to within one: (len(order),) true or false."""
    shuffled = rng.permutation(len(order))
    if by is not None:
        shuffled = shuffled[np.argsort(by[shuffled], kind="stable")]  # class by class, each in a random order
    steps = np.arange(len(order) + 1) * n // len(order)
    chosen = np.zeros(len(order), bool)
    chosen[shuffled[np.diff(steps) > 0]] = True
    return chosen


def _given(which: str, pair: Sequence[Any], shape: tuple[int, ...], like: Answers) -> Split:
    """Return a split that was given as (X, y) or (X, y, weights), its inputs not yet scaled."""
    if len(pair) not in (2, 3):
        raise ValueError(f"{which} has {len(pair)} entries; expected (X, y) or (X, y, weights)")
    inputs, found = inputs_of(f"X of {which}", pair[0])
    if found != shape:
        raise ValueError(f"X of {which} has inputs of shape {found}; expected {shape}, as in X")
    weights = weights_of(f"weights of {which}", pair[2], len(inputs)) if len(pair) == 3 else None
    kept = inputs if inputs.dtype == np.uint8 and inputs.size and inputs.max() > 127 else inputs.astype(np.float64)
    return Split(kept, codes_of(f"y of {which}", pair[1], len(inputs), like), like.kind, weights)
