"""Measures how noisy and how sensitive a function under check is: nothing of it is guessed from a dtype alone."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from npnet.arrays import Array
from npnet.check.derivative import EPS, measured_noise, sample
from npnet.check.rounding import length, peak

__all__ = ["condition", "fast", "measured", "noisier_than_its_type", "parts"]

PART = 2.0**-20
"""Arguments move by such a part of themselves, to see how far the gradients move."""
CLOSE = tuple(2.0**-n for n in range(26, 39, 3))
"""Values so close are smooth, if it is no noise that they seem to have."""
FAR = 8.0
"""Values may have terms so many times as large as they move on the way to arguments twice as large."""


def measured(problem: Any) -> tuple[float, float, float]:
    """Return the standard deviation of the rounding in the scalar of a problem, and how far the values move.

    The first is measured along one direction. If it is more than the type explains, it is the median of three, unless
    values still closer to each other are smooth (see `fast`). The second is the slope of the scalar on the way to
    arguments as far away as these are large, the third the sum of the magnitudes by which the values move there, at
    most that of the values themselves. A constant beside them does not count.
    """
    u = problem.probe()
    scale, volume = problem.scale(u), problem.volume
    try:
        far = (np.real(problem.outputs(u, scale)) - problem.value) * problem.cotangent
        rise, moved = abs(float(far.sum())) / scale, float(abs(far).sum())
    except Exception:  # not defined there
        rise = moved = float("nan")
    found: list[float] = []
    for part in (1.0, 0.3, 0.1):  # a curvature shrinks with the step, and rounding does not
        if not found or not found[0] <= problem.factor * volume:
            found.append(measured_noise(partial(problem.scalar, parts(problem)), part))
    known = sorted(deviation for deviation in found if np.isfinite(deviation))
    deviation = known[len(known) // 2] if known else 0.0
    if deviation > problem.factor * volume:
        along = partial(problem.scalar, parts(problem))
        close = fast(along, EPS * volume, problem.rng)
        deviation = measured_noise(along, close) if close else deviation
    return deviation, rise if np.isfinite(rise) else 0.0, min(volume, FAR * moved) if np.isfinite(moved) else volume


def fast(phi: Callable[[float], Any], rounding: float, rng: np.random.Generator) -> float:
    """Return a scale on which φ is smooth, so that what looked like noise must be a fast term, 0 if there is none.

    Noise stays noise, however close the values are. A stair (single precision inside) is flat between its steps, so
    that its slope is everywhere the same. A fast term has slopes that differ from place to place.
    """
    for step in CLOSE:
        slopes, bent = [], 4 * rounding
        for at in PART * rng.uniform(-1, 1, 4):
            rises = np.diff([float(sample(phi, at + step * j)) for j in range(5)])
            bend, steepest = peak(np.diff(rises)), peak(rises)
            if steepest > 4 * rounding and bend < steepest / 8:
                slopes.append(float(rises.mean()))
                bent = max(bent, 8 * bend)
        if len(slopes) > 2 and max(slopes) - min(slopes) > max(bent, 1e-3 * peak(np.array(slopes))):
            return step * 2.0**16
    return 0.0


def parts(problem: Any, least: float = 1e-3) -> Any:
    """Return a direction along which every number moves by a part of itself, or of so small a part of the largest."""
    drawn = problem.probe()
    if problem.tangents is not None:
        return drawn
    arrays = problem.arrays
    return {
        k: u * problem.xp.maximum(abs(arrays[k]), least * min(1.0, peak(arrays[k]) or 1.0)) for k, u in drawn.items()
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
