"""The pictures of the study of sequences: error matrices, and the transfer score of every task."""

from itertools import product
from pathlib import Path

import numpy as np

from experiments.frame.long_form import Findings
from experiments.frame.pictures import picture
from experiments.frame.statistics import interval, mean_sd
from experiments.studies.columns.measures import error_matrices, tasks_of, transfer_scores

__all__ = ["draw_matrices", "draw_scores"]


def draw_matrices(found: Findings, path: Path) -> None:
    """Draw the mean error matrix of every family of tasks and method."""
    families, methods = list(found.about["sequences"]), found.about["methods"]
    with picture(path, (0.6 + 2.7 * len(methods), 0.4 + 2.7 * len(families))) as figure:
        panels = figure.subplots(len(families), len(methods), squeeze=False)
        for (f, family), (w, method) in product(enumerate(families), enumerate(methods)):
            panel, tasks = panels[f, w], tasks_of(found, family)
            matrices = list(error_matrices(found, family, method).values())
            E = np.mean(matrices, axis=0) if matrices else np.full((len(tasks), len(tasks)), np.nan)
            panel.imshow(E, cmap="Oranges", vmin=0, vmax=60)
            for (i, j), value in np.ndenumerate(E):
                if value == value:
                    colour = "white" if value > 42 else "black"
                    panel.text(j, i, f"{value:.1f}", ha="center", va="center", fontsize=7, color=colour)
            panel.set_xticks(range(len(tasks)), tasks, rotation=45, ha="right")
            panel.set_yticks(range(len(tasks)), tasks if w == 0 else [])
            panel.set_title(method, loc="left", weight="bold")
            if w == 0:
                panel.set_ylabel("after")


def draw_scores(found: Findings, path: Path) -> None:
    """Draw the transfer score of every task under every method, a panel for each family."""
    families, methods = list(found.about["sequences"]), found.about["methods"]
    width = 2.2 + 4.0 * len(families)
    with picture(path, (width, 3.6), (0, 0, 1 - 1.8 / width, 1)) as figure:
        panels = figure.subplots(1, len(families), squeeze=False)[0]
        for panel, family in zip(panels, families, strict=True):
            tasks = tasks_of(found, family)[1:]
            for w, method in enumerate(methods):
                scores = list(transfer_scores(found, family, method).values())
                if scores:
                    by_task = [list(values) for values in zip(*scores, strict=True)]
                    x = np.arange(len(tasks)) + 0.1 * (w - len(methods) / 2)
                    bars = np.nan_to_num([interval(values) for values in by_task])
                    means = [mean_sd(values)[0] for values in by_task]
                    panel.errorbar(x, means, bars, fmt="o", markersize=4, elinewidth=0.8, color=f"C{w}", label=method)
            panel.axhline(1, color="0.6", linewidth=0.8)
            panel.set_xticks(range(len(tasks)), tasks)
            panel.set(ylabel="transfer score")
            panel.set_title(" → ".join(tasks_of(found, family)), loc="left", weight="bold")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="center right", frameon=False)
