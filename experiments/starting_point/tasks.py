"""The tasks of the study of starting points: a source with much data, and a target of which each seed draws a few."""

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from experiments.starting_point.design import Pair, Protocol
from npnet import Split, Task, generator
from npnet.tasks import line_task, load, mnist_halves

__all__ = ["few_of", "load_pair", "rows_of"]

_REST = 5_000  # images set apart for validation and again for test, of which the first ones are used


@lru_cache(maxsize=2)
def load_pair(pair: Pair, protocol: Protocol) -> tuple[Task, Task]:
    """Return source and target task, kept by this process for the next cell that wants them.

    The target's training images are those that each seed draws its few from. Validation and test images are the same
    for all seeds and sizes. Raises ValueError for an unknown source, and what `npnet.tasks.load` raises.
    """
    p = protocol
    if pair.source == "mnist04":
        source, target = mnist_halves(p.data_seed, pair.train, _REST, _REST)
    elif pair.source == "fashion04":
        source, target = (_fashion(first, pair.train, p.data_seed) for first in (0, 5))
    else:
        source = line_task(pair.source, p.data_seed, pair.train, p.source_validation, p.test, store="nowhere")
        target = line_task(pair.target, p.data_seed, p.pool, p.validation, p.test)
    source = _cut(source, pair.train, p.source_validation, p.test)
    return source, _cut(target, p.pool, p.validation, p.test)


def _fashion(first: int, train_size: int, seed: int) -> Task:
    """Return the task of five kinds of clothing: from 0 shirt, trousers, pullover, dress, coat; from 5 sandal, blouse,
    sneaker, bag, boot.

    Of the 30,000 training images, shuffled, the first are for training and the last for validation.
    """
    name, files = f"fashion{first}{first + 4}", load("fashion-mnist")
    splits: list[Split] = []
    for images, labels in ((files.train_images, files.train_labels), (files.test_images, files.test_labels)):
        rows = np.flatnonzero((labels >= first) & (labels < first + 5))
        generator(seed, name, len(splits)).shuffle(rows)
        splits.append(Split(images[rows].reshape(len(rows), -1), labels[rows].astype(np.int64) - first))
    learned, tested = splits
    return Task(name, 5, rows_of(learned, slice(train_size)), rows_of(learned, slice(-_REST, None)), tested)


def rows_of(split: Split, rows: Any) -> Split:
    """Return some rows of a split, a slice or an index array."""
    return Split(split.inputs[rows], split.labels[rows])


def _cut(task: Task, train_size: int, validation: int, test: int) -> Task:
    """Return the task with the first examples of each split; a training split that is large enough stays as it is."""
    whole = len(task.train) <= train_size  # and may be drawn when it is read: not to be read here
    return replace(
        task,
        train=task.train if whole else rows_of(task.train, slice(train_size)),
        validation=rows_of(task.validation, slice(validation)),
        test=rows_of(task.test, slice(test)),
    )


def few_of(task: Task, size: int, seed: int) -> Task:
    """Return the target task with `size` training images of each class, drawn by the seed from all there are."""
    rng = generator(seed, "few", task.name, size)
    kinds = range(task.outputs)
    rows = np.concatenate([rng.permutation(np.flatnonzero(task.train.labels == k))[:size] for k in kinds])
    if len(rows) < size * task.outputs:
        raise ValueError(f"size is {size}; expected no more than each class of {task.name!r} has in training")
    return replace(task, train=rows_of(task.train, rows))
