"""`check_jacobian` checks both products with the Jacobian of a function: J u forward, and Jᵀ dY backward.

    ⟨dY, J u⟩ = ⟨Jᵀ dY, u⟩        for every dY and u: the adjoint identity

The identity holds to rounding for any J, so it finds two products that do not belong to the same J. It does not show
that J is the Jacobian of f. Therefore J u is also compared with Im f(x + ihu)/h, output by output, and Jᵀ dY is checked
as a gradient.
"""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import numpy as np

from npnet.arrays import Array
from npnet.check.derivative import STEP, central
from npnet.check.gradient import check_gradient
from npnet.check.problem import Problem
from npnet.check.pytree import Tree, leaves
from npnet.check.report import Line, Report
from npnet.check.rounding import peak, relative_error

__all__ = ["check_jacobian"]

DIRECTIONS = 4


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
        Y, _, back = f(*inputs)
        return Y, back

    ways = check_gradient(backward, *arrays, seed=seed, method=method)
    problem = Problem(backward, arrays, seed, method)
    Y, push, _ = f(*problem.arguments)
    forward, identity = [], []
    for _ in range(DIRECTIONS):
        u = [problem.xp.asarray(problem.rng.standard_normal(a.shape)) for a in problem.arrays]
        pushed = push(*problem.like(u))
        if pushed.shape != Y.shape:
            raise ValueError(f"push returns shape {pushed.shape}; expected {Y.shape}, the shape of the outputs")
        Ju, error, how = _derivative(problem, u, method)
        allowed = problem.factor * (2 * abs(pushed) + peak(pushed) + peak(Y)) + error
        forward.append(_line(f"J u ({how})", pushed, Ju, allowed))
        there = float((problem.cotangent * pushed).sum())
        terms = [(g * v).reshape(-1) for g, v in zip(problem.gradients, u, strict=True)]
        back = float(sum(t.sum() for t in terms))
        size = sum(float(abs(t).sum()) for t in terms) + float(abs(problem.cotangent * pushed).sum())
        identity.append(
            _line("adjoint identity", np.asarray(there), np.asarray(back), np.asarray(problem.factor * size))
        )
    worst = [max(lines, key=lambda line: (line.wrong, line.error)) for lines in (forward, identity)]
    return Report((*ways.lines, *worst), None, ways.complaints, ways.notes, "jacobian")


def _outputs(problem: Problem, u: list[Array], t: complex) -> Any:
    moved = [a + t * v for a, v in zip(problem.arrays, u, strict=True)]
    return problem.f(*problem.like(moved))[0]


def _output(problem: Problem, u: list[Array], index: tuple[int, ...], t: float) -> Any:
    return _outputs(problem, u, t)[index]


def _derivative(problem: Problem, u: list[Array], method: str) -> tuple[Any, Any, str]:
    """Return J u with its error, and the method that found it."""
    if method != "differences":
        try:
            Y = _outputs(problem, u, 1j * STEP)
            if Y.dtype.kind == "c" and not any("differences" in note for note in problem.notes):
                return Y.imag / STEP, 0.0, "complex step"
        except Exception:  # code for real numbers may raise anything when it is given complex ones
            pass
    Y = _outputs(problem, u, 0.0)
    values, errors = np.zeros(Y.shape), np.zeros(Y.shape)
    for index in np.ndindex(*Y.shape):
        noise = problem.factor * max(peak(Y), 1e-300)
        values[index], errors[index] = central(partial(_output, problem, u, index), 1.0, noise)
    return values, errors, "differences"


def _line(name: str, found: Any, wanted: Any, allowed: Any) -> Line:
    """Return the line of the entry in which two arrays differ most, relative to what is allowed."""
    excess = abs(found - wanted) / (allowed + 1e-300)
    flat = int(np.argmax(np.where(excess == excess, excess, np.inf))) if excess.size else 0
    index = tuple(int(i) for i in np.unravel_index(flat, found.shape))
    one, other, most = float(found[index]), float(wanted[index]), float(np.broadcast_to(allowed, found.shape)[index])
    error = relative_error(one, other, max(1e-3 * peak(wanted), 1e-300))
    return Line(
        name, found.shape, "random directions", index, one, other, error, most, not abs(one - other) <= most, ""
    )


def compare_trees(found: Tree, wanted: Tree, factor: float, name: str = "") -> tuple[Line, ...]:
    """Return a line for each pair of leaves, allowing `factor` times their size."""
    lines = []
    for (path, a), (_, b) in zip(leaves(found, name), leaves(wanted, name), strict=True):
        one, other = np.asarray(a), np.asarray(b)
        lines.append(_line(path, one, other, factor * (abs(one) + abs(other) + peak(other))))
    return tuple(lines)
