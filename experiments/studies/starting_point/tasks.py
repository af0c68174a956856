"""The tasks of the study of starting points: a source with much data, and a target of which each seed draws a few."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from experiments.frame.tasks import cut, image_task, rows_of
from experiments.studies.starting_point.design import StartingPointDesign, TaskPair
from npnet import Task, generator
from npnet.tasks import line_task, mnist_halves

__all__ = ["few_of", "load_pair"]

_REST = 5_000  # images set apart for validation and again for test, of which the first ones are used


@lru_cache(maxsize=2)
def load_pair(pair: TaskPair, protocol: StartingPointDesign) -> tuple[Task, Task]:
    """Return source and target task, kept by this process for the next job that wants them.

    The target's training images are those that each seed draws its few from. Validation and test images are the same
    for all seeds and sizes. Raises ValueError for an unknown source, and what `npnet.tasks.load` raises.
    """
    p, many, pool = protocol, protocol.source_sizes(pair), protocol.target_sizes
    if pair.source == "mnist04":
        source, target = mnist_halves(p.data_seed, pair.train, _REST, _REST)
    elif pair.source == "fashion04":
        source, target = (image_task(name, p.data_seed) for name in (pair.source, pair.target))
    else:
        source = line_task(pair.source, p.data_seed, many.train, many.validation, many.test, store="nowhere")
        target = line_task(pair.target, p.data_seed, pool.train, pool.validation, pool.test)
    return cut(source, many), cut(target, pool)


def few_of(task: Task, size: int, seed: int) -> Task:
    """Return the target task with `size` training images of each class, drawn by the seed from all there are."""
    rng = generator(seed, "few", task.name, size)
    kinds = range(task.outputs)
    rows = np.concatenate([rng.permutation(np.flatnonzero(task.train.labels == k))[:size] for k in kinds])
    if len(rows) < size * task.outputs:
        raise ValueError(f"size is {size}; expected no more than each class of {task.name!r} has in training")
    return replace(task, train=rows_of(task.train, rows))
