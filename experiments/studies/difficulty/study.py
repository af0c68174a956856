"""The difficulty of the stimuli, on the command line."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.console import Console

from experiments.frame.study import Plan, Preset, Study
from experiments.studies.difficulty.report import write_difficulty_report
from experiments.studies.difficulty.trials import TASK, difficulty_configuration, difficulty_jobs

__all__ = ["Difficulty"]


@dataclass(frozen=True)
class Difficulty(Study):
    """Measure how hard the line-and-angle stimuli are to learn.

    A 500-500 network learns the task acl with several appearances, numbers of stimuli and regularizers. The preset
    "paper", the default, has up to 330,000 stimuli and takes hours.
    """

    name: ClassVar[str] = "difficulty"
    presets: ClassVar[tuple[Preset, ...]] = ("smoke", "paper")

    preset: Preset = "paper"

    def plan(self) -> Plan:
        """Return what to run."""
        jobs = difficulty_jobs(self.preset)
        return Plan(f"{len(jobs)} networks on {TASK}", difficulty_configuration(self.preset), jobs)

    @classmethod
    def report(cls, folder: Path, out: Path, console: Console) -> None:
        """Print the tables of what has finished in `folder`, and write results, tables and figures to `out`."""
        write_difficulty_report(folder, out, console)
