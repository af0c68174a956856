"""Tasks one after another: a column for each beside all earlier ones, or one network that is tuned again and again.

Four or five tasks in a fixed order. After each, the errors on all tasks so far fill a row of the error matrix, from
which forgetting, backward and forward transfer follow (npnet.analysis). The transfer score is a task's accuracy, just
after it was learned, over that of a network that learned it alone: above 1 the earlier tasks helped.

Source: Rusu et al. 2016, as the lecture of 2018 shows it (there on Atari games).
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any, ClassVar, Literal

import numpy as np

from experiments.cells import Cell, Result
from experiments.courses import Course, learn_source, learn_target, measured, small, source_setting
from experiments.desk import Desk
from experiments.experiment import Job
from experiments.grids import Grid
from experiments.lessons import Lesson
from experiments.pictures import picture
from experiments.statistics import interval, mean_sd
from experiments.survey import Findings, Survey
from experiments.text import number, spread
from npnet import GradualTuning, HeadOnly, Method, Network, Replicate, begin, error, generator, probe, progressive
from npnet.analysis import (
    backward_transfer,
    forgetting_since_best,
    forgetting_since_learned,
    forward_transfer,
    transfer_score,
)
from npnet.arrays import Array
from npnet.trees import leaves

__all__ = ["Columns"]

HIDDEN = (200, 200)
_IMAGES, _LINES = ("mnist04", "mnist59", "fashion04", "fashion59"), ("cnc", "sbl", "ac", "at", "sbt")

SEQUENCES: dict[str, tuple[Course, ...]] = {
    "images": tuple(Course(task, 10_000, updates=30_000, patience=3_500) for task in _IMAGES),
    "lines": tuple(Course(task, 20_000, updates=45_000, patience=5_000) for task in _LINES),
}
"""Families of tasks, in the order in which they are learned."""

WAYS: Mapping[str, Callable[[], Method]] = {
    "head": partial(Method, "head", policy=HeadOnly()),
    "fine": partial(Method, "fine"),
    "gradual": partial(Method, "gradual", policy=GradualTuning()),
    "columns, linear": partial(progressive, "linear"),
    "columns, adapters": partial(progressive, "adapter"),
}
ALONE, FIRST, UNTRAINED = "alone", "first", "untrained"


def begin_next(desk: Desk, learned: tuple[Course, ...], seed: int, before: str, method: Any, **names: str) -> Replicate:
    """Return the network that cell `before` left at its start on the last of the tasks to be learned so far."""
    course = learned[-1]
    task = course.load(seed)
    network = Network.load(desk.needed(before) / "network.npz")
    run, settings = begin(method(), network, task, generator(seed, "target", task.name), course.hyperparameters())
    return Replicate(run, {task.name: task}, settings)


def end_next(
    desk: Desk,
    replicate: Replicate,
    seconds: float,
    learned: tuple[Course, ...],
    seed: int,
    family: str,
    label: str,
    **_: Any,
) -> Result:
    """Leave the network as network.npz, with a row of the error matrix and how many numbers it has learned so far."""
    network = replicate.run.network
    network.save(desk.path / "network.npz")
    found = {f"error on {c.task}": error(network, c.task, c.load(seed).test) for c in learned}
    size = sum(w.size for each in (network, *network.columns) for _, w in leaves([each.trunk, each.heads]))
    found["parameters"] = float(size)
    return measured(replicate, seconds, _after(family, learned[-1].task), label, seed, found)


def _after(family: str, task: str) -> str:
    """Return what measurements are called that are made when a task of a family was just learned."""
    return f"{family} after {task}"


learn_next = Lesson(begin_next, end_next)


@dataclass(frozen=True)
class Columns(Survey):
    """Learn four or five tasks one after another: with a column for each, or with one network tuned again and again.

    Attributes:
        preset: "quick" is the whole study, "smoke" takes seconds, to see that it works.
    """

    name: ClassVar[str] = "columns"

    out: Path = Path("results/columns")
    preset: Literal["smoke", "quick"] = "quick"

    def job(self) -> Job:
        """Return what to run."""
        smoke = self.preset == "smoke"
        sequences = {"lines": tuple(map(small, SEQUENCES["lines"][:3]))} if smoke else SEQUENCES
        seeds = 2 if smoke else 3
        cells = [cell for seed in range(seeds) for of in sequences.items() for cell in _cells(*of, seed)]
        configuration = {
            "experiment": self.name,
            "hidden": list(HIDDEN),
            "seeds": list(range(seeds)),
            "ways": list(WAYS),
            "sequences": {family: [asdict(course) for course in courses] for family, courses in sequences.items()},
        }
        return Job(f"{len(cells)} networks", configuration, cells)

    @classmethod
    def tables(cls, found: Findings) -> list[Grid]:
        """Return what each family's sequence came to under every way."""
        return [_summary(found, family) for family in found.about["sequences"]]

    @classmethod
    def draw(cls, found: Findings, out: Path) -> dict[str, str]:
        """Draw the error matrices, and the transfer score of every task."""
        _draw_matrices(found, out / "matrices.png")
        _draw_scores(found, out / "scores.png")
        return {
            "matrices.png": "Errors on the tasks (columns) after each was learned (rows), percent, mean over seeds.",
            "scores.png": "Transfer score of each task when it was just learned, mean and 95 % interval over seeds: "
            "its accuracy over that of a network of the same width that learned it alone.",
        }


