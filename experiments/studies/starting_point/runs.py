"""Fine tuning under penalties that remember the starting point: the runs of the study, a few of them in each job.

A network learns a source task with much data. From there it learns a target task with 30, 60 or 100 images a class,
under every penalty over its whole grid of strengths, for every seed. Each of these runs leaves its validation error and
all measures of its end; which strengths a penalty is judged with is decided afterwards, by validation errors alone (see
the results). So the choice costs no runs of its own, and the same runs draw the Pareto fronts.

Source: Li, Grandvalet and Davoine 2018, sections 3 and 4. What differs: the networks are perceptrons; they descend
without momentum, 20 images a batch, at the paper's rates in effect (0.005, 0.01, 0.02 over 1 − 0.9); the rate is chosen
for a target before any penalty, by the runs without one. As in the paper the number of steps is fixed, the rate falls
to a tenth after two thirds of them, and the last weights count.
"""

import time
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from experiments.frame.files import read_json
from experiments.frame.jobs import Job, Result
from experiments.frame.provenance import environment
from experiments.frame.study import Preset
from experiments.frame.tasks import rows_of
from experiments.frame.training import TrainingFunction
from experiments.frame.workspace import Workspace
from experiments.studies.starting_point.design import (
    PRESETS,
    PenaltyMethod,
    StartingPointDesign,
    TaskPair,
    methods_for,
    options,
)
from experiments.studies.starting_point.tasks import few_of, load_pair
from npnet import (
    SGD,
    Freeze,
    Hyperparameters,
    Network,
    NotFiniteError,
    ProximalSGD,
    Run,
    Task,
    TrainingJob,
    begin,
    constant,
    error,
    fisher_information,
    generator,
    mlp,
    remember,
    starting_point,
    step,
    train,
)
from npnet.measures import r_squared

__all__ = ["choose_rate", "run_name", "starting_point_jobs", "sweep_strengths"]

_BATCH = 20
_QUARTILES = (25, 50, 75)


def starting_point_jobs(preset: Preset) -> list[Job]:
    """Return the jobs: a source network for each pair, a rate for each size, every method and seed over its grid."""
    p = PRESETS[preset]
    jobs = [
        Job(f"{pair.name}-source", TrainingFunction(begin_pair_source, end_pair_source), {"protocol": p, "pair": pair})
        for pair in reversed(p.pairs)
    ]
    for pair, size in product(p.pairs, p.sizes):
        what: dict[str, Any] = {"protocol": p, "pair": pair, "size": size}
        needs = (f"{pair.name}-source", f"{pair.name}-{size}-rate")
        jobs.append(Job(needs[1], choose_rate, what, needs[:1]))
        for method, seed in product(methods_for(p, pair, size), range(p.seeds)):
            jobs.append(
                Job(
                    run_name(pair, size, method, seed), sweep_strengths, {**what, "method": method, "seed": seed}, needs
                )
            )
    return jobs


def run_name(pair: TaskPair, size: int, method: PenaltyMethod, seed: int) -> str:
    """Return the name of the job that has one seed's runs."""
    return f"{pair.name}-{size}-{method.penalty}-{method.method}-{seed}"


def begin_pair_source(workspace: Workspace, protocol: StartingPointDesign, pair: TaskPair) -> TrainingJob:
    """Return a new network at its start on the source task."""
    task, _ = load_pair(pair, protocol)
    rng = generator(protocol.data_seed, "first", pair.source)  # as in the tables of Gradual Tuning
    network = mlp((task.train.inputs.shape[-1], *protocol.hidden), {pair.source: task.outputs}, rng)
    settings = Hyperparameters(
        _BATCH, constant(0.01), patience=protocol.source_patience, max_epochs=protocol.source_epochs
    )
    return TrainingJob(Run(network, rng), {pair.source: task}, settings)


def end_pair_source(
    workspace: Workspace, training: TrainingJob, seconds: float, protocol: StartingPointDesign, pair: TaskPair
) -> Result:
    """Leave the network with its Fisher information, as network.npz.

    The information is divided by its mean over the trunk's weights, so that α says the same with it and without it: its
    mean is 1 then. What it was is in the result.
    """
    network, task = training.run.network, training.tasks[pair.source]
    information = fisher_information(network, pair.source, rows_of(task.train, slice(protocol.fisher)))
    weights = [layer["W"] for layer in information]
    mean = sum(float(F.sum(dtype=np.float64)) for F in weights) / sum(F.size for F in weights)
    scaled = [{name: F / F.dtype.type(mean) for name, F in layer.items()} for layer in information]
    remember(network, pair.source, scaled).save(workspace.path / "network.npz")
    return {
        "error": error(network, pair.source, task.test),
        "fisher_mean": mean,
        "fisher_largest": max(float(F.max()) for F in weights),
        "kept_epoch": training.run.best["epoch"],
        "epochs": len(training.run.history),
        "weights": [F.size for F in weights],
        "units": [F.shape[-1] for F in weights],
        "seconds": seconds,
        "environment": environment(),
    }


