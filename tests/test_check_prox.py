"""Proximal steps by what defines them: of sets, of jumps, of penalties that are not convex, and without a value."""

import re

import numpy as np
import pytest

from npnet.arrays import generator
from npnet.check import check_convex, check_hessian, check_jacobian, check_mean, check_prox

W = np.array([0.9, -0.4, 1.7, -2.2, 0.3, 0.05])


def _length(v):
    return float((v * v).sum()) ** 0.5


def _unit(w, step=1.0):
    return w / _length(w)


def _soft(w, t):
    return np.sign(w) * np.maximum(abs(w) - t, 0)


def _simplex(w, step):
    u = np.sort(w)[::-1]
    level = (np.cumsum(u) - 1) / np.arange(1, w.size + 1)
    return np.maximum(w - level[np.flatnonzero(u > level)[-1]], 0)


def _inside(test):
    return lambda v: 0.0 if test(v) else np.inf


A = generator(1).standard_normal((3, 6))
PINV = np.linalg.pinv(A)
SETS = {  # a set, its projection, and steps that are none
    "non-negative": (lambda v: (v >= 0).all(), lambda w, s: np.maximum(w, 0), [lambda w, s: abs(w)]),
    "non-negative, tolerant": (lambda v: (v >= -1e-8).all(), lambda w, s: np.maximum(w, 0), [lambda w, s: abs(w)]),
    "box": (lambda v: (abs(v) <= 1).all(), lambda w, s: np.clip(w, -1, 1), [lambda w, s: np.tanh(w), lambda w, s: +w]),
    "ball": (lambda v: _length(v) <= 1, lambda w, s: w / max(1, _length(w)), [lambda w, s: w / (1 + _length(w))]),
    "ball, tolerant": (
        lambda v: _length(v) <= 1 + 1e-6,
        lambda w, s: w / _length(w),
        [lambda w, s: 0.99 * w / _length(w)],
    ),
    "simplex": (
        lambda v: (v >= 0).all() and abs(v.sum() - 1) < 1e-14,
        _simplex,
        [lambda w, s: np.maximum(w, 0) / np.maximum(w, 0).sum(), lambda w, s: 0 * w + 1 / w.size],
    ),
    "simplex, tolerant": (
        lambda v: (v >= 0).all() and abs(v.sum() - 1) < 1e-8,
        _simplex,
        [lambda w, s: _simplex(2 * w, s)],
    ),
    "affine": (
        lambda v: np.allclose(A @ v, 1),
        lambda w, s: w - PINV @ (A @ w - 1),
        [lambda w, s: PINV @ np.ones(3) + (w - PINV @ A @ w) / 2],
    ),
    "sphere": (lambda v: abs(_length(v) - 1) < 1e-12, _unit, [lambda w, s: -_unit(w)]),
    "two entries": (
        lambda v: np.count_nonzero(v) <= 2,
        lambda w, s: np.where(abs(w) >= np.sort(abs(w))[-2], w, 0),
        [lambda w, s: np.where(np.arange(6) < 2, w, 0)],
    ),
    "whole numbers": (lambda v: (v == np.round(v)).all(), lambda w, s: np.round(w), [lambda w, s: np.floor(w)]),
}


@pytest.mark.parametrize("name", SETS)
def test_projections(name):
    test, right, wrong = SETS[name]
    report = check_prox(_inside(test), right, W, 0.5)
    assert report
    assert "nothing to see" not in str(report)
    assert "tolerance" not in " ".join(report.notes) or "tolerant" in name or name in ("affine", "sphere")
    for step in wrong:
        assert not check_prox(_inside(test), step, W, 0.5)


M = 2 * generator(2).standard_normal((4, 3))


def _pairs(keep, size=1.0):
    """Return the step that keeps some singular pairs, counted from the largest."""

    def step(A, s):
        U, values, V = np.linalg.svd(A, full_matrices=False)
        return size * (U * (values * np.isin(np.arange(3), keep))) @ V

    return step


def _row(place):
    def step(A, s):
        lengths = np.sqrt((A * A).sum(1))
        return A * (lengths == np.sort(lengths)[place])[:, None]

    return step


def _rank(v):
    return np.linalg.matrix_rank(v, 1e-9)


