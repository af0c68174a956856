"""What training reads: inputs with labels, and the three splits of a task. Pixels stay as stored until read.

Labels are of one of four kinds, which says what an error is (see npnet.error):

    classes        whole numbers (N,) from 0; for a head with one output 0 and 1
    labels         0 or 1 for each of several labels (N, K)
    probabilities  floats (N, K) of the classes, which sum to 1
    values         floats (N, K), the targets of a regression, in units of their own
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npnet.arrays import shown
from npnet.losses import Weighted
from npnet.readable import check_inputs, check_labels, check_weights

__all__ = ["Split", "Task", "batch", "part"]


class Inputs(Protocol):
    """What a Split asks of its inputs: an array has it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, D)."""

    @property
    def ndim(self) -> int:
        """2."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> NDArray[Any]: ...


@dataclass(frozen=True)
class Split:
    """Inputs (N, D), uint8 pixels (`batch` scales them to [0, 1]) or floats, their labels, and perhaps their weights.

    inputs: an array, or any object of such a shape that gives arrays for the rows asked of it, in any order; where it
    has an attribute `varies` that is true, what it gives for a row may be another thing every time.

    labels: an array of one of the kinds above. kind: which; "" for what the array shows: whole numbers (N,) are
    classes, floats (N, K) values.

    weights: how much each example counts in the loss (N,), floats from zero; None: all alike. Errors count all alike.

    Raises ValueError for what training could not read, with what to call, where shapes or types do not fit together,
    and for targets that are not finite. Warns of uint8 inputs that use less than half of the range of pixels.
    """

    inputs: Inputs
    labels: NDArray[Any]
    kind: str = ""
    weights: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        check_inputs(self.inputs)
        object.__setattr__(self, "kind", check_labels(self.labels, len(self.inputs), self.kind))
        check_weights(self.weights, len(self.inputs))

    @property
    def regression(self) -> bool:
        """Whether the labels are the target values of a regression."""
        return self.kind == "values"

    def answers(self, rows: Any) -> Any:
        """Return what a loss is given for some rows: their labels, or these with their weights."""
        labels = self.labels[rows]
        return labels if self.weights is None else Weighted(labels, self.weights[rows])

    @property
    def varies(self) -> bool:
        """Whether a row of the inputs depends on the rows that are read with it, so that nothing of it can be kept."""
        return getattr(self.inputs, "varies", False)

    def check(self, name: str, outputs: int) -> None:
        """Raise ValueError, calling the split `name`, where it is empty or its labels do not fit so many outputs."""
        labels, classes = self.labels, max(outputs, 2)  # one output tells two classes apart
        if len(labels) == 0:
            raise ValueError(f"{name} is empty; expected at least one example")
        if self.kind != "classes":
            if labels.shape[1] != outputs:
                raise ValueError(
                    f"labels of {name} have {labels.shape[1]} values each; expected {outputs}, one an output"
                )
        elif labels.min() < 0 or labels.max() >= classes:
            raise ValueError(f"labels of {name} run from {labels.min()} to {labels.max()}; expected 0 to {classes - 1}")

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Task:
    """A task: a name, the number of outputs of its head, and disjoint training, validation and test splits.

    outputs: the classes (or 1 for two of them), the labels, or the target values. Raises ValueError for what is no
    name, number or Split, where a split does not fit the outputs or is empty, and for splits with labels of two kinds.
    """

    name: str
    outputs: int
    train: Split
    validation: Split
    test: Split

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise ValueError(f"name is {shown(self.name)}; expected a string")
        if not isinstance(self.outputs, int | np.integer) or self.outputs < 1:
            raise ValueError(
                f"outputs of task {self.name!r} is {shown(self.outputs)}; expected a whole number, at least 1"
            )
        for which in ("train", "validation", "test"):
            split = getattr(self, which)
            if not isinstance(split, Split):
                raise ValueError(f"{which} of task {self.name!r} is {shown(split)}; expected a Split of its own")
            if split.kind != self.train.kind:
                raise ValueError(
                    f"labels of {which} of task {self.name!r} are {split.kind}; expected {self.train.kind}, as in train"
                )
            split.check(f"{which} of task {self.name!r}", self.outputs)

    @staticmethod
    def from_arrays(X: Any, y: Any, **options: Any) -> "Task":
        """Return the task of inputs and answers of your own: see `npnet.tasks.task_from_arrays` for its options."""
        from npnet.tasks.arrays import task_from_arrays

        return task_from_arrays(X, y, **options)


def part(split: Split, rows: Any) -> Split:
    """Return some rows of a split, in memory."""
    weights = None if split.weights is None else split.weights[rows]
    return Split(split.inputs[rows], split.labels[rows], split.kind, weights)


def batch(split: Split, rows: Any, dtype: DTypeLike = np.float32) -> NDArray[np.floating]:
    """Return the inputs of some rows (a slice or index array) as floats: uint8 pixels over 255, others as they are."""
    X = split.inputs[rows]
    number: Any = np.dtype(dtype).type
    return X * number(1 / 255) if X.dtype == np.uint8 else X.astype(dtype, copy=False)
