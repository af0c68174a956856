"""Computes an example of the conformance set with HIPS autograd: its NumPy and value_and_grad, in float64."""

from typing import Any

import autograd.numpy as anp
from autograd import value_and_grad
from autograd.scipy.special import erf, expit

from npnet.check.conformance import Example
from npnet.check.conformance.formulas import value_of

__all__ = ["FUNCTIONS", "evaluate"]


def _cross_entropy(Z: Any, t: Any, w: Any) -> Any:
    peak = anp.max(Z, axis=1)
    logs = peak + anp.log(anp.sum(anp.exp(Z - peak[:, None]), axis=1)) - Z[anp.arange(len(Z)), t]
    return anp.sum(w * logs) / anp.sum(w)


def _group_lasso(d: Any, s: Any, epsilon: float) -> Any:
    return len(d) ** 0.5 * anp.sum(anp.sqrt(anp.sum(s * d**2, axis=0) + epsilon**2))


FUNCTIONS = {
    "linear": lambda X, W, b: anp.dot(X, W) + b,
    "relu": lambda X: X * (X > 0),
    "tanh": anp.tanh,
    "sigmoid": expit,
    "normalise": lambda X, gamma: gamma * X / anp.sqrt(anp.sum(X**2, axis=-1, keepdims=True)),
    "cross_entropy": _cross_entropy,
    "squared_error": lambda Z, T: anp.sum((Z - T) ** 2) / (2 * len(Z)),
    "sum": anp.sum,
    "l2": lambda d, s: anp.sum(s * d**2) / 2,
    "l1": lambda d, s, epsilon: anp.sum(s * (anp.sqrt(d**2 + epsilon**2) if epsilon else anp.abs(d))),
    "group_lasso": _group_lasso,
    "maximum": lambda X: anp.maximum(X, 0),
    "absolute": anp.abs,
    "erf": erf,
    "softplus": lambda X: anp.logaddexp(X, 0),
    "clip": lambda X: anp.clip(X, 0, 1),
    "power_zero": lambda X: X**0.0,
    "guarded_root": lambda X: anp.where(X > 0, anp.sqrt(X), 0),
    "written_sigmoid": lambda X: 1 / (1 + anp.exp(-X)),
    "larger": lambda X: anp.maximum(X[:, 0], X[:, 1]),
    "largest": lambda X: anp.max(X, axis=-1),
    "product": lambda X: anp.prod(X, axis=-1),
    "deviation": lambda X: anp.std(X, axis=-1),
    "norm": lambda X: anp.linalg.norm(X, axis=-1),
    "root_of_squares": lambda X: anp.sqrt(anp.sum(X**2, axis=-1)),
}


def evaluate(e: Example) -> tuple[Any, dict[str, Any]]:
    """Return value and gradients of an example."""
    return value_and_grad(lambda arrays: value_of(e, FUNCTIONS, arrays))(e.inputs)
