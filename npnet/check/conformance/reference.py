"""Defines every layer, loss and penalty of the conformance set by its formula, forward only.

It works in any real or complex precision. Choices at kinks look at the real part alone.
"""

from typing import Any

import numpy as np

from npnet.check.conformance import Example, WeightedPenalty

__all__ = ["value_of"]


def value_of(e: Example, X: Any, p: Any) -> Any:
    """Return the value of an example at inputs X and parameters p."""
    H = X
    for i, kind in enumerate(e.layers):
        H = _layer(kind, H, p[i], e.factors.get(i))
    return _loss(e, H) + sum(q.strength * _penalty(q, p[q.layer][q.name]) for q in e.penalties)


def _layer(kind: str, X: Any, p: Any, factor: Any) -> Any:
    if kind == "linear":
        return X @ p["W"] + p["b"]
    if kind == "relu":
        return np.where(X.real > 0, X, 0)
    if kind == "tanh":
        return np.tanh(X)
    if kind == "sigmoid":
        return 1 / (1 + np.exp(-X))
    if kind == "dropout":
        return X * factor
    zero = (X.real == 0).all(-1, keepdims=True)  # normalise: a row of zeros stays zero
    return np.where(zero, 0, p["gamma"] * X / np.sqrt(np.where(zero, 1, (X * X).sum(-1, keepdims=True))))


def _loss(e: Example, Z: Any) -> Any:
    if e.loss == "squared_error":
        D = Z - e.targets
        return (D * D).sum() / (2 * len(Z))
    peak = Z.real.max(-1, keepdims=True)
    logs = (peak + np.log(np.exp(Z - peak).sum(-1, keepdims=True)))[:, 0] - Z[np.arange(len(Z)), e.targets]
    w = np.ones(len(Z), _real(Z)) if e.weights is None else e.weights.astype(_real(Z))
    if e.class_weights is not None:
        w = w * e.class_weights[e.targets]
    return (w * logs).sum() / w.sum()


def _real(Z: Any) -> Any:
    """Return the real precision of an array."""
    return Z.real.dtype


def _penalty(q: WeightedPenalty, w: Any) -> Any:
    delta = w if q.anchor is None else w - q.anchor
    s = np.ones(w.shape, w.real.dtype) if q.scale is None else q.scale.astype(w.real.dtype)
    epsilon = w.real.dtype.type(q.epsilon)
    if q.kind == "l2":
        return (s * delta * delta).sum() / 2
    if q.kind == "l1":
        root = np.sqrt(delta * delta + epsilon**2) if q.epsilon else delta * np.sign(delta.real)
        return (s * root).sum()
    square = (s * delta * delta).sum(0) + epsilon**2  # group lasso: the groups are columns
    zero = (delta.real == 0).all(0) & (q.epsilon == 0)
    norms = np.where(zero, 0, np.sqrt(np.where(zero, 1, square)))
    return np.sqrt(w.real.dtype.type(w.shape[0])) * norms.sum()
