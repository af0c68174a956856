"""uncertainties: error propagation with a table of written derivatives."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from uncertainties import umath_core

from experiments.studies.wild.case import Case, elementwise

__all__ = ["cases"]

INSIDE = np.array([-0.7, -0.2, 0.3, 0.8])
ABOVE = np.array([1.3, 1.9, 2.6, 4.4])
OTHER = np.array([0.6, 1.1, -1.7, 2.3])
POSITIVE = ("acosh", "log", "log10", "log1p", "sqrt")
TWO = ("atan2", "copysign", "hypot", "pow")


def _each(f: Any) -> Any:
    return lambda *x: np.array([f(*map(float, row)) for row in zip(*x, strict=True)])


def cases() -> Iterator[Case]:
    """Yield each function with its derivatives."""
    for name, slopes in umath_core.fixed_derivatives.items():
        f = getattr(math, name)
        if name in TWO:
            x = (ABOVE, OTHER)
            yield elementwise(name, _each(f), lambda *x, s=slopes: tuple(_each(each)(*x) for each in s), *x)
        else:
            yield elementwise(name, _each(f), _each(slopes[0]), ABOVE if name in POSITIVE else INSIDE)
