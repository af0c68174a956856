"""The two jobs of a transfer study: a network learns the first task, and from that network each run learns the second.

Both methods of a pair start from one generator: the same new head, the same order of batches. Errors are percent
misclassified, on validation sets while a run goes on, on test sets for the weights that it keeps.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from experiments.frame.files import read_json
from experiments.frame.jobs import Job, Result
from experiments.frame.provenance import environment
from experiments.frame.tasks import Sizes, load_task
from experiments.frame.training import TrainingFunction
from experiments.frame.workspace import Workspace
from experiments.studies.tables.design import REGULARIZERS, Pixels, Regularization, TableDesign, TrainingProtocol
from npnet import (
    Discriminative,
    EqualBudget,
    GradualByEpoch,
    GradualTuning,
    Hyperparameters,
    Method,
    Network,
    Run,
    Split,
    Task,
    TrainingJob,
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

__all__ = ["hyperparameters", "learn_first", "learn_second", "leave", "load_protocol_task", "table_jobs"]


L2_SP = 0.01
"""α of the methods with l2_sp: about what validation chooses in the study of starting points."""


def method_of(name: str, protocol: TrainingProtocol, epochs: int = 1) -> Method:
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


def load_protocol_task(name: str, protocol: TrainingProtocol) -> Task:
    """Return a task with the protocol's numbers of examples; the process keeps it for its next jobs."""
    return _load_task(name, protocol.data_seed, protocol.sizes, protocol.pixels)


@lru_cache(maxsize=6)
def _load_task(name: str, seed: int, sizes: Sizes, pixels: Pixels) -> Task:
    task = load_task(name, seed, sizes)
    if pixels == "unit":
        return task
    images = task.train.inputs[:]
    centre, width = (127.5, 127.5) if pixels == "centred" else (images.mean(), images.std())

    def scaled(split: Split) -> Split:
        return Split((split.inputs[:].astype(np.float32) - np.float32(centre)) / np.float32(width), split.labels)

    return replace(task, train=scaled(task.train), validation=scaled(task.validation), test=scaled(task.test))


def hyperparameters(protocol: TrainingProtocol, regularization: Regularization, max_epochs: int) -> Hyperparameters:
    """Return how every run of a row is trained."""
    return Hyperparameters(
        batch_size=protocol.batch_size,
        rate=constant(protocol.rate),
        regularizers=regularization.regularizers(protocol.l1_scale, protocol.l1_biases),
        patience=protocol.patience,
        max_epochs=max_epochs,
        keep=protocol.keep,
        patience_restarts=protocol.patience_restarts,
        together=protocol.together,
    )


def begin_first(
    workspace: Workspace, first: tuple[str, ...], hidden: tuple[int, ...], protocol: TrainingProtocol, regularizer: str
) -> TrainingJob:
    """Return a new network at its start on the first task or tasks."""
    tasks = {name: load_protocol_task(name, protocol) for name in first}
    rng = generator(protocol.data_seed, "first", *first)  # the same start under every regularizer
    widths = (next(iter(tasks.values())).train.inputs.shape[-1], *hidden)
    network = mlp(
        widths,
        {name: task.outputs for name, task in tasks.items()},
        rng,
        INITIALISERS[protocol.initialise],
        dropout=REGULARIZERS[regularizer].rates(len(hidden)),
    )
    return TrainingJob(
        Run(network, rng), tasks, hyperparameters(protocol, REGULARIZERS[regularizer], protocol.max_epochs_a)
    )


def end_first(workspace: Workspace, training: TrainingJob, seconds: float, **arguments: Any) -> Result:
    """Leave the network as network.npz."""
    errors = {name: error(training.run.network, name, task.test) for name, task in training.tasks.items()}
    return leave(workspace, training, seconds, {"before": errors})


def begin_second(workspace: Workspace, design: TableDesign, regularizer: str, method: str, seed: int) -> TrainingJob:
    """Return the first network at its start on the second task."""
    table, protocol = design.table, design.protocol.of(seed)
    first = {name: load_protocol_task(name, protocol) for name in table.first}
    second = load_protocol_task(table.second, protocol)
    paired = read_json(workspace.needed(design.second_job(regularizer, "gradual", seed)) / "result.json") or {
        "history": [1]
    }
    run, settings = begin(
        method_of(method, protocol, len(paired["history"])),
        Network.load(workspace.needed(design.first_job(regularizer, seed)) / "network.npz"),
        second,
        generator(seed, "second", table.second),  # the same for all methods
        hyperparameters(protocol, REGULARIZERS[regularizer], protocol.max_epochs_b),
        INITIALISERS[protocol.initialise_head or protocol.initialise],
    )
    if method == "budget":
        settings = replace(settings, patience=None)
    watched = {name: (name, task.validation) for name, task in first.items()}
    return TrainingJob(run, {second.name: second}, settings, watched)


def end_second(
    workspace: Workspace,
    training: TrainingJob,
    seconds: float,
    design: TableDesign,
    regularizer: str,
    method: str,
    seed: int,
) -> Result:
    """Measure what the second task did to the first."""
    network, second = training.run.network, design.table.second
    first = {name: load_protocol_task(name, design.protocol.of(seed)) for name in design.table.first}
    before = read_json(workspace.needed(design.first_job(regularizer, seed)) / "result.json")["errors"]["before"]
    errors = {
        "before": before,
        "after": {name: error(network, name, task.test) for name, task in first.items()},
        "second": error(network, second, training.tasks[second].test),
    }
    return leave(workspace, training, seconds, errors)


learn_first = TrainingFunction(begin_first, end_first)
learn_second = TrainingFunction(begin_second, end_second)


def leave(workspace: Workspace, training: TrainingJob, seconds: float, errors: dict) -> Result:
    """Leave the network in the job's folder and return the result that belongs to it."""
    run, keep = training.run, training.settings.keep
    run.network.save(workspace.path / "network.npz")
    return {
        "errors": errors,
        "history": run.history,
        "kept_epoch": run.best["epoch"] if keep == "best" else len(run.history),
        "seconds": seconds,
        "environment": environment(),
    }


def table_jobs(designs: Sequence[TableDesign]) -> list[Job]:
    """Return the jobs of some tables: first networks for each regularizer, then from them every seed and method.

    Tables that begin with the same network share its job. Raises ValueError where they do not agree on it.
    """
    first: dict[str, Job] = {}
    second: list[Job] = []
    for design in designs:
        table = design.table
        for regularizer in design.regularizers:
            for network in design.protocol.first_networks:
                name, once = design.first_job(regularizer, network), design.protocol.of(network)
                what = {"first": table.first, "hidden": table.hidden, "protocol": once, "regularizer": regularizer}
                job = first.setdefault(name, Job(name, learn_first, what))
                if job.arguments != what:
                    raise ValueError(
                        f"{table.name} has {once} for {name!r}; expected {job.arguments['protocol']}, as another"
                    )
            for seed, method in product(range(design.protocol.seeds), design.methods):
                what = {"design": design, "regularizer": regularizer, "method": method, "seed": seed}
                needs = [design.first_job(regularizer, seed)]
                needs += [design.second_job(regularizer, "gradual", seed)] * (method == "budget")
                second.append(Job(design.second_job(regularizer, method, seed), learn_second, what, tuple(needs)))
    return [*first.values(), *second]
