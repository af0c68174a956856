"""Gradient checking for everyone: compares the gradient that a function returns with the derivative of its value.

    check_gradient   compares a gradient, or a way back, with the complex step (or with differences, where that fails)
    check_jacobian   checks both products of a function of several outputs: J u and Jᵀ dY
    check_kinks      finds the one-sided slopes at a kink, and checks the convention that the gradient keeps there
    check_convex     checks the subgradient inequality f(y) ≥ f(x) + ⟨g, y − x⟩
    check_hessian    checks gradients of gradients: their symmetry, and a Hessian-vector product
    stateful         makes such a function of a layer that keeps state
    check_prox, check_frozen, check_resumed, check_mean, check_equal   check what is not a gradient and can be wrong too

Each returns a `Report`. It is true if nothing is wrong, and its text says what is wrong and where. Nothing here knows
of networks, and of npnet only `npnet.arrays` is imported. `npnet.proofs` checks the functions of npnet itself, and
`npnet.check.conformance` compares other frameworks with a set of files.
"""

from npnet.check.gradient import check_gradient
from npnet.check.jacobian import check_jacobian
from npnet.check.kinks import check_convex, check_kinks
from npnet.check.laws import check_equal, check_frozen, check_mean, check_resumed
from npnet.check.prox import check_prox
from npnet.check.report import Line, Report
from npnet.check.second import check_hessian, hessian_vector_product
from npnet.check.stateful import stateful

__all__ = [
    "Line",
    "Report",
    "check_convex",
    "check_equal",
    "check_frozen",
    "check_gradient",
    "check_hessian",
    "check_jacobian",
    "check_kinks",
    "check_mean",
    "check_prox",
    "check_resumed",
    "hessian_vector_product",
    "stateful",
]
