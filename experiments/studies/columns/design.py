"""The design of the study of sequences: the tasks and their order, the ways, and the cells."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from experiments.frame.jobs import Cell, Result
from experiments.frame.task_specs import Course, learn_source, learn_target, measured
from experiments.frame.training import Lesson
from experiments.frame.workspace import Desk
from npnet import GradualTuning, HeadOnly, Method, Network, Replicate, begin, error, generator, probe, progressive
from npnet.trees import leaves

__all__ = ["FIRST", "HIDDEN", "SEQUENCES", "UNTRAINED", "WAYS", "after", "before", "cells_of", "learn_next"]

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
    return measured(replicate, seconds, after(family, learned[-1].task), label, seed, found)


def after(family: str, task: str) -> str:
    """Return what measurements are called that are made when a task of a family was just learned."""
    return f"{family} after {task}"


def before(family: str, task: str) -> str:
    """Return what the measurement is called of a new head on what there is before a task is learned."""
    return f"{family}: {task} before"


learn_next = Lesson(begin_next, end_next)


def cells_of(family: str, courses: tuple[Course, ...], seed: int) -> list[Cell]:
    """Return the cells of one seed: every task alone, then every way through all of them, and probes before each."""
    alone = [f"{family}-{ALONE}-{course.task}-{seed}" for course in courses]
    cells = [
        Cell(name, learn_source, {"course": course, "hidden": HIDDEN, "seed": seed})
        for name, course in zip(alone, courses, strict=True)
    ]

    def probed(k: int, source: str | None, label: str) -> Cell:
        """A new head on what there is before task k."""
        what = {"course": courses[k], "hidden": HIDDEN, "seed": seed, "source": source, "method": probe}
        names = {"setting": before(family, courses[k].task), "label": label}
        name = f"{family}-before-{courses[k].task}-{label.replace(', ', '-')}-{seed}"
        return Cell(name, learn_target, {**what, **names}, (source,) if source else ())

    cells += [probed(k, None, UNTRAINED) for k in range(1, len(courses))]
    cells.append(probed(1, alone[0], FIRST))
    for label, method in WAYS.items():
        last = alone[0]
        for k in range(1, len(courses)):
            if k > 1:
                cells.append(probed(k, last, label))
            name = f"{family}-{label.replace(', ', '-')}-{courses[k].task}-{seed}"
            what = {"learned": courses[: k + 1], "seed": seed, "before": last, "method": method}
            cells.append(Cell(name, learn_next, {**what, "family": family, "label": label}, (last,)))
            last = name
    return cells
