"""One step of training is three small functions: an objective, a penalty that joins its way down, and a move.

    objective(rows, rng) -> (value, way down)        the way down yields (group, gradients), lazily, from the top
    penalty(group, gradients) -> value               adds its own gradient to those of the group
    move(group, gradients)                           changes the group's weights in place

A group is the parameters of one layer that trains. Frozen layers cost nothing: nothing below the lowest group is
back-propagated. The way down is lazy so that a layer moves while its gradients and weights are still in the cache.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from npnet.arrays import Array, array_module
from npnet.fused import dense
from npnet.layers import Parameters
from npnet.optimizers import Optimizer, bound_norms
from npnet.policies import Entry, share_of
from npnet.regularizers import ActivePenalty, Regularizer, prox_of_sum

__all__ = ["Group", "Move", "NotFiniteError", "Objective", "Penalise", "WayDown", "acting", "take_step", "weights_of"]

WayDown = Iterator[tuple["Group", Parameters]]


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
    """The parameters of one layer that trains.

    entry: its layer's entry in the mask. layer: from 0 at the bottom, `depth` for a head, above it for parameters that
    no regularizer knows. weights: the names of its matrices, which penalties act on.
    """

    name: str
    parameters: Parameters
    entry: Entry
    layer: int
    depth: int
    weights: frozenset[str] = frozenset()

    def moving(self) -> Iterator[tuple[str, Array, Any]]:
        """Yield the name, the array and the share of the rate of each parameter that moves."""
        for key, w in self.parameters.items():
            share = share_of(self.entry, key)
            if not isinstance(share, float) or share:
                yield key, w, share


def weights_of(p: Parameters) -> frozenset[str]:
    """Return the names of a layer's matrices."""
    return frozenset(key for key, w in p.items() if w.ndim > 1)


class Objective(Protocol):
    """What a step minimises."""

    @property
    def groups(self) -> Sequence[Group]:
        """The layers that train."""

    def __call__(self, rows: Array, rng: np.random.Generator | None) -> tuple[Array, WayDown]:
        """Return the value on a batch and the way down. Raises NotFiniteError where the value is not finite."""


def take_step(
    objective: Objective,
    penalty: Callable[[Group, Parameters], Any],
    move: Callable[[Group, Parameters], None],
    rows: Array,
    rng: np.random.Generator,
) -> Array:
    """Move every layer that trains, in place, and return the value that objective and penalty had before."""
    loss, way_down = objective(rows, rng)
    value = array_module(loss).asarray(loss, np.float64)
    for group, gradients in way_down:
        value = value + penalty(group, gradients)
        move(group, gradients)
        gradients.clear()  # their memory, still in the cache, goes to the layer below: 8 % of such a step
    return value


@dataclass(frozen=True)
class Penalise:
    """The penalty: every regularizer on what moves of a group, added to its gradients.

    proximal: nothing yet, for a proximal step follows the gradient of the loss alone.
    """

    regularizers: Sequence[Regularizer] = ()
    proximal: bool = False

    def __call__(self, group: Group, gradients: Parameters) -> Any:
        """Add to the gradients and return the value. Raises NotFiniteError where it is not finite."""
        value = self.add(group, gradients)
        if not math.isfinite(value.real):
            raise NotFiniteError("penalty", group.name)
        return value

    def add(self, group: Group, gradients: Parameters) -> Any:
        """Add to the gradients and return the value, whatever it is."""
        value: Any = 0.0
        for key, w, _ in group.moving() if self.regularizers and not self.proximal else ():
            for penalty, strength, anchor, scale in acting(self.regularizers, group, key):
                gradients[key] = dense(gradients[key])
                value = value + penalty.add(gradients[key], strength, w, anchor, scale)
        return value


def acting(regularizers: Sequence[Regularizer], group: Group, key: str) -> list[ActivePenalty]:
    """Return the penalties that act on a parameter of a group, with their anchors and scales there."""
    layer, depth = group.layer, group.depth
    return [
        ActivePenalty(each.penalty, each.strength, *each.reference(layer, depth, key))
        for each in regularizers
        if layer <= depth and each.applies(layer, depth, key, key in group.weights)
    ]


@dataclass(frozen=True)
class Move:
    """The move: each parameter by its share of the rate, its optimizer, its proximal step and its bound.

    buffers: of the optimizer, by layer and parameter; a layer's begin on the day it joins.
    """

    optimizer: Optimizer
    rate: float
    buffers: dict[str, Any]
    regularizers: Sequence[Regularizer] = ()
    max_norm: float | None = None

    def __call__(self, group: Group, gradients: Parameters) -> None:
        """Move a group's weights in place. Raises NotFiniteError where one is not finite."""
        for key, w, share in group.moving():
            place = f"{group.name}: {key}"
            if place not in self.buffers:
                self.buffers[place] = self.optimizer.start(w)
            if isinstance(share, float):
                self._update(group, key, w, dense(gradients[key]), self.buffers[place], self.rate * share)
            else:  # a share for each weight scales the update, whatever made it
                before = w.copy()
                self._update(group, key, w, dense(gradients[key]) * (share != 0), self.buffers[place], self.rate)
                w[...] = array_module(w).where(share == 0, before, before + share * (w - before))

    def _update(self, group: Group, key: str, w: Array, dw: Array, buffers: Any, rate: float) -> None:
        if not self.optimizer.update(w, dw, buffers, rate):
            self.not_finite(f"updated {key}", group.name)
        if self.optimizer.proximal:
            w[...] = prox_of_sum(w, rate, acting(self.regularizers, group, key))
        if self.max_norm is not None and key == "W" and group.layer < group.depth:
            bound_norms(w, self.max_norm)

    def not_finite(self, what: str, layer: str) -> None:
        """Raise NotFiniteError for what was seen in a layer."""
        raise NotFiniteError(what, layer)
