"""Kept activations: a data set whose inputs are what frozen layers make of another one's.

While only the head trains, every epoch would send all inputs through all layers to get the same activations again.
Kept in memory, as long as they fit a budget, they turn that epoch into the epoch of a linear classifier. Training does
not know of them: it is handed a split, and reads it.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from npnet.arrays import Array, array_module
from npnet.data import Split, batch
from npnet.describe import describe
from npnet.error import BLOCK
from npnet.layers import Path, forward

__all__ = ["Kept", "Read", "is_kept", "name_of_path"]

Read = Callable[[Array], tuple[Array, Any]]
"""From the rows of a batch to the inputs of a path and the labels."""


@dataclass
class Kept:
    """Splits as frozen paths see them, kept while all their activations fit `budget` bytes.

    What an epoch did not read is dropped when the next one begins: a layer below it may have moved. So is what frozen
    weights made that were changed by hand since, told by their checksums.
    """

    budget: int
    splits: dict[Hashable, tuple[Path, Split, Split]] = field(default_factory=dict)
    used: set[Hashable] = field(default_factory=set)
    prints: dict[Hashable, Any] = field(default_factory=dict)

    def next_epoch(self) -> None:
        """Drop what has not been read since this was called last."""
        self.splits = {
            key: each
            for key, each in self.splits.items()
            if key in self.used and (not is_kept(each[2]) or self.prints[key] == _print(each[0]))
        }
        self.used = set()

    def split(self, below: Path, split: Split, dtype: np.dtype) -> Split:
        """Return a split with the outputs of the frozen path `below` for inputs; as it is where nothing is below."""
        if not below:
            return split
        key = (*name_of_path(below), id(split))
        self.used.add(key)
        if key not in self.splits:
            inputs = _Outputs(below, split, dtype)
            arrays: list[Any] = [each.inputs for *_, each in self.splits.values() if is_kept(each)]
            needed = inputs.nbytes + sum(array.nbytes for array in arrays)
            made = inputs if split.varies or needed > self.budget else inputs.array()
            self.prints[key] = _print(below)
            self.splits[key] = below, split, replace(split, inputs=made)  # with what was read, so that ids stay its own
        return self.splits[key][2]

    def read(self, split: Split, dtype: np.dtype, below: Path) -> Read:
        """Return the function that reads batches of what a frozen path makes of a split."""
        seen = self.split(below, split, dtype)
        return lambda rows: (batch(seen, rows, dtype), seen.answers(rows))


def _print(path: Path) -> list[Any]:
    """Return checksums of the parameters of a path, and of what a layer says that it holds beside them: `held`."""
    return [(describe(p), describe(getattr(layer, "held", None))) for layer, p in path]


def name_of_path(path: Path) -> tuple[Hashable, ...]:
    """Return what tells a path from others while its parameters exist: its layers, and the identity of these."""
    return tuple((layer if isinstance(layer, Hashable) else id(layer), id(p) if p else 0) for layer, p in path)


def is_kept(split: Split) -> bool:
    """Report whether the inputs of a split are in memory, not computed as they are read."""
    return not isinstance(split.inputs, _Outputs)


class _Outputs:
    """The outputs of a path for the inputs of a split (N, D), computed as they are read."""

    ndim = 2

    def __init__(self, path: Path, split: Split, dtype: np.dtype) -> None:
        self.path, self.split, self.read_as, self.varies = path, split, dtype, split.varies
        self.first = self[slice(0, BLOCK)]
        self.shape, self.dtype = (len(split), *self.first.shape[1:]), self.first.dtype

    @property
    def nbytes(self) -> int:
        """The bytes of all outputs."""
        return self.first.nbytes // len(self.first) * len(self)

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, rows: Any, /) -> Array:
        return forward(self.path, batch(self.split, rows, self.read_as))[0][-1]

    def array(self) -> Array:
        """Return all outputs, computed a block at a time."""
        array = array_module(self.first).empty(self.shape, self.dtype)
        array[:BLOCK] = self.first
        for at in range(BLOCK, len(self), BLOCK):
            array[at : at + BLOCK] = self[at : at + BLOCK]
        return array
