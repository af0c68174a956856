"""GELU, and the normal distribution that it is made of, right to a few units in the last place for every X.

    Y = X Φ(X)        slope Φ + X φ        curvature φ (2 − X²)

NumPy has no Φ. Below zero Φ(x) = ½ e^{−x²/2} r(−x/√2), and Φ(x) = 1 − Φ(−x) above. r(u) = e^{u²} erfc(u) falls slowly
and smoothly: (1 + 2u) r(u) is a short series of Chebyshev polynomials in t = (u − 3)/(u + 3).
"""

import numpy as np

from npnet.activations import Activation, register
from npnet.arrays import Array, array_module

__all__ = ["gelu"]

_SERIES = (  # the coefficients of T₀(t), T₁(t), ..., computed with fifty digits
    1.17756257419656,
    0.005353904539615676,
    -0.09377550342284209,
    0.05436652555744322,
    -0.018976596707845208,
    0.004453426061462712,
    -0.0006335531710553147,
    1.7661719523171593e-05,
    1.2841532864056671e-05,
    -2.0072285659059913e-06,
    -1.807522790414837e-07,
    7.549828343825093e-08,
    1.885668523838603e-09,
    -2.699519049798364e-09,
    -1.460079119939105e-11,
    1.0361607445969489e-10,
    1.475715976623473e-12,
    -4.277340064396911e-12,
    -2.07922492859799e-13,
    1.8134502003176963e-13,
    1.973425574544739e-14,
    -7.287943737592673e-15,
    -1.5169878690228116e-15,
    2.3514112258781403e-16,
    1.0006111691821667e-16,
    -2.0572528169538546e-18,
    -5.608608218863183e-18,
    -5.546884725994431e-19,
)
_FARTHEST = 40  # beyond it Φ(−x) is 0 in double precision


def _bell(X: Array) -> Array:
    """Return e^{−x²/2}, with x² as a short square, which is exact, and the small rest: rounding x² would show."""
    xp = array_module(X)
    short = xp.round(16 * X.real) / 16
    return xp.exp(-short * short / 2) * xp.exp(-(X - short) * (X + short) / 2)


def _phi(X: Array) -> Array:
    """Return Φ(x)."""
    xp = array_module(X)
    away = xp.where(X.real < 0, -X, X)
    away = xp.where(away.real > _FARTHEST, _FARTHEST, away)
    u = away * 0.5**0.5
    t = (u - 3) / (u + 3)
    upper, lower = 0.0 * t, 0.0 * t  # Clenshaw's recurrence
    for c in reversed(_SERIES[1:]):
        upper, lower = 2 * t * upper - lower + c, upper
    below = 0.5 * _bell(away) * (t * upper - lower + _SERIES[0]) / (1 + 2 * u)
    return xp.where(X.real < 0, below, 1 - below)


def _density(X: Array) -> Array:
    """Return φ(x) = e^{−x²/2}/√(2π)."""
    xp = array_module(X)
    return _bell(xp.where(abs(X.real) > _FARTHEST, _FARTHEST, X)) * (2 * np.pi) ** -0.5


def _wide(X: Array) -> Array:
    """Return X in double precision: the series is made for it."""
    return X.astype(np.promote_types(X.dtype, np.float64), copy=False)


@np.errstate(under="ignore")
def _gelu(X: Array) -> Array:
    return (X * _phi(_wide(X))).astype(X.dtype, copy=False)


@np.errstate(under="ignore")
def _gelu_slope(X: Array, Y: Array) -> Array:
    x = _wide(X)
    return (_phi(x) + x * _density(x)).astype(X.dtype, copy=False)


@np.errstate(under="ignore")
def _gelu_curvature(X: Array, Y: Array) -> Array:
    x = _wide(X)
    root = 2**0.5
    return (_density(x) * (root - x) * (root + x)).astype(X.dtype, copy=False)


gelu = Activation("gelu", _gelu, _gelu_slope, _gelu_curvature)
"""Y = X Φ(X), Φ the normal distribution function: the exact form, PyTorch's and Keras's default. Source: Hendrycks and
Gimpel 2016. Near the zeros of slope and curvature their terms cancel."""

register(gelu)
