"""Looks for a point that is better than the answer of a proximal step.

    Q(u) − Q(v) = ½⟨u − v, u + v − 2w⟩ + step · (penalty(u) − penalty(v))

is what is computed: it has less rounding than Q(u) − Q(v), with Q(u) = ½‖u − w‖² + step · penalty(u). The answer v
itself is known to rounding only. Of the points that near, the best one counts as the answer: a projection on a
half-space may lie a little outside, an entry at 1e-17 may be zero.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from npnet.arrays import Array
from npnet.check.derivative import SIDES, Ray, measured_noise
from npnet.check.points import ENTRIES, TOLERANCE, candidates, tolerated, within_rounding
from npnet.check.report import Line
from npnet.check.rounding import LAMBDA, factor, length, peak

__all__ = ["compared_with_others", "valued"]

RAYS = 50  # of the better points, so many are tried as ways out of a set
TINY = 1e-12  # of the largest entry: a set that goes on no farther has no tolerance that is worth a note
BOTH = "objective at prox(w)", "at the better point"
SAME = "objective at prox(w)", "at the best other point"
NAME = "½‖v − w‖² + step · penalty"


@dataclass(frozen=True)
class Trial:
    """A step under trial. answer: the point that stands for prox(w, step). noise: the error of a penalty's value."""

    penalty: Callable[[Array], float]
    w: Array
    step: float
    answer: Array
    value: float
    noise: float

    def better(self, u: Array, found: float) -> tuple[float, float]:
        """Return Q(answer) − Q(u), and the rounding that explains so much. found: penalty(u)."""
        apart, sides = self.answer - u, u + self.answer - 2 * self.w
        unit = factor(self.w.size, np.dtype(float))
        size = float(abs(apart * sides).sum()) + self.step * (abs(found) + abs(self.value))
        gain = float((apart * sides).sum()) / 2 + self.step * (self.value - found)
        return gain, unit * size + 2 * self.step * self.noise


def valued(penalty: Callable[[Array], Any]) -> Callable[[Array], float]:
    """Return the penalty's value as a number, infinite where it raises an exception or gives no number."""

    def value(u: Array) -> float:
        try:
            found = penalty(u.copy())
            number = float(np.sum(np.real(found[0] if isinstance(found, tuple | list) else found)))
        except Exception:  # not defined there
            return np.inf
        return number if number == number else np.inf

    return value


def compared_with_others(
    penalty: Callable[[Array], float],
    w: Array,
    v: Array,
    step: float,
    answers: list[Array],
    rng: np.random.Generator,
    tolerance: float,
) -> tuple[Line, list[str]]:
    """Return the line of the point that is better than v by most, and notes. answers: those to other arguments."""
    trial = _answer(Trial(penalty, w, step, v, penalty(v), 0.0), within_rounding(v, w, answers, rng))
    answer, size = trial.answer, max(peak(v), peak(w)) or 1.0
    drawn = [(u, penalty(u)) for u in candidates(answer, w, answers, rng)]
    finite = [(u, found) for u, found in drawn if np.isfinite(found)]
    cost = float(((answer - w) ** 2).sum()) / 2 + step * trial.value
    tested = f"{len(finite)} points"
    if not any(peak(u - answer) > TOLERANCE * (peak(answer) or size) for u, _ in finite):
        where = "prox(w) and " if not np.isfinite(cost) else ""
        said = f"the penalty is infinite at {where}all points that were drawn: does its set need a tolerance?"
        return Line(NAME, v.shape, "no point", None, 0.0, 0.0, 0.0, method="", unseen=True, names=SAME), [said]
    if not np.isfinite(cost):
        likely = "the penalty is infinite at prox(w): outside of its set, or the set needs a tolerance for rounding"
        return Line(NAME, v.shape, tested, None, cost, np.nan, np.inf, 0.0, True, "", likely, names=SAME), []
    noise = measured_noise(partial(_along, penalty, answer, rng.standard_normal(w.shape)), size)
    trial = replace(trial, noise=LAMBDA * noise if noise == noise else 0.0)
    gains = [(*trial.better(u, found), u) for u, found in finite]
    reach, excused = 0.0, tolerance * abs(cost)
    if len(finite) < len(drawn):  # a set, of which v is a point to rounding only, or to a tolerance of its own
        excused += factor(v.size, np.dtype(float)) * size * float(abs(answer - w).sum())
        better = [u for gain, allowed, u in gains if gain > allowed + excused]
        reach = max((tolerated(penalty, answer, u) for u in (w, *better[:RAYS]) if better), default=0.0)
        excused += 10 * reach * length(w - answer)
    gain, allowed, u = max(gains, key=lambda each: each[0] - each[1])
    wrong, likely = gain > allowed + excused, ""
    if wrong:
        point = np.array2string(u.reshape(-1)[:6], precision=6, separator=", ") + (" …" if u.size > 6 else "")
        likely = f"a better point was found, {point}: it is smaller by {gain:.3g}"
    elif not tolerance:
        likely = _falls(trial, rng)
    gain = max(gain, 0.0)
    error = gain / max(abs(cost), 1e-300)
    line = Line(NAME, v.shape, tested, None, cost, cost - gain, error, allowed + excused, bool(likely), "", likely)
    line = replace(line, names=BOTH if wrong else SAME)
    far = f"the penalty's set has a tolerance: it goes on for {reach:.1e} beyond prox(w)"
    return line, [far] if reach > TINY * size else []


def _answer(trial: Trial, near: Iterable[Array]) -> Trial:
    """Return the trial of the best of the points that rounding cannot tell from the answer."""
    for u in near:
        found = trial.penalty(u)
        if trial.better(u, found)[0] > 0 or (not np.isfinite(trial.value) and np.isfinite(found)):
            trial = replace(trial, answer=u, value=found)
    return trial


def _falls(trial: Trial, rng: np.random.Generator) -> str:
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
