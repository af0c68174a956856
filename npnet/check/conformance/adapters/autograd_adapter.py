"""Computes an example of the conformance set with HIPS autograd: its NumPy and value_and_grad, in float64."""

from typing import Any

import autograd.numpy as anp
from autograd import value_and_grad

from npnet.check.conformance import Example, WeightedPenalty

__all__ = ["evaluate"]


def evaluate(e: Example) -> tuple[Any, dict[str, Any]]:
    """Return value and gradients of an example."""

    def objective(arrays: Any) -> Any:
        H, p = arrays
        for i, kind in enumerate(e.layers):
            if kind == "linear":
                H = anp.dot(H, p[i]["W"]) + p[i]["b"]
            elif kind == "dropout":
                H = H * e.factors[i]
            elif kind == "normalise":
                H = p[i]["gamma"] * H / anp.sqrt(anp.sum(H**2, axis=-1, keepdims=True))
            elif kind == "relu":
                H = H * (H > 0)
            else:
                H = anp.tanh(H) if kind == "tanh" else 1 / (1 + anp.exp(-H))
        return loss(e, H) + sum(penalty(q, p[q.layer][q.name]) for q in e.penalties)

    value, (dX, dp) = value_and_grad(objective)((e.X, [dict(each) for each in e.p]))
    return value, {"X": dX, **{f"{i}/{key}": g for i, each in enumerate(dp) for key, g in each.items()}}


def loss(e: Example, Z: Any) -> Any:
    """Return the loss of outputs."""
    if e.loss == "squared_error":
        return anp.sum((Z - e.targets) ** 2) / (2 * len(Z))
    w = anp.ones(len(Z)) if e.weights is None else e.weights
    w = w if e.class_weights is None else w * e.class_weights[e.targets]
    peak = anp.max(Z, axis=1)
    logs = peak + anp.log(anp.sum(anp.exp(Z - peak[:, None]), axis=1)) - Z[anp.arange(len(Z)), e.targets]
    return anp.sum(w * logs) / anp.sum(w)


def penalty(q: WeightedPenalty, w: Any) -> Any:
    """Return strength times a penalty."""
    delta, s = w if q.anchor is None else w - q.anchor, 1.0 if q.scale is None else q.scale
    if q.kind == "l2":
        return q.strength * anp.sum(s * delta**2) / 2
    if q.kind == "l1":
        return q.strength * anp.sum(s * (anp.sqrt(delta**2 + q.epsilon**2) if q.epsilon else anp.abs(delta)))
    return q.strength * len(w) ** 0.5 * anp.sum(anp.sqrt(anp.sum(s * delta**2, axis=0) + q.epsilon**2))
