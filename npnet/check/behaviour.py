"""Finds faults of behaviour: what a function under check must not do, whatever its numbers are.

It must not change its arguments or dY. It must give the same bits when it is called again. Its way back must be linear
in dY, and must not depend on later calls of the function.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from npnet.check.pytree import Tree, copy_tree, leaves, map_tree
from npnet.check.rounding import peak

__all__ = ["called_again", "changed", "ways_back"]


def _same_trees(a: Tree, b: Tree) -> bool:
    """Say whether two trees have the same numbers, NaN for NaN."""
    return all(_same(one, other) for (_, one), (_, other) in zip(leaves(a), leaves(b), strict=True))


def _same(a: Any, b: Any) -> bool:
    equal = (a == b) | ((a != a) & (b != b))
    return bool(equal.all()) if hasattr(equal, "all") else bool(equal)


def changed(names: list[str], before: Tree, after: Tree) -> list[str]:
    """Return a complaint for each argument that the function has changed."""
    pairs = zip(names, leaves(before), leaves(after), strict=True)
    return [f"argument {name} was changed" for name, (_, old), (_, new) in pairs if not _same(old, new)]


def called_again(f: Callable[..., tuple[Any, Any]], arguments: list[Tree], gradients: Tree) -> list[str]:
    """Return the complaint that f returns other gradients when it is called again."""
    _, again = f(*arguments)
    return [] if _same_trees(gradients, again) else ["gradients have other bits when the function is called again"]


def ways_back(
    f: Callable[..., tuple[Any, Any]], arguments: list[Tree], back: Callable[[Any], Tree], dY: Any
) -> tuple[Tree, list[str]]:
    """Return back(dY), copied, and the complaints about how back behaves."""
    given, complaints = copy_tree(dY), []
    gradients = back(dY)
    if not _same(given, dY):
        complaints.append("back changed dY")
    gradients = copy_tree(gradients)
    if not _same_trees(gradients, back(copy_tree(given))):
        complaints.append("back gives other bits when it is called again")
    for (_, g), (_, twice) in zip(leaves(gradients), leaves(back(-2 * given)), strict=True):
        if not bool((abs(twice + 2 * g) <= 1e-12 * peak(g)).all()) and bool((g == g).all()):
            complaints.append("back is not linear: back(−2 dY) is not −2 back(dY)")
            break
    with np.errstate(all="ignore"), suppress(ArithmeticError, ValueError):
        f(*map_tree(lambda a: 0.9375 * a, arguments))  # nearer to zero, where f may be undefined
    if not _same_trees(gradients, back(copy_tree(given))):
        complaints.append("back gives other bits after the function was called with other arguments")
    return gradients, complaints
