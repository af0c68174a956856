"""Names a wrong factor by what it is made of: lengths of axes, their products and fractions, a sign, a square's 2."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

__all__ = ["EXACT", "factors", "fraction_of", "name_of"]

EXACT = 1e-9  # a factor is known to so small a part of itself
COMMON = 10_000  # the largest product of numerator and denominator, if neither is 1 or made of a size
LARGEST = 10**6
CONSTANTS = {
    "π/180": (np.pi / 180, "degrees and radians"),
    "log 2": (np.log(2.0), "logarithms of base 2"),
    "log 10": (np.log(10.0), "logarithms of base 10"),
    "π": (np.pi, "half turns and radians"),
    "2π": (2 * np.pi, "turns and radians"),
    "√2": (np.sqrt(2.0), "a length, or a deviation"),
    "√(2π)": (np.sqrt(2 * np.pi), "the normal density"),
}
"""Factors of units and of normalisation, and what they come from."""


def factors(G: Any, D: Any, sizes: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield G times the number that fits best, and sums and means along an axis."""
    if np.any(G * D):
        ratio = float((G * D).sum() / (G * G).sum())
        if G.size > 1 or _plain(ratio, sizes):  # some factor always fits a single number
            yield name_of(ratio, sizes), ratio * G
        for N in sorted(n for n in sizes if n > 1):
            yield f"a sum where the mean over {N} belongs (a missing factor 1/{N})", G / N
    for axis in range(G.ndim):
        n, total, small = G.shape[axis], D.sum(axis, keepdims=True), EXACT * float(np.linalg.norm(G))
        alike, *sums = (float(np.linalg.norm(G - t)) for t in (G.mean(axis, keepdims=True), total, total / n))
        if n > 1 and alike <= small and min(sums) <= small:
            yield f"a sum or mean over axis {axis} that does not belong there", D


def fraction_of(ratio: float) -> Fraction | None:
    """Return the simple fraction that a number is, None if it is none."""
    if not 1 / LARGEST < abs(ratio) < LARGEST:
        return None
    part = abs(ratio) < 1
    nearest = Fraction(1 / ratio if part else ratio).limit_denominator(LARGEST)
    for simple in (Fraction(ratio).limit_denominator(int(COMMON**0.5)), 1 / nearest if part else nearest):
        if simple and abs(float(simple) - ratio) <= EXACT * abs(ratio):
            one = abs(simple.numerator) == 1 or simple.denominator == 1
            if one or abs(simple.numerator) * simple.denominator <= COMMON:
                return simple
    return None


def _plain(ratio: float, sizes: set[int]) -> bool:
    """Say whether a factor is a fraction of numbers up to four or of sizes."""
    simple = fraction_of(ratio)
    small = {1, 2, 3, 4, *sizes}
    return simple is not None and {abs(simple.numerator), simple.denominator} <= small


def name_of(ratio: float, sizes: set[int]) -> str:
    """Name the fault that a factor suggests, which turns the gradient into the derivative."""
    for N in sorted(n for n in sizes if n > 1):
        if _is(ratio, 1 / N):
            return f"a missing factor 1/{N} (a sum where a mean belongs)"
        if _is(ratio, N):
            return f"a factor 1/{N} too many (a batch mean squared, or a mean where a sum belongs)"
        if _is(ratio, N / (N - 1)) or _is(ratio, (N - 1) / N):
            return f"{N} and {N - 1} taken for one another in a mean"
    if _is(ratio, -1.0):
        return "a sign"
    if _is(ratio, 2.0) or _is(ratio, 0.5):
        return f"a factor {ratio:g} forgotten (½ of a square, or its derivative's 2)"
    sign = "a sign, and " if ratio < 0 else ""
    for constant, (number, where) in CONSTANTS.items():
        for power, told in ((number, "forgotten"), (1 / number, "too many")):
            if _is(abs(ratio), power):
                return f"{sign}a factor {constant} {told} ({where})"
    simple = fraction_of(ratio)
    if simple is None:
        return f"a factor {ratio:.10g} forgotten"
    p, q = abs(simple.numerator), simple.denominator
    if p == 1:
        return f"{sign}a missing factor 1/{q}{_made_of(q, sizes)} (a sum where a mean belongs)"
    if q == 1:
        return f"{sign}a factor 1/{p}{_made_of(p, sizes)} too many (a mean where a sum belongs)"
    return f"{sign}a factor {p}/{q} forgotten"


def _is(ratio: float, number: float) -> bool:
    return abs(ratio - number) <= EXACT * abs(number)


def _made_of(number: int, sizes: set[int]) -> str:
    """Return " = 1/(5·7)" where a size divides the number."""
    for n in sorted((n for n in sizes if 1 < n < number and number % n == 0), reverse=True):
        return f" = 1/({number // n}·{n})"
    return ""
