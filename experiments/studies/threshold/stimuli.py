"""The stimuli of acl and ac under other readings of the paper's words, and what is done to their pixels.

The paper says of its stimuli: 32 × 32 grey images of two to four segments of at least 13 px, white on a dark random
background or black on a light one, drawn by "randomly selecting the parameters describing each figure and verifying
that all conditions were satisfied". It says nothing of a largest length, of the strokes' width, of a gap, or of levels.
"""

import zlib
from dataclasses import asdict, dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnet import generator
from npnet.tasks import CALIBRATED
from npnet.tasks.addresses import fill_bits, name_key
from npnet.tasks.backgrounds import PATTERNS, fill_background
from npnet.tasks.line_stimuli import LINES
from npnet.tasks.raster import compose, cover
from npnet.tasks.rules import SHORTEST, SIDE, TASKS

__all__ = ["FreshNoise", "drawn", "drawn_plainly", "grey_levels"]

Drawn = tuple[NDArray[np.uint8], NDArray[np.int64]]


def drawn(task: str, seed: int, start: int, n: int, longest: float | None = None, **look: float) -> Drawn:
    """Return the images (n, 1024) and labels (n,) at n addresses, as `npnet.tasks.draw` draws them.

    longest: of the figure's segments, px. look: changes of the appearance, also beyond what an Appearance allows: a gap
    of minus the strokes' width is none at all.
    """
    rule = TASKS[task] if longest is None else replace(TASKS[task], lengths=(SHORTEST, longest))
    numbers = LINES.numbers(rule, SimpleNamespace(**{**asdict(CALIBRATED), **look}))
    images, labels = np.empty((n, SIDE * SIDE), np.uint8), np.empty(n, np.uint8)
    indices = np.arange(start, start + n, dtype=np.uint64)
    LINES.fill(name_key(task), np.uint64(seed), indices, *numbers, images, labels, np.empty(n, LINES.truth))
    return images, labels.astype(np.int64)


def drawn_plainly(task: str, seed: int, start: int, n: int, longest: float = 30.0) -> Drawn:
    """Return images and labels as a plain program would draw them: all is drawn again where anything does not fit.

    So lengths too: an angle of long sides seldom fits, a crossing often. The third line may touch the others.
    """
    rng, width = generator(seed, task, "plainly", start >> 61), CALIBRATED.width  # the region of its split
    labels = rng.integers(0, 2, n)
    segments = np.empty((n, 2 + TASKS[task].distractors, 4))
    for label in (0, 1):
        (rows,) = np.nonzero(labels == label)
        found = np.empty((0, *segments.shape[1:]))
        while len(found) < len(rows):
            found = np.concatenate([found, _proposals(rng, label, segments.shape[1], longest, width)])
        segments[rows] = found[: len(rows)]
    return _painted(rng, segments, width), labels


def _proposals(rng: np.random.Generator, label: int, count: int, longest: float, width: float) -> NDArray[np.float64]:
    """Return those of 10,000 proposals that lie inside the image and whose third line crosses no other."""
    n, low, high = 10_000, width / 2 - 0.5, SIDE - 0.5 - width / 2
    theta = np.radians(rng.uniform(20, 160, n)) * rng.choice((-1, 1), n)
    direction = rng.uniform(0, 2 * np.pi, (n, count))
    direction[:, 1] = direction[:, 0] + theta
    before = rng.uniform(0.2, 0.8, (n, count)) if label else np.zeros((n, count))  # the part before the common point
    before[:, 2:] = 0
    point = rng.uniform(low, high, (n, count, 2))
    point[:, 1] = point[:, 0]
    along = np.stack([np.cos(direction), np.sin(direction)], -1) * rng.uniform(SHORTEST, longest, (n, count, 1))
    p = point - before[..., None] * along  # (n, count, 2)
    ends = np.concatenate([p, p + along], -1)  # (n, count, 4)
    fits = ((ends >= low) & (ends <= high)).all((1, 2))
    for other in range(2) if count == 3 else ():
        fits &= ~_cross(ends[:, 2], ends[:, other])
    return ends[fits]


def _cross(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Report whether segments p and q (n, 4) cross."""

    def sides(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.bool_]:
        dx, dy = p[:, 2] - p[:, 0], p[:, 3] - p[:, 1]
        one, two = (dx * (q[:, i + 1] - p[:, 1]) - dy * (q[:, i] - p[:, 0]) for i in (0, 2))
        return one * two < 0

    return sides(p, q) & sides(q, p)


def _painted(rng: np.random.Generator, segments: NDArray[np.float64], width: float) -> NDArray[np.uint8]:
    """Return the images of segments (n, count, 4), painted as the calibrated stimuli are."""
    look, n = CALIBRATED, len(segments)
    images = np.empty((n, SIDE * SIDE), np.uint8)
    state, bits = rng.integers(0, 2**63, 1).astype(np.uint64), np.empty(SIDE * SIDE // 8, np.uint64)
    rows, pattern, coverage = (np.empty((SIDE, SIDE), np.float32) for _ in range(3))
    white, which = rng.integers(0, 2, n), rng.integers(0, len(PATTERNS), n)
    ground, contrast = rng.uniform(*look.ground, n), rng.uniform(*look.contrast, n)
    for i, image in enumerate(images):
        fill_background(state, int(which[i]), bits, rows, pattern)
        fill_bits(state, bits)
        coverage[:] = 0
        for x0, y0, x1, y1 in segments[i].tolist():
            cover(coverage, (x0, y0, x1, y1), width)
        levels = (float(ground[i]), look.amplitude, look.noise, float(ground[i] + contrast[i]))
        compose(image, pattern.reshape(-1), bits.view(np.uint8), coverage.reshape(-1), levels, bool(white[i] == 0))
    return images


def grey_levels(images: NDArray[np.uint8], levels: int) -> NDArray[np.uint8]:
    """Return images of which so many grey levels are left."""
    step = 255 / (levels - 1)
    return (np.round(images / step) * step).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class FreshNoise:
    """Images (N, D) as the inputs of a Split: float32, each pixel ± up to `amount`, drawn anew whenever it is read.

    The address of the noise is the rows that are asked for, as in `npnet.tasks.Jittered`.
    """

    images: NDArray[np.uint8]
    amount: float
    seed: int
    ndim = 2
    varies = True
    dtype = np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, D)."""
        return self.images.shape

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: Any) -> NDArray[np.float32]:
        numbers = np.arange(len(self))[rows].astype(np.int64)
        rng = generator(self.seed, "noise", zlib.crc32(numbers.tobytes()))
        X = self.images[numbers] * np.float32(1 / 255)
        return X + np.float32(self.amount) * (2 * rng.random(X.shape, np.float32) - 1)
