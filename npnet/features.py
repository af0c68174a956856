"""What frozen layers make of a data set: computed once and kept, so that an epoch above them costs what is above them.

While only the head trains, every epoch would send all inputs through all layers to get the same activations again.
Kept in memory, as long as they fit a budget, they turn that epoch into the epoch of a linear classifier.
"""

from collections.abc import Callable, Hashable, Sequence
from itertools import groupby
from typing import Any

from npnet.analysis import BLOCK, error, error_of
from npnet.arrays import Array, array_module
from npnet.layers import Parameters, chain
from npnet.network import Network
from npnet.tasks.data import Split, batch

__all__ = ["Features", "read_together"]


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

            if split.varies:
                return compute
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
        """Say whether they are those of another network's layers below `lowest` too: alike, and of the same numbers."""
        if self.lowest != lowest or _form(self.network) != _form(network):
            return False
        mine, theirs = (
            [*each.parameters()[:lowest], *(p for column in each.columns for p in column.trunk)]
            for each in (self.network, network)
        )
        return len(mine) == len(theirs) and all(p is q or _same(p, q) for p, q in zip(mine, theirs, strict=True))

    def error(self, network: Network, head: str, split: Split) -> float:
        """Return the error of a head on a split: `analysis.error` without the frozen work."""
        if network.owner(head) is not network:  # the head of a column, whose layers are not those that are kept
            return error(network, head, split)
        source = self.of(split, self.lowest)
        above = chain(*network.layers(head)[self.lowest :])
        parameters = network.parameters(head)[self.lowest :]
        return error_of(lambda rows: above(parameters, source(rows))[0], split)


def _form(network: Network) -> tuple[Any, ...]:
    """Return all that its hidden layers compute with beside their parameters, dropout apart, which nothing kept has."""
    return network.activation, network.patches, network.reads, *map(_form, network.columns)


def _same(p: Parameters, q: Parameters) -> bool:
    """Say whether parameters of two layers are the same numbers."""
    return p.keys() == q.keys() and all(p[key].shape == q[key].shape and bool((p[key] == q[key]).all()) for key in p)


def read_together(
    features: Sequence[Features], splits: Sequence[Split], start: int
) -> Callable[[Array], tuple[Array, Array]]:
    """Return the function from rows (R, n) of the splits of R replicates to the inputs (R, n, D) of layer `start` and
    the labels, (R, n) or (R, n, K).

    Neighbours with one source read it at once. But what frozen layers make of a batch anew is made for each by itself,
    for products of more rows may round otherwise.
    """
    sources = [each.of(split, start) for each, split in zip(features, splits, strict=True)]

    def source(i: int) -> Hashable:
        return id(splits[i]), id(features[i]), i if start and not features[i].keep(splits[i], start) else 0

    pieces: list[tuple[slice, int]] = []
    for _, neighbours in groupby(range(len(splits)), key=source):
        first, *others = neighbours
        pieces.append((slice(first, first + 1 + len(others)), first))

    def read(rows: Array) -> tuple[Array, Array]:
        parts = []
        for which, first in pieces:
            mine = rows[which]
            inputs = sources[first](mine.reshape(-1))  # (r · n, D)
            parts.append((inputs.reshape(*mine.shape, -1), splits[first].labels[mine]))
        if len(parts) == 1:
            return parts[0]
        xp = array_module(parts[0][0])
        return xp.concatenate([X for X, _ in parts]), xp.concatenate([labels for _, labels in parts])

    return read
