"""The design of the study of selection: sources and targets, the choices of source images, and the jobs."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, product
from typing import Literal

import numpy as np

from experiments.frame.jobs import Job, Result
from experiments.frame.source_and_target import TARGET, begin_target, learn_source, measurements_of
from experiments.frame.task_specs import TaskSpec
from experiments.frame.workspace import Workspace
from npnet import (
    Method,
    Network,
    Run,
    Task,
    TrainingJob,
    error,
    generator,
    neighbours_of,
    selective_joint_tuning,
    train,
)
from npnet.arrays import Array
from npnet.joint_tuning.selection import Descriptor, Neighbours, activations, describe, gabor_histograms
from npnet.run import Record

__all__ = [
    "ALIKE",
    "CHOICES",
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
    "alike",
    "drawn",
    "learn_joint",
    "selection_jobs",
]

HIDDEN = (200, 200)
SOURCES = {
    "lines": TaskSpec("acl", train=10_000, updates=15_000),
    "images": TaskSpec("mnist04+fashion", train=10_000, updates=15_000),
}
TARGETS = {
    "lines": TaskSpec("ac", train=500, updates=3_000, patience=1_000),
    "images": TaskSpec("mnist59", train=100, updates=1_000, patience=500),
}
ALIKE = {"lines": "of the same class", "images": "digits"}
"""What the share of neighbours is that ought to help: 0.5 and 0.5 of the source are such."""

NEAR, MOST, EVERY, STEP = 5, 25, 5, 2
"""Neighbours of each image at first and at the most; after so many epochs each misclassified one gets so many more."""

SHOWN = 4  # images of the target, with their neighbours


@dataclass(frozen=True)
class ImageChoice:
    """From the source network or from an untrained one; which source images go along.

    "random": as many as there are neighbours by the first layer. "anew": as many, other ones in every epoch.
    """

    images: Literal["none", "all", "random", "anew", "Gabor", "first layer"]
    iterative: bool = False
    scratch: bool = False


FINE, SELECTIVE = "fine tuning, no source", "selective: first layer, iterative"
CHOICES: Mapping[str, ImageChoice] = {
    "from scratch": ImageChoice("none", scratch=True),
    "selective, from scratch": ImageChoice("first layer", iterative=True, scratch=True),
    FINE: ImageChoice("none"),
    "joint: all source": ImageChoice("all"),
    "joint: random source": ImageChoice("random"),
    "joint: random source, new each epoch": ImageChoice("anew"),
    "selective: Gabor": ImageChoice("Gabor"),
    "selective: Gabor, iterative": ImageChoice("Gabor", iterative=True),
    "selective: first layer": ImageChoice("first layer"),
    SELECTIVE: ImageChoice("first layer", iterative=True),
}


def neighbours(source: Task, task: Task, network: Network, by: str, seed: int) -> Neighbours:
    """Return the source images that are trained on; of "anew" those of the first epoch."""
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
    workspace: Workspace,
    family: str,
    spec: TaskSpec,
    learned: TaskSpec,
    seed: int,
    source: str,
    choice: ImageChoice,
    setting: str,
    label: str,
) -> Result:
    """Learn the target with the source images that a choice takes along, and return the errors and the neighbours."""
    known = Network.load(workspace.needed(source) / "network.npz")
    training = begin_target(workspace, spec, HIDDEN, seed, None if choice.scratch else source, lambda: Method("joint"))
    old, task, run = learned.load(seed), training.tasks[TARGET], training.run
    if choice.scratch and choice.images != "none":
        run.network = run.network.add_head(old.name, old.outputs, generator(seed, "old head"))
    near = None if choice.images == "none" else neighbours(old, task, known, choice.images, seed)
    first, seconds = near, 0.0
    if (saved := workspace.resume()) is not None:
        run, seconds = Run.from_tree(saved["run"]), saved["seconds"]
        near = near and Neighbours(**saved["neighbours"])
        workspace.log(f"resumes after epoch {len(run.history)}")
    start = time.monotonic()
    for record, now in _epochs(replace(training, run=run), old, task, near, choice, seed):
        near, tree = now, now and now.tree()
        stands = {"run": run.tree(), "neighbours": tree, "seconds": seconds + time.monotonic() - start}
        workspace.show(epoch=record["epoch"], error=record["error"])
        workspace.checkpoint(partial(dict, stands))
        workspace.stop_if_asked()
    found = {"error": error(run.network, TARGET, task.test), "source images": 0.0}
    if near is not None:
        found["source images"] = float(len(near.rows()))
    if near is not None and first is not None and len(near.counts) > 1:
        found["alike"] = 100 * alike(family, near, old.train.labels, task.train.labels)
        if seed == 0:
            found |= {f"neighbour {i}-{j}": float(first.ranking[i, j]) for i in range(SHOWN) for j in range(NEAR)}
    return measurements_of(replace(training, run=run), seconds + time.monotonic() - start, setting, label, seed, found)


def _epochs(
    training: TrainingJob, old: Task, task: Task, near: Neighbours | None, choice: ImageChoice, seed: int
) -> Iterator[tuple[Record, Neighbours | None]]:
    run, settings = training.run, replace(training.settings, watch=(TARGET,))
    if near is None:
        for record in train(run, training.tasks, settings):
            yield record, None
    elif choice.images == "anew":
        while not run.finished:
            others = drawn(len(old.train), len(near.rows()), seed, len(run.history))
            yield from islice(selective_joint_tuning(run, old, task, others, settings, step=0), 1)
    else:
        yield from selective_joint_tuning(run, old, task, near, settings, EVERY, STEP if choice.iterative else 0)


def selection_jobs(sources: Mapping[str, TaskSpec], targets: Mapping[str, TaskSpec], seeds: int) -> list[Job]:
    """Return each seed's source networks, and every choice with every family."""
    jobs = []
    for seed, family in product(range(seeds), sources):
        source, spec = f"source-{family}-{seed}", sources[family]
        jobs.append(Job(source, learn_source, {"spec": spec, "hidden": HIDDEN, "seed": seed}))
        for label, choice in CHOICES.items():
            what = {"family": family, "spec": targets[family], "learned": spec, "seed": seed, "source": source}
            name = f"{family}-{label}-{seed}".translate(str.maketrans(" ", "_", ":,"))
            jobs.append(
                Job(name, learn_joint, {**what, "choice": choice, "setting": family, "label": label}, (source,))
            )
    return jobs
