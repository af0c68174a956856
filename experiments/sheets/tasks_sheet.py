"""The sheet of all tasks: every class, background and polarity, as stimuli or with their truth drawn over them."""

from itertools import product
from math import atan2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.sheets.canvas import DISTRACTOR, FIGURE, GREY, Sheet, one_of_each
from npnet.tasks import TASKS, Figure
from npnet.tasks.backgrounds import PATTERNS
from npnet.tasks.rules import ANGLE, CROSSING, SIDE, TRIANGLE

__all__ = ["draw_truth", "tasks_sheet"]


def tasks_sheet(seed: int, truth: bool) -> Sheet:
    """Return the sheet of all tasks: both polarities of everything, or larger, one of the two, with the truth."""
    zoom, rows_a_task, below = (5, 1, 24) if truth else (3, 2, 0)
    left, top, gap, size = 226, 136 if truth else 74, 6, zoom * SIDE
    columns = [left + 4 * label * (size + gap) + 18 * label + b * (size + gap) for label in (0, 1) for b in range(4)]
    height = rows_a_task * (size + gap) + below + 16
    sheet = Sheet(columns[-1] + size + 18, top + height * len(TASKS))
    for label in (0, 1):
        sheet.text(columns[4 * label], top - 56, f"class {label}", 18, weight="bold")
    sheet.text(18, top - 26, "background changes every", color=GREY)
    for x, nodes in zip(columns, PATTERNS * 2, strict=True):
        sheet.text(x, top - 26, f"{(SIDE - 1) / (nodes - 1):.2g} px", color=GREY)
    for row, (task, rule) in enumerate(TASKS.items()):
        y = top + row * height
        sheet.text(18, y - 2, task, 24, weight="bold")
        sheet.text(18, y + 32, _words(rule.class_0, rule.class_1, rule.distractors))
        found = one_of_each(task, seed)
        for (label, background), line in product(product((0, 1), range(4)), range(rows_a_task)):
            x, polarity = columns[4 * label + background], (row + label + background if truth else 1 + line) % 2
            pixels, record = found[label, background, polarity]
            axes = sheet.image(x, y + line * (size + gap), zoom, pixels)
            if truth:
                draw_truth(axes, record)
                _caption(sheet, x + size / 2, y + size + 5, record)
    if truth:
        _legend(sheet, left)
    return sheet


def draw_truth(axes: Any, record: Any) -> None:
    """Draw a truth record over its stimulus: a line for each segment, in their order, then the angle or the crossing.

    A segment begins at a full circle and ends at an empty one. All coordinates are those of the record.
    """
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=4, foreground="white")]
    count, figure = int(record["segment_count"]), int(record["segment_count"] - record["distractors"])
    for row, (x0, y0, x1, y1) in enumerate(record["segments"][:count]):
        colour = FIGURE[row] if row < figure else DISTRACTOR
        axes.plot([x0, x1], [y0, y1], color=colour, linewidth=2)
        axes.plot(x0, y0, "o", color=colour, markersize=6, markeredgecolor="white", zorder=4, clip_on=False)
        axes.plot(x1, y1, "o", color="white", markersize=5.5, markeredgecolor=colour, clip_on=False, zorder=3)
    if record["figure"] in (ANGLE, TRIANGLE):
        axes.plot(*_arc(record), color="black", linewidth=1.6, path_effects=halo)
    if record["figure"] == CROSSING:
        axes.plot(*record["crossing"], "D", color="black", markersize=5, markeredgecolor="white")


def _arc(record: Any, radius: float = 6.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points x, y of an arc about the vertex, from the first segment's direction to the second's."""
    x, y = record["vertex"]
    start, end = (atan2(y1 - y, x1 - x) for _, _, x1, y1 in record["segments"][:2])
    turn = (end - start + np.pi) % (2 * np.pi) - np.pi  # the short way round
    way = start + turn * np.linspace(0, 1, 40)
    return x + radius * np.cos(way), y + radius * np.sin(way)


def _caption(sheet: Sheet, x: float, y: float, record: Any) -> None:
    """Write the truth's numbers, centred at x: degrees, or fractions in their segments' colours and degrees."""
    if record["figure"] == CROSSING:
        words = [(f"{t:.2f}", colour) for t, colour in zip(record["fractions"], FIGURE, strict=False)]
        words.append((f"{record['crossing_angle']:.0f}°", "black"))
    else:
        words = [] if np.isnan(record["angle"]) else [(f"{record['angle']:.0f}°", "black")]
    for place, (word, colour) in enumerate(words):
        sheet.text(x + 48 * (place - (len(words) - 1) / 2), y, word, color=colour, weight="bold", ha="center")


def _legend(sheet: Sheet, x: float) -> None:
    """Say at the top of a sheet what the colours, marks and numbers of the truth are."""
    from matplotlib.lines import Line2D

    marks: dict[str, Any] = {"marker": "o", "markeredgecolor": "white", "markersize": 8, "linewidth": 2}
    names = ("first segment", "second", "third", "distractor")
    keys = [Line2D([], [], color=c, label=n, **marks) for c, n in zip((*FIGURE, DISTRACTOR), names, strict=True)]
    keys.append(Line2D([], [], color="black", linewidth=1.6, label="angle"))
    keys.append(Line2D([], [], color="black", marker="D", linestyle="", markersize=5, label="crossing"))
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (x / sheet.width, 1 - 14 / sheet.height)}
    space = {"borderpad": 0, "borderaxespad": 0, "columnspacing": 1.4}
    sheet.canvas.legend(handles=keys, ncols=6, frameon=False, fontsize=14 * 0.72, **place, **space)
    sheet.text(
        x, 42, "Segments begin at full circles. Below: degrees, and how far along each of two segments they cross."
    )


def _words(class_0: Figure, class_1: Figure, distractors: int) -> str:
    """Return a task's rule in a few short lines."""
    lines = [f"0: {_figure_words(class_0)}", f"1: {_figure_words(class_1)}"]
    return "\n".join(lines + [f"and {distractors} more segment{'s' * (distractors > 1)}"] * (distractors > 0))


def _figure_words(figure: Figure) -> str:
    if figure.kind == ANGLE:
        return f"angle, {figure.least:g}° to {figure.most:g}°"
    if figure.kind == TRIANGLE:
        return f"triangle, largest angle\n    {figure.least:g}° to {figure.most:g}°"
    return "two segments that cross" if figure.kind == CROSSING else "two segments apart"
