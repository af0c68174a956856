"""The report of a check says what is wrong and where: parameter, index, both values, their distance, likely fault."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Line", "Report", "units_apart"]


def units_apart(a: float, b: float) -> float:
    """Return |a − b| in units in the last place of the larger of the two, in float64. Infinite if either is NaN."""
    gap = abs(a - b)
    return float(gap / np.spacing(max(abs(a), abs(b)))) if np.isfinite(gap) else float("inf")


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

    @property
    def units(self) -> float:
        """Return the difference in units in the last place."""
        return units_apart(self.gradient, self.derivative)

    def __str__(self) -> str:
        where = "along a direction" if self.index is None else f"at {self.index}"
        return (
            f"{self.parameter} {self.shape}, {self.checked}{self.method and ', ' + self.method}: worst {where}, "
            f"gradient {self.gradient:.17g}, derivative {self.derivative:.17g}, relative error {self.error:.1e}, "
            f"{self.units:.3g} units in the last place"
            + (f" (rounding explains {abs(self.allowed):.1e})" if self.allowed else "")
            + (f"; likely: {self.likely}" if self.likely else "")
        )


@dataclass(frozen=True)
class Report:
    """What a check found. It is true if nothing is wrong, and prints one line for each parameter.

    Where gradient and derivative are zero throughout, nothing is wrong, but nothing was tested either. The first line
    then says "nothing to see" and not "confirmed".

    tolerance: the largest relative error that was allowed, None if it was derived from the size of what is compared.
    complaints: faults of behaviour.
    notes: what is worth knowing and not a fault.
    """

    lines: tuple[Line, ...]
    tolerance: float | None
    complaints: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    what: str = "gradient"

    @property
    def error(self) -> float:
        """Return the worst relative error of all parameters."""
        return max((line.error for line in self.lines), default=0.0)

    def __bool__(self) -> bool:
        return not self.complaints and not any(line.wrong for line in self.lines)

    def __str__(self) -> str:
        verdict = f"{self.what} confirmed" if self else f"{self.what.upper()} WRONG"
        unseen = [line.parameter for line in self.lines if line.unseen]
        if self and unseen:
            nothing = "nothing to see at this point"
            all_of_it = len(unseen) == sum(line.checked != "empty" for line in self.lines)
            verdict = f"{self.what}: {nothing}" if all_of_it else f"{verdict}, with {nothing} for {', '.join(unseen)}"
        tolerance = "that of rounding" if self.tolerance is None else f"{self.tolerance:.0e}"
        details = [*self.complaints, *map(str, self.lines), *(f"note: {note}" for note in self.notes)]
        return "\n  ".join([f"{verdict}: worst relative error {self.error:.1e}, tolerance {tolerance}", *details])

    __repr__ = __str__
