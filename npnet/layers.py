"""Layers: each is a function that returns its value and the way back, so a pass forward is also the pass back.

    layer(p, X, rng=None) -> (Y, back)          back(dY) -> (dX, dp)

p is a dict of the layer's parameters ({} where it has none), X is (N, D), and dY, dX, dp are gradients of one scalar
with respect to Y, X and p. No layer keeps state: calling `back` twice gives the same bits. Any function of this form is
a layer, also one of your own; it may read X and dY until the next batch, which may overwrite them. A path is a list of
layers with their parameters, which `forward` walks up and `backward` walks down; everything that npnet does with a
network is one of these two walks.

Everything is complex-safe (comparisons look at the real part), so that the complex step checks it to the last bits.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.arrays import Array, array_module, check_array, sum_to, uniform

__all__ = [
    "Back",
    "Dropout",
    "Layer",
    "Link",
    "MadeOfLinear",
    "Parameters",
    "Path",
    "Shared",
    "backward",
    "chain",
    "forward",
    "linear",
    "normalise",
]

Parameters = dict[str, Array]
Back = Callable[[Array], tuple[Any, Any]]
Layer = Callable[..., tuple[Array, Back]]
Link = tuple[Layer, Parameters]
Path = Sequence[Link]


def linear(p: Parameters, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
    """Y = X W + b: X (N, D), W (D, K), b (K,), Y (N, K). Gradients: dX = dY Wᵀ, dW = Xᵀ dY, db = Σₙ dY.

    Raises ValueError where the shapes do not fit, TypeError for X that is no array.
    """
    W, b = p["W"], p["b"]
    check_array("X", X)
    if X.ndim != 2 or W.ndim != 2 or X.shape[1] != W.shape[0] or b.shape != W.shape[1:]:
        raise ValueError(f"X has shape {X.shape}, W {W.shape}, b {b.shape}; expected (N, D), (D, K), (K,)")

    def back(dY: Array) -> tuple[Array, Parameters]:
        return dY @ W.T, {"W": X.T @ dY, "b": dY.sum(0)}

    return X @ W + b, back


class MadeOfLinear:
    """A layer that holds a linear one: called with `form`, it takes another form of that one."""

    def __call__(
        self, p: Parameters, X: Array, rng: np.random.Generator | None = None, form: Layer = linear
    ) -> tuple[Array, Back]:
        """Return the value and the way back."""
        raise NotImplementedError


@checked
@dataclass(frozen=True)
class Shared(MadeOfLinear):
    """The linear layer that is shared over P patches of its input: the same W for each of them.

    X (N, P·D), one patch after the other, to Y (N, P·K): channel k of patch j is Y[:, j·K + k]. W (D, K). Calling it
    raises ValueError where the inputs do not come in so many patches of D values.
    """

    patches: int

    def __call__(
        self, p: Parameters, X: Array, rng: np.random.Generator | None = None, form: Layer = linear
    ) -> tuple[Array, Back]:
        """Return Y and the way back."""
        check_array("X", X)
        D, K = p["W"].shape
        if X.ndim != 2 or X.shape[1] != self.patches * D:
            raise ValueError(
                f"X has shape {X.shape}; expected (N, {self.patches * D}), {self.patches} patches of {D} values"
            )
        Z, back_linear = form(p, X.reshape(-1, D))  # (N, P·D) → (N·P, D) → (N·P, K)

        def back(dY: Array) -> tuple[Any, Parameters]:
            dX, dp = back_linear(dY.reshape(Z.shape))
            return None if dX is None else dX.reshape(X.shape), dp

        return Z.reshape(len(X), self.patches * K), back


@checked
@dataclass(frozen=True)
class Dropout:
    """The layer Y = X · keep / (1 − rate), where each entry of keep is 1 with probability 1 − rate.

    A network leaves it out where it does not train. Raises ValueError unless 0 ≤ rate < 1; calling it raises ValueError
    without a generator, for a forgotten one must not turn dropout off silently.
    Source: Srivastava et al. 2014, in its inverted form.
    """

    rate: float

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ValueError(f"rate is {self.rate}; expected a probability, 0 <= rate < 1")

    def __call__(self, p: Parameters, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
        """Return Y and the way back."""
        check_array("X", X)
        if self.rate == 0:
            return X, lambda dY: (dY, {})
        if rng is None:
            raise ValueError("rng is None; expected a generator to draw dropout from (inference leaves the layer out)")
        keep = (uniform(rng, X) >= self.rate) * X.real.dtype.type(1 / (1 - self.rate))
        return X * keep, lambda dY: (dY * keep, {})


@np.errstate(under="ignore")
def normalise(p: Parameters, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
    """Y = γ X / ‖X‖₂, each row scaled to unit length and then by the learned γ = p["gamma"], (K,) or (1,).

    X (..., N, K). With U = X/‖X‖₂ and G = γ dY: dX = (G − U Σ U G) / ‖X‖₂, dγ = Σ dY U. A row of zeros stays zero and
    passes no gradient back. Raises ValueError where the shapes do not fit.
    Source: the normalised and scaled activations of growing networks (Wang et al. 2017).
    """
    check_array("X", X)
    xp, gamma = array_module(X), p["gamma"]
    if gamma.shape not in ((1,), X.shape[-1:]):
        raise ValueError(f"gamma has shape {gamma.shape}, X {X.shape}; expected (K,) or (1,), (..., N, K)")
    peak = abs(X.real).max(-1, keepdims=True)  # scaled by its largest entry, no square overflows or vanishes
    zero = peak == 0
    peak = xp.where(zero, 1, peak)
    length = xp.sqrt(xp.where(zero, 1, ((X / peak) ** 2).sum(-1, keepdims=True)))  # (..., N, 1), from 1 to √K
    U = xp.where(zero, 0, X / peak / length)

    @np.errstate(under="ignore")
    def back(dY: Array) -> tuple[Array, Parameters]:
        G = gamma * dY
        dU = xp.where(zero, 0, G - U * (U * G).sum(-1, keepdims=True))
        return dU / length / peak, {"gamma": sum_to(gamma.shape, dY * U)}  # 1/peak alone may overflow

    return gamma * U, back


def forward(path: Path, X: Array, rng: np.random.Generator | None = None) -> tuple[list[Array], list[Back]]:
    """Walk a path up: return its inputs and each link's outputs after them, and each link's way back."""
    outputs, backs = [X], []
    for layer, p in path:
        Y, back = layer(p, outputs[-1], rng)
        outputs.append(Y)
        backs.append(back)
    return outputs, backs


def backward(backs: Sequence[Back], at: Mapping[int, Array], lowest: int = 0) -> Iterator[tuple[int, Any, Any]]:
    """Walk a path down to link `lowest`: yield (i, dX, dp), link i's gradients, None for both above the first dY.

    at: {i: dY}, gradients with respect to the outputs of some links, which join those that come from above. It is lazy:
    a link's parameters may be moved when it was yielded, for nothing below looks at them again.
    """
    dX: Any = None
    for i in range(len(backs) - 1, lowest - 1, -1):
        dY = at.get(i) if dX is None else dX + at[i] if i in at else dX
        dX, dp = (None, None) if dY is None else backs[i](dY)
        yield i, dX, dp


@checked
def chain(*layers: Layer) -> Layer:
    """Return the layers one after the other as one layer; its parameters are a sequence, one dict for each layer.

    The layer raises ValueError for another number of parameters than of layers. It can be pickled where they can.
    """
    return partial(_chained, layers)


def _chained(
    layers: Sequence[Layer], p: Sequence[Any], X: Array, rng: np.random.Generator | None = None
) -> tuple[Array, Back]:
    if len(p) != len(layers):
        raise ValueError(f"p has {len(p)} entries; expected {len(layers)}, one for each layer")
    outputs, backs = forward(list(zip(layers, p, strict=True)), X, rng)

    def back(dY: Array) -> tuple[Array, list[Any]]:
        way_down = list(backward(backs, {len(backs) - 1: dY}))
        return way_down[-1][1] if way_down else dY, [dp for _, _, dp in reversed(way_down)]

    return outputs[-1], back
