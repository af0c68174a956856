"""A lesson: a cell that trains one network to its end. Lessons can be had one by one, or together as a population."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from experiments.frame.jobs import Cell, Result
from experiments.frame.workspace import Desk
from npnet import Replicate, Run, to_host, train, train_population
from npnet.population import move
from npnet.run import Record

__all__ = ["Lesson", "learn_together"]


@dataclass(frozen=True)
class Lesson:
    """What such a cell does, called as any cell's function is; both parts must pickle.

    begin: begin(desk, **arguments) -> the run as it begins. end: end(desk, replicate, seconds, **arguments) -> result.
    """

    begin: Callable[..., Replicate]
    end: Callable[..., Result]

    def __call__(self, desk: Desk, **arguments: Any) -> Result:
        """Train from the start or from the last checkpoint to the end."""
        replicate = self.begin(desk, **arguments)
        before, start = _go_on(desk, replicate), time.monotonic()
        for record in train(replicate.run, replicate.tasks, replicate.settings, replicate.evaluations):
            _leave_epoch(desk, replicate, record, before + time.monotonic() - start)
            desk.stop_if_asked()
        return self.end(desk, replicate, before + time.monotonic() - start, **arguments)


def learn_together(cells: Sequence[Cell], study: Path, xp: ModuleType) -> dict[str, str | None]:
    """Take lessons as one population in the array module xp; return {name: None, or why it failed}.

    Every cell keeps its own checkpoint and leaves its own result as soon as its run ends, in files of the same form as
    when it is taken alone: it may have been begun so, or go on so. Its seconds are its share of the population's.
    Raises Stopped where the study is to stop.
    """
    desks = [Desk(study, cell.name) for cell in cells]
    lessons: list[Any] = [cell.function for cell in cells]
    replicates = [each.begin(desk, **cell.arguments) for each, cell, desk in zip(lessons, cells, desks, strict=True)]
    before = [_go_on(desk, replicate) for desk, replicate in zip(desks, replicates, strict=True)]
    population, start = replicates if xp is np else move(replicates, xp), time.monotonic()
    answers: dict[str, str | None] = {}

    def leave_those_that_ended() -> None:
        for i, (cell, there) in enumerate(zip(cells, population, strict=True)):
            if there.failure:
                answers[cell.name] = f"{type(there.failure).__name__}: {there.failure}"
            elif cell.name not in answers and not any(there.mask):
                replicates[i].run = Run.from_tree(to_host(there.run.tree()))
                seconds = before[i] + (time.monotonic() - start) / len(cells)
                desks[i].finish(lessons[i].end(desks[i], replicates[i], seconds, **cell.arguments))
                answers[cell.name] = None

    leave_those_that_ended()
    for records in train_population(population):
        for place, record in records.items():
            seconds = before[place] + (time.monotonic() - start) / len(cells)
            _leave_epoch(desks[place], population[place], record, seconds)
        leave_those_that_ended()
        desks[0].stop_if_asked()
    return answers


def _go_on(desk: Desk, replicate: Replicate) -> float:
    """Take a run to its last checkpoint, where there is one, and return the seconds that it had taken by then."""
    saved = desk.resume()
    if saved is None:
        return 0.0
    replicate.run = Run.from_tree(saved["run"])
    desk.log(f"goes on after epoch {len(replicate.run.history)}")
    return saved["seconds"]


def _leave_epoch(desk: Desk, replicate: Replicate, record: Record, seconds: float) -> None:
    """Show an epoch and save the run."""
    desk.show(epoch=record["epoch"], error=record["error"], layers=sum(map(bool, record["mask"])))
    desk.checkpoint(lambda: {"run": replicate.run.tree(), "seconds": seconds})
