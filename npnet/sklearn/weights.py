"""Examples with weights: the loss of a batch is the mean in which each example counts as often as its weight says.

    L = Σₙ wₙ Lₙ / Σₙ wₙ        over the examples of a batch

A weight of 2 is the example twice, and of 0 none. Labels travel together with their weights, as one pair.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from npnet.arrays import Array, array_module
from npnet.data import Split
from npnet.frozen import Kept, Read
from npnet.layers import Path
from npnet.losses import cross_entropy, squared_error
from npnet.objective import loss_at_head
from npnet.step import Objective

__all__ = ["Weighted", "WeightedLoss", "weighted_cross_entropy", "weighted_squared_error"]


class Weighted(NamedTuple):
    """Labels of some examples, and their weights (N,)."""

    labels: Array
    weights: Array


def weighted_cross_entropy(Z: Array, of: Weighted) -> tuple[Array, Array]:
    """Return `cross_entropy` of logits Z (N, K), the weighted mean over examples, and its gradient."""
    return cross_entropy(Z, of.labels, weights=of.weights)


def weighted_squared_error(Z: Array, of: Weighted) -> tuple[Array, Array]:
    """L = Σₙ wₙ ½‖zₙ − tₙ‖² / Σ w of outputs Z (N, K), dZ = wₙ (zₙ − tₙ) / Σ w.

    It is `squared_error` of rows that are √(wₙ N / Σ w) times as long.
    """
    w = of.weights
    root = array_module(w).sqrt(w * (len(w) / w.sum())).astype(Z.real.dtype)[:, None]  # (N, 1)
    value, dZ = squared_error(Z * root, of.labels * root)
    return value, dZ * root


@dataclass(frozen=True, eq=False)
class WeightedLoss:
    """The objective of training on examples with weights (N,): as plain_loss, with the weights of each batch."""

    weights: Array

    def __call__(self, job: Any, kept: Kept) -> dict[str, Objective]:
        """Return the objectives of a training job's next epoch."""
        network, loss_of, mask = job.run.network, job.settings.loss_of, job.run.mask
        return {
            head: loss_at_head(network, head, loss_of(head), mask, partial(self._read, kept, task.train, network.dtype))
            for head, task in job.tasks.items()
        }

    def _read(self, kept: Kept, split: Split, dtype: Any, below: Path) -> Read:
        read: Callable[[Array], tuple[Array, Any]] = kept.read(split, dtype, below)

        def weighted(rows: Array) -> tuple[Array, Weighted]:
            X, labels = read(rows)
            return X, Weighted(labels, self.weights[rows])

        return weighted
