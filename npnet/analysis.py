"""Measures: the error on a split, and what a sequence of tasks left of the earlier ones.

The error of a classification is the percentage misclassified, that of a regression the root mean squared error.
"""

import math
from collections.abc import Callable

import numpy as np

from npnet.arrays import Array, array_module
from npnet.network import Network
from npnet.tasks.data import Split, batch

__all__ = ["error", "error_of", "forgetting", "r_squared"]

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


def r_squared(before: Network, after: Network, split: Split) -> list[Array]:
    """Return, for each hidden layer, how much of each unit's output the same unit's output before explains: (K,).

    With a and b one unit's outputs before and after on the inputs of the split, the R² of the least-squares line
    through the points (a, b): [Σ (a − ā)(b − b̄)]² / [Σ (a − ā)² · Σ (b − b̄)²], from 0 to 1 whatever the slope. A
    unit that varied before and is constant after, or the reverse, has 0; one that is constant both times has NaN, for
    there is nothing to explain. Raises ValueError for networks of different widths.
    Source: Li, Grandvalet and Davoine 2018, section 4.4 and figure 4.
    """
    widths = [[p["W"].shape for p in network.trunk] for network in (before, after)]
    if widths[0] != widths[1]:
        raise ValueError(f"before and after have weights {widths[0]} and {widths[1]}; expected the same shapes")
    X = batch(split, slice(None), before.dtype)
    pairs = zip(before.hidden_outputs(X), after.hidden_outputs(X), strict=True)
    return [_explained(a.astype(np.float64), b.astype(np.float64)) for a, b in pairs]


def _explained(a: Array, b: Array) -> Array:
    """Return the squared correlation of each column of a (N, K) with that of b: (K,)."""
    xp = array_module(a, b)
    varies = [(z != z[:1]).any(0) for z in (a, b)]  # by comparison: rounding may leave a constant a variance
    a, b = a - a.mean(0), b - b.mean(0)
    both = varies[0] & varies[1]
    product = xp.where(both, (a * a).sum(0) * (b * b).sum(0), 1)
    explained = xp.where(both, xp.minimum((a * b).sum(0) ** 2 / product, 1), 0)
    return xp.where(varies[0] | varies[1], explained, xp.nan)
