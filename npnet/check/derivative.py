"""Computes the derivative of a function along a line, with its error, by the complex step or by differences.

The complex step: for an analytic φ that is real on real numbers, Im φ(ih)/h = φ'(0) − h²φ'''(0)/6 + …. Nothing is
subtracted, so h can be 1e-170, and the only error is rounding (Squire and Trapp 1998).

Central differences (φ(h) − φ(−h))/2h have an error series in h². Halving h repeatedly and eliminating one power after
the other (Richardson 1911) leaves the rounding error, u·|φ|/h. One-sided differences have an error series in h, and
need no more values: (φ(2h) − φ(h))/h. They leave out φ(0), so a jump at 0 does not disturb them.

φ may return an array. Every entry then has an estimate and an error of its own.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from npnet.check.rounding import length

__all__ = [
    "NEAR",
    "SIDES",
    "STEP",
    "Estimate",
    "Ray",
    "Tableau",
    "central",
    "complex_side",
    "complex_step",
    "extrapolate",
    "measured_noise",
    "one_sided",
    "sample",
]

STEP = 1e-170  # its square is below the smallest float: at a kink, h² must not decide which branch is taken
FIRST = 0.183  # the first step, as a part of the scale. No power of two: sin(2ⁿπx) is 0 at every one of those
HALVINGS = 30
LEAST = 4  # fewer steps than these agree by chance
ORDERS = 6
SAFETY = 10.0  # a difference between two extrapolations is an estimate of their error, not a bound
SIDES = 8  # steps for slopes on one side
NEAR = range(20, 26)  # complex steps are taken at these negative powers of two from a kink: no other kink lies between
BELOW = 2.0**-3, 2.0**-8, 2.0**-22  # a limit is compared with differences at steps so much smaller
EPS = float(np.finfo(float).eps)


class Estimate(NamedTuple):
    """A derivative and a bound on its error: numbers, or arrays of one shape."""

    value: Any
    error: Any


class Tableau:
    """Eliminates powers of h from estimates at h, h/2, h/4, …, which are added one at a time.

    power: 2 for an error series in h², h⁴, …, 1 for one in h, h², ….

    The error of an entry is `SAFETY` times the largest difference from the two that it was made from, plus its noise
    (Ridders 1982). Every row keeps its best entry. Of so many, some agree by chance. So an error is at least
    `SAFETY` times its distance from the rough estimates in later rows, less their noise.
    """

    def __init__(self, power: int) -> None:
        self.power = power
        self.above: list[Any] = []
        self.rows: list[tuple[Any, Any, Any, Any]] = []  # rough, its noise, best entry, its error

    def add(self, rough: Any, rounding: Any) -> None:
        """Add an estimate at half the last step. rounding: its rounding error."""
        row, value, least = [rough], rough, np.full(np.shape(rough), np.inf)
        for m in range(1, min(ORDERS, len(self.above) + 1)):
            weight = 2.0 ** (self.power * m)
            row.append((weight * row[m - 1] - self.above[m - 1]) / (weight - 1))
            gap = np.maximum(abs(row[m] - row[m - 1]), abs(row[m] - self.above[m - 1]))
            error = SAFETY * gap + 4 * rounding
            better = np.isfinite(row[m]) & (error < least)
            value, least = np.where(better, row[m], value), np.where(better, error, least)
        self.above = row
        self.rows.append((rough, rounding, value, least))

    def best(self) -> Estimate:
        """Return the entry with the smallest error."""
        best = Estimate(np.asarray(float("nan")), np.asarray(float("inf")))
        for i, (_, _, value, error) in enumerate(self.rows):
            for rough, rounding, _, _ in self.rows[i + 1 :]:
                error = np.fmax(error, SAFETY * (abs(rough - value) - 4 * rounding))
            better = error < best.error
            best = Estimate(np.where(better, value, best.value), np.where(better, error, best.error))
        return best


def extrapolate(rough: Sequence[Any], noise: Sequence[Any], power: int) -> Estimate:
    """Return the best estimate from those at h, h/2, h/4, …, not finite where there is none (see `Tableau`)."""
    table = Tableau(power)
    for first, rounding in zip(rough, noise, strict=True):
        table.add(np.asarray(first, dtype=float), rounding)
    return table.best()


class Ray:
    """The slopes of φ at 0, from values at ±h, ±h/2, …: the central one, and those to the left and to the right.

    Steps are halved until the central slope is known to rounding. Differences at much smaller steps must
    then agree with it. If they do not, something narrow lies there, and the search begins again below.

    scale: a number that is large for t.
    noise: the rounding error of a value of φ. Where φ raises an exception, it is not defined.
    """

    def __init__(self, phi: Callable[[float], Any], scale: float, noise: Any) -> None:
        self.phi, self.noise, self.h, self.pairs = phi, noise, 2 * FIRST * scale, 0
        self._begin()

    def _begin(self) -> None:
        self.tables = [Tableau(2), Tableau(1), Tableau(1)]
        self.rows, self.last = 0, (0.0, 0.0)

    def _pair(self, h: float) -> tuple[Any, Any, Any]:
        """Return φ(h), φ(−h) and the rounding error of these values."""
        plus, minus = sample(self.phi, h), sample(self.phi, -h)
        return plus, minus, self.noise + 4 * EPS * np.fmax(abs(plus), abs(minus))

    def _halve(self) -> Any:
        """Take one more pair of values and return the rounding error of a difference between them."""
        self.h, self.pairs = self.h / 2, self.pairs + 1
        plus, minus, rounding = self._pair(self.h)
        self.rough = (plus - minus) / (2 * self.h)
        self.tables[0].add(self.rough, rounding / self.h)
        if self.rows:  # the last step was 2h
            self.tables[1].add((minus - self.last[1]) / self.h, 2 * rounding / self.h)
            self.tables[2].add((self.last[0] - plus) / self.h, 2 * rounding / self.h)
        self.last = plus, minus
        self.rows += bool(np.isfinite(plus).any() or np.isfinite(minus).any())
        return rounding / self.h

    def _holds_below(self) -> bool:
        """Say whether differences at smaller steps agree with the central slope."""
        best = self.tables[0].best()
        for part in BELOW:
            h = part * self.h
            plus, minus, rounding = self._pair(h)
            allowed = best.error + 4 * rounding / h + part**2 * abs(self.rough - best.value)
            if bool((abs((plus - minus) / (2 * h) - best.value) > allowed).any()):
                return False
        return True

    def _sides_known(self) -> bool:
        """Say whether both slopes are known to a thousandth of themselves, or to rounding."""
        rounding = 64 * (self.noise + EPS * np.fmax(abs(self.last[0]), abs(self.last[1]))) / self.h
        pairs = [(best.error, 1e-3 * abs(best.value)) for best in (table.best() for table in self.tables[1:])]
        return not any(bool((error > np.fmax(part, rounding)).any()) for error, part in pairs)

    def _sides_hold_below(self) -> bool:
        """Say the same of the slopes on both sides, whose error series begins with h."""
        bests = [table.best() for table in self.tables[1:]]
        for part in BELOW:
            h = part * self.h
            (plus, minus, rounding), (nearer, other, _) = self._pair(h), self._pair(h / 2)
            for table, best, rise in zip(self.tables[1:], bests, (other - minus, plus - nearer), strict=True):
                allowed = best.error + 16 * rounding / h + part * abs(table.above[0] - best.value)
                if bool((abs(rise / (h / 2) - best.value) > allowed).any()):
                    return False
        return True

    def central(self) -> Estimate:
        """Return φ'(0) by central differences."""
        while self.pairs < HALVINGS:
            rounding = self._halve()
            if self.rows >= LEAST and bool((self.tables[0].best().error <= 8 * rounding).all()):
                if self._holds_below():
                    break
                self._begin()
        return self.tables[0].best()

    def sides(self, steps: int = LEAST) -> tuple[Estimate, Estimate]:
        """Return the slopes to the left and to the right. With more steps than the least, the limits are verified."""
        if not self.pairs:
            self.central()
        if steps > LEAST:
            while self.pairs < 2 * HALVINGS:
                if self.rows >= steps and self._sides_known():
                    if self._sides_hold_below():
                        break
                    self._begin()
                self._halve()
        return self.tables[1].best(), self.tables[2].best()


