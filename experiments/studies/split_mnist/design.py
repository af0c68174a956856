"""The protocol: the digits in pairs, the three scenarios, the methods with the strengths that their authors chose.

Source: Hsu, Liu, Ramasamy and Kira 2018, "Re-evaluating Continual Learning Scenarios" (arXiv 1810.12488), table 2, and
its program, github.com/GT-RIPL/Continual-Learning-Benchmark: scripts/split_MNIST_incremental_*.sh, agents/, models/.
Its row of Learning without Forgetting is from another program, that of van de Ven and Tolias 2019 (arXiv 1904.07734),
github.com/GMvandeVen/continual-learning, branch preprints.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np

from npnet import SGD, Adagrad, Adam, Split
from npnet.optimizers import Optimizer
from npnet.tasks import digit_task, load

__all__ = ["CLASS", "DOMAIN", "METHODS", "SCENARIOS", "TASK", "Approach", "Protocol", "Scenario", "pairs"]

Scenario = Literal["task", "domain", "class"]
TASK: Scenario = "task"
DOMAIN: Scenario = "domain"
CLASS: Scenario = "class"
SCENARIOS: tuple[Scenario, ...] = (TASK, DOMAIN, CLASS)
"""A head for each pair, which is known when a digit is read; one head of two outputs, odd or even, for all pairs; one
head of ten outputs."""


@dataclass(frozen=True)
class Protocol:
    """What all runs share.

    Attributes:
        digits: "mnist", or "drawn" for digits that npnet draws, 28 × 28 as well.
        hidden: units of the two hidden layers.
        epochs: passes through each task's training images.
        batches: batches of each task, where they count and not epochs.
        batch_size: images in a batch.
        pixels: "standard", mean 0 and deviation 1 over the training pixels; or "unit", in [0, 1].
        tasks: pairs of digits that are learned, from 0 and 1 on.
        train: training images of all digits together, drawn ones.
    """

    digits: Literal["mnist", "drawn"] = "mnist"
    hidden: tuple[int, int] = (400, 400)
    epochs: int = 4
    batch_size: int = 128
    tasks: int = 5
    train: int = 60_000
    batches: int | None = None
    pixels: Literal["standard", "unit"] = "standard"


@dataclass(frozen=True)
class Approach:
    """A method.

    Attributes:
        optimizer: carried on, with all that it remembers, from task to task.
        rate: its learning rate.
        penalty: what pulls weights to where they were: "l2", "ewc", "online ewc", "si", or nothing.
        strengths: c of c Σ Ω Δ², by scenario, as their scripts have it.
        memory: training images that are kept of all old tasks together.
        recall: Learning without Forgetting.
        gradual: whether all tasks but the first are learned by Gradual Tuning.
        joint: whether all tasks are learned at once.
        protocol: what its runs share with the others.
    """

    optimizer: Optimizer = field(default_factory=Adam)
    rate: float = 0.001
    penalty: Literal["", "l2", "ewc", "online ewc", "si"] = ""
    strengths: Mapping[str, float] = field(default_factory=dict)
    memory: int = 0
    recall: bool = False
    gradual: bool = False
    joint: bool = False
    protocol: Protocol = Protocol()


def _strengths(task: float, domain: float, of_class: float) -> dict[str, float]:
    return {TASK: task, DOMAIN: domain, CLASS: of_class}


METHODS: Mapping[str, Approach] = {
    "Adam": Approach(),
    "EWC": Approach(penalty="ewc", strengths=_strengths(100, 100, 600)),
    "Online EWC": Approach(penalty="online ewc", strengths=_strengths(400, 700, 100)),
    "SI": Approach(penalty="si", strengths=_strengths(300, 3000, 600)),
    "L2": Approach(penalty="l2", strengths=_strengths(0.01, 0.5, 100)),
    "LwF": Approach(recall=True, protocol=Protocol(batches=2_000, pixels="unit")),
    "LwF, 4 epochs": Approach(recall=True),
    "Naive rehearsal": Approach(memory=1_100),
    "Offline (upper bound)": Approach(joint=True),
    "Gradual Tuning": Approach(gradual=True),
    "SGD": Approach(SGD(), 0.01),
    "Adagrad": Approach(Adagrad(), 0.01),
    "Naive rehearsal-C": Approach(memory=4_400),
}
"""By the names of their table; Gradual Tuning is ours, and so is Learning without Forgetting as the others train."""

_MEAN, _DEVIATION = np.float32(0.1000), np.float32(0.2752)  # of the padded training pixels, as their loader has them


@lru_cache(maxsize=1)
def pairs(protocol: Protocol) -> list[tuple[Split, Split]]:
    """Return training and test set of each pair of digits, labels from 0 to 9: 32 × 32 pixels, the rim black."""
    if protocol.digits == "mnist":
        files = load("mnist")
        train, test = (files.train_images, files.train_labels), (files.test_images, files.test_labels)
    else:
        drawn = digit_task("digits", 0, protocol.train, 1, protocol.train)
        train, test = ((split.inputs[:], split.labels) for split in (drawn.train, drawn.test))
    standard = protocol.pixels == "standard"
    return [(_pair(*train, t, standard), _pair(*test, t, standard)) for t in range(protocol.tasks)]


def _pair(images: np.ndarray, labels: np.ndarray, t: int, standard: bool) -> Split:
    rows = np.flatnonzero(labels // 2 == t)
    padded = np.pad(images[rows].reshape(-1, 28, 28), ((0, 0), (2, 2), (2, 2))).reshape(len(rows), -1)
    X = padded * np.float32(1 / 255)
    return Split((X - _MEAN) / _DEVIATION if standard else X, labels[rows].astype(np.int64))
