"""Computes an example of the conformance set with JAX: jax.nn, jax.numpy and jax.value_and_grad, in float64."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.special import erf

from npnet.check.conformance import Example
from npnet.check.conformance.formulas import value_of

__all__ = ["FUNCTIONS", "evaluate"]

jax.config.update("jax_enable_x64", True)


def _cross_entropy(Z: Any, t: Any, w: Any) -> Any:
    return -(w * jax.nn.log_softmax(Z)[jnp.arange(len(Z)), t]).sum() / w.sum()


def _group_lasso(d: Any, s: Any, epsilon: float) -> Any:
    norms = jnp.sqrt((s * d**2).sum(0) + epsilon**2) if epsilon else jnp.linalg.norm(s**0.5 * d, axis=0)
    return len(d) ** 0.5 * norms.sum()


FUNCTIONS = {
    "linear": lambda X, W, b: X @ W + b,
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "normalise": lambda X, gamma: gamma * X / jnp.linalg.norm(X, axis=-1, keepdims=True),
    "cross_entropy": _cross_entropy,
    "squared_error": lambda Z, T: ((Z - T) ** 2).sum() / (2 * len(Z)),
    "sum": jnp.sum,
    "l2": lambda d, s: (s * d**2).sum() / 2,
    "l1": lambda d, s, epsilon: (s * (jnp.sqrt(d**2 + epsilon**2) if epsilon else jnp.abs(d))).sum(),
    "group_lasso": _group_lasso,
    "maximum": lambda X: jnp.maximum(X, 0),
    "absolute": jnp.abs,
    "erf": erf,
    "elu": jax.nn.elu,
    "softplus": jax.nn.softplus,
    "clip": lambda X: jnp.clip(X, 0, 1),
    "power_zero": lambda X: X**0.0,
    "guarded_root": lambda X: jnp.where(X > 0, jnp.sqrt(X), 0),
    "written_sigmoid": lambda X: 1 / (1 + jnp.exp(-X)),
    "larger": lambda X: jnp.maximum(X[:, 0], X[:, 1]),
    "largest": lambda X: X.max(-1),
    "product": lambda X: X.prod(-1),
    "deviation": lambda X: X.std(-1),
    "cumulative_product": lambda X: jnp.cumprod(X, -1),
    "norm": lambda X: jnp.linalg.norm(X, axis=-1),
    "root_of_squares": lambda X: jnp.sqrt((X**2).sum(-1)),
}


def evaluate(e: Example) -> tuple[Any, dict[str, Any]]:
    """Return value and gradients of an example."""
    arrays = {path: jnp.asarray(a) for path, a in e.inputs.items()}
    return jax.value_and_grad(lambda arrays: value_of(e, FUNCTIONS, arrays))(arrays)
