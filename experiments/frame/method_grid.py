"""A comparison: ways of learning some targets from one or two sources, every way with every target and seed."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from itertools import product
from re import sub
from typing import Any, ClassVar

from experiments.frame.jobs import Cell
from experiments.frame.long_form import Survey
from experiments.frame.study import Job
from experiments.frame.task_specs import Course, learn_source, learn_target, small
from experiments.frame.training import Lesson
from npnet import Method

__all__ = ["HIDDEN", "SCRATCH", "SOURCES", "Comparison", "Targets", "Ways"]

HIDDEN = (200, 200, 200)
SCRATCH = "scratch"  # the way that begins with an untrained network

SOURCES = {
    "digits": Course("mnist04", 20_000, updates=15_000, patience=15_000),
    "lines": Course("acl", 60_000, updates=24_000, patience=24_000),
}
"""What is learned first, by the name of a family of tasks that have inputs of one kind."""

Targets = Mapping[str, tuple[str, Course]]
Ways = Mapping[str, Callable[[], Method]]


@dataclass(frozen=True)
class Comparison(Survey):
    """What all comparisons have in common.

    targets: {what it is called: (family, course)}. ways: {what it is called: what returns the method}, names of the
    library's or partials of them. Measurements have the one as their setting, the other as their method. lesson: what
    every way is taken through, called as learn_target is, and with the source's own course as `learned` where
    `remembers` says so.
    """

    targets: ClassVar[Targets]
    ways: ClassVar[Ways]
    lesson: ClassVar[Lesson] = learn_target
    remembers: ClassVar[bool] = False

    def job(self) -> Job:
        """Return what to run: five seeds of everything; to see that it works, two of what needs no files."""
        smoke = self.preset == "smoke"
        families, seeds = (["lines"], 2) if smoke else (list(SOURCES), 5)
        sources = {family: small(SOURCES[family]) if smoke else SOURCES[family] for family in families}
        targets = {
            name: (family, small(course) if smoke else course)
            for name, (family, course) in self.targets.items()
            if family in families
        }
        cells = [
            Cell(f"source-{family}-{seed}", learn_source, {"course": course, "hidden": HIDDEN, "seed": seed})
            for (family, course), seed in product(sources.items(), range(seeds))
        ]
        for seed, (setting, (family, course)), (label, method) in product(
            range(seeds), targets.items(), self.ways.items()
        ):
            source = None if label == SCRATCH else f"source-{family}-{seed}"
            what = {"course": course, "hidden": HIDDEN, "seed": seed, "source": source, "method": method}
            name = sub(r"[^\w+]+", "-", f"{setting} {label} {seed}")
            called: dict[str, Any] = {"setting": setting, "label": label}
            if self.remembers:
                called = {**called, "learned": sources[family]}
            cells.append(Cell(name, self.lesson, what | called, (source,) if source else ()))
        configuration = {
            "experiment": self.name,
            "hidden": list(HIDDEN),
            "seeds": list(range(seeds)),
            "ways": list(self.ways),
            "sources": {family: asdict(course) for family, course in sources.items()},
            "targets": {name: asdict(course) for name, (_, course) in targets.items()},
        }
        return Job(f"{len(cells)} networks", configuration, cells)
