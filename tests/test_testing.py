"""The strategies draw what they say, and a reader's own layer is tested with them in ten lines."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npnet import cross_entropy, generator, relu
from npnet.layers import backward, forward
from npnet.testing import (
    assert_gradient,
    assert_kinks,
    at_kinks,
    batches,
    labelled,
    labels,
    networks,
    numbers,
    parameters,
    seeds,
)


def softplus(p, X, rng=None):  # the reader's own: Y = log(1 + e^{XW + b})
    Z = X @ p["W"] + p["b"]
    peak = np.maximum(Z.real, 0)
    slope = 1 / (1 + np.exp(-Z))

    def back(dY):
        return (dY * slope) @ p["W"].T, {"W": X.T @ (dY * slope), "b": (dY * slope).sum(0)}

    return peak + np.log(np.exp(-peak) + np.exp(Z - peak)), back


@given(batches(), seeds())
def test_a_layer_of_ones_own_in_ten_lines(X, seed):
    p = parameters(seed, W=(X.shape[-1], 3), b=(3,))
    assert_gradient(lambda X, p: softplus(p, X), X, p)


@given(st.data())
@settings(max_examples=30)
def test_networks_and_batches_fit_and_their_gradients_hold(data):
    network = data.draw(networks())
    X, t = data.draw(labelled(network))
    seed, path = data.draw(seeds()), network.path("a", training=True)

    def objective(X, *p):
        following = iter(p)
        now = [(layer, next(following) if each else {}) for layer, each in path]
        outputs, backs = forward(now, X, generator(seed))
        value, dZ = cross_entropy(outputs[-1], t)
        way_down = [*backward(backs, {len(backs) - 1: dZ})][::-1]  # from the bottom
        return value, [way_down[0][1], *(dp for _, _, dp in way_down if dp)]

    assert_gradient(objective, X, *(p for _, p in path if p))


@given(st.data())
def test_arrays_at_kinks_are_at_them_or_well_away(data):
    kinks = tuple(data.draw(st.sampled_from([(0.0,), (0.0, 1.0), (-0.5, 0.5)])))
    X = data.draw(at_kinks((3, 4), kinks))
    gap = abs(X[..., None] - np.array(kinks)).min(-1)
    assert (gap == 0).any()
    assert ((gap == 0) | (gap >= 0.1)).all()
    if kinks == (0.0,):
        report = assert_kinks(lambda X: relu({}, X), X)
        assert any("kinks" in note for note in report.notes)


@given(batches(width=3), labels(4, 2), numbers(2.0))
def test_batches_labels_and_numbers_are_of_the_kind_that_was_asked_for(X, t, x):
    assert X.ndim == 2
    assert X.shape[1] == 3
    assert X.dtype == np.float64
    assert t.shape == (4,)
    assert set(t.tolist()) <= {0, 1}
    assert abs(x) <= 2


def test_what_is_wrong_is_asserted_with_the_report():
    with pytest.raises(AssertionError, match=r"GRADIENT WRONG.*\n.*likely: a sign"):
        assert_gradient(lambda w: ((w * w).sum(), -2 * w), np.ones(3))
    with pytest.raises(AssertionError, match="another convention"):
        assert_kinks(lambda w: ((w * np.sign(w.real)).sum(), np.sign(w.real) + (w.real == 0)), np.zeros(2))
    assert {*parameters(0, W=(2, 3), b=(3,))} == {"W", "b"}


@given(st.data())
@settings(max_examples=1)
def test_arrays_without_a_place_for_a_kink_are_refused(data):
    for shape, kinks in (((0, 2), (0.0,)), ((2, 2), ())):
        with pytest.raises(ValueError, match="expected at least one entry and one kink"):
            data.draw(at_kinks(shape, kinks))


def test_npnet_needs_none_of_it():
    others = "{'hypothesis', 'torch', 'jax', 'autograd', 'matplotlib'}"
    code = f"import sys, npnet, npnet.check.__main__, npnet.proofs.__main__; print([*({others} & sys.modules.keys())])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
