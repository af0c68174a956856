"""Measures: errors in percent misclassified, and what a sequence of tasks left of the earlier ones."""

from npnet.arrays import Array, array_module
from npnet.network import Network
from npnet.tasks.data import Split, batch

__all__ = ["error", "forgetting", "misclassified"]

BLOCK = 1000  # rows evaluated at once: large enough for fast products, small enough for any memory


def misclassified(Z: Array, labels: Array) -> int:
    """Return how many of the N rows of logits Z (N, K) have their largest entry (the first, on a tie) elsewhere."""
    return int((array_module(Z).argmax(Z, axis=-1) != labels).sum())


def error(network: Network, head: str, split: Split) -> float:
    """Return the percentage of a split that a head misclassifies, without dropout."""
    wrong = 0
    for start in range(0, len(split), BLOCK):
        rows = slice(start, start + BLOCK)
        wrong += misclassified(network.logits(batch(split, rows, network.dtype), head), split.labels[rows])
    return 100 * wrong / len(split)


def forgetting(before: float, after: float) -> float:
    """Return the percentage points of error that an old task gained while a new one was learned: after − before."""
    return after - before
