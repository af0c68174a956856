"""What training can read: inputs and labels are checked when a split is made, and refused with what to call.

Tables, sparse and masked arrays, tensors of other libraries, arrays on disk, names for classes: each is like an array
until training indexes it. Nothing is converted here, for a conversion would be a guess.
"""

import warnings
from typing import Any

import numpy as np

from npnet.arrays import array_module, as_array, is_array

__all__ = ["check_inputs", "check_labels"]

_LOOK = 1_000  # rows of a mapped file that are looked at


def check_inputs(inputs: Any) -> None:
    """Raise ValueError for inputs that training cannot read."""
    if not all(hasattr(inputs, each) for each in ("shape", "ndim", "__len__", "__getitem__")):
        raise ValueError(f"inputs is a {_kind(inputs)}; expected an array: {as_array('inputs', inputs)}")
    shape, dtype = inputs.shape, getattr(inputs, "dtype", None)
    if isinstance(dtype, np.dtype) and (len(shape) != 2 or not _is_read(dtype)):
        call = _floats("inputs", dtype) if is_array(inputs) else as_array("inputs", inputs)
        hint = f": {call}" if len(shape) == 2 or not is_array(inputs) else ""
        raise ValueError(f"inputs has shape {shape} and dtype {dtype}; expected (N, D), uint8 pixels or floats{hint}")
    if not is_array(inputs):
        _check_rows(inputs)
    elif dtype == np.uint8:
        seen = inputs[:_LOOK] if isinstance(inputs, np.memmap) else inputs
        brightest = int(seen.max()) if seen.size else 0
        if 0 < brightest < 128:
            warnings.warn(
                f"inputs has dtype uint8 and no value above {brightest}: uint8 is read as pixels, divided by 255. "
                f"Where these are none, give {_floats('inputs', dtype)}",
                stacklevel=5,
            )


def _check_rows(inputs: Any) -> None:
    """Raise ValueError for an object that does not give arrays for rows in any order."""
    expected = f"expected an array, or an object that gives arrays for rows: {as_array('inputs', inputs)}"
    if isinstance(inputs, np.ndarray):
        raise ValueError(f"inputs is a {_kind(inputs)}; {expected}")
    try:
        first = inputs[:2]
        rows = inputs[array_module(first).asarray([1, 0])] if is_array(first) and len(first) == 2 else first
    except Exception as error:  # whatever another library raises
        raise ValueError(
            f"inputs is a {_kind(inputs)} that cannot give the rows [1, 0] ({error!r:.80}), and training reads rows in "
            "any order; expected an array: inputs[:], where that is one"
        ) from error
    if not (is_array(first) and is_array(rows)):
        raise ValueError(f"inputs is a {_kind(inputs)}, whose rows are a {_kind(first)}; {expected}")
    if first.ndim != 2 or rows.shape != first.shape or not _is_read(first.dtype):
        raise ValueError(
            f"inputs gives rows of shape {first.shape} and dtype {first.dtype}; expected (n, D), uint8 pixels or floats"
        )


def check_labels(labels: Any, N: int) -> None:
    """Raise ValueError for labels that are neither classes nor targets of N examples."""
    if not is_array(labels):
        raise ValueError(f"labels is a {_kind(labels)}; expected an array: {as_array('labels', labels)}")
    shape, dtype = labels.shape, labels.dtype
    if shape[:1] != (N,) or (len(shape), dtype.kind) not in ((1, "i"), (1, "u"), (2, "f")):
        call = _labels(shape, dtype) if shape[:1] == (N,) else ""
        raise ValueError(
            f"labels has shape {shape} and dtype {dtype}; expected whole numbers ({N},), or floats ({N}, K){call}"
        )
    if len(shape) == 2:
        finite = array_module(labels).isfinite(labels).all(-1)  # (N, K) → (N,)
        if not finite.all():
            row = int(finite.argmin())
            raise ValueError(f"labels has {labels[row]} in row {row}; expected finite numbers")


def _is_read(dtype: np.dtype) -> bool:
    """Report whether `batch` makes floats of a dtype."""
    return dtype == np.uint8 or dtype.kind == "f"


def _kind(value: Any) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__.partition('.')[0]} {kind.__name__}"


def _floats(name: str, dtype: np.dtype) -> str:
    """Return the call that makes floats of an array."""
    if dtype.kind == "c":
        return f"numpy.concatenate([{name}.real, {name}.imag], 1)"
    return f"{name}.astype(numpy.float32)"


def _labels(shape: tuple[int, ...], dtype: np.dtype) -> str:
    """Return what to call where labels have the right length and another form."""
    if dtype.kind in "OUST":
        return ": numpy.unique(labels, return_inverse=True)[1] numbers names"
    if dtype.kind == "b" and len(shape) == 1:
        return ": labels.astype(numpy.int64)"
    if dtype.kind == "f" and len(shape) == 1:
        return ": labels.astype(numpy.int64) for classes, labels[:, None] for targets"
    if dtype.kind in "iub" and len(shape) == 2:
        classes = "labels[:, 0]" if shape[1] == 1 else "labels.argmax(1)"
        return f": {classes} for classes, labels.astype(numpy.float32) for targets"
    return ""
