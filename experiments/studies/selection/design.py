"""The design of the study of selection: sources and targets, the ways, the lesson, and the cells."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, product
from typing import Literal

import numpy as np

from experiments.frame.jobs import Cell, Result
from experiments.frame.task_specs import TARGET, Course, begin_target, learn_source, measured
from experiments.frame.workspace import Desk
from npnet import (
    Method,
    Network,
    Replicate,
    Run,
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

__all__ = [
    "ALIKE",
    "EVERY",
    "FINE",
    "HIDDEN",
    "MOST",
    "NEAR",
    "SELECTIVE",
    "SHOWN",
    "SOURCES",
    "STEP",
    "TARGETS",
    "WAYS",
    "alike",
    "cells_of",
    "drawn",
    "learn_joint",
]

HIDDEN = (200, 200)
SOURCES = {
    "lines": Course("acl", 10_000, updates=15_000),
    "images": Course("mnist04+fashion", 10_000, updates=15_000),
}
TARGETS = {
    "lines": Course("ac", 500, updates=3_000, patience=1_000),
    "images": Course("mnist59", 100, updates=1_000, patience=500),
}
ALIKE = {"lines": "of the same class", "images": "digits"}
"""What the share of neighbours is that ought to help: 0.5 and 0.5 of the source are such."""

NEAR, MOST, EVERY, STEP = 5, 25, 5, 2
"""Neighbours of each image at first and at the most; after so many epochs each misclassified one gets so many more."""

SHOWN = 4  # images of the target, with their neighbours


@dataclass(frozen=True)
class Way:
    """From the source network or from an untrained one; which source images go along.

    "random": as many as there are neighbours by the first layer. "anew": as many, other ones in every epoch.
    """

    images: Literal["none", "all", "random", "anew", "Gabor", "first layer"]
    iterative: bool = False
    scratch: bool = False


FINE, SELECTIVE = "fine tuning, no source", "selective: first layer, iterative"
WAYS: Mapping[str, Way] = {
    "from scratch": Way("none", scratch=True),
    "selective, from scratch": Way("first layer", iterative=True, scratch=True),
    FINE: Way("none"),
    "joint: all source": Way("all"),
    "joint: random source": Way("random"),
    "joint: random source, anew each epoch": Way("anew"),
    "selective: Gabor": Way("Gabor"),
    "selective: Gabor, iterative": Way("Gabor", iterative=True),
    "selective: first layer": Way("first layer"),
    SELECTIVE: Way("first layer", iterative=True),
}


def neighbours(source: Task, task: Task, network: Network, by: str, seed: int) -> Neighbours:
    """Return which source images go along, or with "anew" begin to."""
    M = len(source.train)
    if by == "all":
        return Neighbours(np.arange(M)[None], np.array([M]))
    side = round(source.train.inputs.shape[-1] ** 0.5)
    descriptor: Descriptor = gabor_histograms(source.train, side) if by == "Gabor" else activations(network)
    near = neighbours_of(
        describe(descriptor, task.train), describe(descriptor, source.train), min(NEAR, M), min(MOST, M)
    )
    return drawn(M, len(near.rows()), seed) if by in ("random", "anew") else near


def drawn(M: int, size: int, seed: int, epoch: int = 0) -> Neighbours:
    """Return `size` of M source images at random."""
    rows = generator(seed, "random source", epoch).choice(M, size, replace=False)
    return Neighbours(rows[None], np.array([size]))


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
    for record, now in _epochs(replace(replicate, run=run), old, task, near, way, seed):
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
            found |= {f"neighbour {i}-{j}": float(first.ranking[i, j]) for i in range(SHOWN) for j in range(NEAR)}
    return measured(replace(replicate, run=run), seconds + time.monotonic() - start, setting, label, seed, found)


def _epochs(
    replicate: Replicate, old: Task, task: Task, near: Neighbours | None, way: Way, seed: int
) -> Iterator[tuple[Record, Neighbours | None]]:
    run, settings = replicate.run, replace(replicate.settings, watch=(TARGET,))
    if near is None:
        for record in train(run, replicate.tasks, settings):
            yield record, None
    elif way.images == "anew":
        while not run.finished:
            others = drawn(len(old.train), len(near.rows()), seed, len(run.history))
            yield from islice(selective_joint_tuning(run, old, task, others, settings, step=0), 1)
    else:
        yield from selective_joint_tuning(run, old, task, near, settings, EVERY, STEP if way.iterative else 0)


def cells_of(sources: Mapping[str, Course], targets: Mapping[str, Course], seeds: int) -> list[Cell]:
    """Return each seed's source networks, and every way with every family."""
    cells = []
    for seed, family in product(range(seeds), sources):
        source, course = f"source-{family}-{seed}", sources[family]
        cells.append(Cell(source, learn_source, {"course": course, "hidden": HIDDEN, "seed": seed}))
        for label, way in WAYS.items():
            what = {"family": family, "course": targets[family], "learned": course, "seed": seed, "source": source}
            name = f"{family}-{label}-{seed}".translate(str.maketrans(" ", "_", ":,"))
            cells.append(Cell(name, learn_joint, {**what, "way": way, "setting": family, "label": label}, (source,)))
    return cells
