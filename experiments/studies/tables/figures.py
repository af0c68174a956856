"""The figure of a table: validation errors of both tasks against weight updates, each method in a colour of its own."""

from itertools import pairwise, product
from math import ceil
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from experiments.frame.pictures import picture
from experiments.studies.tables.results import Point, TableResults

__all__ = ["COLOURS", "NAMES", "TITLES", "caption", "draw_curves", "runs_of", "xy"]

COLOURS = {"fine": "#0072B2", "gradual": "#D55E00"}  # blue and vermilion of Okabe and Ito: apart for every eye
NAMES = {"fine": "fine tuning", "gradual": "Gradual Tuning"}
_LOG_TICKS = (0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 50)
TITLES = {"none": "no regularization", "l1": "L1", "l1_twentieth": "L1, λ/20", "dropout": "dropout"}
"""What pictures call the rows of a table."""


def caption(results: TableResults) -> str:
    """Return the text that belongs under the figure."""
    design = results.design
    unit = "images" if design.table.of_digits else "stimuli"
    return (
        f"Validation errors while {design.table.second} is learned after {'+'.join(design.table.first)}, "
        f"against weight updates ({design.protocol.train:,} training {unit}). Thin lines: single seeds. Bold lines: "
        "their mean, for as long as all of them train. Triangles: a hidden layer joins that seed's Gradual Tuning. "
        "Circles: the weights that a run keeps. Dotted line: the first task's error before."
        + (" Of several first tasks the mean is drawn." if len(design.table.first) > 1 else "")
    )


def draw_curves(results: TableResults, path: Path) -> None:
    """Draw the first task above and the second below, a column for each regularizer, and write a PNG."""
    design = results.design
    columns, keys = len(design.regularizers), _keys(design.methods)
    lines = 1 if columns > 1 else 3  # that the legend needs, over one panel
    with picture(path, (1.2 + 3.3 * columns, 5.8), (0, 0, 1, 0.98 - 0.04 * lines)) as figure:
        axes = figure.subplots(2, columns, sharex="col", sharey="row", squeeze=False)
        for row, tasks in enumerate((design.table.first, (design.table.second,))):
            for column, regularizer in enumerate(design.regularizers):
                _draw_panel(axes[row][column], results, regularizer, tasks)
            mean = ", mean" if len(tasks) > 1 else ""
            axes[row][0].set_ylabel(
                f"{'first' if row == 0 else 'second'} task, {'+'.join(tasks)}\nvalidation error (%){mean}"
            )
            _settle_height(axes[row][0], results, tasks)
        for column, regularizer in enumerate(design.regularizers):
            axes[0][column].set_title(TITLES.get(regularizer, regularizer), loc="left", weight="bold")
            axes[1][column].set_xlabel("weight updates (thousands)")
            axes[1][column].set_xlim(left=0)
        figure.legend(handles=keys, loc="upper center", ncols=ceil(len(keys) / lines), frameon=False)


def _draw_panel(panel: Any, results: TableResults, regularizer: str, tasks: tuple[str, ...]) -> None:
    """Draw every method's runs on some tasks, their mean, under one regularizer."""
    for method in results.design.methods:
        runs = runs_of(results, regularizer, method, tasks)
        kept = results.values("kept_epoch", method, regularizer)
        for seed, points in runs.items():
            _draw_run(panel, points, int(kept[seed]), COLOURS[method], method == "gradual")
        _draw_mean(panel, list(runs.values()), COLOURS[method])
        before = {points[0].error for points in runs.values() if points[0].epoch == 0}
        for error in before:
            panel.axhline(error, color="0.35", linestyle=":", linewidth=1, zorder=1)
    panel.grid(axis="y", color="0.9", linewidth=0.7)
    panel.set_axisbelow(True)


def _draw_run(panel: Any, points: list[Point], kept: int, colour: str, gradual: bool) -> None:
    """Draw one seed: a thin line, a triangle where a layer joins, a circle where its weights were kept."""
    panel.plot(*xy(points), color=colour, linewidth=0.8, alpha=0.45, zorder=2)
    if gradual:
        joined = [before for before, after in pairwise(points) if 0 < before.layers < after.layers]
        panel.plot(
            *xy(joined), "v", color=colour, markersize=5.5, markeredgecolor="white", markeredgewidth=0.6, zorder=5
        )
    end = [p for p in points if p.epoch == kept]
    panel.plot(*xy(end), "o", color="white", markersize=4.5, markeredgecolor=colour, markeredgewidth=1.2, zorder=4)


def _draw_mean(panel: Any, runs: list[list[Point]], colour: str) -> None:
    """Draw the mean of all seeds, up to where the first of them ends."""
    if runs:
        shortest = min(map(len, runs))
        errors = np.mean([[p.error for p in points[:shortest]] for points in runs], axis=0)
        panel.plot(xy(runs[0][:shortest])[0], errors, color=colour, linewidth=2.2, zorder=3)


def _settle_height(panel: Any, results: TableResults, tasks: tuple[str, ...]) -> None:
    """Let the vertical axis hold all that runs keep; the first epochs of a new head may leave it at the top."""
    runs = [runs_of(results, *which, tasks) for which in product(results.design.regularizers, results.design.methods)]
    errors = [point.error for each in runs for points in each.values() for point in points]
    if errors:
        low, high = min(errors), max(max(errors), min(errors) + 1)
        if low > 0 and high > 8 * low:  # a head that begins at chance would press everything else to the floor
            panel.set_yscale("log")
            panel.set_yticks([tick for tick in _LOG_TICKS if low <= tick <= high])
            panel.yaxis.set_major_formatter("{x:g}")
            panel.yaxis.set_minor_formatter("")
        else:
            panel.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))


def _keys(methods: tuple[str, ...]) -> list[Any]:
    """Return the legend's entries."""
    from matplotlib.lines import Line2D

    keys = [Line2D([], [], color=COLOURS[m], linewidth=2.2, label=NAMES[m]) for m in methods]
    keys.append(Line2D([], [], color=COLOURS["gradual"], marker="v", linestyle="", label="a layer joins"))
    keys.append(Line2D([], [], color="0.3", marker="o", markerfacecolor="white", linestyle="", label="weights kept"))
    keys.append(Line2D([], [], color="0.35", linestyle=":", label="before the second task"))
    return keys


def runs_of(results: TableResults, regularizer: str, method: str, tasks: tuple[str, ...]) -> dict[int, list[Point]]:
    """Return each seed's points on a task, in the order of epochs, or the means of several tasks."""
    runs: dict[int, dict[int, list[Point]]] = {}
    for p in results.curves:
        if (p.regularizer, p.method) == (regularizer, method) and p.task in tasks:
            runs.setdefault(p.seed, {}).setdefault(p.epoch, []).append(p)
    return {
        seed: [points[0]._replace(error=fmean(p.error for p in points)) for points in epochs.values()]
        for seed, epochs in runs.items()
    }


def xy(points: list[Point]) -> tuple[list[float], list[float]]:
    """Return updates in thousands, and errors."""
    return [p.updates / 1000 for p in points], [p.error for p in points]
