"""Computes an example of the conformance set with JAX: jax.nn, jax.numpy and jax.value_and_grad, in float64."""

from typing import Any

import jax
import jax.numpy as jnp

from npnet.check.conformance import Example, WeightedPenalty

__all__ = ["evaluate"]

jax.config.update("jax_enable_x64", True)


def evaluate(e: Example) -> tuple[Any, dict[str, Any]]:
    """Return value and gradients of an example."""

    def objective(X: Any, p: Any) -> Any:
        H = X
        for i, kind in enumerate(e.layers):
            if kind == "linear":
                H = H @ p[i]["W"] + p[i]["b"]
            elif kind == "dropout":
                H = H * e.factors[i]
            elif kind == "normalise":
                H = p[i]["gamma"] * H / jnp.linalg.norm(H, axis=-1, keepdims=True)
            else:
                H = {"relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}[kind](H)
        return loss(e, H) + sum(penalty(q, p[q.layer][q.name]) for q in e.penalties)

    arrays = jnp.asarray(e.X), [{key: jnp.asarray(w) for key, w in each.items()} for each in e.p]
    value, (dX, dp) = jax.value_and_grad(objective, (0, 1))(*arrays)
    return value, {"X": dX, **{f"{i}/{key}": g for i, each in enumerate(dp) for key, g in each.items()}}


def loss(e: Example, Z: Any) -> Any:
    """Return the loss of outputs."""
    if e.loss == "squared_error":
        return ((Z - e.targets) ** 2).sum() / (2 * len(Z))
    w = jnp.ones(len(Z)) if e.weights is None else e.weights
    w = w if e.class_weights is None else w * e.class_weights[e.targets]
    return -(w * jax.nn.log_softmax(Z)[jnp.arange(len(Z)), e.targets]).sum() / w.sum()


def penalty(q: WeightedPenalty, w: Any) -> Any:
    """Return strength times a penalty."""
    delta, s = w if q.anchor is None else w - q.anchor, 1.0 if q.scale is None else q.scale
    if q.kind == "l2":
        return q.strength * (s * delta**2).sum() / 2
    if q.kind == "l1":
        return q.strength * (s * (jnp.sqrt(delta**2 + q.epsilon**2) if q.epsilon else abs(delta))).sum()
    if q.epsilon:
        return q.strength * len(w) ** 0.5 * jnp.sqrt((s * delta**2).sum(0) + q.epsilon**2).sum()
    return q.strength * len(w) ** 0.5 * jnp.linalg.norm(s**0.5 * delta, axis=0).sum()
