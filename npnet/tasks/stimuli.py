"""Line-and-angle stimuli from their addresses: image i of a task under a seed, with the truth about it, on any machine.

An image is a pure function of (task, seed, i, appearance). Two streams of random numbers start at each address: the
figure's (label, segments) and the paint's (polarity, background, levels), so levels and backgrounds can be varied while
the segments stay where they are. Label and polarity are single fair bits of different streams: classes and polarities
are equally frequent up to chance (10,000 images hold 5,000 ± 50 of a class), and nothing but the segments knows the
label.

    draw(task, seed, start, stop)   images, labels and truth of the addresses start … stop − 1
    draw_at(task, seed, indices)    the same, of any addresses in any order
"""

import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from operator import index as as_index
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npnet.compiled import compiled
from npnet.tasks.addresses import fill_bits, name_key, next_bits, seed_from, uniform
from npnet.tasks.appearance import CALIBRATED, Appearance
from npnet.tasks.backgrounds import PATTERNS, fill_background
from npnet.tasks.figures import draw_segments, segment
from npnet.tasks.raster import compose, cover
from npnet.tasks.rules import DISTRACTOR_LENGTHS, MOST_SEGMENTS, SIDE, TASKS, Rule
from npnet.tasks.truth import TRUTH, record_figure

__all__ = ["SOURCES", "Stimuli", "draw", "draw_at", "labels_at", "rule_of", "whole"]

_FIGURE, _PAINT = np.uint64(0), np.uint64(1)  # the two streams of an address
_ONE = np.uint64(1)
_CHUNK = 2_000  # images a thread draws at a time: a few milliseconds, so that the threads end together


class Stimuli(NamedTuple):
    """n stimuli: images (n, 32, 32) uint8, labels (n,) uint8, 0 or 1, and truth (n,), records of type TRUTH."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    truth: NDArray[np.void]


def draw(task: str, seed: int, start: int, stop: int, appearance: Appearance = CALIBRATED, threads: int = 1) -> Stimuli:
    """The stimuli at the addresses (task, seed, i) for i = start … stop − 1, the same bits for every slice and threads.

    The seed is any whole number from 0 to 2⁶⁴ − 1, the addresses reach to 2⁶³. Raises ValueError for an unknown task, a
    seed or range outside these bounds, or fewer threads than one; TypeError where a whole number was expected; and
    RuntimeError where an appearance leaves no room for the segments (wide strokes with large gaps, in sb2l).
    """
    start = whole("start", start, 0, 2**63)
    stop = whole("stop", stop, start, 2**63)
    return draw_at(task, seed, np.arange(start, stop, dtype=np.uint64), appearance, threads)


def draw_at(
    task: str,
    seed: int,
    indices: NDArray[np.uint64],
    appearance: Appearance = CALIBRATED,
    threads: int = 1,
) -> Stimuli:
    """The stimuli at the addresses (task, seed, i) for every i of `indices` (n,), an array of type uint64.

    Raises ValueError and TypeError as `draw` does, and TypeError for indices of another type.
    """
    rule = rule_of(task)
    seed = whole("seed", seed, 0, 2**64 - 1)
    threads = whole("threads", threads, 1, 1024)
    _check_indices(indices)
    n = len(indices)
    images = np.empty((n, SIDE, SIDE), np.uint8)
    labels = np.empty(n, np.uint8)
    truth = np.empty(n, TRUTH)

    def fill(part: slice) -> None:
        out = images[part].reshape(-1, SIDE * SIDE), labels[part], truth[part]
        _fill(name_key(task), np.uint64(seed), indices[part], _rule_numbers(rule), _look_numbers(appearance), *out)

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
    rule_of(task)
    _check_indices(indices)
    labels = np.empty(len(indices), np.uint8)
    _fill_labels(name_key(task), np.uint64(whole("seed", seed, 0, 2**64 - 1)), indices, labels)
    return labels


def rule_of(task: str) -> Rule:
    """The rule of a task; ValueError that names the known ones where there is none."""
    if task not in TASKS:
        raise ValueError(f"task is {task!r}; expected one of {', '.join(TASKS)}")
    return TASKS[task]


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


def _rule_numbers(rule: Rule) -> tuple[Any, ...]:
    """A rule as the compiled code takes it: a tuple of numbers for each figure, the lengths, the distractors."""
    figures = tuple(
        (figure.kind, float(figure.least), float(figure.most), float(figure.smallest))
        for figure in (rule.class_0, rule.class_1)
    )
    return figures, (float(rule.lengths[0]), float(rule.lengths[1])), rule.distractors


def _look_numbers(look: Appearance) -> tuple[float, ...]:
    """An appearance as the compiled code takes it: eight floats, so that every appearance runs the same code."""
    numbers = (look.width, look.gap, *look.ground, *look.contrast, look.amplitude, look.noise)
    return tuple(float(number) for number in numbers)


@compiled()
def _draw_label(rng: NDArray[np.uint64]) -> int:
    """The label: the first random number of the figure's stream, one fair bit."""
    return int(next_bits(rng) & _ONE)


