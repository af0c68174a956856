"""The scheduler: gives jobs to workers as soon as the jobs that they need have finished.

The parent process only hands out jobs and shows progress; workers write every result themselves. Any executor of
`concurrent.futures` whose workers see the same folder can be used (see executors).
"""

import signal
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from experiments.frame.executors import ctrl_c_waits
from experiments.frame.folder import finished
from experiments.frame.jobs import Job, check_jobs
from experiments.frame.progress import ProgressDisplay
from experiments.frame.training import TrainingFunction, train_together
from experiments.frame.workspace import STOP, Stopped, Workspace, log

__all__ = ["Outcome", "run_jobs"]

_LOOK_EVERY = 0.25  # seconds between two looks at the progress of running jobs

Answers = dict[str, str | None]
"""What became of each job of a piece of work: None where it has finished, or why it failed."""

_STOPPED = "stopped"  # what a worker answers for a job that was asked to stop


@dataclass
class Outcome:
    """What became of the jobs: names of those finished now, skipped because finished before, and failed, with why."""

    finished: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def run_jobs(
    jobs: Sequence[Job], study: Path, executor: Executor, display: ProgressDisplay, module: str | None = None
) -> Outcome:
    """Run the jobs that have not finished yet and return what became of all of them.

    module: the array module in which all training jobs that are ready train together; None trains each by itself. A
    job that fails stops only those that need it. Ctrl-C asks the running jobs to stop after the epoch under way and
    raises KeyboardInterrupt when they have; a second Ctrl-C raises it at once. Raises ValueError for jobs that do not
    fit together, and BrokenExecutor when a worker of this machine was killed.
    """
    check_jobs(jobs)
    outcome = Outcome(skipped=[job.name for job in jobs if finished(study, job)])
    waiting = [job for job in jobs if job.name not in outcome.skipped]
    running: dict[Future[Answers], list[Job]] = {}
    display.begin(len(jobs), len(outcome.skipped))
    with _ctrl_c_asks(study, display) as stop:
        while running or (waiting and not stop.exists()):
            if not stop.exists():
                waiting, ready = _ready(waiting, outcome, display, study)
                for piece in _pieces(ready, module):
                    with ctrl_c_waits():
                        running[executor.submit(_work, piece, study, module)] = piece
            done, _ = wait(running, _LOOK_EVERY, FIRST_COMPLETED)
            for future in done:
                for name, failure in _answers(future, running.pop(future)).items():
                    _note(name, failure, outcome, display, study)
            display.look(study, [job.name for piece in running.values() for job in piece])
        if stop.exists():
            raise KeyboardInterrupt
    return outcome


@contextmanager
def _ctrl_c_asks(study: Path, display: ProgressDisplay) -> Iterator[Path]:
    """Yield the file that asks all jobs to stop. The first Ctrl-C creates it; a second one interrupts as usual."""
    stop = study / STOP
    stop.unlink(missing_ok=True)

    def ask(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, before)
        stop.touch()
        display.console.print("stopping after the epoch under way; Ctrl-C again stops at once")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
        stop.unlink(missing_ok=True)


def _ready(waiting: list[Job], outcome: Outcome, display: ProgressDisplay, study: Path) -> tuple[list[Job], list[Job]]:
    """Return the jobs that have to wait and those that can run; record those that cannot run any more as failed."""
    there = {*outcome.skipped, *outcome.finished}
    later: list[Job] = []
    ready: list[Job] = []
    for job in waiting:
        lost = [name for name in job.needs if name in outcome.failed]
        if lost:
            _note(job.name, f"not run, because {' and '.join(lost)} failed", outcome, display, study)
        else:
            (ready if there.issuperset(job.needs) else later).append(job)
    return later, ready


def _pieces(ready: list[Job], module: str | None) -> list[list[Job]]:
    """Return what workers are given: a job each, or all training jobs together."""
    trainings = [job for job in ready if module and isinstance(job.function, TrainingFunction)]
    return ([trainings] if trainings else []) + [[job] for job in ready if job not in trainings]


def _answers(future: Future[Answers], jobs: list[Job]) -> Answers:
    """Return what a worker answered; no answer, as from a worker that died several times, is a failure."""
    try:
        return future.result()
    except BrokenExecutor:
        raise
    except Exception as error:
        return {job.name: f"{type(error).__name__}: {error}" for job in jobs}


def _note(name: str, failure: str | None, outcome: Outcome, display: ProgressDisplay, study: Path) -> None:
    """Record what became of a job."""
    if failure is None:
        outcome.finished.append(name)
        display.finished(name)
        log(study, f"{name}: finished")
    elif failure != _STOPPED:
        outcome.failed[name] = failure
        display.failed(name, failure)
        log(study, f"{name}: failed: {failure}")


def _work(jobs: list[Job], study: Path, module: str | None) -> Answers:
    """Run jobs in a worker, several as a population.

    Failures are returned as text, because an exception that cannot be pickled would break the pool.
    """
    try:
        workspace = Workspace(study, jobs[0].name)
        workspace.stop_if_asked()
        if module and isinstance(jobs[0].function, TrainingFunction):
            return train_together(jobs, study, import_module(module))
        workspace.finish(jobs[0].function(workspace, **jobs[0].arguments))
    except Stopped:
        return {job.name: None if finished(study, job) else _STOPPED for job in jobs}
    except Exception as error:
        failure = f"{type(error).__name__}: {error}"
        # One may be there all the same: from a worker that was given up for lost, or from the population.
        answers = {job.name: None if finished(study, job) else failure for job in jobs}
        if any(answers.values()):
            log(study, f"{', '.join(answers)}: {traceback.format_exc()}")
        return answers
    return {jobs[0].name: None}
