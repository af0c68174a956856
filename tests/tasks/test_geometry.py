"""The plane geometry against worked examples, and against a brute-force search over points on both segments."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from npnet.tasks.geometry import angle_between, crossing_fractions, length, point_distance, segment_distance

coordinates = st.floats(0, 31)
segments = st.tuples(coordinates, coordinates, coordinates, coordinates)


def test_a_worked_example():
    level, upright = (0.0, 0.0, 10.0, 0.0), (2.0, -3.0, 2.0, 1.0)
    assert length(level) == 10
    assert angle_between(level, upright) == pytest.approx(90)
    assert crossing_fractions(level, upright) == pytest.approx((0.2, 0.75))
    assert segment_distance(level, upright) == 0
    assert segment_distance(level, (13.0, 4.0, 20.0, 4.0)) == pytest.approx(5)
    assert point_distance(5.0, -2.0, level) == pytest.approx(2)


def test_parallel_segments_meet_nowhere():
    p, q = (0.0, 0.0, 10.0, 0.0), (0.0, 3.0, 10.0, 3.0)
    assert crossing_fractions(p, q) == (2.0, 2.0)
    assert segment_distance(p, q) == pytest.approx(3)
    assert angle_between(p, q) == 0


@given(segments, segments)
def test_the_distance_is_the_least_over_all_pairs_of_points(p, q):
    assume(length(p) > 1 and length(q) > 1)
    t = np.linspace(0, 1, 201)[:, None]
    on_p = np.array(p[:2]) + t * (np.array(p[2:]) - np.array(p[:2]))  # (201, 2)
    on_q = np.array(q[:2]) + t * (np.array(q[2:]) - np.array(q[:2]))
    sampled = np.hypot(*(on_p[:, None] - on_q[None]).transpose(2, 0, 1)).min()
    step = (length(p) + length(q)) / 400  # no point is farther than half a step from a sampled one, on either segment
    assert sampled - step - 1e-9 <= segment_distance(p, q) <= sampled + 1e-9


@given(segments, segments)
def test_angle_and_distance_do_not_depend_on_the_order(p, q):
    assume(length(p) > 1 and length(q) > 1)
    assert angle_between(p, q) == pytest.approx(angle_between(q, p))
    assert segment_distance(p, q) == pytest.approx(segment_distance(q, p), abs=1e-9)
