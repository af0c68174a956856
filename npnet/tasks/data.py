"""What training reads: inputs with labels, and the three splits of a task. Pixels stay as stored until read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["Split", "Task", "batch"]


@dataclass(frozen=True)
class Split:
    """Inputs (N, D), uint8 pixels (`batch` scales them to [0, 1]) or floats, and labels (N,), 0 … classes − 1.

    Raises ValueError where the shapes or types do not fit together.
    """

    inputs: NDArray[np.generic]
    labels: NDArray[Any]

    def __post_init__(self) -> None:
        if self.inputs.ndim < 2:
            raise ValueError(f"inputs has shape {self.inputs.shape}; expected (N, D)")
        if self.labels.shape != self.inputs.shape[:1]:
            raise ValueError(
                f"labels has shape {self.labels.shape}; expected ({len(self.inputs)},), one for each input"
            )
        if self.labels.dtype.kind not in "iu":
            raise ValueError(f"labels has dtype {self.labels.dtype}; expected whole numbers")

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Task:
    """A classification task: a name, its number of classes, and disjoint training, validation and test splits."""

    name: str
    classes: int
    train: Split
    validation: Split
    test: Split

    def __post_init__(self) -> None:
        for which in ("train", "validation", "test"):
            labels = getattr(self, which).labels
            if len(labels) == 0:
                raise ValueError(f"{which} of task {self.name!r} is empty; expected at least one example")
            if labels.min() < 0 or labels.max() >= self.classes:
                raise ValueError(
                    f"labels of {which} of task {self.name!r} run from {labels.min()} to {labels.max()}; "
                    f"expected 0 to {self.classes - 1}"
                )


def batch(split: Split, rows: Any, dtype: DTypeLike = np.float32) -> NDArray[np.floating]:
    """Return the inputs of some rows (a slice or index array) as floats: uint8 pixels over 255, others as they are."""
    X = split.inputs[rows]
    number: Any = np.dtype(dtype).type
    return X * number(1 / 255) if X.dtype == np.uint8 else X.astype(dtype, copy=False)
