"""Recordings: what a network made of each training example, kept for a term of the objective to match.

Plain arrays, one row for each example, made before training; or rows computed as they are read, where all of them would
not fit a memory budget, or where the inputs are not the same at every reading.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from npnet.analysis import BLOCK
from npnet.arrays import Array, array_module
from npnet.network import Network
from npnet.tasks.data import Split, batch

__all__ = ["Rows", "check_rows", "record"]


class Rows(Protocol):
    """What is matched: anything that gives arrays for the rows asked of it, of which it has so many. An array does."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> Any: ...


def record(f: Callable[[Array, Array], Array], split: Split, network: Network, budget: int = 2**30) -> Rows:
    """Return f(X, labels), a row (N, ...) for each example of a split, X as `network` reads it.

    An array if it fits `budget` bytes and the inputs are the same at every reading; else an object that computes the
    rows it is asked for, again each time.
    """

    def of(rows: Any) -> Array:
        return f(batch(split, rows, network.dtype), split.labels[rows])

    computed = _Computed(of, len(split))
    if split.varies:
        return computed
    first = of(slice(0, BLOCK))
    if first.nbytes // len(first) * len(split) > budget:
        return computed
    blocks = [first, *(of(slice(at, at + BLOCK)) for at in range(BLOCK, len(split), BLOCK))]
    return array_module(first).concatenate(blocks) if len(blocks) > 1 else first


@dataclass(frozen=True)
class _Computed:
    of: Callable[[Any], Array]
    examples: int

    def __len__(self) -> int:
        return self.examples

    def __getitem__(self, rows: Any, /) -> Array:
        return self.of(rows)


def check_rows(name: str, targets: Rows, examples: int | None) -> None:
    """Raise ValueError where a term has not a target for each of so many training examples."""
    if examples is not None and len(targets) != examples:
        raise ValueError(f"targets of {name!r} have {len(targets)} rows; expected {examples}, the training examples")
