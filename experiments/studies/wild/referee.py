"""The referee: judges a case without npnet.check, by plain differences, or by a search for a better point.

Central differences of eighth order are taken at steps 2⁻³, 2⁻⁴, … of each entry's size, in the package's arithmetic.
The two that agree best give the derivative, their distance its error. A gradient is wrong if it is off by more than
1e-6 of itself and thirty times that error. A proximal step is wrong if Nelder and Mead's search, begun at several
points, finds an objective that is smaller by more than 1e-7 of its size.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize

from experiments.studies.wild.case import Case, draw

__all__ = ["judge"]

WEIGHTS = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
ENTRIES = 40  # of an argument; of a larger one so many are drawn
EXACT = 1e-6
STARTS = 6


def judge(case: Case) -> tuple[str, float]:
    """Return "right" or "wrong", and how far the answer is off, as a part of its size."""
    with np.errstate(all="ignore"):
        off = _better(case) if case.step is not None else _off(case)
    return ("wrong" if off > 1 else "right"), off * EXACT


def _off(case: Case) -> float:
    """Return the largest distance of the gradient from differences, in units of what is allowed."""
    arguments = [a.copy() for a in case.arguments]
    Y, given = case.f(*[a.copy() for a in arguments])
    dY = np.asarray(draw(*np.shape(Y), seed=7) if callable(given) else 1.0)
    gradients = given(dY.copy()) if callable(given) else given
    gradients = [gradients] if len(arguments) == 1 else gradients
    worst = 0.0
    for k, (a, g) in enumerate(zip(arguments, gradients, strict=True)):
        g = np.asarray(g, float).reshape(a.shape)
        chosen = np.random.default_rng(k).permutation(a.size)[:ENTRIES]
        found = [_difference(case.f, arguments, k, i, dY) for i in chosen]
        largest = max((abs(d) for d, _ in found if np.isfinite(d)), default=0.0)
        for i, (d, unsure) in zip(chosen, found, strict=True):
            allowed = EXACT * max(abs(d), abs(g.flat[i]), 1e-3 * largest) + 30 * unsure + 1e-300
            off = abs(g.flat[i] - d) / allowed
            worst = max(worst, off if off == off else np.inf)
    return float(worst)


def _difference(f: Callable[..., Any], arguments: list[Any], k: int, i: int, dY: Any) -> tuple[float, float]:
    """Return ∂⟨dY, Y⟩/∂x_i by differences, and its error."""
    size = max(abs(arguments[k].flat[i]), 0.1)

    def value(t: float) -> float:
        moved = [a.copy() for a in arguments]
        moved[k].flat[i] += t
        try:
            return float(np.sum(np.asarray(f(*moved)[0]) * dY))
        except Exception:  # not defined there
            return float("nan")

    steps = [size * 2.0**-n for n in range(3, 22)]
    found = np.array([sum(c * (value(n * h) - value(-n * h)) for n, c in WEIGHTS.items()) / h for h in steps])
    gaps = np.where(np.isfinite(np.diff(found)), abs(np.diff(found)), np.inf)
    best = int(np.argmin(np.maximum(gaps[:-1], gaps[1:])))  # three that agree
    return float(found[best + 1]), float(max(gaps[best], gaps[best + 1]))


def _better(case: Case) -> float:
    """Return by how much a search finds a better point, in units of what is allowed."""
    (w, size), shape = case.arguments, case.arguments[0].shape
    assert case.step is not None
    v = np.asarray(case.step(w.copy(), size), float)

    def objective(flat: Any) -> float:
        u = flat.reshape(shape)
        try:
            penalty = case.f(u.copy())
        except Exception:
            return float("inf")
        return float(((u - w) ** 2).sum() / 2 + size * np.sum(penalty))

    def answer(other: Any) -> Any:
        return np.asarray(case.step(other, size), float) if case.step else other

    starts = [v, w, 0 * w, *(answer(w + draw(*shape, seed=n)) for n in range(STARTS))]
    mine = min(objective(v.ravel()), objective((v * (1 - 1e-12)).ravel()))
    best = mine
    for start in starts:
        if np.isfinite(objective(start.ravel())):
            options = {"xatol": 1e-10, "fatol": 1e-13, "maxiter": 400 * w.size, "adaptive": True}
            best = min(best, float(minimize(objective, start.ravel(), method="Nelder-Mead", options=options).fun))
    if not np.isfinite(mine):
        return np.inf if np.isfinite(best) else 0.0
    return (mine - best) / (1e-7 * max(abs(mine), float((w * w).sum()), 1e-12))
