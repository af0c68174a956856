"""The status of a study's folder: which jobs are done, running and left, and an estimate of the time left."""

from collections import defaultdict
from dataclasses import dataclass
from math import nan
from pathlib import Path
from statistics import fmean

from rich.console import Console
from rich.table import Table

from experiments.frame.files import read_json
from experiments.frame.folder import FolderError, in_use, result_of
from experiments.frame.progress import describe_progress, progress_of

__all__ = ["StudyStatus", "look", "show_status"]


@dataclass(frozen=True)
class StudyStatus:
    """The state of all jobs.

    Attributes:
        done: names of the jobs that have finished.
        running: names of those that are running.
        left: names of those that have not started.
        work: seconds of work left: for each unfinished job the mean of the finished ones of its kind, or of similar
            kinds, less what the running ones have spent; NaN where none has finished.
        workers: how many work; on a cluster, as many as jobs are running.
    """

    done: list[str]
    running: list[str]
    left: list[str]
    work: float
    workers: int

    @property
    def seconds_left(self) -> float:
        """The estimated time: the work, shared evenly among the workers."""
        return self.work / self.workers


def look(folder: Path) -> StudyStatus:
    """Look at what the jobs of a study have left in its folder. Raises FolderError where no study was begun there."""
    plan, active = read_json(folder / "plan.json"), in_use(folder)
    if plan is None:
        raise FolderError(f"folder {folder} has no plan.json; expected a folder given to --out before")
    done, running, left = [], [], []
    taken: dict[str, list[float]] = defaultdict(list)
    spent = 0.0
    for name in plan:
        result, progress = result_of(folder, name), progress_of(folder, name)
        if result is not None:
            done.append(name)
            taken[_kind(name)].append(result.get("seconds", 0.0))
        elif active and progress is not None:
            running.append(name)
            spent += progress["seconds"]
        else:
            left.append(name)
    means = {kind: fmean(seconds) for kind, seconds in taken.items()}
    work = sum(_expected(_kind(name), means) for name in (*running, *left))
    start = (read_json(folder / "starts.json") or [{"workers": 1, "cluster": None}])[-1]
    workers = max(len(running), 1) if start["cluster"] else start["workers"]
    return StudyStatus(done, running, left, max(work - spent, 0.0) if running or left else 0.0, workers)


def show_status(folder: Path, console: Console) -> None:
    """Print the status: a line for the study, and one for each running job. Raises what `look` raises."""
    status = look(folder)
    jobs = len(status.done) + len(status.running) + len(status.left)
    rest = f", about {_duration(status.seconds_left)} left" if status.running or status.left else ""
    console.print(
        f"{folder}: {len(status.done)} of {jobs} jobs done, {len(status.running)} running, "
        f"{len(status.left)} left{rest}",
        highlight=False,
        soft_wrap=True,
    )
    table = Table("running", "for", "progress", box=None)
    for name in status.running:
        progress = progress_of(folder, name)
        if progress is not None:
            table.add_row(name, _duration(progress["seconds"]), describe_progress(progress))
    if status.running:
        console.print(table)
    elif status.left:
        console.print("nothing runs here now; the command that started it resumes it")


def _kind(job: str) -> str:
    """Return the name of a job without its seed."""
    return job.rstrip("0123456789")


def _expected(kind: str, means: dict[str, float]) -> float:
    """Return the mean seconds of a kind; else of the kinds whose names begin with the same word, else of all."""
    alike = [mean for other, mean in means.items() if other.partition("-")[0] == kind.partition("-")[0]]
    return means[kind] if kind in means else fmean(alike or means.values()) if means else nan


def _duration(seconds: float) -> str:
    """Return seconds in words."""
    if seconds != seconds:
        return "an unknown time"
    minutes, hours = seconds / 60, seconds / 3600
    return f"{seconds:.0f} s" if minutes < 2 else f"{minutes:.0f} min" if hours < 2 else f"{hours:.1f} h"
