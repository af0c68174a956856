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

_SIZE = (10.0, 6.4)  # inches
_TICKS = (0.5, 1, 2, 3, 5, 10, 20, 50)


def words(results: TableResults) -> str:
    """Return the text that belongs under the picture."""
    p = results.design.protocol
    return (
        f"Validation errors of both tasks while 5 to 9 is learned ({p.train:,} training images, no regularization). "
        f"Thin lines are single networks, bold lines the mean of {p.seeds} for as long as all of them train. A "
        "triangle marks where a hidden layer joins a network's Gradual Tuning. Below: test digits that the old head "
        "read right at first, misreads after fine tuning, and still reads right after Gradual Tuning."
    )


def draw_picture(results: TableResults, misread: Misread | None, path: Path) -> None:
    """Draw the old task, the new task, and the misread digits below, and write a PNG."""
    (old,), new = results.design.table.first, results.design.table.second
    with picture(path, _SIZE, None) as figure:
        left, right = figure.add_axes((0.07, 0.42, 0.41, 0.49)), figure.add_axes((0.57, 0.42, 0.41, 0.49))
        _draw_task(left, results, old, "What is kept: 0 to 4, the old task")
        _draw_task(right, results, new, "What is learned: 5 to 9, the new task")
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
            _draw_mean(panel, runs, method)
    panel.set_title(title, loc="left", weight="bold", size=11)
    panel.set(xlabel="weight updates on the new task (thousands)", ylabel="validation error (%)")
    panel.set_xlim(left=0)
    panel.grid(axis="y", color="0.92")
    panel.set_axisbelow(True)
    if errors and 0 < 8 * min(errors) < max(errors):  # a new head begins at chance
        panel.set_yscale("log")
        panel.set_yticks([tick for tick in _TICKS if min(errors) <= tick <= max(errors)])
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_formatter("")


def _draw_mean(panel: Any, runs: list[list[Point]], method: str) -> None:
    """Draw the mean of all networks for as long as all of them train, with the method's name at its end."""
    shortest = min(map(len, runs))
    x = xy(runs[0][:shortest])[0]
    mean = np.mean([xy(points[:shortest])[1] for points in runs], axis=0)
    panel.plot(x, mean, color=COLOURS[method], linewidth=2.8)
    panel.annotate(
        NAMES[method], (x[-1], mean[-1]), (0, 7), textcoords="offset points", color=COLOURS[method], ha="right",
        weight="bold", size=10,
    )  # fmt: skip


def _draw_strip(figure: Any, misread: Misread) -> None:
    """Draw the digits in a row, and below each what the old head reads after either method."""
    width, height = _SIZE
    step = 0.80 / max(len(misread.digits), 12)
    side = 0.94 * step
    figure.text(
        0.02, 0.30, "Old digits that fine tuning made the old head misread, and Gradual Tuning did not", size=11,
        weight="bold",
    )  # fmt: skip
    for y, name, words in ((0.085, "fine", "after fine tuning"), (0.035, "gradual", "after Gradual Tuning")):
        figure.text(0.02, y, words, color=COLOURS[name], size=10, weight="bold")
    for n, (image, digit, reading) in enumerate(zip(misread.images, misread.digits, misread.readings, strict=True)):
        pixels = image.reshape(round(len(image) ** 0.5), -1)
        panel = figure.add_axes((0.19 + n * step, 0.135, side, side * width / height))
        panel.imshow(pixels, cmap="gray_r", vmin=0, vmax=255)
        panel.set_axis_off()
        for y, name, read in ((0.085, "fine", reading), (0.035, "gradual", digit)):
            figure.text(0.19 + n * step + side / 2, y, str(read), color=COLOURS[name], ha="center", size=12)
