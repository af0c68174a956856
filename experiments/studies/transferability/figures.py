"""The figures of the transferability study: maps of gains, curves over held layers, one direction against the other."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from experiments.frame.long_form import Findings
from experiments.frame.pictures import picture
from experiments.frame.statistics import interval
from experiments.frame.task_specs import network_name
from experiments.frame.text import number
from experiments.studies.transferability.design import (
    UNTRAINED,
    Group,
    TransferabilityDesign,
    freezing_label,
    pair_setting,
)
from experiments.studies.transferability.measures import asymmetry, gains

__all__ = ["draw_transferability"]


def draw_transferability(found: Findings, design: TransferabilityDesign, out: Path) -> dict[str, str]:
    """Draw every figure whose numbers are there, and return what each shows."""
    pictures = {}
    for group in design.groups:
        name = f"curves-{group.name}.png"
        _curves(found, design, group, out / name)
        pictures[name] = (
            f"Error on each task of the group {group.name} by how many hidden layers are held, mean and 95 % interval "
            "over seeds. Thick: the source is the task itself. Grey: an untrained network; dashed: its error with "
            "nothing held, which is training from scratch."
        )
        if len(group.tasks) > 2:
            _maps(found, design, group, out / f"map-{group.name}.png")
            pictures[f"map-{group.name}.png"] = (
                "Percent of the errors from scratch that starting from the source (row) avoids on the target (column), "
                "mean over seeds: the source as an initialisation, and as a feature extractor."
            )
            _directions(found, design, group, out / f"directions-{group.name}.png")
            pictures[f"directions-{group.name}.png"] = (
                "The gain of every two tasks in one direction against the other, all layers held; bars: 95 % intervals "
                "over seeds. On the diagonal a pair is symmetric. Labelled: the six pairs that are farthest from it."
            )
    return pictures


def _curves(found: Findings, design: TransferabilityDesign, group: Group, path: Path) -> None:
    from matplotlib.patches import Patch

    columns = min(4, len(group.tasks))
    rows_each = -(-len(group.tasks) // columns)
    size = (1.6 + 2.7 * columns, 0.6 + 2.3 * rows_each * len(design.networks))
    with picture(path, size, (0, 0, 1 - 1.1 / size[0], 1)) as figure:
        panels = figure.subplots(rows_each * len(design.networks), columns, squeeze=False)
        for n, hidden in enumerate(design.networks):
            block = panels[n * rows_each : (n + 1) * rows_each].ravel()
            for panel, target in zip(block, group.tasks, strict=False):
                _curve(panel, found, group, target, hidden)
            for panel in block[len(group.tasks) :]:
                panel.set_axis_off()
        handles = [Patch(color=_colour(group, source)) for source in group.sources]
        figure.legend(handles, group.sources, loc="center right", frameon=False, title="source", handlelength=1)


def _curve(panel: Any, found: Findings, group: Group, target: str, hidden: tuple[int, ...]) -> None:
    for source in group.sources:
        curve = [found.values(pair_setting(source, target, hidden), freezing_label(n)) for n in range(len(hidden) + 1)]
        layers = [n for n, values in enumerate(curve) if values]
        if not layers:
            continue
        means = [fmean(curve[n].values()) for n in layers]
        bars = [interval(list(curve[n].values())) for n in layers]
        width = 2.4 if source == target else 1
        panel.errorbar(
            layers, means, np.nan_to_num(bars), color=_colour(group, source), linewidth=width, elinewidth=0.6
        )
        if source == UNTRAINED and 0 in layers:
            panel.axhline(means[0], color="0.6", linewidth=0.8, linestyle="--")
    panel.set_xticks(range(len(hidden) + 1))
    panel.set_title(f"→ {target}, {network_name(hidden)}", loc="left", weight="bold")
    panel.set(xlabel="layers held", ylabel="error (%)")


def _colour(group: Group, source: str) -> str:
    """Return a source's colour; grey is for the untrained network alone."""
    return "0.6" if source == UNTRAINED else f"C{[0, 1, 2, 3, 4, 5, 6, 8, 9][group.tasks.index(source) % 9]}"


def _maps(found: Findings, design: TransferabilityDesign, group: Group, path: Path) -> None:
    """Draw a map for no layer held and one for all, a row of both for each network."""
    sources, targets = group.sources, group.tasks
    with picture(path, (2.4 + 0.95 * len(targets), (1.3 + 0.35 * len(sources)) * len(design.networks))) as figure:
        panels = figure.subplots(len(design.networks), 2, squeeze=False)
        for row, hidden in zip(panels, design.networks, strict=True):
            for panel, layers, what in zip(row, (0, len(hidden)), ("nothing held", "all layers held"), strict=True):
                of = gains(found, group, hidden, layers)
                grid = np.array([[_mean(of[source, target]) for target in targets] for source in sources])
                panel.imshow(np.clip(grid, -100, 100), cmap="PuOr", vmin=-100, vmax=100)
                for (i, j), value in np.ndenumerate(grid):
                    if value == value:
                        colour = "white" if abs(value) > 65 else "black"
                        panel.text(j, i, number(value, 0), ha="center", va="center", fontsize=7, color=colour)
                panel.set_xticks(range(len(targets)), targets)
                panel.set_yticks(range(len(sources)), sources)
                panel.set(xlabel="target", ylabel="source")
                panel.set_title(f"{network_name(hidden)}, {what}", loc="left", weight="bold")


def _mean(values: dict[int, float]) -> float:
    return fmean(values.values()) if values else float("nan")


def _directions(found: Findings, design: TransferabilityDesign, group: Group, path: Path) -> None:
    with picture(path, (0.6 + 4.2 * len(design.networks), 4.2)) as figure:
        for panel, hidden in zip(_row(figure, len(design.networks)), design.networks, strict=True):
            of = gains(found, group, hidden, len(hidden))
            tests = {pair: each for pair, each in asymmetry(of, group.tasks).items() if each.n}
            farthest = sorted(tests, key=lambda pair: -abs(tests[pair].difference))[:6]
            points = [value for pair in tests for way in (pair, pair[::-1]) for value in [_mean(of[way])]]
            ends = (min(points, default=0) - 5, max(points, default=1) + 5)
            panel.plot(ends, ends, color="0.7", linewidth=0.8)
            for pair in tests:
                there, back = of[pair], of[pair[::-1]]
                bars = [np.nan_to_num(interval(list(way.values()))) for way in (back, there)]
                x, y = _mean(back), _mean(there)
                panel.errorbar(x, y, bars[1], bars[0], "o", color="#0072B2", markersize=3, elinewidth=0.5, alpha=0.8)
                if pair in farthest:
                    panel.annotate(f"{pair[0]}, {pair[1]}", (x, y), (4, 4), textcoords="offset points", fontsize=7)
            panel.set(xlabel="gain, second → first (%)", ylabel="gain, first → second (%)")
            panel.set_title(network_name(hidden), loc="left", weight="bold")


def _row(figure: Any, panels: int) -> Sequence[Any]:
    return figure.subplots(1, panels, squeeze=False)[0]
