"""Gradient checking for everyone: any function that returns a value and its gradient is held to its own values.

    check_gradient   a gradient, or a way back, against the complex step (or differences, where that cannot go)
    check_jacobian   a function of several outputs with both of its products: J u and Jᵀ dY
    check_kinks      one-sided slopes where a function has a kink, and the convention that its gradient keeps there
    check_convex     the subgradient inequality f(y) ≥ f(x) + ⟨g, y − x⟩
    check_hessian    gradients of gradients: symmetry, and a Hessian-vector product
    check_prox, check_frozen, check_resumed, check_mean, check_equal   what is no gradient and can be wrong all the same

Each returns a `Report`: true where nothing is wrong, and a few lines of text that say what is, and where. Nothing here
knows of networks. `npnet.proofs` checks the functions of npnet itself, and `npnet.check.conformance` compares other
frameworks with a set of files.
"""

from npnet.check.gradient import check_gradient
from npnet.check.jacobian import check_jacobian
from npnet.check.kinks import check_convex, check_kinks
from npnet.check.laws import check_equal, check_frozen, check_mean, check_prox, check_resumed
from npnet.check.report import Line, Report
from npnet.check.second import check_hessian, hessian_vector_product

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
]