@compiled()
def _draw_all(
    key: np.uint64,
    seed: np.uint64,
    indices: NDArray[np.uint64],
    rule: Any,
    look: Any,
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    truth: NDArray[np.void],
) -> None:
    """Fill images (n, 1024), labels and truth of the addresses (key, seed, indices)."""
    figures, (shortest, longest), distractors = rule
    width, gap, ground_low, ground_high, contrast_low, contrast_high, amplitude, noise = look
    rng = np.empty(1, np.uint64)
    segments, lengths = np.empty((MOST_SEGMENTS, 4)), np.empty(MOST_SEGMENTS)
    bits, rows = np.empty(SIDE * SIDE // 8, np.uint64), np.empty((SIDE, SIDE), np.float32)
    pattern, coverage = np.empty((SIDE, SIDE), np.float32), np.empty((SIDE, SIDE), np.float32)
    for i in range(len(labels)):
        seed_from(rng, key, seed, indices[i], _FIGURE)
        label = _draw_label(rng)
        lengths[0], lengths[1] = uniform(rng, shortest, longest), uniform(rng, shortest, longest)
        for each in range(2, 2 + distractors):
            lengths[each] = uniform(rng, DISTRACTOR_LENGTHS[0], DISTRACTOR_LENGTHS[1])
        count = draw_segments(rng, segments, lengths, figures[label], distractors, width, gap)

        seed_from(rng, key, seed, indices[i], _PAINT)
        choice = next_bits(rng)
        white, background = int(choice & _ONE), int((choice >> _ONE) % np.uint64(len(PATTERNS)))
        ground, contrast = uniform(rng, ground_low, ground_high), uniform(rng, contrast_low, contrast_high)
        stroke = ground + contrast
        fill_background(rng, background, bits, rows, pattern)
        fill_bits(rng, bits)
        coverage[:] = 0.0
        for row in range(count):
            cover(coverage, segment(segments, row), width)
        levels = (ground, amplitude, noise, stroke)
        compose(images[i], pattern.reshape(-1), bits.view(np.uint8), coverage.reshape(-1), levels, white == 0)

        labels[i] = label
        record = truth[i]
        record_figure(segments, count, figures[label][0], record)
        record["index"], record["distractors"] = indices[i], distractors
        record["polarity"], record["background"], record["contrast"] = white, background, contrast
        record["ground"], record["stroke"] = (ground, stroke) if white else (1.0 - ground, 1.0 - stroke)


def _compile(sources: int) -> tuple[Any, Any]:
    """Return what each thread runs, `fill` and `fill_labels`, compiled when first called and then kept on disk.

    numba's disk cache looks at the date of this file, and at the variables that a function takes from around it: with
    a digest of the sources among those, an edit of any of them compiles anew.
    """

    @compiled(cache=True, nogil=True)
    def fill(key, seed, indices, rule, look, images, labels, truth):  # type: ignore[no-untyped-def]
        sources  # noqa: B018
        _draw_all(key, seed, indices, rule, look, images, labels, truth)

    @compiled(cache=True, nogil=True)
    def fill_labels(key, seed, indices, labels):  # type: ignore[no-untyped-def]
        sources  # noqa: B018
        rng = np.empty(1, np.uint64)
        for i in range(len(labels)):
            seed_from(rng, key, seed, indices[i], _FIGURE)
            labels[i] = _draw_label(rng)

    return fill, fill_labels


SOURCES = zlib.crc32(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
"""A digest of the code that draws."""

_fill, _fill_labels = _compile(SOURCES)
