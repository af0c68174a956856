"""A job's workspace: its own folder, for checkpoints, progress and the result, and the way to the jobs that it needs.

    jobs/<name>/checkpoint.npz   the run so far, replaced every few seconds; gone when the job has finished
    jobs/<name>/progress.json    what the progress display reads
    jobs/<name>/result.json      the result, written last: where it is, the job has finished

Every file is moved into place whole, so a process may be killed at any moment. A file named `stop` in the study's
folder asks all jobs, on any machine, to write a checkpoint after the current epoch and stop.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from experiments.frame.files import write_json
from experiments.frame.jobs import Result
from npnet import load_tree, save_tree, to_host
from npnet.trees import Tree

__all__ = ["STOP", "Stopped", "Workspace", "log"]

STOP = "stop"

# Seconds that a killed job loses at most, besides the current epoch. NPNET_CHECKPOINT_SECONDS changes it.
CHECKPOINT_EVERY = 5.0
SHOW_EVERY = 0.3


class Stopped(Exception):  # noqa: N818 (no error: the job was asked to)
    """A job has left its checkpoint and stopped, as it was asked to."""


class Workspace:
    """The folder of one job inside a study's folder. A class, because it remembers when it last wrote."""

    def __init__(self, study: Path, job: str) -> None:
        self.study, self.job = study, job
        self.path = study / "jobs" / job
        self.path.mkdir(parents=True, exist_ok=True)
        self.begun = self.saved = time.monotonic()
        self.shown = 0.0
        self.show()

    def needed(self, job: str) -> Path:
        """Return the folder of another job, one that this job's `needs` names."""
        return self.study / "jobs" / job

    def resume(self) -> Tree | None:
        """Return the last checkpoint; None where there is none, or where it is damaged, which is logged."""
        try:
            return load_tree(self.path / "checkpoint.npz")
        except FileNotFoundError:
            return None
        except ValueError as error:
            self.log(f"checkpoint is damaged, the job starts again ({error})")
            return None

    def checkpoint(self, tree: Callable[[], Tree]) -> None:
        """Save what `tree` returns, from which the job can go on, unless the last one is only a few seconds old."""
        every = float(os.environ.get("NPNET_CHECKPOINT_SECONDS", CHECKPOINT_EVERY))
        if self.asked_to_stop or time.monotonic() - self.saved >= every:
            save_tree(self.path / "checkpoint.npz", to_host(tree()))
            self.saved = time.monotonic()

    @property
    def asked_to_stop(self) -> bool:
        """Whether the study is to stop."""
        return (self.study / STOP).exists()

    def stop_if_asked(self) -> None:
        """Raise Stopped where the study is to stop. Call it after a checkpoint."""
        if self.asked_to_stop:
            raise Stopped

    def show(self, **progress: Any) -> None:
        """Publish the job's progress."""
        now = time.monotonic()
        if now - self.shown >= SHOW_EVERY:
            draft = self.path / "progress.draft"
            draft.write_text(json.dumps({**progress, "seconds": round(now - self.begun, 1)}), "utf-8")
            draft.replace(self.path / "progress.json")
            self.shown = now

    def log(self, message: str) -> None:
        """Add a line to the study's log."""
        log(self.study, f"{self.job}: {message}")

    def finish(self, result: Result) -> None:
        """Write the result, with the peak memory of its process, and remove the checkpoint and the progress."""
        write_json(self.path / "result.json", {**result, "peak_memory_mb": _peak_memory()})
        for leftover in (*self.path.glob("*.part"), *self.path.glob("progress.*"), self.path / "checkpoint.npz"):
            leftover.unlink(missing_ok=True)


def _peak_memory() -> int:
    """Return the largest memory of this process so far, MB; 0 where the system does not say."""
    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError:  # Windows
        return 0
    return getrusage(RUSAGE_SELF).ru_maxrss // (1024**2 if sys.platform == "darwin" else 1024)  # bytes or kilobytes


def log(study: Path, message: str) -> None:
    """Add a line with the time to the log of a study's folder."""
    with (study / "log.txt").open("a", encoding="utf-8") as file:
        file.write(f"{datetime.now().astimezone().isoformat(timespec='seconds')} {message}\n")
