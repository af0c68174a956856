"""What every study has in common on the command line: cells that run in a folder until none is left, then a report."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from experiments import blas, rivals
from experiments.cells import Cell
from experiments.claims import write_claims
from experiments.desk import log, read_json, write_json
from experiments.difficulty import report as difficulty_report
from experiments.difficulty import trials
from experiments.executors import Where
from experiments.folder import FolderError, held, settle_configuration
from experiments.progress import Watcher
from experiments.report import write_report
from experiments.results import collect, read_results, study_of, write_results
from experiments.runner import run_cells
from experiments.sensitivity import report as sensitivity_report
from experiments.sensitivity import variants
from experiments.starting_point import design, runs
from experiments.starting_point import report as starting_point_report
from experiments.tables import Study
from experiments.transfer import cells_of

__all__ = [
    "INTERRUPTED",
    "Job",
    "difficulty_job",
    "report",
    "run",
    "sensitivity_job",
    "starting_point_job",
    "tables_job",
]

INTERRUPTED = 130  # what a shell calls a command that Ctrl-C ended


@dataclass(frozen=True)
class Job:
    """A study to run: what it is in a line, the configuration that its folder belongs to, its cells."""

    what: str
    configuration: Mapping[str, Any]
    cells: Sequence[Cell]


def tables_job(studies: Sequence[Study]) -> Job:
    """Return the job of some tables of the Gradual Tuning paper."""
    cells = cells_of(studies)
    names = ", ".join(f"{study.name} ({study.protocol.train:,} examples)" for study in studies)
    parts = {study.name: asdict(study) for study in studies}
    return Job(f"{names}, {len(cells)} cells", {"experiment": "tables", "studies": parts}, cells)


def sensitivity_job(preset: variants.Preset) -> Job:
    """Return the job of the study of what the paper's protocol leaves open."""
    of = variants.studies(preset)
    cells = cells_of(of)
    parts = {study.name: asdict(study) for study in of}
    return Job(f"{len(of)} variants, {len(cells)} cells", {"experiment": "sensitivity", "studies": parts}, cells)


def rivals_job(preset: rivals.Preset) -> Job:
    """Return the job of Gradual Tuning among its rivals."""
    of = rivals.study(preset)
    cells = rivals.all_cells(of)
    return Job(f"{len(cells)} cells", {"experiment": "rivals", "studies": {of.name: asdict(of)}}, cells)


def difficulty_job(preset: trials.Preset) -> Job:
    """Return the job of the study of difficulty."""
    cells = trials.cells_of(preset)
    return Job(f"{len(cells)} networks on {trials.TASK}", trials.configuration(preset), cells)


def starting_point_job(preset: design.Preset) -> Job:
    """Return the job of the study of starting points."""
    cells = runs.cells_of(preset)
    return Job(f"{len(cells)} cells", design.configuration(preset), cells)


def run(job: Job, out: Path, where: Where, console: Console) -> int:
    """Run the cells that have not finished in `out`, write the report, and return the exit code.

    Raises ValueError, FolderError or OSError for what cannot be done.
    """
    where.check()
    configuration = json.loads(json.dumps(job.configuration))
    out = out.absolute() if where.cluster else out
    with held(out):
        settle_configuration(out, configuration)
        write_json(out / "plan.json", [cell.name for cell in job.cells])
        name = configuration["experiment"]
        console.print(f"{name}: {job.what}, {where.describe()}, {blas.describe()}", highlight=False)
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
        report(out, out, console)
        log(out, f"{len(outcome.failed)} of {len(job.cells)} cells failed; the report is written")
    if outcome.failed:
        console.print(f"{len(outcome.failed)} of {len(job.cells)} cells failed; {out}/log.txt says more", style="red")
    return 1 if outcome.failed else 0


def report(folder: Path, out: Path, console: Console) -> None:
    """Write tables and figures from what is in a folder: from its cells where it has them, else from its results."""
    configuration = read_json(folder / "configuration.json")
    about = configuration or read_json(folder / "results.json") or {}
    write, files = _REPORTS.get(about.get("experiment", ""), (_report_table, "results.csv, table.md, curves.png"))
    write(folder, out, console)
    console.print(f"results, tables and figures are in {out}: {files}", soft_wrap=True)


def _report_tables(folder: Path, out: Path, console: Console) -> None:
    """Report every table that a folder has cells of, each into a folder of its own."""
    for name, configuration in read_json(folder / "configuration.json")["studies"].items():
        results = collect(folder, study_of(configuration))
        write_results(results, out / name)
        write_report(results, out / name, console)
    write_claims(out)


def _report_table(folder: Path, out: Path, console: Console) -> None:
    """Report one table from its results."""
    results = read_results(folder)
    write_results(results, out)
    write_report(results, out, console)


_REPORTS: dict[str, tuple[Callable[[Path, Path, Console], None], str]] = {
    "tables": (_report_tables, "claims.md, claims.png, for each table results.csv, table.md, curves.png"),
    "sensitivity": (sensitivity_report.write_report, "results.csv, table.md, sensitivity.png"),
    "rivals": (rivals.write_report, "results.csv, curves.csv, table.md, rivals.png"),
    "difficulty": (difficulty_report.write_report, "results.csv, table.md, difficulty.png"),
    "starting_point": (starting_point_report.write_report, "results.csv, sweep.csv, table.md and its pictures"),
}
"""How the studies report, and what that leaves; any other name is that of a table by itself."""


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
