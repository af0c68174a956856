"""Defines every function of the conformance set by its formula, forward only, as an adapter of NumPy would.

It works in any real or complex precision. Choices at kinks look at the real part alone, so that the complex step gives
the subgradient of smallest norm: 0 for |x| and for a norm at 0, equal shares for the largest of equal numbers.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["FUNCTIONS"]


def _norms(X: Any, square: Any, axis: int) -> Any:
    """Return √square along an axis, and 0 without a slope where every number of X is 0."""
    zero = (X.real == 0).all(axis) & (square.real == 0)
    return np.where(zero, 0, np.sqrt(np.where(zero, 1, square)))


def _norm(X: Any) -> Any:
    return _norms(X, (X * X).sum(-1), -1)


def _normalise(X: Any, gamma: Any) -> Any:
    zero = (X.real == 0).all(-1, keepdims=True)
    return np.where(zero, 0, gamma * X / np.sqrt(np.where(zero, 1, (X * X).sum(-1, keepdims=True))))


def _largest(X: Any) -> Any:
    ties = X.real == X.real.max(-1, keepdims=True)
    return np.where(ties, X, 0).sum(-1) / ties.sum(-1)


def _log1p(z: Any) -> Any:
    """Return log(1 + z) for z with an infinitesimal imaginary part. NumPy's own loses the digits of a small z."""
    return np.log1p(z.real) + 1j * z.imag / (1 + z.real) if np.iscomplexobj(z) else np.log1p(z)


def _cross_entropy(Z: Any, t: Any, w: Any) -> Any:
    n = np.arange(len(Z))
    D = Z - Z[n, t][:, None]
    others = np.arange(Z.shape[1]) != t[:, None]
    return (w * _log1p((np.exp(D) * others).sum(-1))).sum() / w.sum()


def _erf(X: Any) -> Any:
    """Return erf by its series, for |X| of a few units: 2/√π Σ (−1)ⁿ x²ⁿ⁺¹ / (n! (2n + 1))."""
    term, total = X, X
    for n in range(1, 80):
        term = -term * X * X / n
        total = total + term / (2 * n + 1)
    return 2 * total / np.sqrt(4 * np.arctan(X.real.dtype.type(1)))


def _softplus(X: Any) -> Any:
    large = X.real > 0
    return np.where(large, X, 0) + _log1p(np.exp(np.where(large, -X, X)))


def _l1(d: Any, s: Any, epsilon: float) -> Any:
    return (s * (np.sqrt(d * d + d.real.dtype.type(epsilon) ** 2) if epsilon else d * np.sign(d.real))).sum()


def _group_lasso(d: Any, s: Any, epsilon: float) -> Any:
    precision = d.real.dtype.type
    return np.sqrt(precision(len(d))) * _norms(d, (s * d * d).sum(0) + precision(epsilon) ** 2, 0).sum()


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "linear": lambda X, W, b: X @ W + b,
    "relu": lambda X: np.where(X.real > 0, X, 0),
    "tanh": np.tanh,
    "sigmoid": lambda X: 1 / (1 + np.exp(-X)),
    "normalise": _normalise,
    "cross_entropy": _cross_entropy,
    "squared_error": lambda Z, T: ((Z - T) * (Z - T)).sum() / (2 * len(Z)),
    "sum": lambda Z: Z.sum(),
    "l2": lambda d, s: (s * d * d).sum() / 2,
    "l1": _l1,
    "group_lasso": _group_lasso,
    "maximum": lambda X: np.where(X.real > 0, X, 0),
    "absolute": lambda X: X * np.sign(X.real),
    "erf": _erf,
    "elu": lambda X: np.where(X.real > 0, X, np.exp(np.where(X.real > 0, 0, X)) - 1),
    "softplus": _softplus,
    "clip": lambda X: np.where((X.real > 0) & (X.real < 1), X, np.clip(X.real, 0, 1)),
    "power_zero": lambda X: 1 + 0 * X,
    "guarded_root": lambda X: np.where(X.real > 0, np.sqrt(np.where(X.real > 0, X, 1)), 0),
    "written_sigmoid": lambda X: 1 / (1 + np.exp(-X)),
    "larger": lambda X: _largest(X[:, :2]),
    "largest": _largest,
    "product": lambda X: X.prod(-1),
    "deviation": lambda X: _norm(X - X.mean(-1, keepdims=True)) / np.sqrt(X.real.dtype.type(X.shape[-1])),
    "cumulative_product": lambda X: np.cumprod(X, -1),
    "norm": _norm,
    "root_of_squares": _norm,
}
"""The functions that `formulas` describes."""
