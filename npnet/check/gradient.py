"""`check_gradient` compares the gradient that a function returns with the derivative of its value."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from npnet.arrays import Array
from npnet.check.derivative import Estimate
from npnet.check.diagnosis import diagnose
from npnet.check.problem import Problem
from npnet.check.pytree import Tree
from npnet.check.report import Line, Report
from npnet.check.rounding import peak, relative_error

__all__ = ["check_gradient"]

SMALL = 500  # arrays of up to this many numbers are checked entry by entry,
SMALL_DIFFERENCES = 100  # or this many where an entry takes 44 calls instead of one
DIRECTIONS = 6


def check_gradient(
    f: Callable[..., tuple[Any, Any]],
    *arrays: Tree,
    tolerance: float | None = None,
    seed: int = 0,
    method: str = "auto",
) -> Report:
    """Check the gradient that f returns with its value, by the complex step in float64.

    f: f(*arrays) returns (value, gradients), or (Y, back) with back(dY) -> gradients. A way back is checked by the
        adjoint identity ⟨dY, J u⟩ = ⟨Jᵀ dY, u⟩ for random dY. An array of values is a stack of independent values, and
        their sum is checked. f must be deterministic.
    arrays: the arguments. Each is an array or a tree (dicts or lists of arrays). The gradients have the same structure,
        one for each argument, or bare if there is one argument.
    tolerance: float, the largest relative error. By default it is what rounding explains (see `rounding`).
    method: "complex step", "differences" (central, with Richardson extrapolation), or "auto", the default: the complex
        step, and differences for an argument for which it fails. The report says so.

    Arrays of up to 500 numbers are checked entry by entry, larger ones along random directions. An error that is found
    along a direction is traced to its entry. The report also says whether f or back changed an argument, and whether
    back gave other bits when it was called again or after another call of f, or was not linear in dY.

    Raises TypeError for arguments that are not real floating-point arrays. Raises ValueError for gradients of another
    shape, an unknown method, and an f that loses the imaginary part under the method "complex step".
    """
    problem = Problem(f, arrays, seed, method)
    lines = tuple(_check(problem, k, tolerance) for k in range(len(problem.names)))
    return Report(lines, tolerance, tuple(problem.complaints), tuple(problem.notes))


def _check(problem: Problem, k: int, tolerance: float | None) -> Line:
    """Compare the gradient of argument k with derivatives along entries or directions."""
    g = problem.gradients[k]
    if g.size == 0:
        return Line(problem.names[k], g.shape, "empty", None, 0.0, 0.0, 0.0)
    if not problem.methods[k]:
        problem.derivative(k, problem.xp.ones(g.shape))  # chooses the method
    line = _worst(problem, k, tolerance)
    if line.wrong and problem.asked == "auto" and problem.methods[k] == "complex step" and line.index is not None:
        again = _doubt(problem, k, line.index, line)
        if again:
            problem.methods[k] = "differences"
            problem.notes.append(again)
            line = _worst(problem, k, tolerance)
    if line.wrong:
        line = replace(line, likely=diagnose(problem, k))
    return line


def _worst(problem: Problem, k: int, tolerance: float | None) -> Line:
    """Return the line of the entry or direction in which gradient and derivative differ most."""
    g, found = problem.gradients[k], []
    entries = g.size <= (SMALL if problem.methods[k] == "complex step" else SMALL_DIFFERENCES)
    for index, direction in _directions(problem, k, entries):
        found.append((compare(problem, k, index, direction, tolerance), index))
    if problem.methods[k] == "differences":
        _decided(problem, k, [each for each, _ in found])
    line, index = max(found, key=lambda each: (each[0].wrong, _excess(each[0], tolerance)))
    if index is None and line.wrong:
        place = _trace(problem, k)
        traced = compare(problem, k, place, unit(problem, k, place), tolerance)
        line = replace(traced, error=max(line.error, traced.error), wrong=True)
    checked = "every entry" if entries else f"{DIRECTIONS} directions"
    return replace(line, checked=checked)


def _decided(problem: Problem, k: int, lines: list[Line]) -> None:
    """Complain of a derivative with an error so large that any gradient would pass: the values have noise or kinks."""
    reach = float(abs(problem.arrays[k]).sum())
    size = max(peak(problem.gradients[k]), *(abs(line.derivative) for line in lines), problem.volume / (reach or 1.0))
    vague = max(lines, key=lambda line: line.allowed)
    if vague.allowed > 0.1 * size + 1e-290 and vague.index is not None:
        problem.complaints.append(
            f"{problem.names[k]} cannot be decided: its derivative at {vague.index} is known to ±{vague.allowed:.1e}"
        )


def _excess(line: Line, tolerance: float | None) -> float:
    return line.error if tolerance is not None else abs(line.gradient - line.derivative) / (line.allowed or 1e-300)


def compare(problem: Problem, k: int, index: tuple[int, ...] | None, direction: Array, tolerance: float | None) -> Line:
    """Return the line of one comparison: the gradient of argument k along a direction, and the derivative."""
    g, method = problem.gradients[k], problem.methods[k]
    derivative = problem.derivative(k, direction)
    gradient = float((g * direction).sum())
    floor = max(1e-3 * peak(g), 1e-6 * problem.largest, 1e-300)
    if index is None:
        floor = max(floor, float(((g * direction) ** 2).sum()) ** 0.5)
    allowed = rounding_of(problem, k, direction, derivative)
    gap = abs(gradient - derivative.value)
    error = relative_error(gradient, derivative.value, floor)
    if method == "differences" and index is not None and not gap <= allowed:
        left, right = problem.slopes(k, direction)
        if abs(left.value - right.value) > 10 * (left.error + right.error) + allowed:  # a kink: any slope between
            low, high = sorted((left.value, right.value))
            gap = max(low - gradient, gradient - high, 0.0)
            error, method = gap / max(abs(gradient), floor), f"differences, a kink with slopes {low:.6g} and {high:.6g}"
            allowed += left.error + right.error
    wrong = not gap <= allowed if tolerance is None else not error <= tolerance
    shape = g.shape
    return Line(problem.names[k], shape, "", index, gradient, derivative.value, error, allowed, wrong, method)


def rounding_of(problem: Problem, k: int, direction: Array, derivative: Estimate) -> float:
    """Return the difference that rounding and the derivative's own error explain along a direction (see `rounding`)."""
    g = problem.gradients[k]
    scale = 2 * abs(g) + peak(g) + problem.condition[k]
    reach = float(abs(problem.arrays[k]).sum())
    if reach > 0:
        scale = scale + problem.volume / reach
    size = float(((scale * direction) ** 2).sum()) ** 0.5
    return problem.factor * size + derivative.error + 1e-300


