"""The study of starting points, on the command line."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.console import Console

from experiments.frame.study import Experiment, Job
from experiments.studies.starting_point.design import Preset, configuration
from experiments.studies.starting_point.report import write_report
from experiments.studies.starting_point.runs import cells_of

__all__ = ["StartingPoint"]


@dataclass(frozen=True)
class StartingPoint(Experiment):
    """Compare penalties that pull towards the starting point of fine tuning with those that do not; 500-500.

    Attributes:
        preset: "quick" in about an hour on two cores, "paper" in a night, "smoke" in seconds to see that it works.
    """

    name: ClassVar[str] = "starting_point"

    out: Path = Path("results/starting_point")
    preset: Preset = "quick"

    def job(self) -> Job:
        """Return what to run."""
        cells = cells_of(self.preset)
        return Job(f"{len(cells)} cells", configuration(self.preset), cells)

    @classmethod
    def report(cls, folder: Path, out: Path, console: Console) -> None:
        """Print the tables of what has finished in `folder`, and write results, tables and figures to `out`."""
        write_report(folder, out, console)
