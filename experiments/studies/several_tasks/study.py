"""Three tasks of one stimulus in one network: a class, an angle in degrees, lengths in pixels. How to weigh them?

Each alone; the sum of the losses with equal weights, and with the weights that a grid search finds; weights learned
from each task's own uncertainty, for two tasks and for all three, at the network's rate and at ten times that; and
batches that alternate, a task each, as Montone, O'Regan and Terekhov train their five tasks. Adam moves the weights, so
that a factor on the whole sum does not matter.

Source: Kendall, Gal and Cipolla 2018, the table as the lecture of 2018 shows it (there segmentation, instances, depth).
"""

from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import ClassVar

from experiments.frame.grids import Grid
from experiments.frame.jobs import Job
from experiments.frame.long_form import Findings, LongFormStudy
from experiments.frame.pictures import picture, strips
from experiments.frame.statistics import mean_sd
from experiments.frame.study import Plan
from experiments.frame.task_specs import small
from experiments.frame.text import difference, number, spread
from experiments.studies.several_tasks.design import (
    ALL,
    ALTERNATE,
    EQUAL,
    FACTORS,
    HIDDEN,
    LEARNED,
    SEARCHED,
    SLOW,
    SPEC,
    UNITS,
    learn_weighted,
    name_alone,
    weightings_of,
)

__all__ = ["SeveralTasks"]


@dataclass(frozen=True)
class SeveralTasks(LongFormStudy):
    """Learn three tasks about the same images together.

    The sum of their losses has equal, searched or learned weights; or batches of the tasks alternate."""

    name: ClassVar[str] = "several_tasks"

    def plan(self) -> Plan:
        """Return what to run: five seeds of everything; to see that it works, two with a smaller grid."""
        smoke = self.preset == "smoke"
        spec, seeds, factors = (small(SPEC), 2, FACTORS[:2]) if smoke else (SPEC, 5, FACTORS)
        jobs = []
        for seed, (label, weighting) in product(range(seeds), weightings_of(factors).items()):
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
        """Return the source's table, and what learned weights save against the others, paired by seed."""
        return [_errors(found), _saved(found)]

    @classmethod
    def draw(cls, found: Findings, out: Path) -> dict[str, str]:
        """Draw the errors of every weighting on each task."""
        _draw(found, out / "several_tasks.png")
        words = (
            "Test errors on each task: mean and 95 % interval over seeds; grey: the weights that the grid has tried."
        )
        return {"several_tasks.png": words}


def _grid(found: Findings) -> list[str]:
    return [f"1 : {angle} : {lengths}" for angle, lengths in product(found.about["factors"], repeat=2)]


def _rows(found: Findings) -> list[str]:
    weightings = weightings_of(tuple(found.about["factors"]))
    grid = _grid(found)
    learned = [weighting for weighting in weightings if weighting.startswith("uncertainty")]
    return [*map(name_alone, UNITS), grid[0], SEARCHED, *learned, ALTERNATE]


def _measured(found: Findings, weighting: str, metric: str) -> dict[int, float]:
    return found.values(found.about["spec"]["task"], weighting, metric)


def chosen(found: Findings) -> dict[int, str]:
    """Return the weighting that the grid search chooses for each seed: of the least mean relative validation error.

    The errors are of different units, so each is taken relative to that of the network that learns the task alone.
    """
    alone = {task: _measured(found, name_alone(task), f"{task} validation") for task in UNITS}
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
    """Return the weights of a weighting in words: chosen ones, each once, or learned ones relative to the class's."""
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
    for weighting in (*map(name_alone, UNITS), EQUAL, SEARCHED, SLOW, ALTERNATE):
        pairs = [(_values(found, weighting, task), _values(found, ALL, task)) for task in UNITS]
        rows.append([weighting, *(difference(*pair, 2)[0] if pair[0] else "" for pair in pairs)])
    header = ["against", *(words for _, words in UNITS.values())]
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