def _doubt(problem: Problem, k: int, index: tuple[int, ...], line: Line) -> str:
    """Return a note if differences agree with the gradient and not with the complex step: f loses part of it."""
    if abs(line.gradient - line.derivative) < 1e-4 * max(abs(line.gradient), abs(line.derivative)):
        return ""  # an f that loses the imaginary part of a term is wrong by more than that
    direction = unit(problem, k, index)
    left, right = problem.slopes(k, direction)
    apart = abs(left.value - right.value) > 10 * (left.error + right.error)
    if apart or not abs(line.gradient - left.value) < 10 * (left.error + line.allowed):
        return ""  # a kink, or the gradient differs from these differences too
    if not abs(line.derivative - left.value) > 100 * (left.error + line.allowed):
        return ""  # too small for differences to decide
    return (
        f"{problem.names[k]} was checked by differences: they stand by the gradient at {index} and against the complex "
        "step, which f loses in part (abs, .real or conj?)"
    )


def _directions(problem: Problem, k: int, entries: bool) -> Iterator[tuple[tuple[int, ...] | None, Array]]:
    shape = problem.arrays[k].shape
    if entries:
        for index in np.ndindex(*shape):
            yield index, unit(problem, k, index)
    else:
        for _ in range(DIRECTIONS):
            yield None, problem.xp.asarray(problem.rng.standard_normal(shape))


def unit(problem: Problem, k: int, index: tuple[int, ...]) -> Array:
    """Return the direction of one entry of argument k."""
    direction = np.zeros(problem.arrays[k].shape)
    direction[index] = 1.0
    return problem.xp.asarray(direction)


def _trace(problem: Problem, k: int) -> tuple[int, ...]:
    """Return the wrong entry: halve the array again and again, and keep the half where the two differ more."""
    low, high = 0, problem.arrays[k].size
    probe = problem.rng.standard_normal(problem.arrays[k].shape)
    while high - low > 1:
        middle = (low + high) // 2
        gaps = []
        for start, stop in ((low, middle), (middle, high)):
            part = np.zeros(probe.size)
            part[start:stop] = probe.reshape(-1)[start:stop]
            direction = problem.xp.asarray(part.reshape(probe.shape))
            gap = abs(float((problem.gradients[k] * direction).sum()) - problem.derivative(k, direction).value)
            gaps.append(gap)
        low, high = (low, middle) if gaps[0] >= gaps[1] else (middle, high)
    return tuple(int(i) for i in np.unravel_index(low, probe.shape))
