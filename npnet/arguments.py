"""Arguments of another kind are refused by name: what is public is checked against its own annotations.

    @checked
    def mlp(widths: Sequence[int], ...)     mlp(6, ...): widths is 6; expected a list, each entry a whole number

What annotations do not say, ranges and shapes that fit each other, each function looks at itself. Checks stand where a
run is set up. What runs at every step, layers, losses, penalties and optimizers, has none and pays for none.
"""

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from numbers import Integral, Real
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from npnet.arrays import is_array, shown

__all__ = ["WrongKindError", "checked"]


class WrongKindError(TypeError, ValueError):
    """An argument is of another kind than it should be: a TypeError as Python has it, a ValueError as npnet says."""


_Public = TypeVar("_Public", bound=Callable[..., Any])

_PLAIN: dict[Any, tuple[Any, str]] = {
    float: (Real, "a number"),
    int: (Integral, "a whole number"),
    bool: ((bool, np.bool), "True or False"),
    str: (str, "a string"),
    type(None): (type(None), "None"),
    np.random.Generator: (np.random.Generator, "a generator, as npnet.generator(0)"),
}
"""Annotations of one value: what is taken for it, and what a message calls it."""


def checked(public: _Public) -> _Public:
    """Return a function or class that raises ValueError for arguments of another kind than its annotations say.

    NumPy's scalars become Python's numbers: a scalar has a precision that would join in every product. Where a sequence
    is expected, an array (N,) is taken for the list of its values.
    """
    if isinstance(public, type):
        public.__init__ = checked(public.__init__)  # type: ignore[misc]
        return public
    signature, hints = inspect.signature(public), cache(lambda: get_type_hints(public))

    @wraps(public)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            given = signature.bind(*args, **kwargs)
        except TypeError:  # one too many or too few: Python says it better
            return public(*args, **kwargs)
        for name, value in given.arguments.items():
            hint = hints().get(name, Any)
            if signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
                hint = types.GenericAlias(tuple, (hint, ...))
            if isinstance(value, np.generic) or (_is_line(value) and _takes_lists(hint)):
                value = given.arguments[name] = value.tolist()
            if not _fits(value, hint):
                raise WrongKindError(f"{name} is {shown(value)}; expected {_words(hint)}")
        return public(*given.args, **given.kwargs)

    return call  # type: ignore[return-value]


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(each, Real) and not isinstance(each, bool) for each in values)


def _is_line(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 1


def _takes_lists(hint: Any) -> bool:
    return any(get_origin(each) is Sequence for each in (hint, *get_args(hint)))


def _unnamed(hint: Any) -> Any:
    """Return what a named alias stands for (`type Name = ...`, PEP 695): NumPy's NDArray is one from 2.5 on."""
    while (value := getattr(get_origin(hint) or hint, "__value__", None)) is not None:
        hint = value
    return hint


def _fits(value: Any, hint: Any) -> bool:
    """Report whether a value is of the kind that an annotation says; what it does not say always is."""
    hint = _unnamed(hint)
    origin, inner = get_origin(hint), get_args(hint)
    kind = origin or hint
    if hint in _PLAIN:
        return isinstance(value, _PLAIN[hint][0])
    if kind in (Union, types.UnionType):
        return any(_fits(value, each) for each in inner)
    if kind is Literal:
        return any((type(value) is type(each) or _are_numbers(value, each)) and value == each for each in inner)
    if kind is np.ndarray:
        return is_array(value)
    if kind is Any or not isinstance(kind, type) or getattr(kind, "_is_protocol", False):
        return True
    if issubclass(kind, Mapping) and inner:
        return isinstance(value, Mapping) and all(_fits(k, inner[0]) and _fits(v, inner[1]) for k, v in value.items())
    if kind in (tuple, list, Sequence) and inner:
        if isinstance(value, str) or not isinstance(value, tuple | list | Sequence):
            return False
        if kind is tuple and inner[-1] is not ...:
            return len(value) == len(inner) and all(map(_fits, value, inner))
        return all(_fits(each, inner[0]) for each in value)
    return callable(value) if kind is Callable else isinstance(value, kind)


def _words(hint: Any) -> str:
    """Return what a message calls the kind that an annotation says."""
    hint = _unnamed(hint)
    origin, inner = get_origin(hint), get_args(hint)
    if hint in _PLAIN:
        return _PLAIN[hint][1]
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(map(_words, inner)))
    if origin is Literal:
        return "one of " + ", ".join(map(repr, inner))
    if origin is np.ndarray:
        return "an array"
    if origin is Callable:
        return "a function"
    if origin is not None and issubclass(origin, Mapping):
        return f"a dict {{{_words(inner[0])}: {_words(inner[1])}}}"
    if origin is tuple and inner[-1] is not ...:
        return f"({', '.join(map(_words, inner))})"
    if origin in (tuple, list, Sequence):
        return f"a list, each entry {_words(inner[0])}"
    name = getattr(hint, "__name__", str(hint))
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
