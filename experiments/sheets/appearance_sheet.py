"""The sheet of open parameters: the same two stimuli under values over the range of each."""

from dataclasses import asdict
from typing import Any

from experiments.sheets.canvas import FIGURE, GREY, Sheet, one_of_each
from npnet.tasks import CALIBRATED, Appearance, draw
from npnet.tasks.rules import SIDE

__all__ = ["PARAMETERS", "appearance_sheet", "looks"]

PARAMETERS: dict[str, tuple[str, tuple[float, ...]]] = {
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
"""The open parameters: what each is, and values over its range besides the default."""


def appearance_sheet(seed: int) -> Sheet:
    """Return the sheet of open parameters: the same two stimuli under every value, the default's framed."""
    from matplotlib.patches import Rectangle

    zoom, left, top, size = 4, 226, 50, 4 * SIDE
    width, height = 2 * size + 22, size + 62
    found = one_of_each("sb2l", seed)
    sheet = Sheet(left + 5 * width + 4, top + height * len(PARAMETERS))
    sheet.text(18, 14, "Two stimuli of sb2l, one parameter changed at a time; framed: the default", 18, weight="bold")
    for row, (name, (about, _)) in enumerate(PARAMETERS.items()):
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
            sheet.text(x, y + size + 27, "with " + ", ".join(others) if others else "", 13, color=GREY)
            if default:
                corner = ((x - 5) / sheet.width, 1 - (y + size + 5) / sheet.height)
                extent = ((2 * size + 14) / sheet.width, (size + 10) / sheet.height)
                sheet.canvas.add_artist(Rectangle(corner, *extent, fill=False, color=FIGURE[0], linewidth=2.2))
    return sheet


def looks(name: str) -> list[Appearance]:
    """Return appearances over the range of a parameter, the default among them, in the order of its values."""
    others = [_changed(name, value) for value in PARAMETERS[name][1]]
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


def _value(value: float | tuple[float, float]) -> str:
    """Return a parameter's value as it is read: 1.5, or a range, 0.1 to 0.2."""
    low, high = value if isinstance(value, tuple) else (value, value)
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
