"""Measures: the error on a split, and what a sequence of tasks left of the earlier ones.

The error of a classification is the percentage misclassified, that of a regression the root mean squared error.
"""

import math
from collections.abc import Callable

import numpy as np

from npnet.arrays import Array, array_module
from npnet.network import Network
from npnet.tasks.data import Split, batch

__all__ = ["error", "error_of", "forgetting"]

BLOCK = 1000  # rows evaluated at once: large enough for fast products, small enough for any memory


def error(network: Network, head: str, split: Split) -> float:
    """Return the error of a head on a split, without dropout, as `error_of` defines it.

    Raises ValueError for an empty split and for labels that do not fit the head.
    """
    split.check(f"the split for head {head!r}", network.head(head)["b"].shape[-1])
    return error_of(lambda rows: network.logits(batch(split, rows, network.dtype), head), split)


def error_of(outputs: Callable[[slice], Array], split: Split) -> float:
    """Return the error of outputs Z (N, K) on a split; `outputs` gives some rows of them at a time.

    Classes t (N,): 100/N Σₙ [argmaxₖ zₙₖ ≠ tₙ], percent misclassified (on a tie, the first largest output counts).
    Targets t (N, K): √(1/(N K) Σₙₖ (zₙₖ − tₙₖ)²), the root mean squared error, in the targets' own units.
    """
    total = 0.0
    for start in range(0, len(split), BLOCK):
        rows = slice(start, start + BLOCK)
        Z, t = outputs(rows), split.labels[rows]
        if split.regression:
            D = Z.astype(np.float64) - t  # in double precision, where no square overflows
            total += float((D * D).sum())
        else:
            total += int((array_module(Z).argmax(Z, axis=-1) != t).sum())
    return math.sqrt(total / split.labels.size) if split.regression else 100 * total / len(split)


def forgetting(before: float, after: float) -> float:
    """Return by how much the error of an old task rose while a new one was learned: after − before.

    In percentage points, or in the units of a regression's targets.
    """
    return after - before
