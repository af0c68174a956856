"""`check_hessian` checks second derivatives, which the complex step finds from the code of the gradient alone.

    H v = Im g(x + ihv)/h          g: the gradient that f returns with its value

This is exact to the last bits, and costs one call. With v on some arguments and zero on the others it gives the mixed
derivatives that matching Jacobians needs: the gradient of ½‖∂f/∂x‖² with respect to w is ∂/∂w ∂f/∂x · v at v = ∂f/∂x. A
gradient belongs to some function only if its derivative is symmetric, ⟨u, H v⟩ = ⟨v, H u⟩. The test of this needs no
value.

The complex step is compared with differences of the gradient first (see `trust`). If the gradient's code loses the
imaginary part of a term, differences decide.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.arrays import to_host
from npnet.check.derivative import SIDES, STEP, Estimate, Ray
from npnet.check.function import quiet
from npnet.check.jacobian import line_of
from npnet.check.problem import Direction, Problem
from npnet.check.pytree import Tree, copy_tree, leaves
from npnet.check.report import Line, Report
from npnet.check.rounding import peak, relative_error
from npnet.check.trust import BESIDE, compared

__all__ = ["check_hessian", "hessian_vector_product"]

NOTE = "the gradient was differentiated by differences: the complex step cannot go, or they speak against it"


@np.errstate(all="ignore")
@checked
def hessian_vector_product(
    f: Callable[..., tuple[Any, Any]], arrays: tuple[Tree, ...], direction: tuple[Tree, ...], seed: int = 0
) -> tuple[Tree, ...]:
    """Return H v of a function that returns value and gradient: for each argument a tree like it.

    direction: v, for each argument a tree like it. For a function that returns (Y, back), H is that of ⟨dY, Y⟩ with
    random dY, drawn from the seed. Raises ValueError if v has another shape, or the gradient loses the imaginary part.
    """
    problem = Problem(f, arrays, seed, "auto")
    v = [leaf for _, leaf in leaves(list(direction))]
    found = [np.shape(leaf) for leaf in v]
    if found != [a.shape for a in problem.arrays]:
        raise ValueError(f"direction has shapes {found}; expected {[a.shape for a in problem.arrays]}")
    if _chosen(problem) == "differences":
        raise ValueError("the gradient loses the imaginary part, or a part of it; expected complex-safe code")
    return tuple(problem.like(g.imag / STEP for g in problem.gradients_at(dict(enumerate(v)), 1j * STEP)))


@np.errstate(all="ignore")
@checked
def check_hessian(
    f: Callable[..., tuple[Any, Any]],
    *arrays: Tree,
    product: Callable[..., Any] | None = None,
    directions: int = 4,
    seed: int = 0,
    method: str = "auto",
) -> Report:
    """Check that the derivative H of f's gradient is symmetric, as it is for every function, and check a product H v.

    product: product(*arrays, v) -> H v, your own code, which is compared with the complex step through f's gradient. v
        and H v are lists with a tree for each argument.
    method: as for `check_gradient`.

    If the gradient loses the imaginary part, differences of the gradient are used, and a note says so. At a kink, H
    is that of the branch that the code takes, or that of one side, if differences are used.
    """
    problem = Problem(f, arrays, seed, method)
    notes = [NOTE] if _chosen(problem) == "differences" else []
    draws = [problem.probe() for _ in range(directions)]
    products = [_product(problem, v, "differences" if notes else "complex step") for v in draws]
    lines = [
        _symmetry(problem, draws[i], draws[j], products[i], products[j]) for i in range(directions) for j in range(i)
    ]
    lines = lines and [max(lines, key=lambda line: (line.wrong, line.error))]
    if product is not None:
        for v, Hv in zip(draws, products, strict=True):
            with quiet():
                given = problem.like(u.copy() for u in v.values())
                found = problem.f.flat(_bare(problem, product(*copy_tree(problem.arguments), given)))
            lines += [_compared(problem, k, found[k], Hv) for k in range(len(found))]
    return problem.report(lines, "second order", None, notes)


def _bare(problem: Problem, Hv: Any) -> Any:
    """Return H v in the form of gradients, which are bare if there is one argument."""
    return Hv[0] if problem.f.alone and isinstance(Hv, list | tuple) and len(Hv) == 1 else Hv


def _gradients(problem: Problem, v: Direction) -> Callable[[complex], Any]:
    """Return all gradients in one flat array, as a function of how far the arguments move."""

    def along(t: complex) -> Any:
        return np.concatenate([to_host(g).reshape(-1) for g in problem.gradients_at(v, t)])

    return along


def _noise(problem: Problem) -> Any:
    return np.concatenate([np.full(g.size, problem.factor * max(peak(g), 1e-300)) for g in problem.gradients])


def _chosen(problem: Problem) -> str:
    """Return "differences" if they were asked for, or speak against the complex step through the gradient's code."""
    if problem.asked == "differences":
        return "differences"
    for i in range(2):
        v = problem.probe()
        try:
            _gradients(problem, v)(1j * STEP)
        except Exception:  # code for real numbers may raise anything when it is given complex ones
            return "differences"
        scale, noise = problem.scale(v), _noise(problem)
        if _lost(_gradients(problem, v), scale, noise, i == 0):
            return "differences"
    return "complex step"


