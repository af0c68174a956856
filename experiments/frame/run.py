"""Running a study: all its jobs run in its folder, then it reports."""

import json
import time
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from experiments.frame.executors import Resources
from experiments.frame.files import read_json, write_json
from experiments.frame.folder import FolderError, check_configuration, lock_folder, remove_leftovers
from experiments.frame.progress import ProgressDisplay
from experiments.frame.scheduler import run_jobs
from experiments.frame.study import Study
from experiments.frame.threads import describe_blas
from experiments.frame.workspace import log

__all__ = ["INTERRUPTED", "run"]

INTERRUPTED = 130  # what a shell calls a command that Ctrl-C ended


def run(study: Study, console: Console) -> int:
    """Run the jobs that have not finished yet, write the report, and return the exit code.

    Raises ValueError for options that do not fit, FolderError and OSError for a folder that cannot be used.
    """
    resources, plan = study.resources, study.plan()
    resources.check()
    configuration = json.loads(json.dumps(plan.configuration))
    out = study.folder.absolute() if resources.cluster else study.folder
    with lock_folder(out):
        check_configuration(out, configuration, plan.check_studies, plan.grown)
        remove_leftovers(out)
        write_json(out / "plan.json", [job.name for job in plan.jobs])
        console.print(f"{study.name}: {plan.what}, {resources.describe()}, {describe_blas()}", highlight=False)
        try:
            with _start(out, resources), resources.executor(out) as executor, ProgressDisplay(console) as display:
                outcome = run_jobs(plan.jobs, out, executor, display, resources.module)
        except KeyboardInterrupt:
            log(out, "stopped by Ctrl-C")
            console.print(f"stopped; nothing is lost: the same command resumes from {out}", soft_wrap=True)
            return INTERRUPTED
        except BrokenProcessPool as error:
            log(out, f"a worker died: {error}")
            raise FolderError(
                f"a worker of folder {out} was killed, perhaps because memory ran out; the same command resumes it, "
                "and needs half the memory with --workers 1"
            ) from error
        if outcome.failed:
            failed = f"{len(outcome.failed)} of {len(plan.jobs)} jobs failed; {out}/log.txt says more"
            console.print(failed, style="red", soft_wrap=True)
        study.report(out, out, console)
        console.print(f"results, tables and pictures are in {out}", soft_wrap=True)
        log(out, f"{len(outcome.failed)} of {len(plan.jobs)} jobs failed; the report is written")
    return 1 if outcome.failed else 0


@contextmanager
def _start(out: Path, resources: Resources) -> Iterator[None]:
    """Record this start in the folder, and at the end its seconds, which stay empty where the run is killed."""
    starts = read_json(out / "starts.json") or []
    begun, started = time.monotonic(), datetime.now().astimezone().isoformat(timespec="seconds")
    start: dict[str, Any] = {
        "started": started,
        "seconds": None,
        "workers": resources.workers,
        "cluster": resources.cluster,
    }
    write_json(out / "starts.json", [*starts, start])
    log(out, f"started with {resources.describe()}")
    try:
        yield
    finally:
        start["seconds"] = round(time.monotonic() - begun, 1)
        write_json(out / "starts.json", [*starts, start])
