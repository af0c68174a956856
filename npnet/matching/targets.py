"""Cached targets: what a teacher makes of each training example, kept for a term of the objective to match.

Plain arrays, one row for each example, made before training; or rows computed as they are read, where all of them would
not fit a memory budget, or where the inputs are not the same at every reading.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from npnet.arrays import Array, array_module
from npnet.data import Split, batch
from npnet.error import BLOCK
from npnet.network import Network

__all__ = ["Targets", "cached_targets", "check_targets"]


class Targets(Protocol):
    """A sized object indexable by rows, such as an array: a target for each training example."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> Any: ...


def cached_targets(f: Callable[[Array, Array], Array], split: Split, network: Network, budget: int = 2**30) -> Targets:
    """Return f(X, labels), a row (N, ...) for each example of a split, X as `network` reads it.

    An array if it fits `budget` bytes and the inputs are the same at every reading; otherwise an object that computes
    the requested rows, each time.
    """
    computed = _Computed(f, split, network.dtype)
    if split.varies:
        return computed
    first = computed[:BLOCK]
    if first.nbytes // len(first) * len(split) > budget:
        return computed
    blocks = [first, *(computed[at : at + BLOCK] for at in range(BLOCK, len(split), BLOCK))]
    return array_module(first).concatenate(blocks) if len(blocks) > 1 else first


@dataclass(frozen=True)
class _Computed:
    """Targets of the requested rows, computed each time."""

    f: Callable[[Array, Array], Array]
    split: Split
    dtype: np.dtype

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, rows: Any, /) -> Array:
        return self.f(batch(self.split, rows, self.dtype), self.split.labels[rows])


def check_targets(name: str, targets: Targets, examples: int | None) -> None:
    """Raise ValueError unless there is one target per training example, where their number is given."""
    if examples is not None and len(targets) != examples:
        raise ValueError(f"targets of {name!r} have {len(targets)} rows; expected {examples}, the training examples")
