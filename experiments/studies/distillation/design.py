"""The design of the distillation study: its presets, and how teachers and students are trained."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from experiments.frame.jobs import Result
from experiments.frame.source_and_target import measurements_of
from experiments.frame.task_specs import TaskSpec, network_name, small
from experiments.frame.training import TrainingFunction
from experiments.frame.workspace import Workspace
from npnet import Hyperparameters, Momentum, Network, Split, Task, TrainingJob, begin, cosine, error, generator, mlp
from npnet import distillation as distilling
from npnet import fine_tuning as learning
from npnet.tasks import Jittered

__all__ = ["HARD", "PRESETS", "SOURCE", "USUAL", "label_of", "learn_student", "learn_teacher", "student_setting"]

TEACHER, STUDENT, NARROW = (1200, 1200), (800, 800), (30, 30)
TEMPERATURES = (1.0, 2.0, 4.0, 8.0, 20.0, 50.0)
SOURCE = {"teacher": 0.67, "labels alone": 1.46, "T = 20": 0.74}
"""The source's errors in percent: of its teacher, and of its student from all examples."""

HARD, USUAL = "labels alone", "T = 20"

ALL_DIGITS = TaskSpec("mnist", train=55_000, validation=5_000, test=10_000, updates=8_250, rate=0.05, batch_size=100)
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {
        "teacher": replace(ALL_DIGITS, updates=16_500),
        "students": {
            100: replace(ALL_DIGITS, train=100, validation=2_000, updates=500),
            1_000: replace(ALL_DIGITS, train=1_000, validation=2_000, updates=2_000),
            10_000: replace(ALL_DIGITS, train=10_000, validation=2_000, updates=3_000),
            55_000: ALL_DIGITS,
        },
        "hidden": [TEACHER, STUDENT, NARROW],
        "temperatures": TEMPERATURES,
        "at": 10_000,
        "seeds": 5,
    },
    "smoke": {
        "teacher": small(TaskSpec("ac", train=60)),
        "students": {n: small(TaskSpec("ac", train=n)) for n in (20, 60)},
        "hidden": [(12, 12), (8, 8), (3, 3)],
        "temperatures": (1.0, 20.0),
        "at": 60,
        "seeds": 2,
    },
}
"""at: with how many examples the students learn at every temperature."""


def label_of(temperature: float | None) -> str:
    """Return what measurements of a student are called: its temperature, or that it learns from the labels alone."""
    return HARD if temperature is None else f"T = {temperature:g}"


def student_setting(hidden: Sequence[int], examples: int) -> str:
    """Return the setting of a student's measurements: its widths and its number of examples."""
    return f"{network_name(hidden)} from {examples}"


def training_settings(spec: TaskSpec) -> Hyperparameters:
    """Return momentum 0.9 and a rate that falls along a cosine to the end of the budget, without early stopping."""
    given = spec.hyperparameters()
    return replace(given, optimizer=Momentum(), rate=cosine(spec.rate, given.max_epochs), patience=None)


def begin_teacher(workspace: Workspace, spec: TaskSpec, hidden: tuple[int, ...], seed: int) -> TrainingJob:
    """Return the teacher at its start: half of the hidden units dropped, incoming weights no longer than 3."""
    task, rng = spec.load(seed), generator(seed, "teacher")
    jittered = Split(Jittered(task.train.inputs[:], 2, seed), task.train.labels)
    network = mlp((task.train.inputs.shape[-1], *hidden), {task.name: task.outputs}, rng, dropout=(0.5,) * len(hidden))
    run, settings = begin(replace(learning, surgery=_as_it_is), network, task, rng, training_settings(spec))
    return TrainingJob(run, {task.name: replace(task, train=jittered)}, replace(settings, max_norm=3.0))


def _as_it_is(network: Network, task: Task, rng: np.random.Generator, initialise: Any) -> Network:
    return network


def end_teacher(
    workspace: Workspace, training: TrainingJob, seconds: float, spec: TaskSpec, seed: int, **_: Any
) -> Result:
    """Leave the teacher as network.npz."""
    training.run.network.save(workspace.path / "network.npz")
    found = {"error": error(training.run.network, spec.task, spec.load(seed).test)}
    return measurements_of(training, seconds, "teacher", "dropout, max-norm, jitter", seed, found)


def begin_student(
    workspace: Workspace,
    spec: TaskSpec,
    hidden: tuple[int, ...],
    seed: int,
    teacher: str,
    temperature: float | None,
    **_: str,
) -> TrainingJob:
    """Return a student at its start: of one seed they all begin alike and see the same batches."""
    task, rng = spec.load(seed), generator(seed, "student")
    network = mlp((task.train.inputs.shape[-1], *hidden), {}, rng)
    method = learning
    if temperature is not None:
        method = distilling(Network.load(workspace.needed(teacher) / "network.npz"), temperature=temperature)
    run, settings = begin(method, network, task, rng, training_settings(spec))
    return TrainingJob(run, {task.name: task}, settings)


def end_student(
    workspace: Workspace,
    training: TrainingJob,
    seconds: float,
    spec: TaskSpec,
    seed: int,
    setting: str,
    label: str,
    **_: Any,
) -> Result:
    """Measure the error on the test set."""
    found = {"error": error(training.run.network, spec.task, spec.load(seed).test)}
    return measurements_of(training, seconds, setting, label, seed, found)


learn_teacher, learn_student = (
    TrainingFunction(begin_teacher, end_teacher),
    TrainingFunction(begin_student, end_student),
)
