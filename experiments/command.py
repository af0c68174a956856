"""The command line: what can be run, as typed dataclasses that tyro turns into subcommands."""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console
from tyro.conf import OmitArgPrefixes, OmitSubcommandPrefixes, Positional, subcommand

from experiments import (
    blas,
    difficulty,
    difficulty_report,
    starting_point,
    starting_point_design,
    starting_point_report,
)
from experiments.cells import Cell
from experiments.desk import log, read_json, write_json
from experiments.folder import FolderError, held, settle_configuration
from experiments.progress import Watcher
from experiments.report import write_report
from experiments.results import collect, read_results, study_of, write_results
from experiments.runner import Outcome, pool, run_cells
from experiments.stimuli import write_sheets
from experiments.tables import PRESETS, TABLES, Initialise, Preset, Study
from experiments.transfer import cells_of

__all__ = ["main"]

INTERRUPTED = 130  # what a shell calls a command that Ctrl-C ended
_FILES = "results, tables and figures are in {}: results.csv, sweep.csv, table.md and its pictures"


@dataclass(frozen=True)
class Overrides:
    """What to do otherwise than the preset says.

    Attributes:
        seeds: repetitions on the second task.
        train: training examples of each task.
        validation: validation examples.
        test: test examples.
        batch_size: examples in a batch.
        rate: learning rate.
        patience: epochs without a new minimum of the validation error after which a run ends.
        max_epochs_a: cap on the epochs of the first task.
        max_epochs_b: cap on the epochs of the second task.
        initialise: how weights begin.
        keep: which weights a run ends with.
        patience_restarts: whether patience begins again when a layer joins.
        data_seed: which stimuli are drawn, how image files are split, how the first network begins.
    """

    seeds: int | None = None
    train: int | None = None
    validation: int | None = None
    test: int | None = None
    batch_size: int | None = None
    rate: float | None = None
    patience: int | None = None
    max_epochs_a: int | None = None
    max_epochs_b: int | None = None
    initialise: Initialise | None = None
    keep: Literal["best", "last"] | None = None
    patience_restarts: bool | None = None
    data_seed: int | None = None


@dataclass(frozen=True)
class RunTable:
    """What the commands that repeat a table have in common.

    Attributes:
        out: folder for results; run again with the same folder to go on where a run was stopped.
        preset: "paper" as published, "quick" a fraction of it in minutes, "smoke" in seconds to see that it works.
        workers: processes at work at once; results are the same bits whatever their number.
    """

    out: Path
    preset: Preset = "quick"
    workers: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    overrides: Annotated[Overrides, OmitArgPrefixes] = field(default_factory=Overrides)

    def __post_init__(self) -> None:
        _check_workers(self.workers)

    def study(self) -> Study:
        """Return the study: the preset of the table of this name, with what was said otherwise."""
        name = type(self).__name__.lower()
        given = {key: value for key, value in asdict(self.overrides).items() if value is not None}
        return Study(TABLES[name], replace(PRESETS[name][self.preset], **given))


@dataclass(frozen=True)
class Table1(RunTable):
    """Repeat table 1: digits 0 to 4, then 5 to 9, on MNIST images; 500-500."""


@dataclass(frozen=True)
class Table3(RunTable):
    """Repeat table 3: angle or crossing beside a distracting line (acl), then without it (ac); 500-500."""


@dataclass(frozen=True)
class Difficulty:
    """Measure how hard the stimuli are: 500-500 learns acl under several appearances, amounts and regularizers.

    Attributes:
        out: folder for results; run again with the same folder to go on where a run was stopped.
        preset: "paper" with up to 330,000 stimuli (hours), "smoke" in seconds to see that it works.
        workers: processes at work at once; results are the same bits whatever their number.
    """

    out: Path
    preset: difficulty.Preset = "paper"
    workers: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))

    def __post_init__(self) -> None:
        _check_workers(self.workers)


