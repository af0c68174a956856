"""PyUNLocBoX: functions for convex optimisation by proximal splitting."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from pyunlocbox import functions as fn

from experiments.studies.wild.case import Case, draw, gradient, prox

__all__ = ["cases"]

W = 2 * draw(6)
A = np.linalg.qr(draw(6, 6, seed=1))[0]
Y = draw(6, seed=2)
QUIET: dict[str, Any] = {"verbosity": "NONE"}


def _inside(test: Any) -> Any:
    return lambda v: 0.0 if test(v) else np.inf


def cases() -> Iterator[Case]:
    """Yield the functions and projections."""
    S = draw(3, 3, seed=3)
    groups = [[0, 1], [3, 2, 4]]
    for name, f, w in (
        ("norm_l1", fn.norm_l1(lambda_=0.7, **QUIET), W),
        ("norm_l1, y", fn.norm_l1(lambda_=0.7, y=Y, **QUIET), W),
        ("norm_l1, w", fn.norm_l1(lambda_=0.7, w=abs(Y), **QUIET), W),
        ("norm_l1, tight A", fn.norm_l1(lambda_=0.7, A=A, y=Y, **QUIET), W),
        ("norm_l2", fn.norm_l2(lambda_=0.7, **QUIET), W),
        ("norm_l2, y", fn.norm_l2(lambda_=0.7, y=Y, **QUIET), W),
        ("norm_l2, w", fn.norm_l2(lambda_=0.7, w=2.0, **QUIET), W),
        ("norm_l2, tight A", fn.norm_l2(lambda_=0.7, A=A, y=Y, **QUIET), W),
        ("norm_nuclear", fn.norm_nuclear(lambda_=0.7, **QUIET), 2 * S),
        ("structured_sparsity", fn.structured_sparsity(0.7, groups, [1.0, 2.0], **QUIET), W),
    ):
        yield prox(f"{name}.prox", f.eval, f.prox, w, 0.4)
    for dim, w in ((1, W), (2, draw(3, 3, seed=4))):
        tv = fn.norm_tv(dim=dim, lambda_=0.7, tol=1e-14, maxit=20_000, **QUIET)
        yield prox(f"norm_tv, {dim} axes.prox", tv.eval, tv.prox, w, 0.4, tolerance=1e-6)
    yield prox("proj_positive.prox", _inside(lambda v: (v >= 0).all()), fn.proj_positive(**QUIET).prox, W)
    ball = fn.proj_b2(y=Y, epsilon=1.2, **QUIET)
    yield prox("proj_b2.prox", _inside(lambda v: np.linalg.norm(v - Y) <= 1.2), ball.prox, W)
    spsd = fn.proj_spsd(**QUIET)
    yield prox(
        "proj_spsd.prox",
        _inside(lambda v: abs(v - v.T).max() < 1e-12 and np.linalg.eigvalsh(v).min() >= -1e-12),
        spsd.prox,
        S + S.T,
    )
    B = draw(2, 6, seed=5)
    line = fn.proj_lineq(A=B, y=np.ones(2), **QUIET)
    yield prox("proj_lineq.prox", _inside(lambda v: abs(B @ v - 1).max() < 1e-12), line.prox, W)
    for name, f in (
        ("norm_l2", fn.norm_l2(lambda_=0.7, **QUIET)),
        ("norm_l2, y", fn.norm_l2(lambda_=0.7, y=Y, **QUIET)),
        ("norm_l2, w", fn.norm_l2(lambda_=0.7, w=abs(Y), tight=False, **QUIET)),
        ("norm_l2, A", fn.norm_l2(lambda_=0.7, A=draw(6, 6, seed=6), y=Y, **QUIET)),
    ):
        yield gradient(f"{name}.grad", f.eval, f.grad, W)
