"""Progress of a run while it trains: epochs, errors, which layers train, and the time that is left.

`train(..., progress=True)` shows it, with the package rich (the extra `progress`). On a terminal it is one line that
changes; elsewhere a line is printed every few seconds. Errors are those of the validation splits.
"""

import sys
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from npnet.policies import trains, waits
from npnet.run import Record, TrainingJob
from npnet.training import epochs_without_minimum

__all__ = ["Progress", "epochs_left", "layers_of", "shown"]

_PAUSE = 5.0  # seconds between two lines where there is no terminal


def epochs_left(job: TrainingJob) -> int:
    """Return for how many epochs a run goes on if none of them is a new minimum: with new ones it takes longer."""
    run, settings = job.run, job.settings
    most = settings.max_epochs - len(run.history)
    if run.finished or settings.patience is None or (waits(settings.policy) and not all(map(trains, run.mask or ()))):
        return 0 if run.finished else most
    rule = {"by": settings.by, "min_delta": settings.min_delta}
    waited = epochs_without_minimum(run.history, settings.together, settings.patience_restarts, **rule)  # type: ignore[arg-type]
    return max(1, min(most, settings.patience - waited))


def layers_of(mask: Any) -> str:
    """Return a mask in signs, the head last: ■ for a layer that trains, □ for one that is frozen, ▪ for one in part."""
    return "".join("□" if not entry else "■" if entry == 1 else "▪" for entry in mask)


class Progress:
    """A display of one run; a context manager, because the terminal is to be left in order. Called with each record."""

    def __init__(self, job: TrainingJob) -> None:
        try:
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as Bar
        except ImportError as error:
            raise ImportError("progress=True needs rich: pip install 'npnet-transfer[progress]'") from error
        self.job, self.began, self.said = job, time.monotonic(), -_PAUSE
        self.at_start = len(job.run.history)
        columns = (BarColumn(10), TextColumn("{task.description}"))
        self.bar: Any = Bar(*columns, transient=False) if sys.stderr.isatty() else None
        if self.bar is not None:
            self.bar.console.file = sys.stderr
            self.task = self.bar.add_task("epoch 1", total=job.settings.max_epochs)

    def __enter__(self) -> "Progress":
        if self.bar is not None:
            self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()

    def line(self, record: Record) -> str:
        """Return what is said of an epoch."""
        unit = "" if any(task.train.regression for task in self.job.tasks.values()) else " %"
        errors = ", ".join(f"{head} {error:.3g}{unit}" for head, error in record["validation"].items())
        each = (time.monotonic() - self.began) / (record["epoch"] - self.at_start)
        left = epochs_left(self.job)
        more = " or more" if left and self.job.settings.patience is not None else ""
        layers, until = layers_of(record["mask"]), _duration(left * each)
        return f"epoch {record['epoch']}  {errors}  {layers}  {until}{more} left"

    def __call__(self, record: Record) -> None:
        """Show the record of an epoch."""
        line, now = self.line(record), time.monotonic()
        if self.bar is not None:
            self.bar.update(self.task, description=line, completed=record["epoch"])
        elif now - self.said >= _PAUSE or self.job.run.finished:
            self.said = now
            print(line, file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}" if whole >= 60 else f"{whole} s"


def shown(job: TrainingJob, records: Iterator[Record]) -> Iterator[Record]:
    """Yield the records of a job while its progress is shown."""
    with Progress(job) as show:
        for record in records:
            show(record)
            yield record
