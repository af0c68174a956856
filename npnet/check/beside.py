"""Checks a gradient beside the point too: what is right at one point alone is right by chance, or comes from a cache.

At w = 1 the gradients 3w² and 3w⁵ are the same, a scale of 1 hides that it was forgotten, and a gradient that was kept
from an earlier call is right as long as nothing moves. So all arguments are moved by a part of themselves in a random
direction, and there the gradients are compared with the derivative along that direction. A kink may lie between, and a
function may not be defined there: only what is wrong at every one of these points is a complaint.
"""

from functools import partial
from typing import Any

import numpy as np

from npnet.check.behaviour import same
from npnet.check.derivative import sample
from npnet.check.function import real_parts
from npnet.check.noise import parts

__all__ = ["jump", "wrong_beside"]

FAR = 2.0**-4, -(2.0**-6), 2.0**-8
"""Arguments are moved by such a part of themselves."""
NEAR = 2.0**-20, 2.0**-40
LEAST = 1e-7
"""A difference counts only if it is larger than this part of the slope's terms: rounding was derived for the point."""


def wrong_beside(problem: Any, tolerance: float | None = None) -> list[str]:
    """Return a complaint if the gradients are wrong beside the point. The arguments' methods must have been chosen.

    tolerance: the largest relative error, None for what rounding explains.
    """
    if problem.tangents is not None or problem.noise == np.inf:
        return []
    apart: list[tuple[float, float]] = []
    constant = True
    for far in FAR:
        found = _compared(problem, parts(problem), far, tolerance or LEAST)
        if found is None:
            continue
        difference, gradients = found
        if difference is None:
            return []
        apart.append(difference)
        constant = constant and same(problem.gradients, gradients)
    if not apart:
        return []
    if constant:
        return ["the gradients are the same numbers beside the point, where the derivative is another: a cache?"]
    gradient, derivative = apart[-1]
    return [
        f"the gradients are right here and wrong beside this point: {gradient:.9g} along a direction, where the "
        f"derivative is {derivative:.9g}. They are right by chance (arguments of 1 or 0, all alike?), or from a cache"
    ]


def jump(problem: Any) -> float:
    """Return by how much the value at the point differs from values beside it, however near, 0 where it does not.

    All arguments move by so small a part of themselves, and then by a millionth of that. What is continuous changes
    much less.
    """
    u = parts(problem)
    here = float((problem.value * problem.cotangent).sum())
    far, near = ([abs(float(sample(partial(problem.scalar, u), s * h)) - here) for s in (-1, 1)] for h in NEAR)
    jumps = [d for d, wide in zip(near, far, strict=True) if d > 8 * problem.noise and d > wide / 2]
    return max(jumps, default=0.0)


def _compared(problem: Any, u: Any, far: float, least: float) -> tuple[tuple[float, float] | None, Any] | None:
    """Return gradient and derivative along u at a point moved by u·far, if they differ, and the gradients there.

    None if the function is not defined there.
    """
    try:
        gradients = real_parts(problem.gradients_at(u, far), problem.names)
    except Exception:  # not defined there
        return None
    if all(method == "complex step" for method in problem.methods):
        found = problem.by_complex_step(u, far)
    else:
        found = problem.ray(u, far, 1.0).central()
    if found is None:
        return None
    slope, derivative = problem.slope(u, gradients), float(found.value)
    terms = sum(float(abs(gradients[k] * a).sum()) for k, a in u.items())
    allowed = 8 * (problem.rounding(u, gradients) + float(found.error))
    allowed = max(allowed, least * max(terms, abs(derivative)))
    if not np.isfinite([slope, derivative, allowed]).all():
        return None
    return ((slope, derivative) if abs(slope - derivative) > allowed else None), gradients
