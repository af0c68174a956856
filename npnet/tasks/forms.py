"""Which forms of arrays a task of one's own may be made of, and what each is taken for.

Arrays of NumPy and what converts itself to them, as a table of pandas, are read. Sparse matrices, masked arrays,
tensors of PyTorch and complex numbers are refused with the call that makes an array of them.
"""

from typing import Any, NamedTuple

import numpy as np

from npnet.arrays import shown

__all__ = ["Answers", "answers_of", "codes_of", "inputs_of", "weights_of"]


class Answers(NamedTuple):
    """Answers as a Split holds them, their kind, what each output is called, and what they were made of."""

    codes: np.ndarray
    kind: str
    classes: tuple[Any, ...]
    said: str = ""


def plain(name: str, value: Any) -> np.ndarray:
    """Return the array of something that is one or makes one. Raises ValueError with what to call for what is not."""
    kind = f"{type(value).__module__.partition('.')[0]} {type(value).__name__}"
    if isinstance(value, np.ma.MaskedArray):
        raise ValueError(f"{name} is a masked array, whose masked entries have no value; call {name}.filled(...)")
    if hasattr(value, "toarray") and hasattr(value, "nnz"):
        raise ValueError(f"{name} is a sparse matrix ({kind}); call {name}.toarray()")
    if type(value).__module__.partition(".")[0] == "torch":
        raise ValueError(f"{name} is a tensor of PyTorch; call {name}.detach().cpu().numpy()")
    if hasattr(value, "get") and hasattr(value, "device") and not hasattr(value, "iloc"):
        raise ValueError(f"{name} is an array on a device; call {name}.get()")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is a {kind} that is no array ({error}); expected rows of one length") from error
    if array.dtype.kind == "c":
        raise ValueError(
            f"{name} is complex; call numpy.abs({name}), or numpy.concatenate([{name}.real, {name}.imag], -1) for both"
        )
    return array


def inputs_of(name: str, value: Any) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return inputs (N, D), each laid out in a row, and the shape that one had."""
    array = plain(name, value)
    if array.dtype.kind == "O" and hasattr(value, "columns"):  # a table with columns of several kinds
        words = [str(column) for column in value.columns if not _numbers(np.asarray(value[column]))]
        if words:
            listed = ", ".join(words[:5]) + ", ..." * (len(words) > 5)
            raise ValueError(f"{name} has columns that are no numbers, {listed}; call pandas.get_dummies({name})")
        array = array.astype(np.float64)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} has dtype {array.dtype}; expected numbers")
    if array.ndim < 2:
        raise ValueError(f"{name} has shape {array.shape}; expected (N, D), or (N, ...) of images")
    flat = array.reshape(len(array), -1)
    if flat.dtype.kind == "f" and not np.isfinite(flat).all():
        row, column = (int(i[0]) for i in np.nonzero(~np.isfinite(flat)))
        raise ValueError(f"{name} has {flat[row, column]} in row {row}, column {column}; expected finite numbers")
    return np.ascontiguousarray(flat), array.shape[1:]


def _numbers(column: np.ndarray) -> bool:
    """Report whether a column of a table holds numbers alone."""
    if column.dtype.kind == "O":
        return all(isinstance(each, int | float | np.number) for each in column.tolist())
    return column.dtype.kind in "biuf"


def weights_of(name: str, value: Any, n: int) -> np.ndarray:
    """Return weights (N,) as floats."""
    array = plain(name, value)
    if array.shape != (n,) or array.dtype.kind not in "biuf":
        raise ValueError(f"{name} is {shown(array)}; expected ({n},), a number for each example")
    return array.astype(np.float64)


def answers_of(y: Any, n: int, kind: str = "") -> Answers:
    """Return what y says of n examples.

    (N,) or (N, 1) whole numbers or words are classes, in sorted order, floats are values to predict; (N, K) zeros and
    ones with a single one in each row are classes, with more of them several labels at once; (N, K) floats are values.
    kind: "classes", "labels", "probabilities" or "values" where it should be another.
    """
    array, names = plain("y", y), tuple(getattr(y, "columns", ()))
    if array.ndim == 2 and array.shape[1] == 1 and kind in ("", "classes"):
        array = array[:, 0]
    if array.ndim not in (1, 2) or len(array) != n:
        raise ValueError(f"y has shape {array.shape}; expected ({n},) or ({n}, K), an answer for each row of X")
    _check_present(array)
    if kind == "labels" or (kind in ("", "classes") and array.ndim == 2 and _binary(array)):
        ones = array.astype(np.int64)
        outputs = names or tuple(range(array.shape[1]))
        if kind != "labels" and (ones.sum(1) == 1).all():
            return Answers(ones.argmax(1), "classes", outputs, " from one-hot rows")
        if not _binary(array):
            raise ValueError("y has labels other than 0 and 1; expected 0 or 1 for each of several labels")
        return Answers(ones.reshape(n, -1), "labels", outputs)
    if kind in ("values", "probabilities") or (not kind and array.dtype.kind == "f"):
        if array.dtype.kind not in "biuf":
            raise ValueError(f"y has dtype {array.dtype}; expected numbers, for {kind or 'values'}")
        wide = array.astype(np.float64).reshape(n, -1)
        return Answers(wide, kind or "values", names or tuple(range(wide.shape[1])))
    if kind not in ("", "classes"):
        raise ValueError(f"kind is {kind!r}; expected 'classes', 'labels', 'probabilities', 'values' or ''")
    if array.ndim == 2:
        raise ValueError(f"y has shape {array.shape}, of {array.dtype}; expected one class for each input, ({n},)")
    found, codes = np.unique(_words(array), return_inverse=True)
    return Answers(codes.astype(np.int64), "classes", tuple(found.tolist()))


def codes_of(name: str, y: Any, n: int, like: Answers) -> np.ndarray:
    """Return answers in the terms of others. Raises ValueError for a class that these do not have."""
    array = plain(name, y)
    if like.kind != "classes":
        return answers_of(y, n, like.kind).codes
    if array.ndim == 2 and array.shape[1] > 1:
        return answers_of(y, n).codes
    known = {each: code for code, each in enumerate(like.classes)}
    words = _words(array.reshape(-1)).tolist()
    if len(words) != n:
        raise ValueError(f"{name} has shape {array.shape}; expected ({n},), an answer for each input")
    unknown = [each for each in words if each not in known]
    if unknown:
        raise ValueError(f"{name} has the class {unknown[0]!r}; expected one of {', '.join(map(repr, like.classes))}")
    return np.array([known[each] for each in words], np.int64)


def _words(array: np.ndarray) -> np.ndarray:
    """Return an array of classes as one of a plain type: objects are words or numbers."""
    return np.array(array.tolist()) if array.dtype.kind == "O" else array


def _binary(array: np.ndarray) -> bool:
    return array.dtype.kind in "biuf" and bool(((array == 0) | (array == 1)).all())


def _check_present(array: np.ndarray) -> None:
    """Raise ValueError for an answer that is missing."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row = int(np.nonzero(~np.isfinite(array))[0][0])
        raise ValueError(f"y has {array[row]} in row {row}; expected an answer for every input")
    if array.dtype.kind == "O":
        for row, each in enumerate(array.reshape(len(array), -1).tolist()):
            if any(value is None or value != value for value in each):
                raise ValueError(f"y has {each[0]!r} in row {row}; expected an answer for every input")
