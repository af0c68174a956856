"""Train a network on a table, and transfer one to another table: what the command line does, as two functions."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from npnet.arrays import generator
from npnet.command.tables import Recipe
from npnet.data import Split, batch
from npnet.error import error
from npnet.hyperparameters import Hyperparameters
from npnet.losses import cross_entropy, squared_error
from npnet.methods import begin, fine_tuning, gradual_tuning
from npnet.network import Network
from npnet.optimizers import Adam
from npnet.perceptron import mlp
from npnet.run import Record, Run
from npnet.tasks.arrays import ArrayTask
from npnet.tasks.tables import csv_task
from npnet.training import train

__all__ = ["METHODS", "Outcome", "interval", "train_table", "transfer_table"]

METHODS = {"fine": fine_tuning, "gradual": gradual_tuning}


@dataclass
class Outcome:
    """What came of it: the network, its task, the record of each epoch, the test error with its interval of 95 %, and
    the files that were written. old: the error on the old table's test examples before and after.
    """

    network: Network
    task: ArrayTask
    history: list[Record]
    error: float
    interval: tuple[float, float]
    files: list[Path] = field(default_factory=list)
    old: tuple[float, float] | None = None


def train_table(
    path: str | Path,
    target: str | int = -1,
    hidden: Sequence[int] = (200, 200),
    out: str | Path | None = None,
    seed: int = 0,
    epochs: int = 500,
    patience: int = 20,
    rate: float = 0.001,
    scale: Any = "standard",
    progress: bool = False,
) -> Outcome:
    """Train a network on a table and write it: out.npz, out.json (how it reads a table), and a picture, out.png.

    path and target: see `npnet.tasks.read_csv`. Of the rows 15 % validate and 15 % test.
    hidden: the units of each hidden layer. Adam with this rate, 32 rows a batch; training ends after `patience` epochs
    without a lower validation error. Raises ValueError as `csv_task` does.
    """
    task, table = csv_task(path, target, seed=seed, scale=scale)
    network = mlp((task.train.inputs.shape[-1], *hidden), {task.name: task.outputs}, generator(seed, "network"))
    run = Run(network, generator(seed, "run"))
    settings = _settings(task, epochs, patience, rate)
    history = list(train(run, {task.name: task}, settings, progress=progress and _has("rich")))
    outcome = _judged(run.network, task, history)
    place = Path(out) if out is not None else Path(path).with_suffix("")
    _write(outcome, place, Recipe.of(task, table, seed))
    _draw(outcome, place, {})
    return outcome


def transfer_table(
    old: str | Path,
    path: str | Path,
    target: str | int = -1,
    method: str = "gradual",
    keep_old: str | Path | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    epochs: int = 500,
    patience: int = 20,
    rate: float = 0.001,
    progress: bool = False,
) -> Outcome:
    """Let a network that `train_table` wrote learn another table with the same inputs, and write it likewise.

    method: "gradual", Gradual Tuning: layers join from the top as the validation error stalls; or "fine", fine tuning:
    all layers train. keep_old: the old table, whose test examples say what the network still knows of it after every
    epoch. Raises ValueError for another method, and for a table without the old one's columns.
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; expected one of {', '.join(METHODS)}")
    before, recipe = Network.load(old), Recipe.load(Path(old).with_suffix(".json"))
    name = Path(path).stem
    name = f"{name}, new" if name in before.heads else name
    task, table = recipe.task(path, target, seed, name)
    evaluations = {}
    if keep_old is not None:
        old_task, _ = recipe.task(keep_old, recipe.target, recipe.seed, recipe.head)
        evaluations = {recipe.head: (recipe.head, old_task.test)}
    given = _settings(task, epochs, patience, rate)
    run, settings = begin(METHODS[method], before, task, generator(seed, "transfer"), given)
    history = list(train(run, {name: task}, settings, evaluations, progress=progress and _has("rich")))
    outcome = _judged(run.network, task, history)
    if keep_old is not None:
        split = old_task.test
        outcome.old = error(before, recipe.head, split), error(run.network, recipe.head, split)
    place = Path(out) if out is not None else Path(path).with_suffix("")
    _write(outcome, place, replace(recipe, head=name, target=table.target, seed=seed))
    _draw(outcome, place, evaluations)
    return outcome


def _settings(task: ArrayTask, epochs: int, patience: int, rate: float) -> Hyperparameters:
    loss = squared_error if task.train.kind == "values" else cross_entropy
    return Hyperparameters(batch_size=32, rate=rate, optimizer=Adam(), loss=loss, max_epochs=epochs, patience=patience)


def _judged(network: Network, task: ArrayTask, history: list[Record]) -> Outcome:
    return Outcome(
        network, task, history, error(network, task.name, task.test), interval(network, task.name, task.test)
    )


def interval(network: Network, head: str, split: Split) -> tuple[float, float]:
    """Return the interval of 95 % of a test error.

    Percent misclassified: Wilson's interval for n examples. Root mean squared error: from the standard error of the
    mean of squares. Source: Wilson 1927.
    """
    z, n = 1.96, len(split)
    if split.kind != "values":
        p = error(network, head, split) / 100
        middle, half = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
        return tuple(100 * float(np.clip((middle + sign * half) / (1 + z * z / n), 0, 1)) for sign in (-1, 1))  # type: ignore[return-value]
    D = network.logits(batch(split, slice(None), network.dtype), head) - split.labels
    squares = (D * D).mean(-1)
    half = z * float(squares.std()) / n**0.5
    return tuple(max(0.0, float(squares.mean()) + sign * half) ** 0.5 for sign in (-1, 1))


def _write(outcome: Outcome, place: Path, recipe: Recipe) -> None:
    network, said = place.with_suffix(".npz"), place.with_suffix(".json")
    outcome.network.save(network)
    recipe.save(said)
    outcome.files += [network, said]


def _draw(outcome: Outcome, place: Path, evaluations: Any) -> None:
    """Draw the learning curves where matplotlib is there."""
    if not _has("matplotlib"):
        print("no picture: matplotlib is not installed", file=sys.stderr)
        return
    from npnet.plot import learning_curves

    unit = "root mean squared error" if outcome.task.train.kind == "values" else "error, %"
    picture = place.with_suffix(".png")
    learning_curves(outcome.history, unit).savefig(picture, dpi=120)
    outcome.files.append(picture)


def _has(package: str) -> bool:
    return find_spec(package) is not None
