"""The main job on the command line: `make run`, or `python -m experiments quickstart`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any, ClassVar, get_args

from rich.console import Console

from experiments.frame.files import read_json, write_json, write_text
from experiments.frame.folder import has_jobs, result_of
from experiments.frame.grids import markdown, show
from experiments.frame.study import Plan, Study
from experiments.studies.quickstart.design import Digits, quickstart_design
from experiments.studies.quickstart.figure import draw_picture, words
from experiments.studies.quickstart.misread import misread_from, misread_job
from experiments.studies.quickstart.report import found_grid, sentences
from experiments.studies.tables.figures import caption, draw_curves
from experiments.studies.tables.probes import probe_jobs
from experiments.studies.tables.report import table_notes
from experiments.studies.tables.results import collect_table, design_from, read_results, write_results
from experiments.studies.tables.transfer import table_jobs

__all__ = ["Quickstart"]

_SHOWN = ("none", 0)  # the repetition whose misread digits are shown


@dataclass(frozen=True)
class Quickstart(Study):
    """Learn the digits 0 to 4, then 5 to 9: what is forgotten?

    Five networks learn the second task by fine tuning and by Gradual Tuning, with and without dropout: table 1 of the
    paper, on digits that npnet draws itself, in some three minutes on two cores. With `--digits mnist` it is the real
    table, at full size, in hours.

    Attributes:
        digits: "drawn" by npnet, or "mnist", which is downloaded.
    """

    name: ClassVar[str] = "quickstart"

    digits: Digits = "drawn"

    def plan(self) -> Plan:
        """Return what to run."""
        of = quickstart_design(self.digits, self.preset)
        jobs = [*table_jobs([of]), *probe_jobs([of]), misread_job(of, *_SHOWN)]
        what = f"{of.protocol.train:,} {self.digits} images for each task, {len(jobs)} jobs"
        return Plan(what, {"experiment": self.name, "studies": {of.name: asdict(of)}}, jobs)

    @classmethod
    def report(cls, folder: Path, out: Path, console: Console) -> None:
        """Print what was found, and write results, the page and both pictures."""
        if has_jobs(folder):
            results = collect_table(folder, design_from(read_json(folder / "configuration.json")["studies"][cls.name]))
            found = result_of(folder, misread_job(results.design, *_SHOWN).name)
        else:
            results, found = read_results(folder), read_json(folder / "misread.json")
        write_results(results, out)
        if found is not None:
            write_json(out / "misread.json", found)
        misread = None if found is None else misread_from(found)
        draw_picture(results, misread, out / "quickstart.png")
        draw_curves(results, out / "curves.png")
        grid, lines = found_grid(results), [*sentences(results, misread), *_notes(results)]
        parts = [markdown(grid), *(f"- {line}\n" for line in lines), f"![{words(results)}](quickstart.png)\n"]
        parts.append(f"![{caption(results)}](curves.png)\n")
        write_text(out / "table.md", "\n".join(parts))
        show(grid, console)
        for line in lines:
            console.print(line, highlight=False)
        console.print(f"The picture: {out / 'quickstart.png'}", highlight=False, soft_wrap=True)
        console.print(_NEXT, highlight=False)

    @classmethod
    def command(cls, about: Mapping[str, Any]) -> str:
        """Return the command that computes results again, from what their results.json says about them."""
        of = design_from(about["configuration"] if "configuration" in about else about["studies"][cls.name])
        for digits, preset in product(get_args(Digits), cls.presets):
            if quickstart_design(digits, preset) == of:
                return f"python -m experiments {cls.name} --preset {preset}" + " --digits mnist" * (digits == "mnist")
        return f"python -m experiments {cls.name}"


_NEXT = (
    "What next? `make run DATA=mnist` runs the same on the real digits at the paper's size; "
    "docs/tutorials/forgetting.md does it step by step; `python -m experiments --help` lists the other studies."
)


def _notes(results: Any) -> list[str]:
    """Return what is missing or was cut short, without the first note, which the sentences say."""
    return table_notes(results)[1:]
