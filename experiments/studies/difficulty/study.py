"""The difficulty of the stimuli, on the command line."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.console import Console

from experiments.frame.study import Experiment, Job
from experiments.studies.difficulty.report import write_report
from experiments.studies.difficulty.trials import TASK, Preset, cells_of, configuration

__all__ = ["Difficulty"]


@dataclass(frozen=True)
class Difficulty(Experiment):
    """Measure how hard the stimuli are: 500-500 learns acl under several appearances, amounts and regularizers.

    Attributes:
        preset: "paper" with up to 330,000 stimuli (hours), "smoke" in seconds to see that it works.
    """

    name: ClassVar[str] = "difficulty"

    out: Path = Path("results/difficulty")
    preset: Preset = "paper"

    def job(self) -> Job:
        """Return what to run."""
        cells = cells_of(self.preset)
        return Job(f"{len(cells)} networks on {TASK}", configuration(self.preset), cells)

    @classmethod
    def report(cls, folder: Path, out: Path, console: Console) -> None:
        """Print the tables of what has finished in `folder`, and write results, tables and figures to `out`."""
        write_report(folder, out, console)
