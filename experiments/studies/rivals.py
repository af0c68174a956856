"""Gradual Tuning among its rivals: the controls that its paper lacks, and whether the head was lost or the features.

Table 1 with seven methods from the same networks, heads and batches, and after each run what is left of the old task
(see tables.probes).
"""

from dataclasses import asdict, dataclass, replace
from itertools import product
from math import isnan
from pathlib import Path
from statistics import fmean
from typing import ClassVar

from rich.console import Console

from experiments.frame.files import read_json, write_text
from experiments.frame.folder import has_jobs
from experiments.frame.grids import Grid, markdown, show
from experiments.frame.jobs import Job
from experiments.frame.pictures import picture
from experiments.frame.statistics import holm, paired
from experiments.frame.study import Plan, Preset, Study
from experiments.frame.text import difference, spread
from experiments.studies.tables.design import TABLES, TableDesign, protocol
from experiments.studies.tables.probes import probe_jobs
from experiments.studies.tables.report import forgetting, intervals_note, lost
from experiments.studies.tables.results import TableResults, collect_table, design_from, read_results, write_results
from experiments.studies.tables.transfer import table_jobs

__all__ = ["METHODS", "Rivals", "rivals_design", "rivals_jobs"]

METHODS = ("fine", "gradual", "budget", "by-epoch", "discriminative", "l2_sp", "gradual+l2_sp")
_COLOURS = dict(
    zip(METHODS, ("#0072B2", "#D55E00", "#56B4E9", "#E69F00", "#009E73", "#000000", "#CC79A7"), strict=True)
)


def rivals_design(preset: Preset, networks: int = 1) -> TableDesign:
    """Return table 1 with all methods. quick: two seeds, paper: five, from so many first networks."""
    base = protocol(TABLES["table1"], "smoke" if preset == "smoke" else "paper")
    seeds = {"smoke": 1, "quick": 2, "paper": 5}[preset]
    return TableDesign(
        TABLES["table1"], replace(base, seeds=seeds, networks=networks), methods=METHODS, variant="rivals"
    )


def rivals_jobs(of: TableDesign) -> list[Job]:
    """Return the jobs of the table, and a probe for every network that they leave."""
    return [*table_jobs([of]), *probe_jobs([of])]


def rivals_grid(results: TableResults, regularizer: str) -> Grid:
    """Return every method under one regularizer."""
    rows = []
    depth = len(results.design.table.hidden)
    for method in results.design.methods:

        def values(metric: str, method: str = method) -> list[float]:
            return list(results.values(metric, method, regularizer).values())

        kept = [spread(values(f"r_squared_{layer}"), 2) for layer in range(1, depth + 1)]
        forgotten = list(forgetting(results, method, regularizer).values())
        rows.append(
            [
                method,
                spread(values("task_b_error"), 2),
                spread(forgotten, 2),
                spread(list(lost(results, "probe_error", method, regularizer).values()), 2),
                *kept,
                spread(values("epochs"), 0),
            ]
        )
    header = [
        "",
        "new task",
        "forgotten",
        "with a new head",
        *(f"R², layer {n}" for n in range(1, depth + 1)),
        "epochs",
    ]
    return Grid(f"{results.design.table.setting.replace('->', ' → ')}, {regularizer}: errors in percent", header, rows)


def rivals_comparison(results: TableResults) -> Grid:
    """Return what each rival forgets more than Gradual Tuning, paired by seed; p adjusted for how many there are."""
    rivals = list(product((m for m in results.design.methods if m != "gradual"), results.design.regularizers))
    rows = [list(rival) for rival in rivals]
    for of in (forgetting, lambda found, *which: found.values("task_b_error", *which)):
        pairs = [(of(results, method, row), of(results, "gradual", row)) for method, row in rivals]
        cluster = results.design.cluster
        ps = holm([paired(*pair, cluster).p for pair in pairs])
        for row, pair, p in zip(rows, pairs, ps, strict=True):
            row += [difference(*pair, 2, cluster)[0], "–" if isnan(p) else f"{p:.2g}"]
    header = ["rival", "", "forgets more (95 %)", "p of all", "new task: worse by (95 %)", "p of all"]
    return Grid("Rival − Gradual Tuning, points, paired by seed; p of the t-tests, adjusted (Holm)", header, rows)


def _draw(results: TableResults, path: Path) -> None:
    """Draw what is forgotten against the error on the new task: filled with the old head, hollow with a new one."""
    with picture(path, (11.0, 3.9), (0, 0, 0.87, 1)) as figure:
        regularizers = results.design.regularizers
        panels = figure.subplots(1, len(regularizers), squeeze=False)[0]
        for panel, regularizer in zip(panels, regularizers, strict=True):
            for method in results.design.methods:
                new = list(results.values("task_b_error", method, regularizer).values())
                measures = [
                    lost(results, which, method, regularizer) for which in ("task_a_error_after", "probe_error")
                ]
                ends = [fmean(each.values()) for each in measures if each]
                if not new or len(ends) < 2:
                    continue
                x, colour = fmean(new), _COLOURS[method]
                panel.plot([x, x], ends, color=colour, linewidth=1)
                panel.plot(x, ends[0], "o", color=colour, markersize=6, label=method)
                panel.plot(x, ends[1], "o", color="white", markeredgecolor=colour, markersize=6)
            panel.set_yscale("symlog", linthresh=1)
            panel.yaxis.set_major_formatter("{x:g}")
            panel.grid(axis="y", color="0.92", linewidth=0.7)
            panel.set(xlabel=f"error on {results.design.table.second} (%)", ylabel="forgotten (points)")
            panel.set_title(regularizer, loc="left", weight="bold")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="center right", frameon=False)


@dataclass(frozen=True)
class Rivals(Study):
    """Compare Gradual Tuning with controls and other methods.

    The tasks are those of table 1. Probes show whether the old features are lost, or only the old head. The preset
    "quick" has two repetitions, "paper" five.

    Attributes:
        networks: first networks that the repetitions begin with, in turn. Intervals are about new networks from two on.
    """

    name: ClassVar[str] = "rivals"
    presets: ClassVar[tuple[Preset, ...]] = ("smoke", "quick", "paper")

    networks: int = 1

    def plan(self) -> Plan:
        """Return what to run."""
        of = rivals_design(self.preset, self.networks)
        jobs = rivals_jobs(of)
        return Plan(f"{len(jobs)} jobs", {"experiment": self.name, "studies": {of.name: asdict(of)}}, jobs)

    @classmethod
    def report(cls, folder: Path, out: Path, console: Console) -> None:
        """Print the tables of what has finished in `folder`, and write results, tables and figures to `out`."""
        if has_jobs(folder):
            configuration = read_json(folder / "configuration.json")
            results = collect_table(folder, design_from(configuration["studies"]["rivals"]))
        else:
            results = read_results(folder)
        write_results(results, out)
        grids = [rivals_grid(results, regularizer) for regularizer in results.design.regularizers]
        pairs = rivals_comparison(results)
        picture = "![What each method forgets, with its own head and with a new one](rivals.png)\n"
        write_text(
            out / "table.md", "\n".join([*map(markdown, [*grids, pairs]), f"{intervals_note(results)}\n", picture])
        )
        _draw(results, out / "rivals.png")
        for each in (*grids, pairs):
            show(each, console)
