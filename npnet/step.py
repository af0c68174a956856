"""One step of training is three small functions: an objective, a penalty that joins its way down, and a move.

    objective(rows, rng) -> (value, way down)        the way down yields (group, gradients), lazily, from the top
    penalty(group, gradients) -> value               adds its own gradient to those of the group
    move(group, gradients)                           changes the group's weights in place

A group is the parameters of one layer that train. Frozen layers cost nothing: nothing below the lowest group is
back-propagated. The way down is lazy so that a layer moves while its gradients and weights are still in the cache.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from npnet.arrays import Array, array_module
from npnet.fused import Product, dense
from npnet.layers import Parameters
from npnet.optimizers import READS_FACTORS, Optimizer, bound_norms
from npnet.policies import Share
from npnet.regularizers import ActivePenalty, Regularizer, prox_of_sum
from npnet.trees import copy_tree

__all__ = ["Group", "Move", "NotFiniteError", "Objective", "Penalise", "WayDown", "take_step"]


class NotFiniteError(FloatingPointError):
    """A number of the run is infinite or not a number; says at which epoch, step and layer it was seen first."""

    def __init__(self, what: str, layer: str, epoch: int = 0, step: int = 0) -> None:
        super().__init__(
            f"{what} is not finite at epoch {epoch}, step {step}, in {layer}; expected finite numbers: try a lower "
            "learning rate or smaller inputs (the run stands as it did after the epoch before)"
        )
        self.what, self.layer, self.epoch, self.step = what, layer, epoch, step

    def __reduce__(self) -> tuple[type, tuple[str, str, int, int]]:
        return type(self), (self.what, self.layer, self.epoch, self.step)  # so that it crosses between processes


@dataclass(frozen=True)
class Group:
    """The parameters of one layer that train.

    shares: of the learning rate, for each parameter that moves. weights: the names of matrices, which penalties act on.
    layer: from 0 at the bottom, `depth` for a head, above it for parameters that no regularizer knows. lead: 1 where
    every parameter is a stack, 0 for a network.
    """

    name: str
    parameters: Parameters
    shares: Mapping[str, Share]
    weights: frozenset[str]
    layer: int
    depth: int
    lead: int = 0

    def matrix(self, w: Any) -> Any:
        """Return a parameter, or its anchor or scales, with all its axes but the last as one, as penalties take it."""
        whole = getattr(w, "ndim", 0) <= self.lead + 2
        return w if whole else w.reshape(*w.shape[: self.lead], -1, w.shape[-1])

    def active(self, regularizers: Sequence[Regularizer], key: str) -> list[ActivePenalty]:
        """Return the penalties that act on a parameter, with their anchors and scales there."""
        return [
            ActivePenalty(each.penalty, each.strength, *map(self.matrix, each.reference(self.layer, self.depth, key)))
            for each in regularizers
            if self.layer <= self.depth and each.applies(self.layer, self.depth, key, key in self.weights)
        ]


WayDown = Iterator[tuple[Group, Parameters]]


class Objective(NamedTuple):
    """What a step minimises: the groups that train, and the descent from the rows of a batch, which does the rest."""

    groups: Sequence[Group]
    descent: Callable[[Array, np.random.Generator | None], tuple[Array, WayDown]]


def take_step(
    objective: Objective,
    penalty: Callable[[Group, Parameters], Any],
    move: Callable[[Group, Parameters], None],
    rows: Array,
    rng: Any,
    clip: Callable[[WayDown], WayDown] | None = None,
) -> Array:
    """Move every layer that trains, in place, and return the value that objective and penalty had before.

    clip: what is done to the penalised gradients before any layer moves.
    """
    loss, way_down = objective.descent(rows, rng)
    values = [array_module(loss).asarray(loss, np.float64)]

    def penalised() -> WayDown:
        for group, gradients in way_down:
            values.append(penalty(group, gradients))
            yield group, gradients

    for group, gradients in clip(penalised()) if clip else penalised():
        move(group, gradients)
        gradients.clear()  # their memory, still in the cache, goes to the layer below: 8 % of such a step
    return sum(values)


@dataclass(frozen=True)
class Penalise:
    """The penalty: every regularizer on what moves of a group, added to its gradients.

    proximal: nothing yet, for a proximal step follows the gradient of the loss alone. pull: the rate of plain descent,
    with which a penalty that is alone on some weights pulls at these while their gradient stays in its factors; 0: not.
    strict: raise NotFiniteError where the value is not finite. acting: what was found to act on each parameter.
    """

    regularizers: Sequence[Regularizer] = ()
    proximal: bool = False
    pull: float = 0.0
    strict: bool = True
    acting: dict[tuple[str, str], list[ActivePenalty]] = field(default_factory=dict)

    def __call__(self, group: Group, gradients: Parameters) -> Any:
        """Add to the gradients and return the value."""
        value: Any = 0.0
        for key, share in group.shares.items() if self.regularizers and not self.proximal else ():
            if (place := (group.name, key)) not in self.acting:
                self.acting[place] = group.active(self.regularizers, key)
            active, w = self.acting[place], group.matrix(group.parameters[key])
            pulls = self.pull > 0 and len(active) == 1 and active[0].penalty.one_pass and isinstance(share, float)
            for penalty, strength, anchor, scale in active:
                if pulls and isinstance(gradients[key], Product):
                    rate: Any = -self.pull * share
                    value = value + penalty.add(None, rate * strength, w, anchor, scale) / rate
                else:
                    dw = group.matrix(dense(gradients[key]))
                    value = value + penalty.add(dw, strength, w, anchor, scale)
                    gradients[key] = dw.reshape(group.parameters[key].shape)  # of many axes it may be a copy
        if self.strict and not math.isfinite(value.real):
            raise NotFiniteError("penalty", group.name)
        return value


@dataclass(frozen=True)
class Move:
    """The move: each parameter by its share of the rate, its optimizer, its proximal step and its bound.

    buffers: of the optimizer, by layer and parameter; a layer's begin on the day it joins. strict: raise NotFiniteError
    where a weight was seen that is not finite; look: look at all of them, which costs a pass over memory.
    """

    optimizer: Optimizer
    rate: float
    buffers: dict[str, Any]
    regularizers: Sequence[Regularizer] = ()
    max_norm: float | None = None
    strict: bool = True
    look: bool = False

    def __call__(self, group: Group, gradients: Parameters) -> None:
        """Move a group's weights in place."""
        for key, share in group.shares.items():
            w, place = group.parameters[key], f"{group.name}: {key}"
            if place not in self.buffers:
                self.buffers[place] = self.optimizer.start(w)
            if isinstance(share, float):
                self._move(group, key, gradients[key], self.buffers[place], self.rate * share)
            else:  # a share for each weight scales the update, whatever made it; frozen weights' buffers wait
                before, waiting = w.copy(), copy_tree(self.buffers[place])
                self._move(group, key, gradients[key], self.buffers[place], self.rate)
                xp, frozen = array_module(w), share == 0
                w[...] = xp.where(share == 1, w, xp.where(frozen, before, before + share * (w - before)))
                for name, buffer in self.buffers[place].items():
                    if buffer.shape == w.shape:
                        buffer[...] = xp.where(frozen, waiting[name], buffer)

    def _move(self, group: Group, key: str, dw: Any, buffers: dict[str, Any], rate: float) -> None:
        w = group.parameters[key]
        if type(self.optimizer) not in READS_FACTORS:
            dw = dense(dw)
        finite = self.optimizer.update(w, dw, buffers, rate)
        if self.strict and not (finite and (not self.look or array_module(w).isfinite(w).all())):
            raise NotFiniteError(f"updated {key}", group.name)
        if self.optimizer.proximal:
            w[...] = prox_of_sum(group.matrix(w), rate, group.active(self.regularizers, key)).reshape(w.shape)
        if self.max_norm is not None and key == "W" and key in group.weights and group.layer < group.depth:
            bound_norms(w, self.max_norm)
