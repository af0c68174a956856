"""Defines a case of the catalogue, and draws the arrays of cases, with zeros and ties among them."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from npnet.arrays import Array, generator
from npnet.layers import Layer
from npnet.trees import Tree

__all__ = ["Case", "Draw", "layer_case"]


@dataclass(frozen=True)
class Case:
    """A name, a function that returns a value with its gradient or its way back, and the arguments to check it at."""

    name: str
    f: Callable[..., tuple[Any, Any]]
    arguments: tuple[Tree, ...]


def layer_case(name: str, layer: Layer, p: Tree, X: Array, drop: int | None = None) -> Case:
    """Return the case of a layer as a function of X and p. With the seed `drop`, every call has the same dropout."""

    def f(X: Array, p: Tree) -> tuple[Array, Callable[[Array], Any]]:
        return layer(p, X, None if drop is None else generator(drop, "dropout"))

    return Case(name, f, (X, p))


@dataclass(frozen=True)
class Draw:
    """Draws arrays of a module. Called with a shape, it draws normal numbers, a fifth of them 0 and a fifth 0.5."""

    rng: np.random.Generator
    xp: ModuleType

    def __call__(self, *shape: int) -> Array:
        """Draw such an array."""
        X, kind = self.rng.standard_normal(shape), self.rng.random(shape)
        return self.xp.asarray(np.where(kind < 0.2, 0.0, np.where(kind < 0.4, 0.5, X)))

    def integers(self, below: int, *shape: int) -> Array:
        """Draw whole numbers from 0 to below − 1."""
        return self.xp.asarray(self.rng.integers(0, below, shape))

    def positive(self, *shape: int) -> Array:
        """Draw numbers uniform on [0.1, 1.1)."""
        return self.xp.asarray(self.rng.random(shape) + 0.1)
