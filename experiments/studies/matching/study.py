"""Matching a teacher on the command line: the source's two tables, and what each method saves.

Does it help, when examples are few, to ask of a student not the labels alone but the teacher's outputs, its Jacobians,
its hidden layers or where it looks? When the student learns the teacher's task, and when it learns another one?

Source: Srinivas and Fleuret 2018, the tables as the lecture of 2018 shows them (there accuracies, on CIFAR-100 and MIT
Scenes); attention maps after Zagoruyko and Komodakis 2017.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from experiments.frame.grids import Grid
from experiments.frame.long_form import Findings, LongFormStudy
from experiments.frame.pictures import curve, picture
from experiments.frame.study import Plan
from experiments.frame.text import difference, spread
from experiments.studies.matching.design import PRESETS, matching_jobs, matching_setting
from experiments.studies.matching.parts import CE, ORACLE, OTHER, PATCHED, SAME

__all__ = ["Matching"]

METHODS: Mapping[str, Mapping[str, tuple[str, ...]]] = {"same": SAME, "other": OTHER}
DRAWN = {
    CE: "black",
    ORACLE: "0.6",
    "CE + outputs": "#0072B2",
    "CE + Jacobian": "#D55E00",
    "CE + outputs + Jacobian": "#009E73",
    "CE + attention": "#CC79A7",
    "CE + outputs + attention": "#E69F00",
    "CE + outputs + attention + Jacobian": "#56B4E9",
}
"""The methods that are drawn, and how."""


@dataclass(frozen=True)
class Matching(LongFormStudy):
    """Match a teacher's outputs, Jacobians and attention.

    Students have from one example of each class to all of them. A hidden layer is matched too."""

    name: ClassVar[str] = "matching"

    def plan(self) -> Plan:
        """Return what to run."""
        design = PRESETS[self.preset]
        jobs = matching_jobs(design)
        return Plan(f"{len(jobs)} networks", {"experiment": self.name, "design": asdict(design)}, jobs)

    @classmethod
    def tables(cls, found: Findings) -> list[Grid]:
        """Return the errors of each table and family, and what each method saves against the labels alone."""
        places = [(table, family) for table in METHODS for family in found.about["design"][table]]
        return [grid for place in places for grid in (_errors(found, *place), _saved(found, *place))]

    @classmethod
    def draw(cls, found: Findings, out: Path) -> dict[str, str]:
        """Draw the errors by the number of examples."""
        _draw(found, out / "matching.png")
        words = "Test error by examples a class: mean and 95 % interval over seeds."
        return {"matching.png": words}


def _sizes(found: Findings, table: str) -> list[int]:
    return list(found.about["design"]["per_class" if table == "same" else "per_class_other"])


def _title(found: Findings, table: str, family: str) -> str:
    if table == "same":
        return f"{found.about['design']['same'][family][1]['task']}, the teacher's own task"
    source, target = found.about["design"]["other"][family]
    return f"{target['task']}, from a teacher of {source['task']}"


def _header(found: Findings, table: str) -> list[str]:
    return ["", *(f"{n or 'all'}" for n in _sizes(found, table))]


def _errors(found: Findings, table: str, family: str) -> Grid:
    rows = [
        [
            method,
            *(
                spread(list(found.values(matching_setting(table, family, n), method).values()), 2)
                for n in _sizes(found, table)
            ),
        ]
        for method in METHODS[table]
    ]
    if table == "same":
        task = found.about["design"]["same"][family][0]["task"]
        for kind in ("whole", "patches"):
            row = f"teacher ({kind})"
            error = spread(list(found.values(f"teacher {task}", kind).values()), 2)
            rows.append([row, *[""] * (len(_sizes(found, table)) - 1), error])
    return Grid(f"{_title(found, table, family)}: errors in percent by examples a class", _header(found, table), rows)


def _saved(found: Findings, table: str, family: str) -> Grid:
    """Return points of error saved against cross-entropy alone, with that network's own where it has patches."""
    rows = []
    for method in METHODS[table]:
        plain = PATCHED if method.startswith("patches") else CE
        if method != plain:
            places = [matching_setting(table, family, n) for n in _sizes(found, table)]
            rows.append([method, *(difference(found.values(p, plain), found.values(p, method), 1)[0] for p in places)])
    title = f"{_title(found, table, family)}: points saved against CE alone (95 %)"
    return Grid(title, _header(found, table), rows)


def _draw(found: Findings, path: Path) -> None:
    places = [(table, family) for table in METHODS for family in found.about["design"][table]]
    width = 3.0 + 3.4 * len(places) / 2
    with picture(path, (width, 6.2), (0, 0, 1 - 2.9 / width, 1)) as figure:
        panels = figure.subplots(2, len(places) // 2, squeeze=False).flat
        handles: dict[str, Any] = {}
        for panel, (table, family) in zip(panels, places, strict=True):
            sizes = _sizes(found, table)
            for method in METHODS[table]:
                if method in DRAWN:
                    values = [found.values(matching_setting(table, family, n), method) for n in sizes]
                    curve(panel, range(len(sizes)), values, color=DRAWN[method], label=method)
            panel.set_xticks(range(len(sizes)), [f"{n or 'all'}" for n in sizes])
            panel.set(ylabel="test error (%)", xlabel="examples a class")
            panel.set_title(_title(found, table, family), loc="left", weight="bold")
            for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
                handles.setdefault(label, handle)
        shown = [method for method in DRAWN if method in handles]
        figure.legend([handles[method] for method in shown], shown, loc="center right", frameon=False)
