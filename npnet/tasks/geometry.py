"""Plane geometry of straight segments, as compiled functions of plain numbers: drawing by rejection calls them often.

A segment is a tuple (x0, y0, x1, y1) in pixels: x to the right, y down, whole numbers at the centres of pixels. Segment
p is written p₀ + t (p₁ − p₀) with 0 ≤ t ≤ 1; a × b = a_x b_y − a_y b_x is the cross product, whose sign says on which
side of a the vector b lies.
"""

from math import atan2, degrees, hypot

from numba import njit

__all__ = ["angle_between", "crossing_fractions", "length", "point_distance", "segment_distance"]

Segment = tuple[float, float, float, float]


@njit
def length(p: Segment) -> float:
    """The length of segment p, in pixels."""
    return hypot(p[2] - p[0], p[3] - p[1])


@njit
def angle_between(p: Segment, q: Segment) -> float:
    """The angle from 0 to 180 degrees between the directions of p and q: atan2(|a × b|, a · b).

    Where both start at one vertex it is the angle at that vertex. The arc tangent keeps its digits near 0° and 180°,
    where an arc cosine loses half of them.
    """
    ax, ay, bx, by = p[2] - p[0], p[3] - p[1], q[2] - q[0], q[3] - q[1]
    return degrees(atan2(abs(ax * by - ay * bx), ax * bx + ay * by))


@njit
def crossing_fractions(p: Segment, q: Segment) -> tuple[float, float]:
    """Where the lines through p and q meet, as fractions (t, u) of the two lengths.

    From p₀ + t a = q₀ + u b:  t = (d × b)/(a × b),  u = (d × a)/(a × b),  with d = q₀ − p₀. The segments cross where
    both fractions lie in [0, 1]. Parallel lines give (2, 2): a place on neither segment.
    """
    ax, ay, bx, by = p[2] - p[0], p[3] - p[1], q[2] - q[0], q[3] - q[1]
    dx, dy = q[0] - p[0], q[1] - p[1]
    across = ax * by - ay * bx
    if across == 0.0:
        return 2.0, 2.0
    return (dx * by - dy * bx) / across, (dx * ay - dy * ax) / across


@njit
def point_distance(x: float, y: float, p: Segment) -> float:
    """The distance in pixels from (x, y) to the nearest point of p: project, keep within the ends, measure."""
    ax, ay = p[2] - p[0], p[3] - p[1]
    t = ((x - p[0]) * ax + (y - p[1]) * ay) / (ax * ax + ay * ay)
    t = min(max(t, 0.0), 1.0)
    return hypot(x - p[0] - t * ax, y - p[1] - t * ay)


@njit
def segment_distance(p: Segment, q: Segment) -> float:
    """The smallest distance in pixels between p and q: 0 where they cross, else reached at one of the four ends."""
    t, u = crossing_fractions(p, q)
    if 0.0 <= t <= 1.0 and 0.0 <= u <= 1.0:
        return 0.0
    of_p = min(point_distance(p[0], p[1], q), point_distance(p[2], p[3], q))
    of_q = min(point_distance(q[0], q[1], p), point_distance(q[2], q[3], p))
    return min(of_p, of_q)
