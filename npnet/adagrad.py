"""Adagrad: steps that shrink for each weight with all the gradients that it has seen.

    s ← s + dw²        w ← w − rate · dw / (√s + ε)

Nothing is forgotten of s, so a weight that an old task moved often moves little for a new one.
Source: Duchi, Hazan and Singer 2011, the diagonal form; ε outside the root, as PyTorch has it.
"""

from dataclasses import dataclass

import numpy as np

from npnet.arguments import checked
from npnet.arrays import Array, array_module
from npnet.fused import Product, dense, descend
from npnet.optimizers import Buffers

__all__ = ["Adagrad"]


@checked
@dataclass(frozen=True)
class Adagrad:
    """Adagrad, with its sum of squares from zero. Raises ValueError unless ε > 0."""

    epsilon: float = 1e-10
    proximal = False

    def __post_init__(self) -> None:
        if not self.epsilon > 0:
            raise ValueError(f"epsilon is {self.epsilon}; expected a number above zero")

    def start(self, w: Array) -> Buffers:
        """Return the sum of squares, zero, in single precision at least."""
        return {"s": array_module(w).zeros_like(w, np.promote_types(w.dtype, np.float32))}

    def update(self, w: Array, dw: Array | Product, buffers: Buffers, rate: float) -> bool:
        """Move w and its sum in place and say whether w is still finite."""
        s = buffers["s"]
        move = dense(dw).astype(s.dtype)  # a copy
        s += move * move
        root = array_module(s).sqrt(s)
        root += s.dtype.type(self.epsilon)
        move /= root
        return descend(w, move.astype(w.dtype, copy=False), rate)
