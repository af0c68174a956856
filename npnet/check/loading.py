"""Loads a function that the command line names, and the arguments that it is checked at."""

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from npnet.check.pytree import Tree

__all__ = ["arguments_of", "loaded"]


def loaded(name: str) -> Any:
    """Return what "module:function" names; the function may be an attribute of another, as in "module:Layer.apply".

    Raises ValueError for another form, ImportError if the module cannot be imported, AttributeError if it has no such
    name.
    """
    module, colon, path = name.partition(":")
    if not (module and colon and path):
        raise ValueError(f"{name!r} is no module:function")
    found = import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


def arguments_of(f: Callable[..., Any], source: str | None) -> tuple[Tree, ...]:
    """Return the arguments of f from a source.

    source: a file that ends in ".npz"; "module:make", a function without parameters that returns a tuple of arguments,
        or a dict of them by name (or such a tuple or dict itself); None for the default values of f's parameters.

    Raises ValueError if the arguments that were found are not those that f takes.
    """
    if source is None:
        return _defaults(f)
    if source.endswith(".npz"):
        with np.load(Path(source), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        if all(name.startswith("arr_") for name in arrays):  # np.savez without names
            return tuple(arrays[f"arr_{i}"] for i in range(len(arrays)))
        return _by_name(f, _nested(arrays), source)
    made = loaded(source)
    made = made() if callable(made) else made
    if isinstance(made, Mapping):
        return _by_name(f, made, source)
    return tuple(made) if isinstance(made, tuple) else (made,)


def _parameters(f: Callable[..., Any]) -> list[inspect.Parameter]:
    every = inspect.signature(f).parameters.values()
    return [p for p in every if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _defaults(f: Callable[..., Any]) -> tuple[Tree, ...]:
    parameters = _parameters(f)
    without = [p.name for p in parameters if p.default is p.empty]
    if without or not parameters:
        raise ValueError(f"{', '.join(without) or 'the function'} has no default value; give arguments with --args")
    return tuple(p.default for p in parameters)


def _by_name(f: Callable[..., Any], found: Mapping[str, Tree], source: str) -> tuple[Tree, ...]:
    """Return arguments in the order of f's parameters. One that is not given keeps its default value."""
    parameters = {p.name: p for p in _parameters(f)}
    needed = [name for name, p in parameters.items() if p.default is p.empty]
    if not {*needed} <= {*found} <= {*parameters}:
        raise ValueError(f"{source} has {', '.join(found) or 'nothing'}; expected {', '.join(parameters)}")
    return tuple(found.get(name, p.default) for name, p in parameters.items())


def _nested(arrays: Mapping[str, Any]) -> dict[str, Tree]:
    """Return {"p": {"W": …}} for the name "p/W"."""
    nested: dict[str, Any] = {}
    for name, array in arrays.items():
        *above, last = name.split("/")
        place = nested
        for part in above:
            place = place.setdefault(part, {})
        place[last] = array
    return nested
