"""What to do with a network and a new task: the four scenarios, a target small or large, similar or different.

The review's advice: for few and similar data a linear classifier on the top features; for few and different data one
on lower features; for many data, similar or different, fine tuning through the whole network, though with many and
different data one might expect to afford training from scratch. Each is put beside all the others, and beside Gradual
Tuning, in each of the four corners.

Source: the review of 2017 on fine tuning, its four scenarios.
"""

from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from experiments.cells import Cell
from experiments.courses import SOURCES, Course, learn_source, learn_target, small
from experiments.experiment import Job
from experiments.grids import Grid
from experiments.pictures import picture
from experiments.statistics import interval, mean_sd
from experiments.survey import Findings, Survey
from experiments.text import difference, spread
from npnet import FineTuning, GradualTuning, Method, probe

__all__ = ["Scenarios"]

Preset = Literal["smoke", "quick"]
Corner = tuple[str, str]

HIDDEN = (300, 300, 300)
CORNERS: tuple[Corner, ...] = tuple(product(("small", "large"), ("similar", "different")))

_DIGITS = {"similar": "mnist59", "different": "fashion59"}
_LINES = {"similar": "ac", "different": "sbt"}
_FEW, _MANY = {"validation": 500, "updates": 3_000, "patience": 1_000}, {"updates": 20_000, "patience": 7_000}

TARGETS: dict[str, dict[Corner, Course]] = {
    "digits": {
        **{("small", kind): Course(task, 100, **_FEW) for kind, task in _DIGITS.items()},
        **{("large", kind): Course(task, 20_000, **_MANY) for kind, task in _DIGITS.items()},
    },
    "lines": {
        **{("small", kind): Course(task, 500, **_FEW) for kind, task in _LINES.items()},
        **{("large", kind): Course(task, 40_000, **_MANY) for kind, task in _LINES.items()},
    },
}
"""The corners of each family. Similar: the same kind of image and question. Different: clothing for digits; whether a
triangle is sharp or blunt for whether two segments meet or cross."""

PROBES = tuple(f"linear on layer {n}" for n in range(len(HIDDEN), 0, -1))
METHODS = (*PROBES, "fine", "gradual", "scratch")
LOWER = "linear on a lower layer"  # which one, each seed's validation set decides
ADVICE: dict[Corner, str] = {
    ("small", "similar"): PROBES[0],
    ("small", "different"): LOWER,
    ("large", "similar"): "fine",
    ("large", "different"): "fine",
}


def method_named(name: str) -> Method:
    """Return a method of METHODS; "scratch" is fine tuning of an untrained network."""
    if name in PROBES:
        return probe(int(name.split()[-1]))
    return Method(name, policy=GradualTuning() if name == "gradual" else FineTuning())


@dataclass(frozen=True)
class Scenarios(Survey):
    """Ask what to do with a network and a new task, small or large, similar or different: seven ways, in four corners.

    Attributes:
        preset: "quick" is the whole study, "smoke" takes seconds, to see that it works.
    """

    name: ClassVar[str] = "scenarios"

    out: Path = Path("results/scenarios")
    preset: Preset = "quick"

    def job(self) -> Job:
        """Return what to run."""
        smoke = self.preset == "smoke"
        families = ["lines"] if smoke else list(TARGETS)
        sources = {family: small(SOURCES[family]) if smoke else SOURCES[family] for family in families}
        targets = {
            family: {corner: small(course) if smoke else course for corner, course in TARGETS[family].items()}
            for family in families
        }
        seeds = 2 if smoke else 5
        cells = [
            Cell(f"source-{family}-{seed}", learn_source, {"course": course, "hidden": HIDDEN, "seed": seed})
            for family, course in sources.items()
            for seed in range(seeds)
        ]
        for family, seed, corner, method in product(families, range(seeds), CORNERS, METHODS):
            source = None if method == "scratch" else f"source-{family}-{seed}"
            what = {
                "course": targets[family][corner],
                "hidden": HIDDEN,
                "seed": seed,
                "source": source,
                "method": partial(method_named, method),
                "setting": _setting(family, corner),
                "label": method,
            }
            name = f"{family}-{'-'.join(corner)}-{method.replace(' ', '-')}-{seed}"
            cells.append(Cell(name, learn_target, what, (source,) if source else ()))
        configuration: dict[str, Any] = {
            "experiment": self.name,
            "hidden": list(HIDDEN),
            "seeds": list(range(seeds)),
            "sources": {family: asdict(course) for family, course in sources.items()},
            "targets": {
                _setting(family, corner): asdict(course)
                for family, corners in targets.items()
                for corner, course in corners.items()
            },
        }
        return Job(f"{len(cells)} networks", configuration, cells)

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


def _setting(family: str, corner: Corner) -> str:
    return f"{family}, {', '.join(corner)}"


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
    course = found.about["targets"][_setting(family, corner)]
    return f"{course['train']:,} {course['task']}"


def _errors(found: Findings, family: str) -> Grid:
    header = ["", *(f"{', '.join(corner)}:\n{_task(found, family, corner)}" for corner in CORNERS)]
    rows = [
        [method, *(spread(list(_values(found, family, corner, method).values()), 2) for corner in CORNERS)]
        for method in (*METHODS, LOWER)
    ]
    source = found.about["sources"][family]
    return Grid(f"From {source['train']:,} {source['task']}: errors on the target in percent", header, rows)


def _verdicts(found: Findings) -> Grid:
    """Return the advised method beside the best of the others in each corner, paired by seed."""
    rows = []
    for family, corner in product(found.about["sources"], CORNERS):
        advised = _values(found, family, corner, ADVICE[corner])
        lower = ADVICE[corner] == LOWER
        others = {
            method: mean_sd(list(values.values()))[0]
            for method in METHODS
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
            for row, method in enumerate(reversed(METHODS)):
                values = list(_values(found, family, corner, method).values())
                if values:
                    face = "#0072B2" if method in advised else "white"
                    bar = np.nan_to_num(interval(values))
                    panel.plot(values, [row] * len(values), ".", color="0.7", markersize=4)
                    panel.errorbar(
                        mean_sd(values)[0], row, xerr=bar, fmt="o", color="#0072B2", markerfacecolor=face, elinewidth=1
                    )
            panel.set_yticks(range(len(METHODS)), reversed(METHODS) if c % 2 == 0 else [])
            panel.grid(axis="x", color="0.92")
            panel.set_title(f"{', '.join(corner)}: {_task(found, family, corner)}", loc="left", weight="bold")
            if c >= 2:
                panel.set_xlabel("test error (%)")
