"""Computes an example of the conformance set with PyTorch: its functions and torch.autograd, in float64."""

from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812, its usual name

from npnet.check.conformance import Example
from npnet.check.conformance.formulas import value_of

__all__ = ["FUNCTIONS", "evaluate"]


def _cross_entropy(Z: Any, t: Any, w: Any) -> Any:
    return (w * F.cross_entropy(Z, torch.tensor(t), reduction="none")).sum() / w.sum()


def _group_lasso(d: Any, s: Any, epsilon: float) -> Any:
    if epsilon:
        return len(d) ** 0.5 * torch.sqrt((s * d**2).sum(0) + epsilon**2).sum()
    return len(d) ** 0.5 * torch.linalg.vector_norm(s.sqrt() * d, dim=0).sum()


FUNCTIONS = {
    "linear": lambda X, W, b: F.linear(X, W.T, b),
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "normalise": lambda X, gamma: gamma * F.normalize(X, dim=-1),
    "cross_entropy": _cross_entropy,
    "squared_error": lambda Z, T: F.mse_loss(Z, T, reduction="sum") / (2 * len(Z)),
    "sum": torch.sum,
    "l2": lambda d, s: (s * d**2).sum() / 2,
    "l1": lambda d, s, epsilon: (s * (torch.sqrt(d**2 + epsilon**2) if epsilon else d.abs())).sum(),
    "group_lasso": _group_lasso,
    "maximum": lambda X: torch.maximum(X, torch.zeros_like(X)),
    "absolute": torch.abs,
    "erf": torch.erf,
    "elu": F.elu,
    "softplus": F.softplus,
    "clip": lambda X: torch.clamp(X, 0, 1),
    "power_zero": lambda X: X**0.0,
    "guarded_root": lambda X: torch.where(X > 0, torch.sqrt(X), 0.0),
    "written_sigmoid": lambda X: 1 / (1 + torch.exp(-X)),
    "larger": lambda X: torch.maximum(X[:, 0], X[:, 1]),
    "largest": lambda X: X.amax(-1),
    "product": lambda X: X.prod(-1),
    "deviation": lambda X: X.std(-1, correction=0),
    "cumulative_product": lambda X: X.cumprod(-1),
    "norm": lambda X: torch.linalg.vector_norm(X, dim=-1),
    "root_of_squares": lambda X: torch.sqrt((X**2).sum(-1)),
}


def evaluate(e: Example) -> tuple[Any, dict[str, Any]]:
    """Return value and gradients of an example."""
    arrays = {path: torch.tensor(a, requires_grad=True) for path, a in e.inputs.items()}
    value = value_of(e, FUNCTIONS, arrays, torch.tensor)
    value.backward()
    return value.item(), {path: w.grad.numpy() for path, w in arrays.items()}
