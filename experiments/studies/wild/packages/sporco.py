"""SPORCO: proximal operators of sparse coding."""

from collections.abc import Iterator

import numpy as np
from sporco import prox as sp

from experiments.studies.wild.case import Case, draw, prox

__all__ = ["cases"]

W = 2 * draw(6)


def cases() -> Iterator[Case]:
    """Yield the operators."""
    M = 2 * draw(4, 3)
    for name, penalty, step, w in (
        ("prox_l0", lambda v: np.count_nonzero(v) * 1.0, sp.prox_l0, W),
        ("prox_l1", sp.norm_l1, sp.prox_l1, W),
        ("prox_l2", sp.norm_l2, sp.prox_l2, W),
        ("prox_l2, axis 1", lambda v: sp.norm_l2(v, axis=1).sum(), lambda v, a: sp.prox_l2(v, a, axis=1), M),
        ("prox_dl1l2", lambda v: sp.norm_dl1l2(v, 0.8), lambda v, a: sp.prox_dl1l2(v, a, 0.8), W),
        (
            "prox_sl1l2",
            lambda v: abs(v).sum() + 0.8 * np.linalg.norm(v),
            lambda v, a: sp.prox_sl1l2(v, a, 0.8 * a),
            W,
        ),
        ("prox_nuclear", sp.norm_nuclear, lambda v, a: sp.prox_nuclear(v, a)[0], M),
        ("proj_l1", lambda v: 0.0 if abs(v).sum() <= 1.5 + 1e-12 else np.inf, lambda v, a: sp.proj_l1(v, 1.5), W),
        ("proj_l2", lambda v: 0.0 if np.linalg.norm(v) <= 1.5 + 1e-12 else np.inf, lambda v, a: sp.proj_l2(v, 1.5), W),
    ):
        reason = "the set has a tolerance, which the search uses" if "proj" in name else ""
        yield prox(name, penalty, lambda v, t, f=step: np.asarray(f(v, t)), w, 0.6, "", reason)
