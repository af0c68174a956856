"""Draws the segments of a stimulus: proposes at random, measures what was proposed, and keeps only what obeys the rule.

The amount of ink must not give the class away. So the lengths are drawn first, from one law for both classes, and
only angles and places are drawn again; the class comes before the rejection, which never makes a class rarer. And
since strokes that meet hide each other's ink, a figure's segments are longer by what is hidden. For strokes of width w
that meet at an angle θ, in lengths of stroke, with m = w/4 + 1/(12 w) (the last term for edges with a ramp 1 px wide),

    a joint, at common ends, hides    m (π/2 + θ/2 + cot θ/2)
    a crossing hides                  4 m / sin θ

and the rounded ends of a triangle's third side add m π. (The strokes' overlap is a kite at the joint, r² cot θ/2, and
sectors of discs; a rhombus at the crossing, 4 r²/sin θ; with r = w/2 and r² averaged over the ramp, r² + 1/12.)

An angle and a crossing are one construction, two sides at θ through a common point, which lies at the ends of an
angle's sides and between 20 % and 80 % of a crossing's. Both take θ and orientation from one law but for the hidden
lengths: those for which the sides would fit into the image as an *angle*.

`segments` is (4, 4): one row (x0, y0, x1, y1) a segment, in pixels, the figure first and the distractors last.
"""

from math import cos, pi, radians, sin, tan

import numpy as np
from numpy.typing import NDArray

from npnet.compiled import compiled
from npnet.tasks.addresses import uniform
from npnet.tasks.geometry import Segment, angle_between, crossing_fractions, length, meet
from npnet.tasks.rules import ANGLE, APART, CROSSING, SHORTEST, TRIANGLE

__all__ = ["crossing_hides", "draw_segments", "joint_hides", "segment"]

_INNER, _OUTER = 0.2, 0.8  # a crossing's fractions of both lengths
_FIGURES = 100_000  # proposals before giving up
_PLACES = 20  # tries at a segment's place before the whole figure is drawn again


@compiled()
def segment(segments: NDArray[np.float64], row: int) -> Segment:
    """Row `row` of `segments` as a tuple."""
    return segments[row, 0], segments[row, 1], segments[row, 2], segments[row, 3]


@compiled()
def _ends(width: float) -> float:
    """The m of the formulae above, px."""
    return width / 4 + 1 / (12 * width)


@compiled()
def joint_hides(theta: float, width: float) -> float:
    """The length of stroke, in px, that two strokes hide where they meet at a common end at an angle θ (radians)."""
    return _ends(width) * (pi / 2 + theta / 2 + 1 / tan(theta / 2))


@compiled()
def crossing_hides(theta: float, width: float) -> float:
    """The length of stroke, in px, that two strokes hide where they cross at an angle θ (radians)."""
    return _ends(width) * 4 / sin(theta)


@compiled()
def _through_origin(segments: NDArray[np.float64], row: int, size: float, direction: float) -> None:
    """Put into `row` `size` px along `direction` (radians) from the origin."""
    segments[row, 0], segments[row, 1] = 0.0, 0.0
    segments[row, 2], segments[row, 3] = size * cos(direction), size * sin(direction)


@compiled()
def _slide(segments: NDArray[np.float64], row: int, fraction: float) -> None:
    """Move `row` along itself until the origin lies at `fraction` of its length."""
    dx, dy = segments[row, 2] - segments[row, 0], segments[row, 3] - segments[row, 1]
    segments[row, 0], segments[row, 1] = -fraction * dx, -fraction * dy
    segments[row, 2], segments[row, 3] = (1.0 - fraction) * dx, (1.0 - fraction) * dy


@compiled()
def _extent(segments: NDArray[np.float64], count: int, axis: int) -> tuple[float, float]:
    """The smallest and the largest x (axis 0) or y (axis 1) of the first `count` rows."""
    low, high = np.inf, -np.inf
    for row in range(count):
        low = min(low, segments[row, axis], segments[row, axis + 2])
        high = max(high, segments[row, axis], segments[row, axis + 2])
    return low, high


@compiled()
def _fits(segments: NDArray[np.float64], count: int, low: float, high: float) -> bool:
    """Whether the first `count` rows, moved as one, fit into the square [low, high]²."""
    left, right = _extent(segments, count, 0)
    top, bottom = _extent(segments, count, 1)
    return right - left <= high - low and bottom - top <= high - low


@compiled()
def _place(rng: NDArray[np.uint64], segments: NDArray[np.float64], count: int, low: float, high: float) -> None:
    """Move the first `count` rows, as one, to a uniformly random place inside the square [low, high]²."""
    for axis in range(2):
        least, most = _extent(segments, count, axis)
        shift = uniform(rng, low - least, high - most)
        for row in range(count):
            segments[row, axis] += shift
            segments[row, axis + 2] += shift


@compiled()
def _draw_two_sides(
    rng: NDArray[np.uint64],
    segments: NDArray[np.float64],
    figure: tuple[int, float, float, float],
    lengths: NDArray[np.float64],
    width: float,
    low: float,
    high: float,
) -> bool:
    """Propose an angle or a crossing of the lengths 0 and 1 into rows 0 and 1; False where it does not fit."""
    kind, least, most, _ = figure
    theta, direction = radians(uniform(rng, least, most)), uniform(rng, 0.0, 2.0 * pi)
    hidden = crossing_hides(theta, width) if kind == CROSSING else joint_hides(theta, width)
    _through_origin(segments, 0, lengths[0] + hidden / 2, direction)
    _through_origin(segments, 1, lengths[1] + hidden / 2, direction + theta)
    if not _fits(segments, 2, low, high):
        return False
    while kind == CROSSING:  # ends, because two halves always fit where the angle does
        _slide(segments, 0, uniform(rng, _INNER, _OUTER))
        _slide(segments, 1, uniform(rng, _INNER, _OUTER))
        if _fits(segments, 2, low, high):
            break
    _place(rng, segments, 2, low, high)
    return True


