"""The likely fault is named by what is common, and nothing is named that only seems to fit."""

import re

import numpy as np
import pytest

from npnet.arrays import generator
from npnet.check import check_gradient
from npnet.check.diagnosis import explain
from npnet.check.factors import fraction_of, name_of

RNG = generator(5)
X, W, T = RNG.standard_normal((5, 3)), RNG.standard_normal((3, 7)), RNG.standard_normal((5, 7))
w = np.array([0.7, -1.3, 2.1, 0.4])


def _residual(p):
    return X @ p.reshape(3, -1) - T[:, : p.size // 3]


def _by_quotients(w):
    f = lambda w: (np.sin(w) * w * w).sum()  # noqa: E731
    return f(w), np.array([(f(w.real + 1e-7 * e) - f(w.real)) / 1e-7 for e in np.eye(w.size)])


def _one_row(unit):
    wrong = np.where(np.arange(5)[:, None] == 1, np.array([1.4, 0.3, 2.2]), 1.0)
    return lambda w: (unit * np.sin(w).sum(), unit * np.cos(w) * wrong)


def _softmax(Z):
    E = np.exp(Z)
    return E / E.sum(1, keepdims=True)


_HESSIAN = W @ np.diag(np.arange(1.0, 8)) @ W.T
_HESSIAN = np.pad(_HESSIAN, (0, 1)) + np.ones((4, 4))


def _slope_of(p):
    return 2 * X.T @ (X @ p - T[:, 0])


def _sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


FAULTS = {  # a function, its argument, what must be said, and what must not
    "tanh, no slope": (lambda b: (np.tanh(X @ W + b), lambda dY: dY.sum(0)), np.zeros(7), "missing .tanh", "axis"),
    "sigmoid, no slope": (lambda V: (_sigmoid(X @ V), lambda dY: X.T @ dY), W, "missing .sigmoid", "axis"),
    "slope taken twice": (
        lambda V: (np.tanh(X @ V), lambda dY: X.T @ (dY * (1 - np.tanh(X @ V) ** 2) ** 2)),
        W,
        "twice .tanh",
        "factor",
    ),
    "another slope": (
        lambda V: (np.tanh(X @ V), lambda dY: X.T @ (dY * np.tanh(X @ V) * (1 - np.tanh(X @ V)))),
        W,
        "sigmoid.* where tanh",
        "factor",
    ),
    "value of tanh alone": (lambda w: (np.tanh(w).sum(), 1 + 0 * w), w, "missing .tanh", "constant"),
    "slope in a layer, of its input": (
        lambda V: (_sigmoid(X @ V), lambda dY: X.T @ (dY * (X @ V) * (1 - X @ V))),
        W,
        "at its input.*sigmoid",
        "factor",
    ),
    "slope of an input, value alone": (
        lambda w: (np.tanh(w).sum(), 1 - w * w),
        w,
        "at its input.*tanh",
        "missing",
    ),
    "slope of an output": (
        lambda V: (np.tanh(X @ V), lambda dY: X.T @ (dY * (1 - np.tanh(np.tanh(X @ V)) ** 2))),
        W,
        "at its output.*tanh",
        "factor",
    ),
    "a parameter's transform": (
        lambda w: ((X @ np.sin(w[:3]) - T[:, 0]) ** 2 @ np.ones(5), np.append(_slope_of(np.sin(w[:3])), 0)),
        w,
        "inner function is missing: sin",
        "factor",
    ),
    "a parameter's transform taken twice": (
        lambda w: (((X @ np.exp(w[:3])) ** 2).sum(), np.append(2 * np.exp(2 * w[:3]) * (X.T @ X @ np.exp(w[:3])), 0)),
        w,
        "superfluous: exp x",
        "log",
    ),
    "softmax without its slope": (
        lambda V: (_softmax(X @ V), lambda dY: X.T @ dY),
        W,
        "derivative of the softmax is missing",
        "factor",
    ),
    "a Hessian without its ridge": (
        lambda w: (_HESSIAN @ w + 0.3 * w, lambda dY: _HESSIAN @ dY),
        w,
        "a missing multiple of dY, 0.3:",
        "factor",
    ),
    "a Hessian with two ridges": (
        lambda w: (_HESSIAN @ w + 0.3 * w, lambda dY: _HESSIAN @ dY + 0.6 * dY),
        w,
        "a superfluous multiple of dY, 0.3:",
        "factor",
    ),
    "degrees": (lambda w: (np.sin(np.pi / 180 * w).sum(), np.cos(np.pi / 180 * w)), w, "π/180 forgotten", r"0\.01"),
    "bits": (lambda w: ((w * w * np.log2(w * w)).sum(), 2 * w * (np.log(w * w) + 1)), w, "log 2 too many", "1.44"),
    "mean over both axes": (
        lambda W: ((_residual(W) ** 2).mean(), 2 * X.T @ _residual(W)),
        W,
        r"1/35 = 1/\(5·7",
        "0.02",
    ),
    "three outputs": (
        lambda p: ((_residual(p) ** 2).sum() / 6, (X.T @ _residual(p)).reshape(-1)),
        W[:, :3].reshape(-1),
        "1/3",
        "0.3",
    ),
    "the data term alone": (
        lambda W: ((_residual(W) ** 2).sum() / 10 + (W * W).sum(), X.T @ _residual(W) + 2 * W),
        W,
        "1/5.*data",
        "0.2",
    ),
    "a difference quotient": (_by_quotients, w, "digits", "forgotten"),
    "a constant in a log": (lambda w: (-np.log(w * w + 1e-8).sum(), -2 / w), w, "right to 7 digits", "forgotten"),
    "a rounded constant": (lambda w: (np.pi / 2 * (w * w).sum(), 3.1415927 * w), w, "right to 7 digits", "forgotten"),
    "single precision": (lambda w: ((w**3).sum(), (3 * w.real.astype("f4") ** 2).astype(float)), w, "digits", "alone"),
    "a row": (_one_row(1.0), X, "index 1 of axis 0", "sum"),
    "a row in other units": (_one_row(1e-9), X, "index 1 of axis 0", "sum"),
    "a cache": (lambda w: (3.0, -w), w, "does not change", "mask"),
    "nothing arrives": (lambda w: ((w * w).sum(), 0 * w), w, "no gradient reached", "factor"),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("method", ["auto", "differences"])
def test_the_likely_fault(name, method):
    f, x, said, unsaid = FAULTS[name]
    if method == "differences" and "digits" in said:
        pytest.skip("differences know no more digits than these")
    report = check_gradient(f, x, method=method)
    assert not report
    likely = " ".join(line.likely for line in report.lines if line.wrong)
    assert re.search(said, likely), likely
    assert not re.search(unsaid, likely), likely


def test_a_gradient_kept_from_a_point_nearby_has_not_too_few_digits():
    kept = {}

    def f(V):
        kept["V"] = V
        return X @ V**2, lambda dY: 2 * kept["V"].real * (X.T @ dY)

    report = check_gradient(f, W)
    assert "other arguments" in str(report)
    assert "digits" not in str(report)


def test_factors_are_named_by_what_they_are_made_of():
    assert name_of(1 / 35, {5, 7}) == "a missing factor 1/35 = 1/(5·7) (a sum where a mean belongs)"
    assert name_of(35, {7}) == "a factor 1/35 = 1/(5·7) too many (a mean where a sum belongs)"
    assert name_of(1 / 150, {3}) == "a missing factor 1/150 = 1/(50·3) (a sum where a mean belongs)"
    assert name_of(-1 / 3, set()) == "a sign, and a missing factor 1/3 (a sum where a mean belongs)"
    assert name_of(1.5, set()) == "a factor 3/2 forgotten"
    assert fraction_of(np.pi) is None
    assert fraction_of(1 + 1e-8) is None


@pytest.mark.parametrize("shape", [(), (2,), (3,), (7,), (2, 2), (3, 4), (2, 3, 2)])
def test_numbers_that_have_nothing_to_do_with_each_other_get_no_name(shape):
    for seed in range(8):
        rng = generator(seed, "unrelated")
        G, D, x, dY, Y = (rng.standard_normal(shape) for _ in range(5))
        others = {"v": rng.standard_normal(shape), "V": rng.standard_normal((*shape, 3))}
        for outputs in (Y, np.tanh(Y), abs(Y)):
            through = lambda s, dY=dY: dY * s  # noqa: E731
            said = {
                explain(G, D, abs(x), {3, 4}, others, others),
                explain(dY, D, x, {3, 4}, others, others, dY, outputs, through),
            }
            assert said == {""}, said
