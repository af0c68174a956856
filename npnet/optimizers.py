"""Optimizers: how one array moves against its gradient.

    optimizer.start(w) -> buffers            optimizer.update(w, dw, buffers, rate) -> all finite?

`update` changes w and its buffers in place. It is called for the layers that train and for no others, so momentum,
weight decay and Adam's moments cannot leak into a frozen layer, and a layer's buffers begin on the day it joins.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from npnet import loops
from npnet.arguments import checked
from npnet.arrays import Array, array_module
from npnet.fused import Product, add_product, dense, descend
from npnet.loops import compilable, zero_subnormals

__all__ = [
    "READS_FACTORS",
    "SGD",
    "Adam",
    "AdamW",
    "Momentum",
    "Optimizer",
    "ProximalSGD",
    "bound_norms",
]

Buffers = dict[str, Any]


class Optimizer(Protocol):
    """What training asks of an optimizer. `proximal`: penalties act through their prox, not through their gradient."""

    proximal: bool

    def start(self, w: Array) -> Buffers:
        """Return the buffers of one array before its first update."""

    def update(self, w: Array, dw: Array | Product, buffers: Buffers, rate: float) -> bool:
        """Move w against dw in place and say whether w is still finite."""


@dataclass(frozen=True)
class SGD:
    """Gradient descent: w ← w − rate · dw."""

    proximal = False

    def start(self, w: Array) -> Buffers:
        """Return no buffers: plain descent remembers nothing."""
        return {}

    def update(self, w: Array, dw: Array | Product, buffers: Buffers, rate: float) -> bool:
        """Move w against dw in place and say whether w is still finite."""
        return descend(w, dw, rate)


@dataclass(frozen=True)
class ProximalSGD(SGD):
    """Forward-backward descent: w ← prox_{rate·penalty}(w − rate · dw), dw the gradient of the loss alone.

    Weights reach the anchor of an l1 or group-lasso penalty exactly, and stay there. Of several penalties on one weight
    at most one may have a kink (see regularizers).
    """

    proximal = True


@checked
@dataclass(frozen=True)
class Momentum:
    """Heavy-ball momentum: v ← momentum · v + dw, w ← w − rate · v. Raises ValueError unless 0 ≤ momentum < 1.

    nesterov     look ahead: w ← w − rate · (momentum · v + dw)
    rate_inside  v ← momentum · v + rate · dw, w ← w − v: a rate that falls does not shorten the steps remembered in v.
                 So Keras and scikit-learn have it; PyTorch has the rate outside. At a constant rate both are the same
    """

    momentum: float = 0.9
    nesterov: bool = False
    rate_inside: bool = False
    proximal = False

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum is {self.momentum}; expected 0 <= momentum < 1")

    def start(self, w: Array) -> Buffers:
        """Return the velocity, zero."""
        return {"velocity": array_module(w).zeros_like(w)}

    def update(self, w: Array, dw: Array | Product, buffers: Buffers, rate: float) -> bool:
        """Move w and its velocity in place and say whether w is still finite."""
        v = buffers["velocity"]
        inside, outside = (rate, 1.0) if self.rate_inside else (1.0, rate)
        keep, along_v, along_dw = self.momentum, *((outside * self.momentum, rate) if self.nesterov else (outside, 0.0))
        if isinstance(dw, Product) and not self.nesterov:
            add_product(v, dw, inside, keep)
            dw, keep, inside = v, 1.0, 0.0  # all that is left to do is the step
        dw = dense(dw)
        if compilable(w, dw, v):
            numbers = map(w.dtype.type, (keep, inside, along_v, along_dw))
            return bool(loops.momentum(w.reshape(-1), dw.reshape(-1), v.reshape(-1), *numbers))
        v *= keep
        v += inside * dw
        zero_subnormals(v)
        return descend(w, along_v * v + along_dw * dw if self.nesterov else v, 1.0 if self.nesterov else outside)


@checked
@dataclass(frozen=True)
class Adam:
    """Adam: m ← β₁m + (1−β₁)dw, v ← β₂v + (1−β₂)dw², w ← w − rate · m̂ / (√v̂ + ε), m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ).

    t counts this array's own updates. Weights in half precision have moments in single precision, where v and ε do not
    vanish. epsilon_hat: ε is added to √v before that is corrected, w ← w − rate √(1−β₂ᵗ)/(1−β₁ᵗ) · m / (√v + ε), as
    TensorFlow and Keras have it; PyTorch has algorithm 1. Source: Kingma and Ba 2015, algorithm 1, and section 2.
    Raises ValueError unless 0 ≤ β < 1 and ε > 0.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    epsilon_hat: bool = False
    proximal = False

    def __post_init__(self) -> None:
        if not (0 <= self.beta1 < 1 and 0 <= self.beta2 < 1 and self.epsilon > 0):
            raise ValueError(
                f"beta1, beta2, epsilon are {self.beta1, self.beta2, self.epsilon}; expected 0 <= beta < 1, epsilon > 0"
            )

    def start(self, w: Array) -> Buffers:
        """Return both moments, zero, and the count of updates, an array so that each replicate has its own."""
        xp, dtype = array_module(w), _at_least_single(w)
        return {"m": xp.zeros_like(w, dtype), "v": xp.zeros_like(w, dtype), "t": xp.zeros((1,) * w.ndim)}

    def update(self, w: Array, dw: Array | Product, buffers: Buffers, rate: float) -> bool:
        """Move w and its moments in place and say whether w is still finite."""
        m, v, t = buffers["m"], buffers["v"], buffers["t"]
        dw = dense(dw).astype(m.dtype, copy=False)
        if compilable(w, dw, m, v):
            lines = [each.reshape(t.size, -1) for each in (w, dw, m, v)]
            settings = self.beta1, self.beta2, self.epsilon, self.epsilon_hat
            return bool(loops.adam(*lines, t.reshape(-1), rate, *settings))
        t += 1
        lag1, lag2 = ((1 - beta**t).astype(m.dtype) for beta in (self.beta1, self.beta2))
        if self.epsilon_hat:  # the correction of v leaves the root and joins that of m
            lag1, lag2 = lag1 / lag2**0.5, lag2 / lag2
        m += (1 - self.beta1) * (dw - m)
        v += (1 - self.beta2) * (dw * dw - v)
        zero_subnormals(m, v)
        move = m / lag1 / (array_module(v).sqrt(v / lag2) + self.epsilon)
        return descend(w, move.astype(w.dtype, copy=False), rate)


