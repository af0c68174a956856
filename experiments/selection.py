"""Which source images help a small target: all, some at random, none, or those that look like the target's own?

A network learns a source task, then a target of few images, with source images beside them whose head goes on training
(joint fine tuning). Selective joint fine tuning takes the nearest neighbours of each target image, by histograms of
Gabor filters' responses or by the first layer's activations, and iteratively more of them for images that stay
misclassified. Every way makes as many passes over the target at the most.

Source: Ge and Yu 2017, the table as the lecture of 2018 shows it (there dogs and flowers beside ImageNet and Places).
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from experiments.cells import Cell, Result
from experiments.courses import TARGET, Course, begin_target, learn_source, measured, small
from experiments.desk import Desk
from experiments.experiment import Job
from experiments.grids import Grid
from experiments.pictures import picture, tiles
from experiments.survey import Findings, Survey
from experiments.text import difference, spread
from npnet import (
    Method,
    Network,
    Replicate,
    Run,
    Split,
    Task,
    error,
    generator,
    neighbours_of,
    selective_joint_tuning,
    train,
)
from npnet.arrays import Array
from npnet.run import Record
from npnet.selection import Descriptor, Neighbours, activations, describe, gabor_histograms

__all__ = ["Selection"]

HIDDEN = (200, 200)
SOURCES = {
    "lines": Course("acl", 10_000, updates=15_000),
    "images": Course("mnist04+fashion", 10_000, updates=15_000),
}
TARGETS = {
    "lines": Course("ac", 500, updates=1_500, patience=750),
    "images": Course("mnist59", 100, updates=500, patience=250),
}
ALIKE = {"lines": "of the same class", "images": "digits"}
"""What the share of neighbours is that ought to help: 0.5 and 0.5 of the source are such."""

NEAR, MOST, EVERY, STEP = 5, 25, 5, 2
"""Neighbours of each image at first and at the most; after so many epochs each misclassified one gets so many more."""

_SHOWN = 4  # images of the target, with their neighbours


@dataclass(frozen=True)
class Way:
    """From the source network or from an untrained one; which source images: none, all, random, or by a descriptor."""

    images: Literal["none", "all", "random", "Gabor", "first layer"]
    iterative: bool = False
    scratch: bool = False


FINE, SELECTIVE = "fine tuning, no source", "selective: first layer, iterative"
WAYS: Mapping[str, Way] = {
    "from scratch": Way("none", scratch=True),
    "selective, from scratch": Way("first layer", iterative=True, scratch=True),
    FINE: Way("none"),
    "joint: all source": Way("all"),
    "joint: random source": Way("random"),
    "selective: Gabor": Way("Gabor"),
    "selective: Gabor, iterative": Way("Gabor", iterative=True),
    "selective: first layer": Way("first layer"),
    SELECTIVE: Way("first layer", iterative=True),
}


def neighbours(source: Task, task: Task, network: Network, by: str, seed: int) -> Neighbours:
    """Return which source images go along: at random, as many as there are neighbours by the first layer."""
    M = len(source.train)
    if by == "all":
        return Neighbours(np.arange(M)[None], np.array([M]))
    side = round(source.train.inputs.shape[-1] ** 0.5)
    descriptor: Descriptor = gabor_histograms(source.train, side) if by == "Gabor" else activations(network)
    near = neighbours_of(
        describe(descriptor, task.train), describe(descriptor, source.train), min(NEAR, M), min(MOST, M)
    )
    if by == "random":
        rows = generator(seed, "random source").choice(M, len(near.rows()), replace=False)
        return Neighbours(rows[None], np.array([len(rows)]))
    return near


def alike(family: str, near: Neighbours, source: Array, labels: Array) -> float:
    """Return the share of the neighbours that count which are alike: of their image's class, or digits.

    source, labels: the classes of the source's images and of the target's.
    """
    counts = np.arange(near.ranking.shape[-1]) < near.counts[:, None]  # (N, K)
    theirs = source[near.ranking]
    return float((theirs == labels[:, None] if family == "lines" else theirs < 5)[counts].mean())


def learn_joint(
    desk: Desk, family: str, course: Course, learned: Course, seed: int, source: str, way: Way, setting: str, label: str
) -> Result:
    """Learn the target beside the source images that a way takes, and leave the errors and which neighbours counted."""
    known = Network.load(desk.needed(source) / "network.npz")
    replicate = begin_target(desk, course, HIDDEN, seed, None if way.scratch else source, lambda: Method("joint"))
    old, task, run = learned.load(seed), replicate.tasks[TARGET], replicate.run
    if way.scratch and way.images != "none":
        run.network = run.network.add_head(old.name, old.outputs, generator(seed, "old head"))
    near = None if way.images == "none" else neighbours(old, task, known, way.images, seed)
    first, seconds = near, 0.0
    if (saved := desk.resume()) is not None:
        run, seconds = Run.from_tree(saved["run"]), saved["seconds"]
        near = near and Neighbours(**saved["neighbours"])
        desk.log(f"goes on after epoch {len(run.history)}")
    start = time.monotonic()
    epochs = _epochs(run, old, task, near, replicate, STEP if way.iterative else 0)
    for record, now in epochs:
        near, tree = now, now and now.tree()
        stands = {"run": run.tree(), "neighbours": tree, "seconds": seconds + time.monotonic() - start}
        desk.show(epoch=record["epoch"], error=record["error"])
        desk.checkpoint(partial(dict, stands))
        desk.stop_if_asked()
    found = {"error": error(run.network, TARGET, task.test), "source images": 0.0}
    if near is not None:
        found["source images"] = float(len(near.rows()))
    if near is not None and first is not None and len(near.counts) > 1:
        found["alike"] = 100 * alike(family, near, old.train.labels, task.train.labels)
        if seed == 0:
            found |= {f"neighbour {i}-{j}": float(first.ranking[i, j]) for i in range(_SHOWN) for j in range(NEAR)}
    return measured(replace(replicate, run=run), seconds + time.monotonic() - start, setting, label, seed, found)


def _epochs(
    run: Run, old: Task, task: Task, near: Neighbours | None, replicate: Replicate, step: int
) -> Iterator[tuple[Record, Neighbours | None]]:
    if near is None:
        for record in train(run, replicate.tasks, replicate.settings):
            yield record, None
    else:
        settings = replace(replicate.settings, watch=(TARGET,))
        yield from selective_joint_tuning(run, old, task, near, settings, EVERY, step)


@dataclass(frozen=True)
class Selection(Survey):
    """Learn a small target beside all source images, some at random, none, or those that look like the target's.

    Attributes:
        preset: "quick" is the whole study, "smoke" takes seconds, to see that it works.
    """

    name: ClassVar[str] = "selection"

    out: Path = Path("results/selection")
    preset: Literal["smoke", "quick"] = "quick"

    def job(self) -> Job:
        """Return what to run: ten seeds of everything; to see that it works, two of what needs no files."""
        smoke = self.preset == "smoke"
        sources = {"lines": small(SOURCES["lines"])} if smoke else SOURCES
        targets = {"lines": replace(small(TARGETS["lines"]), train=20, updates=7)} if smoke else TARGETS
        cells, seeds = [], 2 if smoke else 10
        for seed, family in product(range(seeds), sources):
            source, course = f"source-{family}-{seed}", sources[family]
            cells.append(Cell(source, learn_source, {"course": course, "hidden": HIDDEN, "seed": seed}))
            for label, way in WAYS.items():
                what = {"family": family, "course": targets[family], "learned": course, "seed": seed, "source": source}
                name = f"{family}-{label}-{seed}".translate(str.maketrans(" ", "_", ":,"))
                cells.append(
                    Cell(name, learn_joint, {**what, "way": way, "setting": family, "label": label}, (source,))
                )
        configuration = {
            "experiment": self.name,
            "hidden": list(HIDDEN),
            "seeds": list(range(seeds)),
            "sources": {family: asdict(course) for family, course in sources.items()},
            "targets": {family: asdict(course) for family, course in targets.items()},
            "neighbours": [NEAR, MOST, EVERY, STEP],
        }
        return Job(f"{len(cells)} networks", configuration, cells)

    @classmethod
    def tables(cls, found: Findings) -> list[Grid]:
        """Return the source's table for each family, with what each way saves beside fine tuning, paired by seed."""
        return [_errors(found, family) for family in found.about["targets"]]

    @classmethod
    def draw(cls, found: Findings, out: Path) -> dict[str, str]:
        """Draw target images and their nearest source images, of families whose images are here."""
        pictures = {}
        for family in found.about["targets"]:
            try:
                tasks = [Course(**found.about[which][family]).load(0) for which in ("sources", "targets")]
            except (ImportError, ConnectionError, OSError):  # image files that are not here
                continue
            _draw(found, family, tasks[0], tasks[1], out / f"neighbours_{family}.png")
            pictures[f"neighbours_{family}.png"] = (
                "Images of the target, and the five nearest of the source by either descriptor, nearest first."
            )
        return pictures


