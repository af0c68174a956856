"""Progress: a bar for the study and a line for each running job in a terminal, one plain line a job elsewhere."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

__all__ = ["ProgressDisplay", "describe_progress", "progress_of"]


class ProgressDisplay:
    """Shows the progress of running jobs. A class, because a live display has a state.

    Use it as a context manager: the display ends with the block.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[state]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.all: TaskID | None = None
        self.lines: dict[str, TaskID] = {}
        self.total = self.done = 0
        self.start = time.monotonic()

    def __enter__(self) -> "ProgressDisplay":
        self.bars.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.bars.stop()

    def begin(self, total: int, done: int) -> None:
        """Say how many jobs there are and how many had finished before."""
        self.total, self.done = total, done
        if done:
            self.console.print(f"{done} of {total} jobs had finished before")
        self.all = self.bars.add_task("all jobs", total=total, completed=done, state="")

    def look(self, study: Path, running: Sequence[str]) -> None:
        """Show what the running jobs have written about themselves."""
        for name in running:
            progress = progress_of(study, name)
            if progress:
                if name not in self.lines:
                    self.lines[name] = self.bars.add_task(name, total=None, state="")
                self.bars.update(
                    self.lines[name], completed=progress.get("epoch", 0), state=describe_progress(progress)
                )

    def finished(self, name: str) -> None:
        """Show that a job has finished."""
        self._count(name)
        if not self.console.is_terminal:
            self.console.print(f"{self.done} of {self.total}: {name} ({time.monotonic() - self.start:.0f} s)")

    def failed(self, name: str, why: str) -> None:
        """Show that a job has failed, and why."""
        self._count(name)
        self.console.print(f"{name} failed: {why}", style="red", markup=False)

    def _count(self, name: str) -> None:
        self.done += 1
        if name in self.lines:
            self.bars.remove_task(self.lines.pop(name))
        if self.all is not None:
            self.bars.update(self.all, completed=self.done)


def describe_progress(progress: Mapping[str, Any]) -> str:
    """Return a job's progress as a line: epoch, validation error, layers that train."""
    return ", ".join(
        [f"epoch {progress['epoch']}" if "epoch" in progress else "begins"]
        + ([f"validation error {progress['error']:.2f} %"] if "error" in progress else [])
        + ([f"{progress['layers']} layers train"] if "layers" in progress else [])
    )


def progress_of(study: Path, job: str) -> dict[str, Any] | None:
    """Return what a running job has written about itself; None where it does not run."""
    try:
        return json.loads((study / "jobs" / job / "progress.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
