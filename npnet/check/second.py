"""`check_hessian` checks second derivatives, which the complex step finds from the code of the gradient alone.

    H v = Im g(x + ihv)/h          g: the gradient that f returns with its value

This is exact to the last bits, and costs one call. With v on some arguments and zero on the others it gives the mixed
derivatives that matching Jacobians needs: the gradient of ½‖∂f/∂x‖² with respect to w is ∂/∂w ∂f/∂x · v at v = ∂f/∂x. A
gradient belongs to some function only if its derivative is symmetric, ⟨u, H v⟩ = ⟨v, H u⟩. The test of this needs no
value.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from npnet.arrays import Array
from npnet.check.derivative import STEP, central
from npnet.check.jacobian import compare_trees
from npnet.check.problem import Problem
from npnet.check.pytree import Tree, leaves
from npnet.check.report import Line, Report
from npnet.check.rounding import peak, relative_error

__all__ = ["check_hessian", "hessian_vector_product"]


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
    gradients = _gradients(problem, v, 1j * STEP)
    if any(g.dtype.kind != "c" for g in gradients) and any(map(np.any, gradients)):
        raise ValueError("the gradient loses the imaginary part; expected complex-safe code")
    return tuple(problem.like(g.imag / STEP for g in gradients))


def check_hessian(
    f: Callable[..., tuple[Any, Any]],
    *arrays: Tree,
    product: Callable[..., Any] | None = None,
    directions: int = 4,
    seed: int = 0,
) -> Report:
    """Check that the derivative H of f's gradient is symmetric, as it is for every function, and check a product H v.

    product: product(*arrays, v) -> H v, your own code, which is compared with the complex step through f's gradient. v
        and H v are lists with a tree for each argument.

    If the gradient loses the imaginary part, differences of the gradient are used, and a note says so. At a kink, H
    is that of the branch that the code takes.
    """
    problem = Problem(f, arrays, seed, "auto")
    draws = [
        [problem.xp.asarray(problem.rng.standard_normal(a.shape)) for a in problem.arrays] for _ in range(directions)
    ]
    products, errors, notes = [], 0.0, list(problem.notes)
    for v in draws:
        gradients = _safely(problem, v)
        if gradients is None:
            Hv, errors = _by_differences(problem, v)
            notes = [*problem.notes, "the gradient was differentiated by differences: the complex step cannot go"]
        else:
            Hv = gradients
        products.append(Hv)
    lines = [
        _symmetry(problem, draws[i], draws[j], products[i], products[j], errors)
        for i in range(directions)
        for j in range(i)
    ]
    lines = lines and [max(lines, key=lambda line: (line.wrong, line.error))]
    if product is not None:
        for v, Hv in zip(draws, products, strict=True):
            found = [leaf for _, leaf in leaves(product(*problem.arguments, problem.like(v)))]
            size = problem.factor + errors / max(max(map(peak, Hv), default=0.0), 1e-300)
            named = dict(zip((f"H v: {name}" for name in problem.names), found, strict=True))
            lines += compare_trees(named, dict(zip(named, Hv, strict=True)), size)
    return Report(tuple(lines), None, tuple(problem.complaints), tuple(notes), "second order")


def _gradients(problem: Problem, v: list[Array], t: complex) -> list[Array]:
    moved = [a + t * u for a, u in zip(problem.arrays, v, strict=True)]
    _, gradients = problem.f(*problem.like(moved))
    return problem.flat(gradients(problem.cotangent) if callable(gradients) else gradients)


def _gradient_entry(problem: Problem, v: list[Array], k: int, index: tuple[int, ...], t: float) -> Any:
    return _gradients(problem, v, t)[k][index]


def _safely(problem: Problem, v: list[Array]) -> list[Array] | None:
    """Return H v by the complex step, None if the gradient's code does not let it through."""
    try:
        found = _gradients(problem, v, 1j * STEP)
    except Exception:  # code for real numbers may raise anything when it is given complex ones
        return None
    # Code that returns real numbers has lost the imaginary part, unless the gradient is constant: then two points near
    # this one, neither of them at a kink, have the same gradient.
    beside = [_gradients(problem, v, t) for t in (1e-9, 2e-9)]
    for g, one, other in zip(found, *beside, strict=True):
        if g.dtype.kind != "c" and not bool((one == other).all()):
            return None
    return [g.imag / STEP if g.dtype.kind == "c" else 0.0 * g for g in found]


def _by_differences(problem: Problem, v: list[Array]) -> tuple[list[Array], float]:
    """Return H v by central differences of the gradient, and the largest error of an entry."""
    products, worst = [], 0.0
    for k, g in enumerate(problem.gradients):
        Hv = np.zeros(g.shape)
        for index in np.ndindex(*g.shape):
            noise = problem.factor * max(peak(g), 1e-300)
            found = central(partial(_gradient_entry, problem, v, k, index), 1.0, noise)
            Hv[index], worst = found.value, max(worst, found.error)
        products.append(Hv)
    return products, worst


def _symmetry(problem: Problem, u: list[Array], v: list[Array], Hu: list[Array], Hv: list[Array], error: float) -> Line:
    terms = [[float((a * b).sum()) for a, b in zip(*pair, strict=True)] for pair in ((u, Hv), (v, Hu))]
    size = sum(float(abs(a * b).sum()) for a, b in (*zip(u, Hv, strict=True), *zip(v, Hu, strict=True)))
    one, other = map(sum, terms)
    entries = sum(a.size for a in u)
    allowed = problem.factor * size + error * entries**0.5 * 10
    gap = abs(one - other)
    relative = relative_error(one, other, max(1e-3 * size, 1e-300))
    wrong = not gap <= allowed
    likely = "a gradient of no function at all: its derivative is not symmetric" if wrong else ""
    return Line("⟨u, H v⟩", (), "symmetry", None, one, other, relative, allowed, wrong, "", likely)
