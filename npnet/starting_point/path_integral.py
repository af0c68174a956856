"""Synaptic intelligence: how much each weight did for the loss on the way that training took.

    ω_j = −Σ_steps (∂L/∂w_j) δw_j        importance_j = max(ω_j, 0) / (Δ_j² + ξ)

L is the objective without penalties, δw_j what a step moved the weight by, Δ_j what the whole run moved it by. Summed
over a run −ω is, to first order, the fall of the objective, shared out among the weights. Unlike the Fisher
information it costs no pass over the data after training: it is gathered step by step.

The importance takes the place of the Fisher information in `remember`, merged from task to task, and in the penalty
around the old weights: `starting_point("l2_sp_fisher", alpha=2 * c, convention="ewc")` is c Σ Ω Δ².

Source: Zenke, Poole and Ganguli 2017, section 3. ω is never negative of plain descent, nor of momentum at one rate.
Where Adam's changing steps make it negative, which would push a weight away from where it was, it counts as zero.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.arrays import Array, array_module
from npnet.frozen import Kept
from npnet.fused import dense
from npnet.layers import Parameters
from npnet.network import Network
from npnet.objective import plain_loss
from npnet.run import Run
from npnet.step import Objective, WayDown

__all__ = ["PathIntegral", "path_importance"]

_PLACE = "path integral, "  # of a run's buffers, where ω lies beside what the optimizer remembers


@checked
@dataclass(frozen=True)
class PathIntegral:
    """An objective that gathers each weight's path integral ω while it is minimised, in the run's own buffers.

    objective: what is minimised. As `Hyperparameters(objective=PathIntegral())` it does not change the training. In
    `run.buffers` the path integrals have names that begin with "path integral": a later run that takes over what the
    optimizer remembers leaves them out, or goes on adding to them.
    A step without `clip` moves each layer before it goes down to the next, which is when ω is added to; with one, all
    gradients are there before anything moves, so a run with `clip` is refused with a ValueError.
    """

    objective: Callable[..., Any] = plain_loss

    def __call__(self, job: Any, kept: Kept) -> dict[str, Objective]:
        """Return the objectives of a training job's next epoch."""
        if job.settings.clip is not None:
            raise ValueError(f"clip is {job.settings.clip!r}; expected None with PathIntegral")
        found = self.objective(job, kept)
        return {head: Objective(each.groups, partial(_descent, each.descent, job.run)) for head, each in found.items()}


def _descent(descent: Any, run: Run, rows: Array, rng: np.random.Generator | None) -> tuple[Array, WayDown]:
    value, way_down = descent(rows, rng)
    return value, _gathered(way_down, run)


def _gathered(way_down: WayDown, run: Run) -> WayDown:
    """Hand on each layer's gradients, and when the layer has moved add −∂L/∂w δw to its ω."""
    for group, gradients in way_down:
        gradients.update({key: dense(gradients[key]) for key in group.shares})
        slopes = {key: gradients[key].copy() for key in group.shares}  # a penalty will add to the gradients themselves
        before = {key: group.parameters[key].copy() for key in group.shares}
        yield group, gradients
        path = run.buffers.setdefault(_PLACE + group.name, {})
        for key, w in before.items():
            w -= group.parameters[key]  # −δw
            w *= slopes[key]
            if key in path:
                w += path[key]
            path[key] = w


@checked
def path_importance(run: Run, before: Network, xi: float = 0.1, head: str | None = None) -> list[Parameters]:
    """Return the importance of the trunk's parameters for what a run has learned: dicts like `network.trunk`.

    run: one that was trained with `PathIntegral`. before: its network before it was. xi: the damping ξ, in the units
    of a squared weight. head: one dict more, of that head's own parameters, for tasks that share a head. Raises
    ValueError for a run without path integrals, and ξ of zero or less.
    """
    if not xi > 0:
        raise ValueError(f"xi is {xi}; expected a number above zero")
    if not any(place.startswith(_PLACE) for place in run.buffers):
        raise ValueError("run has no path integrals; expected one that was trained with objective=PathIntegral()")
    names = [f"hidden layer {layer}" for layer in range(1, before.depth + 1)]
    old, new = list(before.trunk), list(run.network.trunk)
    if head is not None:
        names, old, new = [*names, f"head {head!r}"], [*old, before.head(head)], [*new, run.network.head(head)]
    return [
        {key: _importance(run.buffers.get(_PLACE + name, {}).get(key), w, q[key], xi) for key, w in p.items()}
        for name, p, q in zip(names, old, new, strict=True)
    ]


def _importance(omega: Array | None, before: Array, after: Array, xi: float) -> Array:
    xp = array_module(before)
    if omega is None:  # a layer that was frozen throughout
        return xp.zeros_like(before)
    return xp.maximum(omega, 0) / ((after - before) ** 2 + before.dtype.type(xi))
