"""Losses: worked examples, laws on drawn logits, and errors. Gradients: test_check.py."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npnet.active_outputs import active_outputs
from npnet.arrays import to_host
from npnet.check import check_gradient
from npnet.losses import cross_entropy, softmax, squared_error
from npnet.soft_losses import soft_cross_entropy

logits = hnp.arrays(float, hnp.array_shapes(min_dims=2, max_dims=3, max_side=5), elements=st.floats(-50, 50, width=16))


def test_cross_entropy_worked_by_hand(xp):
    Z, labels = xp.asarray(np.log([[1.0, 3.0], [1.0, 1.0]])), xp.asarray([1, 0])
    value, dZ = cross_entropy(Z, labels)
    assert float(value) == pytest.approx((math.log(4 / 3) + math.log(2)) / 2, rel=1e-15)
    np.testing.assert_allclose(to_host(dZ), [[0.125, -0.125], [-0.25, 0.25]], rtol=1e-15)
    value, dZ = cross_entropy(Z, labels, weights=xp.asarray([3.0, 1.0]))
    assert float(value) == pytest.approx((3 * math.log(4 / 3) + math.log(2)) / 4, rel=1e-15)
    value, dZ = cross_entropy(Z, labels, class_weights=xp.asarray([3.0, 1.0]))
    assert float(value) == pytest.approx((math.log(4 / 3) + 3 * math.log(2)) / 4, rel=1e-15)


@given(logits, st.integers(0, 2**32))
def test_cross_entropy_is_the_mean_negative_log_probability(Z, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, Z.shape[-1], Z.shape[:-1])
    value, dZ = cross_entropy(Z, labels)
    P = np.exp(Z - Z.max(-1, keepdims=True))
    P /= P.sum(-1, keepdims=True)
    logP = np.log(np.maximum(P, 1e-300))
    expected = -np.take_along_axis(logP, labels[..., None], -1)[..., 0].mean(-1)
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(dZ.sum(-1), 0, atol=1e-15)
    weights, class_weights = rng.random(labels.shape) + 0.1, rng.random(Z.shape[-1]) + 0.1
    assert check_gradient(lambda Z: cross_entropy(Z, labels, weights, class_weights), Z)
    twice = cross_entropy(Z, labels, 2 * np.ones(labels.shape))
    np.testing.assert_allclose(twice[0], value, rtol=1e-13, atol=1e-15)


def test_cross_entropy_of_far_logits_is_finite():
    for dtype in (np.float32, np.float64):
        value, dZ = cross_entropy(np.array([[1e30, -1e30], [0, 0]], dtype), np.array([0, 1]))
        assert value == pytest.approx(math.log(2) / 2)
        assert dZ.dtype == dtype
        assert np.isfinite(dZ).all()


@given(logits)
def test_squared_error_is_half_the_mean_square(Z):
    T = Z[..., ::-1, :].copy()
    value, dZ = squared_error(Z, T)
    np.testing.assert_allclose(value, 0.5 * ((Z - T) ** 2).sum(-1).mean(-1), rtol=1e-12)
    np.testing.assert_allclose(dZ, (Z - T) / Z.shape[-2])
    assert check_gradient(lambda Z: squared_error(Z, T), Z)


def test_squared_error_keeps_the_precision_of_the_outputs(xp):
    for dtype in (np.float32, np.float64):
        value, dZ = squared_error(xp.asarray([[1.0, 2.0]], dtype), xp.asarray([[0.0, 4.0]]))
        assert (value.dtype, dZ.dtype) == (dtype, dtype)
        assert float(value) == 2.5
        assert to_host(dZ).tolist() == [[1, -2]]


@pytest.mark.parametrize("loss", [cross_entropy, squared_error, soft_cross_entropy])
def test_logits_are_floats(loss):
    """With whole numbers the arithmetic would round, and the loss be wrong without a word."""
    Z = np.array([[1, 2, 3], [3, 1, 0]])
    with pytest.raises(ValueError, match="Z has dtype int64; expected floats"):
        loss(Z, np.array([0, 1]) if loss is cross_entropy else Z)


def test_what_does_not_fit_is_named():
    Z = np.zeros((2, 3))
    for labels in ([0, 3], [-1, 0]):
        with pytest.raises(ValueError, match=f"labels run from {min(labels)} to {max(labels)}; expected 0 to 2"):
            cross_entropy(Z, np.array(labels))
    with pytest.raises(ValueError, match=r"labels has shape \(3,\)"):
        cross_entropy(Z, np.array([0, 1, 2]))
    with pytest.raises(ValueError, match="float64"):
        cross_entropy(Z, np.array([0.0, 1.0]))
    with pytest.raises(ValueError, match="empty"):
        cross_entropy(np.zeros((0, 3)), np.zeros(0, int))
    with pytest.raises(ValueError, match="weights has shape"):
        cross_entropy(Z, np.array([0, 1]), np.ones(3))
    with pytest.raises(ValueError, match="class_weights has shape"):
        cross_entropy(Z, np.array([0, 1]), None, np.ones(2))
    with pytest.raises(ValueError, match="expected a sum above zero"):
        cross_entropy(Z, np.array([0, 1]), np.zeros(2))
    with pytest.raises(ValueError, match="targets has shape"):
        squared_error(Z, np.zeros((3, 2)))


@given(st.integers(1, 6), st.integers(2, 8), st.floats(0.5, 20), st.integers(0, 10**6))
def test_soft_cross_entropy_by_formula(N, K, T, seed):
    rng = np.random.default_rng(seed)
    Z, V = 5 * rng.standard_normal((2, N, K))
    P = softmax(V / T)
    value, dZ = soft_cross_entropy(Z, P, T)
    f = softmax(Z / T)
    assert value == pytest.approx(-(P * np.log(f)).sum() / N, rel=1e-10)
    np.testing.assert_allclose(dZ, (f - P) / (T * N), rtol=1e-9, atol=1e-14)
    assert value >= soft_cross_entropy(V, P, T)[0] - 1e-12  # nothing says it better than whoever said it
    assert abs(soft_cross_entropy(V, P, T)[1]).max() < 1e-14
    labels = rng.integers(0, K, N)
    one, done = soft_cross_entropy(Z, np.eye(K)[labels], 1.0)
    two, dtwo = cross_entropy(Z, labels)
    assert one == pytest.approx(two, rel=1e-12)
    np.testing.assert_allclose(done, dtwo, rtol=1e-9, atol=1e-14)


@given(st.integers(2, 10), st.floats(0, 3), st.integers(0, 10**6))
def test_at_high_temperatures_distillation_matches_logits(K, decade, seed):
    """T² times the gradient is (z − v)/K for logits without mean, but for something that falls as 1/T."""
    rng = np.random.default_rng(seed)
    Z, V = rng.uniform(-5, 5, (2, 4, K))
    Z, V = (z - z.mean(1, keepdims=True) for z in (Z, V))
    T = 100 * 10**decade
    _, dZ = soft_cross_entropy(Z, softmax(V / T), T)
    np.testing.assert_allclose(T**2 * 4 * dZ, (Z - V) / K, rtol=0, atol=60 / T / K)


@pytest.mark.parametrize("loss", [cross_entropy, soft_cross_entropy, squared_error])
def test_what_is_not_an_array_is_named(loss):
    with pytest.raises(TypeError, match=r"Z is \[\[1\.0, 2\.0\]\], a list; expected an array"):
        loss([[1.0, 2.0]], np.array([0]))
    with pytest.raises(TypeError, match=r"is \[\[0\]\], a list; expected an array"):
        loss(np.ones((1, 2)), [[0]])


def test_soft_cross_entropy_on_devices_and_with_bad_input(xp):
    Z, P = xp.asarray(np.log([[1.0, 3.0], [1e-300, 1e300]])), xp.asarray([[0.25, 0.75], [0.0, 1.0]])
    value, dZ = soft_cross_entropy(Z, P)
    assert float(value) == pytest.approx(-(0.25 * math.log(0.25) + 0.75 * math.log(0.75)) / 2)
    np.testing.assert_allclose(to_host(dZ), 0, atol=1e-16)
    with pytest.raises(ValueError, match=r"P has shape \(1, 2\)"):
        soft_cross_entropy(Z, P[:1])
    with pytest.raises(ValueError, match="temperature is 0"):
        soft_cross_entropy(Z, P, 0)


def test_a_loss_on_the_first_outputs_leaves_the_others_alone(rng):
    Z, labels = rng.normal(size=(8, 6)), rng.integers(0, 4, 8)
    value, dZ = active_outputs(Z, labels, 4)
    few, d = cross_entropy(np.ascontiguousarray(Z[:, :4]), labels)
    assert value == few
    assert (dZ[:, :4] == d).all()
    assert (dZ[:, 4:] == 0).all()
    assert active_outputs(Z, labels, 6)[0] == cross_entropy(Z, labels)[0]
    for outputs in (0, 7):
        with pytest.raises(ValueError, match=f"outputs is {outputs}; expected from 1 to 6, the outputs of the head"):
            active_outputs(Z, labels, outputs)
