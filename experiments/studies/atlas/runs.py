"""The jobs of the atlas: an old task for each seed, every method with all of its settings, and a probe of each.

A run leaves its network, and what its heads say of validation and test examples; what is measured is computed from
these afterwards. So a new measure needs no new training. Everything that a run draws (examples or split, first network,
new head, order of batches) follows from its seed alone: runs of one seed are pairs.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from experiments.frame.files import read_json
from experiments.frame.jobs import Job, Result
from experiments.frame.provenance import environment
from experiments.frame.source_and_target import TARGET, begin_source
from experiments.frame.task_specs import TaskSpec
from experiments.frame.tasks import rows_of
from experiments.frame.training import TrainingFunction
from experiments.frame.workspace import Workspace
from experiments.studies.atlas.design import AtlasDesign, Pair
from experiments.studies.atlas.methods import METHODS, Try
from npnet import (
    SGD,
    Hyperparameters,
    Network,
    NotFiniteError,
    ProximalSGD,
    Split,
    Task,
    TrainingJob,
    begin,
    constant,
    error,
    fisher_information,
    generator,
    mlp,
    probe,
    remember,
    save_tree,
    train,
)
from npnet.columns import ColumnNetwork
from npnet.tasks import batch

__all__ = ["AtMost", "atlas_jobs", "probe_name", "run_name", "source_name"]

_BLOCK = 1000  # examples whose outputs are computed at a time
_FISHER = 2_000  # old images that the Fisher information is a mean over


def source_name(pair: Pair, seed: int) -> str:
    """Return the name of the job that learns a pair's old task; pairs with one old task share it."""
    return f"source-{pair.source.task}-{seed}"


def run_name(pair: Pair, method: str, tried: Try, seed: int) -> str:
    """Return the name of the job that learns a pair's new task."""
    return "-".join([pair.name, method.replace(" ", "-"), *(f"{number:g}" for number in tried), str(seed)])


def probe_name(network: str) -> str:
    """Return the name of the job that reads the old task from the features of another job's network."""
    return f"probe-{network}"


def atlas_jobs(design: AtlasDesign) -> list[Job]:
    """Return all jobs: the old tasks first, then pair by pair and seed by seed."""
    jobs: dict[str, Job] = {}
    for pair, seed in ((pair, seed) for pair in design.pairs for seed in range(design.seeds)):
        once: dict[str, Any] = {"hidden": design.hidden, "seed": seed}
        source = source_name(pair, seed)
        jobs[source] = Job(source, learn_old, {"spec": pair.source, **once})
        what = {"spec": pair.source, "seed": seed, "network": source, "source": source}
        jobs[probe_name(source)] = Job(probe_name(source), measure_probe, what, (source,))
    for pair, seed, method, tried in _runs(design):
        name, source = run_name(pair, method, tried, seed), source_name(pair, seed)
        what = {"pair": pair, "hidden": design.hidden, "seed": seed, "method": method, "tried": tried}
        jobs[name] = Job(name, learn_new, what, (source,))
        what = {"spec": pair.source, "seed": seed, "network": name, "source": source}
        jobs[probe_name(name)] = Job(probe_name(name), measure_probe, what, (probe_name(source), name))
    return list(jobs.values())


def _runs(design: AtlasDesign) -> Iterator[tuple[Pair, int, str, Try]]:
    for pair in design.pairs:
        for seed in range(design.seeds):
            for method, tries in pair.tries.items():
                yield from ((pair, seed, method, tried) for tried in tries)


@dataclass(frozen=True)
class Timed(TrainingFunction):
    """A training function that also says how many seconds the processor worked, without drawing or reading images.

    A run whose numbers cease to be finite has a result too: that they did.
    """

    def __call__(self, workspace: Workspace, **arguments: Any) -> Result:
        """Train to the end. cpu_seconds is None for a run that was stopped and went on."""
        pair, seed = arguments.get("pair"), arguments["seed"]
        if isinstance(pair, Pair):  # the process keeps them
            pair.old(seed), pair.new(seed)
        resumed, start = (workspace.path / "checkpoint.npz").exists(), time.process_time()
        try:
            result = super().__call__(workspace, **arguments)
        except NotFiniteError as failure:
            result = {"failed": str(failure), "seconds": time.process_time() - start, "environment": environment()}
        return {**result, "cpu_seconds": None if resumed else time.process_time() - start}


def end_old(
    workspace: Workspace, training: TrainingJob, seconds: float, spec: TaskSpec, hidden: tuple[int, ...], seed: int
) -> Result:
    """Leave the network, once with its Fisher information, of mean 1 over the weights, and what its head says."""
    network, task = training.run.network, training.tasks[spec.task]
    network.save(workspace.path / "network.npz")
    information = fisher_information(network, spec.task, rows_of(task.train, slice(_FISHER)))
    weights = [layer["W"] for layer in information]
    mean = sum(float(F.sum(dtype=np.float64)) for F in weights) / sum(F.size for F in weights)
    scaled = [{name: F / F.dtype.type(mean) for name, F in layer.items()} for layer in information]
    remember(network, spec.task, scaled).save(workspace.path / "remembered.npz")
    save_tree(workspace.path / "predictions.npz", {"old": _said(network, spec.task, task)})
    return {"seconds": seconds, "epochs": len(training.run.history), "environment": environment()}


