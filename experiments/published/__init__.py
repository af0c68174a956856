"""The papers' numbers, for comparison with ours.

gradual_tuning.csv   every cell of the eight tables of the Gradual Tuning paper
split_mnist.csv      table 2 of Hsu, Liu, Ramasamy and Kira 2018: split MNIST in three scenarios
l2sp_tables.csv      tables 2 and 3 of Li, Grandvalet and Davoine 2018: accuracies after transfer, and what it cost
"""

import csv
from math import sqrt
from pathlib import Path
from typing import NamedTuple

from experiments.frame.statistics import Moments

__all__ = [
    "REPETITIONS",
    "Published",
    "PublishedSequence",
    "PublishedTransfer",
    "published",
    "published_split_mnist",
    "published_transfers",
]

REPETITIONS = 5
"""How many repetitions each of the paper's means and standard deviations is of."""


class Published(NamedTuple):
    """One row: errors in percent on test sets, with standard deviations; epochs of the second task."""

    table: int
    task_a: str
    task_b: str
    network: str
    regularizer: str
    method: str
    measured_on: str
    task_b_error: float
    task_b_error_sd: float
    task_a_error_before: float
    task_a_error_after: float
    task_a_error_after_sd: float
    epochs: float
    epochs_sd: float


def published() -> list[Published]:
    """Return all rows, in the order of the tables."""
    with (Path(__file__).parent / "gradual_tuning.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return [Published(int(row[0]), *row[1:7], *map(float, row[7:])) for row in rows]  # type: ignore[arg-type]


class PublishedTransfer(NamedTuple):
    """One number of Li, Grandvalet and Davoine 2018: accuracy in percent, or points of it; sd may be NaN.

    quantity: "target_accuracy" (table 2, five runs) or "source_accuracy_drop" (table 3, after − before).
    """

    table: int
    source: str
    target: str
    method: str
    quantity: str
    value: float
    sd: float


def published_transfers() -> list[PublishedTransfer]:
    """Return all rows of the two tables, in their order."""
    with (Path(__file__).parent / "l2sp_tables.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return [
        PublishedTransfer(int(table), source, target, method, quantity, float(value), float(sd or "nan"))
        for table, source, target, method, quantity, value, sd in rows
    ]


class PublishedSequence(NamedTuple):
    """One cell of Hsu et al. 2018, table 2: mean accuracy in percent over five tasks after the last one.

    sd: over the runs; their program prints Σ(x − mean)² over n.
    """

    method: str
    scenario: str
    accuracy: float
    sd: float
    runs: int

    @property
    def moments(self) -> Moments:
        """Mean, standard deviation over n − 1, and number of the runs."""
        return Moments(self.accuracy, self.sd * sqrt(self.runs / (self.runs - 1)), self.runs)


def published_split_mnist() -> list[PublishedSequence]:
    """Return all cells of the table, in its order."""
    with (Path(__file__).parent / "split_mnist.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return [PublishedSequence(row[0], row[1], float(row[2]), float(row[3]), int(row[4])) for row in rows]
