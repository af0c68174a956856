"""Draws the segments of a stimulus: proposes at random, measures what was proposed, and keeps only what obeys the rule.

The class comes first and the rejection stays within it, so rejecting never makes a class rarer. An angle and a
crossing are the same construction, two sides at an angle θ through a common point, which lies at the ends of an angle's
sides and between 20 % and 80 % of a crossing's. Both take their sides from one law (lengths, θ and orientation for
which the *angle* fits into the image), so that the amount of ink, the lengths and the orientations do not give the
class away.

`segments` is (4, 4): one row (x0, y0, x1, y1) a segment, in pixels, the figure first and the distractors last.
"""

from math import cos, pi, radians, sin

import numpy as np
from numba import njit
from numpy.typing import NDArray

from npnet.tasks.addresses import uniform
from npnet.tasks.geometry import Segment, angle_between, crossing_fractions, length, segment_distance
from npnet.tasks.rules import ANGLE, CROSSING, SHORTEST

__all__ = ["draw_segments"]

_INNER, _OUTER = 0.2, 0.8  # a crossing's fractions of both lengths
_FIGURES = 10_000  # proposals before giving up; in 100,000 of the most crowded stimuli none needed more than 16
_PLACES = 40  # tries at a distractor's place before the whole figure is proposed anew


@njit
def segment(segments: NDArray[np.float64], row: int) -> Segment:
    """Row `row` of `segments` as a tuple."""
    return segments[row, 0], segments[row, 1], segments[row, 2], segments[row, 3]


@njit
def _extent(segments: NDArray[np.float64], first: int, stop: int, axis: int) -> tuple[float, float]:
    """The smallest and the largest x (axis 0) or y (axis 1) of the rows first … stop − 1."""
    low, high = np.inf, -np.inf
    for row in range(first, stop):
        low = min(low, segments[row, axis], segments[row, axis + 2])
        high = max(high, segments[row, axis], segments[row, axis + 2])
    return low, high


@njit
def _fits(segments: NDArray[np.float64], first: int, stop: int, low: float, high: float) -> bool:
    """Whether the rows first … stop − 1, moved as one, fit into the square [low, high]²."""
    left, right = _extent(segments, first, stop, 0)
    top, bottom = _extent(segments, first, stop, 1)
    return right - left <= high - low and bottom - top <= high - low


@njit
def _place(
    rng: NDArray[np.uint64], segments: NDArray[np.float64], first: int, stop: int, low: float, high: float
) -> None:
    """Move the rows first … stop − 1, as one, to a uniformly random place inside the square [low, high]²."""
    for axis in range(2):
        least, most = _extent(segments, first, stop, axis)
        shift = uniform(rng, low - least, high - most)
        for row in range(first, stop):
            segments[row, axis] += shift
            segments[row, axis + 2] += shift


@njit
def _through_origin(segments: NDArray[np.float64], row: int, size: float, direction: float, fraction: float) -> None:
    """Put into `row` `size` px along `direction` (radians), with the origin at `fraction` of its length."""
    dx, dy = size * cos(direction), size * sin(direction)
    segments[row, 0], segments[row, 1] = -fraction * dx, -fraction * dy
    segments[row, 2], segments[row, 3] = (1.0 - fraction) * dx, (1.0 - fraction) * dy


@njit
def _draw_figure(
    rng: NDArray[np.uint64],
    segments: NDArray[np.float64],
    kind: int,
    least: float,
    most: float,
    longest: float,
    low: float,
    high: float,
) -> int:
    """Propose an angle or a crossing into the first rows, and return how many rows it takes."""
    while True:
        first, second = uniform(rng, SHORTEST, longest), uniform(rng, SHORTEST, longest)
        direction = uniform(rng, 0.0, 2.0 * pi)
        other = direction + radians(uniform(rng, least, most))
        _through_origin(segments, 0, first, direction, 0.0)
        _through_origin(segments, 1, second, other, 0.0)
        if _fits(segments, 0, 2, low, high):
            break
    while kind == CROSSING:  # ends, because two halves always fit where the angle does
        _through_origin(segments, 0, first, direction, uniform(rng, _INNER, _OUTER))
        _through_origin(segments, 1, second, other, uniform(rng, _INNER, _OUTER))
        if _fits(segments, 0, 2, low, high):
            break
    _place(rng, segments, 0, 2, low, high)
    return 2


@njit
def _draw_distractor(
    rng: NDArray[np.uint64],
    segments: NDArray[np.float64],
    row: int,
    longest: float,
    low: float,
    high: float,
    clearance: float,
) -> bool:
    """Propose a segment into `row`, at least `clearance` px from all rows before it; False where no place was found.

    Its length is drawn once, and only the place is tried again: else crowded figures would draw short distractors.
    """
    size = uniform(rng, SHORTEST, longest)
    for _ in range(_PLACES):
        _through_origin(segments, row, size, uniform(rng, 0.0, pi), 0.0)
        if not _fits(segments, row, row + 1, low, high):
            continue
        _place(rng, segments, row, row + 1, low, high)
        clear = True
        for other in range(row):
            clear = clear and segment_distance(segment(segments, row), segment(segments, other)) >= clearance
        if clear:
            return True
    return False


@njit
def _obeys(segments: NDArray[np.float64], count: int, kind: int, least: float, most: float) -> bool:
    """Whether the lengths, the angle and the crossing, measured from the end points, obey the rule.

    They were drawn to; measuring catches the last bit that moving a segment may cost.
    """
    for row in range(count):
        if length(segment(segments, row)) < SHORTEST:
            return False
    p, q = segment(segments, 0), segment(segments, 1)
    if not least <= angle_between(p, q) <= most:
        return False
    t, u = crossing_fractions(p, q)
    return kind == ANGLE or (_INNER <= t <= _OUTER and _INNER <= u <= _OUTER)


@njit
def draw_segments(
    rng: NDArray[np.uint64],
    segments: NDArray[np.float64],
    kind: int,
    least: float,
    most: float,
    distractors: int,
    longest: float,
    width: float,
    gap: float,
) -> int:
    """Draw one stimulus's figure and distractors into `segments` (4, 4), and return the number of segments.

    Strokes `width` px wide stay inside the image with all of their edge, and distractors leave `gap` px between edges.
    Raises RuntimeError where ten thousand proposals failed.
    """
    low, high = width / 2 - 0.5, 31.5 - width / 2  # pixel centres run from 0 to 31, the image from −0.5 to 31.5
    for _ in range(_FIGURES):
        count = _draw_figure(rng, segments, kind, least, most, longest, low, high)
        found = True
        for _ in range(distractors):
            found = found and _draw_distractor(rng, segments, count, longest, low, high, gap + width)
            count += 1
        if found and _obeys(segments, count, kind, least, most):
            return count
    raise RuntimeError("no place found for the segments of a stimulus; expected a smaller longest, width or gap")