def choose_rate(workspace: Workspace, protocol: StartingPointDesign, pair: TaskPair, size: int) -> Result:
    """Return the rate of least validation error without a penalty, the mean over all seeds; of equals the lowest."""
    start, begun = _source_network(workspace, pair), time.monotonic()
    _, target = load_pair(pair, protocol)
    errors = {}
    for rate in protocol.rates:
        found = []
        for seed in range(protocol.seeds):
            task = few_of(target, size, seed)
            network = _fine_tune(start, task, PenaltyMethod("none"), (0.0, 0.0), rate, protocol, seed)
            found.append(100.0 if network is None else error(network, task.name, task.validation))
        errors[rate] = sum(found) / len(found)
    return {
        "rate": min(errors, key=lambda rate: errors[rate]),
        "validation": list(errors.values()),
        "seconds": time.monotonic() - begun,
        "environment": environment(),
    }


def sweep_strengths(
    workspace: Workspace, protocol: StartingPointDesign, pair: TaskPair, size: int, method: PenaltyMethod, seed: int
) -> Result:
    """Run one method with one seed over its whole grid, and measure every end."""
    start, begun = _source_network(workspace, pair), time.monotonic()
    source, target = load_pair(pair, protocol)
    task = few_of(target, size, seed)
    rate = read_json(workspace.needed(f"{pair.name}-{size}-rate") / "result.json")["rate"]
    saved = workspace.resume() or {"runs": [], "seconds": 0.0}
    runs: list[dict[str, Any]] = saved["runs"]
    for option in options(protocol, method)[len(runs) :]:
        network = _fine_tune(start, task, method, option, rate, protocol, seed)
        measured = {} if network is None else _measure(start, network, source, task)
        runs.append({"alpha": option[0], "beta": option[1], **measured})
        workspace.show(epoch=len(runs))
        workspace.checkpoint(lambda: {"runs": runs, "seconds": saved["seconds"] + time.monotonic() - begun})
        workspace.stop_if_asked()
    seconds = saved["seconds"] + time.monotonic() - begun
    return {"runs": runs, "seconds": seconds, "environment": environment()}


def _source_network(workspace: Workspace, pair: TaskPair) -> Network:
    return Network.load(workspace.needed(f"{pair.name}-source") / "network.npz")


def _fine_tune(
    start: Network,
    task: Task,
    method: PenaltyMethod,
    option: tuple[float, float],
    rate: float,
    protocol: StartingPointDesign,
    seed: int,
) -> Network | None:
    """Return the network after the target task, None where its numbers ceased to be finite.

    Every method of a seed begins with the same head and sees the same batches. Nothing is stopped early, and the last
    weights are kept, so that what training itself validates with decides nothing: a batch of what it trains on.
    """
    epochs = max(1, round(protocol.iterations / -(-len(task.train) // _BATCH)))
    settings = Hyperparameters(
        _BATCH,
        step(rate, -(-2 * epochs // 3)),
        ProximalSGD() if method.method == "proximal" else SGD(),
        patience=None,
        max_epochs=epochs,
        keep="last",
    )
    penalty = "l2" if method.penalty == "none" else method.penalty
    surgery = starting_point(penalty, *option, policy=Freeze(method.frozen))
    run, settings = begin(surgery, start, task, generator(seed, "target", task.name), settings)
    watched = replace(task, validation=rows_of(task.train, slice(_BATCH)))
    try:
        for _ in train(run, {task.name: watched}, settings):
            pass
    except NotFiniteError:
        return None
    return run.network


def _measure(start: Network, network: Network, source: Task, task: Task) -> dict[str, Any]:
    """Return the measures of a run's end: errors in percent, and for each hidden layer, from the bottom

    weights, units   how many weights, and units with all their fan-in, are exactly where they began (biases aside)
    r_squared        mean and quartiles of R² over the units, on the training images, as in the paper
    """
    still = [now["W"] == then["W"] for now, then in zip(network.trunk, start.trunk, strict=True)]
    return {
        "validation": error(network, task.name, task.validation),
        "test": error(network, task.name, task.test),
        "source": error(network, source.name, source.test),
        "weights": [int(layer.sum()) for layer in still],
        "units": [int(layer.all(0).sum()) for layer in still],
        "r_squared": [_summary(values) for values in r_squared(start, network, task.train)],
    }


def _summary(values: np.ndarray) -> list[float] | None:
    known = values[~np.isnan(values)]
    return [float(each) for each in (known.mean(), *np.percentile(known, _QUARTILES))] if len(known) else None
