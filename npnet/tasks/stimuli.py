"""Stimuli from their addresses: image i of a task under a seed, with the truth about it, on any machine.

An image is a pure function of (task, seed, i, appearance). Its label is the first random number at its address, so the
classes are equally frequent up to chance (10,000 images of two classes hold 5,000 ± 50 of each).

    draw(task, seed, start, stop)   images, labels and truth of the addresses start … stop − 1
    draw_at(task, seed, indices)    the same, of any addresses in any order

A task is one of two families: lines and angles, 32 × 32 (line_stimuli), or drawn characters, 28 × 28 (characters).
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from operator import index as as_index
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from npnet.arguments import checked
from npnet.tasks.addresses import name_key
from npnet.tasks.appearance import Appearance
from npnet.tasks.characters import CHARACTERS
from npnet.tasks.family import Family, fill_labels
from npnet.tasks.handwriting import Handwriting
from npnet.tasks.line_stimuli import LINES

__all__ = ["FAMILIES", "Look", "Stimuli", "appearance_of", "draw", "draw_at", "family_of", "labels_at", "whole"]

Look = Appearance | Handwriting
FAMILIES = (LINES, CHARACTERS)
_CHUNK = 2_000  # images a thread draws at a time: a few milliseconds, so that the threads end together


class Stimuli(NamedTuple):
    """n stimuli: images (n, side, side) uint8, labels (n,) uint8, from 0 on, and truth (n,), the family's records."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    truth: NDArray[np.void]


@checked
def draw(task: str, seed: int, start: int, stop: int, appearance: Look | None = None, threads: int = 1) -> Stimuli:
    """The stimuli at the addresses (task, seed, i) for i = start … stop − 1, the same bits for every slice and threads.

    The seed is any whole number from 0 to 2⁶⁴ − 1, the addresses reach to 2⁶³. appearance: an Appearance for lines and
    angles, a Handwriting for characters; the family's default where it is None. Raises ValueError for an unknown task,
    a seed or range outside these bounds, or fewer threads than one; TypeError where a whole number or another kind of
    appearance was expected; and RuntimeError where an appearance leaves no room for the segments (wide strokes with
    large gaps, in sb2l).
    """
    start = whole("start", start, 0, 2**63)
    stop = whole("stop", stop, start, 2**63)
    return draw_at(task, seed, np.arange(start, stop, dtype=np.uint64), appearance, threads)


@checked
def draw_at(
    task: str,
    seed: int,
    indices: NDArray[np.uint64],
    appearance: Look | None = None,
    threads: int = 1,
) -> Stimuli:
    """The stimuli at the addresses (task, seed, i) for every i of `indices` (n,), an array of type uint64.

    Raises ValueError and TypeError as `draw` does, and TypeError for indices of another type.
    """
    family = family_of(task)
    numbers = family.numbers(family.tasks[task], appearance_of(family, appearance))
    seed = whole("seed", seed, 0, 2**64 - 1)
    threads = whole("threads", threads, 1, 1024)
    _check_indices(indices)
    n = len(indices)
    images = np.empty((n, family.side, family.side), np.uint8)
    labels = np.empty(n, np.uint8)
    truth = np.empty(n, family.truth)

    def fill(part: slice) -> None:
        out = images[part].reshape(-1, family.side**2), labels[part], truth[part]
        family.fill(name_key(task), np.uint64(seed), indices[part], *numbers, *out)

    parts = _chunks(n)
    if threads == 1:
        for part in parts:
            fill(part)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(fill, parts))
    return Stimuli(images, labels, truth)


def labels_at(task: str, seed: int, indices: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """The labels (n,) of the stimuli at some addresses, without drawing them. Raises what `draw_at` raises."""
    family = family_of(task)
    _check_indices(indices)
    labels = np.empty(len(indices), np.uint8)
    classes = family.classes(family.tasks[task])
    fill_labels(name_key(task), np.uint64(whole("seed", seed, 0, 2**64 - 1)), indices, classes, labels)
    return labels


def family_of(task: str) -> Family:
    """The family of a task; ValueError that names the known tasks where there is none."""
    for family in FAMILIES:
        if task in family.tasks:
            return family
    raise ValueError(f"task is {task!r}; expected one of {', '.join(name for each in FAMILIES for name in each.tasks)}")


def appearance_of(family: Family, appearance: Look | None) -> Look:
    """`appearance`, or the family's default for None; TypeError for that of another family."""
    if appearance is None:
        return family.appearance
    kind = type(family.appearance)
    if not isinstance(appearance, kind):
        raise TypeError(f"appearance is {appearance!r}; expected {kind.__name__}(...) for these stimuli, or None")
    return appearance


def whole(name: str, value: int, low: int, high: int) -> int:
    """`value` as a plain int; TypeError where it is no whole number, ValueError outside low … high."""
    try:
        number = as_index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}; expected a whole number") from None
    if not low <= number <= high:
        raise ValueError(f"{name} is {number}; expected {low} to {high}")
    return number


def _check_indices(indices: NDArray[np.uint64]) -> None:
    """Raise TypeError unless `indices` is (n,) uint64: other whole numbers would be other addresses in part."""
    if indices.dtype != np.uint64 or indices.ndim != 1:
        raise TypeError(f"indices has type {indices.dtype} and shape {indices.shape}; expected uint64 and (n,)")


def _chunks(n: int) -> Iterator[slice]:
    """Slices of at most _CHUNK that cover 0 … n − 1."""
    return (slice(first, min(first + _CHUNK, n)) for first in range(0, n, _CHUNK))
