"""What training can read: inputs and labels are checked when a split is made, and refused with what to call.

Tables, sparse and masked arrays, tensors of other libraries, arrays on disk, names for classes: each is like an array
until training indexes it. Nothing is converted here, for a conversion would be a guess.
"""

import warnings
from typing import Any

import numpy as np

from npnet.arrays import array_module, as_array, is_array, shown

__all__ = ["check_inputs", "check_labels", "check_rows", "check_weights"]

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


_FORMS = {"classes": (1, "iu"), "labels": (2, "biu"), "probabilities": (2, "f"), "values": (2, "f")}
"""How many axes the labels of each kind have, and which dtypes."""


def check_labels(labels: Any, N: int, kind: str = "") -> str:
    """Return the kind of the labels of N examples. Raises ValueError for what is none, or of another kind."""
    if not is_array(labels):
        raise ValueError(f"labels is a {_kind(labels)}; expected an array: {as_array('labels', labels)}")
    shape, dtype = labels.shape, labels.dtype
    if not isinstance(kind, str) or (kind and kind not in _FORMS):
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(_FORMS)}")
    kind = kind or ("values" if len(shape) == 2 else "classes")
    axes, dtypes = _FORMS[kind]
    if shape[:1] != (N,) or len(shape) != axes or dtype.kind not in dtypes:
        call = _labels(shape, dtype) if shape[:1] == (N,) else ""
        raise ValueError(
            f"labels has shape {shape} and dtype {dtype}; expected whole numbers ({N},), or floats ({N}, K){call}"
        )
    if kind == "labels" and not ((labels == 0) | (labels == 1)).all():
        raise ValueError(f"labels run from {labels.min()} to {labels.max()}; expected 0 or 1 for each label")
    if dtypes == "f":
        finite = array_module(labels).isfinite(labels).all(-1)  # (N, K) → (N,)
        if not finite.all():
            row = int(finite.argmin())
            raise ValueError(f"labels has {labels[row]} in row {row}; expected finite numbers")
    if kind == "probabilities":
        fits = (labels >= 0).all(-1) & (abs(labels.sum(-1) - 1) < 1e-3)
        if not fits.all():
            row = int(fits.argmin())
            raise ValueError(f"labels has {labels[row]} in row {row}; expected probabilities, which sum to 1")
    return kind


def check_rows(rows: Any, N: int) -> None:
    """Raise ValueError for an order of examples that is none: not whole numbers from 0 to N − 1, or none at all."""
    if getattr(rows, "ndim", 0) != 1 or rows.dtype.kind not in "iu" or not rows.size:
        raise ValueError(f"order gives {shown(rows)}; expected an array of row numbers, from 0 to {N - 1}")
    if rows.min() < 0 or rows.max() >= N:
        raise ValueError(f"order gives rows from {rows.min()} to {rows.max()}; expected 0 to {N - 1}")


def check_weights(weights: Any, N: int) -> None:
    """Raise ValueError for weights that are not one number from zero for each of N examples."""
    if weights is None:
        return
    if not is_array(weights) or weights.shape != (N,) or weights.dtype.kind != "f":
        raise ValueError(f"weights is {shown(weights)}; expected floats ({N},), one for each example, or None")
    if not (array_module(weights).isfinite(weights) & (weights >= 0)).all():
        raise ValueError(f"weights run from {weights.min()} to {weights.max()}; expected finite numbers from zero")


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
        several = ', kind="labels" for several labels at once' if dtype.kind in "iub" else ""
        return f": {classes} for classes, labels.astype(numpy.float32) for targets{several}"
    return ""
