"""Losses: each returns its value and its gradient together, so neither can be written without the other.

    loss(Z, t) -> (value, dZ)

Values are means over the N examples, weighted ones where the labels are `Weighted`. With leading axes, Z (R, N, K),
there is one value for each of the R replicates and dZ is the gradient of each replicate's own value. All raise
TypeError for what is not an array, as for lists.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from npnet.arrays import Array, array_module, check_array, check_floats
from npnet.loops import compilable, few_logits

__all__ = ["READS", "Loss", "Weighted", "cross_entropy", "reads", "shares", "softmax", "squared_error"]

Loss = Callable[[Array, Any], tuple[Array, Array]]


class Weighted(NamedTuple):
    """Labels or targets with a weight for each example (..., N): what a loss is given of a split that has weights."""

    labels: Array
    weights: Array


@np.errstate(under="ignore")  # an exponential that underflows to zero is no error, here and below
def softmax(Z: Array) -> Array:
    """The probabilities e^{z_k} / Σⱼ e^{zⱼ} of logits Z (..., K), which large logits do not overflow."""
    E = array_module(Z).exp(Z - Z.real.max(-1, keepdims=True))
    return E / E.sum(-1, keepdims=True)


def cross_entropy(
    Z: Array, labels: Array | Weighted, weights: Array | None = None, class_weights: Array | None = None
) -> tuple[Array, Array]:
    """Softmax cross-entropy of logits: L = Σₙ wₙ (log Σₖ e^{zₙₖ} − zₙₜ) / Σₙ wₙ, dZ = (softmax Z − onehot) wₙ / Σ w.

    Z (..., N, K) logits, labels (N,) or (..., N) whole numbers from 0 to K − 1. The weight of example n is weights[n]
    times class_weights[labels[n]], each 1 by default; where weights are given, the mean is the weighted one.
    Raises ValueError where Z is not floats, for labels or weights that do not fit it, and for weights that sum to zero
    or less.
    """
    labels, weights = labels if isinstance(labels, Weighted) else (labels, weights)
    check_floats("Z", Z)
    check_array("labels", labels)
    if weights is None and class_weights is None and _few(Z, labels):
        dZ = np.empty_like(Z)
        if (value := few_logits(Z, labels.astype(np.int64, copy=False), dZ)) >= 0 or np.isnan(value):
            return Z.dtype.type(value), dZ
    return _cross_entropy(Z, labels, weights, class_weights)


@np.errstate(under="ignore")
def _cross_entropy(Z: Array, labels: Array, weights: Array | None, class_weights: Array | None) -> tuple[Array, Array]:
    """Return `cross_entropy`, in statements of arrays."""
    xp = array_module(Z, labels)
    K = Z.shape[-1]
    if labels.shape not in (Z.shape[:-1], Z.shape[-2:-1]) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels has shape {labels.shape} and dtype {labels.dtype}; expected integers {Z.shape[-2:-1]}"
        )
    if labels.size == 0:
        raise ValueError(f"labels is empty (Z has shape {Z.shape}); expected at least one example")
    onehot = labels[..., None] == xp.arange(K)  # (..., N, K)
    if onehot.sum() != labels.size:
        raise ValueError(f"labels run from {labels.min()} to {labels.max()}; expected 0 to {K - 1}")
    # Differences from the true class's own logit: its gradient is then −Σ of the others; P − 1 would cancel.
    D = Z - xp.where(onehot, Z, 0).sum(-1, keepdims=True)
    M = D.real.max(-1, keepdims=True)
    E = xp.exp(D - M)
    S = E.sum(-1, keepdims=True)
    others = xp.where(onehot, 0, E).sum(-1, keepdims=True)
    share = shares(Z, weights, class_weights, labels)  # (..., N, 1), or the number 1/N
    # Where the true class is ahead its own E is 1: log1p keeps what log(1 + others) would round away.
    value = xp.where(M > 0, M + xp.log(S), xp.log1p(others))
    return (value * share).sum((-2, -1)), xp.where(onehot, -others, E) / S * share


def _few(Z: Array, labels: Array) -> bool:
    """Report whether these are few enough logits for the loop that costs less to call than array statements."""
    return (
        compilable(Z)
        and Z.ndim == 2
        and 0 < Z.size <= 2000
        and labels.shape == Z.shape[:1]
        and labels.dtype.kind in "iu"
    )


def squared_error(Z: Array, targets: Array | Weighted) -> tuple[Array, Array]:
    """Half the mean squared distance: L = (1/N) Σₙ ½‖zₙ − tₙ‖², dZ = (Z − T)/N; with weights Σₙ wₙ ½‖zₙ − tₙ‖² / Σ w.

    Z and targets (..., N, K); value and gradient are in Z's precision. Raises ValueError where the shapes differ,
    and where Z is not floats.
    """
    targets, weights = targets if isinstance(targets, Weighted) else (targets, None)
    check_floats("Z", Z)
    check_array("targets", targets)
    if Z.shape != targets.shape:
        raise ValueError(f"targets has shape {targets.shape}; expected {Z.shape}, the shape of the outputs")
    D = (Z - targets).astype(Z.dtype, copy=False)
    dZ = D * shares(Z, weights)
    return (D * dZ).sum((-2, -1)) / 2, dZ


def shares(
    Z: Array, weights: Array | None, class_weights: Array | None = None, labels: Array | None = None
) -> Array | np.floating:
    """Return each example's share of the mean, wₙ / Σ w, in Z's precision: (..., N, 1), or the number 1/N."""
    real = Z.real.dtype.type
    if weights is None and class_weights is None:
        return real(1 / Z.shape[-2])
    w: Any = 1
    if weights is not None:
        if weights.shape not in (Z.shape[:-1], Z.shape[-2:-1]):
            raise ValueError(f"weights has shape {weights.shape}; expected {Z.shape[-2:-1]}, one for each example")
        w = weights
    if class_weights is not None:
        if class_weights.shape != Z.shape[-1:]:
            raise ValueError(f"class_weights has shape {class_weights.shape}; expected {Z.shape[-1:]}, one a class")
        w = w * class_weights[labels]
    total = w.sum(-1, keepdims=True)
    if not (total > 0).all():
        raise ValueError(f"weights sum to {total}; expected a sum above zero")
    return (w / total)[..., None].astype(real)


def reads(loss: Loss) -> tuple[str, ...]:
    """Return the kinds of labels (see Split) that one of npnet's losses reads; () for any other function."""
    return next((kinds for each, kinds in READS.items() if each is getattr(loss, "func", loss)), ())


READS: dict[Callable[..., Any], tuple[str, ...]] = {cross_entropy: ("classes",), squared_error: ("values",)}
"""The kinds of labels that each loss reads."""
