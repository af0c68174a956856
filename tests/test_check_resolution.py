"""A check confirms no more than it saw: tiny lost terms, large constants, jumps, fast terms, other precisions."""

import numpy as np
import pytest

from npnet.arrays import generator
from npnet.check import check_gradient

W = generator(3).standard_normal(6)


def _half(w):
    return (w * w).sum() / 2


@pytest.mark.parametrize("strength", [1e-9, 1e-10, 1e-11])
@pytest.mark.parametrize("zeros", [False, True])
def test_a_lost_term_is_seen_down_to_the_rounding_of_the_values(strength, zeros):
    w = np.where(np.arange(6) < 2, 0.0, W) if zeros else W
    right = lambda w, s=1.0: (1 + _half(w) + strength * np.abs(w).sum(), w + s * strength * np.sign(w.real))  # noqa: E731
    assert check_gradient(right, w)
    assert not check_gradient(lambda w: right(w, 0.0), w)


def test_a_lost_term_in_a_small_entry_beside_large_ones_is_seen():
    scales = np.array([1e6, 1.0, 1.0, 1.0, 1.0, 1e5])

    def f(w, s=1e-5):
        return (scales * w * w).sum() / 2 + 1e-5 * abs(w[2]), scales * w + s * np.eye(6)[2] * np.sign(w[2].real)

    assert check_gradient(f, W)
    assert not check_gradient(lambda w: f(w, 0.0), W)


@pytest.mark.parametrize("term", [np.cos, np.abs], ids=["seen", "lost"])
def test_beside_a_large_constant_differences_decide_and_only_as_far_as_they_see(term):
    f = lambda w, c: (c + _half(w) + 1e-3 * term(w).sum(), w)  # noqa: E731
    assert check_gradient(lambda w: f(w, 1e6), W).verdict == "wrong"
    report = check_gradient(lambda w: f(w, 1e12), W)
    assert report.verdict == "undecided"
    assert "beside values of 1e+12" in str(report)
    assert "is known to ±" in str(report)


def test_what_was_seen_is_said():
    report = check_gradient(lambda w: (1e8 + _half(w), w), W)
    assert report.verdict == "confirmed"
    assert "confirmed to 5 digits" in str(report) or "confirmed to 4 digits" in str(report)
    assert "errors are seen from" in str(check_gradient(lambda w: (_half(w), w), W))
    believed = check_gradient(lambda w: (1e12 + _half(w), w), W, method="complex step")
    assert believed.verdict == "confirmed"
    assert not check_gradient(lambda w: (1e12 + _half(w), 1.000001 * w), W, method="complex step")


JUMPS = {
    "at the point": (lambda w: _half(w) + np.array_equal(w, W), W),
    "of an indicator": (lambda w: _half(w) + 1e-3 * (w.real != 0).sum(), np.where(np.arange(6) < 2, 0.0, W)),
    "of a step": (lambda w: _half(w) + (w.real >= 0).sum(), np.where(np.arange(6) < 2, 0.0, W)),
}


@pytest.mark.parametrize("name", JUMPS)
def test_a_value_that_jumps_at_the_point_has_no_derivative(name):
    value, w = JUMPS[name]
    report = check_gradient(lambda w: (value(w), w), w)
    assert report.verdict != "confirmed"
    assert "the value jumps by" in str(report) or report.verdict == "undecided"
    assert not check_gradient(lambda w: (value(w), 1.01 * w), w)


STEEP = {
    "a root": (lambda x: (np.sqrt(x).sum(), 0.5 / np.sqrt(x)), np.array([1e-13, 1.0])),
    "a kink": (lambda x: (np.maximum(x.real, 0).sum(), 1.0 * (x.real > 0)), np.array([0.0, 1.0])),
    "a steep line": (lambda x: (1e9 * x.sum(), 1e9 * np.ones(2)), np.array([1.0, -2.0])),
}


@pytest.mark.parametrize("name", STEEP)
def test_what_is_only_steep_does_not_jump(name):
    f, x = STEEP[name]
    assert not check_gradient(f, x).jump


@pytest.mark.parametrize("method", ["auto", "differences"])
@pytest.mark.parametrize(("size", "rate"), [(1e-8, 1e9), (1e-7, 1e8), (1e-11, 1e9)])
def test_a_fast_term_is_no_noise(size, rate, method):
    value = lambda w: _half(w) + size * np.sin(rate * w.real).sum()  # noqa: E731
    assert not check_gradient(lambda w: (value(w), w), W, method=method)
    right = check_gradient(lambda w: (value(w), w + size * rate * np.cos(rate * w.real)), W, method=method)
    assert right.verdict != "wrong"
    assert "digits" in str(right) or "is known to ±" in str(right)


def test_gradients_are_checked_in_the_precision_of_the_arguments_too():
    forks = lambda w: (_half(w), w * (1.001 if w.dtype == np.float32 else 1))  # noqa: E731
    w = W.astype(np.float32)
    report = check_gradient(forks, w)
    assert "in float32 the gradient of w" in report.complaints[0]
    assert check_gradient(forks, W)
    assert "in float64" in str(check_gradient(forks, W))
    assert check_gradient(lambda w: (_half(w), w), w)
    back = lambda s: lambda w: (np.tanh(w), lambda dY: dY * (1 - np.tanh(w) ** 2) * (s if w.dtype == np.float32 else 1))  # noqa: E731
    assert check_gradient(back(1), w)
    assert not check_gradient(back(0.999), w)
    assert not check_gradient(lambda w: (np.exp(w).sum(), np.exp(w * 100) / np.exp(w * 99)), np.ones(2, np.float32))


def test_what_is_narrower_than_most_steps_is_seen():
    bump = lambda v: 0.1 * ((v.real - W) * np.exp(-(((v.real - W) / 1e-7) ** 2))).sum()  # noqa: E731
    assert not check_gradient(lambda v: (_half(v) + bump(v), v), W)
    assert not check_gradient(lambda v: (_half(v) + bump(v), v), W, method="differences")


@pytest.mark.parametrize("method", ["auto", "differences"])
@pytest.mark.parametrize("rate", [1e2, 1e4, 1e6])
def test_waves_are_confirmed(rate, method):
    assert check_gradient(lambda w: (np.sin(rate * w).sum(), rate * np.cos(rate * w)), W, method=method)


@pytest.mark.parametrize("size", [1e-150, 1e-100, 1e100, 1e150])
def test_numbers_of_any_size_are_confirmed(size):
    assert check_gradient(lambda w: (_half(w / size), (w / size) / size), size * W)
    assert check_gradient(lambda w: (size * _half(w), size * w), W)
    assert not check_gradient(lambda w: (_half(w / size), 1.01 * (w / size) / size), size * W)
    assert not check_gradient(lambda w: (size * _half(w), 1.01 * size * w), W)