STRUCTURED = {  # sets of matrices, and of numbers above a bound
    "rank one": (lambda v: _rank(v) <= 1, _pairs([0]), [_pairs([1]), _pairs([0], 0.9), _pairs([0], -1.0)], M),
    "rank two": (lambda v: _rank(v) <= 2, _pairs([0, 1]), [_pairs([0, 2]), _pairs([1, 2]), _pairs([0])], M),
    "one row": (lambda v: (v != 0).any(1).sum() <= 1, _row(-1), [_row(-2), _row(0)], M),
    "above a bound": (
        lambda v: (v >= 0.3).all(),
        lambda w, s: np.maximum(w, 0.3),
        [lambda w, s: np.maximum(w, 0.1), lambda w, s: np.maximum(w, 0.31)],
        W,
    ),
    "magnitudes of one": (
        lambda v: (abs(v) == 1).all(),
        lambda w, s: np.sign(w),
        [lambda w, s: -np.sign(w), lambda w, s: 1 + 0 * w],
        W,
    ),
    "three of fifty": (
        lambda v: np.count_nonzero(v) <= 3,
        lambda w, s: w * (abs(w) >= np.sort(abs(w))[-3]),
        [lambda w, s: w * (abs(w) >= np.sort(abs(w))[-4]) * (abs(w) < abs(w).max())],
        generator(3).standard_normal(50),
    ),
}


@pytest.mark.parametrize("name", STRUCTURED)
def test_sets_with_structure(name):
    test, right, wrong, w = STRUCTURED[name]
    assert check_prox(_inside(test), right, w, 0.5)
    for step in wrong:
        assert not check_prox(_inside(test), step, w, 0.5)


def test_a_step_that_remembers_is_not_confirmed():
    kept = []

    def step(w, s):
        kept.append(1)
        return _soft(w, s) * (1 + 1e-15 * (len(kept) > 10))

    assert "after it was called with other arguments" in str(check_prox(lambda v: abs(v).sum(), step, W, 0.5))


@pytest.mark.parametrize("seed", range(4))
def test_a_projection_that_rounding_puts_outside(seed):
    a, w = generator(seed).standard_normal((2, 6))
    a = a if (a * w).sum() > 0.1 else -a
    half_space = _inside(lambda v: (a * v).sum() <= 0.1)
    assert check_prox(half_space, lambda w, s: w - max((a * w).sum() - 0.1, 0) / (a * a).sum() * a, w, 0.5)
    assert not check_prox(half_space, lambda w, s: w - a, w, 0.5)


