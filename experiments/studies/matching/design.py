"""The design of the matching study: what is matched, in which rows of which table, and the jobs.

"same": the student learns the teacher's own task. "other": it learns another one, and a branch, a head of the size of
the teacher's, is to answer the new images as the teacher does; the oracle is a student of the same shape that
learned the source task itself and is tuned. Students have two hidden layers as wide as the teacher's three.

A fully connected layer has no places to attend to. "channels" is the attention map over the patches that a first layer
is shared over, from a teacher with such a layer to a student with one; it is compared with such students' own errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from experiments.frame.jobs import Job, Result
from experiments.frame.source_and_target import TARGET, end_target, measurements_of
from experiments.frame.study import Preset
from experiments.frame.task_specs import TaskSpec
from experiments.frame.tasks import per_class
from experiments.frame.training import TrainingFunction
from experiments.frame.workspace import Workspace
from experiments.studies.matching.parts import ORACLE, OTHER, PARTS, SAME
from npnet import (
    Method,
    Network,
    Run,
    Task,
    TrainingJob,
    begin,
    error,
    generator,
    mlp,
)
from npnet.methods.method import with_head
from npnet.tasks import in_patches

__all__ = ["ALL", "PRESETS", "MatchingDesign", "matching_jobs", "matching_setting"]

ALL = 0  # examples a class, where it means all that there are


@dataclass(frozen=True)
class MatchingDesign:
    """All that the numbers depend on.

    Attributes:
        same: {family: (the teacher's specification, the student's)}, both on one task.
        other: the same where the student learns another task.
        per_class: numbers of training examples a class of students in `same`.
        per_class_other: the same in `other`.
        teacher: hidden widths of teachers.
        student: hidden widths of students.
        channels: width of a first layer that is shared over patches, in place of the first width.
        patches: how many patches such a layer is shared over.
        seeds: repetitions.
    """

    same: Mapping[str, tuple[TaskSpec, TaskSpec]]
    other: Mapping[str, tuple[TaskSpec, TaskSpec]]
    per_class: tuple[int, ...] = (1, 5, 10, 50, 100, 500, ALL)
    per_class_other: tuple[int, ...] = (5, 10, 25, 50, ALL)
    teacher: tuple[int, ...] = (200, 200, 200)
    student: tuple[int, ...] = (200, 200)
    channels: int = 16
    patches: int = 16
    seeds: int = 5


_TINY = TaskSpec("ac", train=60, validation=40, test=50, updates=9, patience=6)
_DIGITS, _FEW_DIGITS = (
    TaskSpec("mnist", train=55_000, validation=1_000, test=10_000, updates=27_500),
    TaskSpec("mnist59", train=5_000, validation=1_000, test=5_000, updates=6_000),
)
_LINES, _FEW_LINES = (
    TaskSpec("cnc", train=20_000, validation=1_000, test=4_000, updates=30_000),
    TaskSpec("ac", train=5_000, validation=1_000, test=4_000, updates=6_000),
)

PRESETS: dict[Preset, MatchingDesign] = {
    "quick": MatchingDesign(
        {
            "digits": (_DIGITS, replace(_DIGITS, updates=6_000)),
            "lines": (_LINES, replace(_LINES, updates=6_000)),
        },
        {
            "digits": (replace(_DIGITS, task="mnist04", train=20_000, test=5_000), _FEW_DIGITS),
            "lines": (replace(_LINES, train=60_000), _FEW_LINES),
        },
    ),
    "smoke": MatchingDesign(
        {"lines": (_TINY, _TINY)},
        {"lines": (replace(_TINY, task="acl"), _TINY)},
        (1, ALL),
        (ALL,),
        (6, 5),
        (5,),
        2,
        16,
        2,
    ),
}


def matching_setting(table: str, family: str, n: int) -> str:
    """Return what measurements are called: the table, the family and the number of examples a class."""
    return f"{table}, {family}: {n or 'all'} a class"


def learned(spec: TaskSpec, seed: int, patches: int, n: int = ALL) -> tuple[Task, TaskSpec]:
    """Return the task with n examples a class, its pixels in patches, and the specification for so few.

    At most 150 epochs, but never fewer than 600 updates unless the specification itself has fewer.
    """
    task = spec.load(seed)
    if n:
        task = replace(task, train=per_class(task.train, n))
    if patches > 1:
        side = round(task.train.inputs.shape[-1] ** 0.5)
        task = in_patches(task, side, side // round(patches**0.5))
    steps = -(-len(task.train) // spec.batch_size)
    updates = min(spec.updates, max(600, 150 * steps))
    return task, replace(spec, train=len(task.train), updates=updates, patience=max(updates // 3, 1))


def begin_matching_teacher(
    workspace: Workspace, spec: TaskSpec, hidden: tuple[int, ...], patches: int, seed: int, role: str
) -> TrainingJob:
    """Return a teacher, or the oracle's source network, at its start."""
    (task, spec), rng = learned(spec, seed, patches), generator(seed, role)
    network = mlp((task.train.inputs.shape[-1], *hidden), {task.name: task.outputs}, rng, patches=patches)
    return TrainingJob(Run(network, rng), {task.name: task}, spec.hyperparameters())