@checked
@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: w ← w − rate · weight_decay · w, then Adam's step.

    The decay is no part of the gradient, so Adam does not divide it by √v̂. It acts on every array that trains, biases
    included. Source: Loshchilov and Hutter 2019, algorithm 2, with the rate in the decay, as PyTorch and Keras have it.
    Raises ValueError for a negative decay, and as Adam does.
    """

    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.weight_decay >= 0:
            raise ValueError(f"weight_decay is {self.weight_decay}; expected zero or more")

    def update(self, w: Array, dw: Array | Product, buffers: Buffers, rate: float) -> bool:
        """Move w and its moments in place and say whether w is still finite."""
        w *= 1 - rate * self.weight_decay
        return super().update(w, dw, buffers, rate)


def _at_least_single(w: Array) -> np.dtype:
    return np.promote_types(w.dtype, np.float32)


READS_FACTORS = (SGD, ProximalSGD, Momentum, Adam, AdamW)
"""The optimizers whose `update` may be given a gradient in its factors; any other gets the array."""


def bound_norms(W: Array, bound: float) -> None:
    """Project each unit's incoming weights onto ‖w_k‖₂ ≤ bound, in place: w_k ← w_k min(1, bound/‖w_k‖₂).

    W (..., D, K), a column for each of the K units. Columns within the bound keep their bits. Taken after each step it
    is a max-norm constraint, the prox of a penalty that is 0 within the bound and infinite beyond: rates may be large,
    for no weight vector can run away. Source: Hinton et al. 2012, section 2 (on dropout).
    """
    xp = array_module(W)
    squares, longest = (W * W).sum(-2, keepdims=True), W.dtype.type(bound)  # (..., 1, K)
    if not xp.isfinite(squares).all():  # in single precision, squares of what is longer than 1e19 overflow
        squares = xp.square(W, dtype=np.promote_types(W.dtype, np.float64)).sum(-2, keepdims=True)
    norms = xp.sqrt(squares).astype(W.dtype)
    W *= longest / xp.maximum(norms, longest)
