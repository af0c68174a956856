"""Finds a kink that entries share and that each of them counts: a tie of which every winner gets the whole.

At x = (2, 2), max x has the slopes 0 and 1 along each entry, and 1 lies between them. But the gradient (1, 1) says 2 of
the direction (1, 1), along which max x has the slope 1 on both sides: it is no subgradient (Clarke 1975). So entries
with the same slopes at their kinks are moved together. Where there is no kink then, although the slopes of kinks that
have nothing to do with each other would add up to one, the gradient must be the slope there.
"""

from typing import Any

import numpy as np

from npnet.check.derivative import SIDES

__all__ = ["counted_twice"]

GROUPS = 8  # the most groups of entries that are moved
ALIKE = 6  # slopes are alike to so many digits of the largest one


def counted_twice(problem: Any) -> list[str]:
    """Return a complaint for the first tie that the gradients count more than once."""
    slopes = problem.kinks
    largest = max((abs(s) for pair in slopes.values() for s in pair), default=0.0)
    groups: dict[tuple[float, ...], list[Any]] = {}
    for place, pair in slopes.items() if 0 < largest < np.inf else ():
        groups.setdefault(tuple(np.round(np.divide(pair, largest), ALIKE) + 0.0), []).append(place)
    for members in [each for each in groups.values() if len(each) > 1][:GROUPS]:
        direction = _direction(problem, members)
        left, right = problem.ray(direction).sides(SIDES)
        error = float(left.error + right.error) + problem.rounding(direction)
        slope, sums = float(right.value), [sum(slopes[place][side] for place in members) for side in (0, 1)]
        allowed = error + 10.0**-ALIKE * largest
        smooth = abs(float(left.value) - slope) <= allowed
        shared = min(abs(slope - total) for total in sums) > allowed
        said = problem.slope(direction)
        if smooth and shared and abs(said - slope) > allowed:
            names = ", ".join(f"{problem.names[k]} at {index}" for k, index in members[:4])
            more = "" if len(members) <= 4 else f" and {len(members) - 4} more"
            return [
                f"each lies between the slopes of its kink, but if {names}{more} move together, the derivative is "
                f"{slope:.9g} where the gradients say {said:.9g}: a tie, of which every winner gets the whole?"
            ]
    return []


def _direction(problem: Any, members: list[Any]) -> dict[int, Any]:
    """Return the direction along which these entries move by one."""
    direction = {k: np.zeros(problem.arrays[k].shape) for k in dict.fromkeys(k for k, _ in members)}
    for k, index in members:
        direction[k][index] = 1.0
    return {k: problem.xp.asarray(u) for k, u in direction.items()}
