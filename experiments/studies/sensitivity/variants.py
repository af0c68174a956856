"""The variants: table 1 under every choice that the paper leaves open, one at a time, and some of them together."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from experiments.frame.study import Preset
from experiments.studies.tables.design import ROWS, TABLES, TableDesign, protocol

__all__ = ["VARIANTS", "rows", "variant_designs", "without_l1"]

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "l1-per-batch": {"l1_scale": 1 / 20},
    "l1-biases": {"l1_biases": True},
    "batch-32": {"batch_size": 32},
    "batch-100": {"batch_size": 100},
    "last": {"keep": "last"},
    "uniform": {"initialise": "uniform_fan_in"},
    "he": {"initialise": "he"},
    "normal": {"initialise": "normal"},
    "normal-trunk": {"initialise": "normal", "initialise_head": "glorot"},
    "normal-head": {"initialise_head": "normal"},
    "centred": {"pixels": "centred"},
    "standard": {"pixels": "standard"},
    "patience-10": {"patience": 10},
    "no-restart": {"patience_restarts": False},
    "improvement": {"difference": "improvement"},
    "batch-100-last": {"batch_size": 100, "keep": "last"},
    "batch-100-uniform": {"batch_size": 100, "initialise": "uniform_fan_in"},
    "uniform-last": {"initialise": "uniform_fan_in", "keep": "last"},
    "batch-100-uniform-last": {"batch_size": 100, "initialise": "uniform_fan_in", "keep": "last"},
    "l1-per-batch-uniform": {"l1_scale": 1 / 20, "initialise": "uniform_fan_in"},
}
"""What each variant does otherwise than the default protocol.

l1-per-batch: λ over the 20 examples of a batch, as it acts where the loss is their sum and the rate is divided by 20.
normal-trunk, normal-head: the first network alone, or the new head alone, begins as both do in normal.
"""


def variant_designs(preset: Preset, networks: int = 1) -> list[TableDesign]:
    """Return table 1 under every variant, from so many first networks.

    quick: two seeds, paper: five; a variant of L1 has the rows of L1 alone.
    """
    table = TABLES["table1"]
    base = protocol(table, "smoke" if preset == "smoke" else "paper")
    base = replace(base, seeds={"smoke": 1, "quick": 2, "paper": 5}[preset], networks=networks)
    return [
        TableDesign(table, replace(base, **changes), rows(changes), variant=name) for name, changes in VARIANTS.items()
    ]


def rows(changes: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the regularizers that a variant is run with: L1 alone where it changes something about L1."""
    return ("l1",) if any(name.startswith("l1_") for name in changes) else tuple(ROWS)


def without_l1(name: str) -> str:
    """Return the variant that differs from this one in L1 alone, which has the other rows of both."""
    changes = {key: value for key, value in VARIANTS[name].items() if not key.startswith("l1_")}
    return next(other for other, its in VARIANTS.items() if its == changes)
