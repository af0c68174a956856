"""statsmodels: links, variances, robust norms, scores and Hessians of regression models, copulas and penalties."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import statsmodels.api as sm
from statsmodels.base import _penalties as penalties
from statsmodels.discrete import conditional_models, count_model, discrete_model
from statsmodels.distributions.copula import transforms
from statsmodels.genmod import families
from statsmodels.genmod.families import varfuncs
from statsmodels.othermod.betareg import BetaModel
from statsmodels.robust import norms

from experiments.studies.wild.case import Case, draw, elementwise, gradient, jacobian

__all__ = ["cases"]

FAULTS = {
    "TransfFrank.deriv": "the sign: −log((1 − exp(−θt))/(1 − exp(−θ))) falls in t",
    "TransfGumbel.deriv2": "a power of log t, which is negative: not a number unless θ is whole",
}

P = np.array([0.13, 0.37, 0.62, 0.88])
Z = np.array([-1.3, -0.4, 0.3, 1.1])
ABOVE = np.array([0.4, 0.9, 1.7, 3.1])
X = np.column_stack([np.ones(30), draw(30, 2)])
BETA = np.array([0.3, -0.4, 0.25])
NOISE = draw(30, seed=1)
COUNTS = np.random.default_rng(2).poisson(np.exp(X @ BETA)).astype(float)
BINARY = (X @ BETA + NOISE > 0).astype(float)


def cases() -> Iterator[Case]:
    """Yield links, variances, norms, models, copulas and penalties."""
    yield from links()
    yield from variances_and_norms()
    yield from linear_models()
    yield from discrete_models()
    yield from other_models()
    yield from small_functions()


def links() -> Iterator[Case]:
    """Yield the two derivatives of each link and of its inverse."""
    L = families.links
    for name, link, p, z in (
        ("Logit", L.Logit(), P, Z),
        ("Probit", L.Probit(), P, Z),
        ("Cauchy", L.Cauchy(), P, Z),
        ("CLogLog", L.CLogLog(), P, Z),
        ("LogLog", L.LogLog(), P, Z),
        ("Log", L.Log(), ABOVE, Z),
        ("LogC", L.LogC(), P, -ABOVE),
        ("Sqrt", L.Sqrt(), ABOVE, ABOVE),
        ("InversePower", L.InversePower(), ABOVE, ABOVE),
        ("InverseSquared", L.InverseSquared(), ABOVE, ABOVE),
        ("Power(1.7)", L.Power(1.7), ABOVE, ABOVE),
        ("NegativeBinomial(0.8)", L.NegativeBinomial(0.8), ABOVE, -ABOVE),
    ):
        yield elementwise(f"{name}.deriv", link, link.deriv, p)
        yield elementwise(f"{name}.deriv2", link.deriv, link.deriv2, p)
        yield elementwise(f"{name}.inverse_deriv", link.inverse, link.inverse_deriv, z)
        yield elementwise(f"{name}.inverse_deriv2", link.inverse_deriv, link.inverse_deriv2, z)


def variances_and_norms() -> Iterator[Case]:
    """Yield derivatives of variance functions, ψ = ρ′ and ψ′ of robust norms."""
    for name, variance, mu in (
        ("constant", varfuncs.constant, ABOVE),
        ("mu", varfuncs.mu, ABOVE),
        ("mu_squared", varfuncs.mu_squared, ABOVE),
        ("Power(1.5)", varfuncs.Power(1.5), ABOVE),
        ("Binomial(3)", varfuncs.Binomial(3), 3 * P),
        ("NegativeBinomial(0.7)", varfuncs.NegativeBinomial(0.7), ABOVE),
    ):
        if hasattr(variance, "deriv"):
            yield elementwise(f"variance {name}.deriv", variance, variance.deriv, mu)
    z = np.array([-9.3, -3.7, -2.2, -0.9, 0.4, 1.2, 2.6, 4.4, 8.7])
    for norm in (
        norms.LeastSquares(),
        norms.HuberT(),
        norms.RamsayE(),
        norms.AndrewWave(),
        norms.TrimmedMean(),
        norms.Hampel(),
        norms.TukeyBiweight(),
        norms.TukeyQuartic(),
        norms.StudentT(),
        norms.MQuantileNorm(0.3, norms.HuberT()),
    ):
        name = type(norm).__name__
        yield elementwise(f"{name}.psi", norm.rho, norm.psi, z)
        yield elementwise(f"{name}.psi_deriv", norm.psi, norm.psi_deriv, z)


def model(name: str, of: Any, params: Any, fault: str = "", reason: str = "") -> Iterator[Case]:
    """Yield the score and the Hessian of a model. fault, reason: of the Hessian."""
    x = np.asarray(params, float)
    of._transparams = False  # the last parameter is α itself, as in results, and not its logarithm
    yield gradient(f"{name}.score", lambda p: float(of.loglike(p)), lambda p: np.asarray(of.score(p), float), x)
    yield jacobian(
        f"{name}.hessian",
        lambda p: np.asarray(of.score(p), float),
        lambda p: np.asarray(of.hessian(p)),
        x,
        fault,
        reason,
    )


def linear_models() -> Iterator[Case]:
    """Yield generalised linear models, each with several links, and least squares."""
    F, L = families, families.links
    for family, link, y in (
        (F.Gaussian, L.Identity, X @ BETA + NOISE),
        (F.Gaussian, L.Log, np.exp(X @ BETA) + 0.1 * NOISE),
        (F.Poisson, L.Log, COUNTS),
        (F.Poisson, L.Sqrt, COUNTS),
        (F.Binomial, L.Logit, BINARY),
        (F.Binomial, L.Probit, BINARY),
        (F.Binomial, L.CLogLog, BINARY),
        (F.Binomial, L.LogLog, BINARY),
        (F.Binomial, L.Cauchy, BINARY),
        (F.Gamma, L.Log, abs(NOISE) + 0.1),
        (F.Gamma, L.InversePower, abs(NOISE) + 0.1),
        (F.InverseGaussian, L.Log, abs(NOISE) + 0.1),
        (F.NegativeBinomial, L.Log, COUNTS),
        (F.NegativeBinomial, L.NegativeBinomial, COUNTS),
    ):
        beta = BETA if link not in (L.Sqrt, L.InversePower, L.NegativeBinomial) else np.array([3.0, 0.3, -0.2])
        beta = np.array([-3.0, 0.3, -0.2]) if link is L.NegativeBinomial else beta
        glm = sm.GLM(y, X, family=family(link()))
        name = f"GLM {family.__name__} {link.__name__}"
        yield gradient(
            f"{name}.score", lambda b, m=glm: m.loglike(b, scale=1.0), lambda b, m=glm: m.score(b, scale=1.0), beta
        )
        yield jacobian(
            f"{name}.hessian",
            lambda b, m=glm: m.score(b, scale=1.0),
            lambda b, m=glm: m.hessian(b, scale=1.0, observed=True),
            beta,
        )
    yield from model(
        "OLS", sm.OLS(X @ BETA + NOISE, X), BETA, "XᵀX/SSR where 2·XᵀX/SSR belongs, the scale being profiled out"
    )
    yield from model("PHReg Breslow", sm.PHReg(abs(NOISE), X[:, 1:], status=BINARY, ties="breslow"), BETA[1:])
    times = np.round(2 * abs(NOISE)) + 1
    yield from model("PHReg Efron", sm.PHReg(times, X[:, 1:], status=BINARY, ties="efron"), BETA[1:])


def discrete_models() -> Iterator[Case]:
    """Yield models of choices and counts."""
    D, extra = discrete_model, np.array([0.6])
    yield from model("Logit", D.Logit(BINARY, X), BETA)
    yield from model("Probit", D.Probit(BINARY, X), BETA)
    yield from model("Poisson", D.Poisson(COUNTS, X), BETA)
    chosen = np.random.default_rng(3).integers(0, 3, 30)
    yield from model("MNLogit", D.MNLogit(chosen, X), draw(6, seed=4) / 2)
    yield from model("NegativeBinomial nb2", D.NegativeBinomial(COUNTS, X), np.append(BETA, extra))
    yield from model(
        "NegativeBinomial nb1", D.NegativeBinomial(COUNTS, X, loglike_method="nb1"), np.append(BETA, extra)
    )
    yield from model("NegativeBinomial geometric", D.NegativeBinomial(COUNTS, X, loglike_method="geometric"), BETA)
    yield from model(
        "NegativeBinomialP",
        D.NegativeBinomialP(COUNTS, X, p=1.5),
        np.append(BETA, extra),
        "the derivative in β and α together, for p other than 1 and 2",
    )
    yield from model("GeneralizedPoisson", D.GeneralizedPoisson(COUNTS, X), np.append(BETA, 0.1))
    mixed, quotient = "the derivatives in inflation and β together", "partly by difference quotients: right to 5 digits"
    for name, kind, params, fault in (
        ("ZeroInflatedPoisson", count_model.ZeroInflatedPoisson, np.r_[-0.5, BETA], mixed),
        (
            "ZeroInflatedGeneralizedPoisson",
            count_model.ZeroInflatedGeneralizedPoisson,
            np.r_[-0.5, BETA, 0.1],
            quotient,
        ),
        ("ZeroInflatedNegativeBinomialP", count_model.ZeroInflatedNegativeBinomialP, np.r_[-0.5, BETA, 0.6], quotient),
    ):
        yield from model(
            name, kind(COUNTS, X), params, fault, "approx_fprime in its source" if fault is quotient else ""
        )


def other_models() -> Iterator[Case]:
    """Yield conditional models, and beta regression."""
    groups = np.repeat(np.arange(10), 3)
    for name, kind, y in (
        ("ConditionalLogit", conditional_models.ConditionalLogit, BINARY),
        ("ConditionalPoisson", conditional_models.ConditionalPoisson, COUNTS),
    ):
        of = kind(y, X[:, 1:], groups=groups)
        yield gradient(f"{name}.score", lambda b, m=of: m.loglike(b), lambda b, m=of: np.asarray(m.score(b)), BETA[1:])
    yield from model("BetaModel", BetaModel(1 / (1 + np.exp(-NOISE)), X), np.append(BETA, 1.1))


def small_functions() -> Iterator[Case]:
    """Yield copula generators, and penalties."""
    for name, of, theta in (
        ("TransfFrank", transforms.TransfFrank(), 1.7),
        ("TransfClayton", transforms.TransfClayton(), 1.7),
        ("TransfGumbel", transforms.TransfGumbel(), 1.7),
        ("TransfIndep", transforms.TransfIndep(), 1.7),
    ):
        args = () if name == "TransfIndep" else (theta,)
        for what, one, other, at in (
            ("deriv", of.evaluate, of.deriv, P),
            ("deriv2", of.deriv, of.deriv2, P),
            ("deriv_inverse", of.inverse, getattr(of, "deriv_inverse", None), ABOVE),
            ("deriv2_inverse", getattr(of, "deriv_inverse", None), getattr(of, "deriv2_inverse", None), ABOVE),
            ("deriv3_inverse", getattr(of, "deriv2_inverse", None), getattr(of, "deriv3_inverse", None), ABOVE),
            ("deriv4_inverse", getattr(of, "deriv3_inverse", None), getattr(of, "deriv4_inverse", None), ABOVE),
        ):
            if one is not None and other is not None:
                yield elementwise(
                    f"{name}.{what}",
                    lambda t, f=one, a=args: f(t, *a),
                    lambda t, f=other, a=args: np.asarray(f(t, *a)).real,
                    at,
                    fault=FAULTS.get(f"{name}.{what}", ""),
                )
    w = np.array([-2.3, -0.4, 0.2, 0.9, 5.1])
    for name, penalty in (
        ("L2", penalties.L2()),
        ("PseudoHuber", penalties.PseudoHuber(0.7)),
        ("L2, weights", penalties.L2(weights=np.array([0.3, 1.0, 2.0, 0.7, 0.4]))),
        ("SCAD", penalties.SCAD(0.7)),
        ("SCADSmoothed", penalties.SCADSmoothed(0.7)),
    ):
        yield gradient(
            f"penalty {name}.deriv", lambda p, f=penalty: float(f.func(p)), lambda p, f=penalty: f.deriv(p), w
        )
        yield elementwise(f"penalty {name}.deriv2", penalty.deriv, lambda p, f=penalty: _diagonal(f.deriv2(p)), w)


def _diagonal(second: Any) -> Any:
    return np.diag(second) if np.ndim(second) == 2 else second
