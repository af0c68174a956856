"""The variants: table 3 in little, each with one thing otherwise than npnet's default protocol."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.frame.tasks import Sizes
from experiments.studies.threshold.stimuli import FreshNoise, drawn, drawn_plainly, grey_levels
from npnet import Split, Task, cross_entropy, squared_error
from npnet.arrays import Array
from npnet.hyperparameters import shuffled
from npnet.losses import Loss
from npnet.orders import Batches, as_stored
from npnet.soft_losses import sigmoid_cross_entropy
from npnet.tasks.splits import REGIONS

__all__ = ["BASE", "LOSSES", "VARIANTS", "InBlocks", "Variant", "load", "mixed", "order_of"]

BASE = "no change"
ONE_CLASS = 1_000_000_000  # a block that holds all of a class


@dataclass(frozen=True)
class Variant:
    """What is otherwise than in table 3.

    Attributes:
        begins: the variant whose first network the second task begins with; "" for one of its own.
        gradual: whether Gradual Tuning is run too.
        loss: of both tasks, a name in LOSSES.
        block: so many of one class follow one another, then so many of the other; 0: all shuffled.
        stored: the same order in every epoch.
        mixed: whether half of the first task's validation examples are the second's.
        batch_size, rate, initialise: of both tasks, or of the second where the first is another variant's.
        bias_rate: by how much faster than all else the new head's biases learn.
        pixels: unit: [0, 1]. centred: [-1, 1]. standard: mean 0, standard deviation 1 over the training images' pixels.
        levels: grey levels that are left of 256.
        fresh: noise of ± so much in each pixel, drawn anew whenever a batch is read, in place of that of the stimuli.
        plainly: whether lengths too are drawn again where a stimulus does not fit, and the third line may touch.
        longest: longest segment of a figure, px.
        look: changes of the stimuli's appearance.
    """

    begins: str = ""
    gradual: bool = False
    loss: str = "cross-entropy"
    block: int = 0
    stored: bool = False
    mixed: bool = False
    batch_size: int = 20
    rate: float = 0.01
    initialise: str = "glorot"
    bias_rate: float = 1.0
    pixels: str = "unit"
    levels: int = 256
    fresh: float = 0.0
    plainly: bool = False
    longest: float | None = None
    look: Mapping[str, Any] = field(default_factory=dict)

    @property
    def outputs(self) -> int:
        """Of a head."""
        return 1 if self.loss == "sigmoid" else 2


VARIANTS: Mapping[str, Variant] = {
    BASE: Variant(gradual=True),
    "standardised pixels": Variant(pixels="standard", gradual=True),
    "drawn by a plain program": Variant(plainly=True),
    "pure white and black strokes": Variant(look={"ground": (0.2, 0.2), "contrast": (0.8, 0.8)}),
    "segments of up to 28 px": Variant(longest=28.0),
    "fresh float32 noise": Variant(fresh=0.1, look={"noise": 0.0}),
    "first network validated on both": Variant(mixed=True),
    "one order for all epochs": Variant(begins=BASE, stored=True),
    "ten of each class in a batch": Variant(begins=BASE, block=10),
    "batches of one class": Variant(begins=BASE, block=20),
    "blocks of 200 of a class": Variant(begins=BASE, block=200),
    "one class after the other": Variant(begins=BASE, block=ONE_CLASS),
    "squared error on 0 and 1": Variant(loss="0 and 1", rate=0.004),
    "one sigmoid output": Variant(loss="sigmoid", gradual=True),
    "five times the rate": Variant(begins=BASE, rate=0.05),
    "twenty times the rate": Variant(begins=BASE, rate=0.2),
    "a small new head": Variant(begins=BASE, initialise="normal"),
    "new biases at 5 times the rate": Variant(begins=BASE, bias_rate=5.0),
    "new biases at 20 times the rate": Variant(begins=BASE, bias_rate=20.0),
    # These are run where they are named.
    "both tasks in blocks of 200": Variant(block=200),
    "both tasks in batches of one class": Variant(block=20),
    "squared error on -1 and 1": Variant(loss="-1 and 1", rate=0.004),
    "the third line may touch": Variant(look={"gap": -1.5}),
    "no background": Variant(look={"amplitude": 0.0, "noise": 0.0}),
    "strokes of 2 px": Variant(look={"width": 2.0}),
    "gaps of 4 px": Variant(look={"gap": 4.0}),
    "sixteen grey levels": Variant(levels=16),
    "pixels from -1 to 1": Variant(pixels="centred"),
    "he initialisation": Variant(initialise="he"),
    "uniform initialisation": Variant(initialise="uniform_fan_in"),
    "batches of 100": Variant(begins=BASE, batch_size=100),
    "a fifth of the rate": Variant(begins=BASE, rate=0.002),
}
"""Squared error diverges at the others' rate."""


