"""Distillation: what a large network says of every class teaches a small one more than the labels do. By how much?

The teacher, 784-1200-1200-10 with dropout, max-norm constraints and images jittered by up to two pixels, learns all
digits. Students without any regularization learn from the labels alone, or distilled at temperature T as well: 800-800
as in the source, by the number of examples that they see; and 30-30, whose best T the source found to be lower.

Source: Hinton, Vinyals and Dean 2015, section 3; the three numbers as the lecture of 2018 shows them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from experiments.frame.grids import Grid
from experiments.frame.jobs import Job, Result
from experiments.frame.long_form import Findings, LongFormStudy
from experiments.frame.pictures import curve, picture
from experiments.frame.statistics import mean_sd
from experiments.frame.study import Plan
from experiments.frame.task_specs import TaskSpec, measurements_of, network_name, small
from experiments.frame.text import difference, number, spread
from experiments.frame.training import TrainingFunction
from experiments.frame.workspace import Workspace
from npnet import Hyperparameters, Momentum, Network, Replicate, Split, Task, begin, cosine, error, generator, mlp
from npnet import distillation as distilling
from npnet import fine_tuning as learning
from npnet.tasks import Jittered

__all__ = ["Distillation"]

TEACHER, STUDENT, NARROW = (1200, 1200), (800, 800), (30, 30)
TEMPERATURES = (1.0, 2.0, 4.0, 8.0, 20.0, 50.0)
SOURCE = {"teacher": 0.67, "labels alone": 1.46, "T = 20": 0.74}
"""The source's errors in percent: of its teacher, and of its student from all examples."""

HARD, USUAL = "labels alone", "T = 20"

