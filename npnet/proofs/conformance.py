"""Computes an example of the conformance set with npnet: a chain of its layers, its losses and its penalties."""

from typing import Any

import numpy as np

from npnet.activations import ACTIVATIONS
from npnet.arrays import Array
from npnet.check.conformance import Example
from npnet.layers import Back, Layer, chain, linear, normalise
from npnet.losses import cross_entropy, squared_error
from npnet.penalties import PENALTIES, smoothed

__all__ = ["evaluate"]


def multiplied(factor: Array) -> Layer:
    """Return dropout with a known draw: Y = X · factor."""

    def layer(p: Any, X: Array, rng: Any = None) -> tuple[Array, Back]:
        return X * factor, lambda dY: (dY * factor, {})

    return layer


def evaluate(e: Example) -> tuple[Any, dict[str, Any]]:
    """Return value and gradients of an example."""
    known: dict[str, Layer] = {"linear": linear, "normalise": normalise, **ACTIVATIONS}
    for kind in e.layers:
        if kind not in known and kind != "dropout":
            raise NotImplementedError(f"no {kind}")
    body = [multiplied(e.factors[i]) if kind == "dropout" else known[kind] for i, kind in enumerate(e.layers)]
    Z, back = chain(*body)(e.p, e.X)
    if e.loss == "cross_entropy":
        value, dZ = cross_entropy(Z, e.targets, e.weights, e.class_weights)
    elif e.loss == "squared_error":
        value, dZ = squared_error(Z, e.targets)
    else:
        value, dZ = Z.sum(), np.ones(Z.shape)
    dX, dp = back(dZ)
    gradients = {"X": dX, **{f"{i}/{key}": g for i, each in enumerate(dp) for key, g in each.items()}}
    for q in e.penalties:
        penalty = smoothed(PENALTIES[q.kind], q.epsilon) if q.epsilon else PENALTIES[q.kind]
        around = 0.0 if q.anchor is None else q.anchor, 1.0 if q.scale is None else q.scale
        v, dw = penalty(e.p[q.layer][q.name], *around)
        value, gradients[f"{q.layer}/{q.name}"] = (
            value + q.strength * v,
            gradients[f"{q.layer}/{q.name}"] + q.strength * dw,
        )
    return value, gradients
