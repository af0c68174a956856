"""Pictures of runs and networks, each one call: learning curves, first-layer weights, confusions, old and new errors.

All return a figure of matplotlib (the extra `plot`), which is imported when a picture is first made, and take a fitted
estimator of npnet.sklearn wherever they take a run or a network:

    npnet.plot.learning_curves(run).savefig("curves.png")
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from npnet.arrays import to_host
from npnet.data import Split, batch
from npnet.error import BLOCK, largest
from npnet.network import Network
from npnet.policies import trains
from npnet.run import Record, Run

__all__ = ["confusion", "first_layer", "learning_curves", "old_against_new"]


def _figure(width: float, height: float, **options: Any) -> tuple[Any, Any]:
    """Return a figure that belongs to nobody else, and its axes."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("npnet.plot needs matplotlib: pip install 'npnet-transfer[plot]'") from error
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(**options)


def _history(of: Any) -> Sequence[Record]:
    """Return the records of a run or of a fitted estimator, or records as they are."""
    if hasattr(of, "history_"):
        history = [_record(of.task, entry) for entry in of.history_]
    else:
        history = of.history if isinstance(of, Run) else list(of)
    if not history:
        raise ValueError("run has no epoch yet; expected at least one record")
    return history


def _record(task: str, entry: Record) -> Record:
    """Return an epoch of an estimator as a record; without a validation set the loss stands for an error."""
    error = entry.get("validation_error", entry["loss"])
    evaluations = {"old": entry["old_error"]} if "old_error" in entry else {}
    return {**entry, "error": error, "validation": {task: error}, "evaluations": evaluations}


def learning_curves(run: Any, unit: str | None = None) -> Any:
    """Draw every validation error and evaluation over the epochs, with a mark where layers begin to train.

    run: a run, records of one, or a fitted estimator, whose training loss is drawn where it had no validation set.
    unit: of the errors, "error, %" by default. The best epoch of the mean validation error has a dot. Raises ValueError
    for a run without an epoch.
    """
    history = _history(run)
    losses, unit = "loss" in history[0] and "validation_error" not in history[0], unit or "error, %"
    figure, axes = _figure(6.4, 3.8)
    beside = axes.twinx() if losses and history[0]["evaluations"] else axes  # a loss and an error have two scales
    epochs = [record["epoch"] for record in history]
    for name in history[0]["validation"]:
        label = f"{name}, {'training loss' if losses else 'validation'}"
        axes.plot(epochs, [record["validation"].get(name, np.nan) for record in history], label=label)
    for name in history[0]["evaluations"]:
        measured = [record["evaluations"].get(name, np.nan) for record in history]
        beside.plot(epochs, measured, "--", color=f"C{len(axes.lines)}", label=f"{name}, evaluation")
    errors = [record["error"] for record in history]
    best = int(np.argmin(errors))
    axes.plot(epochs[best], errors[best], "o", color="black", label=f"best: {errors[best]:.3g} in epoch {epochs[best]}")
    sides = [axes] if beside is axes else [axes, beside]
    for each in sides:
        each.set_ylim(0, 1.15 * each.get_ylim()[1])
    for epoch, layers in joining(history):
        axes.axvline(epoch - 0.5, color="grey", linewidth=0.8, linestyle=":")
        text = "the head trains" if layers == 1 else f"{layers} layers train"
        axes.text(epoch - 0.4, axes.get_ylim()[1], text, rotation=90, va="top", fontsize=8, color="grey")
    axes.set_xlabel("epoch")
    beside.set_ylabel(unit)
    if losses:
        axes.set_ylabel("loss")
    handles = [handle for each in sides for handle in each.get_legend_handles_labels()[0]]
    above = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": len(handles)} if len(sides) > 1 else {}
    axes.legend(handles=handles, frameon=False, fontsize=9, **above)  # inside, it would not see the other side's curves
    for each in sides:
        each.spines[["top"] if len(sides) > 1 else ["top", "right"]].set_visible(False)
    return figure


def joining(history: Sequence[Record]) -> list[tuple[int, int]]:
    """Return (epoch, number of layers that train, the head among them) wherever that number changes."""
    counts = [sum(1 for entry in record["mask"] if trains(entry)) for record in history]
    changed = [i for i in range(len(counts)) if i == 0 or counts[i] != counts[i - 1]]
    return [(history[i]["epoch"], counts[i]) for i in changed] if len(changed) > 1 else []