@dataclass(frozen=True)
class StartingPoint:
    """Compare penalties that pull towards the starting point of fine tuning with those that do not; 500-500.

    Attributes:
        out: folder for results; run again with the same folder to go on where a run was stopped.
        preset: "quick" in about an hour on two cores, "paper" in a night, "smoke" in seconds to see that it works.
        workers: processes at work at once; results are the same bits whatever their number.
    """

    out: Path
    preset: starting_point_design.Preset = "quick"
    workers: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))

    def __post_init__(self) -> None:
        _check_workers(self.workers)


@dataclass(frozen=True)
class Stimuli:
    """Draw the line-and-angle stimuli: sheets of all tasks, of the truth about them, and of their open parameters.

    Attributes:
        out: folder for the pictures.
        seed: which stimuli are drawn.
    """

    out: Path = Path("results/stimuli")
    seed: int = 0


@dataclass(frozen=True)
class Report:
    """Make table and figure again from the results in a folder.

    Attributes:
        folder: a folder that a run has written to.
        out: where to write them, with the results they are made from; the same folder by default.
    """

    folder: Positional[Path]
    out: Path | None = None


@dataclass(frozen=True)
class Bench:
    """Measure speed beside other libraries: "step", a training step; "frozen", frozen layers; "stimuli", drawing.

    Attributes:
        which: the benchmark.
        json: also write the measurements here.
    """

    which: Positional[Literal["step", "frozen", "stimuli"]]
    json: Path | None = None


