"""skglm: sparse linear models. Its penalties give proximal steps of a number or a group, its data fits gradients."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from skglm import datafits as df
from skglm import penalties as pn

from experiments.studies.wild.case import Case, draw, gradient, jacobian, prox

__all__ = ["cases"]

W = 2 * draw(6)
X = draw(9, 4, seed=1)
y = draw(9, seed=2)
SIGNS = np.sign(y)
COUNTS = np.floor(3 * abs(y))


def cases() -> Iterator[Case]:
    """Yield the penalties, then the data fits."""
    yield from separable()
    yield from grouped()
    yield from fits()


def separable() -> Iterator[Case]:
    """Yield proximal steps of one number at a time."""
    weights = abs(draw(6, seed=3)) + 0.1
    for name, penalty in (
        ("L1", pn.L1(0.7)),
        ("L1, positive", pn.L1(0.7, positive=True)),
        ("L1_plus_L2", pn.L1_plus_L2(0.7, 0.4)),
        ("L1_plus_L2, positive", pn.L1_plus_L2(0.7, 0.4, positive=True)),
        ("WeightedL1", pn.WeightedL1(0.7, weights)),
        ("WeightedL1, positive", pn.WeightedL1(0.7, weights, positive=True)),
        ("MCPenalty", pn.MCPenalty(0.7, 3.0)),
        ("MCPenalty, positive", pn.MCPenalty(0.7, 3.0, positive=True)),
        ("WeightedMCPenalty", pn.WeightedMCPenalty(0.7, 3.0, weights)),
        ("SCAD", pn.SCAD(0.7, 3.7)),
        ("IndicatorBox", pn.IndicatorBox(0.7)),
        ("L0_5", pn.L0_5(0.7)),
        ("L2_3", pn.L2_3(0.7)),
        ("LogSumPenalty", pn.LogSumPenalty(0.7, 0.9)),
        ("PositiveConstraint", pn.PositiveConstraint()),
    ):
        yield prox(f"{name}.prox_1d", _value(penalty), _by_number(penalty), W, 0.6)
    slope = pn.SLOPE(np.array([1.2, 0.9, 0.7, 0.4, 0.2, 0.1]), 0.7)
    yield prox("SLOPE.prox_vec", slope.value, slope.prox_vec, W, 0.6)
    l2 = pn.L2(0.7)
    yield gradient("L2.gradient", l2.value, l2.gradient, W)


def _value(penalty: Any) -> Callable[[Any], Any]:
    """Return its value; where it constrains signs, or a box, outside counts as infinite."""
    name, positive = type(penalty).__name__, getattr(penalty, "positive", False)
    if name == "IndicatorBox":
        return lambda v: 0.0 if ((v >= 0) & (v <= penalty.alpha)).all() else np.inf
    if positive or name == "PositiveConstraint":
        return lambda v: (0.0 if name == "PositiveConstraint" else penalty.value(v)) if (v >= 0).all() else np.inf
    return penalty.value


def _by_number(penalty: Any) -> Callable[[Any, float], Any]:
    return lambda w, t: np.array([penalty.prox_1d(float(each), t, j) for j, each in enumerate(w)])


def grouped() -> Iterator[Case]:
    """Yield proximal steps of rows and groups."""
    M = 2 * draw(4, 3, seed=4)
    for name, penalty in (
        ("L2_1", pn.L2_1(0.7)),
        ("L2_05", pn.L2_05(0.7)),
        ("BlockMCPenalty", pn.BlockMCPenalty(0.7, 3.0)),
        ("BlockSCAD", pn.BlockSCAD(0.7, 3.7)),
    ):
        yield prox(
            f"{name}.prox_1feat",
            penalty.value,
            lambda w, t, p=penalty: np.array([p.prox_1feat(row.copy(), t, j) for j, row in enumerate(w)]),
            M,
            0.6,
        )
    pointers, indices = np.array([0, 2, 6], dtype=np.int32), np.arange(6, dtype=np.int32)
    weights = np.array([0.5, 1.5])
    for name, penalty, fault in (
        ("WeightedGroupL2", pn.WeightedGroupL2(0.7, weights, pointers, indices), ""),
        (
            "WeightedL1GroupL2",
            pn.WeightedL1GroupL2(0.7, weights, abs(draw(6, seed=5)), pointers, indices),
            "takes the weight of feature g for every feature of group g",
        ),
    ):
        yield prox(
            f"{name}.prox_1group",
            penalty.value,
            lambda w, t, p=penalty: np.concatenate(
                [p.prox_1group(w[:2].copy(), t, 0), p.prox_1group(w[2:].copy(), t, 1)]
            ),
            W,
            0.6,
            fault,
        )


def fits() -> Iterator[Case]:
    """Yield gradients of data fits, in the coefficients and in the linear predictor."""
    w = 0.5 * draw(4, seed=6)
    for name, fit, target in (
        ("Quadratic", df.Quadratic(), y),
        ("WeightedQuadratic", df.WeightedQuadratic(abs(draw(9, seed=7))), y),
        ("Logistic", df.Logistic(), SIGNS),
        ("Huber", df.Huber(0.6), y),
        ("Poisson", df.Poisson(), COUNTS),
        ("Gamma", df.Gamma(), abs(y) + 0.1),
        ("Cox", df.Cox(), np.column_stack([abs(y), (SIGNS > 0) * 1.0])),
        ("Cox, Efron", df.Cox(use_efron=True), np.column_stack([np.round(2 * abs(y)), (SIGNS > 0) * 1.0])),
    ):
        if hasattr(fit, "initialize"):
            fit.initialize(np.asfortranarray(X), target)
        if hasattr(fit, "gradient_scalar"):
            yield gradient(
                f"{name}.gradient_scalar",
                lambda w, f=fit, t=target: f.value(t, w, X @ w),
                lambda w, f=fit, t=target: np.array([f.gradient_scalar(X, t, w, X @ w, j) for j in range(4)]),
                w,
            )
        if hasattr(fit, "gradient"):
            yield gradient(
                f"{name}.gradient",
                lambda w, f=fit, t=target: f.value(t, w, X @ w),
                lambda w, f=fit, t=target: f.gradient(X, t, X @ w),
                w,
            )
        if hasattr(fit, "raw_grad"):
            yield gradient(
                f"{name}.raw_grad",
                lambda z, f=fit, t=target: f.value(t, w, z),
                lambda z, f=fit, t=target: f.raw_grad(t, z),
                X @ w,
            )
            if hasattr(fit, "raw_hessian") and "Cox" not in name:
                yield jacobian(
                    f"{name}.raw_hessian",
                    lambda z, f=fit, t=target: f.raw_grad(t, z),
                    lambda z, f=fit, t=target: np.diag(f.raw_hessian(t, z)),
                    X @ w,
                )
    many = df.QuadraticMultiTask()
    Y = draw(9, 3, seed=8)
    many.initialize(np.asfortranarray(X), Y)
    yield gradient(
        "QuadraticMultiTask.gradient_j",
        lambda W: many.value(Y, W, X @ W),
        lambda W: np.array([many.gradient_j(X, Y, W, X @ W, j) for j in range(4)]),
        draw(4, 3, seed=9),
    )