@compiled()
def _draw_triangle(
    rng: NDArray[np.uint64],
    segments: NDArray[np.float64],
    figure: tuple[int, float, float, float],
    lengths: NDArray[np.float64],
    width: float,
    low: float,
    high: float,
) -> bool:
    """Propose a triangle ABC with the ink of lengths 0 and 1 as rows AB, AC, BC; False where it is unfit.

    The angle α at A is drawn from the figure's range and is the largest; β at B is uniform between the bounds that this
    and the smallest angle leave; the law of sines gives the sides.
    """
    _, least, most, smallest = figure
    a = uniform(rng, least, most)
    b = uniform(rng, max(smallest, 180.0 - 2.0 * a), min(a, 180.0 - a - smallest))
    alpha, beta, gamma = radians(a), radians(b), radians(180.0 - a - b)
    hidden = joint_hides(alpha, width) + joint_hides(beta, width) + joint_hides(gamma, width) - pi * _ends(width)
    size = (lengths[0] + lengths[1] + hidden) / (sin(alpha) + sin(beta) + sin(gamma))
    if size * min(sin(beta), sin(gamma)) < SHORTEST:
        return False
    direction = uniform(rng, 0.0, 2.0 * pi)
    _through_origin(segments, 0, size * sin(gamma), direction)
    _through_origin(segments, 1, size * sin(beta), direction + alpha)
    for axis in range(2):
        segments[2, axis], segments[2, axis + 2] = segments[0, axis + 2], segments[1, axis + 2]
    if not _fits(segments, 3, low, high):
        return False
    _place(rng, segments, 3, low, high)
    return True


@compiled()
def _draw_apart(
    rng: NDArray[np.uint64],
    segments: NDArray[np.float64],
    row: int,
    size: float,
    low: float,
    high: float,
    clearance: float,
) -> bool:
    """Propose `size` px into `row`, at least `clearance` px from all rows before it; False where no place was found."""
    for _ in range(_PLACES):
        direction = uniform(rng, 0.0, pi)
        dx, dy = size * cos(direction), size * sin(direction)  # dy >= 0
        x, y = uniform(rng, low - min(dx, 0.0), high - max(dx, 0.0)), uniform(rng, low, high - dy)
        proposal, clear = (x, y, x + dx, y + dy), True
        for other in range(row):
            clear = clear and not meet(proposal, segment(segments, other), clearance)
        if clear:
            segments[row, 0], segments[row, 1], segments[row, 2], segments[row, 3] = proposal
            return True
    return False


@compiled()
def _obeys(segments: NDArray[np.float64], count: int, figure: tuple[int, float, float, float]) -> bool:
    """Whether the lengths, the angles and the crossing, measured from the end points, obey the rule.

    They were drawn to; measuring catches the last bit that moving a segment may cost.
    """
    for row in range(count):
        if length(segment(segments, row)) < SHORTEST:
            return False
    kind, least, most, smallest = figure
    if kind == APART:
        return True
    p, q, r = segment(segments, 0), segment(segments, 1), segment(segments, 2)
    if not least <= angle_between(p, q) <= most:
        return False
    if kind == TRIANGLE:  # at B between BA and BC, at C between CA and CB
        return 180.0 - angle_between(p, r) >= smallest and angle_between(q, r) >= smallest
    t, u = crossing_fractions(p, q)
    return kind == ANGLE or (_INNER <= t <= _OUTER and _INNER <= u <= _OUTER)


@compiled()
def draw_segments(
    rng: NDArray[np.uint64],
    segments: NDArray[np.float64],
    lengths: NDArray[np.float64],
    figure: tuple[int, float, float, float],
    distractors: int,
    width: float,
    gap: float,
) -> int:
    """Draw one stimulus's figure and distractors into `segments` (4, 4), and return the number of segments.

    lengths (4,): two for the figure, then the distractors', px. figure: kind and angles, as in rules. Strokes `width`
    px wide stay inside the image with all of their edge, and strokes that do not meet leave `gap` px between edges.
    Raises RuntimeError where a hundred thousand proposals failed.
    """
    low, high = width / 2 - 0.5, 31.5 - width / 2  # pixel centres run from 0 to 31, the image from −0.5 to 31.5
    clearance = gap + width
    for _ in range(_FIGURES):
        count = 3 if figure[0] == TRIANGLE else 2
        if figure[0] == TRIANGLE:
            found = _draw_triangle(rng, segments, figure, lengths, width, low, high)
        elif figure[0] == APART:
            found = _draw_apart(rng, segments, 0, lengths[0], low, high, clearance)
            found = found and _draw_apart(rng, segments, 1, lengths[1], low, high, clearance)
        else:
            found = _draw_two_sides(rng, segments, figure, lengths, width, low, high)
        for each in range(distractors):
            found = found and _draw_apart(rng, segments, count, lengths[2 + each], low, high, clearance)
            count += 1
        if found and _obeys(segments, count, figure):
            return count
    raise RuntimeError("no place found for the segments of a stimulus; expected a smaller width or gap")
