"""The two cells of a transfer study: a network learns the first task, and from that network each run learns the second.

Both methods of a pair start from one generator: the same new head, the same order of batches. Errors are percent
misclassified, on validation sets while a run goes on, on test sets for the weights that it keeps.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from experiments.frame.jobs import Cell, Result
from experiments.frame.provenance import environment
from experiments.frame.tasks import load_task as load_named
from experiments.frame.training import Lesson
from experiments.frame.workspace import Desk, read_json
from experiments.studies.tables.design import REGULARIZERS, Pixels, Protocol, Recipe, Study
from npnet import (
    Discriminative,
    EqualBudget,
    GradualByEpoch,
    GradualTuning,
    Hyperparameters,
    Method,
    Network,
    Replicate,
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
    starting_point,
)
from npnet.initialisers import INITIALISERS

__all__ = ["cells_of", "hyperparameters", "learn_first", "learn_second", "leave", "load_task"]


L2_SP = 0.01
"""α of the methods with l2_sp: about what validation chooses in the study of starting points."""


def method_of(name: str, protocol: Protocol, epochs: int = 1) -> Method:
    """Return a method by its name.

    fine, gradual    the paper's two
    budget           fine tuning for as many epochs as the paired gradual run made
    by-epoch         one layer more every five epochs
    discriminative   fine tuning, each layer's rate a fixed part of the rate above it
    l2_sp            fine tuning under α/2 of the squared distance from where it began
    gradual+l2_sp    Gradual Tuning under the same penalty

    Raises KeyError for another name.
    """
    gradual = GradualTuning(difference=protocol.difference)
    return {
        "fine": fine_tuning,
        "gradual": replace(gradual_tuning, policy=gradual),
        "budget": Method("budget", policy=EqualBudget(epochs)),
        "by-epoch": Method("by-epoch", policy=GradualByEpoch(5)),
        "discriminative": Method("discriminative", policy=Discriminative()),
        "l2_sp": starting_point("l2_sp", L2_SP),
        "gradual+l2_sp": starting_point("l2_sp", L2_SP, policy=gradual),
    }[name]


def load_task(name: str, protocol: Protocol) -> Task:
    """Return a task with the protocol's numbers of examples, kept by this process for the next cell that wants it."""
    p = protocol
    return _load_task(name, p.data_seed, p.train, p.validation, p.test, p.pixels)


@lru_cache(maxsize=6)
def _load_task(name: str, seed: int, train: int, validation: int, test: int, pixels: Pixels) -> Task:
    task = load_named(name, seed, train, validation, test)
    if pixels == "unit":
        return task
    images = task.train.inputs[:]
    centre, width = (127.5, 127.5) if pixels == "centred" else (images.mean(), images.std())

    def scaled(split: Split) -> Split:
        return Split((split.inputs[:].astype(np.float32) - np.float32(centre)) / np.float32(width), split.labels)

    return replace(task, train=scaled(task.train), validation=scaled(task.validation), test=scaled(task.test))


def hyperparameters(protocol: Protocol, recipe: Recipe, max_epochs: int) -> Hyperparameters:
    """Return how every run of a row is trained."""
    return Hyperparameters(
        batch_size=protocol.batch_size,
        rate=constant(protocol.rate),
        regularizers=recipe.regularizers(protocol.l1_scale, protocol.l1_biases),
        patience=protocol.patience,
        max_epochs=max_epochs,
        keep=protocol.keep,
        patience_restarts=protocol.patience_restarts,
        together=protocol.together,
    )


def begin_first(
    desk: Desk, first: tuple[str, ...], hidden: tuple[int, ...], protocol: Protocol, regularizer: str
) -> Replicate:
    """Return a new network at its start on the first task or tasks."""
    tasks = {name: load_task(name, protocol) for name in first}
    rng = generator(protocol.data_seed, "first", *first)  # the same start under every regularizer
    widths = (next(iter(tasks.values())).train.inputs.shape[-1], *hidden)
    network = mlp(
        widths,
        {name: task.outputs for name, task in tasks.items()},
        rng,
        INITIALISERS[protocol.initialise],
        dropout=REGULARIZERS[regularizer].rates(len(hidden)),
    )
    return Replicate(
        Run(network, rng), tasks, hyperparameters(protocol, REGULARIZERS[regularizer], protocol.max_epochs_a)
    )


