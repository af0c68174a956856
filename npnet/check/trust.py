"""Decides whether the complex step can be believed, by comparing it with differences of real numbers.

A function that drops the imaginary part of one term (np.abs, np.linalg.norm, .real, a cast, a C function) gives a
complex step without that term, whatever the gradient says. So before it is used, it is compared with central
differences along random directions. Directions like (1, …, 1) would not do: a softmax does not change along them. At a
kink the two may differ, because each side has its own slope. Beside the point they must agree again.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from npnet.check.derivative import STEP, Ray
from npnet.check.problem import Problem

__all__ = ["choose", "compared"]

DIRECTIONS = 3
BESIDE = 2.0**-8  # of the scale: as far away from the point they are compared again

LOST = (
    "{} was checked by differences: they speak against the complex step, so f loses the imaginary part, or a part "
    "of it (abs, norm, .real, a cast, an FFT?)"
)


def choose(problem: Problem, k: int) -> str:
    """Return how the derivatives of argument k are to be found, and leave a note if it is by differences.

    Raises ValueError if the complex step was asked for and cannot be believed.
    """
    if problem.methods[k] or not problem.arrays[k].size:
        return problem.methods[k] or "complex step"
    name, asked = problem.names[k], problem.asked == "complex step"
    warned = len(problem.f.warned)
    try:
        problem.scalar(problem.probe(k), 1j * STEP)
        reason = next((w for w in problem.f.warned[warned:] if w.startswith("ComplexWarning")), "")
    except Exception as error:  # code for real numbers may raise anything when it is given complex ones
        if asked:
            raise
        reason = f"{type(error).__name__}: {error}"
    if reason and not asked:
        problem.notes.append(f"{name} was checked by differences: the complex step cannot go ({reason})")
        problem.methods[k] = "differences"
        return "differences"
    found = set()
    for i in range(DIRECTIONS):
        u = problem.probe(k)
        along = partial(problem.scalar, u)
        found.add(compared(along, problem.scale(u), problem.noise, problem.rounding(u), i == 0))
    problem.kinked[k] = "a kink" in found
    if "lost" in found and asked:
        raise ValueError(f"f loses the imaginary part of {name}; expected a complex-safe function")
    if "unknown" in found:
        problem.complaints.append(
            f"{name} cannot be decided: f is not defined beside it, so the complex step cannot be compared with "
            "differences. Give directions= in which it is"
        )
    problem.methods[k] = "differences" if "lost" in found else "complex step"
    if "lost" in found:
        problem.notes.append(LOST.format(name))
    return problem.methods[k]


def compared(phi: Callable[[complex], Any], scale: float, noise: Any, rounding: Any, beside: bool) -> str:
    """Compare the complex step of φ with differences, at 0 and, if they differ there, beside it.

    Returns "agree", "a kink" (they differ at 0 alone), "lost", or "unknown" if φ is not defined nearby.
    noise, rounding: the errors of a value and of a derivative.
    beside: compare beside 0 in any case. At a kink that is even, both are 0 for what is lost.
    """
    here = _apart(phi, 0.0, scale, noise, rounding)
    if here is None:
        return "unknown"
    if not here.any() and not beside:
        return "agree"
    there = [_apart(phi, sign * BESIDE * scale, BESIDE * scale / 2, noise, rounding) for sign in (-1, 1)]
    if any(apart is not None and apart.any() for apart in there):
        return "lost"
    if here.any() and all(apart is None for apart in there):
        return "lost"
    return "a kink" if here.any() else "agree"


def _apart(phi: Callable[[complex], Any], at: float, scale: float, noise: Any, rounding: Any) -> Any:
    """Say where complex step and differences are apart, None if differences are not defined there."""
    known = Ray(lambda t: phi(at + t), scale, noise).central()
    if not np.isfinite(known.error).any():
        return None
    try:
        value = phi(at + 1j * STEP)
    except Exception:
        return np.asarray(True)
    step = np.imag(value) / STEP
    return np.asarray((abs(step - known.value) > known.error + rounding) | ~np.isfinite(step))
