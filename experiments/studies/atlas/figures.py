"""The pictures of the atlas: what is forgotten against the new task's error, and the chart of decisions."""

from math import isnan
from pathlib import Path
from statistics import fmean
from typing import Any

from experiments.frame.pictures import picture
from experiments.studies.atlas.decision import ANSWERS, choose, numbers
from experiments.studies.atlas.design import Pair
from experiments.studies.atlas.measures import Atlas
from experiments.studies.atlas.methods import METHODS, SCRATCH, Family, Try

__all__ = ["draw_decision", "draw_pareto"]

_COLOURS: dict[Family, str] = {
    "layers": "#0072B2",
    "penalties": "#009E73",
    "answers": "#D55E00",
    "growing": "#AA4499",
    "references": "black",
}
_MARKERS = "osD^vP"
_ACROSS = 4  # panels side by side
_TICKS = (0, 0.5, 1, 2, 5, 10, 20, 50)  # of points forgotten


def _styles() -> dict[str, dict[str, Any]]:
    """Return the colour of each method's family, and a marker that no other method of it has."""
    styles, count = {}, dict.fromkeys(_COLOURS, 0)
    for name, method in METHODS.items():
        styles[name] = {"color": _COLOURS[method.family], "marker": _MARKERS[count[method.family]]}
        count[method.family] += 1
    return styles


def draw_pareto(found: Atlas, path: Path) -> None:
    """Draw each pair: a marker where a method's chosen settings are, small points at all that were tried, the front."""
    pairs, styles = found.design.pairs, _styles()
    across = min(len(pairs), _ACROSS)
    down = -(-len(pairs) // across)
    side = 3.6 if across > 2 else 4.8
    width, height = side * across + 2.0, side * down
    with picture(path, (width, height), (0, 0, 1 - 2.0 / width, 1)) as figure:
        panels = figure.subplots(down, across, squeeze=False).ravel()
        for panel, pair in zip(panels, pairs, strict=False):
            _draw_pair(found, pair, panel, styles)
        for panel in panels[len(pairs) :]:
            panel.set_axis_off()
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="center right", frameon=False)


def _draw_pair(found: Atlas, pair: Pair, panel: Any, styles: dict[str, dict[str, Any]]) -> None:
    ends: dict[str, tuple[float, float]] = {}
    for method, style in styles.items():
        if method == SCRATCH:
            panel.axvline(found.mean(pair, method, "new"), color="0.6", linestyle=":", label=method)
            continue
        x, y = (found.mean(pair, method, metric) for metric in ("new", "forgotten"))
        tries = sorted(pair.tries[method])
        sweep = [_point(found, pair, method, tried) for tried in tries]
        for rate in dict.fromkeys(tried[0] for tried in tries) if METHODS[method].strength else (None,):
            curve = [at for at, tried in zip(sweep, tries, strict=True) if rate in (None, tried[0])]
            panel.plot(*zip(*curve, strict=True), ".-", color=style["color"], linewidth=0.7, markersize=2, alpha=0.35)
        panel.plot(x, y, linestyle="", markersize=6, label=method, markeredgecolor="white", **style)
        if not isnan(x):
            ends[method] = x, y
    rivals = [at for method, at in ends.items() if METHODS[method].family not in ("growing", "references")]
    front = sorted(each for each in rivals if not _beaten(each, rivals))
    label = "front: no old data,\nno growth"
    panel.plot(*zip(*front, strict=True), color="0.75", linewidth=5, alpha=0.6, zorder=0, label=label)
    panel.axhline(0, color="0.85", linewidth=0.8, zorder=0)
    panel.set_yscale("symlog", linthresh=1, linscale=0.6)
    panel.set_yticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
    panel.minorticks_off()
    xs, ys = zip(*ends.values(), strict=True) if ends else ((0.0, 1.0), (0.0, 1.0))
    margin = 0.08 * (max(xs) - min(xs)) + 0.1
    panel.set_xlim(min(xs) - margin, max(xs) + margin)
    panel.set_ylim(min(-0.3, 1.3 * min(ys)), 1.6 * max(1, *ys))
    panel.grid(color="0.94", linewidth=0.7)
    panel.set(xlabel="error on the new task (%)", ylabel="forgotten (points)")
    panel.set_title(pair.title, loc="left", weight="bold")


def _point(found: Atlas, pair: Pair, method: str, tried: Try) -> tuple[float, float]:
    """Return the mean new error and the mean forgotten with one setting, nan where there is none."""
    both = (found.at(pair, method, tried, metric) for metric in ("new", "forgotten"))
    x, y = (fmean(of.values()) if of else float("nan") for of in both)
    return x, y


def _beaten(one: tuple[float, float], all_of_them: list[tuple[float, float]]) -> bool:
    """Return whether another point is no worse in both and better in one."""
    return any(other != one and other[0] <= one[0] and other[1] <= one[1] for other in all_of_them)


def draw_decision(found: Atlas, path: Path) -> None:
    """Draw the questions from top to bottom, and beside each answer what it comes to, a line for each pair."""
    pairs = found.design.pairs
    each = max(1.05, 0.2 * len(pairs) + 0.3)
    width, height = 9.9, each * len(ANSWERS) + 0.5
    with picture(path, (width, height), None) as figure:
        panel = figure.add_axes((0, 0, 1, 1))
        panel.set(xlim=(0, width), ylim=(0, height))
        panel.set_axis_off()
        box = {"boxstyle": "round,pad=0.45", "facecolor": "#EAF2F8", "edgecolor": "#0072B2"}
        arrow = {"arrowstyle": "-|>", "color": "#0072B2"}
        for row, of in enumerate(ANSWERS):
            y = height - 0.25 - each * (row + 0.5)
            last = row == len(ANSWERS) - 1
            words = of.question.replace(", ", ",\n") if last else _two_lines(of.question)
            panel.text(1.5, y, words, ha="center", va="center", fontsize=9, bbox=box)
            panel.annotate("", (3.5, y), (2.85, y), arrowprops=arrow)
            if not last:
                panel.text(3.15, y + 0.08, of.answer, ha="center", fontsize=8, color="#0072B2")
                panel.annotate("", (1.5, y - each + 0.33), (1.5, y - 0.3), arrowprops=arrow)
                panel.text(1.58, y - each / 2, "yes" if of.answer == "no" else "no", fontsize=8, color="#0072B2")
            for i, pair in enumerate(pairs):
                if (choice := choose(found, pair, of)) is not None:
                    at = y + 0.2 * ((len(pairs) - 1) / 2 - i)
                    level = f"{len(choice.level)} level" if choice.level else ""
                    for x, words in ((3.7, pair.title), (7.15, numbers(of, choice)), (9.8, level)):
                        side = "right" if words == level else "left"
                        panel.text(x, at, words, ha=side, va="center", fontsize=8, color="0.25")
                    panel.text(5.55, at, choice.method, va="center", fontsize=8, weight="bold")
            if not last:
                panel.plot((3.7, 9.8), (y - each / 2, y - each / 2), color="0.9", linewidth=0.8)


def _two_lines(words: str) -> str:
    """Break a question near its middle."""
    at = min((i for i, letter in enumerate(words) if letter == " "), key=lambda i: abs(i - len(words) / 2))
    return f"{words[:at]}\n{words[at + 1 :]}"
