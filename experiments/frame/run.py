"""Running a study: its cells run in a folder until none is left, then it reports."""

import json
import time
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from experiments.frame.executors import Where
from experiments.frame.folder import FolderError, held, settle_configuration, sweep
from experiments.frame.progress import Watcher
from experiments.frame.scheduler import run_cells
from experiments.frame.study import Experiment
from experiments.frame.threads import describe_blas
from experiments.frame.workspace import log, read_json, write_json

__all__ = ["INTERRUPTED", "run"]

INTERRUPTED = 130  # what a shell calls a command that Ctrl-C ended


def run(experiment: Experiment, console: Console) -> int:
    """Run the cells that have not finished yet, write the report, and return the exit code.

    Raises ValueError, FolderError or OSError for what cannot be done.
    """
    where, job = experiment.where, experiment.job()
    where.check()
    configuration = json.loads(json.dumps(job.configuration))
    out = experiment.out.absolute() if where.cluster else experiment.out
    with held(out):
        settle_configuration(out, configuration, job.check_studies, job.grown)
        sweep(out)
        write_json(out / "plan.json", [cell.name for cell in job.cells])
        console.print(f"{experiment.name}: {job.what}, {where.describe()}, {describe_blas()}", highlight=False)
        try:
            with _start(out, where), where.executor(out) as executor, Watcher(console) as watcher:
                outcome = run_cells(job.cells, out, executor, watcher, where.module)
        except KeyboardInterrupt:
            log(out, "stopped by Ctrl-C")
            console.print(f"stopped; nothing is lost: the same command goes on from what is in {out}", soft_wrap=True)
            return INTERRUPTED
        except BrokenProcessPool as error:
            log(out, f"a worker died: {error}")
            raise FolderError(
                f"a worker of folder {out} was killed, perhaps for want of memory; the same command goes on from where "
                "it was, with --workers 1 in half the memory"
            ) from error
        experiment.report(out, out, console)
        console.print(f"results, tables and pictures are in {out}", soft_wrap=True)
        log(out, f"{len(outcome.failed)} of {len(job.cells)} cells failed; the report is written")
    if outcome.failed:
        console.print(f"{len(outcome.failed)} of {len(job.cells)} cells failed; {out}/log.txt says more", style="red")
    return 1 if outcome.failed else 0


@contextmanager
def _start(out: Path, where: Where) -> Iterator[None]:
    """Note this start in the folder, and in the end how long it took; that stays empty where it was killed."""
    starts = read_json(out / "starts.json") or []
    begun, started = time.monotonic(), datetime.now().astimezone().isoformat(timespec="seconds")
    start: dict[str, Any] = {"started": started, "seconds": None, "workers": where.workers, "cluster": where.cluster}
    write_json(out / "starts.json", [*starts, start])
    log(out, f"started with {where.describe()}")
    try:
        yield
    finally:
        start["seconds"] = round(time.monotonic() - begun, 1)
        write_json(out / "starts.json", [*starts, start])
