"""Growing a network for a new task: deeper, wider or both, and which part of it trains.

Rows are what grows, drawn at random or copied, with activations brought to a learned length or left as they are;
columns what trains: the new part and the head alone, the old layers from the top one by one as well, or everything.

Source: Wang, Ramanan and Hebert 2017, the table of fine tuning from only new layers to all, as the lecture of 2018
shows it (there on SUN-397 with AlexNet).
"""

from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from experiments.frame.grids import Grid
from experiments.frame.long_form import Findings
from experiments.frame.method_grid import HIDDEN, Methods, MethodsByTargets, Targets
from experiments.frame.pictures import picture
from experiments.frame.statistics import interval, mean_sd
from experiments.frame.task_specs import TaskSpec
from experiments.frame.text import difference, spread
from npnet import Method, TopLayers, growing

__all__ = ["Growing"]

AS_IT_IS = "as it is"
GROWN: dict[str, dict[str, Any]] = {
    "deeper, random": {"deeper": 100, "normalised": False},
    "deeper, normalised": {"deeper": 100},
    "wider, random": {"wider": 100, "normalised": False},
    "wider, copies + noise": {"wider": 100, "normalised": False, "noise": 0.1},
    "wider, normalised": {"wider": 100},
    "wider + deeper, random": {"wider": 100, "deeper": 100, "normalised": False},
    "wider + deeper, normalised": {"wider": 100, "deeper": 100},
}
"""What grows: options of npnet.growing. The source's rows, and both together, which its text has."""

GROWN_ROWS = (AS_IT_IS, *GROWN)
TRAINED: dict[str, int | None] = {"new": 0, "layer 3 + new": 1, "layers 2, 3 + new": 2, "all": None}
"""How many of the old hidden layers train, too; of a network as it is, "new" is the head alone."""


def _method(row: str, trained: int | None) -> Method:
    """Return the method of a row of the table, and of a column."""
    if row == AS_IT_IS:
        return Method(row, policy=TopLayers(len(HIDDEN) if trained is None else trained))
    return growing(**GROWN[row], trained=trained)


def _method_name(row: str, column: str) -> str:
    return f"{row}; {column}"


@dataclass(frozen=True)
class Growing(MethodsByTargets):
    """Grow a network for a new task: deeper, wider, or both.

    Either the new part alone trains, or some of the old layers too, or everything."""

    name: ClassVar[str] = "growing"
    targets: ClassVar[Targets] = {
        "digits": ("digits", TaskSpec("mnist59", train=1_000, updates=5_000, patience=1_700)),
        "lines": ("lines", TaskSpec("atl", train=5_000)),
    }
    methods: ClassVar[Methods] = {
        _method_name(row, column): partial(_method, row, trained)
        for row, (column, trained) in product(GROWN_ROWS, TRAINED.items())
    }

    @classmethod
    def tables(cls, found: Findings) -> list[Grid]:
        """Return the source's table of each family, and what normalising adds, paired by seed."""
        return [grid for family in found.about["targets"] for grid in (_errors(found, family), _effects(found, family))]

    @classmethod
    def draw(cls, found: Findings, out: Path) -> dict[str, str]:
        """Draw the errors of each family by what trains."""
        _draw(found, out / "growing.png")
        words = "Test error by what trains: mean and 95 % interval over seeds. Dashed: without normalisation."
        return {"growing.png": words}


def _values(found: Findings, family: str, row: str, column: str) -> dict[int, float]:
    return found.values(family, _method_name(row, column))


def _errors(found: Findings, family: str) -> Grid:
    source, target = found.about["sources"][family], found.about["targets"][family]
    rows = [
        [row, *(spread(list(_values(found, family, row, column).values()), 2) for column in TRAINED)]
        for row in GROWN_ROWS
    ]
    what = f"{source['train']:,} {source['task']} → {target['train']:,} {target['task']}"
    return Grid(f"{what}, errors in percent by what trains", ["", *TRAINED], rows)


def _effects(found: Findings, family: str) -> Grid:
    """Return what every grown network has over the network as it is, everything trained, and over its plain twin."""
    rows = []
    for row in GROWN:
        grown = _values(found, family, row, "all")
        plain = row.replace("normalised", "random")
        twin = difference(_values(found, family, plain, "all"), grown, 2) if plain != row else ["", ""]
        rows.append([row, *difference(_values(found, family, AS_IT_IS, "all"), grown, 2), *twin])
    header = ["", "better than as it is by (95 %)", "p", "than without normalisation by (95 %)", "p"]
    return Grid(f"{family}, everything trained: points of error saved, paired by seed", header, rows)


def _draw(found: Findings, path: Path) -> None:
    families = list(found.about["targets"])
    colours = {"as": "black", "deeper,": "#0072B2", "wider,": "#D55E00", "wider": "#009E73"}
    with picture(path, (2.9 + 4.0 * len(families), 4.2), (0, 0, 1 - 2.3 / (2.9 + 4.0 * len(families)), 1)) as figure:
        panels = figure.subplots(1, len(families), squeeze=False)[0]
        for panel, family in zip(panels, families, strict=True):
            for i, row in enumerate(GROWN_ROWS):
                curve = [list(_values(found, family, row, column).values()) for column in TRAINED]
                x = np.arange(len(TRAINED)) + 0.05 * (i - len(GROWN_ROWS) / 2)
                bars = np.nan_to_num([interval(values) for values in curve])
                style = "-" if row == AS_IT_IS or "normalised" in row else ":" if "copies" in row else "--"
                means = [mean_sd(values)[0] for values in curve]
                colour = colours[row.split()[0]]
                panel.errorbar(x, means, bars, color=colour, linestyle=style, linewidth=1, elinewidth=0.6, label=row)
            panel.set_xticks(range(len(TRAINED)), [column.replace(" + ", " +\n") for column in TRAINED])
            panel.grid(axis="y", color="0.92")
            panel.set(ylabel="test error (%)")
            target = found.about["targets"][family]
            panel.set_title(f"{target['train']:,} {target['task']}", loc="left", weight="bold")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="center right", frameon=False)
