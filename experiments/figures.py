"""The figure of a table: both tasks' validation errors against weight updates, each method in its colour."""

from pathlib import Path
from typing import Any

from experiments.results import Point, Results

__all__ = ["CAPTION", "draw_curves"]

COLOURS = {"fine": "#0072B2", "gradual": "#D55E00"}  # blue and vermilion of Okabe and Ito: apart for every eye
CAPTION = (
    "Validation errors while the second task is learned, against weight updates: the first task above, the second "
    "below, a column for each regularizer. Thin lines: single seeds. Bold lines: their mean, as long as all of them "
    "train. Triangles: a hidden layer joins a seed's Gradual Tuning. Circles: the weights that a run keeps. "
    "The dotted line is where the first task begins."
)


def draw_curves(results: Results, path: Path) -> None:
    """Draw the curves of a study and write them as PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    study = results.study
    figure, axes = pyplot.subplots(
        2,
        len(study.regularizers),
        figsize=(1 + 3.6 * len(study.regularizers), 5.6),
        sharex="col",
        sharey="row",
        squeeze=False,
    )
    for column, regularizer in enumerate(study.regularizers):
        for row, tasks in enumerate((study.table.first, (study.table.second,))):
            panel = axes[row][column]
            for method in study.methods:
                _draw_method(panel, results, regularizer, method, tasks)
            panel.grid(alpha=0.25, linewidth=0.6)
            panel.spines[["top", "right"]].set_visible(False)
        axes[0][column].set_title(regularizer)
        axes[1][column].set_xlabel("weight updates (thousands)")
    axes[0][0].set_ylabel(f"first task, {'+'.join(study.table.first)}\nvalidation error (%)")
    axes[1][0].set_ylabel(f"second task, {study.table.second}\nvalidation error (%)")
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    pyplot.close(figure)


def _runs(results: Results, regularizer: str, method: str, tasks: tuple[str, ...]) -> dict[int, list[Point]]:
    """Return each seed's points."""
    runs: dict[int, list[Point]] = {}
    for p in results.curves:
        if (p.regularizer, p.method) == (regularizer, method) and p.task in tasks:
            runs.setdefault(p.seed, []).append(p)
    return runs


def _draw_method(panel: Any, results: Results, regularizer: str, method: str, tasks: tuple[str, ...]) -> None:
    """Draw one method's runs into a panel."""
    for points in _runs(results, regularizer, method, tasks).values():
        panel.plot([p.updates / 1000 for p in points], [p.error for p in points], color=COLOURS[method])