def one_hot(Z: Array, labels: Array) -> tuple[Array, Array]:
    """Squared error of two outputs against 0 and 1."""
    return squared_error(Z, (labels[:, None] == np.arange(2)).astype(Z.dtype))


def plus_minus(Z: Array, labels: Array) -> tuple[Array, Array]:
    """Squared error of two outputs against −1 and 1."""
    return squared_error(Z, (2 * (labels[:, None] == np.arange(2)) - 1).astype(Z.dtype))


LOSSES: Mapping[str, Loss] = {
    "cross-entropy": cross_entropy,
    "0 and 1": one_hot,
    "-1 and 1": plus_minus,
    "sigmoid": sigmoid_cross_entropy,
}


@dataclass(frozen=True, eq=False)
class InBlocks:
    """An order of `seen` examples: `block` of class 0, as many of class 1, and so on, equally many of both."""

    labels: NDArray[np.int64]
    block: int
    seen: int

    def __call__(self, rng: np.random.Generator, epoch: int, examples: int) -> Array:
        """Return the rows of an epoch."""
        rows = rng.permutation(examples)[: self.seen]
        t, place = self.labels[rows], np.empty(len(rows), np.int64)
        for label in (0, 1):
            place[t == label] = np.arange((t == label).sum())
        least = min((t == 0).sum(), (t == 1).sum())  # an end of one class alone would move every threshold
        order = np.lexsort((t, place // self.block))
        return rows[order[place[order] < (least // self.block * self.block or least)]]


def order_of(variant: Variant, task: Task, seen: int) -> Callable[..., Array]:
    """Return the order in which a task's training examples are seen, so many in an epoch."""
    if variant.stored:
        return as_stored
    if variant.block:
        return InBlocks(task.train.labels, variant.block, seen)
    return shuffled if len(task.train) <= seen else Batches(seen // variant.batch_size, variant.batch_size)


def load(name: str, variant: Variant, sizes: Sizes, seed: int) -> Task:
    """Return acl or ac as a variant has it."""

    def split(which: str, n: int) -> Split:
        where = (name, seed, REGIONS[which], n)
        images, labels = drawn_plainly(*where) if variant.plainly else drawn(*where, variant.longest, **variant.look)
        if variant.levels < 256:
            images = grey_levels(images, variant.levels)
        return Split(FreshNoise(images, variant.fresh, seed) if variant.fresh else images, labels)

    each = {which: split(which, getattr(sizes, which)) for which in ("train", "validation", "test")}
    if variant.pixels != "unit":
        pixels = each["train"].inputs[:]
        centre, width = (127.5, 127.5) if variant.pixels == "centred" else (pixels.mean(), pixels.std())
        for which, of in each.items():
            scaled = (of.inputs[:].astype(np.float32) - np.float32(centre)) / np.float32(width)
            each[which] = Split(scaled, of.labels)
    return Task(name, variant.outputs, **each)


def mixed(task: Task, other: Task) -> Task:
    """Return a task whose validation examples are half its own, half another's of the same classes."""
    n = len(task.validation) // 2
    halves = [each.validation for each in (task, other)]
    inputs, labels = (np.concatenate([getattr(each, which)[:n] for each in halves]) for which in ("inputs", "labels"))
    return replace(task, validation=Split(inputs, labels))
