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
from npnet.check.noise import parts
from npnet.check.problem import Direction, Problem

__all__ = ["choose", "compared"]

DIRECTIONS = 3
BESIDE = 2.0**-8  # of the scale: as far away from the point they are compared again

LOST = (
    "{} was checked by differences: they speak against the complex step, so f loses the imaginary part, or a part "
    "of it (abs, norm, .real, a cast, an FFT?)"
)


def choose(problem: Problem, k: int) -> str:
    """Return how the derivatives of argument k are to be found, and leave a note if it is by differences.

    All arguments are tried together first, and one by one if that does not show that the complex step can be believed.
    Raises ValueError if the complex step was asked for and cannot be.
    """
    if not problem.arrays[k].size:
        return "complex step"
    if not any(problem.methods) and len(problem.arrays) > 1 and _tried(problem, None) == ({"agree"}, ""):
        problem.methods = ["complex step" for _ in problem.arrays]
    if not problem.methods[k]:
        problem.methods[k] = _chosen(problem, k)
    return problem.methods[k]


def _chosen(problem: Problem, k: int) -> str:
    name = problem.names[k]
    found, reason = _tried(problem, k)
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
    return "differences" if reason or "lost" in found else "complex step"


def _tried(problem: Problem, k: int | None) -> tuple[set[str], str]:
    """Return what `compared` says of an argument (None: of all), and why the complex step cannot go, "" if it can.

    Raises what f raises for complex numbers, if the complex step was asked for.
    """
    asked, warned = problem.asked == "complex step", len(problem.f.warned)
    try:
        problem.scalar(problem.probe(k), 1j * STEP)
    except Exception as error:  # code for real numbers may raise anything when it is given complex ones
        if asked:
            raise
        return set(), f"{type(error).__name__}: {error}"
    warnings = [w for w in problem.f.warned[warned:] if w.startswith("ComplexWarning")]
    if warnings and not asked:
        if k is None:
            del problem.f.warned[warned:]  # it is asked again for each argument
        return set(), warnings[0]
    found = set()
    for i in range(DIRECTIONS):
        u = problem.probe(k)
        told = _along(problem, u, problem.scale(u), i == 0)
        if told == "unknown":  # numbers of many sizes: each moves by a part of itself
            u = {j: v for j, v in parts(problem).items() if j in u}
            told = _along(problem, u, 1.0, i == 0)
        found.add(told)
    return found, ""


def _along(problem: Problem, u: Direction, scale: float, beside: bool) -> str:
    return compared(partial(problem.scalar, u), scale, problem.noise, problem.rounding(u), beside)


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