Command = (
    Annotated[Table1, subcommand("table1")]
    | Annotated[Table3, subcommand("table3")]
    | Annotated[Difficulty, subcommand("difficulty")]
    | Annotated[StartingPoint, subcommand("starting_point")]
    | Annotated[Stimuli, subcommand("stimuli")]
    | Annotated[Report, subcommand("report")]
    | Annotated[Bench, subcommand("bench")]
)


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 where cells failed, 2 for what cannot be done, 130 for Ctrl-C."""
    console = Console() if sys.stdout.isatty() else Console(width=124)
    try:
        command = tyro.cli(
            Command,
            prog="python -m experiments",
            description="Studies of transfer and forgetting with npnet.",
            args=arguments,
            config=(OmitSubcommandPrefixes,),
        )
        if isinstance(command, RunTable):
            return run_table(command, console)
        if isinstance(command, Difficulty):
            return run_difficulty(command, console)
        if isinstance(command, StartingPoint):
            return run_starting_point(command, console)
        if isinstance(command, Stimuli):
            names = ", ".join(path.name for path in write_sheets(command.out, command.seed))
            console.print(f"pictures are in {command.out}: {names}", soft_wrap=True)
            return 0
        if isinstance(command, Report):
            return report(command, console)
        import_module(f"experiments.benchmarks.{command.which}").main(command.json)
        return 0
    except (FolderError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _check_workers(workers: int) -> None:
    """Raise ValueError for less than one worker."""
    if workers < 1:
        raise ValueError(f"workers is {workers}; expected at least one")


def run_table(command: RunTable, console: Console) -> int:
    """Run what is left to run of a table, and write results, tables and figure."""
    study, out, p = command.study(), command.out, command.study().protocol
    what = f"{study.table.setting}, {p.train:,} / {p.validation:,} / {p.test:,} examples, {p.seeds} seeds"

    def finish() -> None:
        results = collect(out, study)
        write_results(results, out)
        write_report(results, out, console)
        console.print(f"results, table and figure are in {out}: results.csv, table.md, curves.png", soft_wrap=True)

    configuration = {"experiment": study.table.name, **asdict(study)}
    return _run_study(what, configuration, cells_of(study), out, command.workers, console, finish)


def run_difficulty(command: Difficulty, console: Console) -> int:
    """Run what is left to run of the study of difficulty, and write results, table and figure."""
    out, configuration = command.out, difficulty.configuration(command.preset)
    cells = difficulty.cells_of(command.preset)

    def finish() -> None:
        difficulty_report.write_report(out, out, console)
        console.print(f"results, table and figure are in {out}: results.csv, table.md, difficulty.png", soft_wrap=True)

    return _run_study(f"{len(cells)} networks on acl", configuration, cells, out, command.workers, console, finish)


def run_starting_point(command: StartingPoint, console: Console) -> int:
    """Run what is left to run of the study of starting points, and write results, tables and figures."""
    out, configuration = command.out, starting_point_design.configuration(command.preset)
    cells = starting_point.cells_of(command.preset)

    def finish() -> None:
        starting_point_report.write_report(out, out, console)
        console.print(_FILES.format(out), soft_wrap=True)

    return _run_study(f"{len(cells)} cells", configuration, cells, out, command.workers, console, finish)


def _run_study(
    what: str,
    configuration: dict[str, Any],
    cells: Sequence[Cell],
    out: Path,
    workers: int,
    console: Console,
    finish: Callable[[], None],
) -> int:
    """Run the cells of a study that have not finished in `out`, then `finish`; return the exit code."""
    with held(out):
        settle_configuration(out, json.loads(json.dumps(configuration)))
        console.print(f"{configuration['experiment']}: {what}, {workers} workers, {blas.describe()}", highlight=False)
        started = time.time()
        try:
            outcome = _run(cells, out, workers, console)
        except KeyboardInterrupt:
            log(out, "stopped by Ctrl-C")
            console.print(f"stopped; nothing is lost: the same command goes on from what is in {out}")
            return INTERRUPTED
        finally:
            _note_start(out, started, workers)
        finish()
    if outcome.failed:
        console.print(f"{len(outcome.failed)} of {_count(outcome)} cells failed; {out}/log.txt says more", style="red")
    return 1 if outcome.failed else 0


def report(command: Report, console: Console) -> int:
    """Write tables and figure from what is in a folder: from its cells where it has them, else from its results."""
    configuration = read_json(command.folder / "configuration.json")
    about, out = configuration or read_json(command.folder / "results.json"), command.out or command.folder
    if about is not None and about["experiment"] == "difficulty":
        difficulty_report.write_report(command.folder, out, console)
        console.print(f"results, table and figure are in {out}: results.csv, table.md, difficulty.png", soft_wrap=True)
        return 0
    if about is not None and about["experiment"] == "starting_point":
        starting_point_report.write_report(command.folder, out, console)
        console.print(_FILES.format(out), soft_wrap=True)
        return 0
    if configuration is not None and (command.folder / "cells").is_dir():
        results = collect(command.folder, study_of(configuration))
    else:
        results = read_results(command.folder)
    write_results(results, out)
    write_report(results, out, console)
    console.print(f"results, table and figure are in {out}: results.csv, table.md, curves.png", soft_wrap=True)
    return 0


def _run(cells: Sequence[Cell], out: Path, workers: int, console: Console) -> Outcome:
    with Watcher(console) as watcher, pool(workers) as executor:
        try:
            return run_cells(cells, out, executor, watcher)
        except BrokenProcessPool as error:
            log(out, f"a worker died: {error}")
            raise FolderError(
                f"a worker of folder {out} was killed, perhaps for want of memory; the same command goes on from where "
                "it was, with --workers 1 in half the memory"
            ) from error


def _note_start(out: Path, started: float, workers: int) -> None:
    """Add this start to the list of the folder's starts."""
    starts = read_json(out / "starts.json") or []
    begun = datetime.fromtimestamp(started).astimezone().isoformat(timespec="seconds")
    starts.append({"started": begun, "seconds": round(time.time() - started, 1), "workers": workers})
    write_json(out / "starts.json", starts)


def _count(outcome: Outcome) -> int:
    return len(outcome.skipped) + len(outcome.finished) + len(outcome.failed)
