"""Finds faults of behaviour: what a function under check must not do, whatever its numbers are.

It must not change its arguments or dY. It must give the same bits when it is called again. Its way back must be linear
in dY, must take a dY however it lies in memory, and must not depend on later calls of the function.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from npnet.arrays import array_module
from npnet.check.function import Function, in_a_line
from npnet.check.pytree import Tree, leaves, map_tree
from npnet.check.rounding import factor, peak

__all__ = ["changed", "same", "ways_back"]

SIZES = -2.0, 2.0**20, 2.0**-20
"""dY is made so much larger: a back that clips it, or adds an ε to its length, is not linear."""


def same(some: list[Any], others: list[Any]) -> bool:
    """Say whether arrays have the same numbers, NaN for NaN."""
    return len(some) == len(others) and all(
        a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all()) for a, b in zip(some, others, strict=True)
    )


def changed(names: list[str], before: Tree, after: Tree) -> list[str]:
    """Return a complaint for each argument that the function has changed."""
    pairs = zip(names, leaves(before), leaves(after), strict=True)
    return [f"argument {name} was changed" for name, (_, old), (_, new) in pairs if not same([old], [new])]


def ways_back(
    f: Function, arguments: list[Tree], back: Callable[[Any], list[Any]], dY: Any, rounding: float
) -> tuple[list[Any], list[str], list[str]]:
    """Return back(dY), with complaints and notes about how back behaves. rounding: λ √n u of the values.

    A back that refuses an array by an exception gives no wrong gradient: that is a note.
    """
    given, complaints, notes = dY.copy(), [], []
    gradients = back(given)
    if not same([given], [dY]):
        complaints.append("back changed dY")
    if not same(gradients, back(dY.copy())):
        complaints.append("back gives other bits when it is called again")
    sizes = [max(peak(g), peak(positive)) for g, positive in zip(gradients, back(abs(dY)), strict=True)]
    allowed = [max(rounding, _unit(g)) * size for g, size in zip(gradients, sizes, strict=True)]
    for size in SIZES:
        if not _close(back(size * dY), [size * g for g in gradients], [abs(size) * most for most in allowed]):
            complaints.append(f"back is not linear: back({size:g} dY) is not {size:g} back(dY)")
            break
    for layout, laid in _layouts(dY):
        try:
            if not _close(back(laid), gradients, allowed):
                complaints.append(f"back gives other numbers for a {layout} dY")
        except Exception as error:  # the function may raise anything
            if "back changed dY" not in complaints:
                notes.append(f"back refuses a {layout} dY ({in_a_line(type(error), error)})")
    with suppress(Exception):  # nearer to zero, where f may be undefined
        f(map_tree(lambda a: 0.9375 * a, arguments))
    if not same(gradients, back(dY.copy())):
        complaints.append("back gives other bits after the function was called with other arguments")
    return gradients, complaints, notes


def _layouts(dY: Any) -> Iterator[tuple[str, Any]]:
    """Yield the same dY as callers may hand it over: parts of larger arrays, other orders of memory, read-only."""
    xp = array_module(dY)
    if dY.ndim:
        wide = xp.zeros((*dY.shape[:-1], 2 * dY.shape[-1] + 2))
        for layout, part in (
            ("sliced", wide[..., 1 : dY.shape[-1] + 1]),
            ("strided", wide[..., : 2 * dY.shape[-1] : 2]),
        ):
            part[...] = dY
            yield layout, part
    if dY.ndim > 1:
        yield "Fortran-ordered", xp.asfortranarray(dY)
    if isinstance(dY, np.ndarray):
        fixed = dY.copy()
        fixed.flags.writeable = False
        yield "read-only", fixed


def _unit(g: Any) -> float:
    return factor(g.size, g.dtype) if g.dtype.kind == "f" else 0.0


def _close(found: list[Any], wanted: list[Any], allowed: list[float]) -> bool:
    """Say whether arrays agree to rounding, in units of each array's largest entry; NaN agrees with anything."""
    triples = zip(found, wanted, allowed, strict=True)
    return not any(bool((abs(a - b) > most).any()) for a, b, most in triples)
