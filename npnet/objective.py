"""The objective of plain training: the loss at one head, with a way down that skips what is frozen.

    rows -> X, labels -> forward -> loss, dZ -> backward, down to the lowest layer that trains

What frozen links below make of the inputs is read, not computed: the path begins where it first trains or drops out.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from npnet.arrays import Array, array_module
from npnet.error import first_not_finite
from npnet.frozen import Kept, Read
from npnet.fused import factored
from npnet.layers import Dropout, Parameters, Path, backward, forward
from npnet.losses import Loss
from npnet.network import Network
from npnet.policies import Entry, Mask, trains
from npnet.step import Group, NotFiniteError, Objective, WayDown

__all__ = ["cut", "group_of", "groups_of", "loss_along", "loss_at_head", "plain_loss"]


def plain_loss(job: Any, kept: Kept) -> dict[str, Objective]:
    """Return the objectives of a training job's next epoch: {head: the loss at it}; batches of tasks take turns."""
    network = job.run.network
    return {
        head: loss_at_head(
            network, head, job.settings.loss_of(head), job.run.mask, partial(kept.read, task.train, network.dtype)
        )
        for head, task in job.tasks.items()
    }


def loss_at_head(network: Network, head: str, loss: Loss, mask: Mask, read: Callable[[Path], Read]) -> Objective:
    """Return the loss at a head; read: from the frozen links below to the function that reads a batch above them."""
    path = network.path(head, training=True)
    groups = groups_of(path, mask, head)
    start, lowest = cut(path, groups)
    above = {i - start: group for i, group in groups.items()}
    place = partial(first_not_finite, path, start, head)
    return loss_along(factored(path[start:], lowest - start), above, lowest - start, loss, read(path[:start]), place)


def loss_along(
    path: Path,
    groups: Mapping[int, Group],
    lowest: int,
    loss: Loss,
    read: Read,
    place: Callable[[Sequence[Array]], str] | None = None,
) -> Objective:
    """Return the loss at the end of a path, with the groups of its links by their position, the lowest of which trains.

    place: from the arrays on the way up to where one is not finite first; None: a loss that is not finite is no error.
    """

    def descent(rows: Array, rng: np.random.Generator | None) -> tuple[Array, WayDown]:
        X, labels = read(rows)
        outputs, backs = forward(path, X, rng)
        value, dZ = loss(outputs[-1], labels)
        value = array_module(dZ).asarray(value)  # a loss of one's own may return a plain number
        if place and not math.isfinite(value.real):
            raise NotFiniteError("objective", place(outputs))
        way_down = backward(backs, {len(backs) - 1: dZ}, lowest)
        return value, ((groups[i], gradients) for i, _, gradients in way_down if i in groups)

    return Objective(tuple(groups.values()), descent)


def groups_of(path: Path, mask: Mask, head: str | None = None) -> dict[int, Group]:
    """Return the group of each link of a path in which anything trains, by its position.

    Raises ValueError for a mask of another length. head: None for a path that ends below the heads.
    """
    links, depth = [(i, p) for i, (_, p) in enumerate(path) if p], len(mask) - 1
    if len(links) != depth + (head is not None):
        expected = len(links) + (head is None)
        raise ValueError(f"mask is {mask}; expected {expected} entries: every hidden layer's and the head's")
    names = [*(f"hidden layer {layer}" for layer in range(1, len(mask))), f"head {head!r}"]
    found = {
        i: group_of(name, p, entry, layer, depth)
        for layer, ((i, p), entry, name) in enumerate(zip(links, mask, names, strict=False))
    }
    return {i: group for i, group in found.items() if group.shares}


def group_of(name: str, p: Parameters, entry: Entry, layer: int, depth: int) -> Group:
    """Return the group of a layer under its entry in the mask. Raises ValueError where that does not fit the layer."""
    if isinstance(entry, Mapping):
        for key, share in entry.items():
            if key not in p or getattr(share, "shape", ()) not in ((), p[key].shape):
                shapes = {each: w.shape for each, w in p.items()}
                raise ValueError(f"mask has {key!r} in {name}; expected names and shapes of {shapes}")
    given = entry if isinstance(entry, Mapping) else dict.fromkeys(p, entry)
    shares = {key: given[key] for key in p if key in given and trains(given[key])}
    return Group(name, p, shares, frozenset(key for key, w in p.items() if w.ndim > 1), layer, depth)


def cut(path: Path, groups: Mapping[int, Group]) -> tuple[int, int]:
    """Return where a path must begin, at its lowest group or its first dropout, and the position of that group.

    A random layer of your own that is to be drawn again at every step, also when frozen, is a subclass of Dropout.
    """
    lowest = min(groups, default=len(path))
    first = next((i for i, (layer, _) in enumerate(path) if isinstance(layer, Dropout)), lowest)
    return min(first, lowest), lowest
