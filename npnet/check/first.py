"""The first look at a function under check: how it behaves, and how large and how noisy its values are."""

from typing import Any

import numpy as np

from npnet.check.behaviour import changed, same, ways_back
from npnet.check.beside import jump
from npnet.check.function import real_parts
from npnet.check.noise import condition, measured, noisier_than_its_type
from npnet.check.pytree import Tree, copy_tree, leaves
from npnet.check.rounding import LAMBDA, factor, length, peak

__all__ = ["first_look"]


def first_look(problem: Any) -> list[str]:
    """Call f at the arguments of a problem and return notes. The problem gets

    value, gradients: at the arguments in their own precision; gradients of a way back are those for the cotangent.
    cotangent: random dY, 1 for a function without a way back.
    complaints: faults of behaviour.
    volume: the sum of the magnitudes of the values. lost: how far they move, over the arguments' sum of magnitudes.
    noise: the error of a value. swing: how fast the scalar changes on a long way.
    factor: λ √n u. condition: κ of each argument (see `rounding`).
    jump: by how much the value differs from values beside it, however near.
    buffers: the arguments whose gradients are written into the same memory at every call.

    Raises TypeError for complex numbers and ValueError for gradients of another shape.
    """
    own, xp, f = problem.own, problem.xp, problem.f
    written = copy_tree(own)
    value, gradients = f(own, written)
    problem.complaints = changed(problem.names, own, written)
    notes: list[str] = []
    (problem.value,) = real_parts([value], ["the value"])
    problem.cotangent, precision = xp.asarray(1.0), _precision(own)
    if callable(gradients):
        problem.cotangent = xp.asarray(problem.rng.standard_normal(problem.value.shape)).astype(precision)
    terms = abs(problem.value * problem.cotangent)
    problem.volume = float(terms.sum())
    notes += [f"f warns: {text}" for text in f.warned]
    numbers = problem.value.size + 2 * sum(a.size for a in problem.arrays)
    problem.factor = factor(numbers, _coarsest([problem.value.dtype, precision]))
    doubles = problem.value if precision == np.float64 else f(problem.arguments)[0]
    deviation, problem.swing, moved = measured(problem)
    reach = sum(float(abs(a).sum()) for a in problem.arrays)
    problem.lost = moved / reach if reach > 0 else 0.0
    exact = factor(numbers, _coarsest([doubles.dtype, np.dtype(float)]))
    problem.noise = max(exact * problem.volume, LAMBDA * deviation)
    if callable(gradients):
        gradients, complaints, said = ways_back(f, own, gradients, problem.cotangent, problem.factor)
        problem.complaints += complaints
        notes += said
    else:
        again = f(own)[1]
        if not callable(again) and not same(gradients, again):
            problem.complaints.append("gradients have other bits when the function is called again")
    problem.gradients = real_parts(gradients, [f"the gradient of {name}" for name in problem.names])
    found, wanted = ([a.shape for a in arrays] for arrays in (problem.gradients, problem.arrays))
    if found != wanted:
        raise ValueError(f"gradients have shapes {found}; expected {wanted} for {', '.join(problem.names)}")
    problem.largest = max((peak(g) for g in problem.gradients), default=0.0)
    dtypes = [problem.value.dtype, precision, *(g.dtype for g in problem.gradients)]
    problem.factor = factor(numbers, _coarsest(dtypes))
    noisier = noisier_than_its_type(problem, deviation, length(terms)) * factor(numbers, np.dtype(float))
    if noisier > problem.factor * LAMBDA:
        problem.factor = noisier
        notes.append(
            "the values of f are noisier than their type (single precision inside?): a term so small, and so fast that "
            "values close by do not show it, would look the same"
        )
    problem.condition = condition(problem)
    problem.jump = jump(problem)
    problem.buffers = f.buffers  # now, since a last call at the same arguments writes the same numbers again
    return notes


def _precision(own: list[Tree]) -> Any:
    """Return the dtype of the arguments that f is given."""
    return next((leaf.dtype for _, leaf in leaves(own)), np.dtype(float))


def _coarsest(dtypes: list[Any]) -> Any:
    return max((d for d in dtypes if d.kind in "fc"), key=lambda d: np.finfo(d).eps)
