"""Computes an example of the conformance set with PyTensor: its symbolic functions and its gradients, in float64."""

from typing import Any

import pytensor
import pytensor.tensor as pt

from npnet.check.conformance import Example
from npnet.check.conformance.formulas import value_of

__all__ = ["FUNCTIONS", "evaluate"]


def _cross_entropy(Z: Any, t: Any, w: Any) -> Any:
    return -(w * pt.special.log_softmax(Z, axis=-1)[pt.arange(len(t)), t]).sum() / w.sum()


def _group_lasso(d: Any, s: Any, epsilon: float) -> Any:
    return len(s) ** 0.5 * pt.sqrt((s * d**2).sum(0) + epsilon**2).sum()


FUNCTIONS = {
    "linear": lambda X, W, b: X @ W + b,
    "relu": lambda X: pt.switch(X > 0, X, 0),
    "tanh": pt.tanh,
    "sigmoid": pt.sigmoid,
    "normalise": lambda X, gamma: gamma * X / pt.sqrt((X**2).sum(-1, keepdims=True)),
    "cross_entropy": _cross_entropy,
    "squared_error": lambda Z, T: ((Z - T) ** 2).sum() / (2 * len(T)),
    "sum": pt.sum,
    "l2": lambda d, s: (s * d**2).sum() / 2,
    "l1": lambda d, s, epsilon: (s * (pt.sqrt(d**2 + epsilon**2) if epsilon else pt.abs(d))).sum(),
    "group_lasso": _group_lasso,
    "maximum": lambda X: pt.maximum(X, 0),
    "absolute": pt.abs,
    "erf": pt.erf,
    "softplus": pt.softplus,
    "clip": lambda X: pt.clip(X, 0, 1),
    "power_zero": lambda X: X**0.0,
    "guarded_root": lambda X: pt.where(X > 0, pt.sqrt(X), 0),
    "written_sigmoid": lambda X: 1 / (1 + pt.exp(-X)),
    "larger": lambda X: pt.maximum(X[:, 0], X[:, 1]),
    "largest": lambda X: X.max(-1),
    "product": lambda X: X.prod(-1),
    "deviation": lambda X: X.std(-1),
    "cumulative_product": lambda X: pt.cumprod(X, -1),
    "norm": lambda X: pt.linalg.norm(X, axis=-1),
    "root_of_squares": lambda X: pt.sqrt((X**2).sum(-1)),
}


def evaluate(e: Example) -> tuple[Any, dict[str, Any]]:
    """Return value and gradients of an example."""
    arrays = {path: pt.tensor(dtype="float64", shape=a.shape) for path, a in e.inputs.items()}
    value = value_of(e, FUNCTIONS, arrays)
    outputs = [value, *pytensor.grad(value, list(arrays.values()), disconnected_inputs="ignore")]
    found, *gradients = pytensor.function(list(arrays.values()), outputs)(*e.inputs.values())
    return found, dict(zip(arrays, gradients, strict=True))
