"""Anti-aliased strokes and grey levels, written so that rows of 32 pixels run in vector instructions.

A stroke of width w covers the pixel whose centre lies d px from the segment by

    coverage = min(1, max(0, w/2 + 1/2 − d)):

full inside, none outside, and a ramp one pixel wide on the edge and around the rounded ends. Where strokes meet, the
larger coverage counts, so a crossing is no brighter than its strokes.

Seen from the segment's middle, a pixel lies `along` and `across` px away, and d² = across² + max(0, |along| − ℓ/2)².
A row is 32 pixels for any stroke: visiting only those near it takes branches, which are slower than the pixels saved.
"""

from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from npnet.compiled import compiled
from npnet.tasks.backgrounds import symmetric
from npnet.tasks.geometry import Segment, length
from npnet.tasks.rules import SIDE

__all__ = ["compose", "cover", "paint"]

_X = np.arange(SIDE, dtype=np.float32)
_ZERO, _ONE, _HALF = np.float32(0), np.float32(1), np.float32(0.5)


def _cover(coverage: NDArray[np.float32], p: Segment, width: float) -> None:
    """`cover` as array statements."""
    x0, y0, x1, y1 = p
    size = length(p)
    ux, uy = np.float32((x1 - x0) / size), np.float32((y1 - y0) / size)
    half, reach = np.float32(size / 2), width / 2 + 0.5
    first, last = max(0, ceil(min(y0, y1) - reach)), min(len(coverage) - 1, floor(max(y0, y1) + reach))
    dx = _X[: len(coverage)] - np.float32((x0 + x1) / 2)
    dy = (np.arange(first, last + 1) - (y0 + y1) / 2).astype(np.float32)[:, None]  # (rows, 1)
    beyond = np.maximum(abs(dx * ux + dy * uy) - half, _ZERO)
    across = dx * uy - dy * ux
    value = np.minimum(np.float32(reach) - np.sqrt(beyond * beyond + across * across), _ONE)
    rows = coverage[first : last + 1]
    np.maximum(rows, value, out=rows)


@compiled(plain=_cover)
def cover(coverage: NDArray[np.float32], p: Segment, width: float) -> None:
    """Raise `coverage` (side, side), side ≤ 32, to the coverage of the stroke of `width` px along segment p."""
    x0, y0, x1, y1 = p
    size = length(p)
    ux, uy = np.float32((x1 - x0) / size), np.float32((y1 - y0) / size)
    middle, half = np.float32((x0 + x1) / 2), np.float32(size / 2)
    reach = width / 2 + 0.5  # px: farther centres are not covered
    edge = np.float32(reach)
    for y in range(max(0, ceil(min(y0, y1) - reach)), min(len(coverage) - 1, floor(max(y0, y1) + reach)) + 1):
        dy = np.float32(y - (y0 + y1) / 2)
        row = coverage[y]
        for x in range(row.shape[0]):
            dx = _X[x] - middle
            beyond = max(abs(dx * ux + dy * uy) - half, _ZERO)
            across = dx * uy - dy * ux
            value = min(edge - np.sqrt(beyond * beyond + across * across), _ONE)
            row[x] = max(row[x], value)


def _compose(
    image: NDArray[np.uint8],
    pattern: NDArray[np.float32],
    speckle: NDArray[np.uint8],
    coverage: NDArray[np.float32],
    levels: tuple[float, float, float, float],
    flip: bool,
) -> None:
    """`compose` as array statements."""
    ground, amplitude, noise, stroke = (np.float32(level) for level in levels)
    background = ground + amplitude * pattern + noise * symmetric.plain(speckle)
    v = background + coverage * (stroke - background)
    black, white = (np.float32(255.0), np.float32(0.0)) if flip else (np.float32(0.0), np.float32(255.0))
    image[:] = (black + (white - black) * v + _HALF).astype(np.int32)


@compiled(plain=_compose)
def compose(
    image: NDArray[np.uint8],
    pattern: NDArray[np.float32],
    speckle: NDArray[np.uint8],
    coverage: NDArray[np.float32],
    levels: tuple[float, float, float, float],
    flip: bool,
) -> None:
    """Write the grey levels 0 … 255 of `image`; all arrays are (1024,), levels = (ground, amplitude, noise, stroke).

    background = ground + amplitude · pattern + noise · speckle,    v = background + coverage (stroke − background),

    with pattern and speckle in [−1, 1] and v in [0, 1]. `flip` turns light into dark: v becomes 1 − v, the other
    polarity of exactly the same picture.
    """
    ground, amplitude, noise = np.float32(levels[0]), np.float32(levels[1]), np.float32(levels[2])
    stroke = np.float32(levels[3])
    black, white = (np.float32(255.0), np.float32(0.0)) if flip else (np.float32(0.0), np.float32(255.0))
    for k in range(image.shape[0]):
        background = ground + amplitude * pattern[k] + noise * symmetric(speckle[k])
        v = background + coverage[k] * (stroke - background)
        image[k] = np.uint8(np.int32(black + (white - black) * v + _HALF))


def _paint(image: NDArray[np.uint8], coverage: NDArray[np.float32]) -> None:
    """`paint` as array statements."""
    image[:] = (np.float32(255) * coverage + _HALF).astype(np.int32)


@compiled(plain=_paint)
def paint(image: NDArray[np.uint8], coverage: NDArray[np.float32]) -> None:
    """Write the grey levels 0 … 255 of `image`, white strokes on black; both arrays are flat."""
    for k in range(image.shape[0]):
        image[k] = np.uint8(np.int32(np.float32(255) * coverage[k] + _HALF))
