"""Regularizers that act together: the proximal step of a sum against what defines it, and sums that have none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npnet import Hyperparameters, ProximalSGD, Regularizer, group_lasso, l1, l2
from npnet.arrays import to_host
from npnet.regularizers import ActivePenalty, prox_of_sum

SHAPE = (3, 2)
numbers = st.one_of(st.sampled_from([0.0, 1.0, -1.0]), st.floats(-4, 4, width=16))
arrays = hnp.arrays(float, SHAPE, elements=numbers)
scales = hnp.arrays(float, SHAPE, elements=st.one_of(st.just(0.0), st.floats(0.125, 4, width=16)))
strengths = st.floats(0.0, 3, width=16)


def several_l2(scaled):
    one = st.tuples(st.just(l2), strengths, st.just(0.0) | arrays, (st.just(1.0) | scales) if scaled else st.just(1.0))
    return st.lists(one, max_size=3)


kinks = st.one_of(
    st.tuples(several_l2(True), st.tuples(st.just(l1), strengths, arrays, st.just(1.0) | scales)),
    st.tuples(several_l2(False), st.tuples(st.just(group_lasso), strengths, arrays, st.just(1.0) | scales)),
)


@given(arrays, kinks, st.floats(0.01, 1))
def test_no_weights_beside_it_are_better_than_the_proximal_step_of_a_sum(w, parts, rate):
    """argmin over v of ½‖v − w‖² + rate Σ α Ω(v) is convex: where nothing near is better, nothing is."""
    acting = [ActivePenalty(*each) for each in (*parts[0], parts[1])]
    acting.insert(len(acting) // 2, acting.pop())  # their order does not matter

    def objective(v):
        penalties = sum(strength * float(penalty(v, *at)[0]) for penalty, strength, *at in acting)
        return ((v - w) ** 2).sum() / 2 + rate * penalties

    v = prox_of_sum(w, rate, acting)
    best = objective(v)
    rng = np.random.default_rng(0)
    for step in (1e-3, 1e-1):
        for _ in range(20):
            assert objective(v + step * rng.standard_normal(SHAPE)) >= best - 1e-12 * (1 + best)
    for i in np.ndindex(SHAPE):
        for step in (-1e-4, 1e-4):
            moved = v.copy()
            moved[i] += step
            assert objective(moved) >= best - 1e-12 * (1 + best)


def test_worked_by_hand(xp):
    w, parts = xp.asarray(np.array([[0.5]])), [ActivePenalty(l1, 0.2, 0.0, 1.0), ActivePenalty(l2, 0.5, 0.0, 1.0)]
    assert float(to_host(prox_of_sum(w, 1.0, parts))[0, 0]) == pytest.approx((0.5 - 0.2) / 1.5)
    assert float(to_host(prox_of_sum(w, 1.0, parts[::-1]))[0, 0]) == pytest.approx((0.5 - 0.2) / 1.5)
    pulls = [ActivePenalty(l2, 1.0, *(xp.asarray(np.array([[x]])) for x in pair)) for pair in ((2.0, 1.0), (3.0, 2.0))]
    assert float(to_host(prox_of_sum(w, 1.0, pulls))[0, 0]) == pytest.approx((0.5 + 2 + 6) / 4)
    assert prox_of_sum(w, 1.0, [ActivePenalty(l1, 0.0, 0.0, 1.0)]) is w


def test_a_sum_without_a_proximal_step_is_refused():
    fisher = Regularizer(l2, 1.0, "trunk", scales=[{"W": np.ones((2, 2))}])
    for regularizers, named in (
        ((Regularizer(l1, 1.0), Regularizer(group_lasso, 1.0, "head")), "on the head are l1, group_lasso"),
        ((Regularizer(l1, 1.0, "trunk"), Regularizer(l1, 1.0)), "on the trunk are l1, l1"),
        ((fisher, Regularizer(group_lasso, 1.0)), "on the trunk are l2 with scales, group_lasso"),
    ):
        Hyperparameters(regularizers=regularizers)
        with pytest.raises(ValueError, match=f"regularizers {named}; expected a sum that has a proximal step"):
            Hyperparameters(regularizers=regularizers, optimizer=ProximalSGD())
    allowed = (Regularizer(l1, 1.0, "trunk"), Regularizer(group_lasso, 1.0, "head"), fisher, Regularizer(l1, 0.0))
    Hyperparameters(regularizers=allowed, optimizer=ProximalSGD())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strength": -0.1}, "strength is -0.1; expected zero or more"),
        ({"strength": float("nan")}, "strength is nan; expected zero or more"),
        (
            {"strength": 1.0, "scales": [{"W": np.ones((2, 2))}, {"W": np.array([[0.0, -0.5]])}]},
            "scales of hidden layer 2, W, begin at -0.5; expected from zero",
        ),
        ({"strength": 1.0, "scales": [{"b": np.array([1.0, np.nan])}]}, "scales of hidden layer 1, b, begin at nan"),
        ({"strength": 1.0, "where": "heads"}, "where is 'heads'; expected one of 'all', 'trunk', 'head'"),
    ],
)
def test_a_regularizer_names_what_it_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        Regularizer(l1, **options)
