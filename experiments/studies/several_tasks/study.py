"""Three tasks of one stimulus in one network: a class, an angle in degrees, lengths in pixels. How to weigh them?

Each alone; the sum of the losses with equal weights, and with the weights that a grid search finds; weights learned
from each task's own uncertainty, for two tasks and for all three, at the network's rate and at ten times that; and
batches that alternate, a task each, as Montone, O'Regan and Terekhov train their five tasks. Adam moves the weights, so
that a factor on the whole sum does not matter.

Source: Kendall, Gal and Cipolla 2018, the table as the lecture of 2018 shows it (there segmentation, instances, depth).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from itertools import combinations, product
from pathlib import Path
from statistics import fmean
from typing import Any, ClassVar, Literal

import numpy as np

from experiments.frame.grids import Grid
from experiments.frame.jobs import Job, Result
from experiments.frame.long_form import Findings, LongFormStudy
from experiments.frame.pictures import picture, strips
from experiments.frame.statistics import mean_sd
from experiments.frame.study import Plan
from experiments.frame.task_specs import TaskSpec, measurements_of, small
from experiments.frame.text import difference, number, spread
from experiments.frame.training import TrainingFunction
from experiments.frame.workspace import Workspace
from npnet import Adam, Replicate, Run, Task, cosine, cross_entropy, error, generator, mlp, squared_error
from npnet.tasks import line_tasks

__all__ = ["SeveralTasks"]

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


def begin_weighted(workspace: Workspace, spec: TaskSpec, seed: int, weighting: Weighting, **_: str) -> Replicate:
    """Return a network with a head for each task at its start: of one seed they all have the same trunk and heads."""
    everything, rng = load(spec, seed), generator(seed, "several")
    network = mlp((1024, *HIDDEN), {head: task.outputs for head, task in everything.items()}, rng)
    settings = spec.hyperparameters()
    settings = replace(
        settings,
        optimizer=Adam(),
        rate=cosine(spec.rate, settings.max_epochs),
        loss={head: cross_entropy if head == "label" else squared_error for head in weighting.heads},
        weights=weighting.weights,
        schedule=weighting.schedule,
        learned_share=weighting.learned_share,
        patience=None,
        keep="last",
    )
    return Replicate(Run(network, rng), {head: everything[head] for head in weighting.heads}, settings)


def end_weighted(
    workspace: Workspace, replicate: Replicate, seconds: float, seed: int, setting: str, label: str, **_: Any
) -> Result:
    """Measure each task's test and validation errors, and what weight e^{−s} it has learned."""
    run, found = replicate.run, {}
    for head, task in replicate.tasks.items():
        found[head] = error(run.network, head, task.test) * UNITS[head][0]
        found[f"{head} validation"] = error(run.network, head, task.validation) * UNITS[head][0]
        learned = run.learned.get(f"uncertainty of {head!r}")
        if learned is not None:
            found[f"{head} weight"] = float(np.exp(-learned["s"][0]))
    return measurements_of(replicate, seconds, setting, label, seed, found)


learn_weighted = TrainingFunction(begin_weighted, end_weighted)


def _weightings(factors: tuple[int, ...]) -> dict[str, Weighting]:
    """Return every way by its name."""
    weightings = {_alone(task): Weighting((task,)) for task in UNITS}
    for angle, lengths in product(factors, factors):
        weightings[f"1 : {angle} : {lengths}"] = Weighting(weights={"angle": float(angle), "lengths": float(lengths)})
    for name, share in LEARNED.items():
        for pair in combinations(UNITS, 2):
            weightings[f"{name}: {', '.join(pair)}"] = Weighting(pair, "uncertainty", learned_share=share)
        weightings[f"{name}: all"] = Weighting(weights="uncertainty", learned_share=share)
    return {**weightings, ALTERNATE: Weighting(schedule="alternate")}


def _alone(task: str) -> str:
    return f"{task} alone"


@dataclass(frozen=True)
class SeveralTasks(LongFormStudy):
    """Learn three tasks of one stimulus together: equal, searched and learned weights, alternating batches."""

    name: ClassVar[str] = "several_tasks"

    def plan(self) -> Plan:
        """Return what to run: five seeds of everything; to see that it works, two with a smaller grid."""
        smoke = self.preset == "smoke"
        spec, seeds, factors = (small(SPEC), 2, FACTORS[:2]) if smoke else (SPEC, 5, FACTORS)
        jobs = []
        for seed, (label, weighting) in product(range(seeds), _weightings(factors).items()):
            what = {"spec": spec, "seed": seed, "weighting": weighting}
            name = f"{label}-{seed}".translate(str.maketrans(":×", "-x", " ,"))
            jobs.append(Job(name, learn_weighted, {**what, "setting": spec.task, "label": label}))
        configuration = {
            "experiment": self.name,
            "hidden": list(HIDDEN),
            "seeds": list(range(seeds)),
            "factors": list(factors),
            "learned": LEARNED,
            "spec": asdict(spec),
        }
        return Plan(f"{len(jobs)} networks", configuration, jobs)

    @classmethod
    def tables(cls, found: Findings) -> list[Grid]:
        """Return the source's table, and what learned weights save beside the others, paired by seed."""
        return [_errors(found), _saved(found)]

    @classmethod
    def draw(cls, found: Findings, out: Path) -> dict[str, str]:
        """Draw the errors of every way on each task."""
        _draw(found, out / "several_tasks.png")
        words = (
            "Test errors on each task: mean and 95 % interval over seeds; grey: the weights that the grid has tried."
        )
        return {"several_tasks.png": words}


