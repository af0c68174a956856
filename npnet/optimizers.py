"""Optimizers and learning-rate schedules: how one array moves against its gradient.

    optimizer.start(w) -> buffers            optimizer.update(w, dw, buffers, rate) -> all finite?

`update` changes w and its buffers in place. It is called for the layers that train and for no others, so momentum,
weight decay and Adam's moments cannot leak into a frozen layer, and a layer's buffers begin on the day it joins.
A schedule is a function of the epoch, counted from 0; those below are data, so that a run can tell them apart.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from npnet.arrays import Array, array_module, plain_numbers
from npnet.fused import Product, add_product, compilable, dense, descend, descend_adam

__all__ = [
    "READS_FACTORS",
    "SGD",
    "Adam",
    "Momentum",
    "Optimizer",
    "ProximalSGD",
    "Schedule",
    "bound_norms",
    "constant",
    "cosine",
    "step",
]

Buffers = dict[str, Any]
Schedule = Callable[[int], float]


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


@dataclass(frozen=True)
class Momentum:
    """Heavy-ball momentum: v ← momentum · v + dw, w ← w − rate · v. Raises ValueError unless 0 ≤ momentum < 1."""

    momentum: float = 0.9
    proximal = False

    def __post_init__(self) -> None:
        plain_numbers(self)
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum is {self.momentum}; expected 0 <= momentum < 1")

    def start(self, w: Array) -> Buffers:
        """Return the velocity, zero."""
        return {"velocity": array_module(w).zeros_like(w)}

    def update(self, w: Array, dw: Array | Product, buffers: Buffers, rate: float) -> bool:
        """Move w and its velocity in place and say whether w is still finite."""
        v = buffers["velocity"]
        if isinstance(dw, Product):
            add_product(v, dw, 1.0, self.momentum)
        else:
            v *= self.momentum
            v += dw
        return descend(w, v, rate)


@dataclass(frozen=True)
class Adam:
    """Adam: m ← β₁m + (1−β₁)dw, v ← β₂v + (1−β₂)dw², w ← w − rate · m̂ / (√v̂ + ε), m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ).

    t counts this array's own updates. Weights in half precision have moments in single precision, where v and ε do not
    vanish. Source: Kingma and Ba 2015, algorithm 1.
    Raises ValueError unless 0 ≤ β < 1 and ε > 0.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    proximal = False

    def __post_init__(self) -> None:
        plain_numbers(self)
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
        t += 1
        lag1, lag2 = ((1 - beta**t).astype(m.dtype) for beta in (self.beta1, self.beta2))
        if compilable(w, dw, m, v):
            return descend_adam((w, dw, m, v, lag1, lag2), t.size, rate, self.beta1, self.beta2, self.epsilon)
        m += (1 - self.beta1) * (dw - m)
        v += (1 - self.beta2) * (dw * dw - v)
        move = m / lag1 / (array_module(v).sqrt(v / lag2) + self.epsilon)
        return descend(w, move.astype(w.dtype, copy=False), rate)


def _at_least_single(w: Array) -> np.dtype:
    return np.promote_types(w.dtype, np.float32)


READS_FACTORS = (SGD, ProximalSGD, Momentum, Adam)
"""The optimizers whose `update` may be given a gradient in its factors; any other gets the array."""


def bound_norms(W: Array, bound: float) -> None:
    """Project each unit's incoming weights onto ‖w_k‖₂ ≤ bound, in place: w_k ← w_k min(1, bound/‖w_k‖₂).

    W (..., D, K), a column for each of the K units. Columns within the bound keep their bits. Taken after each step it
    is a max-norm constraint, the prox of a penalty that is 0 within the bound and infinite beyond: rates may be large,
    for no weight vector can run away. Source: Hinton et al. 2012, section 2 (on dropout).
    """
    xp = array_module(W)
    norms, longest = xp.sqrt((W * W).sum(-2, keepdims=True)), W.dtype.type(bound)  # (..., 1, K)
    W *= longest / xp.maximum(norms, longest)


def _check_rate(rate: float) -> None:
    if not (rate > 0 and math.isfinite(rate)):
        raise ValueError(f"rate is {rate}; expected a finite number above zero")


@dataclass(frozen=True)
class constant:  # noqa: N801
    """The schedule that is `rate` at every epoch. Raises ValueError for a rate that is not finite and above zero."""

    rate: float

    def __post_init__(self) -> None:
        plain_numbers(self)
        _check_rate(self.rate)

    def __call__(self, epoch: int) -> float:
        """Return the rate."""
        return self.rate


@dataclass(frozen=True)
class step:  # noqa: N801
    """The schedule rate · factor^⌊epoch / every⌋.

    Raises ValueError for a rate or factor that is not finite and above zero, and for less than one epoch.
    """

    rate: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        plain_numbers(self)
        _check_rate(self.rate)
        if self.every < 1:
            raise ValueError(f"every is {self.every}; expected at least one epoch")
        if not 0 < self.factor < math.inf:
            raise ValueError(f"factor is {self.factor}; expected a finite number above zero")

    def __call__(self, epoch: int) -> float:
        """Return the rate of an epoch."""
        return self.rate * self.factor ** (epoch // self.every)


@dataclass(frozen=True)
class cosine:  # noqa: N801
    """The schedule that falls from rate to zero along half a cosine over the epochs, and stays there.

    Raises ValueError for a rate that is not finite and above zero, and for less than one epoch.
    Source: Loshchilov and Hutter 2017, equation 5, without restarts.
    """

    rate: float
    epochs: int

    def __post_init__(self) -> None:
        plain_numbers(self)
        _check_rate(self.rate)
        if self.epochs < 1:
            raise ValueError(f"epochs is {self.epochs}; expected at least one")

    def __call__(self, epoch: int) -> float:
        """Return the rate of an epoch."""
        return self.rate * (1 + math.cos(math.pi * min(epoch / self.epochs, 1.0))) / 2
