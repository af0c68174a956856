"""Quasi-Newton training, solver="lbfgs": all examples at every step, SciPy's L-BFGS-B, npnet's value and gradient."""

from typing import Any

import numpy as np
from scipy.optimize import minimize

from npnet.arrays import Array
from npnet.frozen import Kept
from npnet.fused import dense
from npnet.run import TrainingJob
from npnet.step import Penalise

__all__ = ["minimise"]


def minimise(job: TrainingJob, head: str, tol: float, max_iter: int, max_fun: int) -> Any:
    """Move the weights that the first mask of a job's policy lets move to a minimum; return SciPy's result.

    The loss is that of all examples at once, with all penalties. Raises ValueError for dropout, for L-BFGS minimises a
    function that is the same at every call.
    """
    if any(job.run.network.dropout):
        raise ValueError(f"dropout is {job.run.network.dropout} with solver 'lbfgs'; expected 0: it is drawn at random")
    job.start()
    objective = job.settings.objective(job, Kept(job.settings.memory_budget))[head]
    penalty, rows = Penalise(job.settings.regularizers), np.arange(len(job.tasks[head].train))
    places = [(group, key) for group in objective.groups for key in group.shares]

    def put(w: Array) -> None:
        start = 0
        for group, key in places:
            p = group.parameters[key]
            p[...] = w[start : start + p.size].reshape(p.shape)
            start += p.size

    def value_and_gradient(w: Array) -> tuple[float, Array]:
        put(w)
        loss, way_down = objective.descent(rows, None)
        value, found = float(loss), dict[tuple[int, str], Array]()
        for group, gradients in way_down:
            value += float(penalty(group, gradients))
            found |= {(group.layer, key): dense(gradients[key]) for key in group.shares}
        parts = [found[group.layer, key].reshape(-1) for group, key in places]
        return value, np.concatenate(parts).astype(np.float64)

    start = np.concatenate([group.parameters[key].reshape(-1) for group, key in places]).astype(np.float64)
    options = {"maxfun": max_fun, "maxiter": max_iter, "gtol": tol}
    result = minimize(value_and_gradient, start, method="L-BFGS-B", jac=True, options=options)
    put(result.x)
    return result
