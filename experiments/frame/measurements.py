"""Measurements of any study: one number of one run a line, in CSV files that anyone can read."""

import csv
import io
from pathlib import Path
from typing import Any, NamedTuple

from npnet.trees import write_atomically

__all__ = ["Measurement", "read_csv", "read_measurements", "write_csv"]


class Measurement(NamedTuple):
    """One number of one run; errors are percent misclassified on test sets."""

    experiment: str
    setting: str
    method: str
    regularizer: str
    seed: int
    metric: str
    value: float


def read_measurements(path: Path) -> list[Measurement]:
    """Read a results.csv."""
    return [
        Measurement(experiment, setting, method, regularizer, int(seed), metric, float(value))
        for experiment, setting, method, regularizer, seed, metric, value in read_csv(path)
    ]


def write_csv(path: Path, header: tuple[str, ...], rows: list[Any]) -> None:
    """Write rows under a header as CSV, whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode())


def read_csv(path: Path) -> list[list[str]]:
    """Read the rows of a CSV file, without its header."""
    with path.open(newline="") as file:
        return list(csv.reader(file))[1:]