ALL = TaskSpec("mnist", train=55_000, validation=5_000, test=10_000, updates=8_250, rate=0.05, batch_size=100)
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {
        "teacher": replace(ALL, updates=16_500),
        "students": {
            100: replace(ALL, train=100, validation=2_000, updates=500),
            1_000: replace(ALL, train=1_000, validation=2_000, updates=2_000),
            10_000: replace(ALL, train=10_000, validation=2_000, updates=3_000),
            55_000: ALL,
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


def _label(temperature: float | None) -> str:
    return HARD if temperature is None else f"T = {temperature:g}"


def _setting(hidden: Sequence[int], examples: int) -> str:
    return f"{network_name(hidden)} from {examples}"


def _settings(spec: TaskSpec) -> Hyperparameters:
    """Return momentum 0.9 and a rate that falls along a cosine to the end of the course, which no patience cuts."""
    given = spec.hyperparameters()
    return replace(given, optimizer=Momentum(), rate=cosine(spec.rate, given.max_epochs), patience=None)


def begin_teacher(workspace: Workspace, spec: TaskSpec, hidden: tuple[int, ...], seed: int) -> Replicate:
    """Return the teacher at its start: half of the hidden units dropped, incoming weights no longer than 3."""
    task, rng = spec.load(seed), generator(seed, "teacher")
    jittered = Split(Jittered(task.train.inputs[:], 2, seed), task.train.labels)
    network = mlp((task.train.inputs.shape[-1], *hidden), {task.name: task.outputs}, rng, dropout=(0.5,) * len(hidden))
    run, settings = begin(replace(learning, surgery=_as_it_is), network, task, rng, _settings(spec))
    return Replicate(run, {task.name: replace(task, train=jittered)}, replace(settings, max_norm=3.0))


def _as_it_is(network: Network, task: Task, rng: np.random.Generator, initialise: Any) -> Network:
    return network


def end_teacher(
    workspace: Workspace, replicate: Replicate, seconds: float, spec: TaskSpec, seed: int, **_: Any
) -> Result:
    """Leave the teacher as network.npz."""
    replicate.run.network.save(workspace.path / "network.npz")
    found = {"error": error(replicate.run.network, spec.task, spec.load(seed).test)}
    return measurements_of(replicate, seconds, "teacher", "dropout, max-norm, jitter", seed, found)


def begin_student(
    workspace: Workspace,
    spec: TaskSpec,
    hidden: tuple[int, ...],
    seed: int,
    teacher: str,
    temperature: float | None,
    **_: str,
) -> Replicate:
    """Return a student at its start: of one seed they all begin alike and see the same batches."""
    task, rng = spec.load(seed), generator(seed, "student")
    network = mlp((task.train.inputs.shape[-1], *hidden), {}, rng)
    method = learning
    if temperature is not None:
        method = distilling(Network.load(workspace.needed(teacher) / "network.npz"), temperature=temperature)
    run, settings = begin(method, network, task, rng, _settings(spec))
    return Replicate(run, {task.name: task}, settings)


def end_student(
    workspace: Workspace,
    replicate: Replicate,
    seconds: float,
    spec: TaskSpec,
    seed: int,
    setting: str,
    label: str,
    **_: Any,
) -> Result:
    """Measure the error on the test set."""
    found = {"error": error(replicate.run.network, spec.task, spec.load(seed).test)}
    return measurements_of(replicate, seconds, setting, label, seed, found)


learn_teacher, learn_student = (
    TrainingFunction(begin_teacher, end_teacher),
    TrainingFunction(begin_student, end_student),
)


@dataclass(frozen=True)
class Distillation(LongFormStudy):
    """Distil a large teacher of digits into small students: by temperature, and by the number of examples."""

    name: ClassVar[str] = "distillation"

    def plan(self) -> Plan:
        """Return what to run."""
        design = PRESETS[self.preset]
        (wide, usual, narrow), at, students = design["hidden"], design["at"], design["students"]
        ways = {(usual, n, t) for n in students for t in (None, 20.0)}
        ways |= {(hidden, at, t) for hidden in (usual, narrow) for t in (None, *design["temperatures"])}
        jobs = [
            Job(f"teacher-{seed}", learn_teacher, {"spec": design["teacher"], "hidden": wide, "seed": seed})
            for seed in range(design["seeds"])
        ]
        order = sorted(ways, key=lambda way: (way[0], way[1], way[2] or 0.0))
        for seed, (hidden, n, t) in product(range(design["seeds"]), order):
            what = {"spec": students[n], "hidden": hidden, "seed": seed, "teacher": f"teacher-{seed}"}
            names = {"temperature": t, "setting": _setting(hidden, n), "label": _label(t)}
            name = f"{network_name(hidden)}-{n}-{'hard' if t is None else f'T{t:g}'}-{seed}"
            jobs.append(Job(name, learn_student, what | names, (f"teacher-{seed}",)))
        configuration = {
            "experiment": self.name,
            **{key: design[key] for key in ("hidden", "temperatures", "at", "seeds")},
            "teacher": asdict(design["teacher"]),
            "students": {str(n): asdict(spec) for n, spec in students.items()},
        }
        return Plan(f"{len(jobs)} networks", configuration, jobs)

    @classmethod
    def tables(cls, found: Findings) -> list[Grid]:
        """Return our three numbers beside the source's, errors by the number of examples and by temperature."""
        return [_three(found), _by_examples(found), _by_temperature(found)]

    @classmethod
    def draw(cls, found: Findings, out: Path) -> dict[str, str]:
        """Draw the errors by the number of examples, and by temperature."""
        _draw(found, out / "distillation.png")
        words = "Test error by the number of examples and by temperature: mean and 95 % interval over seeds."
        return {"distillation.png": words}


def _sizes(found: Findings) -> list[int]:
    return sorted(map(int, found.about["students"]))


def _values(found: Findings, hidden: Sequence[int], examples: int, label: str) -> dict[int, float]:
    return found.values(_setting(hidden, examples), label)


def _three(found: Findings) -> Grid:
    wide, usual, _ = found.about["hidden"]
    examples = _sizes(found)[-1]
    rows = []
    for label, source in SOURCE.items():
        values = _values(found, usual, examples, label)
        if label == "teacher":
            values = found.values("teacher", "dropout, max-norm, jitter")
        who = f"teacher {network_name(wide)}" if label == "teacher" else f"student {network_name(usual)}, {label}"
        rows.append([who, spread(list(values.values()), 2), number(source, 2)])
    hard, distilled = (_values(found, usual, examples, label) for label in (HARD, USUAL))
    rows.append(["labels alone − distilled, points (95 %)", difference(hard, distilled, 2)[0], "0.72"])
    return Grid(f"Errors in percent from {examples:,} examples", ["", "here", "source"], rows)


def _by_examples(found: Findings) -> Grid:
    _, usual, _ = found.about["hidden"]
    curves = {label: [_values(found, usual, n, label) for n in _sizes(found)] for label in (HARD, USUAL)}
    rows = [[label, *(spread(list(values.values()), 2) for values in curve)] for label, curve in curves.items()]
    saved = [difference(hard, soft, 2)[0] for hard, soft in zip(curves[HARD], curves[USUAL], strict=True)]
    rows.append(["saved, points (95 %)", *saved])
    return Grid(f"{network_name(usual)} by examples: errors in percent", ["", *(f"{n:,}" for n in _sizes(found))], rows)


def _labels(found: Findings) -> list[str]:
    return [HARD, *map(_label, found.about["temperatures"])]


def _by_temperature(found: Findings) -> Grid:
    _, *students = found.about["hidden"]
    at, labels = found.about["at"], _labels(found)
    rows = [
        [network_name(hidden), *(spread(list(_values(found, hidden, at, label).values()), 2) for label in labels)]
        for hidden in students
    ]
    return Grid(f"By temperature, {at:,} examples: errors in percent", ["", *labels], rows)


def _draw(found: Findings, path: Path) -> None:
    wide, *students = found.about["hidden"]
    at, temperatures = found.about["at"], found.about["temperatures"]
    with picture(path, (5.2 + 3.4 * len(students), 3.4)) as figure:
        first, *others = figure.subplots(1, 1 + len(students))
        for label, colour in ((HARD, "#D55E00"), (USUAL, "#0072B2")):
            errors = [_values(found, students[0], n, label) for n in _sizes(found)]
            curve(first, _sizes(found), errors, color=colour, label=label)
        teacher = mean_sd(list(found.values("teacher", "dropout, max-norm, jitter").values()))[0]
        first.axhline(teacher, color="0.5", linestyle=":", label=f"teacher {network_name(wide)}")
        first.set(xscale="log", yscale="log", xlabel="examples", ylabel="test error (%)")
        first.set_xticks(_sizes(found), [f"{n:,}" for n in _sizes(found)])
        first.xaxis.minorticks_off()
        first.set_title(f"student {network_name(students[0])}", loc="left", weight="bold")
        first.legend(frameon=False)
        for panel, hidden in zip(others, students, strict=True):
            errors = [_values(found, hidden, at, _label(t)) for t in temperatures]
            curve(panel, temperatures, errors, color="#0072B2", label="distilled")
            hard = list(_values(found, hidden, at, HARD).values())
            panel.axhline(mean_sd(hard)[0], color="#D55E00", linestyle="--", label=HARD)
            panel.set(xscale="log", xlabel="temperature")
            panel.set_xticks(temperatures, [f"{t:g}" for t in temperatures])
            panel.minorticks_off()
            panel.set_title(f"{network_name(hidden)}, {at:,} examples", loc="left", weight="bold")
            panel.legend(frameon=False)
