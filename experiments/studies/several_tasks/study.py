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
from experiments.frame.jobs import Cell, Result
from experiments.frame.long_form import Findings, Survey
from experiments.frame.pictures import picture, strips
from experiments.frame.statistics import mean_sd
from experiments.frame.study import Job
from experiments.frame.task_specs import Course, measured, small
from experiments.frame.text import difference, number, spread
from experiments.frame.training import Lesson
from experiments.frame.workspace import Desk
from npnet import Adam, Replicate, Run, Task, cosine, cross_entropy, error, generator, mlp, squared_error
from npnet.tasks import line_tasks

__all__ = ["SeveralTasks"]

HIDDEN = (200, 200)
UNITS = {"label": (1.0, "class, %"), "angle": (180.0, "angle, degrees"), "lengths": (32.0, "lengths, px")}
"""The tasks: by what an error is multiplied, and what it is then. Targets are fractions of 180 degrees and of 32 px."""

COURSE = Course("sbt", 30_000, updates=18_000, rate=0.0003)
FACTORS = (1, 10, 100, 1_000)
"""What the grid search tries for the angle and for the lengths; the class has 1."""

LEARNED = {"uncertainty": 1.0, "uncertainty, 10 × rate": 10.0}
"""How weights are learned: at this multiple of the network's rate."""

SLOW, ALL = (f"{name}: all" for name in LEARNED)
ALTERNATE, EQUAL, SEARCHED = "alternating batches", "1 : 1 : 1", "grid search"


@dataclass(frozen=True)
class Way:
    """A way to weigh tasks: which of them, their losses' weights, how batches come, how fast weights are learned."""

    heads: tuple[str, ...] = tuple(UNITS)
    weights: Mapping[str, float] | Literal["uncertainty"] = field(default_factory=dict)
    schedule: Literal["alternate", "sum"] = "sum"
    learned_share: float = 1.0


@lru_cache(maxsize=2)
def load(course: Course, seed: int) -> dict[str, Task]:
    """Return the tasks about a seed's stimuli."""
    return line_tasks(course.task, seed, tuple(UNITS), course.train, course.validation, course.test)  # type: ignore[arg-type]


def begin_together(desk: Desk, course: Course, seed: int, way: Way, **_: str) -> Replicate:
    """Return a network with a head for each task at its start: of one seed they all have the same trunk and heads."""
    everything, rng = load(course, seed), generator(seed, "several")
    network = mlp((1024, *HIDDEN), {head: task.outputs for head, task in everything.items()}, rng)
    settings = course.hyperparameters()
    settings = replace(
        settings,
        optimizer=Adam(),
        rate=cosine(course.rate, settings.max_epochs),
        loss={head: cross_entropy if head == "label" else squared_error for head in way.heads},
        weights=way.weights,
        schedule=way.schedule,
        learned_share=way.learned_share,
        patience=None,
        keep="last",
    )
    return Replicate(Run(network, rng), {head: everything[head] for head in way.heads}, settings)


def end_together(
    desk: Desk, replicate: Replicate, seconds: float, seed: int, setting: str, label: str, **_: Any
) -> Result:
    """Measure each task's test and validation errors, and what weight e^{−s} it has learned."""
    run, found = replicate.run, {}
    for head, task in replicate.tasks.items():
        found[head] = error(run.network, head, task.test) * UNITS[head][0]
        found[f"{head} validation"] = error(run.network, head, task.validation) * UNITS[head][0]
        learned = run.learned.get(f"uncertainty of {head!r}")
        if learned is not None:
            found[f"{head} weight"] = float(np.exp(-learned["s"][0]))
    return measured(replicate, seconds, setting, label, seed, found)


learn_together = Lesson(begin_together, end_together)


def _ways(factors: tuple[int, ...]) -> dict[str, Way]:
    """Return every way by its name."""
    ways = {_alone(task): Way((task,)) for task in UNITS}
    for angle, lengths in product(factors, factors):
        ways[f"1 : {angle} : {lengths}"] = Way(weights={"angle": float(angle), "lengths": float(lengths)})
    for name, share in LEARNED.items():
        for pair in combinations(UNITS, 2):
            ways[f"{name}: {', '.join(pair)}"] = Way(pair, "uncertainty", learned_share=share)
        ways[f"{name}: all"] = Way(weights="uncertainty", learned_share=share)
    return {**ways, ALTERNATE: Way(schedule="alternate")}


def _alone(task: str) -> str:
    return f"{task} alone"


