"""The command line: what can be run, as typed dataclasses that tyro turns into subcommands."""

import sys
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console
from tyro.conf import OmitArgPrefixes, OmitSubcommandPrefixes, Positional, subcommand

from experiments import rivals, studies
from experiments.difficulty import trials
from experiments.executors import Where
from experiments.folder import FolderError
from experiments.sensitivity import variants
from experiments.starting_point import design
from experiments.status import show_status
from experiments.stimuli import write_sheets
from experiments.tables import TABLES, Initialise, Pixels, Preset, Study, protocol

__all__ = ["main"]


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
        pixels: on [0, 1], on [-1, 1], or of mean 0 and standard deviation 1.
        difference: of two epochs' errors, by which a layer joins: in absolute value, or the improvement.
        l1_scale: what the strength of L1 is multiplied by.
        l1_biases: whether L1 penalises biases.
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
    pixels: Pixels | None = None
    difference: Literal["absolute", "improvement"] | None = None
    l1_scale: float | None = None
    l1_biases: bool | None = None


@dataclass(frozen=True)
class Running(ABC):
    """What all studies have in common.

    Attributes:
        out: folder for results; run again with the same folder to go on where a run was stopped.
        where: where the work is done.
    """

    out: Path
    where: Annotated[Where, OmitArgPrefixes] = field(default_factory=Where)

    @abstractmethod
    def job(self) -> studies.Job:
        """Return what to run."""


@dataclass(frozen=True)
class Tables(Running):
    """Repeat the tables of the Gradual Tuning paper: how much of a first task a network forgets, learning a second.

    Attributes:
        only: which tables, as in "1,3"; all eight by default. A folder may get more of them later.
        preset: "paper" as published, "quick" a fraction of it in minutes, "smoke" in seconds to see that it works.
    """

    only: str = "1,2,3,4,5,6,7,8"
    preset: Preset = "quick"
    overrides: Annotated[Overrides, OmitArgPrefixes] = field(default_factory=Overrides)

    def job(self) -> studies.Job:
        """Return what to run: the preset of each table, with what was said otherwise."""
        names = [f"table{number.strip()}" for number in self.only.split(",")]
        if not set(names) <= set(TABLES):
            raise ValueError(f"only is {self.only!r}; expected numbers of tables from 1 to 8, with commas between")
        given = {key: value for key, value in asdict(self.overrides).items() if value is not None}
        tables = [TABLES[name] for name in dict.fromkeys(names)]
        return studies.tables_job([Study(table, replace(protocol(table, self.preset), **given)) for table in tables])


@dataclass(frozen=True)
class Sensitivity(Running):
    """Repeat table 1 under every choice that its paper leaves open: batches, starts, pixels, stopping, L1.

    Attributes:
        preset: "quick" with two repetitions (hours), "paper" with five, "smoke" in a minute to see that it works.
    """

    preset: variants.Preset = "quick"

    def job(self) -> studies.Job:
        """Return what to run."""
        return studies.sensitivity_job(self.preset)


@dataclass(frozen=True)
class Rivals(Running):
    """Put Gradual Tuning beside controls and rivals on table 1, with probes that tell a lost head from lost features.

    Attributes:
        preset: "quick" with two repetitions, "paper" with five, "smoke" in seconds to see that it works.
    """

    preset: rivals.Preset = "quick"

    def job(self) -> studies.Job:
        """Return what to run."""
        return studies.rivals_job(self.preset)


@dataclass(frozen=True)
class Difficulty(Running):
    """Measure how hard the stimuli are: 500-500 learns acl under several appearances, amounts and regularizers.

    Attributes:
        preset: "paper" with up to 330,000 stimuli (hours), "smoke" in seconds to see that it works.
    """

    preset: trials.Preset = "paper"

    def job(self) -> studies.Job:
        """Return what to run."""
        return studies.difficulty_job(self.preset)


@dataclass(frozen=True)
class StartingPoint(Running):
    """Compare penalties that pull towards the starting point of fine tuning with those that do not; 500-500.

    Attributes:
        preset: "quick" in about an hour on two cores, "paper" in a night, "smoke" in seconds to see that it works.
    """

    preset: design.Preset = "quick"

    def job(self) -> studies.Job:
        """Return what to run."""
        return studies.starting_point_job(self.preset)


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
class Status:
    """Say what is done, running and left in the folder of a study, and about how long the rest will take.

    Attributes:
        folder: a folder that a run writes to, or has written to.
    """

    folder: Positional[Path]


@dataclass(frozen=True)
class Bench:
    """Measure speed beside other libraries: "step", a training step; "frozen", frozen layers; "population", many
    networks as one; "stimuli", drawing.

    Attributes:
        which: the benchmark.
        json: also write the measurements here.
    """

    which: Positional[Literal["step", "frozen", "population", "stimuli"]]
    json: Path | None = None


Command = (
    Annotated[Tables, subcommand("tables")]
    | Annotated[Sensitivity, subcommand("sensitivity")]
    | Annotated[Rivals, subcommand("rivals")]
    | Annotated[Difficulty, subcommand("difficulty")]
    | Annotated[StartingPoint, subcommand("starting_point")]
    | Annotated[Stimuli, subcommand("stimuli")]
    | Annotated[Report, subcommand("report")]
    | Annotated[Status, subcommand("status")]
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
        if isinstance(command, Running):
            return studies.run(command.job(), command.out, command.where, console)
        if isinstance(command, Stimuli):
            names = ", ".join(path.name for path in write_sheets(command.out, command.seed))
            console.print(f"pictures are in {command.out}: {names}", soft_wrap=True)
            return 0
        if isinstance(command, Report):
            studies.report(command.folder, command.out or command.folder, console)
            return 0
        if isinstance(command, Status):
            show_status(command.folder, console)
            return 0
        import_module(f"experiments.benchmarks.{command.which}").main(command.json)
        return 0
    except (FolderError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
