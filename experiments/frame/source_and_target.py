"""The two training functions that most studies consist of: learn a source task, then a target task from its network.

The source function trains a new network on a task and saves it. The target function takes such a network, or an
untrained one, through another task by some method. Everything that a run draws (stimuli or split, head, order of
batches) follows from its seed alone, so the runs of one seed are pairs, whatever their method and source.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from experiments.frame.jobs import Result
from experiments.frame.provenance import environment
from experiments.frame.task_specs import TaskSpec, network_name
from experiments.frame.training import TrainingFunction
from experiments.frame.workspace import Workspace
from npnet import Method, Network, Run, TrainingJob, begin, error, generator, mlp

__all__ = ["TARGET", "begin_target", "end_target", "learn_source", "learn_target", "measurements_of", "source_setting"]

TARGET = "target"  # the head of the task that is learned second; the first one's has the name of its task


def begin_source(workspace: Workspace, spec: TaskSpec, hidden: tuple[int, ...], seed: int) -> TrainingJob:
    """Return a new network at its start on a task."""
    task, rng = spec.load(seed), generator(seed, "source", spec.task)
    network = mlp((task.train.inputs.shape[-1], *hidden), {task.name: task.outputs}, rng)
    return TrainingJob(Run(network, rng), {task.name: task}, spec.hyperparameters())


def end_source(
    workspace: Workspace, training: TrainingJob, seconds: float, spec: TaskSpec, hidden: tuple[int, ...], seed: int
) -> Result:
    """Leave the network as network.npz."""
    training.run.network.save(workspace.path / "network.npz")
    found = {"error": error(training.run.network, spec.task, training.tasks[spec.task].test)}
    return measurements_of(training, seconds, source_setting(spec.task, hidden), "scratch", seed, found)


def source_setting(task: str, hidden: Sequence[int]) -> str:
    """Return what the measurements of a source job are called, with the method "scratch"."""
    return f"source {task} {network_name(hidden)}"


def begin_target(
    workspace: Workspace,
    spec: TaskSpec,
    hidden: tuple[int, ...],
    seed: int,
    source: str | None,
    method: Callable[[], Method],
    **names: str,
) -> TrainingJob:
    """Return the network that job `source` left, or without one an untrained network, at its start on a task.

    method: returns it; a name or a partial of the library's, because what these return cannot be pickled.
    """
    task = replace(spec.load(seed), name=TARGET)
    if source is None:
        network = mlp((task.train.inputs.shape[-1], *hidden), {}, generator(seed, "untrained"))
    else:
        network = Network.load(workspace.needed(source) / "network.npz")
    rng = generator(seed, "target", spec.task)
    run, settings = begin(method(), network, task, rng, spec.hyperparameters())
    return TrainingJob(run, {TARGET: task}, settings)


def end_target(
    workspace: Workspace, training: TrainingJob, seconds: float, seed: int, setting: str, label: str, **arguments: Any
) -> Result:
    """Measure the error on the target's test set."""
    found = {"error": error(training.run.network, TARGET, training.tasks[TARGET].test)}
    return measurements_of(training, seconds, setting, label, seed, found)


learn_source = TrainingFunction(begin_source, end_source)
"""Called with spec, hidden, seed."""

learn_target = TrainingFunction(begin_target, end_target)
"""Called with spec, hidden, seed, source, method, and what the measurements are called: setting, label."""


def measurements_of(
    training: TrainingJob, seconds: float, setting: str, label: str, seed: int, found: Mapping[str, float]
) -> Result:
    """Return the result of a training job: what was found, its least validation error and its epochs."""
    history = [record["error"] for record in training.run.history]
    numbers = {**found, "validation": min(history), "epochs": float(len(history))}
    return {
        "measurements": [[setting, label, seed, metric, value] for metric, value in numbers.items()],
        "errors": history,
        "seconds": seconds,
        "environment": environment(),
    }