def _errors(found: Findings, family: str) -> Grid:
    rows = []
    for way in WAYS:
        values = found.values(family, way)
        images, share = (list(found.values(family, way, metric).values()) for metric in ("source images", "alike"))
        saved = difference(found.values(family, FINE), values, 2) if way != FINE else ["", ""]
        rows.append(
            [way, spread(list(values.values()), 2), *saved, spread(images, 0), spread(share, 0) if share else ""]
        )
    source, target = found.about["sources"][family], found.about["targets"][family]
    title = f"{source['train']:,} {source['task']} → {target['train']:,} {target['task']}: errors in percent"
    header = ["", "error", "saved beside fine tuning (95 %)", "p", "source images", f"{ALIKE[family]}, %"]
    return Grid(title, header, rows)


def _draw(found: Findings, family: str, source: Task, target: Task, path: Path) -> None:
    ways = ("selective: Gabor", "selective: first layer")
    side = round(source.train.inputs.shape[-1] ** 0.5)

    def image(split: Split, row: float | None) -> Array | None:
        return None if row is None else split.inputs[int(row) : int(row) + 1].reshape(side, side) / 255

    rows = []
    for i in range(_SHOWN):
        rows.append([image(target.train, i)])
        for way in ways:
            near = (found.values(family, way, f"neighbour {i}-{j}").get(0) for j in range(NEAR))
            rows[-1] += [None, *(image(source.train, row) for row in near)]
    with picture(path, (7.4, 2.7)) as figure:
        panel = figure.subplots()
        panel.imshow(tiles(rows), cmap="gray", vmin=0, vmax=1)
        panel.axis("off")
        for column, words in ((0, "target"), (2, ways[0]), (3 + NEAR, ways[1])):
            panel.text(column * (side + 2), -4, words, weight="bold")
