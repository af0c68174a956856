"""The pictures of tutorials and derivations, drawn from what the blocks of each page compute.

`python docs/ext/pictures.py` draws all of them, `python docs/ext/pictures.py derivations/dropout` one.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures import FIGURES, FINE, GRADUAL, SOFT
from npnet.tasks import batch
from snippets import play

__all__ = ["draw"]

DOCS = Path(__file__).resolve().parents[1]
SIDE = 28


def main(pages: list[str]) -> None:
    """Draw the pictures of some pages, or of all that have one."""
    rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 9})
    for page in pages or list(PICTURES):
        draw(page, DOCS / f"{page}.png")


def draw(page: str, path: Path) -> None:
    """Run a page in a folder of its own, and draw its picture from the names that its blocks define."""
    text, space, here = (DOCS / f"{page}.md").read_text("utf-8"), dict[str, Any](), Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        play(text, page, space)
        os.chdir(here)
    PICTURES[page](SimpleNamespace(**space)).savefig(path, dpi=150, metadata={"Software": None})


def first(page: Any) -> Figure:
    """Thirty digits of the task, and the first that the trained network gets wrong."""
    figure = Figure((7.2, 3.2), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[3, 1.25])
    for part, title in ((above, "the task: drawn digits"), (below, "wrong: what the trained network takes for …")):
        part.suptitle(title, fontsize=9, x=0.01, ha="left")
    labels = page.task.train.labels
    rows = np.concatenate([np.flatnonzero(labels == digit)[:3] for digit in range(10)]).reshape(10, 3).T.ravel()
    for panel, row in zip(above.subplots(3, 10).flat, rows, strict=True):
        image(panel, page.task.train.inputs[row])
    wrong = page.wrong[:10]
    for panel, row in zip(below.subplots(1, 10).flat, wrong, strict=False):
        image(panel, page.task.test.inputs[row])
        panel.set_xlabel(str(page.predicted[row]), color=GRADUAL, labelpad=2)
    return figure


def forgetting(page: Any) -> Figure:
    """Both tasks' errors by epoch, and old digits that the old head got right before and gets wrong now."""
    figure = Figure((7.2, 2.6), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1.15, 1])
    panel = left.subplots()
    history = page.run.history
    epochs = [record["epoch"] for record in history]
    panel.plot(epochs, [record["evaluations"]["before"] for record in history], color=FINE, label="digits 0 to 4 (old)")
    panel.plot(epochs, [record["error"] for record in history], color=SOFT, label="digits 5 to 9 (new)")
    panel.set(xlabel="epochs on the new task", ylabel="percent wrong", ylim=(0, None))
    panel.legend(frameon=False)
    X = batch(page.old.test, slice(None), np.float64)
    then, now = (each.logits(X, "digits04").argmax(1) for each in (page.first.network, page.run.network))
    lost = np.flatnonzero((then == page.old.test.labels) & (now != page.old.test.labels))[:10]
    right.suptitle("forgotten: right before, now taken for …", fontsize=9)
    for panel, row in zip(right.subplots(2, 5).flat, lost, strict=False):
        image(panel, page.old.test.inputs[row])
        panel.set_xlabel(str(now[row]), color=GRADUAL, labelpad=2)
    return figure


def gradual(page: Any) -> Figure:
    """Errors on both tasks by epoch, under both methods, with a mark where a hidden layer joins."""
    figure = Figure((7.2, 2.6), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True)
    for run, colour, name in ((page.fine, FINE, "fine tuning"), (page.gradual, GRADUAL, "Gradual Tuning")):
        epochs = [record["epoch"] for record in run.history]
        joins = [i for i in range(1, len(epochs)) if run.history[i]["mask"] != run.history[i - 1]["mask"]]
        old = [record["evaluations"]["before"] for record in run.history]
        for panel, errors in zip(panels, (old, [record["error"] for record in run.history]), strict=True):
            panel.plot(epochs, errors, color=colour, label=name)
            panel.plot([epochs[i] for i in joins], [errors[i] for i in joins], "v", color=colour, markersize=7)
    panels[0].set(title="digits 0 to 4 (old)", ylim=(0, None), ylabel="percent wrong")
    panels[1].set(title="digits 5 to 9 (new)", ylim=(0, 40))
    panels[0].legend(frameon=False)
    figure.supxlabel("epochs on the new task (triangles: a hidden layer joins)", fontsize=9)
    return figure


def own_layer(page: Any) -> Figure:
    """Where the network with the new layer decides for which class, and the layer with its learned β."""
    figure = Figure((7.2, 2.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    side = np.linspace(-3, 3, 200)
    grid = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2)
    classes = page.again.network.logits(grid, "quadrants").argmax(1).reshape(200, 200)
    left.contourf(side, side, classes, levels=[-0.5, 0.5, 1.5], colors=["#cfe3f1", "#f8dcc8"])
    X, labels = page.task.test.inputs, page.task.test.labels
    for label, colour in ((0, FINE), (1, GRADUAL)):
        left.plot(*X[labels == label].T, ".", color=colour, markersize=3)
    left.set(title="test points, and what the network decides", aspect="equal", xlim=(-3, 3), ylim=(-3, 3))
    x = np.linspace(-4, 4, 200)[:, None]
    right.plot(x, page.swish({"beta": page.beta}, x)[0], color=SOFT, linewidth=0.8)
    right.plot(x, page.swish({"beta": np.ones(1)}, x)[0], color="black", linewidth=1.5)
    right.set(title="the layer: black β = 1, grey the sixteen learned β", xlabel="x")
    return figure


def own_method(page: Any) -> Figure:
    """Each method's error on the new task against that on the old one."""
    figure = Figure((4.8, 3.0), layout="constrained")
    panel = figure.subplots()
    for method in (*page.methods, page.both):
        new, old = page.both_errors(method)
        panel.plot(new, old, "o", color=GRADUAL if method.name == "mine" else FINE)
        panel.annotate(method.name, (new, old), xytext=(6, 3), textcoords="offset points")
    panel.set(xlabel="digits 5 to 9 (new), percent wrong", ylabel="digits 0 to 4 (old), percent wrong")
    panel.set(xlim=(0, 40), ylim=(0, None))
    return figure


def image(panel: Axes, pixels: Any) -> None:
    """Show one image, without ticks."""
    panel.imshow(np.reshape(pixels, (SIDE, SIDE)), cmap="gray_r", vmin=0, vmax=255)
    panel.set(xticks=[], yticks=[])
    panel.spines[:].set_visible(False)


PICTURES: Mapping[str, Callable[[Any], Figure]] = {
    "tutorials/first": first,
    "tutorials/forgetting": forgetting,
    "tutorials/gradual": gradual,
    "tutorials/own_layer": own_layer,
    "tutorials/own_method": own_method,
    **{f"derivations/{name}": figure for name, figure in FIGURES.items()},
}

if __name__ == "__main__":
    main(sys.argv[1:])
