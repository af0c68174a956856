"""What an estimator learns from, as npnet's splits: dense or sparse inputs, their targets and weights."""

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.model_selection import train_test_split

from npnet.arrays import Array
from npnet.data import Split

__all__ = ["held_out", "readable", "taken"]


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


def taken(split: Split, rows: Array) -> Split:
    """Return some examples of a split; sparse inputs stay sparse."""
    inputs: Any = split.inputs
    some = _SparseRows(inputs.matrix[rows]) if isinstance(inputs, _SparseRows) else inputs[rows]
    weights = None if split.weights is None else split.weights[rows]
    return replace(split, inputs=some, labels=split.labels[rows], weights=weights)


def held_out(split: Split, fraction: float, random_state: Any) -> tuple[Split, Split]:
    """Return the examples to learn from and those set aside, classes in their proportions, as scikit-learn splits them.

    Raises ValueError where fewer than two would be set aside.
    """
    classes = split.labels if split.kind == "classes" else None
    rows = train_test_split(np.arange(len(split)), test_size=fraction, random_state=random_state, stratify=classes)
    if len(rows[1]) < 2:
        raise ValueError(
            f"validation_fraction is {fraction} of {len(split)} examples; expected at least two for validation"
        )
    return taken(split, rows[0]), taken(split, rows[1])
