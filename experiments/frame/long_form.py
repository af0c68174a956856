"""A study whose jobs leave measurements, which are gathered in one long table and reported from it alone."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.console import Console

from experiments.frame.files import read_json, write_csv, write_json, write_text
from experiments.frame.folder import has_jobs, read_about, result_of
from experiments.frame.grids import Grid, markdown, show
from experiments.frame.measurements import Measurement, read_measurements
from experiments.frame.provenance import distinct
from experiments.frame.study import Study

__all__ = ["Findings", "LongFormStudy"]


@dataclass(frozen=True)
class Findings:
    """What a study has found so far: its configuration, where the numbers come from, and all measurements."""

    about: Mapping[str, Any]
    measurements: Sequence[Measurement]

    @cached_property
    def _by_name(self) -> dict[tuple[str, str, str], dict[int, float]]:
        found: dict[tuple[str, str, str], dict[int, float]] = {}
        for m in self.measurements:
            found.setdefault((m.setting, m.method, m.metric), {})[m.seed] = m.value
        return found

    def values(self, setting: str, method: str, metric: str = "error") -> dict[int, float]:
        """Return {seed: value}, empty where nothing was measured."""
        return self._by_name.get((setting, method, metric), {})


@dataclass(frozen=True)
class LongFormStudy(Study):
    """What all long-form studies have in common.

    A job's result has "measurements", a list of [setting, method, seed, metric, value]. Preset "quick" is the whole
    study.
    """

    @classmethod
    @abstractmethod
    def tables(cls, found: Findings) -> list[Grid]:
        """Return the tables."""

    @classmethod
    @abstractmethod
    def draw(cls, found: Findings, out: Path) -> dict[str, str]:
        """Draw the pictures into a folder and return what each shows: {file name: words}."""

    @classmethod
    def report(cls, folder: Path, out: Path, console: Console) -> None:
        """Print the tables of what has finished in `folder`, and write results, tables and pictures to `out`."""
        found = _gather(folder, cls.name) if has_jobs(folder) else _read(folder)
        out.mkdir(parents=True, exist_ok=True)
        write_csv(out / "results.csv", Measurement._fields, list(found.measurements))
        write_json(out / "results.json", found.about)
        grids, pictures = cls.tables(found), cls.draw(found, out)
        parts = [markdown(grid) for grid in grids] + [f"![{words}]({name})\n" for name, words in pictures.items()]
        done, of = found.about["jobs"]
        if done < of:
            parts.insert(0, f"Incomplete: {done} of {of} jobs have finished.\n")
            console.print(parts[0].strip())
        write_text(out / "table.md", "\n".join(parts))
        for grid in grids:
            show(grid, console)


def _gather(folder: Path, name: str) -> Findings:
    """Gather what the jobs have left so far."""
    plan = read_json(folder / "plan.json")
    results = [result for result in (result_of(folder, job) for job in plan) if result is not None]
    about = {
        **read_json(folder / "configuration.json"),
        "jobs": [len(results), len(plan)],
        "compute_seconds": round(sum(result["seconds"] for result in results)),
        "environments": distinct(result["environment"] for result in results),
    }
    measurements = [
        Measurement(name, setting, method, "none", seed, metric, value)
        for result in results
        for setting, method, seed, metric, value in result["measurements"]
    ]
    return Findings(about, measurements)


def _read(folder: Path) -> Findings:
    """Read what an earlier report wrote."""
    return Findings(read_about(folder), read_measurements(folder / "results.csv"))
