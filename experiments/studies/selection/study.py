"""Which source images help a small target: all, some at random, none, or those that look like the target's own?

A network learns a source task, then a target of few images, together with source images, whose head goes on training
(joint fine tuning). Selective joint fine tuning takes the nearest neighbours of each target image, by histograms of
Gabor filters' responses or by the first layer's activations, and iteratively more of them for images that stay
misclassified. Every choice makes as many passes over the target at the most; those that take source images along make
more updates, in proportion to how many they take.

Source: Ge and Yu 2017, the table as the lecture of 2018 shows it (there dogs and flowers with ImageNet and Places).
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar

from experiments.frame.grids import Grid
from experiments.frame.long_form import Findings, LongFormStudy
from experiments.frame.pictures import picture, strips, tiles
from experiments.frame.study import Plan
from experiments.frame.task_specs import TaskSpec, small
from experiments.frame.text import difference, spread
from experiments.studies.selection.design import (
    ALIKE,
    CHOICES,
    EVERY,
    FINE,
    HIDDEN,
    MOST,
    NEAR,
    SHOWN,
    SOURCES,
    STEP,
    TARGETS,
    selection_jobs,
)
from npnet import Split, Task
from npnet.arrays import Array

__all__ = ["Selection"]


@dataclass(frozen=True)
class Selection(LongFormStudy):
    """Learn a small task together with chosen source images.

    The source images are all, none, some at random, or those most similar to the target's."""

    name: ClassVar[str] = "selection"

    def plan(self) -> Plan:
        """Return what to run: ten seeds of everything; to see that it works, two of what needs no files."""
        smoke = self.preset == "smoke"
        sources = {"lines": small(SOURCES["lines"])} if smoke else SOURCES
        targets = {"lines": replace(small(TARGETS["lines"]), train=20, updates=7)} if smoke else TARGETS
        seeds = 2 if smoke else 10
        jobs = selection_jobs(sources, targets, seeds)
        configuration = {
            "experiment": self.name,
            "hidden": list(HIDDEN),
            "seeds": list(range(seeds)),
            "sources": {family: asdict(spec) for family, spec in sources.items()},
            "targets": {family: asdict(spec) for family, spec in targets.items()},
            "neighbours": [NEAR, MOST, EVERY, STEP],
        }
        return Plan(f"{len(jobs)} networks", configuration, jobs)

    @classmethod
    def tables(cls, found: Findings) -> list[Grid]:
        """Return the source's table of each family, and what each choice saves against fine tuning, paired by seed."""
        return [_errors(found, family) for family in found.about["targets"]]

    @classmethod
    def draw(cls, found: Findings, out: Path) -> dict[str, str]:
        """Draw the errors of every choice; target images and their nearest source images, where a family's are here."""
        _draw_errors(found, out / "errors.png")
        pictures = {
            "errors.png": "Test error of every way: each seed (grey), mean and 95 % interval; orange: source images "
            "are selected."
        }
        for family in found.about["targets"]:
            path = out / f"neighbours_{family}.png"
            try:
                tasks = [TaskSpec(**found.about[which][family]).load(0) for which in ("sources", "targets")]
            except (ImportError, ConnectionError, OSError):  # image files that are not here: an earlier picture stays
                if not path.exists():
                    continue
            else:
                _draw_neighbours(found, family, tasks[0], tasks[1], path)
            pictures[path.name] = (
                "Images of the target, and the five nearest of the source by either descriptor, nearest first."
            )
        return pictures


def _errors(found: Findings, family: str) -> Grid:
    rows = []
    for choice in CHOICES:
        values = found.values(family, choice)
        images, share = (list(found.values(family, choice, metric).values()) for metric in ("source images", "alike"))
        saved = difference(found.values(family, FINE), values, 2) if choice != FINE else ["", ""]
        rows.append(
            [choice, spread(list(values.values()), 2), *saved, spread(images, 0), spread(share, 0) if share else ""]
        )
    source, target = found.about["sources"][family], found.about["targets"][family]
    title = f"{source['train']:,} {source['task']} → {target['train']:,} {target['task']}: errors in percent"
    header = ["", "error", "saved against fine tuning (95 %)", "p", "source images", f"{ALIKE[family]}, %"]
    return Grid(title, header, rows)


def _draw_errors(found: Findings, path: Path) -> None:
    families, choices = list(found.about["targets"]), list(CHOICES)
    with picture(path, (2.6 + 3.4 * len(families), 3.0)) as figure:
        panels = figure.subplots(1, len(families), squeeze=False)[0]
        for panel, family in zip(panels, families, strict=True):
            colours = {choice: "#D55E00" if choice.startswith("selective") else "#0072B2" for choice in choices}
            strips(panel, {choice: found.values(family, choice) for choice in choices}, colours, panel is panels[0])
            panel.set_xlabel("test error (%)")
            source, target = (found.about[which][family] for which in ("sources", "targets"))
            panel.set_title(f"{source['task']} → {target['train']} {target['task']}", loc="left", weight="bold")


def _draw_neighbours(found: Findings, family: str, source: Task, target: Task, path: Path) -> None:
    choices = ("selective: Gabor", "selective: first layer")
    side = round(source.train.inputs.shape[-1] ** 0.5)

    def image(split: Split, row: float | None) -> Array | None:
        return None if row is None else split.inputs[int(row) : int(row) + 1].reshape(side, side) / 255

    rows = []
    for i in range(SHOWN):
        rows.append([image(target.train, i)])
        for choice in choices:
            near = (found.values(family, choice, f"neighbour {i}-{j}").get(0) for j in range(NEAR))
            rows[-1] += [None, *(image(source.train, row) for row in near)]
    with picture(path, (7.4, 2.7)) as figure:
        panel = figure.subplots()
        panel.imshow(tiles(rows), cmap="gray", vmin=0, vmax=1)
        panel.axis("off")
        for column, words in ((0, "target"), (2, choices[0]), (3 + NEAR, choices[1])):
            panel.text(column * (side + 2), -4, words, weight="bold")