def complex_step(phi: Callable[[complex], Any], at: float = 0.0) -> Any:
    """Return Im φ(t + ih)/h."""
    return np.imag(phi(at + 1j * STEP)) / STEP


def complex_side(phi: Callable[[complex], Any], scale: float, rounding: Any) -> Estimate:
    """Return the slope of φ to the right of 0, to the left if the scale is negative, as the limit of complex steps."""
    rough = [np.asarray(complex_step(phi, scale * 2.0**-i)) for i in NEAR]
    return extrapolate(rough, [rounding] * len(rough), 1)


def central(phi: Callable[[float], Any], scale: float, roundoff: Any) -> Estimate:
    """Return φ'(0) by central differences. roundoff: the error of a value of φ."""
    return Ray(phi, scale, roundoff).central()


def one_sided(phi: Callable[[float], Any], scale: float, roundoff: Any) -> Estimate:
    """Return the slope of φ to the right of 0. The slope to the left is minus that of φ(−t)."""
    return Ray(phi, scale, roundoff).sides(SIDES)[1]


def sample(phi: Callable[[float], Any], t: float) -> Any:
    """Return the real part of φ(t), NaN where φ is not defined."""
    try:
        return np.asarray(np.real(phi(t)), dtype=float)
    except Exception:  # beside the point, a function may raise what it likes
        return np.asarray(float("nan"))


def measured_noise(phi: Callable[[float], Any], scale: float) -> float:
    """Return the standard deviation of the rounding in φ near 0, from the fifth differences of ten values close by.

    The fifth difference of a smooth function is the fifth power of the step, so that only rounding is left. Where
    values close by are all equal (a staircase, as of half precision), they are taken farther apart. NaN if it is not
    known: where φ is flat, and then begins to rise, that is a kink and no rounding. Source: Hamming's table of
    differences, as in Moré and Wild 2011.
    """
    step = FIRST * 2.0**-20 * scale
    while step < 0.1 * scale:
        values = np.array([float(sample(phi, step * j)) for j in range(1, 11)])
        rises = np.flatnonzero(np.diff(values))
        if len(rises) > 1:
            if 0 < rises[0] == 9 - len(rises) or not np.isfinite(values).all():
                return float("nan")
            return length(np.diff(values, 5)) * (120**2 / 3628800 / 5) ** 0.5
        step *= 8
    return 0.0
