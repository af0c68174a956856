"""What is left of an old task: was it only misread by a head that fits no more, or were the features lost?

The old task's test error, read in three ways: by its own head as it is; by the same head with its biases alone fitted
again; by a new head that is trained on the frozen features (a probe). What a reading recovers was never forgotten. R²
says how much of each unit's activation, on the old task's test images, the activation before explains.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from experiments.frame.jobs import Job, Result
from experiments.frame.provenance import environment
from experiments.frame.training import TrainingFunction
from experiments.frame.workspace import Workspace
from experiments.studies.tables.design import TableDesign, TrainingProtocol
from experiments.studies.tables.transfer import load_protocol_task
from npnet import (
    Hyperparameters,
    Network,
    Split,
    TrainingJob,
    begin,
    constant,
    cross_entropy,
    error,
    generator,
    probe,
)
from npnet.losses import Loss
from npnet.measures import r_squared
from npnet.tasks import batch

__all__ = ["probe_job", "probe_jobs", "probed", "refitted"]


def probe_job(task: str, network: str) -> str:
    """Return the name of the job that reads a task from the network that another job leaves."""
    return f"probe-{task}-{network}"


def probe_jobs(designs: Sequence[TableDesign]) -> list[Job]:
    """Return a job for every network that the jobs of some tables leave, and every old task."""
    jobs: dict[str, Job] = {}
    for design in designs:
        for regularizer, seed in product(design.regularizers, range(design.protocol.seeds)):
            first, once = design.first_job(regularizer, seed), design.protocol.of(seed)
            networks = [first, *(design.second_job(regularizer, method, seed) for method in design.methods)]
            for network, task in product(networks, design.table.first):
                what = {"protocol": once, "before": first, "network": network, "task": task}
                name, needs = probe_job(task, network), tuple(dict.fromkeys((first, network)))
                jobs[name] = Job(name, learn_probe, what, needs)
    return list(jobs.values())


def begin_probe(workspace: Workspace, protocol: TrainingProtocol, before: str, network: str, task: str) -> TrainingJob:
    """Return a network with a new head for the old task, which alone will be trained."""
    old = replace(load_protocol_task(task, protocol), name="probe")
    settings = Hyperparameters(rate=constant(0.1), patience=5, max_epochs=min(50, protocol.max_epochs_b))
    start = Network.load(workspace.needed(network) / "network.npz")
    run, settings = begin(probe(), start, old, generator(protocol.data_seed, "probe"), settings)
    return TrainingJob(run, {"probe": old}, settings)


def end_probe(
    workspace: Workspace,
    training: TrainingJob,
    seconds: float,
    protocol: TrainingProtocol,
    before: str,
    network: str,
    task: str,
) -> Result:
    """Measure what the other readings recover, and what became of the units."""
    old = training.tasks["probe"]
    then, now = (Network.load(workspace.needed(name) / "network.npz") for name in (before, network))
    return {
        "probe_error": error(training.run.network, "probe", old.test),
        "refitted_error": error(refitted(now, task, old.validation), task, old.test),
        "r_squared": [float(np.nanmean(layer)) for layer in r_squared(then, now, old.test)],
        "seconds": seconds,
        "environment": environment(),
    }


learn_probe = TrainingFunction(begin_probe, end_probe)


def refitted(network: Network, head: str, split: Split, of: Loss = cross_entropy) -> Network:
    """Return the network with a head's biases fitted to the least loss on a split, all else as it is."""
    from scipy.optimize import minimize

    rows = [slice(start, start + 1000) for start in range(0, len(split), 1000)]
    Z = np.concatenate([network.logits(batch(split, part, network.dtype), head) for part in rows]).astype(np.float64)

    def loss(shift: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, dZ = of(Z + shift, split.labels)
        return float(value), dZ.sum(0)

    old = network.heads[head]
    shift = minimize(loss, np.zeros(len(old["b"])), jac=True).x
    return replace(network, heads={**network.heads, head: {**old, "b": old["b"] + shift.astype(network.dtype)}})


def probed(design: TableDesign, task: str, result: Result) -> Iterator[tuple[str, float]]:
    """Yield (metric, value) of a probe's result; several first tasks have their names behind the metric."""
    name = f":{task}" if len(design.table.first) > 1 else ""
    for metric in ("probe_error", "refitted_error"):
        yield metric + name, result[metric]
    for layer, value in enumerate(result["r_squared"], 1):
        yield f"r_squared_{layer}{name}", value
