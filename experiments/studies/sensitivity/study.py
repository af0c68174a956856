"""The sensitivity of table 1 to what its paper leaves open, on the command line."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from rich.console import Console

from experiments.frame.study import Plan, Preset, Study
from experiments.studies.sensitivity.report import write_joined, write_sensitivity_report
from experiments.studies.sensitivity.variants import VARIANTS, variant_designs
from experiments.studies.tables.results import grown
from experiments.studies.tables.transfer import table_jobs

__all__ = ["Sensitivity"]


@dataclass(frozen=True)
class Sensitivity(Study):
    """Repeat table 1 under every choice the paper leaves open.

    These are batch size, initialisation, pixel scale, stopping, and how strong L1 is. The preset "quick" has two
    repetitions and takes hours, "paper" has five.

    Attributes:
        only: which variants, for example "batch-100,last". A folder can get more variants and seeds later.
        networks: first networks that the repetitions begin with, in turn.
    """

    name: ClassVar[str] = "sensitivity"
    presets: ClassVar[tuple[Preset, ...]] = ("smoke", "quick", "paper")

    only: str = ",".join(VARIANTS)
    networks: int = 1

    def plan(self) -> Plan:
        """Return what to run."""
        names = [name.strip() for name in self.only.split(",")]
        if not set(names) <= set(VARIANTS):
            raise ValueError(f"only is {self.only!r}; expected some of {', '.join(VARIANTS)}, with commas between")
        of = [design for design in variant_designs(self.preset, self.networks) if design.name in names]
        jobs = table_jobs(of)
        configuration = {"experiment": self.name, "studies": {design.name: asdict(design) for design in of}}
        return Plan(f"variants: {len(of)}, jobs: {len(jobs)}", configuration, jobs, grown=grown)

    @classmethod
    def report(cls, folder: Path, out: Path, console: Console) -> None:
        """Print the tables of what has finished in `folder`, and write results, tables and figures to `out`."""
        write_sensitivity_report(folder, out, console)

    @classmethod
    def join(cls, folders: Sequence[Path], out: Path, console: Console) -> None:
        """Report as one study variants that were run apart."""
        write_joined(folders, out, console)