def _cells(family: str, courses: tuple[Course, ...], seed: int) -> list[Cell]:
    """Return the cells of one seed: every task alone, then every way through all of them, and probes before each."""
    alone = [f"{family}-{ALONE}-{course.task}-{seed}" for course in courses]
    cells = [
        Cell(name, learn_source, {"course": course, "hidden": HIDDEN, "seed": seed})
        for name, course in zip(alone, courses, strict=True)
    ]

    def before(k: int, source: str | None, label: str) -> Cell:
        """A new head on what there is before task k."""
        what = {"course": courses[k], "hidden": HIDDEN, "seed": seed, "source": source, "method": probe}
        names = {"setting": f"{family}: {courses[k].task} before", "label": label}
        name = f"{family}-before-{courses[k].task}-{label.replace(', ', '-')}-{seed}"
        return Cell(name, learn_target, {**what, **names}, (source,) if source else ())

    cells += [before(k, None, UNTRAINED) for k in range(1, len(courses))]
    cells.append(before(1, alone[0], FIRST))
    for label, method in WAYS.items():
        last = alone[0]
        for k in range(1, len(courses)):
            if k > 1:
                cells.append(before(k, last, label))
            name = f"{family}-{label.replace(', ', '-')}-{courses[k].task}-{seed}"
            what = {"learned": courses[: k + 1], "seed": seed, "before": last, "method": method}
            cells.append(Cell(name, learn_next, {**what, "family": family, "label": label}, (last,)))
            last = name
    return cells


def _tasks(found: Findings, family: str) -> list[str]:
    return [course["task"] for course in found.about["sequences"][family]]


def _alone(found: Findings, task: str) -> dict[int, float]:
    return found.values(source_setting(task, found.about["hidden"]), "scratch")


def _matrices(found: Findings, family: str, way: str) -> dict[int, Array]:
    """Return the error matrix of every seed that is complete."""
    tasks = _tasks(found, family)
    matrices = {}
    for seed, first in _alone(found, tasks[0]).items():
        E = np.full((len(tasks), len(tasks)), np.nan)
        E[0, 0] = first
        for i, j in product(range(1, len(tasks)), range(len(tasks))):
            if j <= i:
                E[i, j] = found.values(_after(family, tasks[i]), way, f"error on {tasks[j]}").get(seed, np.nan)
        if not np.isnan(E[np.tril_indices(len(tasks))]).any():
            matrices[seed] = E
    return matrices


def _scores(found: Findings, family: str, way: str) -> dict[int, list[float]]:
    """Return the transfer score of every task but the first, for each seed."""
    tasks = _tasks(found, family)
    alone = [_alone(found, task) for task in tasks]
    return {
        seed: [transfer_score(E[k, k], alone[k][seed]) for k in range(1, len(tasks))]
        for seed, E in _matrices(found, family, way).items()
        if all(seed in each for each in alone)
    }


