"""The paper's numbers, to stand beside ours: every cell of its eight tables, read from gradual_tuning.csv."""

import csv
from pathlib import Path
from typing import NamedTuple

__all__ = ["REPETITIONS", "Published", "published"]

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
    with (Path(__file__).parent / "gradual_tuning.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [Published(int(row[0]), *row[1:7], *map(float, row[7:])) for row in rows]  # type: ignore[arg-type]
