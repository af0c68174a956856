"""copt: losses and penalties for composite optimisation."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from copt import loss, penalty

from experiments.studies.wild.case import Case, draw, gradient, jacobian, prox

__all__ = ["cases"]

A, W = draw(9, 4), draw(4, seed=1)
SIGNS = (draw(9, seed=2) > 0) * 1.0


def cases() -> Iterator[Case]:
    """Yield losses, then penalties."""
    for name, f in (
        ("LogLoss", loss.LogLoss(A, SIGNS, 0.3)),
        ("SquareLoss", loss.SquareLoss(A, draw(9, seed=3), 0.3)),
        ("HuberLoss", loss.HuberLoss(A, draw(9, seed=3), 0.3, 0.7)),
    ):
        yield gradient(f"{name}.f_grad", f, lambda x, f=f: f.f_grad(x)[1], W)
    log = loss.LogLoss(A, SIGNS, 0.3)
    yield jacobian(
        "LogLoss.hessian_mv",
        lambda x: log.f_grad(x)[1],
        lambda x: np.array([log.hessian_mv(x)(e) for e in np.eye(4)]),
        W,
        fault="the penalty is divided by the number of samples, and that of the gradient is not",
    )
    w = 2 * draw(6, seed=4)
    for name, p, at in (
        ("L1Norm", penalty.L1Norm(0.7), w),
        ("GroupL1", penalty.GroupL1(0.7, [[0, 1], [2, 3, 4, 5]]), w),
        ("FusedLasso", penalty.FusedLasso(0.7), w),
        ("TraceNorm", penalty.TraceNorm(0.7, (3, 2)), w),
        ("TotalVariation2D", penalty.TotalVariation2D(0.7, (3, 2), 20_000, 1e-12), w),
    ):
        options: dict[str, Any] = {"tolerance": 1e-5} if name.startswith("Total") else {}
        yield prox(f"{name}.prox", p, lambda v, t, p=p: np.asarray(p.prox(v, t)).ravel(), at, 0.6, **options)
