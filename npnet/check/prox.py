"""`check_prox` checks proximal steps by what defines them, which asks for no gradient and allows infinity.

    v = prox(w, step) minimises Q(u) = ½‖u − w‖² + step · penalty(u)

So Q(v) must not be larger than Q(u) for any u. Points u are drawn that would be better if the step were wrong in a
common way: v with one entry moved, or two (a simplex allows no single one), v moved towards w, entries set to zero or
to those of w, the answers to other arguments, and points between them and v. The penalty may be the indicator of a
set, jump, or not be convex.

    Q(u) − Q(v) = ½⟨u − v, u + v − 2w⟩ + step · (penalty(u) − penalty(v))

is what is computed: it has less rounding than Q(u) − Q(v). v itself is known to rounding only. Of the points that near,
the best one counts as the answer: a projection on a half-space may lie a little outside, an entry at 1e-17 may be zero.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.arrays import Array, generator
from npnet.check.derivative import SIDES, Ray, measured_noise
from npnet.check.function import quiet
from npnet.check.points import ENTRIES, TOLERANCE, candidates, others, tolerated, within_rounding
from npnet.check.report import Line, Report
from npnet.check.rounding import LAMBDA, factor, length, peak

__all__ = ["check_prox"]

RAYS = 50  # of the better points, so many are tried as ways out of a set
TINY = 1e-12  # of the largest entry: a set that goes on no farther has no tolerance that is worth a note


@dataclass(frozen=True)
class Trial:
    """A step under trial. answer: the point that stands for prox(w, step). noise: the error of a penalty's value."""

    penalty: Callable[[Array], float]
    w: Array
    step: float
    answer: Array
    value: float
    noise: float

    def better(self, u: Array) -> tuple[float, float]:
        """Return Q(answer) − Q(u), and the rounding that explains so much."""
        apart, sides = self.answer - u, u + self.answer - 2 * self.w
        found = self.penalty(u)
        unit = factor(self.w.size, np.dtype(float))
        size = float(abs(apart * sides).sum()) + self.step * (abs(found) + abs(self.value))
        gain = float((apart * sides).sum()) / 2 + self.step * (self.value - found)
        return gain, unit * size + 2 * self.step * self.noise


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

    The report names the better point that was found. Its line has the objective at v as its gradient, and that at the
    better point as its derivative. Raises TypeError if there is neither a penalty nor convex=True.
    """
    if penalty is None and not convex:
        raise TypeError("penalty is None; expected a function, or convex=True")
    complaints: list[str] = []

    def asked(argument: Array) -> Array:
        given = argument.copy()
        with quiet():
            found = np.array(prox(given, step), dtype=float)
        if not np.array_equal(given, argument):
            complaints.append("prox changes its argument")
        return found

    v, rng = asked(w), generator(seed, "check_prox")
    if v.shape != w.shape:
        raise ValueError(f"prox returns shape {v.shape}; expected {w.shape}, the shape of w")
    if not np.array_equal(v, asked(w), equal_nan=True):
        complaints.append("prox gives other bits when it is called again")
    pairs = [(w, v)]
    for other in others(w, rng):
        try:
            pairs.append((other, asked(other)))
        except Exception:  # not defined there
            continue
    complaints = sorted({*complaints})
    lines: list[Line] = []
    notes: list[str] = []
    if penalty is not None:
        line, notes = _smallest(_valued(penalty), w, v, step, [p for _, p in pairs[1:]], rng, tolerance)
        lines.append(line)
    if convex:
        lines.append(_firm(pairs, tolerance))
    return Report(tuple(lines), tolerance or None, tuple(complaints), tuple(notes), "prox")


def _valued(penalty: Callable[[Array], Any]) -> Callable[[Array], float]:
    """Return the penalty's value as a number, infinite where it raises an exception or gives no number."""

    def value(u: Array) -> float:
        try:
            with quiet():
                found = penalty(u.copy())
            number = float(np.sum(np.real(found[0] if isinstance(found, tuple | list) else found)))
        except Exception:  # not defined there
            return np.inf
        return number if number == number else np.inf

    return value


