"""Names the most likely fault: the simplest change that turns a wrong gradient into the derivative.

Hypotheses are tried in order, those without a number to fit first. The first one that explains all but a millionth of
the difference is named. The name says where to look first. It is not a proof.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from npnet.arrays import to_host

__all__ = ["diagnose", "explain"]

FITS = 1e-6  # of the difference to explain
LARGEST = 500  # a larger array is not diagnosed: that needs the derivative of every entry


def diagnose(problem: Any, k: int) -> str:
    """Return the most likely fault in the gradient of argument k of a problem, "" if none fits."""
    if problem.arrays[k].size > LARGEST:
        return ""
    G, x = (np.asarray(to_host(a)) for a in (problem.gradients[k], problem.arrays[k]))
    D = np.zeros(G.shape)
    for index in np.ndindex(*G.shape):
        direction = np.zeros(G.shape)
        direction[index] = 1.0
        D[index] = problem.derivative(k, problem.xp.asarray(direction)).value
    others = {
        name: np.asarray(to_host(g))
        for i, (name, g) in enumerate(zip(problem.names, problem.gradients, strict=True))
        if i != k and g.shape == G.shape
    }
    shapes = [getattr(problem.value, "shape", ()), *(a.shape for a in problem.arrays)]
    named = zip(problem.names, problem.arrays, strict=True)
    arguments = {name: np.asarray(to_host(a)) for i, (name, a) in enumerate(named) if i != k}
    dY = np.asarray(to_host(problem.cotangent)) if hasattr(problem.cotangent, "shape") else None
    return explain(G, D, x, {n for shape in shapes for n in shape}, others, arguments, dY)


def explain(
    G: Any,
    D: Any,
    x: Any,
    sizes: set[int],
    others: dict[str, Any],
    arguments: dict[str, Any] | None = None,
    dY: Any = None,
) -> str:
    """Name the simple change that turns the gradient G into the derivative D, "" if none is known.

    x: the argument.
    sizes: the lengths of axes, which a wrong factor may be made of.
    others: gradients of other arguments of the same shape, by name.
    arguments: the other arguments themselves.
    dY: what the way back received.
    """
    gap = float(np.linalg.norm(G - D))
    if not np.isfinite(gap):
        if not np.isfinite(D).all():
            return "a value that is not finite near these arguments"
        return "a gradient that is not finite: 0/0 at a zero, or an overflow"
    simple = (*_rearranged(G, others), *_factors(G, D, sizes), *_parts(G, D, x), *_sent(G, D, dY))
    name = _first(simple, D, gap) or _where(G, D)
    return name or _first(tuple(_products(G, D, x, arguments or {})), D, gap)


def _first(hypotheses: tuple[tuple[str, Any], ...], D: Any, gap: float) -> str:
    """Return the name of the first hypothesis that explains the difference."""
    for name, corrected in hypotheses:
        if float(np.linalg.norm(corrected - D)) <= FITS * gap:
            return name
    return ""


def _rearranged(G: Any, others: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield changes of sign and of order, which have no number to fit."""
    yield "a sign", -G
    if G.ndim >= 2:
        if G.shape[-1] == G.shape[-2]:
            yield "a transposed matrix", G.swapaxes(-1, -2)
        yield "a transposed matrix, reshaped", G.swapaxes(-1, -2).reshape(G.shape)
        yield "a transposed matrix, reshaped", G.reshape(*G.shape[:-2], G.shape[-1], G.shape[-2]).swapaxes(-1, -2)
    for axis in range(G.ndim):
        yield f"an index off by one along axis {axis}", np.roll(G, 1, axis)
        yield f"an index off by one along axis {axis}", np.roll(G, -1, axis)
        yield f"axis {axis} the wrong way round", np.flip(G, axis)
    for name, other in others.items():
        yield f"the gradient of {name} in its place", other


