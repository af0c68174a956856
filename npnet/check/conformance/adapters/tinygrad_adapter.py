"""Computes an example of the conformance set with tinygrad: its tensors' methods and backward, in float64."""

from collections.abc import Callable
from typing import Any

from tinygrad import Tensor

from npnet.check.conformance import Example
from npnet.check.conformance.formulas import value_of

__all__ = ["FUNCTIONS", "evaluate"]


def _cross_entropy(Z: Any, t: Any, w: Any) -> Any:
    return (w * Z.cross_entropy(Tensor(t), reduction="none")).sum() / w.sum()


def _group_lasso(d: Any, s: Any, epsilon: float) -> Any:
    return d.shape[0] ** 0.5 * ((s * d**2).sum(0) + epsilon**2).sqrt().sum()


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "linear": lambda X, W, b: X @ W + b,
    "relu": lambda X: X.relu(),
    "tanh": lambda X: X.tanh(),
    "sigmoid": lambda X: X.sigmoid(),
    "normalise": lambda X, gamma: gamma * X / (X**2).sum(-1, keepdim=True).sqrt(),
    "cross_entropy": _cross_entropy,
    "squared_error": lambda Z, T: ((Z - T) ** 2).sum() / (2 * Z.shape[0]),
    "sum": lambda Z: Z.sum(),
    "l2": lambda d, s: (s * d**2).sum() / 2,
    "l1": lambda d, s, epsilon: (s * ((d**2 + epsilon**2).sqrt() if epsilon else d.abs())).sum(),
    "group_lasso": _group_lasso,
    "maximum": lambda X: X.maximum(0),
    "absolute": lambda X: X.abs(),
    "erf": lambda X: X.erf(),
    "elu": lambda X: X.elu(),
    "softplus": lambda X: X.softplus(),
    "clip": lambda X: X.clamp(0, 1),
    "power_zero": lambda X: X**0.0,
    "guarded_root": lambda X: (X > 0).where(X.sqrt(), 0),
    "written_sigmoid": lambda X: 1 / (1 + (-X).exp()),
    "larger": lambda X: X[:, 0].maximum(X[:, 1]),
    "largest": lambda X: X.max(-1),
    "product": lambda X: X.prod(-1),
    "deviation": lambda X: X.std(-1, correction=0),
    "cumulative_product": lambda X: X.cumprod(-1),
    "root_of_squares": lambda X: (X**2).sum(-1).sqrt(),
}


def evaluate(e: Example) -> tuple[Any, dict[str, Any]]:
    """Return value and gradients of an example."""
    arrays = {path: Tensor(a) for path, a in e.inputs.items()}
    value = value_of(e, FUNCTIONS, arrays, Tensor)
    gradients = value.gradient(*arrays.values())
    return value.item(), {path: g.numpy() for path, g in zip(arrays, gradients, strict=True)}
