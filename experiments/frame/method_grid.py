"""Studies of methods by targets: every method learns every target, from one or two sources, with every seed."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from itertools import product
from re import sub
from typing import Any, ClassVar

from experiments.frame.jobs import Job
from experiments.frame.long_form import LongFormStudy
from experiments.frame.source_and_target import learn_source, learn_target
from experiments.frame.study import Plan
from experiments.frame.task_specs import TaskSpec, small
from experiments.frame.training import TrainingFunction
from npnet import Method

__all__ = ["HIDDEN", "SCRATCH", "SOURCES", "Methods", "MethodsByTargets", "Targets"]

HIDDEN = (200, 200, 200)
SCRATCH = "scratch"  # the method that begins with an untrained network

SOURCES = {
    "digits": TaskSpec("mnist04", train=20_000, updates=15_000, patience=15_000),
    "lines": TaskSpec("acl", train=60_000, updates=24_000, patience=24_000),
}
"""What is learned first, by the name of a family of tasks that have inputs of one kind."""

Targets = Mapping[str, tuple[str, TaskSpec]]
Methods = Mapping[str, Callable[[], Method]]


@dataclass(frozen=True)
class MethodsByTargets(LongFormStudy):
    """What all studies of methods by targets have in common.

    Attributes:
        targets: {name: (family, specification)}; the name is the setting of the measurements.
        methods: {name: a function that returns the method}; a name or a partial of the library, which pickle.
        training: the training function of every method, called as `learn_target` is.
        remembers: whether `training` is also given the source's own specification, as `learned`.
    """

    targets: ClassVar[Targets]
    methods: ClassVar[Methods]
    training: ClassVar[TrainingFunction] = learn_target
    remembers: ClassVar[bool] = False

    def plan(self) -> Plan:
        """Return what to run: five seeds of everything; to see that it works, two of what needs no files."""
        smoke = self.preset == "smoke"
        families, seeds = (["lines"], 2) if smoke else (list(SOURCES), 5)
        sources = {family: small(SOURCES[family]) if smoke else SOURCES[family] for family in families}
        targets = {
            name: (family, small(spec) if smoke else spec)
            for name, (family, spec) in self.targets.items()
            if family in families
        }
        jobs = [
            Job(f"source-{family}-{seed}", learn_source, {"spec": spec, "hidden": HIDDEN, "seed": seed})
            for (family, spec), seed in product(sources.items(), range(seeds))
        ]
        for seed, (setting, (family, spec)), (label, method) in product(
            range(seeds), targets.items(), self.methods.items()
        ):
            source = None if label == SCRATCH else f"source-{family}-{seed}"
            what = {"spec": spec, "hidden": HIDDEN, "seed": seed, "source": source, "method": method}
            name = sub(r"[^\w+]+", "-", f"{setting} {label} {seed}")
            called: dict[str, Any] = {"setting": setting, "label": label}
            if self.remembers:
                called = {**called, "learned": sources[family]}
            jobs.append(Job(name, self.training, what | called, (source,) if source else ()))
        configuration = {
            "experiment": self.name,
            "hidden": list(HIDDEN),
            "seeds": list(range(seeds)),
            "methods": list(self.methods),
            "sources": {family: asdict(spec) for family, spec in sources.items()},
            "targets": {name: asdict(spec) for name, (_, spec) in targets.items()},
        }
        return Plan(f"{len(jobs)} networks", configuration, jobs)
