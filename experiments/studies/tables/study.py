"""The eight tables on the command line: any of them, by a preset of the paper's protocol or with other choices."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args

from rich.console import Console
from tyro.conf import OmitArgPrefixes

from experiments.frame.study import Experiment, Job
from experiments.frame.workspace import read_json
from experiments.studies.tables.claims import write_claims
from experiments.studies.tables.design import REGULARIZERS, TABLES, Initialise, Pixels, Preset, Study, protocol
from experiments.studies.tables.probes import probes_of
from experiments.studies.tables.report import write_report
from experiments.studies.tables.results import collect, grown, joined, read_results, study_of, write_results
from experiments.studies.tables.transfer import cells_of

__all__ = ["Tables"]


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
        initialise_head: how the new head begins, where not as the network did.
        keep: which weights a run ends with.
        patience_restarts: whether patience begins again when a layer joins.
        data_seed: which stimuli are drawn, how image files are split, how the first network begins.
        pixels: on [0, 1], on [-1, 1], or of mean 0 and standard deviation 1.
        difference: of two epochs' errors, by which a layer joins: in absolute value, or the improvement.
        l1_scale: what the strength of L1 is multiplied by.
        l1_biases: whether L1 penalises biases.
        together: whether a minimum with several first tasks is one of all their errors, as in the paper, or their mean.
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
    initialise_head: Initialise | None = None
    keep: Literal["best", "last"] | None = None
    patience_restarts: bool | None = None
    data_seed: int | None = None
    pixels: Pixels | None = None
    difference: Literal["absolute", "improvement"] | None = None
    l1_scale: float | None = None
    l1_biases: bool | None = None
    together: Literal["all", "mean"] | None = None


@dataclass(frozen=True)
class Tables(Experiment):
    """Repeat the tables of the Gradual Tuning paper: how much of a first task a network forgets, learning a second.

    Attributes:
        only: which tables, as in "1,3"; all eight by default. A folder may get more tables, rows and seeds later.
        regularizers: which rows, of none, l1, l1_twentieth (a second reading of the paper's λ) and dropout.
        probes: also measure what new heads, and new biases alone, still find of the old task; may be asked for later.
        preset: "paper" as published, "quick" a fraction of it in minutes, "smoke" in seconds to see that it works.
    """

    name: ClassVar[str] = "tables"

    out: Path = Path("results/tables")
    only: str = "1,2,3,4,5,6,7,8"
    regularizers: str = "none,l1,dropout"
    probes: bool = False
    preset: Preset = "quick"
    overrides: Annotated[Overrides, OmitArgPrefixes] = field(default_factory=Overrides)

    def job(self) -> Job:
        """Return what to run: the preset of each table, with what was said otherwise."""
        names = [f"table{number.strip()}" for number in self.only.split(",")]
        if not set(names) <= set(TABLES):
            raise ValueError(f"only is {self.only!r}; expected numbers of tables from 1 to 8, with commas between")
        rows = tuple(dict.fromkeys(name.strip() for name in self.regularizers.split(",")))
        if not set(rows) <= set(REGULARIZERS):
            known = ", ".join(REGULARIZERS)
            raise ValueError(f"regularizers is {self.regularizers!r}; expected some of {known}, with commas between")
        given = {key: value for key, value in asdict(self.overrides).items() if value is not None}
        tables = [TABLES[name] for name in dict.fromkeys(names)]
        studies = [Study(table, replace(protocol(table, self.preset), **given), rows) for table in tables]
        cells = cells_of(studies) + (probes_of(studies) if self.probes else [])
        what = ", ".join(f"{study.name} ({study.protocol.train:,} examples)" for study in studies)
        parts = {study.name: asdict(study) for study in studies}
        configuration = {"experiment": self.name, "studies": parts}
        return Job(f"{what}, {len(cells)} cells", configuration, cells, _check_studies, grown)

    @classmethod
    def report(cls, folder: Path, out: Path, console: Console) -> None:
        """Report every table that a folder has cells of into a folder of its own, or from its results without cells."""
        configuration = read_json(folder / "configuration.json")
        if configuration is None:
            found = {".": read_results(folder)}
        elif not (folder / "cells").is_dir():
            found = {name: read_results(folder / name) for name in configuration["studies"]}
        else:
            found = {name: collect(folder, study_of(of)) for name, of in configuration["studies"].items()}
        for name, results in found.items():
            write_results(results, out / name)
            write_report(results, out / name, console)
        if configuration is not None:
            write_claims(out)

    @classmethod
    def join(cls, folders: Sequence[Path], out: Path, console: Console) -> None:
        """Report one table from folders that hold some of its rows each."""
        results = joined([read_results(folder) for folder in folders])
        write_results(results, out)
        write_report(results, out, console)

    @classmethod
    def command(cls, about: Mapping[str, Any]) -> str:
        """Return the command for one table: the preset that is nearest, and every option that differs from it."""
        study = study_of(about["configuration"])
        candidates = []
        for preset in get_args(Preset):
            base, ours = asdict(protocol(study.table, preset)), asdict(study.protocol)
            candidates.append({"preset": preset} | {key: ours[key] for key in ours if ours[key] != base[key]})
        chosen = min(candidates, key=len)
        if study.regularizers != tuple(cls.regularizers.split(",")):
            chosen["regularizers"] = ",".join(study.regularizers)
        options = " ".join(f"--{key.replace('_', '-')} {value}" for key, value in chosen.items())
        options += " --probes" * bool(about.get("probes"))
        return f"python -m experiments {cls.name} --only {study.table.number} {options}"


def _check_studies(studies: Mapping[str, Any]) -> None:
    """Raise ValueError where tables that begin with the same network are to train it by different protocols."""
    cells_of([study_of(study) for study in studies.values()])
