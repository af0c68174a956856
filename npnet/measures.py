"""Measures of transfer and forgetting: what learning a sequence of tasks left of the earlier ones.

They are read off the error matrix E (T, T): E[i, j] is `npnet.error` on task j after task i was learned, NaN where
there was no head for it yet. Where the sources have accuracies, signs here are turned to match.
"""

import numpy as np

from npnet.arguments import checked
from npnet.arrays import Array, array_module
from npnet.data import Split, batch
from npnet.network import Network

__all__ = [
    "backward_transfer",
    "forgetting",
    "forgetting_since_best",
    "forgetting_since_learned",
    "forward_transfer",
    "r_squared",
    "transfer_score",
]


@checked
def forgetting(before: float, after: float) -> float:
    """Return by how much the error of an old task rose while a new one was learned: after − before.

    In percentage points, or in the units of a regression's targets.
    """
    return after - before


def forgetting_since_learned(E: Array) -> Array:
    """Return, for every task but the last, by how much its error rose since it was learned: E[T−1, j] − E[j, j].

    (T − 1,), negative where later tasks helped: "first − last" of the accuracies. Raises ValueError for another shape.
    """
    _check_square(E)
    return E[-1, :-1] - np.diagonal(E)[:-1]


def forgetting_since_best(E: Array) -> Array:
    """Return, for every task but the last, by how much its error rose since it was lowest: E[T−1, j] − minᵢ E[i, j].

    The minimum is over i < T − 1, what is not known left out: "max − last" of the accuracies; (T − 1,). Never less than
    `forgetting_since_learned`. Raises ValueError for another shape. Source: Chaudhry et al. 2018, definition 1.
    """
    _check_square(E)
    return E[-1, :-1] - np.nanmin(E[:-1, :-1], axis=0)


def backward_transfer(E: Array) -> float:
    """Return how much later tasks improved the earlier ones: mean over j < T − 1 of E[j, j] − E[T−1, j], points.

    Forgetting makes it negative. Raises ValueError for another shape. Source: Lopez-Paz and Ranzato 2017, equation 3.
    """
    return -float(forgetting_since_learned(E).mean())


def forward_transfer(E: Array, untrained: Array) -> float:
    """Return how much earlier tasks improved those to come: mean over j > 0 of untrained[j] − E[j−1, j], points.

    untrained (T,): errors of the network as it began. Every task needs a head before it is learned: shared by all, or
    refitted as a probe. Raises ValueError for another shape, and where such an error is not known.
    Source: Lopez-Paz and Ranzato 2017, equation 4.
    """
    _check_square(E)
    before = np.diagonal(E, 1)
    if untrained.shape != E.shape[:1] or np.isnan(before).any() or np.isnan(untrained[1:]).any():
        raise ValueError(
            f"untrained is {untrained}, errors before learning are {before}; expected {len(E)}, {len(before)} numbers"
        )
    return float((untrained[1:] - before).mean())


def transfer_score(error: float, alone: float) -> float:
    """Return an accuracy relative to that of a network that learned the task alone: (100 − error) / (100 − alone).

    Above 1 the earlier tasks helped. Raises ValueError unless both errors are percent misclassified, `alone` below 100.
    Source: Rusu et al. 2016, section 4, with accuracies for their scores.
    """
    if not (0 <= error <= 100 and 0 <= alone < 100):
        raise ValueError(f"error is {error}, alone {alone}; expected percentages, the second below 100")
    return (100 - error) / (100 - alone)


def _check_square(E: Array) -> None:
    if E.ndim != 2 or E.shape[0] != E.shape[1] or len(E) < 2:
        raise ValueError(f"E has shape {E.shape}; expected (T, T) with at least two tasks")


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