def first_layer(network: Any, units: int = 36, shape: tuple[int, int] | None = None) -> Any:
    """Draw the incoming weights of the first units as images: blue below zero, white at zero, red above.

    network: a network, or a fitted estimator. shape: rows and columns of an input, by default those of a square. Each
    image has the range of its own weights. Raises ValueError for inputs that are no image of that shape, and for a
    network without a hidden layer.
    """
    network = getattr(network, "network_", network)
    if not network.depth:
        raise ValueError("network has no hidden layer; expected one, whose weights are drawn")
    W = to_host(network.trunk[0]["W"])
    side = round(W.shape[0] ** 0.5)
    shape = (side, side) if shape is None else shape
    if shape[0] * shape[1] != W.shape[0]:
        raise ValueError(f"shape is {shape}; expected rows and columns of {W.shape[0]} inputs")
    units = min(units, W.shape[1])
    columns = int(np.ceil(units**0.5))
    rows = -(-units // columns)
    figure, grid = _figure(0.9 * columns, 0.9 * rows, nrows=rows, ncols=columns, squeeze=False)
    for k, axes in enumerate(grid.flat):
        axes.axis("off")
        if k < units:
            image = W[:, k].reshape(shape)
            most = abs(image).max() or 1.0
            axes.imshow(image, cmap="RdBu_r", vmin=-most, vmax=most)
    return figure


def confusion(network: Any, head: Any, split: Any, classes: Sequence[Any] | None = None) -> Any:
    """Draw how many examples of each class a head takes for each: a row for each class, a column for what it says.

    network, head, split: a network, the name of its head, and examples; or a fitted classifier, inputs X and classes y.
    classes: what the classes are called. The shade is the share of a row. Raises ValueError for other kinds of labels.
    """
    if hasattr(network, "classes_"):
        classes = network.classes_ if classes is None else classes
        labels, said = (np.searchsorted(network.classes_, y) for y in (split, network.predict(head)))
        counts = _counts(labels, said, len(network.classes_))
    else:
        counts = confusions(network, head, split)
    names = [str(each) for each in (classes if classes is not None else range(len(counts)))]
    size = max(3.2, 0.55 * len(counts) + 1.2)
    figure, axes = _figure(size, size)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, j in np.ndindex(*counts.shape):
        if counts[i, j]:
            axes.text(
                j, i, str(counts[i, j]), ha="center", va="center", color="white" if shares[i, j] > 0.5 else "black"
            )
    axes.set_xticks(range(len(names)), names, rotation=45 if max(map(len, names)) > 3 else 0)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("what the network says")
    axes.set_ylabel("class")
    wrong = 100 * (1 - np.trace(counts) / counts.sum())
    axes.set_title(f"{wrong:.3g} % misclassified", fontsize=10)
    return figure


def confusions(network: Network, head: str, split: Split) -> np.ndarray:
    """Return how many examples of class i are taken for class j, (K, K). Raises ValueError for other labels."""
    if split.kind != "classes":
        raise ValueError(f"split has {split.kind}; expected classes")
    K = max(2, network.head(head)["b"].shape[-1])
    said = []
    for start in range(0, len(split), BLOCK):
        Z = network.logits(batch(split, slice(start, start + BLOCK), network.dtype), head)
        said.append(to_host((Z[:, 0] > 0).astype(np.int64) if Z.shape[-1] == 1 else largest(Z)))
    return _counts(to_host(split.labels), np.concatenate(said), K)


def _counts(labels: np.ndarray, said: np.ndarray, K: int) -> np.ndarray:
    return np.bincount(labels * K + said, minlength=K * K).reshape(K, K)


def old_against_new(runs: Mapping[str, Any], old: str = "old", unit: str = "error, %") -> Any:
    """Draw the error on the old task against that on the new one while runs learn the new one: a line for each run.

    runs: by their methods' names, or estimators fitted with X_old, y_old; old: the evaluation that measures the old
    task. A ring is the first epoch, a dot the
    last. Whoever forgets nothing goes straight to the left. Raises ValueError where a run has no such evaluation.
    """
    figure, axes = _figure(4.8, 4.2)
    for name, run in runs.items():
        history = _history(run)
        if old not in history[0]["evaluations"]:
            known = ", ".join(map(repr, history[0]["evaluations"])) or "none"
            raise ValueError(f"old is {old!r}; expected one of the evaluations of {name!r}: {known}")
        new, kept = [r["error"] for r in history], [r["evaluations"][old] for r in history]
        (line,) = axes.plot(new, kept, linewidth=1.2, label=name)
        axes.plot(new[0], kept[0], "o", color=line.get_color(), markerfacecolor="white")
        axes.plot(new[-1], kept[-1], "o", color=line.get_color())
    axes.set_xlabel(f"new task: {unit}")
    axes.set_ylabel(f"{old}: {unit}")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
