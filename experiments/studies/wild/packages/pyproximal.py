"""PyProximal: proximal operators for optimisation with linear operators."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pylops
import pyproximal as pp

from experiments.studies.wild.case import Case, draw, gradient, prox

__all__ = ["cases"]

FAULTS = {
    "L0": "thresholds at σ·step and not at √(2σ·step), and the value lacks σ",
    "Huber": "splits at |x| = α, and not at α + step",
    "RelaxedMumfordShah": "the value is that of the whole array, the proximal step that of each entry",
    "Log1": "the value lacks σ",
    "Intersection": "writes into its argument",
    "Sum": "the value counts that a point is in a set as 1, and not as 0",
    "Quadratic.grad, not symmetric": "A x where (A + Aᵀ) x / 2 belongs: for symmetric operators",
    "Huber.grad": "the gradient of its Moreau envelope, although it is smooth itself",
    "Orthogonal.grad": "the gradient of its Moreau envelope, although it is smooth itself",
    "QuadraticEnvelopeRankL2": "the value has the length of the misfit, not half its square",
}
TOLERANT = {"AffineSet", "L1Ball", "NuclearBall", "Intersection", "GenericIntersectionProx", "Hankel", "Simplex"}
ITERATED = {"Intersection", "TV, one axis", "TV, two axes"}
W = draw(8) * 2
M = draw(4, 3)
A = draw(3, 8, seed=1)
Q = np.linalg.qr(draw(8, 8, seed=2))[0]
DENSE = partial(pylops.MatrixMult, dtype="float64")


def cases() -> Iterator[Case]:
    """Yield the operators."""
    for name, operator, w in operators():
        indicator = isinstance(
            operator(W if w is None else w.ravel()) if w is None else operator(w.ravel()), bool | np.bool_
        )
        yield _case(name, operator, W if w is None else w.ravel(), indicator)
    yield from smooth()


def _case(name: str, operator: Any, w: Any, indicator: bool) -> Case:
    value = (lambda v: 0.0 if operator(v) else np.inf) if indicator else operator
    fault = FAULTS.get(name, "")
    reason = "no search steps across a jump" if name == "L0" else ""
    reason = "its set has a tolerance, which the search uses" if name in TOLERANT else reason
    reason = "the argument has other bits afterwards" if name == "Intersection" else reason
    options: dict[str, Any] = {"tolerance": 1e-6} if name in ITERATED else {}
    return prox(name, value, lambda w, t: operator.prox(w, t), w, 0.5, fault, reason, **options)


def operators() -> Iterator[tuple[str, Any, Any]]:
    """Yield names, operators, and arguments where the usual one does not fit."""
    yield "Box", pp.Box(-1, 1.5), None
    yield "Simplex", pp.Simplex(8, 1.0), None
    yield "Simplex, radius 3", pp.Simplex(8, 3.0), None
    yield "AffineSet", pp.AffineSet(DENSE(A), np.ones(3), 50), None
    yield "Quadratic", pp.Quadratic(DENSE(A.T @ A), draw(8, seed=3), 1.0, niter=200), None
    yield "L0", pp.L0(0.7), None
    yield "L0Ball", pp.L0Ball(3), None
    yield "L10Ball", pp.L10Ball(2, 2), None
    yield "L1", pp.L1(0.7), None
    yield "L1, centre", pp.L1(0.7, g=draw(8, seed=4)), None
    yield "L1Ball", pp.L1Ball(8, 2.0), None
    yield "Euclidean", pp.Euclidean(0.7), None
    yield "EuclideanBall", pp.EuclideanBall(np.zeros(8), 1.5), None
    yield "EuclideanBall, centre", pp.EuclideanBall(np.ones(8), 1.5), None
    yield "L2", pp.L2(), None
    yield "L2, b", pp.L2(b=draw(8, seed=5), sigma=0.7), None
    yield "L2, b and q", pp.L2(b=draw(8, seed=5), q=draw(8, seed=6), sigma=0.7, alpha=0.3), None
    yield "L2, operator", pp.L2(Op=DENSE(A), b=np.ones(3), sigma=0.7, niter=200), None
    yield "L21", pp.L21(2, 0.7), None
    yield "L21_plus_L1", pp.L21_plus_L1(0.7, 0.4), M.T
    yield "Huber", pp.Huber(0.6), None
    yield "HuberCircular", pp.HuberCircular(0.6), None
    yield "HuberCircular, within", pp.HuberCircular(6.0), None
    yield "TV, one axis", pp.TV((8,), 0.7, niter=2000, rtol=1e-14), None
    yield "TV, two axes", pp.TV((4, 3), 0.7, niter=2000, rtol=1e-14), M
    yield "RelaxedMumfordShah", pp.RelaxedMumfordShah(0.7, 1.0), None
    yield "Nuclear", pp.Nuclear((4, 3), 0.7), M
    yield "Nuclear, weighted", pp.Nuclear((4, 3), np.array([0.2, 0.7, 1.1])), M
    yield "NuclearBall", pp.NuclearBall((4, 3), 2.0), M
    yield "Orthogonal", pp.Orthogonal(pp.L1(0.7), DENSE(Q)), None
    yield "Orthogonal, b", pp.Orthogonal(pp.L1(0.7), DENSE(Q), b=np.ones(8)), None
    yield "SCAD", pp.SCAD(0.7), None
    yield "Log", pp.Log(0.7, 1.3), None
    yield "Log1", pp.Log1(0.7, 0.01), None
    yield "ETP", pp.ETP(0.7), None
    yield "Geman", pp.Geman(0.7), None
    yield "QuadraticEnvelopeCard", pp.QuadraticEnvelopeCard(0.7), None
    yield "QuadraticEnvelopeCardIndicator", pp.QuadraticEnvelopeCardIndicator(3), None
    yield "QuadraticEnvelopeRankL2", pp.QuadraticEnvelopeRankL2((4, 3), 2, draw(4, 3, seed=8)), M
    yield "SingularValuePenalty", pp.SingularValuePenalty((4, 3), pp.Log(0.7)), M
    yield "Hankel", pp.Hankel((4, 3)), M
    yield "HalfSpace", pp.HalfSpace(np.ones(8), -2.0), None
    yield (
        "GenericIntersectionProx",
        pp.GenericIntersectionProx([lambda x: np.clip(x, -1, 1), lambda x: np.maximum(x, 0)]),
        None,
    )
    yield "Intersection", pp.Intersection(2, 4, np.full((2, 2), 0.7), niter=2000, tol=1e-13), None
    yield "VStack", pp.VStack([pp.L1(0.7), pp.L2(sigma=0.5)], [4, 4]), None
    yield "Sum", pp.Sum([pp.L1(0.7), pp.Box(0, 10)], niter=3000, tol=1e-13), None


def smooth() -> Iterator[Case]:
    """Yield gradients."""
    for name, operator in (
        ("L2.grad", pp.L2()),
        ("L2.grad, b", pp.L2(b=draw(8, seed=5), sigma=0.7)),
        ("L2.grad, b and q", pp.L2(b=draw(8, seed=5), q=draw(8, seed=6), sigma=0.7, alpha=0.3)),
        ("L2.grad, operator", pp.L2(Op=DENSE(A), b=np.ones(3), sigma=0.7)),
        ("Quadratic.grad", pp.Quadratic(DENSE(A.T @ A), draw(8, seed=3), 1.0)),
        ("Quadratic.grad, not symmetric", pp.Quadratic(DENSE(draw(8, 8, seed=9)), draw(8, seed=3), 1.0)),
        ("Quadratic.grad, b alone", pp.Quadratic(b=draw(8, seed=3))),
        ("Huber.grad", pp.Huber(0.6)),
        ("Euclidean.grad", pp.Euclidean(0.7)),
        ("Orthogonal.grad", pp.Orthogonal(pp.L2(sigma=0.7), DENSE(Q))),
    ):
        yield gradient(name, operator, operator.grad, W, fault=FAULTS.get(name, ""))
