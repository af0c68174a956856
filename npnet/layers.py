"""Layers: each is a function that returns its value and the way back, so a pass forward is also the pass back.

    layer(p, X, rng=None) -> (Y, back)          back(dY) -> (dX, dp)

p is a dict of the layer's parameters ({} where it has none), X is (..., N, D), and dY, dX, dp are gradients of one
scalar with respect to Y, X, p. No layer keeps state: calling `back` twice gives the same bits. rng=None: inference.
`back(dY, inputs=False)` skips dX and `back(dY, parameters=False)` skips dp, each then None: what nobody asked for is
not computed. Parameters may carry leading axes, W (R, D, K): a population of R layers in one product.

Everything is complex-safe (comparisons look at the real part), which lets the complex step check it to the last bits.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from npnet.arrays import Array, array_module, check_array, sum_to, uniform

__all__ = [
    "ACTIVATIONS",
    "Back",
    "Layer",
    "Parameters",
    "chain",
    "dropout",
    "linear",
    "normalise",
    "relu",
    "shared",
    "sigmoid",
    "tanh",
]

Parameters = dict[str, Array]
Back = Callable[..., tuple[Any, Any]]
Layer = Callable[..., tuple[Array, Back]]


def linear(p: Parameters, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
    """Y = X W + b on the last axis.

    X (..., N, D), W (D, K), b (K,), Y (..., N, K); or a population W (R, D, K), b (R, K) with X (N, D) or (R, N, D).
    Gradients: dX = dY Wᵀ, dW = Xᵀ dY, db = Σₙ dY. Raises ValueError where the shapes do not fit,
    TypeError for X that is no array.
    """
    W, b = p["W"], p["b"]
    check_array("X", X)
    if X.ndim < 2 or W.ndim < 2 or X.shape[-1] != W.shape[-2] or b.shape != W.shape[:-2] + W.shape[-1:]:
        raise ValueError(
            f"X has shape {X.shape}, W {W.shape}, b {b.shape}; expected (..., N, D), (..., D, K), (..., K)"
        )
    # Axes of X beyond those of W are more examples: (N, patches, D) is N·patches rows to a plain W.
    rows = X.reshape(*X.shape[: W.ndim - 2], -1, X.shape[-1]) if X.ndim > W.ndim else X
    Y = rows @ W + b[..., None, :]

    def back(dY: Array, inputs: bool = True, parameters: bool = True) -> tuple[Any, Any]:
        dY = dY.reshape(Y.shape)
        dX = dp = None
        if parameters:
            dp = {"W": sum_to(W.shape, rows.mT @ dY), "b": sum_to(b.shape, dY.sum(-2))}
        if inputs:
            # (W dYᵀ)ᵀ is dY Wᵀ in the order of operands for which BLAS is up to twice as fast on small batches.
            dX = sum_to(rows.shape, (W @ dY.mT).mT).reshape(X.shape)
        return dX, dp

    return Y.reshape(*X.shape[:-1], -1) if X.ndim > W.ndim else Y, back


def shared(patches: int) -> Layer:
    """Return the linear layer that is shared over P patches of its input: the same W for each of them.

    X (..., N, P·D), one patch after the other, to Y (..., N, P·K): channel k of patch j is Y[..., j·K + k]. W (D, K).
    Raises ValueError where the inputs do not come in so many patches of D values.
    """

    def layer(p: Parameters, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
        check_array("X", X)
        D, K = p["W"].shape[-2:]
        if X.shape[-1] != patches * D:
            raise ValueError(
                f"X has shape {X.shape}; expected (..., N, {patches * D}), {patches} patches of {D} values"
            )
        rows = X.reshape(*X.shape[:-2], -1, D)  # (..., N, P·D) → (..., N·P, D)
        Z, back_linear = linear(p, rows)

        def back(dY: Array, inputs: bool = True, parameters: bool = True) -> tuple[Any, Any]:
            dX, dp = back_linear(dY.reshape(Z.shape), inputs, parameters)
            return (dX.reshape(X.shape) if inputs else None), dp

        return Z.reshape(*Z.shape[:-2], -1, patches * K), back

    return layer


def _elementwise(Y: Array, slope: Array) -> tuple[Array, Back]:
    """Return a parameter-free layer's value and way back, dX = dY · slope."""

    def back(dY: Array, inputs: bool = True, parameters: bool = True) -> tuple[Any, Any]:
        return (dY * slope if inputs else None), ({} if parameters else None)

    return Y, back


