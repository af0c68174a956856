"""What the main job runs: table 1 of the paper on digits that npnet draws, or on MNIST; each seed its own network."""

from dataclasses import replace
from typing import Literal

from experiments.frame.study import Preset
from experiments.studies.tables.design import TABLES, Table, TableDesign, TrainingProtocol, protocol

__all__ = ["Digits", "quickstart_design"]

Digits = Literal["drawn", "mnist"]

DRAWN = Table(1, ("digits04",), "digits59", (200, 200))
"""The task of table 1 on drawn digits, with smaller layers."""

QUICK = TrainingProtocol(
    train=8_000, validation=2_000, test=5_000, networks=5, patience=10, max_epochs_a=100, max_epochs_b=100
)
"""Two fifths of the paper's images and half of its patience: some three minutes on two cores."""


def quickstart_design(digits: Digits, preset: Preset) -> TableDesign:
    """Return the study: drawn digits in minutes, MNIST at the paper's full size; "smoke" is next to nothing of either.

    Every seed has a first network of its own, so the intervals say what to expect of another network.
    """
    table = DRAWN if digits == "drawn" else TABLES["table1"]
    how = QUICK if digits == "drawn" else replace(protocol(table, "paper"), networks=5)
    if preset == "smoke":
        how = replace(how, train=200, validation=100, test=100, seeds=2, max_epochs_a=3, max_epochs_b=4)
    return TableDesign(table, how, ("none", "dropout"), variant="quickstart")
