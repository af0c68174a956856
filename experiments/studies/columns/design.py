"""The design of the study of sequences: the tasks and their order, the methods, and the jobs."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from experiments.frame.jobs import Job, Result
from experiments.frame.source_and_target import learn_source, learn_target, measurements_of
from experiments.frame.task_specs import TaskSpec
from experiments.frame.training import TrainingFunction
from experiments.frame.workspace import Workspace
from npnet import GradualTuning, HeadOnly, Method, Network, TrainingJob, begin, error, generator, probe, progressive
from npnet.columns.network import columns_of
from npnet.trees import leaves

__all__ = ["FIRST", "HIDDEN", "METHODS", "SEQUENCES", "UNTRAINED", "after", "before", "learn_next", "sequence_jobs"]

HIDDEN = (200, 200)
_IMAGES, _LINES = ("mnist04", "mnist59", "fashion04", "fashion59"), ("cnc", "sbl", "ac", "at", "sbt")

SEQUENCES: dict[str, tuple[TaskSpec, ...]] = {
    "images": tuple(TaskSpec(task, train=10_000, updates=30_000, patience=3_500) for task in _IMAGES),
    "lines": tuple(TaskSpec(task, train=20_000, updates=45_000, patience=5_000) for task in _LINES),
}
"""Families of tasks, in the order in which they are learned."""

METHODS: Mapping[str, Callable[[], Method]] = {
    "head": partial(Method, "head", policy=HeadOnly()),
    "fine": partial(Method, "fine"),
    "gradual": partial(Method, "gradual", policy=GradualTuning()),
    "columns, linear": partial(progressive, "linear"),
    "columns, adapters": partial(progressive, "adapter"),
}
ALONE, FIRST, UNTRAINED = "alone", "first", "untrained"


def begin_next(
    workspace: Workspace, learned: tuple[TaskSpec, ...], seed: int, before: str, method: Any, **names: str
) -> TrainingJob:
    """Return the network that job `before` left at its start on the last of the tasks to be learned so far."""
    spec = learned[-1]
    task = spec.load(seed)
    network = Network.load(workspace.needed(before) / "network.npz")
    run, settings = begin(method(), network, task, generator(seed, "target", task.name), spec.hyperparameters())
    return TrainingJob(run, {task.name: task}, settings)


def end_next(
    workspace: Workspace,
    training: TrainingJob,
    seconds: float,
    learned: tuple[TaskSpec, ...],
    seed: int,
    family: str,
    label: str,
    **_: Any,
) -> Result:
    """Leave the network as network.npz, with a row of the error matrix and how many numbers it has learned so far."""
    network = training.run.network
    network.save(workspace.path / "network.npz")
    found = {f"error on {c.task}": error(network, c.task, c.load(seed).test) for c in learned}
    size = sum(w.size for each in (network, *columns_of(network)) for _, w in leaves([each.trunk, each.heads]))
    found["parameters"] = float(size)
    return measurements_of(training, seconds, after(family, learned[-1].task), label, seed, found)


def after(family: str, task: str) -> str:
    """Return what measurements are called that are made when a task of a family was just learned."""
    return f"{family} after {task}"


def before(family: str, task: str) -> str:
    """Return what the measurement is called of a new head on what there is before a task is learned."""
    return f"{family}: {task} before"


learn_next = TrainingFunction(begin_next, end_next)


def sequence_jobs(family: str, specs: tuple[TaskSpec, ...], seed: int) -> list[Job]:
    """Return the jobs of one seed: every task alone, then every method through all of them, and probes before each."""
    alone = [f"{family}-{ALONE}-{spec.task}-{seed}" for spec in specs]
    jobs = [
        Job(name, learn_source, {"spec": spec, "hidden": HIDDEN, "seed": seed})
        for name, spec in zip(alone, specs, strict=True)
    ]

    def probed(k: int, source: str | None, label: str) -> Job:
        """A new head on what there is before task k."""
        what = {"spec": specs[k], "hidden": HIDDEN, "seed": seed, "source": source, "method": probe}
        names = {"setting": before(family, specs[k].task), "label": label}
        name = f"{family}-before-{specs[k].task}-{label.replace(', ', '-')}-{seed}"
        return Job(name, learn_target, {**what, **names}, (source,) if source else ())

    jobs += [probed(k, None, UNTRAINED) for k in range(1, len(specs))]
    jobs.append(probed(1, alone[0], FIRST))
    for label, method in METHODS.items():
        last = alone[0]
        for k in range(1, len(specs)):
            if k > 1:
                jobs.append(probed(k, last, label))
            name = f"{family}-{label.replace(', ', '-')}-{specs[k].task}-{seed}"
            what = {"learned": specs[: k + 1], "seed": seed, "before": last, "method": method}
            jobs.append(Job(name, learn_next, {**what, "family": family, "label": label}, (last,)))
            last = name
    return jobs
