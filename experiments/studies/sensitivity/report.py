"""What the open choices do: each variant's forgetting with the paper's, and which claims hold under all."""

from collections.abc import Mapping, Sequence
from itertools import product
from math import isnan, log2, nan
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from rich.console import Console

from experiments.frame.files import read_json, write_csv, write_json, write_text
from experiments.frame.folder import has_jobs, read_about
from experiments.frame.grids import Grid, markdown, show
from experiments.frame.measurements import Measurement, read_measurements
from experiments.frame.pictures import picture
from experiments.frame.statistics import mean_sd
from experiments.frame.text import number, spread
from experiments.published import Published, published
from experiments.studies.sensitivity.variants import VARIANTS, rows, without_l1
from experiments.studies.tables.design import ROWS
from experiments.studies.tables.figures import TITLES
from experiments.studies.tables.results import collect_table, design_from, merged

__all__ = [
    "SensitivityResults",
    "claims_by_variant",
    "distance",
    "forgetting_grid",
    "read_sensitivity",
    "write_joined",
    "write_sensitivity_report",
]

_ABOUT = (
    "All runs of a variant and row begin with one first network: spreads and signs are about new heads on it. Another "
    "first network may differ by more."
)
_METHODS = ("fine", "gradual")
_COLOURS = {"fine": "#0072B2", "gradual": "#D55E00"}


class SensitivityResults(NamedTuple):
    """Where the numbers come from, and the numbers; the setting of each is the variant's name."""

    about: dict[str, Any]
    measurements: list[Measurement]

    @property
    def variants(self) -> list[str]:
        """The variants of which some run has finished."""
        return list(dict.fromkeys(m.setting for m in self.measurements if m.metric == "task_a_error_after"))

    def values(self, variant: str, regularizer: str, method: str, metric: str) -> dict[int, float]:
        """Return a metric for each seed; a variant of L1 shares its other rows with the variant without it."""
        name = variant if regularizer in rows(VARIANTS[variant]) else without_l1(variant)
        key = (name, regularizer, method, metric)
        return {m.seed: m.value for m in self.measurements if (m.setting, m.regularizer, m.method, m.metric) == key}

    def forgotten(self, variant: str, regularizer: str, method: str) -> dict[int, float]:
        """Return the old task's error after − before for each seed."""
        before, after = (
            self.values(variant, regularizer, method, f"task_a_error_{when}") for when in ("before", "after")
        )
        return {seed: after[seed] - before[seed] for seed in after}


def write_sensitivity_report(folder: Path, out: Path, console: Console) -> None:
    """Print the tables of what has finished in `folder`, and write results, tables and figure to `out`."""
    _write(_collect(folder) if has_jobs(folder) else read_sensitivity(folder), out, console)


def write_joined(folders: Sequence[Path], out: Path, console: Console) -> None:
    """Print and write the same of variants that were run apart, from folders that reports have written.

    Of variants of which only the first networks are there, nothing is taken. Raises ValueError where a variant is there
    twice, or with two protocols.
    """
    found = [read_sensitivity(folder) for folder in folders]
    designs: dict[str, Any] = {}
    for name, design in [item for each in found for item in each.about["studies"].items()]:
        if design_from(designs.setdefault(name, design)) != design_from(design):
            raise ValueError(f"variant {name!r} is {design}; expected {designs[name]}, as before")
    about = {**found[0].about, "studies": designs, **merged([each.about for each in found])}
    variants = [name for each in found for name in each.variants]
    for name in variants:
        if variants.count(name) > 1:
            raise ValueError(f"variant {name!r} is there twice; expected every one once")
    whole = [m for each in found for m in each.measurements if m.setting in each.variants]
    _write(SensitivityResults(about, sorted(whole, key=lambda m: list(VARIANTS).index(m.setting))), out, console)


def _write(found: SensitivityResults, out: Path, console: Console) -> None:
    out.mkdir(parents=True, exist_ok=True)
    write_csv(out / "results.csv", Measurement._fields, found.measurements)
    write_json(out / "results.json", found.about)
    grids = (forgetting_grid(found), claims_by_variant(found))
    picture = "![What each variant forgets](sensitivity.png)\n"
    write_text(out / "table.md", "\n".join([*map(markdown, grids), f"{_ABOUT}\n", picture]))
    _draw(found, out / "sensitivity.png")
    for grid in grids:
        show(grid, console)


