"""Jobs that train one network to its end, each by itself or many together as a population."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from experiments.frame.jobs import Job, Result
from experiments.frame.workspace import Workspace
from npnet import Run, TrainingJob, to_host, train, train_population
from npnet.populations import move
from npnet.run import Record

__all__ = ["TrainingFunction", "train_together"]


@dataclass(frozen=True)
class TrainingFunction:
    """The function of a job that trains, called as any job's function is; both of its parts must pickle.

    Attributes:
        begin: begin(workspace, **arguments) returns the training job at its start.
        end: end(workspace, training, seconds, **arguments) measures the trained network and returns the result.
    """

    begin: Callable[..., TrainingJob]
    end: Callable[..., Result]

    def __call__(self, workspace: Workspace, **arguments: Any) -> Result:
        """Train from the start or from the last checkpoint to the end."""
        training = self.begin(workspace, **arguments)
        before, start = _go_on(workspace, training), time.monotonic()
        for record in train(training.run, training.tasks, training.settings, training.evaluations):
            _leave_epoch(workspace, training, record, before + time.monotonic() - start)
            workspace.stop_if_asked()
        return self.end(workspace, training, before + time.monotonic() - start, **arguments)


def train_together(jobs: Sequence[Job], study: Path, xp: ModuleType) -> dict[str, str | None]:
    """Train the networks of several jobs as one population in array module xp.

    Returns {name of a job: None, or why it failed}.

    Every job keeps its own checkpoint and leaves its own result as soon as its run ends, in files of the same form as
    when it trains alone, so either may go on from the other's checkpoint. Its seconds are its share of those of the
    population. Raises Stopped where the study is to stop.
    """
    workspaces = [Workspace(study, job.name) for job in jobs]
    functions: list[Any] = [job.function for job in jobs]
    trainings = [
        each.begin(workspace, **job.arguments) for each, job, workspace in zip(functions, jobs, workspaces, strict=True)
    ]
    before = [_go_on(workspace, training) for workspace, training in zip(workspaces, trainings, strict=True)]
    population, start = trainings if xp is np else move(trainings, xp), time.monotonic()
    answers: dict[str, str | None] = {}

    def leave_those_that_ended() -> None:
        for i, (job, there) in enumerate(zip(jobs, population, strict=True)):
            if there.failure:
                answers[job.name] = f"{type(there.failure).__name__}: {there.failure}"
            elif job.name not in answers and there.run.finished:
                trainings[i].run = Run.from_tree(to_host(there.run.tree()))
                seconds = before[i] + (time.monotonic() - start) / len(jobs)
                workspaces[i].finish(functions[i].end(workspaces[i], trainings[i], seconds, **job.arguments))
                answers[job.name] = None

    for records in train_population(population):
        for place, record in records.items():
            seconds = before[place] + (time.monotonic() - start) / len(jobs)
            _leave_epoch(workspaces[place], population[place], record, seconds)
        leave_those_that_ended()
        workspaces[0].stop_if_asked()
    leave_those_that_ended()
    return answers


def _go_on(workspace: Workspace, training: TrainingJob) -> float:
    """Continue a run from its last checkpoint, where there is one, and return the seconds that it had taken by then."""
    saved = workspace.resume()
    if saved is None:
        return 0.0
    training.run = Run.from_tree(saved["run"])
    workspace.log(f"resumes after epoch {len(training.run.history)}")
    return saved["seconds"]


def _leave_epoch(workspace: Workspace, training: TrainingJob, record: Record, seconds: float) -> None:
    """Publish the progress of an epoch and save a checkpoint."""
    workspace.show(epoch=record["epoch"], error=record["error"], layers=sum(map(bool, record["mask"])))
    workspace.checkpoint(lambda: {"run": training.run.tree(), "seconds": seconds})
