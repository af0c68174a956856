"""The objective of plain training: the loss at one head, with a way down that skips what is frozen.

    rows -> X, labels -> forward -> loss, dZ -> backward, down to the lowest layer that trains

What frozen links below make of the inputs is read, not computed: the path begins where it first trains or drops out.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np

from npnet.arrays import Array, array_module
from npnet.frozen import Kept, Read
from npnet.fused import factored
from npnet.layers import Back, Path, backward, forward
from npnet.losses import Loss
from npnet.network import Network
from npnet.policies import Mask, trains
from npnet.step import Group, NotFiniteError, Objective, WayDown, weights_of

__all__ = [
    "LossAtHead",
    "PlainLoss",
    "deterministic",
    "first_not_finite",
    "groups_of",
    "hidden_names",
    "lowest_of",
    "places",
]


@dataclass(frozen=True)
class PlainLoss:
    """What plain training minimises: the loss at each task's head, as batches of the tasks take turns."""

    def check(self, job: Any) -> None:
        """Accept every job: a task has a head and a loss."""

    def __call__(self, job: Any, kept: Kept) -> dict[str, Objective]:
        """Return the objective of each task's batches, {head: objective}, for the next epoch of a training job."""
        network, loss_of, mask = job.run.network, job.settings.loss_of, job.run.mask
        return {
            head: LossAtHead.of(network, head, loss_of(head), mask, kept.reader(task.train, network.dtype))
            for head, task in job.tasks.items()
        }


class LossAtHead:
    """The loss at one head: the objective of plain training.

    path: from what `read` reads to the logits. groups: those of its links that train, by their position. places: where
    each array on the way up stands, for messages.
    """

    def __init__(self, path: Path, groups: Mapping[int, Group], loss: Loss, read: Read, places: Sequence[str]) -> None:
        self.at, self.groups, self.lowest = groups, tuple(groups.values()), lowest_of(path, groups)
        self.path, self.loss, self.read, self.places = self.form(path), loss, read, places

    @classmethod
    def of(cls, network: Network, head: str, loss: Loss, mask: Mask, read: Callable[[Path], Read]) -> "LossAtHead":
        """Return the loss at a head of a network; read: from the frozen links below to the function that reads."""
        path, names = network.path(head, training=True), [*hidden_names(network), f"head {head!r}"]
        groups = groups_of(path, mask, names)
        start = min(lowest_of(path, groups), deterministic(network))
        above = {i - start: group for i, group in groups.items()}
        return cls(path[start:], above, loss, read(path[:start]), places(path, names)[start:])

    def form(self, path: Path) -> Path:
        """Return the path in the form in which it is walked: gradients of W stay in their factors."""
        return factored(path, self.lowest)

    def __call__(self, rows: Array, rng: np.random.Generator | None) -> tuple[Array, WayDown]:
        """Return the loss on a batch and the way down."""
        X, labels = self.read(rows)
        outputs, backs = forward(self.path, X, rng)
        loss, dZ = self.loss(outputs[-1], labels)
        self.check(loss, outputs)
        return loss, self.way_down(backs, dZ)

    def check(self, loss: Array, outputs: Sequence[Array]) -> None:
        """Raise NotFiniteError where the loss is not finite."""
        if not math.isfinite(loss.real):
            raise NotFiniteError("objective", first_not_finite(self.places, outputs))

    def way_down(self, backs: Sequence[Back], dZ: Array) -> WayDown:
        """Yield each group with its gradients."""
        for i, _, gradients in backward(backs, {len(backs) - 1: dZ}, self.lowest):
            if i in self.at:
                yield self.at[i], gradients


def lowest_of(path: Path, groups: Mapping[int, Group]) -> int:
    """Return the position of the lowest link that trains: nothing below it is back-propagated."""
    return min(groups, default=len(path))


def groups_of(path: Path, mask: Mask, names: Sequence[str]) -> dict[int, Group]:
    """Return the group of each link of a path that trains, by its position; names: those of its layers in messages."""
    positions = [i for i, (_, p) in enumerate(path) if p]
    return {
        i: Group(name, path[i][1], entry, layer, len(mask) - 1, weights_of(path[i][1]))
        for layer, (i, entry, name) in enumerate(zip(positions, mask, names, strict=False))
        if trains(entry)
    }


def hidden_names(network: Network) -> list[str]:
    """Return the names of hidden layers in messages: hidden layer 1 is the lowest."""
    return [f"hidden layer {i + 1}" for i in range(network.depth)]


def deterministic(network: Network) -> int:
    """Return how many links of the trunk make the same of an input at every epoch: those before the first dropout."""
    pairs = zip(network.path(training=True), network.path(), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0][0] == pair[1][0], pairs))


def places(path: Path, names: Sequence[str]) -> list[str]:
    """Return where each array on the way up stands: the inputs, then what each link makes of them."""
    found, layer, following = ["the inputs"], "", iter(names)
    for _, p in path:
        layer = next(following, layer) if p else layer
        found.append(layer)
    return found


def first_not_finite(places: Sequence[str], outputs: Sequence[Array]) -> str:
    """Return the lowest place whose outputs are not finite, the loss itself where all of them are."""
    found = (place for place, Y in zip(places, outputs, strict=True) if not array_module(Y).isfinite(Y).all())
    return next(found, "the loss")
