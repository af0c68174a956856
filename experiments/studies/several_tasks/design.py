"""The design of the study of several tasks: the tasks, how their losses can be weighed, how a network is trained."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import combinations, product
from typing import Any, Literal

import numpy as np

from experiments.frame.jobs import Result
from experiments.frame.source_and_target import measurements_of
from experiments.frame.task_specs import TaskSpec
from experiments.frame.training import TrainingFunction
from experiments.frame.workspace import Workspace
from npnet import Adam, Run, Task, Terms, TrainingJob, cosine, cross_entropy, error, generator, mlp, squared_error
from npnet.tasks import line_tasks

__all__ = [
    "ALL",
    "ALTERNATE",
    "EQUAL",
    "FACTORS",
    "HIDDEN",
    "LEARNED",
    "SEARCHED",
    "SLOW",
    "SPEC",
    "UNITS",
    "Weighting",
    "learn_weighted",
    "name_alone",
    "weightings_of",
]

HIDDEN = (200, 200)
UNITS = {"label": (1.0, "class, %"), "angle": (180.0, "angle, degrees"), "lengths": (32.0, "lengths, px")}
"""The tasks: by what an error is multiplied, and what it is then. Targets are fractions of 180 degrees and of 32 px."""

SPEC = TaskSpec("sbt", train=30_000, updates=18_000, rate=0.0003)
FACTORS = (1, 10, 100, 1_000)
"""What the grid search tries for the angle and for the lengths; the class has 1."""

LEARNED = {"uncertainty": 1.0, "uncertainty, 10 × rate": 10.0}
"""How weights are learned: at this multiple of the network's rate."""

SLOW, ALL = (f"{name}: all" for name in LEARNED)
ALTERNATE, EQUAL, SEARCHED = "alternating batches", "1 : 1 : 1", "grid search"


@dataclass(frozen=True)
class Weighting:
    """A way to weigh tasks: which of them, their losses' weights, how batches come, how fast weights are learned."""

    heads: tuple[str, ...] = tuple(UNITS)
    weights: Mapping[str, float] | Literal["uncertainty"] = field(default_factory=dict)
    schedule: Literal["alternate", "sum"] = "sum"
    learned_share: float = 1.0


@lru_cache(maxsize=2)
def load(spec: TaskSpec, seed: int) -> dict[str, Task]:
    """Return the tasks about a seed's stimuli."""
    return line_tasks(spec.task, seed, tuple(UNITS), spec.train, spec.validation, spec.test)  # type: ignore[arg-type]


def begin_weighted(workspace: Workspace, spec: TaskSpec, seed: int, weighting: Weighting, **_: str) -> TrainingJob:
    """Return a network with a head for each task at its start: of one seed they all have the same trunk and heads."""
    everything, rng = load(spec, seed), generator(seed, "several")
    network = mlp((1024, *HIDDEN), {head: task.outputs for head, task in everything.items()}, rng)
    settings = spec.hyperparameters()
    settings = replace(
        settings,
        optimizer=Adam(),
        rate=cosine(spec.rate, settings.max_epochs),
        loss={head: cross_entropy if head == "label" else squared_error for head in weighting.heads},
        objective=Terms(weights=weighting.weights, schedule=weighting.schedule, learned_share=weighting.learned_share),
        patience=None,
        keep="last",
    )
    return TrainingJob(Run(network, rng), {head: everything[head] for head in weighting.heads}, settings)


def end_weighted(
    workspace: Workspace, training: TrainingJob, seconds: float, seed: int, setting: str, label: str, **_: Any
) -> Result:
    """Measure each task's test and validation errors, and what weight e^{−s} it has learned."""
    run, found = training.run, {}
    for head, task in training.tasks.items():
        found[head] = error(run.network, head, task.test) * UNITS[head][0]
        found[f"{head} validation"] = error(run.network, head, task.validation) * UNITS[head][0]
        learned = run.learned.get(f"uncertainty of {head!r}")
        if learned is not None:
            found[f"{head} weight"] = float(np.exp(-learned["s"][0]))
    return measurements_of(training, seconds, setting, label, seed, found)


learn_weighted = TrainingFunction(begin_weighted, end_weighted)


def weightings_of(factors: tuple[int, ...]) -> dict[str, Weighting]:
    """Return every weighting by its name."""
    weightings = {name_alone(task): Weighting((task,)) for task in UNITS}
    for angle, lengths in product(factors, factors):
        weightings[f"1 : {angle} : {lengths}"] = Weighting(weights={"angle": float(angle), "lengths": float(lengths)})
    for name, share in LEARNED.items():
        for pair in combinations(UNITS, 2):
            weightings[f"{name}: {', '.join(pair)}"] = Weighting(pair, "uncertainty", learned_share=share)
        weightings[f"{name}: all"] = Weighting(weights="uncertainty", learned_share=share)
    return {**weightings, ALTERNATE: Weighting(schedule="alternate")}


def name_alone(task: str) -> str:
    """Return the name of the weighting that has one task alone."""
    return f"{task} alone"
