"""Penalties: values, kinks, each prox against the condition that defines it, and the compiled pass against the formula.

Gradients: test_check.py.
"""

import math

import numpy as np
import pytest
import strictarrays
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npnet.arrays import generator, to_host
from npnet.check import check_gradient
from npnet.compiled import compiler
from npnet.fused import dense, descend
from npnet.losses import cross_entropy
from npnet.objective import loss_at_head
from npnet.optimizers import SGD
from npnet.penalties import PENALTIES, group_lasso, l1, l2
from npnet.perceptron import mlp
from npnet.regularizers import Regularizer
from npnet.step import Move, NotFiniteError, Penalise, take_step

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


@st.composite
def additions(draw):
    """Draw a gradient, a strength, weights, an anchor and a scale, in one dtype; weights meet 0, −0 and the anchor."""
    dtype, shape = draw(st.sampled_from([np.float32, np.float64])), draw(hnp.array_shapes(max_dims=3, max_side=9))
    numbers = st.one_of(st.sampled_from([0.0, -0.0, 1.0, -1.0]), st.floats(-4, 4, width=32))

    def array(elements=numbers):
        return draw(hnp.arrays(dtype, shape, elements=elements))

    dw, w = array(), array()
    anchor = draw(st.sampled_from([0.0, 0.3])) if draw(st.booleans()) else np.where(array() > 0, w, array())
    scale = draw(st.sampled_from([1.0, 0.3])) if draw(st.booleans()) else array(st.floats(0, 4, width=32))
    return dw, draw(st.sampled_from([1.0, 0.1, 1e-4])), w, anchor, scale


def exact(penalty, w, anchor=0.0, scale=1.0):
    """Return the value of l1 or l2: its terms rounded in their dtype, then summed without rounding."""
    terms = penalty(w, anchor, scale)[1] * (w - anchor)
    return math.fsum(terms.ravel().tolist()) / (2 if penalty is l2 else 1)


@pytest.mark.skipif(compiler() is None, reason="is about the compiled loop: pip install numba")
@given(additions(), st.sampled_from([*PENALTIES.values()]))
def test_add_is_the_formula_to_the_bit(addition, penalty):
    dw, strength, w, anchor, scale = addition
    value, gradient = penalty(w, anchor, scale)
    expected, before = dw + strength * gradient, w.copy()
    added = penalty.add(dw, strength, w, anchor, scale)
    assert dw.dtype == w.dtype
    assert dw.tobytes() == expected.tobytes()  # zeros have their sign
    assert w.tobytes() == before.tobytes()
    # Each sum of n terms, none negative, is within n·eps of the true one, and `strength ·` rounds once more.
    n, eps = w.size, np.finfo(w.dtype).eps
    np.testing.assert_allclose(added, strength * value, rtol=2 * (n + 1) * eps, atol=0)
    another_number = 0.3 in [each for each in (anchor, scale) if type(each) is float]
    compiled = penalty in (l1, l2) and w.ndim <= 2 and not another_number
    assert (type(added) is float) == compiled
    if compiled:
        assert added == pytest.approx(strength * exact(penalty, w, anchor, scale), rel=(n + 1) * 2.0**-52, abs=0)


@pytest.mark.skipif(compiler() is None, reason="is about the compiled loop: pip install numba")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("penalty", [l1, l2])
def test_add_on_large_arrays(penalty, dtype, rng):
    """Long enough for every width of register and its remainder; the sum stays as exact as double precision."""
    w, dw, anchor, scale = rng.standard_normal((4, 501, 307)).astype(dtype)
    w[::3], w[1::7] = anchor[::3], -0.0
    for reference in ((0.0, 1.0), (anchor, 1.0), (0.0, abs(scale)), (anchor, abs(scale))):
        there = dw.copy()
        value = penalty.add(there, 1e-3, w, *reference)
        assert type(value) is float
        np.testing.assert_array_equal(there, dw + 1e-3 * penalty(w, *reference)[1])
        assert value == pytest.approx(1e-3 * exact(penalty, w, *reference), rel=1e-12, abs=0)


def loss_at(network, X, labels):
    """Return the loss at head "a" on these inputs, whose every layer trains."""
    return loss_at_head(network, "a", cross_entropy, (1.0, 1.0), lambda below: lambda rows: (X[rows], labels[rows]))


@pytest.mark.parametrize("penalty", [l1, l2])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", [0, 7, 63, 64])
def test_add_hides_nothing_that_is_not_finite(penalty, bad, where):
    w, dw = np.ones(65, np.float32), np.zeros(65, np.float32)
    w[where] = bad
    value = penalty.add(dw, 0.5, w)
    np.testing.assert_equal(value, abs(bad))
    np.testing.assert_array_equal(dw, 0.5 * penalty(w)[1])  # NaN where the weight is NaN, and there alone
    network = mlp((65, 1), {"a": 2}, generator(0))
    anchors = [{"W": w[:, None]}]
    regularizers = (Regularizer(penalty, 0.5, anchors=anchors),)
    step = loss_at(network, np.ones((1, 65), np.float32), np.array([0]))
    with pytest.raises(NotFiniteError, match=r"penalty is not finite .* in hidden layer 1"):
        take_step(step, Penalise(regularizers), Move(SGD(), 0.1, {}, regularizers), np.arange(1), generator(0))


