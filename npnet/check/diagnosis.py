"""Names the most likely fault: the simplest change that turns a wrong gradient into the derivative.

Hypotheses are tried in order, those without a number to fit first. The first one that explains all but a millionth of
the difference is named. The name says where to look first. It is not a proof. Sizes are always relative: what is
called small here is small beside the arrays that are compared.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np

from npnet.arrays import to_host
from npnet.check.factors import factors
from npnet.check.hypotheses import parts, products, rearranged, sent, summed
from npnet.check.rounding import peak
from npnet.check.slopes import activations, inner

__all__ = ["diagnose", "explain"]

FITS = 1e-6  # of the difference to explain
DIGITS = 1e-6, 1e-4
"""A gradient that is right to the first part of itself has too few digits. Up to the second, it has too few digits if
nothing else explains the difference."""


def diagnose(problem: Any, k: int) -> str:
    """Return the most likely fault in the gradient of argument k of a problem, "" if none fits.

    Every entry of the argument must have been compared: the derivatives are not found again.
    """
    G, x = (np.asarray(to_host(a)) for a in (problem.gradients[k], problem.arrays[k]))
    D, error = np.zeros(G.shape), np.zeros(G.shape)
    for index in np.ndindex(*G.shape):
        D[index], error[index] = problem.found[k, index]
    D = np.where(abs(D) <= error, 0.0, D)
    pairs = list(enumerate(zip(problem.names, problem.gradients, problem.arrays, strict=True)))
    others = {name: np.asarray(to_host(g)) for i, (name, g, _) in pairs if i != k}
    arguments = {name: np.asarray(to_host(a)) for i, (name, _, a) in pairs if i != k}
    sizes = {n for a in (problem.value, *problem.arrays) for n in a.shape}
    _, back = problem.f(problem.own)
    norm, steady = float(np.linalg.norm(error)), not problem.complaints
    if not callable(back):
        return explain(G, D, x, sizes, others, arguments, error=norm, steady=steady)
    dY, Y = (np.asarray(to_host(a)) for a in (problem.cotangent, problem.value))

    def through(slope: Any) -> Any:
        return np.asarray(to_host(back(problem.xp.asarray(dY * slope))[k]))

    return explain(G, D, x, sizes, others, arguments, dY, Y, through, norm, steady)


def explain(
    G: Any,
    D: Any,
    x: Any,
    sizes: set[int],
    others: dict[str, Any],
    arguments: dict[str, Any] | None = None,
    dY: Any = None,
    Y: Any = None,
    through: Any = None,
    error: float = 0.0,
    steady: bool = True,
) -> str:
    """Name the simple change that turns the gradient G into the derivative D, "" if none is known.

    x: the argument.
    sizes: the lengths of axes, which a wrong factor may be made of.
    others: gradients of other arguments, by name.
    arguments: the other arguments themselves.
    dY, Y: what the way back received, and the outputs.
    through: through(s) is the gradient that the way back gives for dY · s.
    error: the norm of the error of D.
    steady: f has no fault of behaviour. A gradient that is kept from a point nearby is right to some digits as well.
    """
    gap = float(np.linalg.norm(G - D))
    if not np.isfinite(gap):
        if not np.isfinite(D).all():
            return "a value that is not finite near these arguments"
        return "a gradient that is not finite: 0/0 at a zero, or an overflow"
    if not D.any():
        return "the value does not change with this argument: it is not used, or a cached value is returned"
    if not G.any():
        return "no gradient reached this parameter: it is zero throughout"
    if steady and _part(G, D) <= DIGITS[0]:
        return _digits(G, D)
    allowed = FITS * gap + error
    simple = (*rearranged(G, others), *factors(G, D, sizes), *parts(G, D, x, sizes), *sent(G, D, dY))
    name = _first((*simple, *summed(G, D, others)), D, allowed)
    name = name or _first(chain(activations(G, x, dY, Y, through), inner(G, x)), D, allowed) or _where(G, D)
    name = name or _first(products(G, D, x, arguments or {}), D, allowed)
    return name or (_digits(G, D) if steady and _part(G, D) <= DIGITS[1] else "")


def _first(hypotheses: Iterable[tuple[str, Any]], D: Any, allowed: float) -> str:
    """Return the name of the first hypothesis that explains the difference."""
    for name, corrected in hypotheses:
        if float(np.linalg.norm(corrected - D)) <= allowed:
            return name
    return ""


def _part(G: Any, D: Any) -> float:
    """Return the largest difference as a part of its entry, or of a thousandth of the largest one."""
    return float((abs(G - D) / np.maximum(abs(D), 1e-3 * peak(D))).max())


def _digits(G: Any, D: Any) -> str:
    digits = int(-np.log10(_part(G, D)))
    causes = "a difference quotient, an ε, a tolerance, a rounded constant or single precision?"
    return f"right to {digits} digits and no more: {causes}"


def _where(G: Any, D: Any) -> str:
    """Say which entries are wrong, if they are one entry, one row or one column."""
    wrong = abs(G - D) > 1e-9 * max(peak(D), peak(G))
    if wrong.sum() == 1 and G.size > 1:
        return "one entry alone is wrong"
    for axis in range(G.ndim if G.ndim > 1 else 0):
        other = tuple(i for i in range(G.ndim) if i != axis)
        bad = np.flatnonzero(wrong.any(other))
        if len(bad) == 1 and G.shape[axis] > 1:
            return f"index {int(bad[0])} of axis {axis} alone is wrong"
    return ""
