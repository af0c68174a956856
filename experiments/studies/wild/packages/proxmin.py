"""proxmin: proximal minimisation with constraints. Its operators write into what they are given, as they say."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from proxmin import operators as op

from experiments.studies.wild.case import Case, draw, prox

__all__ = ["cases"]

W = 2 * draw(6)
POSITIVE = abs(draw(6, seed=1)) + 0.1


def _fresh(step: Callable[..., Any]) -> Callable[..., Any]:
    """Hand over a copy, which the operator may write into."""
    return lambda w, t: np.array(step(w.copy(), t))


def _inside(test: Any) -> Any:
    return lambda v: 0.0 if test(v) else np.inf


def _when_positive(value: Any) -> Any:
    return lambda v: value(v) if (v >= 0).all() else np.inf


def _entropy(v: Any) -> Any:
    return 0.7 * (v[v > 0] * np.log(v[v > 0])).sum() if (v >= 0).all() else np.inf


def cases() -> Iterator[Case]:
    """Yield the operators."""
    share = "divides by the sum, which is no projection on the numbers with sum 1"
    for name, penalty, step, w, fault in (
        ("prox_id", lambda v: 0.0, op.prox_id, W, ""),
        ("prox_zero", lambda v: 1e12 * abs(v).sum(), op.prox_zero, W, ""),
        ("prox_plus", _inside(lambda v: (v >= 0).all()), op.prox_plus, W, ""),
        ("prox_unity", _inside(lambda v: abs(v.sum() - 1) < 1e-12), op.prox_unity, W, share),
        (
            "prox_unity_plus",
            _inside(lambda v: abs(v.sum() - 1) < 1e-12 and (v >= 0).all()),
            op.prox_unity_plus,
            W,
            share,
        ),
        ("prox_min", _inside(lambda v: (v >= 0.3).all()), partial(op.prox_min, thresh=0.3, type="absolute"), W, ""),
        ("prox_max", _inside(lambda v: (v <= 0.3).all()), partial(op.prox_max, thresh=0.3, type="absolute"), W, ""),
        (
            "prox_min, relative",
            _inside(lambda v: (v >= 0.3).all()),
            partial(op.prox_min, thresh=0.3),
            W,
            "the bound shrinks with the step, and that of a set does not",
        ),
        (
            "prox_hard",
            lambda v: 0.7 * np.count_nonzero(v),
            partial(op.prox_hard, thresh=0.7),
            W,
            "thresholds at γ·step, and not at √(2γ·step)",
        ),
        (
            "prox_hard_plus",
            _when_positive(lambda v: 0.7 * np.count_nonzero(v)),
            partial(op.prox_hard_plus, thresh=0.7),
            W,
            "thresholds at γ·step, and not at √(2γ·step)",
        ),
        ("prox_soft", lambda v: 0.7 * abs(v).sum(), partial(op.prox_soft, thresh=0.7), W, ""),
        ("prox_soft_plus", _when_positive(lambda v: 0.7 * v.sum()), partial(op.prox_soft_plus, thresh=0.7), W, ""),
        ("prox_max_entropy", _entropy, partial(op.prox_max_entropy, gamma=0.7), POSITIVE, ""),
        (
            "prox_max_entropy, signs",
            _entropy,
            partial(op.prox_max_entropy, gamma=0.7),
            W,
            "negative numbers stay as they are, where the entropy is not defined",
        ),
    ):
        reason = (
            "by formula: no search crosses the jump, or enters the set"
            if (fault and "hard" in name) or "relative" in name
            else ""
        )
        yield prox(name, penalty, _fresh(step), w, 0.4, fault, reason)
