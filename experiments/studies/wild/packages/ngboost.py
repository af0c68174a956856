"""NGBoost: gradients of the scores of distributions by their parameters, which its trees are fitted to."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np
from ngboost.distns.multivariate_normal import MultivariateNormal

from experiments.studies.wild.case import Case, draw

__all__ = ["cases"]

N = 3
SMALL = "read in the source; too small for the referee"
CENSORED = np.array([(True, 0.5), (False, 1.2), (True, 0.8)], dtype=[("Event", bool), ("Time", float)])
SCORES = (  # module, distribution, score, what is wrong
    ("cauchy", "Cauchy", "TFixedDfLogScore", ""),
    ("exponential", "Exponential", "ExponentialLogScore", "1e-10 is added in the logarithm of the value alone"),
    ("exponential", "Exponential", "ExponentialCRPScore", ""),
    ("gamma", "Gamma", "GammaLogScore", "1e-10 is added in the logarithm of the gradient alone"),
    ("halfnormal", "HalfNormal", "HalfNormalLogScore", ""),
    ("laplace", "Laplace", "LaplaceLogScore", ""),
    ("laplace", "Laplace", "LaplaceCRPScore", ""),
    ("lognormal", "LogNormal", "LogNormalLogScoreCensored", ""),
    ("lognormal", "LogNormal", "LogNormalCRPScoreCensored", ""),
    ("normal", "Normal", "NormalLogScore", ""),
    ("normal", "Normal", "NormalCRPScore", ""),
    ("normal", "NormalFixedMean", "NormalFixedMeanLogScore", ""),
    ("normal", "NormalFixedMean", "NormalFixedMeanCRPScore", ""),
    ("normal", "NormalFixedVar", "NormalFixedVarLogScore", ""),
    ("normal", "NormalFixedVar", "NormalFixedVarCRPScore", ""),
    ("poisson", "Poisson", "PoissonLogScore", ""),
    ("t", "T", "TLogScore", ""),
    ("t", "TFixedDf", "TFixedDfLogScore", ""),
    ("t", "TFixedDfFixedVar", "TFixedDfFixedVarLogScore", ""),
    ("weibull", "Weibull", "WeibullLogScore", ""),
)


def _case(name: str, distribution: Any, score: Any, outcomes: Any, fault: str, reason: str = "") -> Case:
    """Return the case of a score as a function of parameters, (parameters, examples)."""
    both = type(name, (score, distribution), {})

    def f(p: Any) -> Any:
        here = both(p)
        return here.score(outcomes), here.d_score(outcomes).T.copy()

    return Case(f"{name}.d_score", f, (draw(distribution.n_params, N, seed=3) / 2,), fault, reason)


def cases() -> Iterator[Case]:
    """Yield them."""
    for module, name, score, fault in SCORES:
        file = import_module(f"ngboost.distns.{module}")
        outcomes: Any = abs(draw(N, seed=7)) + 0.4
        if module in ("exponential", "lognormal"):
            outcomes = CENSORED
        elif module == "poisson":
            outcomes = np.array([1, 4, 2])
        said = f"{name} {score.removeprefix(name)}"
        yield _case(said, getattr(file, name), getattr(file, score), outcomes, fault, SMALL if fault else "")
    score = import_module("ngboost.distns.multivariate_normal").MVNLogScore
    for k in (2, 3):
        ridge = "1e-6 is added to the diagonal in the value alone"
        yield _case(f"MultivariateNormal {k}", MultivariateNormal(k), score, draw(N, k, seed=9), ridge)
