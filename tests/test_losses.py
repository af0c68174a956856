"""Losses: worked examples, laws on drawn logits, and errors. Gradients: test_check.py."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npnet.arrays import to_host
from npnet.check import check_gradient
from npnet.losses import cross_entropy, squared_error

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
