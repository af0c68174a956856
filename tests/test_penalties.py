"""Penalties: values, kinks, and each prox against the condition that defines it. Gradients: test_check.py."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npnet.arrays import to_host
from npnet.check import check_gradient
from npnet.penalties import PENALTIES, Regularizer, group_lasso, l1, l2

entries = st.one_of(st.sampled_from([0.0, 1.0, -1.0]), st.floats(-4, 4, width=16))
shapes = hnp.array_shapes(min_dims=2, max_dims=3, max_side=4)


@st.composite
def problems(draw):
    shape = draw(shapes)
    w, anchor = draw(hnp.arrays(float, shape, elements=entries)), draw(hnp.arrays(float, shape, elements=entries))
    scale = draw(hnp.arrays(float, shape, elements=st.sampled_from([0.0, 0.1, 1.0, 5.0])))
    return w, anchor, scale


def test_values_worked_by_hand(xp):
    w = xp.asarray(np.array([[3.0, 0.0], [-4.0, 2.0]]))
    for penalty, value in ((l2, 14.5), (l1, 9.0), (group_lasso, 2**0.5 * 7)):
        assert float(penalty(w)[0]) == pytest.approx(value)
    anchor, scale = xp.asarray(np.array([[3.0, 1.0], [0.0, 1.0]])), xp.asarray(np.array([[1.0, 4.0], [4.0, 0.0]]))
    for penalty, value in ((l2, 0.5 * (64 + 4)), (l1, 16 + 4), (group_lasso, 2**0.5 * (8 + 2))):
        assert float(penalty(w, anchor, scale)[0]) == pytest.approx(value)


@given(problems(), st.sampled_from([*PENALTIES.values()]))
def test_gradients_convexity_and_rest_at_the_anchor(problem, penalty):
    w, anchor, scale = problem
    assert check_gradient(lambda w: penalty(w, anchor, scale), w)
    value, dw = penalty(w, anchor, scale)
    other = np.where(w > 0, anchor, w + 1)
    there = penalty(other, anchor, scale)[0]
    gap = (dw * (other - w)).sum((-2, -1))
    assert np.all(there >= value + gap - 1e-9 * (1 + abs(value) + abs(gap)))  # the subgradient inequality
    value, dw = penalty(anchor, anchor, scale)
    assert np.all(value == 0)
    assert np.all(dw == 0)


@given(problems(), st.sampled_from([*PENALTIES.values()]), st.sampled_from([0.0, 0.01, 0.3, 2.0]))
def test_prox_satisfies_its_optimality_condition(problem, penalty, step):
    """v = prox(w) exactly when (w − v)/step is a subgradient of the penalty at v."""
    w, anchor, scale = problem
    v = penalty.prox(w, step, anchor, scale)
    assert v.dtype == w.dtype
    if step == 0:
        np.testing.assert_array_equal(v, w)
        return
    force, gradient = (w - v) / step, penalty(v, anchor, scale)[1]
    moved = v != anchor
    if penalty is group_lasso:
        moved = np.broadcast_to(((v != anchor) & (scale > 0)).any(-2, keepdims=True), w.shape)
        # at the kink the force lies in the dual ball: (Σ force² / s)^½ ≤ √p
        safe = np.where(scale > 0, scale, 1)
        dual = np.where(scale > 0, force**2 / safe, 0).sum(-2, keepdims=True) ** 0.5
        assert np.all(moved | (dual <= w.shape[-2] ** 0.5 * (1 + 1e-9)))
    if penalty is l1:
        assert np.all(moved | (abs(force) <= scale * (1 + 1e-12)))
    np.testing.assert_allclose(np.where(moved, force, 0), np.where(moved, gradient, 0), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("penalty", [l1, group_lasso])
def test_prox_lands_on_the_anchor_to_the_bit(xp, penalty, rng):
    w, anchor = rng.standard_normal((2, 6, 4)).astype(np.float32)
    anchor = w + 1e-3 * anchor
    w, anchor, scale = xp.asarray(w), xp.asarray(anchor), xp.asarray(rng.random((6, 4)).astype(np.float32) + 0.5)
    for s in (1.0, scale):
        assert np.array_equal(to_host(penalty.prox(w, 1.0, anchor, s)), to_host(anchor))
        assert np.array_equal(to_host(penalty.prox(w, 0.0, anchor, s)), to_host(w))
        assert to_host(penalty.prox(w, 1.0, anchor, s)).dtype == np.float32


def test_weighted_block_threshold_over_many_decades(rng):
    w = rng.standard_normal((30, 5))
    scale = 10.0 ** rng.uniform(-12, 2, (30, 5))
    v = group_lasso.prox(w, 1e-3, 0.0, scale)
    force, gradient = (w - v) / 1e-3, group_lasso(v, 0.0, scale)[1]
    # v = w − step·force carries the rounding of w: an absolute error of some eps/step in the force
    np.testing.assert_allclose(force, gradient, rtol=1e-6, atol=1e-11)


def test_group_lasso_of_tiny_and_huge_columns():
    w = np.array([[3e-200, 3e200, 0.0], [4e-200, 4e200, 0.0]])
    value, dw = group_lasso(w)
    np.testing.assert_allclose(dw, 2**0.5 * np.array([[0.6, 0.6, 0], [0.8, 0.8, 0]]))
    assert value == pytest.approx(2**0.5 * 5e200)


def test_what_does_not_fit_is_named():
    w = np.zeros((2, 3))
    with pytest.raises(ValueError, match=r"anchor has shape \(3,\); expected \(2, 3\)"):
        l2(w, np.zeros(3))
    with pytest.raises(ValueError, match=r"scale has shape \(3, 2\)"):
        l1(w, 0.0, np.zeros((3, 2)))
    with pytest.raises(ValueError, match="step is -1"):
        l1.prox(w, -1)
    with pytest.raises(ValueError, match="strength is -1"):
        Regularizer(l1, -1)
    with pytest.raises(ValueError, match="strength is nan"):
        Regularizer(l1, float("nan"))
    with pytest.raises(ValueError, match="where is 'top'"):
        Regularizer(l1, 1, "top")
