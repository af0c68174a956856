"""GPy and paramz: links, likelihoods and their parameters, transformations of parameters, kernels."""

from collections.abc import Iterator
from typing import Any

import GPy
import numpy as np
from GPy.likelihoods import link_functions as links
from paramz import transformations as tf

from experiments.studies.wild.case import Case, draw, elementwise, gradient

__all__ = ["cases"]

F = np.array([[-1.2], [-0.3], [0.4], [1.1]])
ABOVE = abs(F) + 0.3
X = draw(6, 2)
ELSEWHERE = {"Gaussian.d3logpdf_df3", *(f"Gaussian, Log.d{n}logpdf_dlink{n}" for n in ("", "2", "3"))}
"""The first is zero throughout with the identity as its link. The others are the same functions with any link."""


def cases() -> Iterator[Case]:
    """Yield them."""
    yield from link_functions()
    yield from likelihoods()
    yield from transformations()
    yield from kernels()


def link_functions() -> Iterator[Case]:
    """Yield three derivatives of each link."""
    for name in ("Identity", "Probit", "Cloglog", "Log", "Log_ex_1", "Reciprocal"):
        link = getattr(links, name)()
        x = ABOVE if name == "Reciprocal" else F
        slopes = (link.transf, link.dtransf_df, link.d2transf_df2, link.d3transf_df3)
        for order in (1, 2, 3):
            yield elementwise(f"{name}, derivative {order}", slopes[order - 1], slopes[order], x)


def likelihoods() -> Iterator[Case]:
    """Yield three derivatives of each log likelihood in its link, and in the function under it."""
    L = GPy.likelihoods
    counts, binary = np.array([[1.0], [0.0], [3.0], [2.0]]), np.array([[1.0], [0.0], [1.0], [1.0]])
    for name, of, y, f, meta in (
        ("Gaussian", L.Gaussian(variance=0.7), F[::-1].copy(), F, None),
        ("Gaussian, Log", L.Gaussian(links.Log(), variance=0.7), F[::-1].copy(), F, None),
        ("Bernoulli", L.Bernoulli(), binary, F, None),
        ("Poisson", L.Poisson(), counts, F, None),
        ("Exponential", L.Exponential(), ABOVE, F, None),
        ("Gamma", L.Gamma(beta=1.3), ABOVE, F, None),
        ("StudentT", L.StudentT(deg_free=4.3, sigma2=0.7), F[::-1].copy(), F, None),
        ("Weibull", L.Weibull(beta=1.3), ABOVE, F, None),
        ("LogLogistic", L.LogLogistic(r=1.3), ABOVE, F, None),
        ("Binomial", L.Binomial(), counts, F, {"trials": np.full((4, 1), 4.0)}),
    ):
        z = of.gp_link.transf(f)
        for at, functions in (
            (z, ("logpdf_link", "dlogpdf_dlink", "d2logpdf_dlink2", "d3logpdf_dlink3")),
            (f, ("logpdf", "dlogpdf_df", "d2logpdf_df2", "d3logpdf_df3")),
        ):
            for order in (1, 2, 3):
                one, other = (getattr(of, functions[order - i], None) for i in (1, 0))
                if one is None or other is None or f"{name}.{functions[order]}" in ELSEWHERE:
                    continue
                yield elementwise(
                    f"{name}.{functions[order]}",
                    lambda z, g=one, y=y, m=meta: np.asarray(g(z, y, Y_metadata=m)).reshape(-1, 1),
                    lambda z, g=other, y=y, m=meta: np.asarray(g(z, y, Y_metadata=m)).reshape(-1, 1),
                    at,
                )


def transformations() -> Iterator[Case]:
    """Yield factors of gradients under a change of parameters."""
    x = F.ravel()
    for name, t in (
        ("Logexp", tf.Logexp()),
        ("Exponent", tf.Exponent()),
        ("NegativeLogexp", tf.NegativeLogexp()),
        ("NegativeExponent", tf.NegativeExponent()),
        ("Square", tf.Square()),
        ("Logistic", tf.Logistic(-1.0, 2.0)),
    ):
        fault = "the sign: −exp(x) has itself as its slope" if name == "NegativeExponent" else ""
        yield elementwise(
            f"{name}.gradfactor",
            t.f,
            lambda x, t=t: t.gradfactor(t.f(x), np.ones(x.shape)),
            ABOVE.ravel() if name == "Square" else x,
            fault=fault,
        )


def kernels() -> Iterator[Case]:
    """Yield kernels in their parameters and in their inputs, weighed by drawn numbers."""
    K = GPy.kern
    dL = draw(6, 6, seed=1)
    for name, kernel in (
        ("RBF", K.RBF(2, 1.3, 0.7)),
        ("RBF, ARD", K.RBF(2, 1.3, [0.7, 1.9], ARD=True)),
        ("Exponential", K.Exponential(2, 1.3, 0.7)),
        ("Matern32", K.Matern32(2, 1.3, 0.7)),
        ("Matern52", K.Matern52(2, 1.3, 0.7)),
        ("OU", K.OU(2, 1.3, 0.7)),
        ("ExpQuad", K.ExpQuad(2, 1.3, 0.7)),
        ("RatQuad", K.RatQuad(2, 1.3, 0.7, 2.0)),
        ("Cosine", K.Cosine(2, 1.3, 0.7)),
        ("Linear", K.Linear(2, [1.3, 0.4], ARD=True)),
        ("MLP", K.MLP(2, 1.3, 0.7, 0.4)),
        ("Poly", K.Poly(2, 1.3, 0.7, 0.4, order=3.0)),
        ("StdPeriodic", K.StdPeriodic(2, 1.3, 2.7, 0.6)),
        ("Bias", K.Bias(2, 1.3)),
        ("White", K.White(2, 1.3)),
        ("Add", K.RBF(2, 1.3, 0.7) + K.Linear(2)),
        ("Prod", K.RBF(2, 1.3, 0.7) * K.Matern32(2)),
        ("Spline", K.Spline(1, 1.3, 0.7)),
        ("Brownian", K.Brownian(1, 1.3)),
    ):
        x = abs(X[:, :1]) + 0.1 if name in ("Spline", "Brownian") else X
        yield _in_parameters(name, kernel, x, dL)
        if name not in ("Spline", "Brownian", "White", "Poly"):
            yield gradient(
                f"{name}.gradients_X",
                lambda x, k=kernel: (dL[:, :4] * k.K(x, X[:4] + 0.5)).sum(),
                lambda x, k=kernel: np.array(k.gradients_X(dL[:, :4].copy(), x, X[:4] + 0.5)),
                x,
            )


def _in_parameters(name: str, kernel: Any, x: Any, dL: Any) -> Case:
    def slope(p: Any) -> Any:
        kernel[:] = p
        kernel.update_gradients_full(dL.copy(), x)
        return kernel.gradient.copy()

    def value(p: Any) -> Any:
        kernel[:] = p
        return (dL * kernel.K(x.copy())).sum()

    return gradient(f"{name}.update_gradients_full", value, slope, kernel.param_array.copy())
