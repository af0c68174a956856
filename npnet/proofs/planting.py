"""Plants errors of known size in one entry of a gradient, and finds the smallest that a check still catches."""

from collections.abc import Callable
from typing import Any

import numpy as np

from npnet.arrays import generator
from npnet.check.gradient import check_gradient
from npnet.trees import Tree, leaves, map_tree

__all__ = ["PLANTED", "plant", "smallest_caught"]

PLANTED = tuple(10.0**-i for i in (4, 8, 10, 11, 12, 13, 14))


def plant(f: Callable[..., tuple[Any, Any]], parameter: int, error: float, seed: int) -> Callable[..., tuple[Any, Any]]:
    """Return f with a relative error planted in one entry of one of the gradients that it returns.

    The entry is drawn among those above 1e-9 of the gradient's largest. One part in 10⁴ of a smaller entry is below the
    rounding error of the others, so no check can find it.
    """

    def spoil(gradients: Tree) -> Tree:
        arrays = [leaf for _, leaf in leaves(gradients)]
        spoilt = arrays[parameter].copy()
        entries = np.flatnonzero(abs(spoilt) > 1e-9 * abs(spoilt).max(initial=0.0))
        if entries.size:
            spoilt.reshape(-1)[generator(seed, "plant").choice(entries)] *= 1 + error
        order = iter(range(len(arrays)))
        return map_tree(lambda leaf: spoilt if next(order) == parameter else leaf, gradients)

    def faulty(*arguments: Tree) -> tuple[Any, Any]:
        value, gradients = f(*arguments)
        return value, (lambda dY: spoil(gradients(dY))) if callable(gradients) else spoil(gradients)

    return faulty


def smallest_caught(f: Callable[..., tuple[Any, Any]], arguments: tuple[Tree, ...]) -> float:
    """Return the smallest planted error that is caught in the gradient of every parameter."""
    caught = float("inf")
    gradients = _gradients(f, arguments)
    for error in PLANTED:
        faulty = f
        for parameter in range(len(gradients)):  # one in each, all at once: every parameter has a line of its own
            faulty = plant(faulty, parameter, error, parameter)
        lines = check_gradient(faulty, *arguments, method="complex step", convention="branch").lines
        if not all(line.wrong for line, g in zip(lines, gradients, strict=True) if np.any(g)):
            return caught
        caught = error
    return caught


def _gradients(f: Callable[..., tuple[Any, Any]], arguments: tuple[Tree, ...]) -> list[Any]:
    value, gradients = f(*arguments)
    return [leaf for _, leaf in leaves(gradients(np.ones_like(value)) if callable(gradients) else gradients)]
