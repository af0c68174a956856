"""TensorLy: proximal operators of constrained factorisations."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from tensorly.tenalg import proximal as tp

from experiments.studies.wild.case import Case, draw, prox

__all__ = ["cases"]

MEANS = "largest means, repaired from the end, and not isotonic regression"
W = 2 * draw(6)


def _inside(test: Any) -> Any:
    return lambda v: 0.0 if test(v) else np.inf


def cases() -> Iterator[Case]:
    """Yield the operators; a column is what most of them act on."""
    M = 2 * draw(4, 3, seed=1)
    rises, falls = (_inside(lambda v, s=s: (s * np.diff(v) >= -1e-12).all()) for s in (1, -1))
    simplex = _inside(lambda v: (v >= 0).all() and abs(v.sum() - 1) < 1e-12)
    for name, penalty, step, w, fault in (
        ("soft_thresholding", lambda v: abs(v).sum(), tp.soft_thresholding, W, ""),
        ("svd_thresholding", lambda v: np.linalg.svd(v, compute_uv=False).sum(), tp.svd_thresholding, M, ""),
        ("l2_prox", lambda v: np.linalg.norm(v), tp.l2_prox, W, ""),
        ("l2_square_prox", lambda v: (v * v).sum() / 2, tp.l2_square_prox, W, "that of ‖v‖², and not of half of it"),
        ("l2_square_prox, ‖v‖²", lambda v: (v * v).sum(), tp.l2_square_prox, W, ""),
        ("simplex_prox", simplex, lambda v, t: tp.simplex_prox(v.reshape(-1, 1), 1.0).ravel(), W, ""),
        ("monotonicity_prox", rises, lambda v, t: tp.monotonicity_prox(v.reshape(-1, 1)).ravel(), W, MEANS),
        (
            "monotonicity_prox, falling",
            falls,
            lambda v, t: tp.monotonicity_prox(v.reshape(-1, 1), True).ravel(),
            W,
            MEANS,
        ),
        (
            "hard_thresholding",
            _inside(lambda v: np.count_nonzero(v) <= 2),
            lambda v, t: tp.hard_thresholding(v, 2),
            W,
            "",
        ),
        (
            "soft_sparsity_prox",
            _inside(lambda v: abs(v).sum() <= 1.5 + 1e-12),
            lambda v, t: tp.soft_sparsity_prox(v.reshape(-1, 1), 1.5).ravel(),
            W,
            "",
        ),
        ("smoothness_prox", lambda v: (np.diff(v, prepend=0, append=0) ** 2).sum() / 2, tp.smoothness_prox, W, ""),
        ("procrustes", _inside(lambda v: abs(v.T @ v - np.eye(3)).max() < 1e-12), lambda v, t: tp.procrustes(v), M, ""),
    ):
        reason = (
            "isotonic regression has the smaller objective, 5.2238 where this has 6.0609" if "falling" in name else ""
        )
        yield prox(name, penalty, lambda v, t, f=step: np.array(f(v, t), float), w, 0.6, fault, reason)
