"""The command line: each study and each dataclass here is a command, whose fields tyro makes its options."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console
from tyro.conf import Positional, arg

from experiments.benchmarks.process import Instructions, start
from experiments.frame.files import read_json
from experiments.frame.folder import FolderError
from experiments.frame.run import run
from experiments.frame.status import show_status
from experiments.frame.study import Study
from experiments.overview import PROGRAM, description, expected, overview
from experiments.page import studies_below, write_page
from experiments.registry import GROUPS, study_named
from experiments.sheets import write_sheets
from experiments.studies.tables.claims import write_claims

__all__ = ["main"]


@dataclass(frozen=True)
class StimuliCommand:
    """Draw sheets of the images that npnet makes.

    They show lines and angles, digits and letters, the truth about them, and the parameters that one may choose.

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
    """Make tables, pictures and one page from existing results.

    The page is report.html. It holds every study at or below the folder.

    Attributes:
        folder: a folder with results, or one that has such folders below it.
        out: where to write tables, pictures and results; by default the same folder.
    """

    folder: Positional[Path] = Path("results")
    out: Annotated[Path | None, arg(metavar="PATH", help_behavior_hint="(default: the same folder)")] = None

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
    """Join results of one study that lie in several folders.

    They are rows of one table, or variants of the sensitivity study.

    Attributes:
        folders: folders with results of one study, each with a results.json.
        out: folder for the joined results, their tables and pictures.
    """

    folders: Positional[tuple[Path, ...]]
    out: Path

    def __call__(self, console: Console) -> None:
        """Join them."""
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
    """Show what is done, running and left of a study.

    It also says about how long the rest will take.

    Attributes:
        folder: the folder of a study, running or not.
    """

    folder: Positional[Path]

    def __call__(self, console: Console) -> None:
        """Show it."""
        show_status(self.folder, console)


Benchmark = Literal["step", "parts", "variants", "job", "frozen", "population", "jacobian", "stimuli", "estimator"]


@dataclass(frozen=True)
class BenchCommand:
    """Compare npnet's speed with other libraries.

    Each benchmark runs in a process of its own, where every library has one thread. step: a training step. parts: where
    its time goes. variants: a step with penalties, other optimizers or dropout. job: all of table 1. frozen: frozen
    layers. population: many networks as one. jacobian: matching a teacher's Jacobian. stimuli: drawing images.
    estimator: npnet.sklearn's estimators and scikit-learn's own, speed and errors.

    Attributes:
        which: the benchmark.
        json: also write the measurements to this file.
        instructions: "avx2" measures as if the processor had no AVX-512.
        epochs: of "job" alone: epochs of each of its three runs; 0 runs the whole protocol, which takes minutes.
    """

    which: Positional[Benchmark]
    json: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: none)")] = None
    instructions: Instructions = "all"
    epochs: Annotated[int | None, arg(metavar="INT", help_behavior_hint="(default: 3)")] = None

    def __call__(self, console: Console) -> None:
        """Measure it. Raises ValueError for epochs that do not fit."""
        if self.epochs is not None and (self.which != "job" or self.epochs < 0):
            raise ValueError(f"epochs is {self.epochs} for {self.which}; expected it for job alone, from 0")
        options = {"json": None if self.json is None else str(self.json)}
        chosen = {} if self.epochs is None else {"epochs": self.epochs}
        start(self.which, options | chosen, self.instructions)


@dataclass(frozen=True)
class FaultsCommand:
    """Plant errors in gradients and see which checks find them.

    75 realistic errors are planted one by one, ever smaller. npnet's checks and those of other packages (the extra
    "peers") are compared by the smallest error that each detects, and by their false alarms.

    Attributes:
        json: also write the measurements to this file.
        runs: checks of correct code with npnet, each with another seed, to count false alarms.
        anchor_runs: the same for each of the other packages.
        only: measure these alone, "npnet" among them; the numbers of the others are kept from the file.
    """

    json: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: none)")] = None
    runs: int = 1000
    anchor_runs: int = 1000
    only: tuple[str, ...] = ()

    def __call__(self, console: Console) -> None:
        """Plant them."""
        import_module("experiments.faults.table").main(console, self.json, self.runs, self.anchor_runs, self.only)


@dataclass(frozen=True)
class ConformanceCommand:
    """Hold frameworks to the conformance set.

    Every framework that is installed is measured, and the page of all that ever were is written.

    Attributes:
        out: folder of conformance.json and conformance.md.
        only: one framework, not all that are installed.
    """

    out: Path = Path("docs")
    only: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="(default: all)")] = None

    def __call__(self, console: Console) -> None:
        """Measure. Raises ValueError if a framework could not be measured."""
        failed = import_module("experiments.conformance").run(self.out, self.only, console.print)
        if failed:
            raise ValueError(f"{failed} frameworks could not be measured")


@dataclass(frozen=True)
class StepsCommand:
    """Draw the error of four derivatives against step size.

    These are one-sided, central and extrapolated differences, and the complex step.

    Attributes:
        out: folder for the picture.
    """

    out: Path = Path("docs")

    def __call__(self, console: Console) -> None:
        """Draw it."""
        console.print(f"picture is in {import_module('experiments.faults.steps').draw(self.out)}", soft_wrap=True)


ALL_GROUPS: Mapping[str, Mapping[str, type]] = {
    **GROUPS,
    "Tools": {
        "status": StatusCommand,
        "report": ReportCommand,
        "join": JoinCommand,
        "stimuli": StimuliCommand,
        "bench": BenchCommand,
        "faults": FaultsCommand,
        "conformance": ConformanceCommand,
        "steps": StepsCommand,
    },
}
COMMANDS = {name: command for commands in ALL_GROUPS.values() for name, command in commands.items()}


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 where jobs failed, 2 for a wrong request, 130 for Ctrl-C."""
    console = Console(width=None if sys.stdout.isatty() else 132, markup=False)  # a folder may be called "[exp]"
    name, *options = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name in ("-h", "--help"):
        print(overview(ALL_GROUPS))
        return 0
    if name not in COMMANDS:
        print(f"error: command is {name!r}; expected {expected(name, COMMANDS)}", file=sys.stderr)
        return 2
    if {"-h", "--help"} & set(options):
        print(description(COMMANDS[name]), end="\n\n")  # tyro would print each paragraph in one long line
    try:
        command: Any = tyro.cli(COMMANDS[name], prog=f"{PROGRAM} {name}", description="", args=options)
        if isinstance(command, Study):
            return run(command, console)
        command(console)
        return 0
    except (FolderError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
