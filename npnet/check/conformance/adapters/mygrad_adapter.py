"""Computes an example of the conformance set with MyGrad: its NumPy and its tensors' backward, in float64."""

from typing import Any

import mygrad as mg
from mygrad.nnet.activations import elu, relu, sigmoid

from npnet.check.conformance import Example
from npnet.check.conformance.formulas import value_of

__all__ = ["FUNCTIONS", "evaluate"]


def _cross_entropy(Z: Any, t: Any, w: Any) -> Any:
    logs = mg.nnet.activations.logsoftmax(Z)[range(len(t)), t]
    return -mg.sum(w * logs) / w.sum()


def _group_lasso(d: Any, s: Any, epsilon: float) -> Any:
    if epsilon:
        return len(d) ** 0.5 * mg.sum(mg.sqrt(mg.sum(s * d**2, 0) + epsilon**2))
    return len(d) ** 0.5 * mg.sum(mg.linalg.norm(s**0.5 * d, axis=0))


FUNCTIONS = {
    "linear": lambda X, W, b: mg.matmul(X, W) + b,
    "relu": relu,
    "tanh": mg.tanh,
    "sigmoid": sigmoid,
    "normalise": lambda X, gamma: gamma * X / mg.linalg.norm(X, axis=-1, keepdims=True),
    "cross_entropy": _cross_entropy,
    "squared_error": lambda Z, T: mg.sum((Z - T) ** 2) / (2 * len(Z)),
    "sum": mg.sum,
    "l2": lambda d, s: mg.sum(s * d**2) / 2,
    "l1": lambda d, s, epsilon: mg.sum(s * (mg.sqrt(d**2 + epsilon**2) if epsilon else mg.abs(d))),
    "group_lasso": _group_lasso,
    "maximum": lambda X: mg.maximum(X, 0),
    "absolute": mg.abs,
    "elu": lambda X: elu(X, 1.0),
    "softplus": lambda X: mg.logaddexp(X, 0.0),
    "clip": lambda X: mg.clip(X, 0, 1),
    "power_zero": lambda X: X**0.0,
    "guarded_root": lambda X: mg.where(X > 0, mg.sqrt(X), 0.0),
    "written_sigmoid": lambda X: 1 / (1 + mg.exp(-X)),
    "larger": lambda X: mg.maximum(X[:, 0], X[:, 1]),
    "largest": lambda X: mg.max(X, axis=-1),
    "product": lambda X: mg.prod(X, axis=-1),
    "deviation": lambda X: mg.std(X, axis=-1),
    "cumulative_product": lambda X: mg.cumprod(X, axis=-1),
    "norm": lambda X: mg.linalg.norm(X, axis=-1),
    "root_of_squares": lambda X: mg.sqrt(mg.sum(X**2, axis=-1)),
}


def evaluate(e: Example) -> tuple[Any, dict[str, Any]]:
    """Return value and gradients of an example."""
    arrays = {path: mg.tensor(a) for path, a in e.inputs.items()}
    value = value_of(e, FUNCTIONS, arrays)
    value.backward()
    return value.item(), {path: w.grad for path, w in arrays.items()}