def relu(p: Parameters, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
    """Y = max(0, X), elementwise; slope 1 where X > 0 and 0 elsewhere, the kink at 0 included. NaN and −∞ give NaN."""
    check_array("X", X)
    gate = X.real > 0
    return _elementwise(X * gate, gate)


def tanh(p: Parameters, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
    """Y = tanh X, elementwise; slope 1 − Y²."""
    check_array("X", X)
    Y = array_module(X).tanh(X)
    return _elementwise(Y, 1 - Y * Y)


def sigmoid(p: Parameters, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
    """Y = 1 / (1 + e⁻ˣ) = (1 + tanh(X/2)) / 2, elementwise, which cannot overflow; slope Y (1 − Y)."""
    check_array("X", X)
    Y = (1 + array_module(X).tanh(X / 2)) / 2
    return _elementwise(Y, Y * (1 - Y))


def dropout(rate: float) -> Layer:
    """Return the layer Y = X · keep / (1 − rate), where each entry of keep is 1 with probability 1 − rate.

    Without a generator (inference) it is the identity. Raises ValueError unless 0 ≤ rate < 1.
    Source: Srivastava et al. 2014, in its inverted form.
    """
    if not 0 <= rate < 1:
        raise ValueError(f"rate is {rate}; expected a probability, 0 <= rate < 1")

    def layer(p: Parameters, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
        check_array("X", X)
        if rng is None or rate == 0:
            return X, lambda dY, inputs=True, parameters=True: (dY if inputs else None, {} if parameters else None)
        keep = (uniform(rng, X) >= rate) * X.real.dtype.type(1 / (1 - rate))
        return _elementwise(X * keep, keep)

    return layer


def normalise(p: Parameters, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
    """Y = γ X / ‖X‖₂, each row scaled to unit length and then by the learned γ = p["gamma"], (K,) or (1,).

    X (..., N, K). With U = X/‖X‖₂ and G = γ dY: dX = (G − U Σ U G) / ‖X‖₂, dγ = Σ dY U. A row of zeros stays zero and
    passes no gradient back. Raises ValueError where the shapes do not fit.
    Source: the normalised and scaled activations of growing networks (Wang et al. 2017).
    """
    check_array("X", X)
    xp, gamma = array_module(X), p["gamma"]
    if gamma.shape[-1] not in (1, X.shape[-1]):
        raise ValueError(f"gamma has shape {gamma.shape}, X {X.shape}; expected (..., K) or (..., 1), (..., N, K)")
    peak = abs(X.real).max(-1, keepdims=True)  # scaled by its largest entry, no square overflows or vanishes
    zero = peak == 0
    peak = xp.where(zero, 1, peak)
    length = xp.sqrt(xp.where(zero, 1, ((X / peak) ** 2).sum(-1, keepdims=True)))  # (..., N, 1), from 1 to √K
    U = xp.where(zero, 0, X / peak / length)
    slope = xp.where(zero, 0, 1 / length) / peak  # 1/‖X‖, and 0 for a row of zeros
    scale = gamma if gamma.ndim == 1 else gamma[..., None, :]

    def back(dY: Array, inputs: bool = True, parameters: bool = True) -> tuple[Any, Any]:
        dX = dp = None
        if parameters:
            dp = {"gamma": sum_to(scale.shape, dY * U).reshape(gamma.shape)}
        if inputs:
            G = scale * dY
            dX = (G - U * (U * G).sum(-1, keepdims=True)) * slope
        return dX, dp

    return scale * U, back


def chain(*layers: Layer) -> Layer:
    """Return the layers one after the other as one layer; its parameters are a sequence, one entry for each layer.

    `back(dY, parameters=flags)` takes a flag for each layer as well: gradients are made for the flagged layers alone,
    and nothing below the lowest of them is back-propagated unless dX is wanted too. The layer raises ValueError for
    another number of parameters or flags than of layers.
    """

    def layer(p: Sequence[Any], X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
        if len(p) != len(layers):
            raise ValueError(f"p has {len(p)} entries; expected {len(layers)}, one for each layer")
        backs = []
        for each, q in zip(layers, p, strict=True):
            X, back = each(q, X, rng)
            backs.append(back)
        return X, lambda dY, inputs=True, parameters=True: _chain_back(backs, dY, inputs, parameters)

    return layer


def _chain_back(backs: Sequence[Back], dY: Array, inputs: bool, parameters: bool | Sequence[Any]) -> tuple[Any, Any]:
    flags = [parameters] * len(backs) if isinstance(parameters, bool) else [bool(flag) for flag in parameters]
    if len(flags) != len(backs):
        raise ValueError(f"parameters has {len(flags)} flags; expected {len(backs)}, one for each layer")
    lowest = 0 if inputs else flags.index(True) if any(flags) else len(backs)
    dp: list[Any] = [None] * len(backs)
    for i in range(len(backs) - 1, lowest - 1, -1):
        dY, dp[i] = backs[i](dY, inputs=inputs or i > lowest, parameters=flags[i])
    return (dY if inputs else None), dp


ACTIVATIONS: dict[str, Layer] = {"relu": relu, "tanh": tanh, "sigmoid": sigmoid}
"""The activations by name."""
