"""The command line: tyro makes a subcommand of each study and of each dataclass here."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from operator import or_
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console
from tyro.conf import OmitSubcommandPrefixes, Positional, subcommand

from experiments.benchmarks.process import Instructions, start
from experiments.frame.files import read_json
from experiments.frame.folder import FolderError
from experiments.frame.run import run
from experiments.frame.status import show_status
from experiments.frame.study import Study
from experiments.page import studies_below, write_page
from experiments.registry import STUDIES, study_named
from experiments.sheets import write_sheets
from experiments.studies.tables.claims import write_claims

__all__ = ["main"]


@dataclass(frozen=True)
class StimuliCommand:
    """Draw the line-and-angle stimuli: sheets of all tasks, of the truth about them, and of their open parameters.

    Attributes:
        out: folder for the pictures.
        seed: which stimuli are drawn.
    """

    out: Path = Path("results/stimuli")
    seed: int = 0

    def __call__(self, console: Console) -> None:
        """Draw them."""
        names = ", ".join(path.name for path in write_sheets(self.out, self.seed))
        console.print(f"pictures are in {self.out}: {names}", soft_wrap=True)


@dataclass(frozen=True)
class ReportCommand:
    """Make tables and pictures again from existing results, and one page of them all: report.html.

    Attributes:
        folder: a folder that runs have written to, or one that has such folders below it.
        out: where to write them, with the results they are made from; the same folder by default.
    """

    folder: Positional[Path] = Path("results")
    out: Path | None = None

    def __call__(self, console: Console) -> None:
        """Make them."""
        out, studies = self.out or self.folder, studies_below(self.folder)
        quiet = Console(quiet=len(studies) > 1, width=console.width, markup=False)
        for folder in studies:
            about = read_json(folder / "configuration.json") or read_json(folder / "results.json")
            study_named(about).report(folder, out / folder.relative_to(self.folder), quiet)
        if any(out.glob("table*/results.json")):
            write_claims(out)
        page = write_page(out)
        console.print(f"results, tables and pictures are in {out}, all of them on one page in {page}", soft_wrap=True)


@dataclass(frozen=True)
class JoinCommand:
    """Join results that were computed in several folders: rows of one table, or variants of the sensitivity study.

    Attributes:
        folders: folders with results of one study, each with a results.json.
        out: where to write them all, with the tables and pictures that are made from them.
    """

    folders: Positional[tuple[Path, ...]]
    out: Path

    def __call__(self, console: Console) -> None:
        """Put it together."""
        about = [read_json(folder / "results.json") for folder in self.folders]
        for folder, each in zip(self.folders, about, strict=True):
            if each is None:
                raise ValueError(f"folder {folder} has no results.json; expected one that a report was written to")
        studies = {study_named(each) for each in about if each}
        if len(studies) != 1:
            names = ", ".join(sorted(study.name for study in studies)) or "none"
            raise ValueError(f"folders hold results of {names}; expected one study")
        studies.pop().join(self.folders, self.out, console)
        console.print(f"results, tables and pictures are in {self.out}", soft_wrap=True)


@dataclass(frozen=True)
class StatusCommand:
    """Show which jobs of a study are done, running and left, and about how long the rest will take.

    Attributes:
        folder: a folder that a run writes to, or has written to.
    """

    folder: Positional[Path]

    def __call__(self, console: Console) -> None:
        """Say it."""
        show_status(self.folder, console)


@dataclass(frozen=True)
class BenchCommand:
    """Measure speed beside other libraries, in a process of its own, in which each library has one thread.

    step: a training step. variants: one with penalties, another optimizer, dropout. job: the whole work of table 1.
    frozen: frozen layers. population: many networks as one. jacobian: matching a teacher's. stimuli: drawing.

    Attributes:
        which: the benchmark.
        json: also write the measurements here.
        instructions: "avx2" to measure as if the processor had no AVX-512.
        epochs: of "job", for each of its three runs; 0 until the protocol ends it, which takes minutes.
    """

    which: Positional[Literal["step", "variants", "job", "frozen", "population", "jacobian", "stimuli"]]
    json: Path | None = None
    instructions: Instructions = "all"
    epochs: int | None = None

    def __call__(self, console: Console) -> None:
        """Measure it. Raises ValueError for epochs that it does not take."""
        if self.epochs is not None and (self.which != "job" or self.epochs < 0):
            raise ValueError(f"epochs is {self.epochs} for {self.which}; expected it for job alone, from 0")
        options = {"json": None if self.json is None else str(self.json)}
        chosen = {} if self.epochs is None else {"epochs": self.epochs}
        start(self.which, options | chosen, self.instructions)


@dataclass(frozen=True)
class FaultsCommand:
    """Plant realistic faults one by one, and measure which checks detect which, how small, also those of other people.

    Attributes:
        json: also write the measurements here.
        runs: how many times right code is checked, each time with another seed, to count false alarms.
        anchor_runs: the same for each of the other rules.
    """

    json: Path | None = None
    runs: int = 1000
    anchor_runs: int = 1000

    def __call__(self, console: Console) -> None:
        """Plant them."""
        import_module("experiments.faults.table").main(console, self.json, self.runs, self.anchor_runs)


@dataclass(frozen=True)
class StepsCommand:
    """Measure the error of each way to compute a derivative against the size of its step, and draw the picture.

    Attributes:
        out: folder for the picture.
    """

    out: Path = Path("docs")

    def __call__(self, console: Console) -> None:
        """Draw it."""
        console.print(f"picture is in {import_module('experiments.faults.steps').draw(self.out)}", soft_wrap=True)


COMMANDS: Mapping[str, type] = {
    **STUDIES,
    "stimuli": StimuliCommand,
    "report": ReportCommand,
    "join": JoinCommand,
    "status": StatusCommand,
    "bench": BenchCommand,
    "faults": FaultsCommand,
    "steps": StepsCommand,
}


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 where jobs failed, 2 for a wrong request, 130 for Ctrl-C."""
    console = Console(width=None if sys.stdout.isatty() else 132, markup=False)  # a folder may be called "[exp]"
    commands: Any = reduce(or_, (Annotated[kind, subcommand(name)] for name, kind in COMMANDS.items()))
    try:
        command: Any = tyro.cli(
            commands,
            prog="python -m experiments",
            description="Studies of transfer and forgetting with npnet.",
            args=arguments,
            config=(OmitSubcommandPrefixes,),
        )
        if isinstance(command, Study):
            return run(command, console)
        command(console)
        return 0
    except (FolderError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
