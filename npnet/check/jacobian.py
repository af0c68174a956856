"""`check_jacobian` checks both products with the Jacobian of a function: J u forward, and Jᵀ dY backward.

    ⟨dY, J u⟩ = ⟨Jᵀ dY, u⟩        for every dY and u: the adjoint identity

The identity holds to rounding for any J, so it finds two products that do not belong to the same J. It does not show
that J is the Jacobian of f. Therefore J u is also compared with Im f(x + ihu)/h, output by output (or with differences,
where the complex step cannot be believed), and Jᵀ dY is checked as a gradient.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.arrays import to_host
from npnet.check.derivative import SIDES, STEP, Estimate, Ray
from npnet.check.function import kind_of, quiet
from npnet.check.gradient import check_gradient
from npnet.check.problem import Direction, Problem
from npnet.check.pytree import Tree, copy_tree, leaves
from npnet.check.report import Line, Report
from npnet.check.rounding import peak, relative_error
from npnet.check.trust import choose

__all__ = ["check_jacobian", "compare_trees", "line_of"]

DIRECTIONS = 4
IDENTITY = "⟨dY, J u⟩", "⟨Jᵀ dY, u⟩"


@np.errstate(all="ignore")
@checked
def check_jacobian(
    f: Callable[..., tuple[Any, Callable[..., Any], Callable[[Any], Any]]],
    *arrays: Tree,
    seed: int = 0,
    method: str = "auto",
) -> Report:
    """Check both products of a Jacobian: f(*arrays) returns (Y, push, back), push(*u) is J u and back(dY) is Jᵀ dY.

    push takes a tangent for each argument, of the same structure, and returns an array like Y. The report has a line
    for each argument (as in `check_gradient`), one for J u and one for the adjoint identity. Raises ValueError if push
    returns an array of another shape than Y, and what `check_gradient` raises.
    """

    @wraps(f)  # the names of its arguments
    def backward(*inputs: Tree) -> tuple[Any, Callable[[Any], Any]]:
        result = f(*inputs)
        if not isinstance(result, tuple | list) or len(result) != 3:
            raise TypeError(f"f returns {kind_of(result)}; expected (Y, push, back)")
        return result[0], result[2]

    ways = check_gradient(backward, *arrays, seed=seed, method=method)
    problem = Problem(backward, arrays, seed, method)
    for k in range(len(problem.names)):
        choose(problem, k)
    Y = problem.value
    forward, identity = [], []
    for _ in range(DIRECTIONS):
        u = problem.probe()
        with quiet():
            pushed = np.array(f(*copy_tree(problem.arguments))[1](*problem.like(v.copy() for v in u.values())))
        if pushed.shape != Y.shape:
            raise ValueError(f"push returns shape {pushed.shape}; expected {Y.shape}, the shape of the outputs")
        rounding = problem.factor * (2 * abs(pushed) + peak(pushed) + peak(Y))
        forward.append(_pushed(problem, u, pushed, rounding))
        there, back = float((problem.cotangent * pushed).sum()), problem.slope(u)
        size = sum(float(abs(problem.gradients[k] * v).sum()) for k, v in u.items())
        size += float(abs(problem.cotangent * pushed).sum())
        one, other, allowed = (np.asarray(number) for number in (there, back, problem.factor * size))
        identity.append(line_of("adjoint identity", one, other, allowed, IDENTITY))
    worst = [max(lines, key=lambda line: (line.wrong, line.error)) for lines in (forward, identity)]
    return Report((*ways.lines, *worst), None, ways.complaints, ways.notes, "jacobian")


def _pushed(problem: Problem, u: Direction, pushed: Any, rounding: Any) -> Line:
    """Compare J u with the derivative of the outputs along u. At a kink it must lie between the slopes of the sides."""

    def outputs(t: complex) -> Any:
        return to_host(problem.outputs(u, t))

    ray = Ray(outputs, problem.scale(u), max(problem.factor * peak(problem.value), problem.noise, 1e-300))
    how = "complex step" if all(problem.methods[k] == "complex step" for k in u) else "differences"
    if how == "complex step":
        found = Estimate(np.imag(outputs(1j * STEP)) / STEP, 0.0)
    else:
        found = ray.central()
    if bool((abs(pushed - found.value) > rounding + found.error).any()):
        left, right = ray.sides(SIDES)
        unsure = left.error + right.error
        kinks = abs(left.value - right.value) > 10 * (unsure + rounding)
        between = np.clip(pushed, np.minimum(left.value, right.value), np.maximum(left.value, right.value))
        found = Estimate(np.where(kinks, between, found.value), np.where(kinks, unsure, found.error))
    return line_of(f"J u ({how})", pushed, found.value, rounding + found.error, ("J u", "derivative"))


def line_of(name: str, found: Any, wanted: Any, allowed: Any, names: tuple[str, str] = ("found", "wanted")) -> Line:
    """Return the line of the entry in which two arrays differ most, relative to what is allowed. names: of both."""
    excess = abs(found - wanted) / (allowed + 1e-300)
    if not excess.size:
        raise ValueError(f"{name} has shape {found.shape}; expected arrays with at least one number")
    flat = int(np.argmax(np.where(excess == excess, excess, np.inf)))
    index = tuple(int(i) for i in np.unravel_index(flat, found.shape))
    one, other, most = float(found[index]), float(wanted[index]), float(np.broadcast_to(allowed, found.shape)[index])
    error = relative_error(one, other, max(1e-3 * peak(wanted), 1e-300))
    drawn, wrong = "random directions", not abs(one - other) <= most
    return Line(name, found.shape, drawn, index or None, one, other, error, most, wrong, "", names=names)


def compare_trees(found: Tree, wanted: Tree, factor: float, name: str = "") -> tuple[Line, ...]:
    """Return a line for each pair of leaves, allowing `factor` times their size."""
    lines = []
    for (path, a), (_, b) in zip(leaves(found, name), leaves(wanted, name), strict=True):
        one, other = np.asarray(a), np.asarray(b)
        lines.append(line_of(path, one, other, factor * (abs(one) + abs(other) + peak(other))))
    return tuple(lines)
