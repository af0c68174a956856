"""`check_prox` checks proximal steps by what defines them, which asks for no gradient and allows infinity.

    v = prox(w, step) minimises Q(u) = ½‖u − w‖² + step · penalty(u)

So Q(v) must not be larger than Q(u) for any u. Points u are drawn that would be better if the step were wrong in a
common way: v with one entry moved, or two (a simplex allows no single one), v moved towards w, entries set to zero or
to those of w, other rows or singular values, the answers to other arguments, and points between them and v (see
`points`). The penalty may be the indicator of a set, jump, or not be convex. How Q(u) and Q(v) are compared is said in
`objective`.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.arrays import Array, generator
from npnet.check.function import quiet
from npnet.check.objective import compared_with_others, valued
from npnet.check.points import others
from npnet.check.report import Line, Report
from npnet.check.rounding import factor, peak

__all__ = ["check_prox"]

UNKNOWN = "prox returns"
FIRM = "‖p − q‖²", "⟨p − q, w − w'⟩"


@np.errstate(all="ignore")
@checked
def check_prox(
    penalty: Callable[[Array], Any] | None,
    prox: Callable[[Array, float], Array],
    w: Array,
    step: float,
    *,
    convex: bool = False,
    tolerance: float = 0.0,
    seed: int = 0,
) -> Report:
    """Check that v = prox(w, step) minimises ½‖v − w‖² + step · penalty(v).

    penalty: penalty(v) is the value, infinite outside of a set, or a pair that begins with the value. None: only what
        needs no value is checked (with convex=True).
    convex: the penalty is convex, so that prox must be firmly non-expansive: ‖p − q‖² ≤ ⟨p − q, w − w'⟩ for the
        answers p and q to any w and w'.
    tolerance: how much better another point may be, as a part of the objective: for a prox that iterates.

    The report names the better point that was found. The two numbers of its line (`gradient` and `derivative`) are the
    objective at v and at the better point. Raises TypeError if there is neither a penalty nor convex=True.
    """
    if penalty is None and not convex:
        raise TypeError("penalty is None; expected a function, or convex=True")
    rng = generator(seed, "check_prox")
    with quiet():
        pairs, complaints = _answers(prox, w, step, rng)
        lines: list[Line] = []
        notes: list[str] = []
        finite = not any(UNKNOWN in said for said in complaints)
        if penalty is not None and finite:
            answers = [p for _, p in pairs]
            line, notes = compared_with_others(valued(penalty), w, answers[0], step, answers[1:], rng, tolerance)
            lines.append(line)
            if not line.wrong and len(pairs) > 1 and all(np.array_equal(p, answers[0]) for p in answers):
                complaints += _kept(partial(compared_with_others, valued(penalty)), pairs, step, rng, tolerance)
        if convex and finite:
            lines.append(_firm(pairs, tolerance))
    return Report(tuple(lines), tolerance or None, tuple(complaints), tuple(notes), "prox")


def _answers(
    prox: Callable[[Array, float], Array], w: Array, step: float, rng: np.random.Generator
) -> tuple[list[tuple[Array, Array]], list[str]]:
    """Return w and other arguments, each with its answer, and complaints about how prox behaves."""
    complaints: list[str] = []

    def asked(argument: Array) -> Array:
        given = argument.copy()
        found = np.array(prox(given, step), dtype=float)
        if not np.array_equal(given, argument):
            complaints.append("prox changes its argument")
        return found

    v = asked(w)
    if v.shape != w.shape:
        raise ValueError(f"prox returns shape {v.shape}; expected {w.shape}, the shape of w")
    if not np.isfinite(v).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(v))[0])
        complaints.append(f"{UNKNOWN} {v[index]} at {index}; expected a number")
    if not np.array_equal(v, asked(w), equal_nan=True):
        complaints.append("prox gives other bits when it is called again")
    pairs = [(w, v)]
    for other in others(w, rng):
        with suppress(Exception):  # not defined there
            p = asked(other)
            pairs += [(other, p)] if np.isfinite(p).all() else []
    if not np.array_equal(v, asked(w), equal_nan=True):
        complaints.append("prox gives other bits after it was called with other arguments")
    return pairs, sorted({*complaints})


def _kept(
    compared: Callable[..., Any], pairs: list[tuple[Array, Array]], step: float, rng: np.random.Generator, tol: float
) -> list[str]:
    """Return a complaint if the answer that all arguments get is wrong for one of the others."""
    for other, p in pairs[1:6]:
        if compared(other, p, step, [], rng, tol)[0].wrong:
            return ["prox gives every argument the same answer, which is wrong for others: a cache?"]
    return []


def _firm(pairs: list[tuple[Array, Array]], tolerance: float) -> Line:
    """Return the line of the two arguments whose answers are farther apart than firm non-expansiveness allows."""
    worst = None
    for i, (w, p) in enumerate(pairs):
        for other, q in pairs[:i]:
            moved, answered = w - other, p - q
            square, product = float((answered * answered).sum()), float((answered * moved).sum())
            sizes = max(map(peak, (w, p, other, q)))
            allowed = factor(w.size, np.dtype(float)) * sizes * float(abs(answered).sum() + abs(moved).sum())
            allowed += tolerance * abs(product)
            excess, wrong = square - product, not square - product <= allowed
            error = max(excess, 0.0) / max(square, abs(product), 1e-300)
            likely = (
                "two answers are farther apart than their arguments allow: the prox of no convex penalty"
                if wrong
                else ""
            )
            name, shape = "firm non-expansiveness", w.shape
            line = Line(name, shape, f"{len(pairs)} answers", None, square, product, error, allowed, wrong, "", likely)
            line = replace(line, names=FIRM)
            if worst is None or (wrong, excess / (allowed + 1e-300)) > worst[0]:
                worst = (wrong, excess / (allowed + 1e-300)), line
    return worst[1] if worst else Line("firm non-expansiveness", (), "no pair", None, 0.0, 0.0, 0.0, unseen=True)