def _factors(G: Any, D: Any, sizes: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield G times the number that fits best, with the name that the number suggests."""
    if not np.any(D):
        yield "a gradient where there is no dependence (a forgotten mask?)", 0 * G
    if not np.any(G):
        yield "a gradient left out: it is zero throughout", G if not np.any(D) else D
    if not np.any(G * D):
        return
    ratio = float((G * D).sum() / (G * G).sum())
    yield _factor_name(ratio, sizes), ratio * G
    for N in sorted(n for n in sizes if n > 1):
        yield f"a sum where the mean over {N} belongs (a missing factor 1/{N})", G / N
    for axis in range(G.ndim):
        n = G.shape[axis]
        if n > 1 and np.allclose(G, G.mean(axis, keepdims=True)):
            total = D.sum(axis, keepdims=True)
            if np.allclose(G, total) or np.allclose(G, total / n):
                yield f"a sum or mean over axis {axis} that does not belong there", D


def _factor_name(ratio: float, sizes: set[int]) -> str:
    for N in sorted(n for n in sizes if n > 1):
        if np.isclose(ratio, 1 / N, rtol=1e-9):
            return f"a missing factor 1/{N} (a sum where a mean belongs)"
        if np.isclose(ratio, N, rtol=1e-9):
            return f"a factor 1/{N} too many (a batch mean squared, or a mean where a sum belongs)"
        if np.isclose(ratio, N / (N - 1), rtol=1e-9) or np.isclose(ratio, (N - 1) / N, rtol=1e-9):
            return f"{N} and {N - 1} taken for one another in a mean"
    if np.isclose(ratio, -1.0, rtol=1e-9):
        return "a sign"
    if np.isclose(ratio, 2.0, rtol=1e-9) or np.isclose(ratio, 0.5, rtol=1e-9):
        return f"a factor {ratio:g} forgotten (½ of a square, or its derivative's 2)"
    return f"a factor {ratio:.10g} forgotten"


def _parts(G: Any, D: Any, x: Any) -> Iterator[tuple[str, Any]]:
    """Yield changes of some entries, and penalties that are missing or superfluous."""
    extra = (D == 0) & (G != 0)
    if extra.any() and (~extra & (D != 0)).any():
        rest = np.where(extra, 0, G)
        yield "a forgotten mask: entries are not zero that should be", rest
        yield (
            "a forgotten mask, and a factor with it",
            rest * float((rest * D).sum() / max((rest * rest).sum(), 1e-300)),
        )
    lost = (G == 0) & (D != 0)
    if lost.any() and (G != 0).any():
        yield "entries left at zero: a mask too many, or an index that stops short", np.where(lost, D, G)
    length = np.sqrt((x * x).sum(-2 if x.ndim > 1 else -1, keepdims=True)) if x.ndim else abs(x)
    unit = np.divide(x, length, out=np.zeros(x.shape), where=length > 0) if x.ndim else x
    for name, term in (("l2: s·x", x), ("l1: s·sign x", np.sign(x)), ("group lasso: s·x/‖x‖", unit)):
        size = float((term * term).sum())
        if size > 0:
            s = float((term * (D - G)).sum()) / size
            yield f"a {'missing' if s > 0 else 'superfluous'} penalty ({name}, s = {abs(s):.6g})", G + s * term
    if G.size > 1:
        yield "a constant added to every entry", G + float((D - G).mean())


def _sent(G: Any, D: Any, dY: Any) -> Iterator[tuple[str, Any]]:
    """Yield faults in how dY was used."""
    if dY is None:
        return
    if dY.shape == G.shape:
        yield "a connection around the layer, forgotten: dY itself is missing", G + dY
    if G.ndim == 1:
        for axis in range(dY.ndim):
            rest = tuple(i for i in range(dY.ndim) if i != axis)
            if dY.shape[axis] == G.size and np.allclose(G, dY.sum(rest)) and not np.allclose(D, G):
                yield f"dY summed over the wrong axis: axis {axis} is left", D


def _products(G: Any, D: Any, x: Any, arguments: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield a factor for each row or column, a product with another matrix, and a lost component."""
    for axis in range(G.ndim) if G.ndim > 1 else ():
        rest = tuple(i for i in range(G.ndim) if i != axis)
        size = (G * G).sum(rest, keepdims=True)
        if G.size > G.shape[axis]:
            factors = np.divide((G * D).sum(rest, keepdims=True), size, out=np.zeros(size.shape), where=size > 0)
            yield f"a factor for each index of axis {axis}: weights or scales forgotten, or taken twice", G * factors
    if G.ndim != 2 or min(G.shape) < 2:
        return
    for name, W in arguments.items():
        if W.shape == (G.shape[1],) * 2 and np.linalg.cond(W) < 1e6:
            yield f"{name} where its transpose belongs", np.linalg.solve(W.T, G.T).T @ W.T
    along = (x * x).sum(-1, keepdims=True)
    part = np.divide((x * (D - G)).sum(-1, keepdims=True), along, out=np.zeros(along.shape), where=along > 0)
    yield "a component along the argument, row by row: a projection forgotten", G + part * x
    U, s, V = np.linalg.svd(D - G)
    if np.linalg.matrix_rank(D) > 1:
        one = s[0] * np.outer(U[:, 0], V[0])
        yield "one product of a row and a column: an example left out, or counted twice", G + one


def _where(G: Any, D: Any) -> str:
    """Say which entries are wrong, if they are one entry, one row or one column."""
    wrong = abs(G - D) > 1e-9 * max(float(abs(D).max()), float(abs(G).max()))
    if wrong.sum() == 1 and G.size > 1:
        return "one entry alone is wrong"
    for axis in range(G.ndim if G.ndim > 1 else 0):
        other = tuple(i for i in range(G.ndim) if i != axis)
        bad = np.flatnonzero(wrong.any(other))
        if len(bad) == 1 and G.shape[axis] > 1:
            return f"index {int(bad[0])} of axis {axis} alone is wrong"
    return ""
