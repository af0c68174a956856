"""The report of a check says what is wrong and where: parameter, index, both values, their distance, likely fault."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from npnet.arguments import checked

__all__ = ["UNDECIDED", "Line", "Report", "units_apart"]

UNDECIDED = "cannot be decided"
"""The words of a complaint that is no fault: the values are too noisy, or not defined, for any verdict."""

GRADIENT = "gradient", "derivative"
"""What the two numbers of a line are, if nothing else is said."""

FEW = 1e-6
"""A report that sees no smaller errors than this part of a gradient says how many digits it confirms."""


def units_apart(a: float, b: float) -> float:
    """Return |a − b| in units in the last place of the larger of the two, in float64. Infinite if either is NaN."""
    gap = abs(a - b)
    return float(gap / np.spacing(max(abs(a), abs(b)))) if np.isfinite(gap) else float("inf")


@checked
@dataclass(frozen=True)
class Line:
    """One checked parameter: the place of its worst error, both values there, and their distance.

    index: None for the derivative along a random direction.
    error: |gradient − derivative| over the larger of the two, or over 1e-3 of the parameter's largest gradient if both
        are smaller.
    allowed: the largest difference that rounding and the error of the derivative explain (see `rounding`).
    method: how the derivative was found.
    likely: the fault that would explain the numbers, "" if there is none or no hypothesis fits.
    kink: the slopes to the left and to the right, None where there is no kink.
    unseen: gradient and derivative are zero throughout, so nothing was tested.
    resolution: an error is seen from this part of the largest gradient on, also where f loses imaginary parts.
    names: what the two numbers are, if they are no gradient and derivative.
    """

    parameter: str
    shape: tuple[int, ...]
    checked: str
    index: tuple[int, ...] | None
    gradient: float
    derivative: float
    error: float
    allowed: float = 0.0
    wrong: bool = False
    method: str = "complex step"
    likely: str = ""
    kink: tuple[float, float] | None = None
    unseen: bool = False
    resolution: float = 0.0
    names: tuple[str, str] = GRADIENT

    @property
    def units(self) -> float:
        """Return the difference in units in the last place."""
        return units_apart(self.gradient, self.derivative)

    @property
    def short(self) -> str:
        """Return the place and both numbers to nine digits, and the likely fault."""
        place = f" {self._where}" if self._where else ""
        return f"{self.parameter}{place}: {self._numbers(9)}" + (f"; likely: {self.likely}" if self.likely else "")

    @property
    def _where(self) -> str:
        if self.index is None:
            return "along a direction" if self.names == GRADIENT else ""
        return f"at {self.index}"

    def _numbers(self, digits: int) -> str:
        one, other = self.names
        return f"{one} {self.gradient:.{digits}g}, {other} {self.derivative:.{digits}g}"

    def __str__(self) -> str:
        place = f"worst {self._where}, " if self._where else ""
        units = f", {self.units:.3g} units in the last place" if self.names == GRADIENT else ""
        return (
            f"{self.parameter} {self.shape}, {self.checked}{self.method and ', ' + self.method}: {place}"
            f"{self._numbers(17)}, relative error {self.error:.1e}{units}"
            + (f" (rounding explains {abs(self.allowed):.1e})" if self.allowed else "")
            + (
                f"; errors are seen from {self.resolution:.0e} of the gradient on"
                if self.resolution and not self.wrong
                else ""
            )
            + (f"; likely: {self.likely}" if self.likely else "")
        )


@checked
@dataclass(frozen=True)
class Report:
    """What a check found. It is true if nothing is wrong, and prints one line for each parameter.

    Where gradient and derivative are zero throughout, nothing is wrong, but nothing was tested either. The first line
    then says "nothing to see" and not "confirmed".

    tolerance: the largest relative error that was allowed, None if it was derived from the size of what is compared.
    complaints: faults of behaviour.
    notes: what is worth knowing and not a fault.
    precision: in which the gradient was computed.
    jump: by how much the value differs from values beside the point, however near. It has no derivative there.
    """

    lines: tuple[Line, ...]
    tolerance: float | None
    complaints: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    what: str = "gradient"
    precision: str = "float64"
    jump: float = 0.0

    @property
    def error(self) -> float:
        """Return the worst relative error of all parameters."""
        return max((line.error for line in self.lines), default=0.0)

    @property
    def verdict(self) -> str:
        """Return "confirmed", "wrong", "undecided", or "nothing seen" (an argument was not tested, the value jumps).

        A report that is undecided is false. One in which nothing was seen is true: nothing is wrong.
        """
        if any(line.wrong for line in self.lines) or any(UNDECIDED not in each for each in self.complaints):
            return "wrong"
        if self.complaints:
            return "undecided"
        return "nothing seen" if self.jump or any(line.unseen for line in self.lines) else "confirmed"

    @property
    def summary(self) -> str:
        """Return what is wrong in a few lines: complaints, and for each wrong argument both numbers at its worst place.

        Where nothing is wrong, it is the verdict and the notes.
        """
        wrong = [line for line in self.lines if line.wrong]
        told = [*self.complaints, *(line.short for line in wrong)] or [*self.notes]
        return "\n  ".join([self._headline(), *told])

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data, with its verdict and worst error."""
        return {"verdict": self.verdict, "error": self.error, **asdict(self)}

    def __bool__(self) -> bool:
        return not self.complaints and not any(line.wrong for line in self.lines)

    def _headline(self) -> str:
        if not self:
            return f"{self.what.upper()} {self.verdict.upper()}"
        if self.jump:
            return (
                f"{self.what}: nothing to see at this point, where the value jumps by {self.jump:.3g} and has no "
                "derivative. The slope of its branch is right"
            )
        verdict = f"{self.what} confirmed{self._digits()}"
        unseen = [line.parameter for line in self.lines if line.unseen]
        if unseen:
            nothing = "nothing to see at this point"
            all_of_it = len(unseen) == sum(line.checked != "empty" for line in self.lines)
            verdict = f"{self.what}: {nothing}" if all_of_it else f"{verdict}, with {nothing} for {', '.join(unseen)}"
        return verdict

    def _digits(self) -> str:
        """Return to how many digits, if they are few."""
        coarsest = max((line.resolution for line in self.lines), default=0.0)
        return f" to {int(-np.log10(coarsest))} digits" if coarsest > FEW else ""

    def __str__(self) -> str:
        tolerance = f"that of rounding in {self.precision}" if self.tolerance is None else f"{self.tolerance:.0e}"
        details = [*self.complaints, *map(str, self.lines), *(f"note: {note}" for note in self.notes)]
        return "\n  ".join(
            [f"{self._headline()}: worst relative error {self.error:.1e}, tolerance {tolerance}", *details]
        )

    __repr__ = __str__
