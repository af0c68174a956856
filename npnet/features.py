"""What frozen layers make of a data set: computed once and kept, so that an epoch above them costs what is above them.

While only the head trains, every epoch would send all inputs through all layers to get the same activations again.
Kept in memory, as long as they fit a budget, they turn that epoch into the epoch of a linear classifier.
"""

from collections.abc import Callable
from typing import Any

from npnet.analysis import BLOCK, error_of
from npnet.arrays import Array, array_module
from npnet.layers import chain
from npnet.network import Network
from npnet.tasks.data import Split, batch

__all__ = ["Features"]


class Features:
    """The activations of a network's frozen layers on whole splits, kept while all of them fit `budget` bytes."""

    def __init__(self, network: Network, budget: int) -> None:
        self.network, self.budget, self.lowest = network, budget, 0
        self.kept: dict[tuple[int, int], tuple[Split, Array]] = {}

    def freeze(self, lowest: int) -> None:
        """Say which layer is the lowest that trains; what was kept for another frozen part is dropped."""
        if lowest != self.lowest:
            self.kept.clear()
            self.lowest = lowest

    def of(self, split: Split, start: int) -> Callable[[Any], Array]:
        """Return the function from rows of a split (a slice or an index array) to the inputs of layer `start`."""
        network = self.network
        if start == 0:
            return lambda rows: batch(split, rows, network.dtype)
        if (id(split), start) not in self.kept:
            below, parameters = chain(*network.layers()[:start]), network.parameters()[:start]

            def compute(rows: Any) -> Array:
                return below(parameters, batch(split, rows, network.dtype))[0]

            first = compute(slice(0, BLOCK))
            needed = first.nbytes // len(first) * len(split)
            if needed + sum(array.nbytes for _, array in self.kept.values()) > self.budget:
                return compute
            array = array_module(first).empty((len(split), *first.shape[1:]), first.dtype)
            array[:BLOCK] = first
            for at in range(BLOCK, len(split), BLOCK):
                array[at : at + BLOCK] = compute(slice(at, at + BLOCK))
            self.kept[id(split), start] = split, array  # the split is kept with them, so that its id stays its own
        kept = self.kept[id(split), start][1]
        return lambda rows: kept[rows]

    def keep(self, split: Split, start: int) -> bool:
        """Say whether the inputs of layer `start` are in memory, after `of` was asked for them."""
        return (id(split), start) in self.kept

    def serve(self, network: Network, lowest: int) -> bool:
        """Say whether they are those of another network's layers below `lowest` too: of the same numbers."""
        mine, theirs = (each.parameters()[:lowest] for each in (self.network, network))
        return self.lowest == lowest and all(
            (p[key] == q[key]).all() for p, q in zip(mine, theirs, strict=True) for key in p
        )

    def error(self, network: Network, head: str, split: Split) -> float:
        """Return the error of a head on a split: `analysis.error` without the frozen work."""
        source = self.of(split, self.lowest)
        above = chain(*network.layers(head)[self.lowest :])
        parameters = network.parameters(head)[self.lowest :]
        return error_of(lambda rows: above(parameters, source(rows))[0], split)
