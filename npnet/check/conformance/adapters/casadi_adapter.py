"""Computes an example of the conformance set with CasADi: its symbolic matrices (MX) and ca.gradient, in float64."""

from typing import Any

import casadi as ca
import numpy as np

from npnet.check.conformance import Example
from npnet.check.conformance.formulas import value_of

__all__ = ["FUNCTIONS", "evaluate"]


def _matrix(a: Any) -> Any:
    return ca.DM(np.atleast_2d(a))


def _cross_entropy(Z: Any, t: Any, w: Any) -> Any:
    logs = [ca.logsumexp(Z[n, :].T) - Z[n, int(label)] for n, label in enumerate(t)]
    return ca.mtimes(w, ca.vertcat(*logs)) / ca.sum2(w)


FUNCTIONS = {
    "linear": lambda X, W, b: ca.mtimes(X, W) + ca.repmat(b, X.shape[0], 1),
    "relu": lambda X: ca.if_else(X > 0, X, 0),
    "tanh": ca.tanh,
    "sigmoid": lambda X: 1 / (1 + ca.exp(-X)),
    "normalise": lambda X, gamma: (
        ca.repmat(gamma, X.shape[0], 1) * X / ca.repmat(ca.sqrt(ca.sum2(X**2)), 1, X.shape[1])
    ),
    "cross_entropy": _cross_entropy,
    "squared_error": lambda Z, T: ca.sum1(ca.sum2((Z - T) ** 2)) / (2 * Z.shape[0]),
    "sum": lambda Z: ca.sum1(ca.sum2(Z)),
    "l2": lambda d, s: ca.sum1(ca.sum2(s * d**2)) / 2,
    "l1": lambda d, s, epsilon: ca.sum1(ca.sum2(s * (ca.sqrt(d**2 + epsilon**2) if epsilon else ca.fabs(d)))),
    "group_lasso": lambda d, s, epsilon: d.shape[0] ** 0.5 * ca.sum2(ca.sqrt(ca.sum1(s * d**2) + epsilon**2)),
    "maximum": lambda X: ca.fmax(X, 0),
    "absolute": ca.fabs,
    "erf": ca.erf,
    "clip": lambda X: ca.fmin(ca.fmax(X, 0), 1),
    "power_zero": lambda X: X**0.0,
    "guarded_root": lambda X: ca.if_else(X > 0, ca.sqrt(X), 0),
    "written_sigmoid": lambda X: 1 / (1 + ca.exp(-X)),
    "larger": lambda X: ca.fmax(X[:, 0], X[:, 1]),
    "largest": ca.mmax,
    "norm": ca.norm_2,
    "root_of_squares": lambda X: ca.sqrt(ca.sum2(X**2)),
}


def evaluate(e: Example) -> tuple[Any, dict[str, Any]]:
    """Return value and gradients of an example."""
    arrays = {path: ca.MX.sym(path, *np.atleast_2d(a).shape) for path, a in e.inputs.items()}
    value = value_of(e, FUNCTIONS, arrays, _matrix)
    derivatives = [ca.gradient(value, w) for w in arrays.values()]
    found = ca.Function("f", list(arrays.values()), [value, *derivatives])(*map(_matrix, e.inputs.values()))
    gradients = zip(e.inputs.items(), found[1:], strict=True)
    return float(found[0]), {path: np.array(g).reshape(a.shape) for (path, a), g in gradients}
