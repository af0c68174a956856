"""A study on the command line: its options, the jobs that it runs, how its results become tables and pictures."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from rich.console import Console
from tyro.conf import OmitArgPrefixes, arg

from experiments.frame.executors import Resources
from experiments.frame.folder import Configuration
from experiments.frame.jobs import Job

__all__ = ["Plan", "Preset", "Study"]

Preset = Literal["smoke", "quick", "full", "paper"]


@dataclass(frozen=True)
class Plan:
    """What a study runs.

    Attributes:
        what: the study in a line.
        configuration: all that its numbers depend on; a folder holds results of one configuration.
        jobs: its jobs, each after those that it needs.
        check_studies: raises ValueError where the studies that the folder will then hold disagree on what they share.
        grown: called with a study's configuration in the folder and in this run; returns this run's with what a study
            may get more of later, such as repetitions, merged from both.
    """

    what: str
    configuration: Mapping[str, Any]
    jobs: Sequence[Job]
    check_studies: Callable[[Configuration], None] | None = None
    grown: Callable[[Configuration, Configuration], Configuration] = lambda there, here: here


@dataclass(frozen=True)
class Study(ABC):
    """What all studies have in common: the options on the command line, how to run one and how to report it.

    `name` stands in its files and on the command line; `presets` are those that it has.

    Attributes:
        preset: how much is run: "smoke" takes seconds and only shows that everything works, "quick" takes hours at
            most, "paper" has the published size.
        out: folder for results. The same command with the same folder resumes a study that was stopped.
        resources: where the work is done; few need these.
    """

    name: ClassVar[str]
    presets: ClassVar[tuple[Preset, ...]] = ("smoke", "quick")

    preset: Preset = "quick"
    out: Annotated[Path | None, arg(metavar="PATH", help_behavior_hint="(default: results/STUDY)")] = None
    resources: Annotated[Resources, OmitArgPrefixes] = field(default_factory=Resources)

    def __post_init__(self) -> None:
        if self.preset not in self.presets:
            raise ValueError(f"preset is {self.preset!r}; expected one of {', '.join(self.presets)} for {self.name}")

    @property
    def folder(self) -> Path:
        """The folder for results."""
        return self.out or Path("results") / self.name

    @abstractmethod
    def plan(self) -> Plan:
        """Return what to run."""

    @classmethod
    @abstractmethod
    def report(cls, folder: Path, out: Path, console: Console) -> None:
        """Print the tables of what has finished in `folder`, and write results, tables and pictures to `out`.

        The folder is one that a run works in, or one that holds the files that an earlier report wrote.
        """

    @classmethod
    def join(cls, folders: Sequence[Path], out: Path, console: Console) -> None:
        """Report as one study what was run in several folders.

        Raises ValueError for results that cannot be joined, which are those of most studies.
        """
        raise ValueError(f"folders hold results of the study {cls.name}; expected tables or sensitivity")

    @classmethod
    def command(cls, about: Mapping[str, Any]) -> str:
        """Return the command that computes results again, from what their results.json says about them."""
        for preset in cls.presets:
            configuration = json.loads(json.dumps(cls(preset=preset).plan().configuration))
            if _agree(configuration, about):
                return f"python -m experiments {cls.name} --preset {preset}"
        return f"python -m experiments {cls.name}"


def _agree(new: Any, old: Any) -> bool:
    """Return whether two configurations agree in the keys that both have; newer options have their defaults."""
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        return all(_agree(new[key], old[key]) for key in new.keys() & old.keys())
    if isinstance(new, list) and isinstance(old, list):
        return len(new) == len(old) and all(map(_agree, new, old))
    return bool(new == old)
