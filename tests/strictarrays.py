"""A stand-in for CuPy where there is no device: numpy underneath, but it refuses what CuPy refuses.

Its arrays never turn into numpy arrays by themselves, never mix with them, and are not accepted by numpy's functions.
"""

import operator
import sys
from typing import Any

import numpy as np


class ndarray:  # noqa: N801 (the name by which `array_module` knows an array module)
    """An array that lives 'elsewhere'."""

    __slots__ = ("_a",)

    def __init__(self, a: np.ndarray) -> None:
        self._a = a

    def get(self) -> np.ndarray:
        return self._a.copy()

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`.")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, np.ndarray) for x in inputs):
            raise TypeError(f"Unsupported type {np.ndarray} in {ufunc.__name__}")
        return _wrapped(getattr(ufunc, method), inputs, kwargs)  # a numpy scalar met a strict array

    def __array_function__(self, f: Any, types: Any, args: Any, kwargs: Any) -> Any:
        raise TypeError(f"numpy.{f.__name__} was called on a strict array; expected the array's own module")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # numpy's array protocols would let numpy in by the back door
            raise AttributeError(name)
        attribute = getattr(self._a, name)
        if callable(attribute) and not isinstance(attribute, np.dtype):
            return lambda *args, **kwargs: _wrapped(attribute, args, kwargs)
        return _wrap(attribute)

    def __getitem__(self, index: Any) -> Any:
        return _wrap(self._a[_unwrap(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self._a[_unwrap(index)] = _unwrap(value)

    def __len__(self) -> int:
        return len(self._a)

    def __bool__(self) -> bool:
        return bool(self._a)

    def __float__(self) -> float:
        return float(self._a)

    def __int__(self) -> int:
        return int(self._a)

    def __repr__(self) -> str:
        return f"strict {self._a!r}"

    __hash__ = None  # type: ignore[assignment]


def _unwrap(x: Any) -> Any:
    if isinstance(x, ndarray):
        return x._a
    if isinstance(x, np.ndarray):
        raise TypeError(f"Unsupported type {type(x)}; move it to the device first")
    if isinstance(x, tuple | list):
        return type(x)(_unwrap(each) for each in x)
    return x


def _wrap(x: Any) -> Any:
    if isinstance(x, np.ndarray | np.generic):
        return ndarray(np.asarray(x))  # like CuPy, a reduction gives an array without axes, not a number
    if isinstance(x, tuple):
        return tuple(_wrap(each) if isinstance(each, np.ndarray) else each for each in x)
    return x


def _wrapped(f: Any, args: Any, kwargs: Any) -> Any:
    return _wrap(f(*_unwrap(tuple(args)), **{key: _unwrap(value) for key, value in kwargs.items()}))


def _unary(name: str) -> Any:
    return lambda self: _wrap(getattr(operator, name)(self._a))


def _binary(name: str) -> Any:
    def method(self: ndarray, other: Any) -> Any:
        if not isinstance(other, ndarray | np.generic | int | float | complex):
            raise TypeError(f"Unsupported type {type(other)} beside a strict array")
        return _wrap(getattr(operator, name)(self._a, _unwrap(other)))

    return method


def _reflected(name: str) -> Any:
    def method(self: ndarray, other: Any) -> Any:
        if not isinstance(other, np.generic | int | float | complex):
            raise TypeError(f"Unsupported type {type(other)} beside a strict array")
        return _wrap(getattr(operator, name)(other, self._a))

    return method


def _in_place(name: str) -> Any:
    def method(self: ndarray, other: Any) -> ndarray:
        self._a = getattr(operator, name)(self._a, _unwrap(other))
        return self

    return method


for _name in ("add", "sub", "mul", "truediv", "pow", "matmul", "mod", "floordiv", "and_", "or_", "xor"):
    _plain = _name.rstrip("_")
    setattr(ndarray, f"__{_plain}__", _binary(_name))
    setattr(ndarray, f"__r{_plain}__", _reflected(_name))
    setattr(ndarray, f"__i{_plain}__", _in_place(f"i{_plain}"))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(ndarray, f"__{_name}__", _binary(_name))
for _name in ("neg", "abs", "invert"):
    setattr(ndarray, f"__{_name}__", _unary(_name))


def asarray(x: Any, dtype: Any = None) -> ndarray:
    """Move to the stand-in device: the one place where a numpy array may come in."""
    return ndarray(np.array(x._a if isinstance(x, ndarray) else x, dtype=dtype))


def __getattr__(name: str) -> Any:
    attribute = getattr(np, name)
    if isinstance(attribute, type) or not callable(attribute):
        return attribute
    return lambda *args, **kwargs: _wrapped(attribute, args, kwargs)


sys.modules.setdefault("strictarrays", sys.modules[__name__])