def _smallest(
    penalty: Callable[[Array], float],
    w: Array,
    v: Array,
    step: float,
    answers: list[Array],
    rng: np.random.Generator,
    tolerance: float,
) -> tuple[Line, list[str]]:
    """Return the line of the point that is better than v by most, and notes."""
    trial = Trial(penalty, w, step, v, penalty(v), 0.0)
    for u in within_rounding(v, w, answers, rng):
        if trial.better(u)[0] > 0 or (not np.isfinite(trial.value) and np.isfinite(penalty(u))):
            trial = Trial(penalty, w, step, u, penalty(u), 0.0)
    answer, size = trial.answer, max(peak(v), peak(w)) or 1.0
    drawn = [*candidates(answer, w, answers, rng)]
    finite = [u for u in drawn if np.isfinite(penalty(u))]
    cost = float(((answer - w) ** 2).sum()) / 2 + step * trial.value
    name, tested = "½‖v − w‖² + step · penalty", f"{len(finite)} points"
    if not any(peak(u - answer) > TOLERANCE * (peak(answer) or size) for u in finite):
        where = "prox(w) and " if not np.isfinite(cost) else ""
        said = f"the penalty is infinite at {where}all points that were drawn: does its set need a tolerance?"
        return Line(name, v.shape, "no point", None, 0.0, 0.0, 0.0, method="", unseen=True), [said]
    if not np.isfinite(cost):
        likely = "the penalty is infinite at prox(w): outside of its set, or the set needs a tolerance for rounding"
        return Line(name, v.shape, tested, None, cost, np.nan, np.inf, 0.0, True, "", likely), []
    noise = measured_noise(partial(_along, penalty, answer, rng.standard_normal(w.shape)), size)
    noise = noise if noise == noise else 0.0
    trial = Trial(penalty, w, step, answer, trial.value, LAMBDA * noise)
    found = [(*trial.better(u), u) for u in finite]
    reach, excused = 0.0, tolerance * abs(cost)
    if len(finite) < len(drawn):  # a set, of which v is a point to rounding only, or to a tolerance of its own
        excused += factor(v.size, np.dtype(float)) * size * float(abs(answer - w).sum())
        better = [u for gain, allowed, u in found if gain > allowed + excused]
        reach = max((tolerated(penalty, answer, u) for u in (w, *better[:RAYS]) if better), default=0.0)
        excused += 10 * reach * length(w - answer)
    gain, allowed, u = max(found, key=lambda each: each[0] - each[1])
    allowed += excused
    wrong, likely = gain > allowed, ""
    if wrong:
        point = np.array2string(u.reshape(-1)[:6], precision=6, separator=", ") + (" …" if u.size > 6 else "")
        likely = f"a better point was found, {point}: it is smaller by {gain:.3g}"
    else:
        falls = _falls(trial, drawn, rng)
        wrong, likely = bool(falls) and not tolerance, falls
    notes = (
        [f"the penalty's set has a tolerance: it goes on for {reach:.1e} beyond prox(w)"] if reach > TINY * size else []
    )
    error = max(gain, 0.0) / max(abs(cost), 1e-300)
    return Line(name, v.shape, tested, None, cost, cost - max(gain, 0.0), error, allowed, wrong, "", likely), notes


def _falls(trial: Trial, drawn: list[Array], rng: np.random.Generator) -> str:
    """Say along which entry the objective falls, by its slopes on both sides, "" if along none.

    A slope shows what is too small for values. It is not used where the penalty is infinite or jumps nearby.
    """
    v, w, step = trial.answer, trial.w, trial.step
    size = max(peak(v), peak(w)) or 1.0
    entries = range(v.size) if v.size <= ENTRIES else sorted(rng.choice(v.size, ENTRIES, replace=False))
    for i in entries:
        direction = np.zeros(v.size)
        direction[i] = 1.0
        along = partial(_along, trial.penalty, v, direction.reshape(v.shape))
        scale = max(abs(v.reshape(-1)[i]), 0.1 * size)
        noise = factor(v.size, np.dtype(float)) * abs(trial.value) + trial.noise
        sides = Ray(along, scale, noise).sides(SIDES)
        pull = float((v - w).reshape(-1)[i])
        for sign, slope in zip((-1, 1), sides, strict=True):
            near, far = (along(sign * h * scale) for h in (1e-9, 0.5))
            if not np.isfinite(slope.error) or not np.isfinite(far):
                continue
            jump = near - trial.value - sign * float(slope.value) * 1e-9 * scale
            allowed = step * float(slope.error) + factor(v.size, np.dtype(float)) * (abs(pull) + size)
            falls = -sign * (step * float(slope.value) + pull)
            if falls > allowed and jump <= noise + 1e-9 * scale * float(slope.error):
                index = tuple(int(j) for j in np.unravel_index(i, v.shape))
                return f"the objective falls along entry {index} of prox(w), with slope {falls:.3g}"
    return ""


def _along(penalty: Callable[[Array], float], v: Array, direction: Array, t: float) -> float:
    return penalty(v + t * direction)


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
            if worst is None or (wrong, excess / (allowed + 1e-300)) > worst[0]:
                worst = (wrong, excess / (allowed + 1e-300)), line
    return worst[1] if worst else Line("firm non-expansiveness", (), "no pair", None, 0.0, 0.0, 0.0, unseen=True)
