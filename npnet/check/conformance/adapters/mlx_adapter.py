"""Computes an example of the conformance set with MLX: its functions and mx.value_and_grad, float64 on the CPU."""

from functools import partial
from typing import Any

import mlx.core as mx
from mlx import nn

from npnet.check.conformance import Example
from npnet.check.conformance.formulas import value_of

__all__ = ["FUNCTIONS", "evaluate"]

mx.set_default_device(mx.cpu)  # float64 is known there alone


def _group_lasso(d: Any, s: Any, epsilon: float) -> Any:
    if epsilon:
        return len(d) ** 0.5 * mx.sqrt((s * d**2).sum(0) + epsilon**2).sum()
    return len(d) ** 0.5 * mx.linalg.norm(mx.sqrt(s) * d, axis=0).sum()


FUNCTIONS = {
    "linear": lambda X, W, b: X @ W + b,
    "relu": nn.relu,
    "tanh": mx.tanh,
    "sigmoid": mx.sigmoid,
    "normalise": lambda X, gamma: gamma * X / mx.linalg.norm(X, axis=-1, keepdims=True),
    "cross_entropy": lambda Z, t, w: (w * nn.losses.cross_entropy(Z, mx.array(t))).sum() / w.sum(),
    "squared_error": lambda Z, T: ((Z - T) ** 2).sum() / (2 * len(Z)),
    "sum": mx.sum,
    "l2": lambda d, s: (s * d**2).sum() / 2,
    "l1": lambda d, s, epsilon: (s * (mx.sqrt(d**2 + epsilon**2) if epsilon else mx.abs(d))).sum(),
    "group_lasso": _group_lasso,
    "maximum": lambda X: mx.maximum(X, 0),
    "absolute": mx.abs,
    "erf": mx.erf,
    "elu": nn.elu,
    "softplus": nn.softplus,
    "clip": lambda X: mx.clip(X, 0, 1),
    "power_zero": lambda X: X**0.0,
    "guarded_root": lambda X: mx.where(X > 0, mx.sqrt(X), 0),
    "written_sigmoid": lambda X: 1 / (1 + mx.exp(-X)),
    "larger": lambda X: mx.maximum(X[:, 0], X[:, 1]),
    "largest": lambda X: X.max(-1),
    "product": lambda X: X.prod(-1),
    "deviation": lambda X: X.std(-1),
    "cumulative_product": lambda X: mx.cumprod(X, -1),
    "norm": lambda X: mx.linalg.norm(X, axis=-1),
    "root_of_squares": lambda X: mx.sqrt((X**2).sum(-1)),
}


def evaluate(e: Example) -> tuple[Any, dict[str, Any]]:
    """Return value and gradients of an example."""
    array = partial(mx.array, dtype=mx.float64)
    arrays = {path: array(a) for path, a in e.inputs.items()}
    return mx.value_and_grad(lambda arrays: value_of(e, FUNCTIONS, arrays, array))(arrays)
