"""Smooth activations, each right to a few units in the last place for every X: tanh, sigmoid, softplus and SiLU.

Their tails need care: far from 0 a sum with 1 loses what is left of them. E = e^{−|x|} keeps every digit, and
underflows to 0 only where the tail itself does, which is no error.
"""

import numpy as np

from npnet.activations import Activation, register
from npnet.arrays import Array, array_module

__all__ = ["sigmoid", "silu", "softplus", "tanh"]


@np.errstate(under="ignore")
def _tanh(X: Array) -> Array:
    return array_module(X).tanh(X)


@np.errstate(under="ignore", over="ignore")
def _tanh_slope(X: Array, Y: Array) -> Array:
    return 4 * _sigmoid_slope(2.0 * X, Y)


@np.errstate(under="ignore")
def _sigmoid(X: Array) -> Array:
    E = _tail(X)
    return array_module(X).where(X.real < 0, E, 1) / (1 + E)


@np.errstate(under="ignore")
def _sigmoid_slope(X: Array, Y: Array) -> Array:
    E = _tail(X)
    return E / ((1 + E) * (1 + E))


def _tail(X: Array) -> Array:
    """Return e^{−|x|}; 0.0 − x, for −x of unsigned whole numbers would wrap around."""
    xp = array_module(X)
    return xp.exp(xp.where(X.real < 0, X, 0.0 - X))


@np.errstate(under="ignore")
def _tanh_curvature(X: Array, Y: Array) -> Array:
    return -2 * Y * _tanh_slope(X, Y)


@np.errstate(under="ignore")
def _sigmoid_curvature(X: Array, Y: Array) -> Array:
    return -_tanh(X / 2) * _sigmoid_slope(X, Y)


@np.errstate(under="ignore")
def _softplus(X: Array) -> Array:
    xp = array_module(X)
    return xp.where(X.real < 0, 0, X) + xp.log1p(_tail(X))


@np.errstate(under="ignore")
def _silu(X: Array) -> Array:
    return X * _sigmoid(X)


@np.errstate(under="ignore")
def _silu_slope(X: Array, Y: Array) -> Array:
    return _sigmoid(X) + X * _sigmoid_slope(X, Y)


@np.errstate(under="ignore")
def _silu_curvature(X: Array, Y: Array) -> Array:
    return _sigmoid_slope(X, Y) * (2 - X * _tanh(X / 2))


tanh = Activation("tanh", _tanh, _tanh_slope, _tanh_curvature)
"""Y = tanh X; slope 1 − Y² = 4E / (1 + E)² with E = e^{−2|x|}, which loses no digits where Y is near ±1."""

sigmoid = Activation("sigmoid", _sigmoid, _sigmoid_slope, _sigmoid_curvature)
"""Y = 1 / (1 + e⁻ˣ) = E / (1 + E) where X < 0 and 1 / (1 + E) elsewhere, E = e^{−|x|}, which cannot overflow; slope
Y (1 − Y) = E / (1 + E)². Both are right to a few units in the last place for every X."""

softplus = Activation("softplus", _softplus, lambda X, Y: _sigmoid(X), _sigmoid_slope)
"""Y = log(1 + eˣ) = max(0, X) + log(1 + E); slope the sigmoid."""

silu = Activation("silu", _silu, _silu_slope, _silu_curvature)
"""Y = X σ(X), also called swish; slope σ + X σ′, curvature σ′ (2 − X tanh(X/2)), with σ the sigmoid. Source: Elfwing,
Uchibe and Doya 2018, equation 5. Near the zeros of slope and curvature their terms cancel."""

register(tanh, sigmoid, softplus, silu)