def _lost(along: Callable[[complex], Any], scale: float, noise: Any, sides: bool) -> bool:
    """Say whether differences speak against the complex step, at the point and beside it: at a kink gradients jump."""
    if compared(along, scale, noise, 8 * noise / scale, sides)[0] != "lost":
        return False
    near = BESIDE * scale

    def beside(at: float) -> str:
        return compared(lambda t: along(at + t), near / 2, noise, 16 * noise / near, False)[0]

    return any(beside(at) != "agree" for at in (-near, near))


def _product(problem: Problem, v: Direction, how: str) -> Estimate:
    """Return H v in one flat array, with its error."""
    along = _gradients(problem, v)
    if how == "complex step":
        return Estimate(np.imag(along(1j * STEP)) / STEP, np.zeros(sum(g.size for g in problem.gradients)))
    ray = Ray(along, problem.scale(v), _noise(problem))
    found = ray.central()
    left, right = ray.sides(SIDES)
    side = right if float(np.sum(right.error)) <= float(np.sum(left.error)) else left
    better = side.error < found.error  # the gradient jumps at the point itself
    return Estimate(np.where(better, side.value, found.value), np.where(better, side.error, found.error))


def _compared(problem: Problem, k: int, found: Any, Hv: Estimate) -> Line:
    """Compare a product of the user's for argument k with H v, entry by entry."""
    start = sum(g.size for g in problem.gradients[:k])
    part = slice(start, start + problem.gradients[k].size)
    value, error = (each[part].reshape(problem.gradients[k].shape) for each in Hv)
    found = np.asarray(to_host(found))
    if found.shape != value.shape:
        raise ValueError(f"product returns shape {found.shape} for {problem.names[k]}; expected {value.shape}")
    _decided(problem, k, error, max(peak(value), peak(found)))
    allowed = problem.factor * (abs(found) + abs(value) + peak(value)) + error
    return line_of(f"H v: {problem.names[k]}", found, value, allowed, ("H v", "derivative"))


def _decided(problem: Problem, k: int, error: Any, size: float) -> None:
    if peak(error) > 0.1 * size + 1e-290:
        complaint = f"H v: {problem.names[k]} cannot be decided: it is known to ±{peak(error):.1e}"
        problem.complaints += [complaint] if complaint not in problem.complaints else []


def _symmetry(problem: Problem, u: Direction, v: Direction, Hu: Estimate, Hv: Estimate) -> Line:
    flat_u, flat_v = (np.concatenate([to_host(a).reshape(-1) for a in each.values()]) for each in (u, v))
    terms, others = flat_u * Hv.value, flat_v * Hu.value
    one, other = float(terms.sum()), float(others.sum())
    size = float(abs(terms).sum() + abs(others).sum())
    allowed = problem.factor * size + float((abs(flat_u) * Hv.error).sum() + (abs(flat_v) * Hu.error).sum())
    wrong = not abs(one - other) <= allowed
    relative = relative_error(one, other, max(1e-3 * size, 1e-300))
    likely = "a gradient of no function at all: its derivative is not symmetric" if wrong else ""
    names = "⟨u, H v⟩", "⟨v, H u⟩"
    return Line("H", (), "symmetry", None, one, other, relative, allowed, wrong, "", likely, names=names)
