"""Contact sheets of the line-and-angle stimuli: what the tasks look like, the truth about them, the open parameters.

    stimuli.png      every task, class, background and polarity
    truth.png        half of the same stimuli, enlarged, with their truth drawn over them
    appearance.png   each open parameter over the range that it may have

Sheets are laid out in pixels, and stimuli enlarged by whole factors: every pixel of a stimulus is a square of one grey.
"""

from dataclasses import asdict
from io import BytesIO
from itertools import product
from math import atan2
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnet.tasks import CALIBRATED, TASKS, Appearance, Figure, draw
from npnet.tasks.backgrounds import PATTERNS
from npnet.tasks.rules import ANGLE, CROSSING, SIDE, TRIANGLE
from npnet.trees import write_atomically

__all__ = ["RANGES", "Sheet", "appearance_sheet", "draw_truth", "looks", "one_of_each", "tasks_sheet", "write_sheets"]

FIGURE = ("#D55E00", "#009E73", "#CC79A7")  # Okabe and Ito's vermilion, bluish green and reddish purple: its segments
DISTRACTOR = "#56B4E9"  # their sky blue
_GREY = "0.35"
_ADDRESSES = 1_000  # among so many every kind of stimulus is found, but for one time in 10²⁶

RANGES: dict[str, tuple[str, tuple[float, ...]]] = {
    "width": ("of strokes, px: 1 to 3;\nwhere they no longer fit,\nothers are drawn", (1.0, 2.0, 2.5, 3.0)),
    "gap": (
        "between strokes that do\nnot meet, px: 2 to 5; where\nthey are closer, others\nare drawn",
        (2.5, 3.0, 4.0, 5.0),
    ),
    "ground": ("mean level: at least\namplitude + noise,\nat most 1 − contrast", (0.0, 0.35, 0.5, 0.8)),
    "contrast": ("stroke − ground: more\nthan amplitude + noise,\nat most 1 − ground", (0.15, 0.3, 0.85, 1.0)),
    "amplitude": ("of the pattern: with noise\nat most ground,\nand less than contrast", (0.0, 0.04, 0.2, 0.45)),
    "noise": ("of each pixel: with\namplitude at most ground,\nand less than contrast", (0.0, 0.1, 0.2, 0.35)),
}
"""The open parameters: what each is, and values over its range beside the default."""


class Sheet:
    """A matplotlib figure of width x height pixels in which things have places in pixels from the upper left corner."""

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.figure import Figure as Canvas

        self.width, self.height = width, height
        self.canvas: Any = Canvas((width / 100, height / 100), dpi=100)

    def text(self, x: float, y: float, words: str, size: float = 14, **style: Any) -> None:
        """Write lines of words, `size` pixels high, from (x, y) on."""
        for number, line in enumerate(words.splitlines()):
            base = y + size * (0.9 + 1.35 * number)
            self.canvas.text(x / self.width, 1 - base / self.height, line, fontsize=size * 0.72, **style)

    def image(self, x: float, y: float, zoom: int, pixels: NDArray[np.uint8]) -> Any:
        """Show a stimulus at (x, y), and return axes whose coordinates are the stimulus's pixels."""
        size = zoom * SIDE
        box = (x / self.width, 1 - (y + size) / self.height, size / self.width, size / self.height)
        axes = self.canvas.add_axes(box)
        axes.imshow(pixels[..., None].repeat(3, axis=2), interpolation="nearest")  # a colour map would round greys
        axes.set_axis_off()
        return axes

    def write(self, path: Path) -> None:
        """Write a PNG, whole or not at all."""
        from PIL import Image  # matplotlib's own dependency

        content = BytesIO()
        self.canvas.savefig(content, format="png", dpi=100)
        opaque = Image.open(content).convert("RGB")
        content = BytesIO()
        opaque.save(content, "png", optimize=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content.getvalue())


def write_sheets(out: Path, seed: int) -> list[Path]:
    """Write all sheets into a folder, and return their paths."""
    sheets = {
        out / "stimuli.png": tasks_sheet(seed, truth=False),
        out / "truth.png": tasks_sheet(seed, truth=True),
        out / "appearance.png": appearance_sheet(seed),
    }
    for path, sheet in sheets.items():
        sheet.write(path)
    return list(sheets)