@dataclass(frozen=True)
class SeveralTasks(Survey):
    """Learn three tasks of one stimulus together: equal, searched and learned weights, alternating batches."""

    name: ClassVar[str] = "several_tasks"

    out: Path = Path("results/several_tasks")

    def job(self) -> Job:
        """Return what to run: five seeds of everything; to see that it works, two with a smaller grid."""
        smoke = self.preset == "smoke"
        course, seeds, factors = (small(COURSE), 2, FACTORS[:2]) if smoke else (COURSE, 5, FACTORS)
        cells = []
        for seed, (label, way) in product(range(seeds), _ways(factors).items()):
            what = {"course": course, "seed": seed, "way": way}
            name = f"{label}-{seed}".translate(str.maketrans(":×", "-x", " ,"))
            cells.append(Cell(name, learn_together, {**what, "setting": course.task, "label": label}))
        configuration = {
            "experiment": self.name,
            "hidden": list(HIDDEN),
            "seeds": list(range(seeds)),
            "factors": list(factors),
            "learned": LEARNED,
            "course": asdict(course),
        }
        return Job(f"{len(cells)} networks", configuration, cells)

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
    ways = _ways(tuple(found.about["factors"]))
    grid = _grid(found)
    learned = [way for way in ways if way.startswith("uncertainty")]
    return [*map(_alone, UNITS), grid[0], SEARCHED, *learned, ALTERNATE]


def _measured(found: Findings, way: str, metric: str) -> dict[int, float]:
    return found.values(found.about["course"]["task"], way, metric)


def chosen(found: Findings) -> dict[int, str]:
    """Return the weights that the grid search chooses, {seed: way}: least mean of validation errors over those alone.

    The errors are of different units, so each is taken relative to that of the network that learns the task alone.
    """
    alone = {task: _measured(found, _alone(task), f"{task} validation") for task in UNITS}
    ways: dict[int, str] = {}
    for seed in set.intersection(*map(set, alone.values())):
        scores = {}
        for way in _grid(found):
            errors = {task: _measured(found, way, f"{task} validation").get(seed) for task in UNITS}
            if None not in errors.values():
                scores[way] = fmean((errors[task] or 0.0) / max(alone[task][seed], 1e-12) for task in UNITS)
        if scores:
            ways[seed] = min(scores, key=lambda way: scores[way])
    return ways


def _values(found: Findings, way: str, task: str) -> dict[int, float]:
    """Return {seed: test error}; of SEARCHED, that of the weights chosen."""
    if way != SEARCHED:
        return _measured(found, way, task)
    return {seed: _measured(found, best, task)[seed] for seed, best in sorted(chosen(found).items())}


def _weights(found: Findings, way: str) -> str:
    """Return the weights of a way in words: chosen ones, each once, or learned ones relative to the class's."""
    if way == SEARCHED:
        return ", ".join(sorted(set(chosen(found).values())))
    if not way.startswith("uncertainty"):
        return way if way in _grid(found) else ""
    means = [mean_sd(list(_measured(found, way, f"{task} weight").values()))[0] for task in UNITS]
    first = next((mean for mean in means if mean == mean), float("nan"))
    return " : ".join(number(mean / first, 0) for mean in means)


def _errors(found: Findings) -> Grid:
    rows = [
        [way, _weights(found, way), *(spread(list(_values(found, way, task).values()), 2) for task in UNITS)]
        for way in _rows(found)
    ]
    course = found.about["course"]
    title = (
        f"{course['train']:,} stimuli of {course['task']}: test errors (class: misclassified; others: root mean square)"
    )
    return Grid(title, ["", "weights", *(words for _, words in UNITS.values())], rows)


def _saved(found: Findings) -> Grid:
    rows = []
    for way in (*map(_alone, UNITS), EQUAL, SEARCHED, SLOW, ALTERNATE):
        pairs = [(_values(found, way, task), _values(found, ALL, task)) for task in UNITS]
        rows.append([way, *(difference(*pair, 2)[0] if pair[0] else "" for pair in pairs)])
    header = ["beside", *(words for _, words in UNITS.values())]
    return Grid("What weights learned for all three tasks save (95 %)", header, rows)


def _draw(found: Findings, path: Path) -> None:
    ways = _rows(found)
    colours = {way: "#D55E00" if way.startswith("uncertainty") else "#0072B2" for way in ways}
    with picture(path, (10.5, 3.6)) as figure:
        for panel, (task, (_, words)) in zip(figure.subplots(1, len(UNITS)), UNITS.items(), strict=True):
            strips(panel, {way: _values(found, way, task) for way in ways}, colours, task == "label")
            searched = len(ways) - 1 - ways.index(SEARCHED)
            for way in _grid(found):
                panel.plot(mean_sd(list(_values(found, way, task).values()))[0], searched, "|", color="0.6", ms=9)
            panel.set_title(words, loc="left", weight="bold")
            panel.set_xlabel("test error")
