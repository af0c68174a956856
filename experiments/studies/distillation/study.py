"""Distillation: how much more do a large network's outputs teach a small one than labels do?

The teacher, 784-1200-1200-10 with dropout, max-norm constraints and images jittered by up to two pixels, learns all
digits. Students without any regularization learn from the labels alone, or distilled at temperature T as well: 800-800
as in the source, by the number of examples that they see; and 30-30, whose best T the source found to be lower.

Source: Hinton, Vinyals and Dean 2015, section 3; the three numbers as the lecture of 2018 shows them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import ClassVar

from experiments.frame.grids import Grid
from experiments.frame.jobs import Job
from experiments.frame.long_form import Findings, LongFormStudy
from experiments.frame.pictures import curve, picture
from experiments.frame.statistics import mean_sd
from experiments.frame.study import Plan
from experiments.frame.task_specs import network_name
from experiments.frame.text import difference, number, spread
from experiments.studies.distillation.design import (
    HARD,
    PRESETS,
    SOURCE,
    USUAL,
    label_of,
    learn_student,
    learn_teacher,
    student_setting,
)

__all__ = ["Distillation"]


@dataclass(frozen=True)
class Distillation(LongFormStudy):
    """Distil a large network into small ones.

    Students learn digits from a teacher's outputs, at several temperatures and from several numbers of examples."""

    name: ClassVar[str] = "distillation"

    def plan(self) -> Plan:
        """Return what to run."""
        design = PRESETS[self.preset]
        (wide, usual, narrow), at, students = design["hidden"], design["at"], design["students"]
        kinds = {(usual, n, t) for n in students for t in (None, 20.0)}
        kinds |= {(hidden, at, t) for hidden in (usual, narrow) for t in (None, *design["temperatures"])}
        jobs = [
            Job(f"teacher-{seed}", learn_teacher, {"spec": design["teacher"], "hidden": wide, "seed": seed})
            for seed in range(design["seeds"])
        ]
        order = sorted(kinds, key=lambda kind: (kind[0], kind[1], kind[2] or 0.0))
        for seed, (hidden, n, t) in product(range(design["seeds"]), order):
            what = {"spec": students[n], "hidden": hidden, "seed": seed, "teacher": f"teacher-{seed}"}
            names = {"temperature": t, "setting": student_setting(hidden, n), "label": label_of(t)}
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
        """Return our three numbers with the source's, errors by the number of examples and by temperature."""
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
    return found.values(student_setting(hidden, examples), label)


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
    return [HARD, *map(label_of, found.about["temperatures"])]


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
            errors = [_values(found, hidden, at, label_of(t)) for t in temperatures]
            curve(panel, temperatures, errors, color="#0072B2", label="distilled")
            hard = list(_values(found, hidden, at, HARD).values())
            panel.axhline(mean_sd(hard)[0], color="#D55E00", linestyle="--", label=HARD)
            panel.set(xscale="log", xlabel="temperature")
            panel.set_xticks(temperatures, [f"{t:g}" for t in temperatures])
            panel.minorticks_off()
            panel.set_title(f"{network_name(hidden)}, {at:,} examples", loc="left", weight="bold")
            panel.legend(frameon=False)
