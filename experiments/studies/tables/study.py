"""The eight tables on the command line: any of them, by a preset of the paper's protocol or with other choices."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

from rich.console import Console
from tyro.conf import OmitArgPrefixes

from experiments.frame.files import read_json
from experiments.frame.options import changes_of, given
from experiments.frame.study import Plan, Preset, Study
from experiments.studies.tables.claims import write_claims
from experiments.studies.tables.design import REGULARIZERS, TABLES, TableDesign, TrainingProtocol, protocol
from experiments.studies.tables.probes import probe_jobs
from experiments.studies.tables.report import write_table_report
from experiments.studies.tables.results import (
    collect_table,
    design_from,
    grown,
    joined_results,
    read_results,
    write_results,
)
from experiments.studies.tables.transfer import table_jobs

__all__ = ["Changes", "Tables"]


Changes: Any = changes_of(TrainingProtocol)
"""The options of a protocol, each None where the preset's counts."""


@dataclass(frozen=True)
class Tables(Study):
    """Repeat the eight tables of the Gradual Tuning paper.

    A network learns a first task, then a second one. The tables show how much of the first it forgets.

    Attributes:
        only: which tables. A folder can get more tables, rows and seeds later.
        regularizers: which rows: none, l1, l1_twentieth (a second reading of the paper's λ), dropout.
        probes: also measure how well new heads, and new biases alone, do the old task; can be added later.
        changes: replace values of the preset; few need these.
    """

    name: ClassVar[str] = "tables"
    presets: ClassVar[tuple[Preset, ...]] = ("smoke", "quick", "paper")

    only: str = "1,2,3,4,5,6,7,8"
    regularizers: str = "none,l1,dropout"
    probes: bool = False
    changes: Annotated[Changes, OmitArgPrefixes] = field(default_factory=Changes)

    def plan(self) -> Plan:
        """Return what to run: the preset of each table, with what was said otherwise."""
        names = [f"table{number.strip()}" for number in self.only.split(",")]
        if not set(names) <= set(TABLES):
            raise ValueError(f"only is {self.only!r}; expected numbers of tables from 1 to 8, with commas between")
        rows = tuple(dict.fromkeys(name.strip() for name in self.regularizers.split(",")))
        if not set(rows) <= set(REGULARIZERS):
            known = ", ".join(REGULARIZERS)
            raise ValueError(f"regularizers is {self.regularizers!r}; expected some of {known}, with commas between")
        tables = [TABLES[name] for name in dict.fromkeys(names)]
        designs = [
            TableDesign(table, replace(protocol(table, self.preset), **given(self.changes)), rows) for table in tables
        ]
        jobs = table_jobs(designs) + (probe_jobs(designs) if self.probes else [])
        what = ", ".join(f"{design.name} ({design.protocol.train:,} examples)" for design in designs)
        parts = {design.name: asdict(design) for design in designs}
        configuration = {"experiment": self.name, "studies": parts}
        return Plan(f"{what}, {len(jobs)} jobs", configuration, jobs, _check_studies, grown)

    @classmethod
    def report(cls, folder: Path, out: Path, console: Console) -> None:
        """Report every table that a folder has jobs of into a folder of its own, or from its results without jobs."""
        configuration = read_json(folder / "configuration.json")
        if configuration is None:
            found = {".": read_results(folder)}
        elif not (folder / "jobs").is_dir():
            found = {name: read_results(folder / name) for name in configuration["studies"]}
        else:
            found = {name: collect_table(folder, design_from(of)) for name, of in configuration["studies"].items()}
        for name, results in found.items():
            write_results(results, out / name)
            write_table_report(results, out / name, console)
        if configuration is not None:
            write_claims(out)

    @classmethod
    def join(cls, folders: Sequence[Path], out: Path, console: Console) -> None:
        """Report one table from folders that hold some of its rows each."""
        results = joined_results([read_results(folder) for folder in folders])
        write_results(results, out)
        write_table_report(results, out, console)

    @classmethod
    def command(cls, about: Mapping[str, Any]) -> str:
        """Return the command for one table: the preset that is nearest, and every option that differs from it."""
        design = design_from(about["configuration"])
        candidates = []
        for preset in cls.presets:
            base, ours = asdict(protocol(design.table, preset)), asdict(design.protocol)
            candidates.append({"preset": preset} | {key: ours[key] for key in ours if ours[key] != base[key]})
        chosen = min(candidates, key=len)
        if design.regularizers != tuple(cls.regularizers.split(",")):
            chosen["regularizers"] = ",".join(design.regularizers)
        options = " ".join(f"--{key.replace('_', '-')} {value}" for key, value in chosen.items())
        options += " --probes" * bool(about.get("probes"))
        return f"python -m experiments {cls.name} --only {design.table.number} {options}"


def _check_studies(designs: Mapping[str, Any]) -> None:
    """Raise ValueError where tables that begin with the same network are to train it by different protocols."""
    table_jobs([design_from(design) for design in designs.values()])
