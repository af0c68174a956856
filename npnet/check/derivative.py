"""Computes the derivative of a function along a line, with its error, by the complex step or by differences.

The complex step: for an analytic φ that is real on real numbers, Im φ(ih)/h = φ'(0) − h²φ'''(0)/6 + …. Nothing is
subtracted, so h can be 1e-170, and the only error is rounding (Squire and Trapp 1998).

Central differences (φ(h) − φ(−h))/2h have an error series in h². Halving h repeatedly and eliminating one power after
the other (Richardson 1911) leaves the rounding error, u·|φ|/h. One-sided differences have an error series in h.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = ["STEP", "Estimate", "central", "extrapolate", "one_sided"]

STEP = 1e-170  # its square is below the smallest float: at a kink, h² must not decide which branch is taken
HALVINGS = 22
ORDERS = 6
SAFETY = 10.0  # a difference between two extrapolations is an estimate of their error, not a bound


class Estimate(NamedTuple):
    """A derivative and a bound on its error."""

    value: float
    error: float


def extrapolate(rough: Sequence[float], noise: Sequence[float], power: int) -> Estimate:
    """Eliminate powers of h from estimates at h, h/2, h/4, … and return the one that agrees best with its neighbours.

    rough: the estimates, not finite where there is none.
    noise: the rounding error of each estimate.
    power: 2 for an error series in h², h⁴, …, 1 for one in h, h², ….

    The error is `SAFETY` times the largest difference from the two entries of the tableau that the estimate was made
    from, plus its noise. Source: Ridders 1982.
    """
    best = Estimate(float("nan"), float("inf"))
    above: list[float] = []
    for first, rounding in zip(rough, noise, strict=True):
        row = [first]
        for m in range(1, min(ORDERS, len(above) + 1)):
            weight = 2.0 ** (power * m)
            row.append((weight * row[m - 1] - above[m - 1]) / (weight - 1))
            gap = max(abs(row[m] - row[m - 1]), abs(row[m] - above[m - 1]))
            error = SAFETY * gap + 4 * rounding
            if np.isfinite(row[m]) and error < best.error:
                best = Estimate(row[m], error)
        above = row
    return best


def central(phi: Callable[[float], Any], scale: float, roundoff: float) -> Estimate:
    """Return φ'(0) by central differences at steps scale/4, scale/8, …. roundoff: the error of a value of φ."""
    steps = [scale * 2.0 ** -(i + 2) for i in range(HALVINGS)]
    rough = [(number(phi, h) - number(phi, -h)) / (2 * h) for h in steps]
    return extrapolate(rough, [roundoff / h for h in steps], 2)


def one_sided(phi: Callable[[float], Any], scale: float, roundoff: float) -> Estimate:
    """Return the slope of φ to the right of 0. The slope to the left is minus that of φ(−t)."""
    here = number(phi, 0.0)
    steps = [scale * 2.0 ** -(i + 2) for i in range(HALVINGS)]
    return extrapolate([(number(phi, h) - here) / h for h in steps], [2 * roundoff / h for h in steps], 1)


def number(phi: Callable[[float], Any], t: float) -> float:
    """Return φ(t), or NaN where φ is not defined."""
    with np.errstate(all="ignore"):
        try:
            value = phi(t)
            return float(value.real)
        except (ArithmeticError, ValueError):
            return float("nan")
