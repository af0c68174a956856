"""`check_kinks` and `check_convex` check gradients at kinks, where the gradient is a matter of convention.

At a kink f has one slope to the left and another to the right, and any number between them is a subgradient (Clarke
1975). Which one the gradient should be is a choice. npnet takes the one of smallest magnitude: relu'(0) = 0, |w|' = 0
at 0, and a group of zeros has gradient 0. The slope on a side is the limit of the derivatives f'(x ± h), or of the
differences (f(x ± h) − f(x))/h, with Richardson extrapolation in h.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from npnet.arrays import Array
from npnet.check.derivative import Estimate, extrapolate
from npnet.check.gradient import rounding_of, unit
from npnet.check.problem import Problem
from npnet.check.pytree import Tree
from npnet.check.report import Line, Report
from npnet.check.rounding import peak, relative_error

__all__ = ["CONVENTIONS", "check_convex", "check_kinks"]

CONVENTIONS: dict[str, Callable[[float, float], tuple[float, float]]] = {
    "smallest": lambda left, right: (min(max(0.0, min(left, right)), max(left, right)),) * 2,
    "left": lambda left, right: (left, left),
    "right": lambda left, right: (right, right),
    "mean": lambda left, right: ((left + right) / 2,) * 2,
    "between": lambda left, right: (min(left, right), max(left, right)),
}
"""The range in which a gradient may lie, computed from the slopes on both sides."""

NEAR = range(20, 26)
"""Derivatives are taken at these negative powers of two from a kink, so near that no other kink lies between."""

ENTRIES = 200  # the most entries of a parameter that are checked; of a larger one so many are drawn


def check_kinks(
    f: Callable[..., tuple[Any, Any]], *arrays: Tree, convention: str = "smallest", seed: int = 0, method: str = "auto"
) -> Report:
    """Compare the gradient that f returns with the slopes on both sides, entry by entry.

    f, arrays: as for `check_gradient`. Put some entries at kinks; `npnet.testing` draws such arrays.
    convention: "smallest" in magnitude, "left", "right", "mean", or anything "between".

    Where the two slopes agree, the gradient must be that slope. Where they differ, it must keep the convention. Notes
    count the kinks, and name entries where the value itself jumps. Raises ValueError for another convention, and what
    `check_gradient` raises.
    """
    if convention not in CONVENTIONS:
        raise ValueError(f"convention is {convention!r}; expected one of {', '.join(CONVENTIONS)}")
    problem, lines, notes = Problem(f, arrays, seed, method), [], []
    for k, (name, g) in enumerate(zip(problem.names, problem.gradients, strict=True)):
        if g.size == 0:
            continue
        flat = range(g.size) if g.size <= ENTRIES else sorted(problem.rng.choice(g.size, ENTRIES, replace=False))
        indices = [tuple(int(i) for i in np.unravel_index(at, g.shape)) for at in flat]
        found = [_look(problem, k, index, convention) for index in indices]
        kinks = [index for index, (_, kink) in zip(indices, found, strict=True) if kink]
        jumps = [index for index in indices if _jumps(problem, k, index)]
        notes += [f"{name} has {len(kinks)} kinks, the first at {kinks[0]}"] if kinks else []
        notes += [f"{name}: the value itself jumps at {jumps[0]}"] if jumps else []
        line = max((line for line, _ in found), key=lambda line: (line.wrong, line.error))
        lines.append(line)
    what = f"convention {convention!r}"
    return Report(tuple(lines), None, tuple(problem.complaints), (*problem.notes, *notes), what)


def sides(problem: Problem, k: int, direction: Array) -> tuple[Estimate, Estimate]:
    """Return the slopes to the left and to the right, by complex steps near the point, or else by differences."""
    problem.derivative(k, direction)  # chooses the method
    if problem.methods[k] == "differences":
        return problem.slopes(k, direction)
    scale = problem.scale(k, direction)
    noise = rounding_of(problem, k, direction, Estimate(0.0, 0.0))
    steps = [scale * 2.0**-i for i in NEAR]
    found = []
    for sign in (-1, 1):
        with np.errstate(all="ignore"):
            rough = [problem.by_complex_step(k, direction, sign * h).value for h in steps]
        found.append(extrapolate(rough, [noise] * len(steps), 1))
    return found[0], found[1]


def _look(problem: Problem, k: int, index: tuple[int, ...], convention: str) -> tuple[Line, bool]:
    """Return the line of one entry, and whether it is at a kink."""
    direction, g = unit(problem, k, index), problem.gradients[k]
    left, right = sides(problem, k, direction)
    gradient = float((g * direction).sum())
    unsure = left.error + right.error
    allowed = unsure + rounding_of(problem, k, direction, Estimate(0.0, 0.0))
    kink = abs(left.value - right.value) > 10 * allowed
    low, high = CONVENTIONS[convention](left.value, right.value) if kink else (left.value, left.value)
    if low == high:
        wanted = low
    else:
        wanted = min(max(gradient, low), high)
    error = relative_error(gradient, wanted, max(1e-3 * peak(g), 1e-3 * abs(right.value), 1e-300))
    wrong = not abs(gradient - wanted) <= allowed
    checked = f"slopes {left.value:.6g} and {right.value:.6g}" if kink else "no kink"
    likely = f"another convention than {convention!r}" if wrong and kink else ""
    if wrong and kink and not min(left.value, right.value) <= gradient <= max(left.value, right.value):
        likely = "no subgradient: outside of the slopes on both sides"
    method = problem.methods[k]
    return Line(
        problem.names[k], g.shape, checked, index, gradient, wanted, error, allowed, wrong, method, likely
    ), kink


def _jumps(problem: Problem, k: int, index: tuple[int, ...]) -> bool:
    """Say whether a step of 1e-12 changes the value by more than a slope of ordinary size explains."""
    direction = unit(problem, k, index)
    h = 1e-12 * problem.scale(k, direction)
    here = float(problem.scalar().real)
    with np.errstate(all="ignore"):
        beside = [float(problem.scalar((k, sign * h * direction)).real) for sign in (-1, 1)]
    return any(abs(value - here) > 1e-5 * problem.volume + 1e-300 for value in beside)


def check_convex(f: Callable[..., tuple[Any, Any]], *arrays: Tree, draws: int = 200, seed: int = 0) -> Report:
    """Check the subgradient inequality of a convex function, f(y) ≥ f(x) + ⟨g, y − x⟩, for random y near and far.

    The inequality holds at kinks too, and for every subgradient, so it does not show which one f returns. The report's
    line has ⟨g, y − x⟩ as its gradient and f(y) − f(x) as its derivative. The first must not be larger.
    """
    problem, worst = Problem(f, arrays, seed, "auto"), None
    for i in range(draws):
        distance = 10.0 ** problem.rng.uniform(-7, 1)
        changes = []
        for k, a in enumerate(problem.arrays):
            if i % 2 and a.size:  # along one entry, or along all of them
                index = np.unravel_index(int(problem.rng.integers(a.size)), a.shape)
                u = unit(problem, k, tuple(int(j) for j in index)) * float(problem.rng.choice([-1.0, 1.0]))
            else:
                u = problem.xp.asarray(problem.rng.standard_normal(a.shape))
            changes.append((k, distance * u))
        there = float(problem.scalar(*changes))
        # x + u is rounded to a float, so the step that was taken is (x + u) − x and not u.
        steps = [(problem.arrays[k] + u) - problem.arrays[k] for k, u in changes]
        rise = float(sum((problem.gradients[k] * step).sum() for (k, _), step in zip(changes, steps, strict=True)))
        climbed = there - float(problem.scalar())
        sizes = sum(float(abs(problem.gradients[k] * s).sum()) for (k, _), s in zip(changes, steps, strict=True))
        allowed = problem.factor * (2 * problem.volume + abs(there) + sizes)
        excess = rise - climbed
        name = "subgradient inequality"
        error = max(excess, 0.0) / max(abs(rise), abs(climbed), 1e-300)
        likely = "" if excess <= allowed else "no subgradient"
        line = Line(name, (), f"{draws} points", None, rise, climbed, error, allowed, not excess <= allowed, "", likely)
        if worst is None or (line.wrong, excess / (allowed + 1e-300)) > (worst[0].wrong, worst[1]):
            worst = line, excess / (allowed + 1e-300)
    return Report((worst[0],) if worst else (), None, tuple(problem.complaints), (), "subgradient inequality")
