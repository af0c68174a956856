"""A module next to a frozen network, on targets of 30 to 3,000 images: is it better than tuning the network?

An untrained network runs in parallel with the source network, which stays as it is; the head sees both. Its layers read
the source's layers, too: none of them, the first alone, or all. It is compared with the usual methods: from scratch, a
new head on the features, fine tuning, Gradual Tuning.

Source: Anderson, Shaffer, Yankov, Corley and Hodas 2017, as the review of 2017 describes it.
"""

from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import ClassVar

import numpy as np

from experiments.frame.grids import Grid
from experiments.frame.long_form import Findings
from experiments.frame.method_grid import SCRATCH, Methods, MethodsByTargets, Targets
from experiments.frame.pictures import picture
from experiments.frame.statistics import interval, mean_sd
from experiments.frame.task_specs import TaskSpec
from experiments.frame.text import difference, spread
from npnet import GradualTuning, HeadOnly, Method, modular

__all__ = ["Modules"]

MODULE_WIDTHS = (100, 100, 100)  # of the module
SIZES = (30, 100, 300, 1_000, 3_000)
_TASKS = {"digits": "mnist59", "lines": "atl"}

MODULES = {
    "module, no stitches": partial(modular, (), MODULE_WIDTHS),
    "module, layer 1 stitched": partial(modular, (1,), MODULE_WIDTHS),
    "module, all stitched": partial(modular, None, MODULE_WIDTHS),
}
_COLOURS = ("0.6", "#E69F00", "black", "#D55E00", "#56B4E9", "#0072B2", "#009E73")


def _setting(family: str, images: int) -> str:
    return f"{family} {images}"


@dataclass(frozen=True)
class Modules(MethodsByTargets):
    """Add an untrained module to a frozen network.

    Targets have 30 to 3,000 images. The module is compared with fine tuning, Gradual Tuning and other methods."""

    name: ClassVar[str] = "modules"
    targets: ClassVar[Targets] = {
        _setting(family, n): (family, TaskSpec(_TASKS[family], train=n, validation=500, updates=9_000, patience=1_000))
        for family, n in product(_TASKS, SIZES)
    }
    methods: ClassVar[Methods] = {
        SCRATCH: partial(Method, SCRATCH),
        "head": partial(Method, "head", policy=HeadOnly()),
        "fine": partial(Method, "fine"),
        "gradual": partial(Method, "gradual", policy=GradualTuning()),
        **MODULES,
    }

    @classmethod
    def tables(cls, found: Findings) -> list[Grid]:
        """Return the errors of each family by the number of images, and each module against fine tuning."""
        return [grid for family in found.about["sources"] for grid in (_errors(found, family), _against(found, family))]

    @classmethod
    def draw(cls, found: Findings, out: Path) -> dict[str, str]:
        """Draw error against the number of images."""
        _draw(found, out / "modules.png")
        return {"modules.png": "Test error by the number of training images: mean and 95 % interval over seeds."}


def _errors(found: Findings, family: str) -> Grid:
    rows = [
        [method, *(spread(list(found.values(_setting(family, n), method).values()), 2) for n in SIZES)]
        for method in found.about["methods"]
    ]
    source = found.about["sources"][family]
    title = f"{source['train']:,} {source['task']} → {_TASKS[family]}: errors in percent by images"
    return Grid(title, ["", *(f"{n:,}" for n in SIZES)], rows)


def _against(found: Findings, family: str) -> Grid:
    """Return by how much each method of a module is better than fine tuning, paired by seed."""
    rows = []
    for method in MODULES:
        row = [method]
        for n in SIZES:
            fine, module = (found.values(_setting(family, n), name) for name in ("fine", method))
            saved, p = difference(fine, module, 2)
            row.append(f"{saved}\np = {p}" if p != "–" else saved)
        rows.append(row)
    header = ["", *(f"{n:,}" for n in SIZES)]
    return Grid(f"{family}: points of error saved against fine tuning (95 %), paired by seed", header, rows)


def _draw(found: Findings, path: Path) -> None:
    families = list(found.about["sources"])
    width = 2.4 + 4.0 * len(families)
    with picture(path, (width, 4.0), (0, 0, 1 - 2.0 / width, 1)) as figure:
        panels = figure.subplots(1, len(families), squeeze=False)[0]
        for panel, family in zip(panels, families, strict=True):
            for method, colour in zip(found.about["methods"], _COLOURS, strict=True):
                curve = {n: list(found.values(_setting(family, n), method).values()) for n in SIZES}
                known = {n: values for n, values in curve.items() if values}
                means = [mean_sd(values)[0] for values in known.values()]
                bars = np.nan_to_num([interval(values) for values in known.values()])
                panel.errorbar(list(known), means, bars, color=colour, linewidth=1.2, elinewidth=0.6, label=method)
            panel.set(xscale="log", yscale="log")
            panel.set_xticks(SIZES, [f"{n:,}" for n in SIZES])
            limits = panel.get_ylim()
            panel.set_yticks([3, 5, 10, 20, 30, 40, 50])
            panel.set_ylim(limits)
            panel.yaxis.set_major_formatter("{x:g}")
            panel.minorticks_off()
            panel.grid(axis="y", color="0.92")
            panel.set(xlabel="training images", ylabel="test error (%)")
            panel.set_title(f"{found.about['sources'][family]['task']} → {_TASKS[family]}", loc="left", weight="bold")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="center right", frameon=False)
