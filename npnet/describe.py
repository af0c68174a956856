"""Settings as plain data: a description of any object, equal where the settings are, so that a file can hold it.

    dataclass -> {"": its name, field: description}     array -> its shape, dtype and checksum
    function  -> its name, and the values it captured   another object -> the name of its class

Two descriptions are compared to name the first thing that differs. Fields that change no number (compare=False) are
left out, and so is what may change while a run goes on: captured lists and dicts, counters that a function rebinds,
attributes of objects that are no frozen dataclasses.
"""

import dis
import functools
import types
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from npnet.trees import Tree, leaves

__all__ = ["describe", "first_difference"]


def describe(value: Any) -> Tree:
    """Return a description of settings: a tree of strings, numbers and None."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "dtype") and hasattr(value, "tobytes"):
        whole = type(value) is np.ndarray and value.flags.c_contiguous and value.size
        content = memoryview(value).cast("B") if whole else value.tobytes()  # a view where it can be: no copy
        return f"array {value.shape} {value.dtype} {zlib.crc32(content):08x}"
    if isinstance(value, Mapping):
        return {str(key): describe(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [describe(each) for each in value]
    if isinstance(value, functools.partial):
        return {"": "partial", "of": describe(value.func), "args": describe(value.args), **describe(value.keywords)}
    if isinstance(value, types.FunctionType):
        return _function(value)
    if isinstance(value, types.MethodType):
        return {"": describe(value.__func__), "of": describe(value.__self__)}
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if not (is_dataclass(value) and getattr(type(value), "__dataclass_params__").frozen):  # noqa: B009
        return f"object of {describe(type(value))}"
    held = {each.name: describe(getattr(value, each.name)) for each in fields(value) if each.compare}
    return {"": describe(type(value)), **held}


def _function(f: types.FunctionType) -> Tree:
    """Describe a function: its name and the values it captured; one made inside another by its code too."""
    rebound = {each.argval for each in dis.get_instructions(f) if each.opname == "STORE_DEREF"}  # its own counters
    cells = dict(zip(f.__code__.co_freevars, f.__closure__ or (), strict=True))
    captured = [cell.cell_contents for name, cell in cells.items() if name not in {*rebound, f.__name__}]
    held: dict[str, Any] = {"captured": [each for each in captured if not isinstance(each, list | dict | set)]}
    held["captured"] += [each for each in f.__defaults__ or () if isinstance(each, int | float | str)]
    if "<" in f.__qualname__:
        numbers = [each for each in f.__code__.co_consts if isinstance(each, int | float | str)]
        held |= {"code": zlib.crc32(f.__code__.co_code), "constants": numbers, "names": f.__code__.co_names}
    name = f"{f.__module__}.{f.__qualname__}"
    return {"": name, **{key: describe(each) for key, each in held.items()}} if any(held.values()) else name


def first_difference(one: Tree, other: Tree) -> tuple[str, Any, Any] | None:
    """Return (place, there, here) of the first leaf in which two descriptions differ, None where they are equal."""
    there, here = ({path.rstrip("/"): leaf for path, leaf in leaves(each)} for each in (one, other))
    for path in there | here:
        a, b = there.get(path, "not there"), here.get(path, "not there")
        if a != b and (a == a or b == b):  # NaN is the setting NaN
            return path.replace("/", "."), a, b
    return None
