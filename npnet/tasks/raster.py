"""Anti-aliased strokes, drawn by visiting only the pixels near them: a stroke covers a fifteenth of the image.

A stroke of width w covers the pixel whose centre lies d px from the segment by

    coverage = min(1, max(0, w/2 + 1/2 − d)):

full inside, none outside, and a ramp one pixel wide on the edge and around the rounded ends. Where strokes meet, the
larger coverage counts, so a crossing is no brighter than its strokes.
"""

from math import ceil, floor, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray

from npnet.tasks.backgrounds import symmetric
from npnet.tasks.geometry import Segment
from npnet.tasks.rules import SIDE

__all__ = ["compose", "cover"]

_FLAT = 1e-6  # px: a segment that rises less than this is level for the purpose of finding its pixels


@njit
def cover(coverage: NDArray[np.float32], p: Segment, width: float) -> None:
    """Raise `coverage` (32, 32) to the coverage of the stroke of `width` px along segment p."""
    x0, y0, x1, y1 = p
    ax, ay = x1 - x0, y1 - y0
    squared = ax * ax + ay * ay
    reach = width / 2 + 0.5  # px: farther centres are not covered
    left, right = min(x0, x1) - reach, max(x0, x1) + reach
    for y in range(max(0, ceil(min(y0, y1) - reach)), min(SIDE - 1, floor(max(y0, y1) + reach)) + 1):
        first, last = left, right
        if abs(ay) > _FLAT:  # the part of this row that is within reach of the infinite line through p
            middle, half = x0 + (y - y0) * ax / ay, reach * sqrt(squared) / abs(ay)
            first, last = max(first, middle - half), min(last, middle + half)
        for x in range(max(0, ceil(first)), min(SIDE - 1, floor(last)) + 1):
            t = min(max(((x - x0) * ax + (y - y0) * ay) / squared, 0.0), 1.0)
            dx, dy = x - x0 - t * ax, y - y0 - t * ay
            value = min(np.float32(reach - sqrt(dx * dx + dy * dy)), np.float32(1.0))
            coverage[y, x] = max(coverage[y, x], value)


@njit
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
    for k in range(SIDE * SIDE):
        background = ground + amplitude * pattern[k] + noise * symmetric(speckle[k])
        v = background + coverage[k] * (stroke - background)
        image[k] = np.uint8(black + (white - black) * v + np.float32(0.5))
