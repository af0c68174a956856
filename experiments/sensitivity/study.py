"""The sensitivity of table 1 to what its paper leaves open, on the command line."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from rich.console import Console

from experiments.experiment import Experiment, Job
from experiments.sensitivity.report import write_report
from experiments.sensitivity.variants import Preset, studies
from experiments.tables.transfer import cells_of

__all__ = ["Sensitivity"]


@dataclass(frozen=True)
class Sensitivity(Experiment):
    """Repeat table 1 under every choice that its paper leaves open: batches, starts, pixels, stopping, L1.

    Attributes:
        preset: "quick" with two repetitions (hours), "paper" with five, "smoke" in a minute to see that it works.
    """

    name: ClassVar[str] = "sensitivity"

    out: Path = Path("results/sensitivity")
    preset: Preset = "quick"

    def job(self) -> Job:
        """Return what to run."""
        of = studies(self.preset)
        cells = cells_of(of)
        parts = {study.name: asdict(study) for study in of}
        return Job(f"{len(of)} variants, {len(cells)} cells", {"experiment": self.name, "studies": parts}, cells)

    @classmethod
    def report(cls, folder: Path, out: Path, console: Console) -> None:
        """Print the tables of what has finished in `folder`, and write results, tables and figures to `out`."""
        write_report(folder, out, console)
