"""What an estimator learns from: inputs, dense or sparse, their targets in npnet's terms, and their weights."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.model_selection import train_test_split

from npnet.arrays import Array
from npnet.data import Split

__all__ = ["Examples", "held_out", "readable"]


class _SparseRows:
    """A sparse matrix (N, D) that gives the rows asked of it as a dense array: a batch at a time."""

    ndim = 2

    def __init__(self, matrix: Any) -> None:
        self.matrix, self.shape, self.dtype = matrix.tocsr(), matrix.shape, matrix.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Array:
        return self.matrix[rows].toarray()


def readable(X: Any) -> Any:
    """Return inputs as a Split reads them: rows of a sparse matrix become dense when they are asked for."""
    return _SparseRows(X) if issparse(X) else np.asarray(X)


@dataclass(frozen=True)
class Examples:
    """Inputs X (N, D), targets, classes (N,) or values (N, K), and weights (N,), None where all count alike."""

    X: Any
    targets: Array
    weights: Array | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, rows: Array) -> "Examples":
        """Return some of the examples."""
        return Examples(self.X[rows], self.targets[rows], None if self.weights is None else self.weights[rows])

    def split(self) -> Split:
        """Return them as npnet reads them, without weights."""
        return Split(readable(self.X), self.targets)

    @property
    def mean_weight(self) -> float:
        """The mean weight of an example."""
        return 1.0 if self.weights is None else float(self.weights.mean())


def held_out(examples: Examples, fraction: float, random_state: Any) -> tuple[Examples, Examples]:
    """Return the examples to learn from and those set aside, classes in their proportions, as scikit-learn splits them.

    Raises ValueError where fewer than two would be set aside.
    """
    classes = examples.targets if examples.targets.ndim == 1 else None
    rows = train_test_split(np.arange(len(examples)), test_size=fraction, random_state=random_state, stratify=classes)
    if len(rows[1]) < 2:
        raise ValueError(
            f"validation_fraction is {fraction} of {len(examples)} examples; expected at least two for validation"
        )
    return examples.take(rows[0]), examples.take(rows[1])
