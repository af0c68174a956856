"""The plane geometry against worked examples, and against a brute-force search over points on the segments."""

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from npnet.tasks.geometry import angle_between, crossing_fractions, length, meet, near

coordinates = st.floats(0, 31)
segments = st.tuples(coordinates, coordinates, coordinates, coordinates)
distances = st.floats(0.5, 12)


def points(p, n=201):
    """Points on p, both ends among them, as complex numbers (n,)."""
    start, end = complex(*p[:2]), complex(*p[2:])
    return start + np.linspace(0, 1, n) * (end - start)


def test_a_worked_example():
    level, upright = (0.0, 0.0, 10.0, 0.0), (2.0, -3.0, 2.0, 1.0)
    assert length(level) == 10
    assert length((1.0, 2.0, 4.0, -2.0)) == 5
    assert angle_between(level, upright) == pytest.approx(90)
    assert angle_between(level, (5.0, 5.0, 4.0, 6.0)) == pytest.approx(135)
    assert crossing_fractions(level, upright) == pytest.approx((0.2, 0.75))
    assert meet(level, upright, 0.0)
    assert near(5.0, -2.0, level, 2.001)
    assert not near(5.0, -2.0, level, 1.999)
    assert near(-3.0, 4.0, level, 5.001)  # beyond an end, the end is nearest
    assert not near(-3.0, 4.0, level, 4.999)


def test_parallel_segments():
    p, q = (0.0, 0.0, 10.0, 0.0), (4.0, 3.0, 14.0, 3.0)
    assert crossing_fractions(p, q) == (2.0, 2.0)
    assert angle_between(p, q) == 0
    assert angle_between(p, (14.0, 3.0, 4.0, 3.0)) == 180
    assert meet(p, q, 3.001)
    assert not meet(p, q, 2.999)
    assert meet(p, (2.0, 0.0, 8.0, 0.0), 0.1)  # one on top of the other


@given(coordinates, coordinates, segments, distances)
def test_near_is_a_search_over_points(x, y, p, distance):
    assume(length(p) > 1)
    least = abs(points(p) - complex(x, y)).min()
    if near(x, y, p, distance):
        assert least < distance + length(p) / 400 + 1e-9  # no point is farther than half a step from a sampled one
    else:
        assert least >= distance - 1e-9


@given(segments, segments, distances)
@example((0.0, 0.0, 20.0, 20.0), (20.0, 0.0, 0.0, 20.0), 0.5)  # they cross far from all ends
@example((0.0, 0.0, 20.0, 0.0), (10.0, 3.0, 10.0, 20.0), 3.5)  # an end of the second is near the first
@example((0.0, 0.0, 20.0, 0.0), (10.0, 20.0, 10.0, 3.0), 3.5)
@example((10.0, 3.0, 10.0, 20.0), (0.0, 0.0, 20.0, 0.0), 3.5)
@example((10.0, 20.0, 10.0, 3.0), (0.0, 0.0, 20.0, 0.0), 3.5)
@example((0.0, 0.0, 20.0, 0.0), (25.0, -9.0, 25.0, 9.0), 4.0)  # the line through the first crosses the second
def test_meet_is_a_search_over_all_pairs_of_points(p, q, distance):
    assume(length(p) > 1 and length(q) > 1)
    least = abs(points(p)[:, None] - points(q)).min()
    if meet(p, q, distance):
        assert least < distance + (length(p) + length(q)) / 400 + 1e-9
    else:
        assert least >= distance - 1e-9


@given(segments, segments, distances)
def test_the_order_does_not_matter(p, q, distance):
    assume(length(p) > 1 and length(q) > 1)
    assert angle_between(p, q) == pytest.approx(angle_between(q, p))
    assert meet(p, q, distance) == meet(q, p, distance)
    assert crossing_fractions(p, q) == pytest.approx(crossing_fractions(q, p)[::-1], rel=1e-6, abs=1e-6)


@given(segments, segments)
def test_angle_and_crossing_by_other_formulas(p, q):
    assume(length(p) > 1 and length(q) > 1)
    a, b = points(p, 2), points(q, 2)
    turn = np.angle((b[1] - b[0]) / (a[1] - a[0]), deg=True)
    assert angle_between(p, q) == pytest.approx(abs(turn), abs=1e-6)
    assume(5 < abs(turn) < 175)
    t, u = crossing_fractions(p, q)
    assert a[0] + t * (a[1] - a[0]) == pytest.approx(b[0] + u * (b[1] - b[0]), abs=1e-6)