def tasks_sheet(seed: int, truth: bool) -> Sheet:
    """Return the sheet of all tasks: both polarities of everything, or larger, one of the two, with the truth."""
    zoom, rows_a_task, below = (5, 1, 24) if truth else (3, 2, 0)
    left, top, gap, size = 226, 136 if truth else 74, 6, zoom * SIDE
    columns = [left + 4 * label * (size + gap) + 18 * label + b * (size + gap) for label in (0, 1) for b in range(4)]
    height = rows_a_task * (size + gap) + below + 16
    sheet = Sheet(columns[-1] + size + 18, top + height * len(TASKS))
    for label in (0, 1):
        sheet.text(columns[4 * label], top - 56, f"class {label}", 18, weight="bold")
    sheet.text(18, top - 26, "background changes every", color=_GREY)
    for x, nodes in zip(columns, PATTERNS * 2, strict=True):
        sheet.text(x, top - 26, f"{(SIDE - 1) / (nodes - 1):.2g} px", color=_GREY)
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


def appearance_sheet(seed: int) -> Sheet:
    """Return the sheet of open parameters: the same two stimuli under every value, the default's framed."""
    from matplotlib.patches import Rectangle

    zoom, left, top, size = 4, 226, 50, 4 * SIDE
    width, height = 2 * size + 22, size + 62
    found = one_of_each("sb2l", seed)
    sheet = Sheet(left + 5 * width + 4, top + height * len(RANGES))
    sheet.text(18, 14, "Two stimuli of sb2l, one parameter changed at a time; framed: the default", 18, weight="bold")
    for row, (name, (about, _)) in enumerate(RANGES.items()):
        y = top + row * height
        sheet.text(18, y - 2, name, 20, weight="bold")
        sheet.text(18, y + 28, about)
        for column, look in enumerate(looks(name)):
            x, default = left + column * width, look == CALIBRATED
            for place, key in enumerate(((0, 1, 1), (1, 2, 0))):
                index = int(found[key][1]["index"])
                sheet.image(x + place * (size + 4), y, zoom, draw("sb2l", seed, index, index + 1, look).images[0])
            words = {key: f"{key} {_value(value)}" for key, value in asdict(look).items()}
            sheet.text(x, y + size + 8, words[name] + (", the default" if default else ""), weight="bold")
            others = [words[key] for key in words if key != name and getattr(look, key) != getattr(CALIBRATED, key)]
            sheet.text(x, y + size + 27, "with " + ", ".join(others) if others else "", 13, color=_GREY)
            if default:
                corner = ((x - 5) / sheet.width, 1 - (y + size + 5) / sheet.height)
                extent = ((2 * size + 14) / sheet.width, (size + 10) / sheet.height)
                sheet.canvas.add_artist(Rectangle(corner, *extent, fill=False, color=FIGURE[0], linewidth=2.2))
    return sheet


def looks(name: str) -> list[Appearance]:
    """Return appearances over the range of a parameter, the default among them, in the order of its values."""
    others = [_changed(name, value) for value in RANGES[name][1]]
    return sorted({CALIBRATED, *others}, key=lambda look: getattr(look, name))


def _changed(name: str, value: float) -> Appearance:
    """Return the default with one parameter changed, and others only as far as their bounds then ask."""
    pair = (value, value) if name in ("ground", "contrast") else value
    look: dict[str, Any] = asdict(CALIBRATED) | {name: pair}
    deviation = look["amplitude"] + look["noise"]
    if name in ("amplitude", "noise"):
        look["ground"] = tuple(max(level, deviation) for level in look["ground"])
    adapts, stays = ("ground", "contrast") if name == "contrast" else ("contrast", "ground")
    look[adapts] = tuple(min(level, 1 - look[stays][1]) for level in look[adapts])
    room = min(look["ground"][0], 0.99 * look["contrast"][0])
    if deviation > room:
        look |= {key: look[key] * room / deviation for key in ("amplitude", "noise")}
    return Appearance(**look)


def one_of_each(task: str, seed: int) -> dict[tuple[int, int, int], tuple[NDArray[np.uint8], Any]]:
    """Return the first stimulus of every (label, background, polarity): its image (32, 32) and its truth."""
    found: dict[tuple[int, int, int], tuple[NDArray[np.uint8], Any]] = {}
    for pixels, label, record in zip(*draw(task, seed, 0, _ADDRESSES), strict=True):
        found.setdefault((int(label), int(record["background"]), int(record["polarity"])), (pixels, record))
    return found


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


def _value(value: float | tuple[float, float]) -> str:
    """Return a parameter's value as it is read: 1.5, or a range, 0.1 to 0.2."""
    low, high = value if isinstance(value, tuple) else (value, value)
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
