"""ModOpt: proximity operators of modular optimisation."""

from collections.abc import Iterator

import numpy as np
from modopt.opt import linear, proximity

from experiments.studies.wild.case import Case, draw, prox

__all__ = ["cases"]

FAULTS = {
    "SparseThreshold, hard": "the value is the sum of magnitudes, of which hard thresholding is no step",
    "OrderedWeightedL1Norm": "the value sorts magnitudes upwards, while the weights fall",
    "KSupportNorm": "value and step do not belong together: another point is smaller by 1 %",
}
W = 2 * draw(6)


def cases() -> Iterator[Case]:
    """Yield the operators."""
    same = linear.Identity()
    weights = abs(draw(6, seed=1)) + 0.1
    M = 2 * draw(4, 3, seed=2)
    for name, operator, w in (
        ("SparseThreshold", proximity.SparseThreshold(same, weights), W),
        ("SparseThreshold, hard", proximity.SparseThreshold(same, weights, thresh_type="hard"), W),
        ("Ridge", proximity.Ridge(same, 0.7), W),
        ("ElasticNet", proximity.ElasticNet(same, 0.7, 0.4), W),
        ("OrderedWeightedL1Norm", proximity.OrderedWeightedL1Norm(np.sort(weights)[::-1].copy()), W),
        ("KSupportNorm", proximity.KSupportNorm(0.7, 2), W),
        ("GroupLASSO", proximity.GroupLASSO(0.7), M),
    ):
        fault = FAULTS.get(name, "")
        yield prox(name, operator.cost, lambda v, t, f=operator: np.asarray(f.op(v, extra_factor=t)), w, 0.6, fault)
    yield prox("Positivity", lambda v: 0.0 if (v >= 0).all() else np.inf, lambda v, t: proximity.Positivity().op(v), W)
