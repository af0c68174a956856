"""The sheet of drawn characters: many of each as networks see them, and each way to write it with its truth."""

from typing import Any

import numpy as np

from experiments.sheets.canvas import ADDRESSES, FIGURE, GREY, Sheet
from npnet.tasks import ALPHABETS, draw
from npnet.tasks.characters import CHARACTER_SIDE, pieces_of
from npnet.tasks.skeletons import WAYS

__all__ = ["characters_sheet", "draw_character_truth"]

_COLUMNS, _ZOOM, _LARGE = 14, 2, 4


def characters_sheet(task: str, seed: int) -> Sheet:
    """Return the sheet of a task of characters: two rows of each, and on the right one of each way with its truth."""
    small, large, gap = _ZOOM * CHARACTER_SIDE, _LARGE * CHARACTER_SIDE, 4
    left, top, row = 60, 64, large + gap + 32
    right = left + _COLUMNS * (small + gap) + 24
    characters = ALPHABETS[task].characters
    most = max(len(WAYS[character]) for character in characters)
    sheet = Sheet(right + most * (large + gap) + 14, top + len(characters) * row)
    sheet.text(18, 14, f"{task.capitalize()} as networks see them", 18, weight="bold")
    sheet.text(right, 14, "Each way to write it", 18, weight="bold")
    sheet.text(right, 38, "with control points; slant, stroke's width", color=GREY)
    images, labels, truth = draw(task, seed, 0, ADDRESSES)
    for label, character in enumerate(characters):
        y, rows = top + label * row, np.flatnonzero(labels == label)
        sheet.text(18, y + 36, character, 30, weight="bold")
        for place, index in enumerate(rows[: 2 * _COLUMNS]):
            line, column = divmod(place, _COLUMNS)
            sheet.image(left + column * (small + gap), y + line * (small + gap), _ZOOM, images[index])
        for way in range(len(WAYS[character])):
            index = rows[truth["way"][rows] == way][0]
            x, record = right + way * (large + gap), truth[index]
            draw_character_truth(sheet.image(x, y, _LARGE, images[index] // 2), record)
            words = f"{record['slant']:.0f}°, {record['stroke']:.1f} px".replace("-", "−")
            sheet.text(x, y + large + 4, words, color=GREY)
    return sheet


def draw_character_truth(axes: Any, record: np.void) -> None:
    """Draw a truth record over its image: the middle of the strokes, and the control points, the first one larger."""
    for x0, y0, x1, y1 in pieces_of(record):
        axes.plot([x0, x1], [y0, y1], color=FIGURE[0], linewidth=1.2, solid_capstyle="round")
    points = record["points"][: record["point_count"]]
    axes.plot(*points.T, "o", color="white", markersize=3, markeredgecolor=FIGURE[1], markeredgewidth=1)
    axes.plot(*points[0], "o", color=FIGURE[1], markersize=4.5, markeredgecolor="white", markeredgewidth=0.6)
