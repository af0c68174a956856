"""What training reads: inputs with labels, and the three splits of a task. Pixels stay as stored until read.

Labels are whole numbers (N,), the classes of a classification, or floats (N, K), the target values of a regression.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npnet.arrays import shown
from npnet.readable import check_inputs, check_labels

__all__ = ["Split", "Task", "batch"]


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
    """Inputs (N, D), uint8 pixels (`batch` scales them to [0, 1]) or floats, and their labels.

    inputs: an array, or any object of such a shape that gives arrays for the rows asked of it, in any order; where it
    has an attribute `varies` that is true, what it gives for a row may be another thing every time.

    labels: an array of classes (N,), whole numbers from zero, or of the targets of a regression (N, K), floats in units
    of their own.

    Raises ValueError for what training could not read, with what to call, where shapes or types do not fit together,
    and for targets that are not finite. Warns of uint8 inputs that use less than half of the range of pixels.
    """

    inputs: Inputs
    labels: NDArray[Any]

    def __post_init__(self) -> None:
        check_inputs(self.inputs)
        check_labels(self.labels, len(self.inputs))

    @property
    def regression(self) -> bool:
        """Whether the labels are the target values of a regression."""
        return self.labels.ndim == 2

    @property
    def varies(self) -> bool:
        """Whether a row of the inputs depends on the rows that are read with it, so that nothing of it can be kept."""
        return getattr(self.inputs, "varies", False)

    def check(self, name: str, outputs: int) -> None:
        """Raise ValueError, calling the split `name`, where it is empty or its labels do not fit so many outputs."""
        labels = self.labels
        if len(labels) == 0:
            raise ValueError(f"{name} is empty; expected at least one example")
        if self.regression:
            if labels.shape[1] != outputs:
                raise ValueError(
                    f"labels of {name} have {labels.shape[1]} values each; expected {outputs}, one an output"
                )
        elif labels.min() < 0 or labels.max() >= outputs:
            raise ValueError(f"labels of {name} run from {labels.min()} to {labels.max()}; expected 0 to {outputs - 1}")

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Task:
    """A task: a name, the number of outputs of its head, and disjoint training, validation and test splits.

    outputs: the classes of a classification, or the target values of a regression. Raises ValueError for what is no
    name, number or Split, where a split does not fit the outputs or is empty, and where one split has classes and
    another targets.
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
            if split.regression != self.train.regression:
                raise ValueError(
                    f"labels of {which} of task {self.name!r} have dtype {split.labels.dtype}; expected classes or "
                    f"targets in every split, as in train, {self.train.labels.dtype}"
                )
            split.check(f"{which} of task {self.name!r}", self.outputs)


def batch(split: Split, rows: Any, dtype: DTypeLike = np.float32) -> NDArray[np.floating]:
    """Return the inputs of some rows (a slice or index array) as floats: uint8 pixels over 255, others as they are."""
    X = split.inputs[rows]
    number: Any = np.dtype(dtype).type
    return X * number(1 / 255) if X.dtype == np.uint8 else X.astype(dtype, copy=False)
