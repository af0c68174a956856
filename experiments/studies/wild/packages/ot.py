"""POT: smooth and stochastic dual objectives of optimal transport, and Gromov–Wasserstein."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from ot import gromov, smooth, stochastic

from experiments.studies.wild.case import Case, draw, elementwise, gradient

__all__ = ["cases"]

C = abs(draw(4, 5))
A, B = np.full(4, 0.25), np.array([0.1, 0.3, 0.2, 0.15, 0.25])


def cases() -> Iterator[Case]:
    """Yield them."""
    for name, regul in (
        ("NegEntropy", smooth.NegEntropy(0.7)),
        ("SquaredL2", smooth.SquaredL2(0.7)),
        ("SparsityConstrained", smooth.SparsityConstrained(2, 0.7)),
    ):
        yield gradient(
            f"dual_obj_grad, {name}",
            lambda a, b, r=regul: smooth.dual_obj_grad(a, b, A, B, C, r)[0],
            lambda a, b, r=regul: smooth.dual_obj_grad(a, b, A, B, C, r)[1:],
            draw(4, seed=1) + 1,
            draw(5, seed=1) + 1,
        )
        yield gradient(
            f"semi_dual_obj_grad, {name}",
            lambda a, r=regul: smooth.semi_dual_obj_grad(a, A, B, C, r)[0],
            lambda a, r=regul: smooth.semi_dual_obj_grad(a, A, B, C, r)[1],
            draw(4, seed=2),
        )
        yield elementwise(
            f"{name}.max_Omega",
            lambda X, r=regul: r.max_Omega(X, B)[0],
            lambda X, r=regul: r.max_Omega(X, B)[1],
            draw(4, 5, seed=3),
        )
    yield gradient("batch_grad_dual", _dual, _dual_gradient, draw(4, seed=4), draw(5, seed=4))
    yield gradient(
        "coordinate_grad_semi_dual",
        lambda v: B @ v - 0.7 * np.log((np.exp((v - C[1]) / 0.7) * B).sum()),
        lambda v: stochastic.coordinate_grad_semi_dual(B, C, 0.7, v, 1),
        draw(5, seed=5),
    )
    for loss in ("square_loss", "kl_loss"):
        C1, C2 = (abs(draw(n, n, seed=6)) + 0.1 for n in (4, 5))
        constants = gromov.init_matrix(C1 + C1.T, C2 + C2.T, A, B, loss)
        yield gradient(
            f"gwggrad, {loss}",
            lambda T, c=constants: gromov.gwloss(*c, T),
            lambda T, c=constants: gromov.gwggrad(*c, T),
            np.outer(A, B),
            fault="the constant part counts twice, and the loss has it once: right for plans with the given marginals",
        )


def _dual(u: Any, v: Any) -> Any:
    """Return the entropic dual objective of Seguy et al. 2018, eq. 7, for a batch of all points."""
    return u @ A + v @ B - 0.7 * (np.exp((u[:, None] + v - C) / 0.7) * np.outer(A, B)).sum()


def _dual_gradient(u: Any, v: Any) -> Any:
    return stochastic.batch_grad_dual(A, B, C, 0.7, u, v, 9, np.arange(4), np.arange(5))