VALUES = {
    "l1": (lambda v: abs(v).sum(), _soft),
    "l2": (lambda v: (v * v).sum() / 2, lambda w, s: w / (1 + s)),
    "length": (_length, lambda w, s: w * max(1 - s / _length(w), 0)),
    "count": (np.count_nonzero, lambda w, s: np.where(w * w > 2 * s, w, 0)),
    "log barrier": (
        lambda v: -np.log(v).sum() if (v > 0).all() else np.inf,
        lambda w, s: (w + np.sqrt(w * w + 4 * s)) / 2,
    ),
    "length less": (lambda v: abs(v).sum() - _length(v), lambda w, s: _soft(w, s) * (1 + s / _length(_soft(w, s)))),
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_values_need_no_gradient(name, size):
    phi, prox = VALUES[name]
    step = {"l2": 0.5, "count": 0.5 * size**2, "log barrier": 0.5 * size**2}.get(name, 0.5 * size)
    assert check_prox(phi, prox, size * W, step)
    assert not check_prox(phi, lambda w, s: prox(w, 3.3 * s), size * W, step)


def test_a_small_fault_is_seen_by_the_slope():
    report = check_prox(lambda v: (v * v).sum() / 2, lambda w, s: w / (1 + s) + 1e-9, W, 0.5)
    assert not report
    assert "falls along entry" in str(report)


@pytest.mark.parametrize("seed", range(3))
def test_an_answer_that_is_zero_up_to_rounding(seed):
    Q = np.linalg.qr(generator(seed).standard_normal((6, 6)))[0]
    shrink = lambda w, t: w - Q.T @ np.clip(Q @ w, -t, t)  # noqa: E731
    phi = lambda v: 2 * abs(Q @ v).sum()  # noqa: E731
    assert check_prox(phi, lambda w, s: shrink(w, 2 * s), W, 3.0)
    assert not check_prox(phi, lambda w, s: shrink(w, s / 9), W, 3.0)


def test_a_better_point_is_reported_and_what_was_not_tested_is_said():
    report = check_prox(lambda v: abs(v).sum(), lambda w, s: w, W, 0.5)
    assert "a better point was found, [" in str(report)
    nothing = check_prox(_inside(lambda v: (v == 1 / 3).all()), lambda w, s: 0 * w + 1 / 3, W, 0.5)
    assert str(nothing).startswith("prox: nothing to see at this point")
    assert "tolerance" in nothing.notes[0]


def test_firm_non_expansiveness_needs_no_value():
    assert check_prox(None, _soft, W, 0.5, convex=True)
    for wrong in (lambda w, s: 2 * w, lambda w, s: np.where(w * w > 2 * s, w, 0), lambda w, s: np.sign(w)):
        report = check_prox(None, wrong, W, 0.5, convex=True)
        assert not report
        assert "the prox of no convex penalty" in str(report)
    with pytest.raises(TypeError, match="penalty is None"):
        check_prox(None, _soft, W, 0.5)


def test_a_prox_keeps_its_hands_off_and_may_iterate():
    def writes(w, s):
        w[:] = _soft(w, s)
        return w

    assert "prox changes its argument" in str(check_prox(lambda v: abs(v).sum(), writes, W, 0.5))
    near = lambda w, s: _soft(w, s) + 1e-5  # noqa: E731
    assert not check_prox(lambda v: abs(v).sum(), near, W, 0.5)
    assert check_prox(lambda v: abs(v).sum(), near, W, 0.5, tolerance=1e-3)
    with pytest.raises(ValueError, match="prox returns shape"):
        check_prox(lambda v: abs(v).sum(), lambda w, s: w[:2], W, 0.5)


def test_a_report_says_what_its_two_numbers_are():
    """An objective is no gradient, has no units in the last place to compare, and lies along no direction."""
    half = str(check_prox(lambda v: abs(v).sum(), lambda w, t: _soft(w, t / 2), W, 0.5))
    firm = str(check_prox(None, lambda w, t: 2 * w, W, 0.5, convex=True))
    convex = str(check_convex(lambda w: ((w * w).sum(), 3 * w), W))
    symmetric = str(check_hessian(lambda w: ((w * w).sum(), np.roll(w, 1)), W))
    mean = str(check_mean(lambda i: np.array([1.0 + 0 * i]), np.array([2.0])))
    J = np.array([[1.0, 2.0], [3.0, 4.0]])
    pushed = str(check_jacobian(lambda x: (J @ x, lambda u: 2 * J @ u, lambda dY: J.T @ dY), np.array([0.3, 0.7])))
    forward = "\n".join(line for line in pushed.splitlines() if "J u" in line)
    for said in (half, firm, convex, symmetric, mean):
        assert "WRONG" in said, said
        assert not re.search(r"along a direction|units in the last place|(gradient|derivative) [-\d]", said), said
    assert re.search(r"objective at prox\(w\) [\d.]+, at the better point [\d.]+", half), half
    names = {
        firm: ("‖p − q‖² ", "⟨p − q, w − w'⟩ "),
        convex: ("⟨g, y − x⟩ ", "f(y) − f(x) "),
        symmetric: ("⟨u, H v⟩ ", "⟨v, H u⟩ "),
        forward: ("J u ", "⟨dY, J u⟩ ", "⟨Jᵀ dY, u⟩ "),
        mean: ("mean of the draws 1", "wanted 2"),
    }
    for said, numbers in names.items():
        assert all(number in said for number in numbers), said


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("penalty", [lambda v: abs(v).sum(), lambda v: np.log(v).sum(), None])
def test_an_answer_that_is_no_number_is_wrong(bad, penalty):
    """Newton's method that leaves the domain returns NaN: that is no point where nothing is to be seen."""
    report = check_prox(penalty, lambda w, t: np.where(w > 1, bad, _soft(w, t)), W, 0.5, convex=penalty is None)
    assert report.verdict == "wrong"
    assert "prox returns" in str(report)
    assert f"{bad} at (2,)" in str(report)


def test_an_answer_that_never_changes_comes_from_a_cache():
    v = _soft(W, 0.5)
    cached = check_prox(lambda v: abs(v).sum(), lambda w, t: v, W, 0.5)
    assert cached.verdict == "wrong"
    assert "a cache?" in str(cached)
    for point in (np.zeros(6), v):  # the only point of a set
        assert check_prox(_inside(lambda u, p=point: np.allclose(u, p, 0, 1e-9)), lambda w, t, p=point: p, W, 0.5)
