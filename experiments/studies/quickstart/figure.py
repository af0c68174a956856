"""The picture of the main job: both tasks' errors while the second is learned, and old digits that are now misread."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from experiments.frame.pictures import picture
from experiments.studies.quickstart.misread import Misread
from experiments.studies.tables.figures import COLOURS, NAMES, runs_of, xy
from experiments.studies.tables.results import Point, TableResults

__all__ = ["draw_picture", "words"]

_SIZE = (10.0, 6.0)  # inches
_TICKS = (0.5, 1, 2, 3, 5, 10, 20, 50)


def words(results: TableResults) -> str:
    """Return the text that belongs under the picture."""
    p = results.design.protocol
    return (
        f"Validation errors of both tasks while 5 to 9 is learned ({p.train:,} training images, no regularization). "
        f"Thin lines are single networks, bold lines the mean of {p.seeds}; one that has ended stays as it was. A "
        "triangle marks where a hidden layer joins a network's Gradual Tuning. Below: test digits that the old head "
        "read right at first, misreads after fine tuning, and still reads right after Gradual Tuning."
    )


def draw_picture(results: TableResults, misread: Misread | None, path: Path) -> None:
    """Draw the old task, the new task, and the misread digits below, and write a PNG."""
    (old,), new = results.design.table.first, results.design.table.second
    with picture(path, _SIZE, None) as figure:
        left, right = figure.add_axes((0.07, 0.42, 0.41, 0.53)), figure.add_axes((0.57, 0.42, 0.41, 0.53))
        _draw_task(left, results, old, "What is kept: 0 to 4, the old task")
        _draw_task(right, results, new, "What is learned: 5 to 9, the new task")
        for method, x, y in (("fine", 0.05, 0.07), ("gradual", 0.3, 0.72)):  # falling curves leave these places free
            right.text(x, y, NAMES[method], color=COLOURS[method], weight="bold", size=11, transform=right.transAxes)
        left.text(0.98, 0.03, "▼ a hidden layer joins", color=COLOURS["gradual"], ha="right", transform=left.transAxes)
        if misread is not None and misread.digits:
            _draw_strip(figure, misread)


def _draw_task(panel: Any, results: TableResults, task: str, title: str) -> None:
    """Draw every network's error on a task under both methods, and their mean."""
    errors = []
    for method in results.design.methods:
        runs = list(runs_of(results, results.design.regularizers[0], method, (task,)).values())
        for points in runs:
            panel.plot(*xy(points), color=COLOURS[method], linewidth=0.8, alpha=0.3)
            joined = [before for before, after in pairwise(points) if 0 < before.layers < after.layers]
            panel.plot(*xy(joined), "v", color=COLOURS[method], markersize=7, markeredgecolor="white", zorder=5)
        if runs:
            errors += [point.error for points in runs for point in points]
            panel.plot(*_mean(runs), color=COLOURS[method], linewidth=2.8, solid_capstyle="round")
    panel.set_title(title, loc="left", weight="bold", size=11)
    panel.set(xlabel="weight updates on the new task (thousands)", ylabel="validation error (%)")
    panel.grid(axis="y", color="0.92")
    panel.set_axisbelow(True)
    panel.set_xlim(left=0)
    if errors and 0 < 8 * min(errors) < max(errors):  # a new head begins at chance
        panel.set_yscale("log")
        panel.set_yticks([tick for tick in _TICKS if min(errors) <= tick <= max(errors)])
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_formatter("")
    else:
        panel.set_ylim(bottom=0)


def _mean(runs: list[list[Point]]) -> tuple[list[float], Any]:
    """Return updates and the mean error of all networks; one that has ended stays at its last error."""
    longest = max(runs, key=len)
    errors = [[point.error for point in points] for points in runs]
    held = [each + each[-1:] * (len(longest) - len(each)) for each in errors]
    return xy(longest)[0], np.mean(held, axis=0)


def _draw_strip(figure: Any, misread: Misread) -> None:
    """Draw the digits in a row, and below each what the old head reads after either method."""
    width, height = _SIZE
    step = 0.80 / max(len(misread.digits), 12)
    side = 0.94 * step
    figure.text(
        0.02, 0.27, "Old digits that fine tuning made the old head misread, and Gradual Tuning did not", size=11,
        weight="bold",
    )  # fmt: skip
    for y, name, words in ((0.085, "fine", "after fine tuning"), (0.035, "gradual", "after Gradual Tuning")):
        figure.text(0.02, y, words, color=COLOURS[name], size=10, weight="bold")
    for n, (image, digit, reading) in enumerate(zip(misread.images, misread.digits, misread.readings, strict=True)):
        pixels = image.reshape(round(len(image) ** 0.5), -1)
        panel = figure.add_axes((0.19 + n * step, 0.145, side, side * width / height))
        panel.imshow(pixels, cmap="gray_r", vmin=0, vmax=255)
        panel.set_axis_off()
        for y, name, read in ((0.085, "fine", reading), (0.035, "gradual", digit)):
            figure.text(0.19 + n * step + side / 2, y, str(read), color=COLOURS[name], ha="center", size=12)
