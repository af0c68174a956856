"""Decides whether the complex step can be believed, by comparing it with differences of real numbers.

A function that drops the imaginary part of one term (np.abs, np.linalg.norm, .real, a cast, a C function) gives a
complex step without that term, whatever the gradient says. So before it is used, it is compared with central
differences along random directions. Directions like (1, …, 1) would not do: a softmax does not change along them. In
one direction every entry moves the further the smaller its gradient is, so that large entries do not hide small ones.
At a kink the two may differ, because each side has its own slope. Then the slopes on each side must agree.

Differences see only so much. Beside a constant of 1e12, a slope of 1 is known to 1e-2. What they cannot see is not
confirmed: where they are coarser than `COARSE`, they decide themselves, as far as they can.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from npnet.check.derivative import SIDES, STEP, Ray, complex_side, complex_step
from npnet.check.function import in_a_line
from npnet.check.noise import parts
from npnet.check.problem import Direction, Problem
from npnet.check.rounding import length, peak

__all__ = ["BESIDE", "choose", "compared"]

DIRECTIONS = 3
COARSE = 1e-5
"""Of the slope: differences that are known worse than this are no witness for the complex step."""
BESIDE = 2.0**-8  # of the scale: as far away from a jump they are compared
LEAST = 1e-6  # of the largest gradient: entries that are smaller than this move no further

LOST = (
    "{} was checked by differences: they speak against the complex step, so f loses the imaginary part, or a part "
    "of it (abs, norm, .real, a cast, an FFT?)"
)
BLURRED = (
    "{} was checked by differences: beside values of {:.0e} they know a slope to {:.0e} of itself, too badly to "
    'confirm the complex step: take constants out of the value, or believe it (method="complex step")'
)


def choose(problem: Problem, k: int) -> str:
    """Return how the derivatives of argument k are to be found, and leave a note if it is by differences.

    All arguments are tried together first, and one by one if that does not show that the complex step can be believed.
    Raises ValueError if the complex step was asked for and cannot be.
    """
    if not problem.arrays[k].size:
        return "complex step"
    if not any(problem.methods) and len(problem.arrays) > 1:
        found, reason, seen = _tried(problem, None)
        if (found, reason) == ({"agree"}, "") and seen <= COARSE:
            problem.methods = ["complex step" for _ in problem.arrays]
            problem.witnessed = [seen for _ in problem.arrays]
    if not problem.methods[k]:
        problem.methods[k] = _chosen(problem, k)
    return problem.methods[k]


def _chosen(problem: Problem, k: int) -> str:
    name = problem.names[k]
    found, reason, seen = _tried(problem, k)
    problem.kinked[k] = "a kink" in found
    if "lost" in found and problem.asked == "complex step":
        raise ValueError(f"f loses the imaginary part of {name}; expected a complex-safe function")
    if "unknown" in found:
        problem.complaints.append(
            f"{name} cannot be decided: f is not defined beside it, so the complex step cannot be compared with "
            "differences. Give directions= in which it is"
        )
    if reason:
        problem.notes.append(f"{name} was checked by differences: the complex step cannot go ({reason})")
    elif "lost" in found:
        problem.notes.append(LOST.format(name))
    elif seen > COARSE and problem.asked != "complex step":
        problem.notes.append(BLURRED.format(name, problem.volume, seen))
        return "differences"
    if reason or "lost" in found:
        return "differences"
    problem.witnessed[k] = seen if problem.asked != "complex step" else 0.0
    return "complex step"


def _tried(problem: Problem, k: int | None) -> tuple[set[str], str, float]:
    """Return what `compared` says of an argument (None: of all), why the complex step cannot go ("" if it can), and
    what part of a slope differences see.

    Raises what f raises for complex numbers, if the complex step was asked for.
    """
    asked, warned = problem.asked == "complex step", len(problem.f.warned)
    try:
        problem.scalar(problem.probe(k), 1j * STEP)
    except Exception as error:  # code for real numbers may raise anything when it is given complex ones
        if asked:
            raise
        return set(), in_a_line(type(error), error), 0.0
    warnings = [w for w in problem.f.warned[warned:] if w.startswith("ComplexWarning")]
    if warnings and not asked:
        if k is None:
            del problem.f.warned[warned:]  # it is asked again for each argument
        return set(), warnings[0], 0.0
    found, seen = set(), 0.0
    for i in range(DIRECTIONS):
        told, part = _in_one_direction(problem, k, i)
        found.add(told)
        seen = max(seen, part if i < DIRECTIONS - 1 else 0.0)
    return found, "", seen


def _in_one_direction(problem: Problem, k: int | None, i: int) -> tuple[str, float]:
    """Return what `compared` says along direction i, and what part of its slope is not seen.

    Numbers of many sizes have no step in common. If it is not defined, or too coarse, each moves by a part of itself.
    """
    best = "unknown", float("inf")
    for own, least in ((False, 0.0), (True, 1e-3), (True, 0.0)):
        u = _balanced(problem, k) if i == DIRECTIONS - 1 else problem.probe(k)
        u = {j: v for j, v in parts(problem, least).items() if j in u} if own else u
        told, unseen = _along(problem, u, 1.0 if own else problem.scale(u), i == 0)
        slope = length(*(problem.gradients[j] * v for j, v in u.items()))
        part = 0.0 if told == "unknown" or slope == 0 else unseen / slope
        if told != "unknown" and (best[0] == "unknown" or part < best[1]):
            best = told, part
        if told not in ("agree", "unknown") or (told == "agree" and part <= COARSE):
            break
    return best if best[0] != "unknown" else ("unknown", 0.0)


def _balanced(problem: Problem, k: int | None) -> Direction:
    """Return a random direction along which every entry moves the further the smaller its gradient is."""
    u = problem.probe(k)
    if problem.tangents is not None:
        return u
    least = LEAST * max(peak(problem.gradients[j]) for j in u)
    if not 0 < least < float("inf"):
        return u
    return {j: v * (least / problem.xp.maximum(abs(problem.gradients[j]), least)) for j, v in u.items()}


def _along(problem: Problem, u: Direction, scale: float, sides: bool) -> tuple[str, float]:
    if problem.jump:  # the value at the point is none of its neighbours', so they are compared beside it
        away = BESIDE * scale
        phi = partial(problem.scalar, u)
        return compared(lambda t: phi(away + t), away / 2, problem.noise, problem.rounding(u), False)
    return compared(partial(problem.scalar, u), scale, problem.noise, problem.rounding(u), sides)


def compared(phi: Callable[[complex], Any], scale: float, noise: Any, rounding: Any, sides: bool) -> tuple[str, float]:
    """Compare the complex step of φ with differences, at 0 and, if they differ there, on each side.

    Returns "agree", "a kink" (they differ at 0 alone, where the slopes of both sides differ), "lost", or "unknown" if
    φ is not defined nearby, and the largest difference that was not seen.
    noise, rounding: the errors of a value and of a derivative.
    sides: compare the sides in any case. At a kink that is even, both are 0 at 0 for what is lost.
    """
    ray = Ray(phi, scale, noise)
    known = ray.central()
    if not np.isfinite(known.error).any():
        return "unknown", float("inf")
    unseen = peak(np.asarray(known.error + rounding))
    here = _apart(phi, known.value, known.error + rounding)
    if not here.any() and not sides:
        return "agree", unseen
    left, right = ray.sides(SIDES)
    defined = False
    for sign, side in ((-1, left), (1, right)):
        if np.isfinite(side.error).any():
            defined = True
            try:
                limit = complex_side(phi, sign * scale, rounding)
            except Exception:
                return "lost", unseen
            if (abs(limit.value - side.value) > limit.error + side.error + rounding).any():
                return "lost", unseen
    if not here.any():
        return "agree", unseen
    wide = abs(left.value - right.value) > left.error + right.error
    return ("a kink" if defined and (wide | ~here).all() else "lost"), peak(np.fmin(left.error, right.error))


def _apart(phi: Callable[[complex], Any], slope: Any, allowed: Any) -> Any:
    """Say where the complex step at 0 is another slope, or is not defined."""
    try:
        step = complex_step(phi)
    except Exception:
        return np.asarray(True)
    return np.asarray((abs(step - slope) > allowed) | ~np.isfinite(step))
