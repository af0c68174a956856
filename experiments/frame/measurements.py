"""Measurements of any study, in CSV files in long form: one number of one run a line."""

from pathlib import Path
from typing import NamedTuple

from experiments.frame.files import read_csv

__all__ = ["Measurement", "read_measurements"]


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
