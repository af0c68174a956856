"""Computes an example of the conformance set with PaddlePaddle: its functions and its tensors' backward, in float64."""

from typing import Any

import paddle
from paddle.nn import functional as F  # noqa: N812, its usual name

from npnet.check.conformance import Example
from npnet.check.conformance.formulas import value_of

__all__ = ["FUNCTIONS", "evaluate"]


def _cross_entropy(Z: Any, t: Any, w: Any) -> Any:
    return (w * F.cross_entropy(Z, paddle.to_tensor(t), reduction="none")).sum() / w.sum()


def _group_lasso(d: Any, s: Any, epsilon: float) -> Any:
    if epsilon:
        return len(d) ** 0.5 * paddle.sqrt((s * d**2).sum(0) + epsilon**2).sum()
    return len(d) ** 0.5 * paddle.linalg.norm(paddle.sqrt(s) * d, axis=0).sum()


FUNCTIONS = {
    "linear": lambda X, W, b: F.linear(X, W, b),
    "relu": F.relu,
    "tanh": paddle.tanh,
    "sigmoid": F.sigmoid,
    "normalise": lambda X, gamma: gamma * F.normalize(X, axis=-1),
    "cross_entropy": _cross_entropy,
    "squared_error": lambda Z, T: F.mse_loss(Z, T, reduction="sum") / (2 * len(Z)),
    "sum": paddle.sum,
    "l2": lambda d, s: (s * d**2).sum() / 2,
    "l1": lambda d, s, epsilon: (s * (paddle.sqrt(d**2 + epsilon**2) if epsilon else d.abs())).sum(),
    "group_lasso": _group_lasso,
    "maximum": lambda X: paddle.maximum(X, paddle.zeros_like(X)),
    "absolute": paddle.abs,
    "erf": paddle.erf,
    "elu": F.elu,
    "softplus": F.softplus,
    "clip": lambda X: paddle.clip(X, 0, 1),
    "power_zero": lambda X: X**0.0,
    "guarded_root": lambda X: paddle.where(X > 0, paddle.sqrt(X), paddle.zeros_like(X)),
    "written_sigmoid": lambda X: 1 / (1 + paddle.exp(-X)),
    "larger": lambda X: paddle.maximum(X[:, 0], X[:, 1]),
    "largest": lambda X: X.amax(-1),
    "product": lambda X: X.prod(-1),
    "deviation": lambda X: X.std(-1, unbiased=False),
    "cumulative_product": lambda X: paddle.cumprod(X, -1),
    "norm": lambda X: paddle.linalg.norm(X, axis=-1),
    "root_of_squares": lambda X: paddle.sqrt((X**2).sum(-1)),
}


def evaluate(e: Example) -> tuple[Any, dict[str, Any]]:
    """Return value and gradients of an example."""
    arrays = {path: paddle.to_tensor(a, stop_gradient=False) for path, a in e.inputs.items()}
    value = value_of(e, FUNCTIONS, arrays, paddle.to_tensor)
    value.backward()
    return value.item(), {path: w.grad.numpy() for path, w in arrays.items()}
