"""The error of a network on a split: percent misclassified, or the root mean squared error of a regression."""

import math

import numpy as np

from npnet.arrays import array_module
from npnet.data import Split, batch
from npnet.layers import Path, forward
from npnet.network import Network

__all__ = ["BLOCK", "error", "error_along"]

BLOCK = 1000  # rows evaluated at once: large enough for fast products, small enough for any memory


def error(network: Network, head: str, split: Split) -> float:
    """Return the error of a head on a split, without dropout, as `error_along` defines it.

    Raises ValueError for an empty split and for labels that do not fit the head.
    """
    split.check(f"the split for head {head!r}", network.head(head)["b"].shape[-1])
    return error_along(network.path(head), split, network.dtype)


@np.errstate(under="ignore", over="ignore", invalid="ignore")  # what is not finite is said below
def error_along(path: Path, split: Split, dtype: np.dtype) -> float:
    """Return the error of the outputs Z (N, K) that a path makes of the inputs of a split.

    Classes t (N,): 100/N Σₙ [argmaxₖ zₙₖ ≠ tₙ], percent misclassified (on a tie, the first largest output counts).
    Targets t (N, K): √(1/(N K) Σₙₖ (zₙₖ − tₙₖ)²), the root mean squared error, in the targets' own units.
    """
    total = 0.0
    for start in range(0, len(split), BLOCK):
        rows = slice(start, start + BLOCK)
        Z, t = forward(path, batch(split, rows, dtype))[0][-1], split.labels[rows]
        if split.regression:
            D = Z.astype(np.float64) - t  # in double precision, where no square overflows
            total += float((D * D).sum())
        else:
            total += int((array_module(Z).argmax(Z, axis=-1) != t).sum())
    return math.sqrt(total / split.labels.size) if split.regression else 100 * total / len(split)
