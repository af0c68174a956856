"""The two cells of a transfer study: a network learns the first task, and from that network each run learns the second.

Both methods of a pair start from one generator: the same new head, the same order of batches. Errors are percent
misclassified, on validation sets while a run goes on, on test sets for the weights that it keeps.
"""

import time
from collections.abc import Mapping
from functools import lru_cache

from experiments.cells import Cell, Result
from experiments.desk import Desk, read_json
from experiments.provenance import environment
from experiments.tables import REGULARIZERS, Protocol, Recipe, Study
from npnet import (
    Hyperparameters,
    Network,
    Run,
    Split,
    Task,
    begin,
    constant,
    error,
    fine_tuning,
    generator,
    gradual_tuning,
    mlp,
    train,
)
from npnet.network import INITIALISERS
from npnet.tasks import line_task, mnist_halves

__all__ = ["cells_of", "hyperparameters", "learn_first", "learn_second", "leave", "load_task", "train_to_end"]

_METHODS = {method.name: method for method in (fine_tuning, gradual_tuning)}


def cells_of(study: Study) -> list[Cell]:
    """Return the cells of a table: a first network for each regularizer, then from it every seed with every method."""
    cells = [
        Cell(f"{regularizer}-first", learn_first, {"study": study, "regularizer": regularizer})
        for regularizer in study.regularizers
    ]
    for regularizer in study.regularizers:
        for seed in range(study.protocol.seeds):
            for method in study.methods:
                what = {"study": study, "regularizer": regularizer, "method": method, "seed": seed}
                name, needs = f"{regularizer}-{method}-{seed}", (f"{regularizer}-first",)
                cells.append(Cell(name, learn_second, what, needs))
    return cells


def load_task(name: str, protocol: Protocol) -> Task:
    """Return a task with the protocol's numbers of examples, kept by this process for the next cell that wants it."""
    return _load_task(name, protocol.data_seed, protocol.train, protocol.validation, protocol.test)


@lru_cache(maxsize=8)
def _load_task(name: str, seed: int, train: int, validation: int, test: int) -> Task:
    if name in ("mnist04", "mnist59"):
        return mnist_halves(seed, train, validation, test)[name == "mnist59"]
    return line_task(name, seed, train, validation, test)


def hyperparameters(protocol: Protocol, recipe: Recipe, max_epochs: int) -> Hyperparameters:
    """Return how every run of a row is trained."""
    return Hyperparameters(
        batch_size=protocol.batch_size,
        rate=constant(protocol.rate),
        regularizers=recipe.regularizers(),
        patience=protocol.patience,
        max_epochs=max_epochs,
        keep=protocol.keep,
        patience_restarts=protocol.patience_restarts,
    )


def learn_first(desk: Desk, study: Study, regularizer: str) -> Result:
    """Train a new network on the first task or tasks and leave it as network.npz."""
    table, protocol = study.table, study.protocol
    tasks = {name: load_task(name, protocol) for name in table.first}
    rng = generator(protocol.data_seed, "first", *table.first)  # the same start under every regularizer
    widths = (next(iter(tasks.values())).train.inputs.shape[-1], *table.hidden)
    network = mlp(
        widths,
        {name: task.outputs for name, task in tasks.items()},
        rng,
        INITIALISERS[protocol.initialise],
        dropout=REGULARIZERS[regularizer].rates(len(table.hidden)),
    )
    settings = hyperparameters(protocol, REGULARIZERS[regularizer], protocol.max_epochs_a)
    run, seconds = train_to_end(desk, Run(network, rng), tasks, settings)
    errors = {name: error(run.network, name, task.test) for name, task in tasks.items()}
    return leave(desk, run, settings, seconds, {"before": errors})


def learn_second(desk: Desk, study: Study, regularizer: str, method: str, seed: int) -> Result:
    """Train on the second task from the first network, and measure what that did to the first task."""
    table, protocol = study.table, study.protocol
    first = {name: load_task(name, protocol) for name in table.first}
    second = load_task(table.second, protocol)
    needed = desk.needed(f"{regularizer}-first")
    run, settings = begin(
        _METHODS[method],
        Network.load(needed / "network.npz"),
        second,
        generator(seed, "second", table.second),  # the same for both methods
        hyperparameters(protocol, REGULARIZERS[regularizer], protocol.max_epochs_b),
        INITIALISERS[protocol.initialise],
    )
    watched = {name: (name, task.validation) for name, task in first.items()}
    run, seconds = train_to_end(desk, run, {second.name: second}, settings, watched)
    errors = {
        "before": read_json(needed / "result.json")["errors"]["before"],
        "after": {name: error(run.network, name, task.test) for name, task in first.items()},
        "second": error(run.network, second.name, second.test),
    }
    return leave(desk, run, settings, seconds, errors)


def train_to_end(
    desk: Desk,
    run: Run,
    tasks: Mapping[str, Task],
    settings: Hyperparameters,
    watched: Mapping[str, tuple[str, Split]] | None = None,
) -> tuple[Run, float]:
    """Train from the start or from the last checkpoint to the end; return the run and the seconds it took in all."""
    saved = desk.resume()
    before = 0.0
    if saved is not None:
        run, before = Run.from_tree(saved["run"]), saved["seconds"]
        desk.log(f"goes on after epoch {len(run.history)}")
    start = time.monotonic()
    for record in train(run, tasks, settings, watched):
        desk.show(epoch=record["epoch"], error=record["error"], layers=sum(map(bool, record["mask"])))
        desk.checkpoint(lambda: {"run": run.tree(), "seconds": before + time.monotonic() - start})
    return run, before + time.monotonic() - start


def leave(desk: Desk, run: Run, settings: Hyperparameters, seconds: float, errors: dict) -> Result:
    """Leave the network in the cell's folder and return the result that belongs to it."""
    run.network.save(desk.path / "network.npz")
    return {
        "errors": errors,
        "history": run.history,
        "kept_epoch": run.best["epoch"] if settings.keep == "best" else len(run.history),
        "seconds": seconds,
        "environment": environment(),
    }
