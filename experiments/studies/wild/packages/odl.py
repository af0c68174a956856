"""ODL: functionals with gradients, proximal operators and convex conjugates, for inverse problems."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import odl
from odl.functionals import default_functionals as fn
from odl.functionals.example_funcs import RosenbrockFunctional

from experiments.studies.wild.case import Case, draw, gradient, prox

__all__ = ["cases"]

SPACE = odl.rn(6)
W = 2 * draw(6)
POSITIVE = abs(draw(6, seed=1)) + 0.2


def _value(f: Any) -> Any:
    if isinstance(f, fn.MoreauEnvelope):  # odl has its gradient alone; the value is the formula in its docstring
        return lambda v: np.where(abs(v) <= f.sigma, v * v / (2 * f.sigma), abs(v) - f.sigma / 2).sum()
    return lambda v: float(f(SPACE.element(v)))


def _gradient(f: Any) -> Any:
    return lambda v: f.gradient(SPACE.element(v)).data.copy()


def _prox(f: Any) -> Any:
    return lambda w, t: f.proximal(t)(SPACE.element(w)).data.copy()


def functionals() -> Iterator[tuple[str, Any, Any]]:
    """Yield functionals with an argument."""
    prior = SPACE.element(abs(draw(6, seed=2)) + 0.3)
    yield "L1Norm", fn.L1Norm(SPACE), W
    yield "L2Norm", fn.L2Norm(SPACE), W
    yield "L2NormSquared", fn.L2NormSquared(SPACE), W
    yield "LpNorm inf", fn.LpNorm(SPACE, np.inf), W
    yield "Huber", fn.Huber(SPACE, 0.6), W
    yield "ZeroFunctional", fn.ZeroFunctional(SPACE), W
    yield "KullbackLeibler", fn.KullbackLeibler(SPACE, prior), POSITIVE
    yield "KullbackLeibler, no prior", fn.KullbackLeibler(SPACE), POSITIVE
    yield "KullbackLeiblerCrossEntropy", fn.KullbackLeiblerCrossEntropy(SPACE, prior), POSITIVE
    yield "KullbackLeiblerConvexConj", fn.KullbackLeiblerConvexConj(SPACE, prior), 1 - POSITIVE
    yield "KullbackLeiblerCrossEntropyConvexConj", fn.KullbackLeiblerCrossEntropyConvexConj(SPACE, prior), W
    yield "IndicatorBox", fn.IndicatorBox(SPACE, -0.5, 1.0), W
    yield "IndicatorNonnegativity", fn.IndicatorNonnegativity(SPACE), W
    yield "IndicatorSimplex", fn.IndicatorSimplex(SPACE, 2.0), W
    yield "IndicatorSumConstraint", fn.IndicatorSumConstraint(SPACE, 2.0), W
    yield "IndicatorLpUnitBall 1", fn.IndicatorLpUnitBall(SPACE, 1), W
    yield "IndicatorLpUnitBall 2", fn.IndicatorLpUnitBall(SPACE, 2), W
    yield "IndicatorLpUnitBall inf", fn.IndicatorLpUnitBall(SPACE, np.inf), W
    yield "QuadraticForm, vector", fn.QuadraticForm(vector=SPACE.element(draw(6, seed=3)), constant=1.0), W
    matrix = odl.MatrixOperator(draw(6, 6, seed=4), SPACE, SPACE)
    yield "QuadraticForm", fn.QuadraticForm(matrix, SPACE.element(draw(6, seed=3)), 1.0), W
    yield "MoreauEnvelope of L1Norm", fn.MoreauEnvelope(fn.L1Norm(SPACE), 0.6), W
    yield "RosenbrockFunctional", RosenbrockFunctional(SPACE, 3.0), W
    l1, l2 = fn.L1Norm(SPACE), fn.L2NormSquared(SPACE)
    yield "translated L1Norm", l1.translated(SPACE.element(draw(6, seed=5))), W
    yield "translated L2NormSquared", l2.translated(SPACE.element(draw(6, seed=5))), W
    yield "3 * L1Norm", 3 * l1, W
    yield "L1Norm * 3", l1 * 3, W
    yield "L1Norm + constant", l1 + 2.0, W
    yield (
        "FunctionalQuadraticPerturb",
        odl.functionals.FunctionalQuadraticPerturb(l1, 0.4, SPACE.element(draw(6, seed=6))),
        W,
    )
    yield "FunctionalProduct", odl.functionals.FunctionalProduct(l2, fn.L2Norm(SPACE)), W
    yield "FunctionalQuotient", odl.functionals.FunctionalQuotient(l2, l2 + 1.0), W
    yield "L2NormSquared of a matrix", l2 * matrix, W
    yield (
        "BregmanDistance",
        odl.functionals.BregmanDistance(l2, SPACE.element(W / 2), l2.gradient(SPACE.element(W / 2))),
        W,
    )
    yield "convex conjugate of L2NormSquared", l2.convex_conj, W
    yield "convex conjugate of L1Norm", l1.convex_conj, W
    yield "convex conjugate of translated L1Norm", l1.translated(SPACE.element(draw(6, seed=5))).convex_conj, W


def cases() -> Iterator[Case]:
    """Yield the gradients and the proximal operators that there are."""
    for name, f, w in functionals():
        for what in ("gradient", "proximal"):
            try:
                _ = _gradient(f)(w) if what == "gradient" else _prox(f)(w, 0.6)
            except Exception:  # the functional has none
                continue
            if (
                what == "gradient"
                and "Indicator" not in name
                and "convex conjugate of L1" not in name
                and name[-17:] != "translated L1Norm"
            ):
                yield gradient(f"{name}.gradient", _value(f), _gradient(f), w)
            elif what == "proximal":
                yield prox(f"{name}.proximal", _value(f), _prox(f), w, 0.6)
