"""Gradient clipping: the gradients of a step, those of all layers together, are no longer than a bound.

The way down of a step is lazy: a layer moves before the gradients below it are computed. Clipping needs all of them
first, so it holds as many numbers as there are weights that train.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.arrays import Array, array_module
from npnet.fused import dense
from npnet.layers import Parameters
from npnet.step import Group, WayDown

__all__ = ["ClipByNorm"]


@checked
@dataclass(frozen=True)
class ClipByNorm:
    """Multiply the gradients of a step by min(1, norm / ‖g‖₂).

    g is everything that trains together, with penalties that act by their gradient, without frozen weights; in a
    population each replicate has its own g. Where ‖g‖₂ is not finite nothing is scaled, and the step fails as it would
    without clipping. Keras has this as `global_clipnorm`; PyTorch's `clip_grad_norm_` divides by ‖g‖₂ + 10⁻⁶.
    Raises ValueError for a norm that is not above zero. Source: Pascanu, Mikolov and Bengio 2013, algorithm 1.
    """

    norm: float

    def __post_init__(self) -> None:
        if not self.norm > 0:
            raise ValueError(f"norm is {self.norm}; expected a number above zero")

    def __call__(self, way_down: WayDown) -> WayDown:
        """Yield the groups of a way down with their gradients scaled, as arrays."""
        found = [(group, _moving(group, gradients)) for group, gradients in way_down]
        squares: Any = sum(_squares(g, group.lead) for group, gradients in found for g in gradients.values())
        xp = array_module(squares)
        length = xp.sqrt(squares)
        scale = xp.where(xp.isfinite(length), self.norm / xp.maximum(length, self.norm), 1)  # () or (R,)
        for group, gradients in found:
            for g in gradients.values():
                g *= scale.reshape(scale.shape + (1,) * (g.ndim - scale.ndim)).astype(g.dtype)
            yield group, gradients


def _moving(group: Group, gradients: Parameters) -> Parameters:
    """Return the gradients of what moves, as arrays of their own, zero for single weights that are frozen."""
    return {
        key: dense(gradients[key]) * (1 if isinstance(share, float) else share != 0)
        for key, share in group.shares.items()
    }


def _squares(g: Array, lead: int) -> Any:
    """Return Σ g², in double precision, over all axes after the leading ones."""
    lines = g.reshape(*g.shape[:lead], -1)
    return array_module(g).einsum("...i,...i->...", lines, lines, dtype=np.float64)
