"""What all drawn stimuli share: two streams of random numbers at each address, a fair label, and code kept on disk.

The first stream decides what is drawn and where (its first number is the label), the second one how it is painted. So
levels, backgrounds and stroke widths can be varied while the drawn figure stays where it is.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnet.compiled import Compiled, compiled
from npnet.tasks.addresses import next_bits, seed_from

__all__ = ["FIGURE", "PAINT", "SOURCES", "Family", "draw_label", "fill_labels", "kept_on_disk"]

FIGURE, PAINT = np.uint64(0), np.uint64(1)  # the two streams of an address


@dataclass(frozen=True)
class Family:
    """Tasks whose stimuli are drawn by the same code.

    Attributes:
        tasks: {name: rule}, where a rule is a dataclass.
        side: of the square images, px.
        truth: the type of a truth record.
        appearance: the default appearance, a dataclass; another one must be of the same class.
        classes: classes(rule) returns how many classes a task has.
        numbers: numbers(rule, appearance) returns both as the compiled code takes them.
        fill: fill(key, seed, indices, *numbers, images, labels, truth) draws the stimuli at some addresses.
    """

    tasks: Mapping[str, Any]
    side: int
    truth: np.dtype[np.void]
    appearance: Any
    classes: Callable[[Any], int]
    numbers: Callable[[Any, Any], tuple[Any, Any]]
    fill: Callable[..., None]


@compiled()
def draw_label(rng: NDArray[np.uint64], classes: int) -> int:
    """Return the label 0 … classes − 1: the first random number of the figure's stream, so all classes are equal."""
    return int(next_bits(rng) % np.uint64(classes))


SOURCES = zlib.crc32(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
"""A digest of the code that draws."""


def _compile(sources: int) -> Compiled:
    """Return what fills in labels, compiled when first called and then kept on disk.

    numba's disk cache looks at the date of a function's file, and at the variables that it takes from around it: with
    a digest of the sources among those, an edit of any of them compiles anew.
    """

    @compiled(cache=True, nogil=True)
    def fill_labels(key, seed, indices, classes, labels):  # type: ignore[no-untyped-def]
        sources  # noqa: B018
        rng = np.empty(1, np.uint64)
        for i in range(len(labels)):
            seed_from(rng, key, seed, indices[i], FIGURE)
            labels[i] = draw_label(rng, classes)

    return fill_labels


def kept_on_disk(draw_all: Compiled, sources: int = SOURCES) -> Compiled:
    """Return a family's loop over addresses as what each thread runs, compiled when first called and kept on disk."""

    @compiled(cache=True, nogil=True)
    def fill(key, seed, indices, rule, look, images, labels, truth):  # type: ignore[no-untyped-def]
        sources  # noqa: B018
        draw_all(key, seed, indices, rule, look, images, labels, truth)

    return fill


fill_labels = _compile(SOURCES)
