"""Plane geometry of straight segments, as compiled functions of plain numbers: drawing by rejection calls them often.

A segment is a tuple (x0, y0, x1, y1) in pixels: x to the right, y down, whole numbers at the centres of pixels. Segment
p is written p₀ + t (p₁ − p₀) with 0 ≤ t ≤ 1; a × b = a_x b_y − a_y b_x is the cross product, whose sign says on which
side of a the vector b lies.
"""

from math import atan2, degrees, sqrt

from npnet.compiled import compiled

__all__ = ["angle_between", "crossing_fractions", "length", "meet", "near"]

Segment = tuple[float, float, float, float]


@compiled()
def length(p: Segment) -> float:
    """The length of segment p, in pixels."""
    return sqrt((p[2] - p[0]) ** 2 + (p[3] - p[1]) ** 2)


@compiled()
def angle_between(p: Segment, q: Segment) -> float:
    """The angle from 0 to 180 degrees between the directions of p and q: atan2(|a × b|, a · b).

    Where both start at one vertex it is the angle at that vertex. The arc tangent keeps its digits near 0° and 180°,
    where an arc cosine loses half of them.
    """
    ax, ay, bx, by = p[2] - p[0], p[3] - p[1], q[2] - q[0], q[3] - q[1]
    return degrees(atan2(abs(ax * by - ay * bx), ax * bx + ay * by))


@compiled()
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


@compiled()
def near(x: float, y: float, p: Segment, distance: float) -> bool:
    """Whether (x, y) is nearer than `distance` px to a point of p: project, keep within the ends, compare squares."""
    ax, ay = p[2] - p[0], p[3] - p[1]
    t = ((x - p[0]) * ax + (y - p[1]) * ay) / (ax * ax + ay * ay)
    t = min(max(t, 0.0), 1.0)
    dx, dy = x - p[0] - t * ax, y - p[1] - t * ay
    return dx * dx + dy * dy < distance * distance


@compiled()
def _side(p: Segment, x: float, y: float) -> float:
    """On which side of the line through p the point (x, y) lies: the sign of p₁ − p₀ × (x, y) − p₀."""
    return (p[2] - p[0]) * (y - p[1]) - (p[3] - p[1]) * (x - p[0])


@compiled()
def meet(p: Segment, q: Segment, distance: float) -> bool:
    """Whether p and q cross or come nearer than `distance` px: segments that do not cross are nearest at an end."""
    if _side(p, q[0], q[1]) * _side(p, q[2], q[3]) < 0.0 and _side(q, p[0], p[1]) * _side(q, p[2], p[3]) < 0.0:
        return True
    if near(p[0], p[1], q, distance) or near(p[2], p[3], q, distance):
        return True
    return near(q[0], q[1], p, distance) or near(q[2], q[3], p, distance)