def _forward(found: Findings, family: str, way: str) -> list[float]:
    """Return the forward transfer of each seed: what a new head makes of the features before the task is learned."""
    tasks, transfers = _tasks(found, family), []
    for seed, E in _matrices(found, family, way).items():
        before = [
            found.values(f"{family}: {task} before", FIRST if k == 0 else way).get(seed)
            for k, task in enumerate(tasks[1:])
        ]
        untrained = [found.values(f"{family}: {task} before", UNTRAINED).get(seed) for task in tasks[1:]]
        if None not in before and None not in untrained:
            E = E.copy()
            for k, value in enumerate(before):
                E[k, k + 1] = value
            transfers.append(forward_transfer(E, np.array([np.nan, *untrained], float)))
    return transfers


def _summary(found: Findings, family: str) -> Grid:
    tasks = _tasks(found, family)
    alone = [_alone(found, task) for task in tasks]
    every = set.intersection(*map(set, alone))
    rows = [
        ["one network each", spread([fmean(each[s] for each in alone) for s in every], 2), *["–"] * 4, "1", "–"],
    ]
    for way in found.about["ways"]:
        matrices = list(_matrices(found, family, way).values())
        size = list(found.values(_after(family, tasks[-1]), way, "parameters").values())
        rows.append(
            [
                way,
                spread([float(E[-1].mean()) for E in matrices], 2),
                spread([float(forgetting_since_learned(E).mean()) for E in matrices], 2),
                spread([float(forgetting_since_best(E).mean()) for E in matrices], 2),
                spread([backward_transfer(E) for E in matrices], 2),
                spread(_forward(found, family, way), 2),
                spread([fmean(scores) for scores in _scores(found, family, way).values()], 3),
                number(size[0] / 1000, 0) if size else "–",
            ]
        )
    header = ["", "error", "forgotten since learned", "since best", "backward", "forward", "score", "numbers, 1,000"]
    return Grid(f"{' → '.join(tasks)}: errors in percent, transfer in points, means over tasks", header, rows)


def _draw_matrices(found: Findings, path: Path) -> None:
    families, ways = list(found.about["sequences"]), found.about["ways"]
    with picture(path, (0.6 + 2.7 * len(ways), 0.4 + 2.7 * len(families))) as figure:
        panels = figure.subplots(len(families), len(ways), squeeze=False)
        for (f, family), (w, way) in product(enumerate(families), enumerate(ways)):
            panel, tasks = panels[f, w], _tasks(found, family)
            matrices = list(_matrices(found, family, way).values())
            E = np.mean(matrices, axis=0) if matrices else np.full((len(tasks), len(tasks)), np.nan)
            panel.imshow(E, cmap="Oranges", vmin=0, vmax=60)
            for (i, j), value in np.ndenumerate(E):
                if value == value:
                    colour = "white" if value > 42 else "black"
                    panel.text(j, i, f"{value:.1f}", ha="center", va="center", fontsize=7, color=colour)
            panel.set_xticks(range(len(tasks)), tasks, rotation=45, ha="right")
            panel.set_yticks(range(len(tasks)), tasks if w == 0 else [])
            panel.set_title(way, loc="left", weight="bold")
            if w == 0:
                panel.set_ylabel("after")


def _draw_scores(found: Findings, path: Path) -> None:
    families, ways = list(found.about["sequences"]), found.about["ways"]
    width = 2.2 + 4.0 * len(families)
    with picture(path, (width, 3.6), (0, 0, 1 - 1.8 / width, 1)) as figure:
        panels = figure.subplots(1, len(families), squeeze=False)[0]
        for panel, family in zip(panels, families, strict=True):
            tasks = _tasks(found, family)[1:]
            for w, way in enumerate(ways):
                scores = list(_scores(found, family, way).values())
                if scores:
                    by_task = [list(values) for values in zip(*scores, strict=True)]
                    x = np.arange(len(tasks)) + 0.1 * (w - len(ways) / 2)
                    bars = np.nan_to_num([interval(values) for values in by_task])
                    means = [mean_sd(values)[0] for values in by_task]
                    panel.errorbar(x, means, bars, fmt="o", markersize=4, elinewidth=0.8, color=f"C{w}", label=way)
            panel.axhline(1, color="0.6", linewidth=0.8)
            panel.set_xticks(range(len(tasks)), tasks)
            panel.set(ylabel="transfer score")
            panel.set_title(" → ".join(_tasks(found, family)), loc="left", weight="bold")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="center right", frameon=False)
