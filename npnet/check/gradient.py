"""`check_gradient` compares the gradient that a function returns with the derivative of its value."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.arrays import to_host
from npnet.check.beside import wrong_beside
from npnet.check.compare import Kinks, compare, kept, unit
from npnet.check.diagnosis import diagnose
from npnet.check.precision import wrong_in_own_precision
from npnet.check.problem import Direction, Problem
from npnet.check.pytree import Tree
from npnet.check.report import Line, Report
from npnet.check.resolution import seen
from npnet.check.rounding import peak
from npnet.check.ties import counted_twice
from npnet.check.trust import choose

__all__ = ["check_gradient"]

SMALL = {"complex step": 500, "differences": 100}  # arrays of up to so many numbers are checked entry by entry
DIRECTIONS = 6
AT_KINKS = 200  # the most entries at kinks of a larger array that are checked one by one; of more, so many are drawn


@np.errstate(all="ignore")
@checked
def check_gradient(
    f: Callable[..., tuple[Any, Any]],
    *arrays: Tree,
    tolerance: float | None = None,
    seed: int = 0,
    method: str = "auto",
    convention: str = "between",
    directions: Iterable[Tree] | None = None,
    dtype: Any = None,
) -> Report:
    """Check the gradient that f returns with its value, by the complex step in float64.

    f: f(*arrays) returns (value, gradients), or (Y, back) with back(dY) -> gradients. A way back is checked by the
        adjoint identity ⟨dY, J u⟩ = ⟨Jᵀ dY, u⟩ for random dY. An array of values is a stack of independent values, and
        their sum is checked. f must be deterministic.
    arrays: the arguments. Each is an array or a tree (dicts or lists of arrays). The gradients have the same structure,
        one for each argument, or bare if there is one argument. Dicts are paired by key.
    tolerance: float, the largest relative error. By default it is what rounding explains (see `rounding`).
    method: "complex step", "differences" (central, with Richardson extrapolation, of real numbers alone), or "auto",
        the default: the complex step, and differences for an argument for which it cannot be believed (see `trust`).
    convention: what a gradient must be at a kink: "between" the slopes on both sides (the default), or one of
        "smallest", "left", "right", "mean", as in `check_kinks`; or "branch", the slope of the branch that the code of
        the value takes, which the complex step shows.
    directions: the only directions in which the arguments may move, as tangents of a simplex or a manifold are. Each
        has the structure of the gradients. By default every direction is checked.
    dtype: the precision of the arguments when the gradient is computed, np.float32 for one. It is compared with the
        derivative in float64, within the rounding of that precision. By default it is float64. Arguments that are
        given in another precision are checked in both.

    Arrays of up to 500 numbers are checked entry by entry (100 by differences), larger ones along random directions.
    An error that is found along a direction is traced to its entry. The report also says whether f or back changed an
    argument, kept a state, or was not linear in dY, and where nothing was to be seen.

    Raises TypeError for arguments that are not real floating-point arrays, and for a result of another form. Raises
    ValueError for gradients of another shape or with other keys, an unknown method or convention, and an f that loses
    the imaginary part under the method "complex step".
    """
    kinks = Kinks(convention)
    problem = Problem(f, arrays, seed, method, dtype, directions)
    if problem.tangents is not None:
        lines = [_along(problem, i, u, kinks, tolerance) for i, u in enumerate(problem.tangents)]
    else:
        lines = [_check(problem, k, tolerance, kinks) for k in range(len(problem.names))]
        if len(lines) > 1 and not any(line.wrong for line in lines):
            _together(problem, tolerance)
        if not any(line.wrong for line in lines):
            problem.complaints += counted_twice(problem)
        if not problem.complaints and not any(line.wrong for line in lines):
            problem.complaints += wrong_beside(problem, tolerance) or wrong_in_own_precision(problem)
    report = problem.report(lines, "gradient", tolerance)
    return replace(report, jump=0.0 if convention == "branch" else problem.jump)


def _along(problem: Problem, number: int, direction: Direction, kinks: Kinks, tolerance: float | None) -> Line:
    """Compare all gradients with the derivative along one of the directions that were asked for."""
    for k in direction:
        choose(problem, k)
    line = compare(problem, direction, None, kinks, tolerance)
    zero = line.gradient == line.derivative == 0
    return replace(line, parameter=f"direction {number}", shape=(), checked="given", unseen=zero)


def _check(problem: Problem, k: int, tolerance: float | None, kinks: Kinks) -> Line:
    """Compare the gradient of argument k with derivatives along entries or directions."""
    g, name = problem.gradients[k], problem.names[k]
    if g.size == 0:
        return Line(name, g.shape, "empty", None, 0.0, 0.0, 0.0)
    method = choose(problem, k)
    kinks = replace(kinks, look=problem.kinked[k])
    if g.size <= SMALL[method]:
        indices: Iterable[tuple[int, ...]] = np.ndindex(*g.shape)
        lines, checked = [compare(problem, unit(problem, k, i), i, kinks, tolerance) for i in indices], "every entry"
    else:
        lines = list(_by_directions(problem, k, kinks, tolerance))
        checked = f"{DIRECTIONS} directions"
    at = [line.index for line in lines if line.kink and line.index is not None]
    if at:
        problem.notes.append(f"{name} has {len(at)} kinks, the first at {at[0]}; its convention is {kept(lines)!r}")
    line = max(lines, key=lambda line: (line.wrong, _excess(line, tolerance)))
    if line.index is None and line.wrong:
        index = _trace(problem, k)
        traced = compare(problem, unit(problem, k, index), index, kinks, tolerance)
        line = replace(traced, error=max(line.error, traced.error), wrong=True)
    if line.wrong and not line.likely and g.size <= SMALL[method]:
        line = replace(line, likely=diagnose(problem, k))
    return replace(seen(problem, k, line, lines), checked=checked)


def _together(problem: Problem, tolerance: float | None) -> None:
    """Move all arguments at once, except entries at kinks. A value that is kept by one of them shows only there."""
    u = {k: v * problem.xp.asarray(~_jumps(problem, k)) for k, v in problem.probe().items() if v.size}
    line = compare(problem, u, None, None, tolerance) if u else None
    if line and line.wrong:
        problem.complaints.append(
            f"each gradient is right as long as the other arguments stay. If all move, the derivative is "
            f"{line.derivative:.9g} where they say {line.gradient:.9g}: does f keep something of an argument (a cache)?"
        )


def _by_directions(problem: Problem, k: int, kinks: Kinks, tolerance: float | None) -> Iterator[Line]:
    """Yield comparisons along random directions that leave out the entries at kinks, and along those entries.

    A right gradient jumps at a kink. So where it does not jump, no kink excuses a difference.
    """
    at = _jumps(problem, k)
    for _ in range(DIRECTIONS if not at.all() else 0):
        (u,) = problem.probe(k).values()
        yield compare(problem, {k: problem.xp.asarray(~at) * u}, None, None, tolerance)
    flat = np.flatnonzero(at)
    if flat.size > AT_KINKS:
        flat = problem.rng.choice(flat, AT_KINKS, replace=False)
    for place in np.sort(flat):
        index = tuple(int(i) for i in np.unravel_index(place, at.shape))
        yield compare(problem, unit(problem, k, index), index, kinks, tolerance)


def _jumps(problem: Problem, k: int) -> Any:
    """Return the entries whose gradient is another on either side of the point, however near: they may be at kinks."""
    u = problem.probe(k)
    step = problem.scale(u) * 2.0**-20
    try:
        sides = [[problem.gradients_at(u, sign * h)[k] for sign in (-1, 1)] for h in (step, step / 8)]
    except Exception:  # not defined there
        return np.zeros(problem.arrays[k].shape, dtype=bool)
    far, near = (to_host(abs(right - left)) for left, right in sides)
    return (near > far / 2) & (near > 1e-9 * peak(to_host(problem.gradients[k])))


def _excess(line: Line, tolerance: float | None) -> float:
    return line.error if tolerance is not None else abs(line.gradient - line.derivative) / (line.allowed or 1e-300)


def _trace(problem: Problem, k: int) -> tuple[int, ...]:
    """Return the wrong entry: halve the array again and again, and keep the half where the two differ more."""
    shape = problem.arrays[k].shape
    low, high = 0, problem.arrays[k].size
    probe = problem.rng.standard_normal(high)
    while high - low > 1:
        middle = (low + high) // 2
        gaps = []
        for start, stop in ((low, middle), (middle, high)):
            part = np.zeros(probe.size)
            part[start:stop] = probe[start:stop]
            line = compare(problem, {k: problem.xp.asarray(part.reshape(shape))}, None, None)
            gaps.append(abs(line.gradient - line.derivative))
        low, high = (low, middle) if gaps[0] >= gaps[1] else (middle, high)
    return tuple(int(i) for i in np.unravel_index(low, shape))
