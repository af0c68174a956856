"""Kinds of checks beyond a gradient: differences, Jacobians, kinks, second order, laws; and what they call likely."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from npnet.arrays import generator
from npnet.check import (
    check_convex,
    check_equal,
    check_frozen,
    check_gradient,
    check_hessian,
    check_jacobian,
    check_kinks,
    check_mean,
    check_prox,
    check_resumed,
    hessian_vector_product,
)
from npnet.check.derivative import central, one_sided
from npnet.check.diagnosis import explain
from npnet.check.report import units_apart
from npnet.penalties import PENALTIES
from npnet.smooth import tanh

FUNCTIONS = {"sin": (np.sin, np.cos), "exp": (np.exp, np.exp), "cube": (lambda x: x**3, lambda x: 3 * x * x)}


@given(st.sampled_from([*FUNCTIONS]), st.floats(-3, 3))
def test_differences_are_within_the_error_that_they_give(name, x):
    f, slope = FUNCTIONS[name]
    found = central(lambda t: f(x + t), max(abs(x), 0.1), 1e-16 * (1 + abs(f(x))))
    assert abs(found.value - slope(x)) <= found.error
    assert found.error < 1e-8
    right = one_sided(lambda t: f(x + t) + abs(t), 1.0, 1e-16 * (1 + abs(f(x))))
    assert abs(right.value - slope(x) - 1) <= right.error < 1e-4


@given(st.integers(0, 10**6), st.floats(1e-8, 1e-2))
def test_plain_float_functions_are_checked_by_differences_and_the_report_says_so(seed, error):
    def f(x, wrong=0.0):
        return math.sin(x[0]) * x[1] + math.exp(x[1]), np.array(
            [math.cos(x[0]) * x[1] * (1 + wrong), math.sin(x[0]) + math.exp(x[1])]
        )

    x = generator(seed).uniform(0.2, 1.3, 2)
    report = check_gradient(lambda x: f(x), x)
    assert report
    assert report.lines[0].method == "differences"
    assert "the complex step cannot go" in str(report)
    assert not check_gradient(lambda x: f(x, error), x)


def test_a_function_that_loses_part_of_the_imaginary_part_is_checked_by_differences():
    report = check_gradient(lambda w: ((w * w).sum() + (abs(w) ** 2).sum(), 4 * w), np.array([1.0, -2.0, 0.5]))
    assert report
    assert "against the complex step" in str(report)
    assert not check_gradient(lambda w: ((w * w).sum() + (abs(w) ** 2).sum(), 4.001 * w), np.array([1.0, -2.0, 0.5]))


def test_differences_take_any_slope_between_those_of_a_kink_and_no_other():
    w = np.array([1.0, 0.0, -2.0])
    for at_zero in (-1.0, 0.0, 0.3, 1.0):
        assert check_gradient(lambda w, g=at_zero: (abs(w).sum(), np.sign(w) + g * (w == 0)), w)
    assert not check_gradient(lambda w: (abs(w).sum(), np.sign(w) + 1.001 * (w == 0)), w)


@given(st.integers(0, 1000))
def test_values_in_single_precision_are_held_to_single_precision(seed):
    w = generator(seed).standard_normal(4) + 3

    def f(w, wrong=0.0):
        single = w.astype(np.float32)
        return (single * single * single).sum(), 3 * single * single * np.float32(1 + wrong)

    assert check_gradient(lambda w: f(w.real), w)
    assert not check_gradient(lambda w: f(w.real, 0.05), w)


def test_what_cannot_be_decided_is_not_confirmed():
    rng = generator(0)

    def noisy(w):
        return float((w * w).sum() + 0.1 * rng.standard_normal()), 2 * w

    report = check_gradient(lambda w: noisy(w.astype(float)), W[0])
    assert not report
    assert "w cannot be decided: its derivative at" in str(report)


def test_scalars_are_arguments_too():
    assert check_gradient(lambda x: (math.log(x), 1 / x), 2.0)
    assert not check_gradient(lambda x: (math.log(x), 1.00001 / x), 2.0)


def test_a_way_back_must_be_linear_and_remember_nothing():
    def guided(X):
        gate = X.real > 0
        return X * gate, lambda dY: dY * gate * (dY > 0)

    assert "not linear" in str(check_gradient(guided, np.array([1.0, 2.0, -1.0, 3.0, 0.5])))
    cache = {}

    def stale(X):
        cache["X"] = X.real
        return X * X, lambda dY: 2 * cache["X"] * dY

    assert "called with other arguments" in str(check_gradient(stale, np.array([1.0, 2.0])))

    def writes(X):
        def back(dY):
            dY *= 2
            return dY * X

        return X * X, back

    assert "back changed dY" in str(check_gradient(writes, np.array([1.0, 2.0])))


W, X0 = generator(1).standard_normal((4, 4)), generator(2).standard_normal((5, 4))


@pytest.mark.parametrize(
    ("gradient", "likely"),
    [
        (lambda w: -w, "a sign"),
        (lambda w: w * 0.5, "factor 2"),
        (lambda w: w * 4, "a missing factor 1/4"),
        (lambda w: w / 4, "factor 1/4 too many"),
        (lambda w: w * 4 / 3, "4 and 3 taken for one another"),
        (lambda w: w.T, "a transposed matrix"),
        (lambda w: np.roll(w, 1, 1), "off by one along axis 1"),
        (lambda w: w + 0.25, "a constant"),
        (lambda w: w - 0.01 * np.sign(w), "a missing penalty (l1: s·sign x, s = 0.01)"),
        (lambda w: w * (w > 0), "a mask too many"),
        (lambda w: w + np.eye(4)[1] * np.eye(4)[:, [2]], "one entry alone"),
        (lambda w: w * np.where(np.arange(4) == 2, 1.5, 1), "index 2 of axis 1"),
        (lambda w: 0 * w, "zero throughout"),
        (lambda w: w * np.nan, "not finite"),
    ],
)
def test_the_likely_fault_is_named(gradient, likely):
    report = check_gradient(lambda w: ((w * w).sum() / 2, gradient(w.real)), W)
    assert not report
    assert likely in report.lines[0].likely
    assert report.lines[0].units > 1e6
    assert likely in str(report)


def test_faults_that_need_more_than_one_array_are_named():
    keep = np.arange(12).reshape(3, 4) % 3 > 0
    x = generator(3).standard_normal((3, 4))
    assert "a forgotten mask" in explain(2 * x, 2 * x * keep, x, {3}, {})
    assert "missing penalty (l2" in explain(np.sin(x), np.sin(x) + 0.1 * x, x, {3}, {})
    assert "superfluous penalty (l2" in explain(np.sin(x), np.sin(x) - 0.1 * x, x, {3}, {})
    assert "the gradient of v in its place" in explain(np.cos(x), np.sin(x), x, {3}, {"v": np.sin(x)})
    assert explain(np.sin(x), np.cos(x), x, {3}, {}) == ""


def _linear_with(change):
    def f(X, W):
        return X @ W, lambda dY: change(dY @ W.T, X.T @ dY, dY, X, W)

    return f


@pytest.mark.parametrize(
    ("change", "likely"),
    [
        (lambda dX, dW, dY, X, W: (dY @ W, dW), "W where its transpose belongs"),
        (lambda dX, dW, dY, X, W: (dX, X[1:].T @ dY[1:]), "an example left out"),
        (lambda dX, dW, dY, X, W: (dX * np.arange(1.0, 6)[:, None], dW), "each index of axis 0"),
        (lambda dX, dW, dY, X, W: (dX - X * (X * dX).sum(1, keepdims=True), dW), "a projection"),
        (lambda dX, dW, dY, X, W: (dX - dY, dW), "dY itself is missing"),
    ],
)
def test_faults_of_products_are_named(change, likely):
    report = check_gradient(_linear_with(change), X0, W)
    assert any(likely in line.likely for line in report.lines if line.wrong)


def test_a_sum_over_the_wrong_axis_is_named():
    report = check_gradient(lambda b: (X0[:4] + b, lambda dY: dY.sum(1)), W[0])
    assert "dY summed over the wrong axis: axis 0 is left" in report.lines[0].likely


def test_a_jacobian_is_held_to_both_of_its_products():
    def f(X, p, push=1.0, back=1.0):
        Y = np.tanh(X @ p)
        slope = 1 - Y * Y
        forward = lambda dX, dp: push * slope * (dX @ p + X @ dp)  # noqa: E731
        return Y, forward, lambda dY: (back * (dY * slope) @ p.T, X.T @ (dY * slope))

    X, p = X0, W[:, :3]
    assert check_jacobian(f, X, p)
    wrong = check_jacobian(lambda X, p: f(X, p, push=1 + 1e-10), X, p)
    assert [line.parameter for line in wrong.lines if line.wrong] == ["J u (complex step)", "adjoint identity"]
    wrong = check_jacobian(lambda X, p: f(X, p, back=1 + 1e-10), X, p)
    assert [line.parameter for line in wrong.lines if line.wrong] == ["X", "adjoint identity"]
    assert check_jacobian(f, X, p, method="differences")
    assert not check_jacobian(lambda X, p: f(X, p, push=1 + 1e-6), X, p, method="differences")
    with pytest.raises(ValueError, match="push returns shape"):
        check_jacobian(lambda x: (x, lambda u: u[:1], lambda dY: dY), np.ones(3))


def test_slopes_at_kinks_keep_the_convention():
    def absolute(w, at_zero=0.0):
        sign = np.sign(w.real)
        return (w * sign).sum(), sign + at_zero * (w.real == 0)

    w = np.array([1.0, 0.0, -2.0, 0.0])
    for convention, slope in (("smallest", 0.0), ("left", -1.0), ("right", 1.0), ("mean", 0.0), ("between", 0.7)):
        report = check_kinks(lambda w, s=slope: absolute(w, s), w, convention=convention)
        assert report
        assert "w has 2 kinks, the first at (1,)" in str(report)
        assert not check_kinks(lambda w: absolute(w, 1.1), w, convention=convention)
    assert "no subgradient" in str(check_kinks(lambda w: absolute(w, 1.1), w))
    assert "another convention" in str(check_kinks(lambda w: absolute(w, 0.5), w))
    assert "the value itself jumps" in str(check_kinks(lambda w: ((w.real > 0).sum() + 0 * w.sum(), 0 * w), w))
    with pytest.raises(ValueError, match="convention is 'any'; expected one of smallest"):
        check_kinks(absolute, w, convention="any")


@given(st.sampled_from([*PENALTIES]), st.integers(0, 100), st.floats(1e-6, 1.0))
@example("group_lasso", 8, 1e-6)  # smooth but for a group: only a move along the gradient shows it
def test_convex_functions_lie_above_their_subgradients(name, seed, wrong):
    rng = generator(seed, "convex")
    w, anchor, scale = rng.integers(-2, 3, (4, 3)) / 2, rng.integers(-2, 3, (4, 3)) / 2, rng.random((4, 3)) + 0.1
    w[:, 0] = anchor[:, 0]
    assert check_convex(lambda w: PENALTIES[name](w, anchor, scale), w)

    def steeper(w):
        value, dw = PENALTIES[name](w, anchor, scale)
        return value, dw * (1 + wrong)

    if name != "l2" and np.any(w != anchor):
        assert not check_convex(steeper, w)


def test_second_order_by_the_complex_step_over_first_order_code():
    def f(x, w):
        return (np.sin(x) * w * w).sum(), (np.cos(x) * w * w, 2 * np.sin(x) * w)

    x, w, v = W[0], W[1], W[2]
    Hx, Hw = hessian_vector_product(f, (x, w), (v, 0 * w))
    np.testing.assert_allclose(Hx, -np.sin(x) * w * w * v, rtol=1e-14)
    np.testing.assert_allclose(Hw, 2 * np.cos(x) * w * v, rtol=1e-14)
    assert check_hessian(f, x, w, product=lambda x, w, v: _product(x, w, *v))
    gauss_newton = check_hessian(f, x, w, product=lambda x, w, v: [0 * x, 2 * np.sin(x) * v[1]])
    assert not gauss_newton
    assert "H v: x" in str(gauss_newton)
    with pytest.raises(ValueError, match="direction has shapes"):
        hessian_vector_product(f, (x, w), (v[:2], w))
    with pytest.raises(ValueError, match="loses the imaginary part"):
        hessian_vector_product(lambda x: ((x * x).sum(), 2 * x.real), (x,), (v,))


def _product(x, w, u, v):
    return [
        -np.sin(x) * w * w * u + 2 * np.cos(x) * w * v,
        2 * np.cos(x) * w * u + 2 * np.sin(x) * v,
    ]


def test_a_gradient_of_no_function_is_found_without_its_value():
    report = check_hessian(lambda x: ((x * x).sum(), x * np.roll(x, 1)), W[0])
    assert not report
    assert "not symmetric" in str(report)
    real = check_hessian(lambda x: ((x * x * x).sum(), 3 * x.real**2), W[0])
    assert real
    assert "by differences" in str(real)


def test_a_match_of_jacobians_has_its_gradient_from_one_complex_step():
    """P(w) = ½‖∂z/∂x‖² of z = Σ tanh(x w); its gradient is H v at v = ∂z/∂x, on the side of w."""

    def z(x, w):
        Y, back = tanh({}, x @ w)
        dZ = back(np.ones_like(Y))[0]
        return Y.sum(), (dZ @ w.T, x.T @ dZ)

    def matched(w):
        dx = z(X0.astype(w.dtype), w)[1][0]
        value = (dx * dx).sum() / 2
        if w.dtype.kind == "c":
            return value, w
        return value, hessian_vector_product(z, (X0, w), (dx, 0 * w))[1]

    assert check_gradient(matched, W[:, :2])


def test_laws_catch_what_is_no_gradient():
    assert check_equal([W @ X0.T], [np.einsum("ij,kj->ik", W, X0)])
    assert not check_equal([W @ X0.T], [np.einsum("ij,kj->ik", W, X0) * (1 + 1e-12)])
    with pytest.raises(ValueError, match="found has leaves"):
        check_equal([W], [W[:2]])
    frozen, moving = {"W": np.ones(3)}, {"W": np.ones(2)}
    assert check_frozen(lambda: moving["W"].__isub__(0.1), frozen, moving)
    assert "was not moved" in str(check_frozen(lambda: None, frozen, moving))
    leak = check_frozen(lambda: [w["W"].__isub__(1e-15) for w in (frozen, moving)], frozen, moving)
    assert not leak
    assert "frozen W was moved" in str(leak)
    assert check_mean(lambda i: generator(i, "mean").standard_normal(3) + 1, np.ones(3))
    assert not check_mean(lambda i: generator(i, "mean").standard_normal(3) + 1.3, np.ones(3))

    def go_on(run):
        run["w"] = 0.9 * run["w"] + run["v"]
        return run

    begin = lambda: {"w": np.ones(2), "v": np.arange(2.0)}  # noqa: E731
    assert check_resumed(begin, go_on, dict)
    assert "has other bits" in str(check_resumed(begin, go_on, lambda run: {**run, "v": 0 * run["v"]}))


@pytest.mark.parametrize("name", [*PENALTIES])
def test_proximal_steps_are_held_to_their_definition(name):
    anchor, scale = W / 2, abs(W) + 0.1
    anchor[0] = W[0]
    for step in (0.01, 0.5, 5.0):
        penalty = lambda v: PENALTIES[name](v, anchor, scale)  # noqa: E731
        assert check_prox(penalty, lambda w, s: PENALTIES[name].prox(w, s, anchor, scale), W, step)
        if step < 0.1:  # beyond, all that is left is the anchor, with 1 % more as well
            assert not check_prox(penalty, lambda w, s: PENALTIES[name].prox(w, 1.01 * s, anchor, scale), W, step)


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.integers(0, 50))
def test_units_apart_counts_steps_between_floats(x, steps):
    y = x
    for _ in range(steps):
        y = float(np.nextafter(y, np.inf))
    assert units_apart(x, y) <= steps
    assert steps == 0 or units_apart(x, y) > 0
    assert units_apart(x, float("nan")) == float("inf")


def test_nothing_but_zeros_is_decided_by_differences_too():
    for method in ("complex step", "differences"):
        assert check_gradient(lambda w: ((w * w).sum(), 2 * w), np.zeros((2, 2)), method=method)
        assert check_gradient(lambda w: (0 * w.sum(), 0 * w), np.zeros(2), method=method)