def end_matching_teacher(
    workspace: Workspace,
    training: TrainingJob,
    seconds: float,
    spec: TaskSpec,
    patches: int,
    seed: int,
    role: str,
    **_: Any,
) -> Result:
    """Leave it as network.npz."""
    training.run.network.save(workspace.path / "network.npz")
    found = {"error": error(training.run.network, spec.task, training.tasks[spec.task].test)}
    return measurements_of(training, seconds, f"{role} {spec.task}", "patches" if patches > 1 else "whole", seed, found)


def begin_matching_student(
    workspace: Workspace,
    spec: TaskSpec,
    n: int,
    hidden: tuple[int, ...],
    patches: int,
    seed: int,
    teacher: str,
    parts: tuple[str, ...],
    oracle: str | None,
    branch: bool,
    **names: str,
) -> TrainingJob:
    """Return a student at its start: of one seed they begin alike, but for the oracle's, and see the same batches."""
    task, spec = learned(spec, seed, patches, n)
    task, rng = replace(task, name=TARGET), generator(seed, "student")
    guide = Network.load(workspace.needed(teacher) / "network.npz")
    heads = {name: len(p["b"]) for name, p in guide.heads.items()} if branch else {}
    network = mlp((task.train.inputs.shape[-1], *hidden), {}, rng, patches=patches)
    if oracle is not None:
        network = replace(Network.load(workspace.needed(oracle) / "network.npz"), heads={})
    for name, classes in heads.items():
        network = network.add_head(name, classes, generator(seed, "branch"))
    method = sum((PARTS[part](guide, next(iter(heads), None)) for part in parts), Method("CE", with_head))
    run, settings = begin(method, network, task, rng, spec.hyperparameters())
    return TrainingJob(run, {TARGET: task}, settings)


learn_teacher, learn_student = (
    TrainingFunction(begin_matching_teacher, end_matching_teacher),
    TrainingFunction(begin_matching_student, end_target),
)


def matching_jobs(design: MatchingDesign) -> list[Job]:
    """Return the teachers, with and without patches, the oracle's source networks, then all students."""
    jobs: list[Job] = []

    def teach(name: str, spec: TaskSpec, role: str, hidden: tuple[int, ...], patches: int, seed: int) -> str:
        what = {"spec": spec, "hidden": hidden, "patches": patches, "seed": seed, "role": role}
        jobs.append(Job(f"{name}-{seed}", learn_teacher, what))
        return jobs[-1].name

    def learn(table: str, family: str, spec: TaskSpec, sizes: tuple[int, ...], seed: int, *ends: str) -> None:
        for n, (label, parts) in product(sizes, (SAME if table == "same" else OTHER).items()):
            shared = label.startswith("patches")
            teacher, oracle = ends[shared], ends[1] if label == ORACLE else None
            what = {"spec": spec, "n": n, "seed": seed, "teacher": teacher, "parts": parts, "oracle": oracle}
            what["hidden"] = (design.channels, *design.student[1:]) if shared else design.student
            what |= {"patches": design.patches if shared else 1, "branch": table == "other" and bool(parts)}
            what |= {"setting": matching_setting(table, family, n), "label": label}
            name = f"{table}-{family}-{n or 'all'}-{label}-{seed}".translate(str.maketrans(" :,+()", "______"))
            jobs.append(Job(name, learn_student, what, (teacher, *([oracle] if oracle else []))))

    for seed in range(design.seeds):
        for family, (teachers, spec) in design.same.items():
            whole = teach(f"teacher-{family}", teachers, "teacher", design.teacher, 1, seed)
            hidden = (design.channels, *design.teacher[1:])
            shared = teach(f"patched-{family}", teachers, "teacher", hidden, design.patches, seed)
            learn("same", family, spec, design.per_class, seed, whole, shared)
        for family, (source, spec) in design.other.items():
            whole = teach(f"source-{family}", source, "source", design.teacher, 1, seed)
            oracle = teach(f"oracle-{family}", source, "oracle", design.student, 1, seed)
            learn("other", family, spec, design.per_class_other, seed, whole, oracle)
    return jobs