@pytest.mark.parametrize("penalty", PENALTIES.values())
def test_weights_that_are_no_array_are_named(penalty):
    for read in (penalty, lambda w: penalty.prox(w, 0.1)):
        with pytest.raises(TypeError, match=r"w is \[\[1\.0\]\], a list; expected an array"):
            read([[1.0]])


@pytest.mark.parametrize("penalty", PENALTIES.values())
def test_add_to_a_population_gives_each_replicate_its_own_value(xp, penalty, rng):
    w, dw, anchor = rng.standard_normal((3, 5, 6, 4))
    scale = rng.random((5, 6, 4))
    there = xp.asarray(dw.copy())
    values = penalty.add(there, 0.3, xp.asarray(w), xp.asarray(anchor), xp.asarray(scale))
    assert values.shape == (5,)
    for r in range(5):
        value = penalty.add(dw[r], 0.3, w[r], anchor[r], scale[r])
        np.testing.assert_allclose(float(values[r]), value, rtol=1e-14)
    np.testing.assert_allclose(to_host(there), dw, rtol=1e-14)


@pytest.mark.parametrize("penalty", PENALTIES.values())
@pytest.mark.parametrize("view", [lambda w: w, lambda w: w[:, ::2], lambda w: w.T])
def test_add_passes_the_complex_step_and_takes_any_layout(penalty, view, rng):
    w, anchor = (view(each) for each in rng.standard_normal((2, 6, 4)))

    def added(w):
        dw = np.zeros_like(w)
        return penalty.add(dw, 0.3, w, anchor), dw

    assert check_gradient(added, np.ascontiguousarray(w))
    dw = view(np.zeros((6, 4)))
    penalty.add(dw, 0.3, w, anchor)
    np.testing.assert_array_equal(dw, 0.3 * penalty(w, anchor)[1])
    with pytest.raises(ValueError, match=r"anchor has shape \(9,\); expected"):
        penalty.add(dw, 0.3, w, np.zeros(9))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_update_adds_what_the_formula_says(dtype):
    before = mlp((7, 6), {"a": 3}, generator(0), dtype=dtype)
    X, labels = generator(1).random((5, 7)).astype(dtype), np.array([0, 1, 2, 0, 1])
    anchors = [{key: p * dtype(0.5) for key, p in layer.items()} for layer in before.trunk]
    regularizers = (Regularizer(l1, 0.01), Regularizer(l2, 0.1, "trunk", biases=True, anchors=anchors))
    rows, after, penalise = np.arange(5), before.copy(), Penalise(regularizers)
    step = loss_at(after, X, labels)
    value, plain = loss_at(before, X, labels).descent(rows, None)
    expected = [{key: dense(d) for key, d in dp.items()} for _, dp in plain][::-1]  # from the bottom
    total, way_down = step.descent(rows, None)
    total, gradients, value = float(total), [], float(value)
    for group, dp in way_down:
        total += penalise(group, dp)
        gradients.insert(0, {key: dense(d) for key, d in dp.items()})
    for dp, w, anchor in zip(expected, (before.trunk[0], before.heads["a"]), (anchors[0], None), strict=True):
        penalties = [("W", 0.01, l1(w["W"]))]
        if anchor:
            penalties += [(key, 0.1, l2(w[key], anchor[key])) for key in ("W", "b")]
        for key, strength, (penalty, dw) in penalties:
            value += strength * float(penalty)
            dp[key] = dp[key] + strength * dw
    for dp, right in zip(gradients, expected, strict=True):
        assert all(dp[key].tobytes() == right[key].tobytes() for key in ("W", "b"))
    move = Move(SGD(), 0.1, {}, regularizers)
    for once in (total, take_step(step, penalise, move, rows, generator(0))):
        assert float(once) == pytest.approx(value, rel=60 * float(np.finfo(dtype).eps))  # sums of up to 42 terms
    ends = (after.trunk[0], after.heads["a"])
    for p, w, dp in zip(ends, (before.trunk[0], before.heads["a"]), expected, strict=True):
        for key in ("W", "b"):
            descend(w[key], dp[key], 0.1)
            assert p[key].tobytes() == w[key].tobytes()


@pytest.mark.parametrize("form", ["host", "population", "strict"])
def test_the_block_threshold_of_scales_decades_apart_in_single_precision(form):
    """Fisher information spans many decades: float32 must not lose small scales, whose cubes it cannot hold."""
    rng = np.random.default_rng(2)
    w = rng.normal(size=(50, 12)).astype(np.float32) * np.float32(0.1)
    scale = (10.0 ** rng.uniform(-14, 2, (50, 12))).astype(np.float32)
    scale[:, 6:] = 10.0 ** rng.uniform(0, 2, (50, 6))  # these groups land on zero
    scale[rng.random(scale.shape) < 0.2] = 0
    exact = group_lasso.prox(w.astype(float)[None], 0.1, 0.0, scale.astype(float)[None])[0]
    move = {"host": lambda a: a, "population": lambda a: a[None], "strict": strictarrays.asarray}[form]
    ours = to_host(group_lasso.prox(move(w), 0.1, 0.0, move(scale))).reshape(w.shape)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, exact, rtol=1e-6, atol=1e-9)
    assert np.array_equal(ours == 0, (scale > 0) & (np.arange(12) >= 6))
    assert np.array_equal(ours[scale == 0], w[scale == 0])
