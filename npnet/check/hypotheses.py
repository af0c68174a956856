"""The faults that a wrong gradient is compared with: each yields its name, and the gradient without it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from npnet.check.factors import EXACT, fraction_of, name_of

__all__ = ["Hypotheses", "parts", "products", "rearranged", "sent", "summed"]

Hypotheses = Iterator[tuple[str, Any]]


def rearranged(G: Any, others: dict[str, Any]) -> Hypotheses:
    """Yield changes of sign and of order, which have no number to fit. Other gradients are tried in G's place."""
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
        if other.shape == G.shape:
            yield f"the gradient of {name} in its place", other


def summed(G: Any, D: Any, others: dict[str, Any]) -> Hypotheses:
    """Yield that G is another argument's gradient, summed over an axis: that of a bias made from that of its weights.

    D is the derivative. G must be that sum to rounding, since nothing is left to fit.
    """
    for name, other in others.items():
        for axis in range(other.ndim):
            total = other.sum(axis)
            if not 1 < total.size == G.size < other.size:
                continue
            if float(np.linalg.norm(total.reshape(G.shape) - G)) <= EXACT * float(np.linalg.norm(G)):
                yield f"the gradient of {name}, summed over axis {axis}, in its place", D


def parts(G: Any, D: Any, x: Any, sizes: set[int]) -> Hypotheses:
    """Yield changes of some entries, penalties that are missing or superfluous, and a data term times a factor."""
    if (x != 0).all():
        yield "the derivative in log x where that in x belongs: a factor x too many", G / x
        yield "the derivative in x where that in log x belongs: a factor x is missing", G * x
    extra = (D == 0) & (G != 0)
    if extra.any() and (~extra & (D != 0)).any():
        rest = np.where(extra, 0, G)
        share = float((rest * D).sum() / max((rest * rest).sum(), 1e-300))
        yield "a forgotten mask: entries are not zero that should be", rest
        yield "a forgotten mask, and a factor with it", rest * share
    lost = (G == 0) & (D != 0)
    if lost.any() and (G != 0).any():
        yield "entries left at zero: a mask too many, or an index that stops short", np.where(lost, D, G)
    length = np.sqrt((x * x).sum(-2 if x.ndim > 1 else -1, keepdims=True)) if x.ndim else abs(x)
    whole = float(np.sqrt((x * x).sum()))
    unit = np.divide(x, length, out=np.zeros(x.shape), where=length > 0) if x.ndim else x
    terms = {
        "l2: s·x": x,
        "l1: s·sign x": np.sign(x),
        "group lasso: s·x/‖x‖": unit,
        "norm: s·x/‖x‖": x / (whole or 1.0),
    }
    for name, term in terms.items():
        size = float((term * term).sum())
        if size > 0 and G.size > 1:  # some penalty always fits a single number
            s = float((term * (D - G)).sum()) / size
            yield f"a {'missing' if s > 0 else 'superfluous'} penalty ({name}, s = {abs(s):.6g})", G + s * term
    if G.size > 1:
        yield "a constant added to every entry", G + float((D - G).mean())
    for name, term in terms.items() if G.size > 3 else ():
        (a, b), *_ = np.linalg.lstsq(np.stack([G.reshape(-1), term.reshape(-1)], 1), D.reshape(-1), rcond=None)
        if fraction_of(a) is not None and abs(a - 1) > 1e-6:  # D = a (G − s·term) + s·term
            told = name_of(float(a), sizes)
            beside = f"beside a right penalty ({name}, s = {b / (1 - a):.6g})"
            yield f"{told}, on the data term alone, {beside}", a * G + b * term


def sent(G: Any, D: Any, dY: Any) -> Hypotheses:
    """Yield faults in how dY was used."""
    if dY is None:
        return
    if dY.shape == G.shape:
        yield "a connection around the layer, forgotten: dY itself is missing", G + dY
        if G.size > 1 and dY.any():
            s = float((dY * (D - G)).sum() / (dY * dY).sum())
            kind = "missing" if s > 0 else "superfluous"
            yield f"a {kind} multiple of dY, {abs(s):.6g}: a penalty's share of a Hessian, or a connection", G + s * dY
    if G.ndim != 1:
        return
    sums = {a: dY.sum(tuple(i for i in range(dY.ndim) if i != a)) for a in range(dY.ndim) if dY.shape[a] == G.size}
    for axis, total in sums.items():
        if float(np.linalg.norm(G - total)) <= 1e-9 * float(np.linalg.norm(G)):
            for other in sums.values():
                yield f"dY summed over the wrong axis: axis {axis} is left", other


def products(G: Any, D: Any, x: Any, arguments: dict[str, Any]) -> Hypotheses:
    """Yield a factor for each row or column, a product with another matrix, and a lost component."""
    for axis in range(G.ndim) if G.ndim > 1 else ():
        rest = tuple(i for i in range(G.ndim) if i != axis)
        size = (G * G).sum(rest, keepdims=True)
        if G.size > G.shape[axis]:
            each = np.divide((G * D).sum(rest, keepdims=True), size, out=np.zeros(size.shape), where=size > 0)
            yield f"a factor for each index of axis {axis}: weights or scales forgotten, or taken twice", G * each
    if G.ndim != 2 or min(G.shape) < 2:
        return
    for name, W in arguments.items():
        if W.shape == (G.shape[1],) * 2 and np.linalg.cond(W) < 1e6:
            yield f"{name} where its transpose belongs", np.linalg.solve(W.T, G.T).T @ W.T
    for axis in (0, 1):
        if G.shape[axis] > 2:
            same = (D - G).mean(axis, keepdims=True)
            yield f"the same numbers added at every index of axis {axis}: a mean counted twice, or forgotten", G + same
    along = (x * x).sum(-1, keepdims=True)
    part = np.divide((x * (D - G)).sum(-1, keepdims=True), along, out=np.zeros(along.shape), where=along > 0)
    yield "a component along the argument, row by row: a projection forgotten", G + part * x
    U, s, V = np.linalg.svd(D - G)
    if np.linalg.matrix_rank(D) > 1:
        one = s[0] * np.outer(U[:, 0], V[0])
        yield "one product of a row and a column: an example left out, or counted twice", G + one
