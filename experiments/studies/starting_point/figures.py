"""The figures of the study of starting points: those of the paper, and old-task error against new-task error."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from experiments.frame.pictures import picture
from experiments.frame.statistics import mean_sd, paired
from experiments.studies.starting_point.design import METHODS, PenaltyMethod, TaskPair
from experiments.studies.starting_point.results import StartingPointResults, mean

__all__ = ["CAPTIONS", "draw_starting_point"]

CAPTIONS = {
    "surface.png": "Test error of l2_sp over α (shared layers) and β (head), mean over seeds, percent. Ring: what "
    "validation chooses.",
    "penalties.png": "Test error on the target under every penalty with the strengths that validation chose. Small "
    "points: seeds. Bars: 95 % interval of the mean.",
    "freezing.png": "Test error with the first n hidden layers frozen, mean ± standard deviation. Dashed: none frozen. "
    "With all of them frozen the penalty of the trunk has nothing to act on.",
    "r_squared.png": "How much of each unit's activation after fine tuning the one before explains, R² on the target's "
    "training images. Boxes: quartiles over units, averaged over seeds; lines in them: the median; points: the mean.",
    "pareto.png": "What α buys: error on the old task against error on the new one, each point a strength, mean over "
    "seeds, β as chosen; lines join strengths in order, the strongest has a large point. Dashed: proximal steps. "
    "Dotted: the old task before.",
}
"""The files, and the text that belongs under each."""

_COLOURS = {
    "none": "0.5",
    "l2": "#000000",
    "l1": "#E69F00",
    "gl": "#CC79A7",
    "l2_sp": "#0072B2",
    "l2_sp_fisher": "#56B4E9",
    "l1_sp": "#D55E00",
    "gl_sp": "#009E73",
    "gl_sp_fisher": "#8C6D1F",
}


def draw_starting_point(found: StartingPointResults, out: Path) -> None:
    """Write every figure as PNG."""
    p = found.protocol
    for name, draw, (rows, columns) in (
        ("surface.png", _surface, (1, 1)),
        ("penalties.png", _penalties, (len(p.sizes), len(p.pairs))),
        ("freezing.png", _freezing, (len(p.freeze), len(p.pairs))),
        ("r_squared.png", _r_squared, (1, len(p.pairs))),
        ("pareto.png", _pareto, (1, len(p.pairs))),
    ):
        with picture(out / name, (1.8 + 3.4 * columns, 0.9 + 3.0 * rows)) as figure:
            draw(found, figure.subplots(rows, columns, squeeze=False))


def _title(panel: Any, pair: TaskPair, size: int) -> None:
    panel.set_title(f"{pair.source} → {pair.target}, {size} a class", loc="left", weight="bold")


def _middle(found: StartingPointResults) -> int:
    """Return the size that figures of one size are drawn for."""
    return found.protocol.sizes[len(found.protocol.sizes) // 2]


def _surface(found: StartingPointResults, panels: Any) -> None:
    """Draw figure 1: a square for each (α, β), its error written in it."""
    panel, (place, size) = panels[0][0], found.protocol.surface
    pair, method = found.protocol.pairs[place], PenaltyMethod("l2_sp", "surface")
    runs = found.runs(pair, size, method)
    alphas, betas = (sorted({option[i] for option in runs}) for i in (0, 1))
    if runs:
        errors = [[mean([end.test for end in runs[alpha, beta]]) for alpha in alphas] for beta in betas]
        low, high = np.nanmin(errors), np.nanmax(errors)  # the colours end beyond, so that black text is read on all
        panel.imshow(
            errors, origin="lower", cmap="YlGnBu", aspect="auto", vmin=low, vmax=high + 0.8 * (high - low) + 1e-9
        )
        for (row, beta), (column, alpha) in product(enumerate(betas), enumerate(alphas)):
            panel.text(column, row, f"{errors[row][column]:.1f}", ha="center", va="center", fontsize=8)
            if {alpha} == _chosen(found, pair, size, method, "alpha") and {beta} == _chosen(
                found, pair, size, method, "beta"
            ):
                panel.plot(column, row, "o", color="none", markeredgecolor="black", markersize=26, markeredgewidth=2)
    panel.set_xticks(range(len(alphas)), [f"{alpha:g}" for alpha in alphas])
    panel.set_yticks(range(len(betas)), [f"{beta:g}" for beta in betas])
    panel.set(xlabel="α", ylabel="β")
    _title(panel, pair, size)


def _chosen(found: StartingPointResults, pair: TaskPair, size: int, method: PenaltyMethod, strength: str) -> set[float]:
    return set(found.values(pair, size, method, strength).values())


def _penalties(found: StartingPointResults, panels: Any) -> None:
    """Draw figure 2: a line for each penalty, its seeds, their mean and its interval."""
    p = found.protocol
    for (row, size), (column, pair) in product(enumerate(p.sizes), enumerate(p.pairs)):
        panel = panels[row][column]
        for place, method in enumerate(reversed(METHODS)):
            errors = found.values(pair, size, method, "task_b_error")
            colour, about = _COLOURS[method.penalty], paired(errors, dict.fromkeys(errors, 0.0))
            panel.plot(list(errors.values()), [place] * len(errors), ".", color=colour, alpha=0.4, markersize=4)
            if about.n > 1:
                panel.plot([about.low, about.high], [place] * 2, color=colour, linewidth=1.6)
            if about.n:
                filled = colour if method.method == "fine" else "white"
                panel.plot(about.difference, place, "o", color=filled, markeredgecolor=colour, markersize=5.5)
        panel.set_yticks(range(len(METHODS)), [method.name for method in reversed(METHODS)])
        panel.grid(axis="x", color="0.9", linewidth=0.7)
        panel.set_xlabel("test error (%)")
        _title(panel, pair, size)


def _freezing(found: StartingPointResults, panels: Any) -> None:
    """Draw figure 3: error against the number of frozen layers."""
    p = found.protocol
    depth = len(p.hidden)
    for (row, size), (column, pair) in product(enumerate(p.freeze), enumerate(p.pairs)):
        panel = panels[row][column]
        for penalty, shift in (("l2", -0.03), ("l2_sp", 0.03)):
            some = [PenaltyMethod(penalty, f"freeze-{n}") for n in range(1, depth)]
            steps = (PenaltyMethod(penalty), *some, PenaltyMethod("none", f"freeze-{depth}"))
            spreads = [mean_sd(list(found.values(pair, size, method, "task_b_error").values())) for method in steps]
            centres, deviations = zip(*spreads, strict=True)
            where, colour = np.arange(depth + 1) + shift, _COLOURS[penalty]
            panel.errorbar(where, centres, deviations, fmt="o-", color=colour, capsize=3, markersize=4, label=penalty)
            panel.axhline(centres[0], color=colour, linestyle="--", linewidth=0.8)
        panel.set_xticks(range(depth + 1))
        panel.set(xlabel="first hidden layers frozen", ylabel="test error (%)")
        if (row, column) == (0, len(p.pairs) - 1):
            panel.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
        _title(panel, pair, size)


def _r_squared(found: StartingPointResults, panels: Any) -> None:
    """Draw figure 4: a box for each layer and penalty."""
    size, shown = _middle(found), ("l2", "l2_sp", "l2_sp_fisher")
    for panel, pair in zip(panels[0], found.protocol.pairs, strict=True):
        for place, penalty in enumerate(shown):
            for layer in range(1, len(found.protocol.hidden) + 1):
                where = layer + 0.22 * (place - 1)
                parts = {
                    which: list(found.values(pair, size, PenaltyMethod(penalty), f"r_squared_{layer}_{which}").values())
                    for which in ("25", "50", "75", "mean")
                }
                low, middle, high, centre = (mean(values) for values in parts.values())
                colour = _COLOURS[penalty]
                panel.bar(where, high - low, 0.18, low, color=colour, alpha=0.35)
                panel.plot([where - 0.09, where + 0.09], [middle] * 2, color=colour, linewidth=2)
                panel.plot(where, centre, "o", color=colour, markersize=4, label=penalty if layer == 1 else None)
        panel.set_xticks(range(1, len(found.protocol.hidden) + 1))
        panel.set(xlabel="hidden layer", ylabel="R², after against before", ylim=(0, 1.02))
        panel.legend(frameon=False, loc="lower left")
        _title(panel, pair, size)


def _pareto(found: StartingPointResults, panels: Any) -> None:
    """Draw old-task error against new-task error over α."""
    size = _middle(found)
    for panel, pair in zip(panels[0], found.protocol.pairs, strict=True):
        for method in METHODS:
            betas = _chosen(found, pair, size, method, "beta")
            points = [
                (mean([end.test for end in ends]), mean([end.source for end in ends]))
                for (_, beta), ends in sorted(found.runs(pair, size, method).items())
                if beta in betas
            ]
            points = [point for point in points if np.isfinite(point).all()]
            if points:
                colour, line = _COLOURS[method.penalty], "-" if method.method == "fine" else "--"
                panel.plot(
                    *zip(*points, strict=True), f"o{line}", color=colour, markersize=3, linewidth=1, label=method.name
                )
                panel.plot(*points[-1], "o", color=colour, markersize=6)
        if pair.name in found.about["sources"]:
            panel.axhline(found.about["sources"][pair.name]["error"], color="0.35", linestyle=":", linewidth=1)
        panel.set(
            xlabel=f"error on {pair.target} (%)", ylabel=f"error on {pair.source} (%)", xscale="log", yscale="log"
        )
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter("{x:g}")
        panel.tick_params(which="both", labelsize=7)
        _title(panel, pair, size)
    if panels[0][-1].lines:
        panels[0][-1].legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
