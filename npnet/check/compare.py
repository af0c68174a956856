"""Compares the gradient along one direction with the derivative, and at a kink with the slopes on both sides.

At a kink f has one slope to the left and another to the right, and any number between them is a subgradient (Clarke
1975). Which one the gradient should be is a choice, the convention. The slope on a side is the limit of the complex
steps at x ± h as h goes to zero, or of differences there.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from npnet.check.derivative import NEAR, SIDES, Estimate, Ray, complex_side, complex_step
from npnet.check.problem import Direction, Problem
from npnet.check.report import Line
from npnet.check.rounding import peak, relative_error

__all__ = ["CONVENTIONS", "Kinks", "compare", "kept", "unit"]

CONVENTIONS: dict[str, Callable[[float, float], tuple[float, float]]] = {
    "smallest": lambda left, right: (min(max(0.0, min(left, right)), max(left, right)),) * 2,
    "left": lambda left, right: (left, left),
    "right": lambda left, right: (right, right),
    "mean": lambda left, right: ((left + right) / 2,) * 2,
    "between": lambda left, right: (min(left, right), max(left, right)),
}
"""The range in which a gradient may lie, computed from the slopes on both sides."""


@dataclass(frozen=True)
class Kinks:
    """How kinks are judged.

    convention: one of CONVENTIONS, or "branch": no kink excuses a difference from the branch that the value takes.
    look: look for a kink even if the gradient fits.
    """

    convention: str = "between"
    look: bool = False

    def __post_init__(self) -> None:
        if self.convention not in (*CONVENTIONS, "branch"):
            raise ValueError(f"convention is {self.convention!r}; expected one of {', '.join(CONVENTIONS)}, branch")


def unit(problem: Problem, k: int, index: tuple[int, ...]) -> Direction:
    """Return the direction of one entry of argument k."""
    direction = np.zeros(problem.arrays[k].shape)
    direction[index] = 1.0
    return {k: problem.xp.asarray(direction)}


def derivative(problem: Problem, direction: Direction, ray: Ray) -> tuple[Estimate, str]:
    """Return the derivative along a direction, and how it was found."""
    if all(problem.methods[k] == "complex step" for k in direction):
        found = problem.by_complex_step(direction)
        if found is not None and np.isfinite(found.value):
            return found, "complex step"
        known = ray.central()
        if problem.asked == "complex step" and abs(known.value) > known.error + problem.rounding(direction):
            name = problem.names[min(direction)]
            raise ValueError(f"f loses the imaginary part of {name}; expected complex-safe code")
    return Estimate(*map(float, ray.central())), "differences"


def sides(
    problem: Problem, direction: Direction, ray: Ray, method: str, gap: float
) -> tuple[Estimate, Estimate] | None:
    """Return the slopes to the left and to the right. None if they are nearer to each other than half of the gap.

    gap: how far the gradient is from the derivative. No kink explains more than the distance of the slopes.
    """
    if method == "complex step":
        phi, noise = partial(problem.scalar, direction), problem.rounding(direction)
        step = problem.scale(direction) * 2.0 ** -NEAR[0]
        with suppress(Exception):  # not defined on a side
            if abs(complex_step(phi, -step) - complex_step(phi, step)) < gap / 2:
                return None
            left, right = (complex_side(phi, sign * problem.scale(direction), noise) for sign in (-1, 1))
            return Estimate(*map(float, left)), Estimate(*map(float, right))
    left, right = ray.sides()
    if abs(left.value - right.value) + left.error + right.error < gap / 2:
        return None
    left, right = ray.sides(SIDES)
    return Estimate(*map(float, left)), Estimate(*map(float, right))


def compare(
    problem: Problem,
    direction: Direction,
    index: tuple[int, ...] | None,
    kinks: Kinks | None,
    tolerance: float | None = None,
) -> Line:
    """Return the line of one comparison: what the gradients say of a direction, and the derivative along it.

    kinks: how they are judged. None: no kink excuses a difference.
    """
    ray, k = problem.ray(direction), min(direction)
    found, method = derivative(problem, direction, ray)
    gradient, rounding = problem.slope(direction), problem.rounding(direction)
    wanted, allowed, kink = found.value, rounding + found.error, None
    kinks = kinks if kinks and kinks.convention != "branch" else None
    if kinks and (kinks.look or not abs(gradient - wanted) <= allowed):
        gap = 0.0 if kinks.look else abs(gradient - wanted)
        found_sides = sides(problem, direction, ray, method, gap)
        left, right = found_sides or (found, found)
        unsure = left.error + right.error
        if abs(left.value - right.value) > 10 * (unsure + rounding):
            kink, allowed = (left.value, right.value), rounding + unsure
            if index is not None:
                problem.kinks[k, index] = kink
            low, high = CONVENTIONS[kinks.convention](*kink)
            branch = abs(gradient - wanted) <= rounding + found.error and kinks.convention == "between"
            wanted = wanted if branch else low if low == high else min(max(gradient, low), high)
    problem.found[k, index] = wanted, allowed
    g = problem.gradients[k]
    floor = max(1e-3 * peak(g), 1e-6 * problem.largest, 1e-3 * max(map(abs, kink)) if kink else 0.0, 1e-300)
    if index is None:
        floor = max(floor, sum(float(((problem.gradients[i] * u) ** 2).sum()) for i, u in direction.items()) ** 0.5)
    error = relative_error(gradient, wanted, floor)
    wrong = not abs(gradient - wanted) <= allowed if tolerance is None else not error <= tolerance
    if found.error == np.inf and np.isfinite(gradient) and np.isfinite(problem.value).all():
        wrong = False  # differences do not know it
    likely = ""
    if kinks and kink:
        method += f", a kink with slopes {kink[0]:.6g} and {kink[1]:.6g}"
        beyond = wrong and not min(kink) - allowed <= gradient <= max(kink) + allowed
        if wrong:
            likely = "no subgradient: outside of the slopes on both sides" if beyond else ""
            likely = likely or f"another convention than {kinks.convention!r}"
    name, shape = problem.names[k], g.shape
    return Line(name, shape, "", index, gradient, wanted, error, allowed, wrong, method, likely, kink)


def kept(lines: list[Line]) -> str:
    """Name the convention that all gradients at kinks keep."""
    at = [(line, line.kink) for line in lines if line.kink is not None]
    for name, range_of in CONVENTIONS.items():
        ranges: list[tuple[Any, tuple[float, float]]] = [(line, range_of(*kink)) for line, kink in at]
        if all(low - line.allowed <= line.gradient <= high + line.allowed for line, (low, high) in ranges):
            return name
    return "none"