learn_old = TrainingFunction(begin_source, end_old)


def begin_new(
    workspace: Workspace, pair: Pair, hidden: tuple[int, ...], seed: int, method: str, tried: Try
) -> TrainingJob:
    """Return the run of a method at its start on the new task.

    Joint training sees a random old example with each new one, so as many new ones as the other methods.
    """
    of, new = METHODS[method], replace(pair.new(seed), name=TARGET)
    if of.untrained:
        network = mlp((new.train.inputs.shape[-1], *hidden), {}, generator(seed, "untrained"))
    else:
        kept = "remembered" if method == "l2_sp_fisher" else "network"
        network = Network.load(workspace.needed(source_name(pair, seed)) / f"{kept}.npz")
    settings = replace(
        pair.target.hyperparameters(),
        rate=constant(tried[0]),
        optimizer=ProximalSGD() if of.proximal else SGD(),
    )
    run, settings = begin(of.make(tried[-1]), network, new, generator(seed, "target", pair.target.task), settings)
    tasks = {TARGET: new}
    if of.old_data:
        tasks |= {pair.source.task: pair.old(seed)}
        settings = replace(settings, together="mean", order=AtMost(len(new.train)))
    return TrainingJob(run, tasks, settings)


@dataclass(frozen=True)
class AtMost:
    """The order of examples that has so many of them in an epoch at most, drawn anew for each epoch."""

    examples: int

    def __call__(self, rng: np.random.Generator, epoch: int, examples: int) -> Any:
        """Return the rows of an epoch."""
        return rng.permutation(examples)[: self.examples]


def end_new(
    workspace: Workspace,
    training: TrainingJob,
    seconds: float,
    pair: Pair,
    hidden: tuple[int, ...],
    seed: int,
    method: str,
    tried: Try,
) -> Result:
    """Leave the network, and what its heads say of both tasks."""
    network = replace(training.run.network, memories={})
    network.save(workspace.path / "network.npz")
    said = {"new": _said(network, TARGET, training.tasks[TARGET])}
    if not METHODS[method].untrained:
        said["old"] = _said(network, pair.source.task, pair.old(seed))
    save_tree(workspace.path / "predictions.npz", said)
    history = training.run.history
    return {
        "updates": history[-1]["updates"],
        "epochs": len(history),
        "kept_epoch": training.run.best["epoch"],
        "seconds": seconds,
        "environment": environment(),
    }


learn_new = Timed(begin_new, end_new)


def _said(network: Network, head: str, task: Task) -> dict[str, Any]:
    """Return the classes that a head sees in validation and test examples, and their labels."""

    def classes(split: Split) -> Any:
        blocks = [slice(at, at + _BLOCK) for at in range(0, len(split), _BLOCK)]
        logits = [network.logits(batch(split, rows, network.dtype), head) for rows in blocks]
        return np.concatenate(logits).argmax(-1).astype(np.uint8)

    splits = {"validation": task.validation, "test": task.test}
    return {name: {"said": classes(of), "labels": of.labels.astype(np.uint8)} for name, of in splits.items()}


def measure_probe(workspace: Workspace, spec: TaskSpec, seed: int, network: str, source: str) -> Result:
    """Train a new head for the old task on a network's features, and measure it: what it gets was never forgotten.

    The features are those that the old head reads; where they are those from before to the bit, so is the head.
    """
    start = time.monotonic()
    if not (path := workspace.needed(network) / "network.npz").exists():
        return {"failed": "its run left no network", "seconds": 0.0, "environment": environment()}
    now, before = (_old_column(Network.load(each)) for each in (path, workspace.needed(source) / "network.npz"))
    if network != source and _same_features(now, before):
        known = read_json(workspace.needed(probe_name(source)) / "result.json")
        return {**known, "seconds": time.monotonic() - start}
    old = replace(spec.load(seed), name="probe")
    settings = Hyperparameters(50, constant(0.1), patience=3, max_epochs=20)
    run, settings = begin(probe(), now, old, generator(seed, "probe"), settings)
    for _ in train(run, {"probe": old}, settings):
        workspace.stop_if_asked()
    errors = {name: error(run.network, "probe", getattr(old, name)) for name in ("validation", "test")}
    return {"probe": errors, "seconds": time.monotonic() - start, "environment": environment()}


def _old_column(network: Network) -> Network:
    return network.columns[0] if isinstance(network, ColumnNetwork) else network


def _same_features(one: Network, other: Network) -> bool:
    layers = zip(one.trunk, other.trunk, strict=True)
    return all(np.array_equal(p[key], q[key]) for p, q in layers for key in p)
