"""`check_kinks` and `check_convex` check gradients at kinks, where the gradient is a matter of convention.

npnet takes the subgradient of smallest magnitude: relu'(0) = 0, |w|' = 0 at 0, and a group of zeros has gradient 0. How
the slopes on both sides are found is said in `compare`.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.check.compare import CONVENTIONS, Kinks, compare, unit
from npnet.check.derivative import sample
from npnet.check.problem import Problem
from npnet.check.pytree import Tree
from npnet.check.report import Line, Report
from npnet.check.rounding import length
from npnet.check.ties import counted_twice
from npnet.check.trust import choose

__all__ = ["CONVENTIONS", "check_convex", "check_kinks"]

ENTRIES = 200  # the most entries of a parameter that are checked; of a larger one so many are drawn
ALONG = [sign * 10.0**-p for p in np.arange(4, 8.1, 0.25) for sign in (1, -1)]
"""Moves along the gradient. Where f is smooth, its curvature hides a wrong slope on longer ones, rounding on others."""


@np.errstate(all="ignore")
@checked
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
    kinks = Kinks(convention, look=True)
    problem, lines, notes = Problem(f, arrays, seed, method), [], []
    for k, (name, g) in enumerate(zip(problem.names, problem.gradients, strict=True)):
        if g.size == 0:
            continue
        choose(problem, k)
        flat = range(g.size) if g.size <= ENTRIES else sorted(problem.rng.choice(g.size, ENTRIES, replace=False))
        indices = [tuple(int(i) for i in np.unravel_index(at, g.shape)) for at in flat]
        found = [compare(problem, unit(problem, k, index), index, kinks) for index in indices]
        at = [line.index for line in found if line.kink]
        jumps = [index for index in indices if _jumps(problem, k, index)]
        notes += [f"{name} has {len(at)} kinks, the first at {at[0]}"] if at else []
        notes += [f"{name}: the value itself jumps at {jumps[0]}"] if jumps else []
        lines.append(max(found, key=lambda line: (line.wrong, line.error)))
    if not any(line.wrong for line in lines):
        problem.complaints += counted_twice(problem)
    return problem.report(lines, f"convention {convention!r}", None, notes)


def _jumps(problem: Problem, k: int, index: tuple[int, ...]) -> bool:
    """Say whether a step of 1e-12 changes the value by more than a slope of ordinary size explains."""
    direction = unit(problem, k, index)
    h = 1e-12 * problem.scale(direction)
    here, *beside = (float(sample(partial(problem.scalar, direction), t)) for t in (0.0, -h, h))
    return any(abs(value - here) > 1e-5 * problem.volume + 1e-300 for value in beside)


@np.errstate(all="ignore")
@checked
def check_convex(f: Callable[..., tuple[Any, Any]], *arrays: Tree, draws: int = 200, seed: int = 0) -> Report:
    """Check the subgradient inequality of a convex function, f(y) ≥ f(x) + ⟨g, y − x⟩, for random y near and far.

    The inequality holds at kinks too, and for every subgradient, so it does not show which one f returns. The report's
    line has ⟨g, y − x⟩ as its gradient and f(y) − f(x) as its derivative. The first must not be larger. Where f raises
    an exception, it is not defined, and the inequality asks for nothing.
    """
    problem, lines = Problem(f, arrays, seed, "differences"), []
    here = float(problem.scalar({}, 0.0))
    longest = length(*problem.gradients)
    for i in range(draws):
        distance = 10.0 ** problem.rng.uniform(-7, 1)
        moves = {}
        if i < len(ALONG) and 0 < longest < np.inf:
            moves = {k: g * (ALONG[i] / longest) for k, g in enumerate(problem.gradients)}
        for k, a in enumerate(problem.arrays if not moves else ()):
            if i % 2 and a.size:  # along one entry, or along all of them
                index = np.unravel_index(int(problem.rng.integers(a.size)), a.shape)
                u = unit(problem, k, tuple(int(j) for j in index))[k] * float(problem.rng.choice([-1.0, 1.0]))
            else:
                u = problem.xp.asarray(problem.rng.standard_normal(a.shape))
            moves[k] = distance * u
        there = float(sample(partial(problem.scalar, moves), 1.0))
        if not np.isfinite(there):
            continue
        # x + u is rounded to a float, so the step that was taken is (x + u) − x and not u.
        steps = {k: (problem.arrays[k] + u) - problem.arrays[k] for k, u in moves.items()}
        rise, climbed = problem.slope(steps), there - here
        sizes = sum(float(abs(problem.gradients[k] * s).sum()) for k, s in steps.items())
        allowed = problem.factor * (2 * problem.volume + abs(there) + sizes)
        excess = rise - climbed
        error = max(excess, 0.0) / max(abs(rise), abs(climbed), 1e-300)
        name, wrong = "subgradient inequality", not excess <= allowed
        likely = "no subgradient" if wrong else ""
        line = Line(name, (), f"{draws} points", None, rise, climbed, error, allowed, wrong, "", likely)
        lines.append(replace(line, names=("⟨g, y − x⟩", "f(y) − f(x)")))
    excesses = [(line.wrong, (line.gradient - line.derivative) / (line.allowed + 1e-300)) for line in lines]
    worst = lines[max(range(len(lines)), key=excesses.__getitem__)] if lines else None
    if worst is None:
        problem.complaints.append("f is defined at no point that was drawn beside these arguments: nothing was tested")
    return problem.report([worst] if worst else [], "subgradient inequality")
