"""Checks the gradient in the precision of the arguments too, by the same code in float64, which has been checked.

Code may take another way for float32: a kernel of its own, an ε that is too small, a cast. Both gradients are computed
at the same numbers, so that they differ by rounding alone.
"""

from typing import Any

import numpy as np

from npnet.arrays import to_host
from npnet.check.rounding import factor, peak

__all__ = ["other_float", "wrong_in_own_precision"]


def other_float(a: Any) -> bool:
    """Say whether this is an array of floating-point numbers that are not float64."""
    return getattr(a, "dtype", None) is not None and a.dtype.kind == "f" and a.dtype != np.float64


def wrong_in_own_precision(problem: Any) -> list[str]:
    """Return a complaint for each gradient that is another in the precision in which the arguments were given."""
    given = problem.given
    others = [a.dtype for a in given if other_float(a)]
    if not others or problem.dtype is not None:
        return []
    coarsest = max(others, key=lambda dtype: np.finfo(dtype).eps)
    _, gradients = problem.f(problem.like(given))
    if callable(gradients):
        gradients = gradients(problem.cotangent.astype(coarsest))
    part = max(factor(problem.value.size + 2 * sum(a.size for a in given), coarsest), problem.factor)
    complaints = []
    for k, (name, g) in enumerate(zip(problem.names, problem.gradients, strict=True)):
        own, wanted = (np.asarray(to_host(a), dtype=float) for a in (gradients[k], g))
        allowed = part * to_host(2 * abs(g) + peak(g) + problem.condition[k] + problem.lost)
        if own.shape == wanted.shape and not (abs(own - wanted) <= allowed).all():
            excess = np.where(np.isfinite(own), abs(own - wanted) / (allowed + 1e-300), np.inf)
            index = tuple(int(i) for i in np.unravel_index(int(excess.argmax()), own.shape))
            complaints.append(
                f"in {given[k].dtype} the gradient of {name} at {index} is {own[index]:.9g}, where the same code in "
                f"float64 gives {wanted[index]:.9g}"
            )
    return complaints
