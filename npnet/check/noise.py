"""Measures how noisy and how sensitive a function under check is: nothing of it is guessed from a dtype alone."""

from functools import partial
from typing import Any

import numpy as np

from npnet.arrays import Array
from npnet.check.derivative import EPS, measured_noise, sample
from npnet.check.rounding import length, peak

__all__ = ["condition", "measured", "noisier_than_its_type", "parts"]

PART = 2.0**-20
"""Arguments move by such a part of themselves, to see how far the gradients move."""


def measured(problem: Any) -> tuple[float, float]:
    """Return the standard deviation of the rounding in the scalar of a problem, and how fast the scalar changes.

    The first is measured along one direction. If it is more than the type explains, it is the median of three. The
    second is the slope on the way to arguments as far away as these are large.
    """
    here, u = float(problem.scalar({}, 0.0)), problem.probe()
    rise = abs(float(sample(partial(problem.scalar, u), problem.scale(u))) - here) / problem.scale(u)
    found: list[float] = []
    for part in (1.0, 0.3, 0.1):  # a curvature shrinks with the step, and rounding does not
        if not found or not found[0] <= problem.factor * problem.volume:
            found.append(measured_noise(partial(problem.scalar, parts(problem)), part))
    known = sorted(deviation for deviation in found if np.isfinite(deviation))
    return known[len(known) // 2] if known else 0.0, rise if np.isfinite(rise) else 0.0


def parts(problem: Any) -> Any:
    """Return a direction along which every number moves by a part of itself, or of a thousandth of the largest one."""
    drawn = problem.probe()
    if problem.tangents is not None:
        return drawn
    arrays = problem.arrays
    return {
        k: u * problem.xp.maximum(abs(arrays[k]), 1e-3 * min(1.0, peak(arrays[k]) or 1.0)) for k, u in drawn.items()
    }


def noisier_than_its_type(problem: Any, deviation: float, size: float) -> float:
    """Return how many times larger the rounding of the values is than that of float64, 0 if nothing can be said.

    size: the length of the values. A value near zero is no measure, so the products of gradients and arguments count
    too.
    """
    reach = length(*(g * a for g, a in zip(problem.gradients, problem.arrays, strict=True)))
    natural = max(size, reach)
    return 2 * deviation / natural / EPS if 0 < natural < float("inf") else 0.0


def condition(problem: Any) -> list[Array]:
    """Return κ for each argument: how far the gradients move when all arguments move by a part of themselves.

    It is the smaller one of both sides, so that a kink at the point, or near it, counts for nothing.
    """
    xp = problem.xp
    worst = [xp.zeros(g.shape) for g in problem.gradients]
    for _ in range(2 if problem.tangents is None else 0):
        signs = {i: a * xp.asarray(problem.rng.choice([-1.0, 1.0], a.shape)) for i, a in enumerate(problem.arrays)}
        try:
            sides = [problem.gradients_at(signs, t) for t in (PART, -PART)]
        except Exception:  # not defined there
            return worst
        for i, (g, right, left) in enumerate(zip(problem.gradients, *sides, strict=True)):
            rate = xp.minimum(abs(right - g), abs(left - g)) / PART
            worst[i] = xp.where(rate < float("inf"), xp.maximum(worst[i], rate), worst[i])
    return worst