def end_first(desk: Desk, replicate: Replicate, seconds: float, **arguments: Any) -> Result:
    """Leave the network as network.npz."""
    errors = {name: error(replicate.run.network, name, task.test) for name, task in replicate.tasks.items()}
    return leave(desk, replicate, seconds, {"before": errors})


def begin_second(desk: Desk, study: Study, regularizer: str, method: str, seed: int) -> Replicate:
    """Return the first network at its start on the second task."""
    table, protocol = study.table, study.protocol
    first = {name: load_task(name, protocol) for name in table.first}
    second = load_task(table.second, protocol)
    paired = read_json(desk.needed(study.second_cell(regularizer, "gradual", seed)) / "result.json") or {"history": [1]}
    run, settings = begin(
        method_of(method, protocol, len(paired["history"])),
        Network.load(desk.needed(study.first_cell(regularizer)) / "network.npz"),
        second,
        generator(seed, "second", table.second),  # the same for all methods
        hyperparameters(protocol, REGULARIZERS[regularizer], protocol.max_epochs_b),
        INITIALISERS[protocol.initialise_head or protocol.initialise],
    )
    if method == "budget":
        settings = replace(settings, patience=None)
    watched = {name: (name, task.validation) for name, task in first.items()}
    return Replicate(run, {second.name: second}, settings, watched)


def end_second(
    desk: Desk, replicate: Replicate, seconds: float, study: Study, regularizer: str, method: str, seed: int
) -> Result:
    """Measure what the second task did to the first."""
    network, second = replicate.run.network, study.table.second
    first = {name: load_task(name, study.protocol) for name in study.table.first}
    before = read_json(desk.needed(study.first_cell(regularizer)) / "result.json")["errors"]["before"]
    errors = {
        "before": before,
        "after": {name: error(network, name, task.test) for name, task in first.items()},
        "second": error(network, second, replicate.tasks[second].test),
    }
    return leave(desk, replicate, seconds, errors)


learn_first = Lesson(begin_first, end_first)
learn_second = Lesson(begin_second, end_second)


def leave(desk: Desk, replicate: Replicate, seconds: float, errors: dict) -> Result:
    """Leave the network in the cell's folder and return the result that belongs to it."""
    run, keep = replicate.run, replicate.settings.keep
    run.network.save(desk.path / "network.npz")
    return {
        "errors": errors,
        "history": run.history,
        "kept_epoch": run.best["epoch"] if keep == "best" else len(run.history),
        "seconds": seconds,
        "environment": environment(),
    }


def cells_of(studies: Sequence[Study]) -> list[Cell]:
    """Return the cells of some tables: a first network for each regularizer, then from it every seed and method.

    Tables that begin with the same network share its cell. Raises ValueError where they do not agree on it.
    """
    first: dict[str, Cell] = {}
    second: list[Cell] = []
    for study in studies:
        table, once = study.table, replace(study.protocol, seeds=1)  # the first network is not repeated
        for regularizer in study.regularizers:
            name = study.first_cell(regularizer)
            what = {"first": table.first, "hidden": table.hidden, "protocol": once, "regularizer": regularizer}
            cell = first.setdefault(name, Cell(name, learn_first, what))
            if cell.arguments != what:
                raise ValueError(
                    f"{table.name} has {once} for {name!r}; expected {cell.arguments['protocol']}, as another"
                )
            for seed, method in product(range(study.protocol.seeds), study.methods):
                what = {"study": study, "regularizer": regularizer, "method": method, "seed": seed}
                pair = (study.second_cell(regularizer, "gradual", seed),) if method == "budget" else ()
                second.append(Cell(study.second_cell(regularizer, method, seed), learn_second, what, (name, *pair)))
    return [*first.values(), *second]
