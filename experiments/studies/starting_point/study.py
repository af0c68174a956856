"""The study of starting points, on the command line."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.console import Console

from experiments.frame.study import Plan, Preset, Study
from experiments.studies.starting_point.design import starting_point_configuration
from experiments.studies.starting_point.report import write_starting_point_report
from experiments.studies.starting_point.runs import starting_point_jobs

__all__ = ["StartingPoint"]


@dataclass(frozen=True)
class StartingPoint(Study):
    """Compare penalties around the starting point with others.

    500-500 networks are fine tuned with thirteen penalties. Some pull the weights towards where fine tuning began, the
    others towards zero. The preset "quick" takes about an hour on two cores, "paper" a night.
    """

    name: ClassVar[str] = "starting_point"
    presets: ClassVar[tuple[Preset, ...]] = ("smoke", "quick", "paper")

    def plan(self) -> Plan:
        """Return what to run."""
        jobs = starting_point_jobs(self.preset)
        return Plan(f"{len(jobs)} jobs", starting_point_configuration(self.preset), jobs)

    @classmethod
    def report(cls, folder: Path, out: Path, console: Console) -> None:
        """Print the tables of what has finished in `folder`, and write results, tables and figures to `out`."""
        write_starting_point_report(folder, out, console)
