"""The study on the command line: one job for each package, and the table of what came of its functions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from rich.console import Console

from experiments.frame.files import read_json, write_csv, write_json, write_text
from experiments.frame.folder import has_jobs, read_about, result_of
from experiments.frame.grids import Grid, markdown, show
from experiments.frame.jobs import Job
from experiments.frame.provenance import distinct
from experiments.frame.study import Plan, Study
from experiments.studies.wild.running import PACKAGES, examine

__all__ = ["OUTCOMES", "CheckedInTheWild"]

OUTCOMES = ("confirmed rightly", "alarmed rightly", "false confirmation", "false alarm", "undecided")
COLUMNS = ("package", "case", "kind", "truth", "from", "referee", "outcome", "fault")
SMOKE = 2
"""So many cases of each package are run to see that it works."""

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class CheckedInTheWild(Study):
    """Check gradients and proximal steps of other packages.

    The study counts what is confirmed and what is condemned, rightly and wrongly. The packages are in
    experiments/studies/wild/requirements.txt. One that is not installed is left out and named.
    """

    name: ClassVar[str] = "checked-in-the-wild"

    def plan(self) -> Plan:
        """Return what to run."""
        limit = SMOKE if self.preset == "smoke" else None
        jobs = [Job(name, examine, {"package": name, "limit": limit}) for name in PACKAGES]
        return Plan(f"{len(jobs)} packages", {"experiment": self.name, "limit": limit}, jobs)

    @classmethod
    def report(cls, folder: Path, out: Path, console: Console) -> None:
        """Print the tables of what has finished, and write rows, tables and what each check said."""
        if has_jobs(folder):
            found = [r for name in PACKAGES if (r := result_of(folder, name)) is not None]
            about = {**(read_json(folder / "configuration.json") or {}), "packages": [_about(r) for r in found]}
            about["environments"] = distinct(r["environment"] for r in found)
            rows = [{"package": r["package"], **_short(row)} for r in found for row in r["rows"]]
        else:
            about = read_about(folder)
            rows = about.pop("rows")
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / "results.json", {**about, "rows": rows})
        write_csv(out / "results.csv", COLUMNS, [[row[c] for c in COLUMNS] for row in rows])
        grids = [counts(about["packages"], rows), faults(rows), failures(rows)]
        write_text(out / "table.md", "\n".join(markdown(grid) for grid in grids if grid.rows))
        for grid in grids:
            if grid.rows:
                show(grid, console)
        missing = [p["package"] for p in about["packages"] if p["missing"]]
        if missing:
            console.print(f"not installed: {', '.join(missing)}", soft_wrap=True)


def _short(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without what the check says of a function that it confirms rightly."""
    return {**row, "said": "" if row["outcome"] == OUTCOMES[0] else row["said"]}


def _about(result: Mapping[str, Any]) -> dict[str, str]:
    return {key: result.get(key, "") for key in ("package", "version", "missing")}


def counts(packages: Rows, rows: Rows) -> Grid:
    """Return the outcomes of each package, and of all."""
    table = []
    for each in [p for p in packages if not p["missing"]]:
        of = [row for row in rows if row["package"] == each["package"]]
        table.append([f"{PACKAGES[each['package']]} {each['version']}", *_counted(of)])
    table.append(["**all**", *_counted(rows)])
    return Grid(
        "Functions of each package, by what the check makes of them", ["package", "functions", *OUTCOMES], table
    )


def _counted(rows: Rows) -> list[str]:
    tally = Counter(row["outcome"] for row in rows)
    return [str(len(rows)), *(str(tally[outcome]) for outcome in OUTCOMES)]


def faults(rows: Rows) -> Grid:
    """Return the functions that are wrong, and what is wrong with them."""
    wrong = [row for row in rows if row["fault"]]
    cells = [[row["package"], row["case"], row["fault"], row["from"], row["outcome"], _likely(row)] for row in wrong]
    titles = ["package", "function", "what is wrong", "known from", "outcome", "likely, says the check"]
    return Grid("Functions that are wrong", titles, cells)


def failures(rows: Rows) -> Grid:
    """Return what the check got wrong, what it left open, and where the referee disagrees with what was declared."""
    failed = [row for row in rows if row["outcome"] in OUTCOMES[2:] or row["disputed"]]
    cells = [
        [row["package"], row["case"], row["outcome"], "disputed" if row["disputed"] else _why(row)] for row in failed
    ]
    return Grid("Failures, and what was left open", ["package", "function", "outcome", "why"], cells)


def _likely(row: Mapping[str, Any]) -> str:
    """Return the likely fault that the check names, without the numbers of a better point."""
    return row["said"].partition("likely: ")[2].partition("\n")[0].partition(", [")[0]


def _why(row: Mapping[str, Any]) -> str:
    said = row["said"].splitlines()
    return "zero throughout, so nothing to see" if "nothing to see" in said[0] else said[0][:100]
