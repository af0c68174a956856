"""What to do with a network and a new task: the four scenarios, a target small or large, similar or different.

The review's advice: for few and similar data a linear classifier on the top features; for few and different data one
on lower features; for many data, similar or different, fine tuning through the whole network, though with many and
different data one might expect to afford training from scratch. Each is compared with all the others, and with Gradual
Tuning, in each of the four corners.

Source: the review of 2017 on fine tuning, its four scenarios.
"""

from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import ClassVar

import numpy as np

from experiments.frame.grids import Grid
from experiments.frame.long_form import Findings
from experiments.frame.method_grid import HIDDEN, SCRATCH, Methods, MethodsByTargets, Targets
from experiments.frame.pictures import picture
from experiments.frame.statistics import interval, mean_sd
from experiments.frame.task_specs import TaskSpec
from experiments.frame.text import difference, spread
from npnet import GradualTuning, Method, probe

__all__ = ["Scenarios"]

Corner = tuple[str, str]

CORNERS: tuple[Corner, ...] = tuple(product(("small", "large"), ("similar", "different")))
_TASKS = {
    "digits": {"similar": "mnist59", "different": "fashion59"},
    "lines": {"similar": "ac", "different": "sbt"},
}
"""Similar: the same kind of image and question. Different: clothing for digits; whether a triangle is sharp or blunt
for whether two segments meet or cross."""

PROBES = tuple(f"linear on layer {n}" for n in range(len(HIDDEN), 0, -1))
LOWER = "linear on a lower layer"  # which one, each seed's validation set decides
ADVICE: dict[Corner, str] = {
    ("small", "similar"): PROBES[0],
    ("small", "different"): LOWER,
    ("large", "similar"): "fine",
    ("large", "different"): "fine",
}


def _setting(family: str, corner: Corner) -> str:
    return f"{family}, {', '.join(corner)}"


def _spec(family: str, corner: Corner) -> TaskSpec:
    """Return how the target in a corner is learned."""
    size, kind = corner
    task = _TASKS[family][kind]
    if size == "small":
        return TaskSpec(task, train=100 if family == "digits" else 500, validation=500, updates=3_000, patience=1_000)
    return TaskSpec(task, train=20_000, updates=60_000, patience=6_000)


@dataclass(frozen=True)
class Scenarios(MethodsByTargets):
    """Find the best method for small, large, near, far targets.

    A network knows one task. The new task has few or many examples, and is similar or different: four scenarios, each
    with six methods."""

    name: ClassVar[str] = "scenarios"
    targets: ClassVar[Targets] = {_setting(*place): (place[0], _spec(*place)) for place in product(_TASKS, CORNERS)}
    methods: ClassVar[Methods] = {
        **{name: partial(probe, len(HIDDEN) - i) for i, name in enumerate(PROBES)},
        "fine": partial(Method, "fine"),
        "gradual": partial(Method, "gradual", policy=GradualTuning()),
        SCRATCH: partial(Method, SCRATCH),
    }

    @classmethod
    def tables(cls, found: Findings) -> list[Grid]:
        """Return the errors of each family, and how the advice does in each corner."""
        return [*(_errors(found, family) for family in found.about["sources"]), _verdicts(found)]

    @classmethod
    def draw(cls, found: Findings, out: Path) -> dict[str, str]:
        """Draw the four corners of each family."""
        _draw(found, out / "corners.png")
        words = (
            "Test error in the four corners; bars: 95 % interval of the mean over seeds, small points: seeds. Filled: "
            "what the review advises."
        )
        return {"corners.png": words}


def _values(found: Findings, family: str, corner: Corner, method: str) -> dict[int, float]:
    """Return {seed: test error}; of LOWER, of the lower layer with the least validation error, of equals the higher."""
    setting = _setting(family, corner)
    if method != LOWER:
        return found.values(setting, method)
    lower = PROBES[1:]
    validation = [found.values(setting, name, "validation") for name in lower]
    chosen = {
        seed: min(range(len(lower)), key=lambda i: validation[i][seed])
        for seed in set.intersection(*map(set, validation))
    }
    return {seed: found.values(setting, lower[i])[seed] for seed, i in sorted(chosen.items())}


def _task(found: Findings, family: str, corner: Corner) -> str:
    spec = found.about["targets"][_setting(family, corner)]
    return f"{spec['train']:,} {spec['task']}"


def _errors(found: Findings, family: str) -> Grid:
    header = ["", *(f"{', '.join(corner)}:\n{_task(found, family, corner)}" for corner in CORNERS)]
    rows = [
        [method, *(spread(list(_values(found, family, corner, method).values()), 2) for corner in CORNERS)]
        for method in (*found.about["methods"], LOWER)
    ]
    source = found.about["sources"][family]
    return Grid(f"From {source['train']:,} {source['task']}: errors on the target in percent", header, rows)


def _verdicts(found: Findings) -> Grid:
    """Return the advised method against the best of the others in each corner, paired by seed."""
    rows = []
    for family, corner in product(found.about["sources"], CORNERS):
        advised = _values(found, family, corner, ADVICE[corner])
        lower = ADVICE[corner] == LOWER
        others = {
            method: mean_sd(list(values.values()))[0]
            for method in found.about["methods"]
            if method != ADVICE[corner] and not (lower and method in PROBES[1:])
            for values in [_values(found, family, corner, method)]
            if values
        }
        if not advised or not others:
            continue
        best = min(others, key=lambda method: others[method])
        values = _values(found, family, corner, best)
        rows.append([_setting(family, corner), ADVICE[corner], best, *difference(advised, values, 2)])
    header = ["", "advised", "best of the others", "advised − that, points (95 %)", "p"]
    return Grid("Does the advice hold?", header, rows)


def _draw(found: Findings, path: Path) -> None:
    families = list(found.about["sources"])
    with picture(path, (0.6 + 5.2 * len(families), 5.4)) as figure:
        panels = figure.subplots(2, 2 * len(families), squeeze=False)
        for (f, family), (c, corner) in product(enumerate(families), enumerate(CORNERS)):
            panel = panels[c // 2, 2 * f + c % 2]
            advised = PROBES[1:] if ADVICE[corner] == LOWER else (ADVICE[corner],)
            for row, method in enumerate(reversed(found.about["methods"])):
                values = list(_values(found, family, corner, method).values())
                if values:
                    face = "#0072B2" if method in advised else "white"
                    bar = np.nan_to_num(interval(values))
                    panel.plot(values, [row] * len(values), ".", color="0.7", markersize=4)
                    panel.errorbar(
                        mean_sd(values)[0], row, xerr=bar, fmt="o", color="#0072B2", markerfacecolor=face, elinewidth=1
                    )
            panel.set_yticks(range(len(found.about["methods"])), reversed(found.about["methods"]) if c % 2 == 0 else [])
            panel.grid(axis="x", color="0.92")
            panel.set_title(f"{', '.join(corner)}:\n{_task(found, family, corner)}", loc="left", weight="bold")
            if c >= 2:
                panel.set_xlabel("test error (%)")