def _grid(found: Findings) -> list[str]:
    return [f"1 : {angle} : {lengths}" for angle, lengths in product(found.about["factors"], repeat=2)]


def _rows(found: Findings) -> list[str]:
    weightings = _weightings(tuple(found.about["factors"]))
    grid = _grid(found)
    learned = [weighting for weighting in weightings if weighting.startswith("uncertainty")]
    return [*map(_alone, UNITS), grid[0], SEARCHED, *learned, ALTERNATE]


def _measured(found: Findings, weighting: str, metric: str) -> dict[int, float]:
    return found.values(found.about["spec"]["task"], weighting, metric)


def chosen(found: Findings) -> dict[int, str]:
    """Return the weights that the grid search chooses, {seed: way}: least mean of validation errors over those alone.

    The errors are of different units, so each is taken relative to that of the network that learns the task alone.
    """
    alone = {task: _measured(found, _alone(task), f"{task} validation") for task in UNITS}
    weightings: dict[int, str] = {}
    for seed in set.intersection(*map(set, alone.values())):
        scores = {}
        for weighting in _grid(found):
            errors = {task: _measured(found, weighting, f"{task} validation").get(seed) for task in UNITS}
            if None not in errors.values():
                scores[weighting] = fmean((errors[task] or 0.0) / max(alone[task][seed], 1e-12) for task in UNITS)
        if scores:
            weightings[seed] = min(scores, key=lambda weighting: scores[weighting])
    return weightings


def _values(found: Findings, weighting: str, task: str) -> dict[int, float]:
    """Return {seed: test error}; of SEARCHED, that of the weights chosen."""
    if weighting != SEARCHED:
        return _measured(found, weighting, task)
    return {seed: _measured(found, best, task)[seed] for seed, best in sorted(chosen(found).items())}


def _weights(found: Findings, weighting: str) -> str:
    """Return the weights of a way in words: chosen ones, each once, or learned ones relative to the class's."""
    if weighting == SEARCHED:
        return ", ".join(sorted(set(chosen(found).values())))
    if not weighting.startswith("uncertainty"):
        return weighting if weighting in _grid(found) else ""
    means = [mean_sd(list(_measured(found, weighting, f"{task} weight").values()))[0] for task in UNITS]
    first = next((mean for mean in means if mean == mean), float("nan"))
    return " : ".join(number(mean / first, 0) for mean in means)


def _errors(found: Findings) -> Grid:
    rows = [
        [
            weighting,
            _weights(found, weighting),
            *(spread(list(_values(found, weighting, task).values()), 2) for task in UNITS),
        ]
        for weighting in _rows(found)
    ]
    spec = found.about["spec"]
    title = f"{spec['train']:,} stimuli of {spec['task']}: test errors (class: misclassified; others: root mean square)"
    return Grid(title, ["", "weights", *(words for _, words in UNITS.values())], rows)


def _saved(found: Findings) -> Grid:
    rows = []
    for weighting in (*map(_alone, UNITS), EQUAL, SEARCHED, SLOW, ALTERNATE):
        pairs = [(_values(found, weighting, task), _values(found, ALL, task)) for task in UNITS]
        rows.append([weighting, *(difference(*pair, 2)[0] if pair[0] else "" for pair in pairs)])
    header = ["beside", *(words for _, words in UNITS.values())]
    return Grid("What weights learned for all three tasks save (95 %)", header, rows)


def _draw(found: Findings, path: Path) -> None:
    weightings = _rows(found)
    colours = {weighting: "#D55E00" if weighting.startswith("uncertainty") else "#0072B2" for weighting in weightings}
    with picture(path, (10.5, 3.6)) as figure:
        for panel, (task, (_, words)) in zip(figure.subplots(1, len(UNITS)), UNITS.items(), strict=True):
            strips(
                panel,
                {weighting: _values(found, weighting, task) for weighting in weightings},
                colours,
                task == "label",
            )
            searched = len(weightings) - 1 - weightings.index(SEARCHED)
            for weighting in _grid(found):
                panel.plot(mean_sd(list(_values(found, weighting, task).values()))[0], searched, "|", color="0.6", ms=9)
            panel.set_title(words, loc="left", weight="bold")
            panel.set_xlabel("test error")