def _collect(folder: Path) -> SensitivityResults:
    """Gather what the jobs have left so far."""
    configuration = read_json(folder / "configuration.json")
    results = {name: collect_table(folder, design_from(each)) for name, each in configuration["studies"].items()}
    return SensitivityResults(
        {**configuration, **merged([each.about for each in results.values()])},
        [
            m._replace(experiment="sensitivity", setting=name)
            for name, each in results.items()
            for m in each.measurements
        ],
    )


def read_sensitivity(folder: Path) -> SensitivityResults:
    """Read what an earlier report wrote. Raises FolderError where it is not there."""
    about = read_about(folder)
    return SensitivityResults(about, read_measurements(folder / "results.csv"))


def distance(found: SensitivityResults, variant: str) -> float:
    """Return how far a variant is from the paper's table 1: the mean over its six rows of |log₂(ours / paper's)|.

    Compared are the old task's mean errors after the new one was learned. 1 is a factor of two, up or down. NaN where a
    variant does not have all rows.
    """
    logs = []
    for row in _paper().values():
        after = list(found.values(variant, row.regularizer, row.method, "task_a_error_after").values())
        logs.append(abs(log2(fmean(after) / row.task_a_error_after)) if after else nan)
    return fmean(logs)


def forgetting_grid(found: SensitivityResults) -> Grid:
    """Return every variant's error on the old task before and after, nearest to the paper first."""
    cells = list(product(ROWS, _METHODS))
    paper = [f"{_paper()[cell].task_a_error_before:.1f} → {_paper()[cell].task_a_error_after:.1f}" for cell in cells]
    lines = [["paper", *paper, ""]]
    for variant in sorted(found.variants, key=lambda name: (isnan(distance(found, name)), distance(found, name))):
        row = [variant]
        for regularizer, method in cells:
            before, after = (
                list(found.values(variant, regularizer, method, f"task_a_error_{when}").values())
                for when in ("before", "after")
            )
            row.append(f"{number(mean_sd(before)[0], 1)} → {spread(after, 1)}" if after else "–")
        lines.append([*row, number(distance(found, variant), 2)])
    header = ["variant", *(f"{regularizer}: {method}" for regularizer, method in cells), "distance"]
    return Grid("Table 1 under every open choice: error on the first task before → after, percent", header, lines)


def claims_by_variant(found: SensitivityResults) -> Grid:
    """Return under which variants Gradual Tuning forgets less: fine − gradual, points, mean ± sd."""
    lines = []
    for variant in found.variants:
        row = [variant]
        for regularizer in ROWS:
            fine, gradual = (found.forgotten(variant, regularizer, method) for method in _METHODS)
            row.append(spread([fine[seed] - gradual[seed] for seed in fine if seed in gradual], 1))
        lines.append(row)
    return Grid("Forgotten under fine tuning − under Gradual Tuning, points", ["variant", *ROWS], lines)


def _paper() -> Mapping[tuple[str, str], Published]:
    return {(row.regularizer, row.method): row for row in published() if row.table == 1}


def _draw(found: SensitivityResults, path: Path) -> None:
    """Draw what is forgotten under each variant, a panel for each regularizer; dotted lines are the paper's."""
    variants = found.variants
    with picture(path, (11.0, 1.6 + 0.26 * len(variants)), (0, 0, 1, 0.97)) as figure:
        panels = figure.subplots(1, len(ROWS), sharey=True, squeeze=False)[0]
        for panel, regularizer in zip(panels, ROWS, strict=True):
            for method, shift in zip(_METHODS, (0.13, -0.13), strict=True):
                colour, row = _COLOURS[method], _paper()[regularizer, method]
                panel.axvline(
                    row.task_a_error_after - row.task_a_error_before, color=colour, linestyle=":", linewidth=1.2
                )
                for place, variant in enumerate(reversed(variants)):
                    values = list(found.forgotten(variant, regularizer, method).values())
                    panel.plot(values, [place + shift] * len(values), ".", color=colour, alpha=0.45, markersize=5)
                    if values:
                        label = method if variant == variants[0] else None
                        panel.plot(fmean(values), place + shift, "o", color=colour, markersize=5, label=label)
            panel.set_xscale("symlog", linthresh=1)
            panel.set_xticks([0, 1, 10, 100], ["0", "1", "10", "100"])
            panel.set_ylim(-0.5, len(variants) - 0.5)
            panel.set_yticks(range(len(variants)), list(reversed(variants)))
            panel.set_xlabel("forgotten (points)")
            panel.grid(axis="both", color="0.92", linewidth=0.7)
            panel.set_title(TITLES[regularizer], loc="left", weight="bold")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper right", ncols=2, frameon=False)
