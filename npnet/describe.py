"""Settings as plain data: a description of any object, equal where the settings are, so that a file can hold it.

    dataclass -> {"": its name, field: description}     function -> its name     array -> its shape, dtype and checksum

Two descriptions are compared to name the first thing that differs. Fields that change no number are left out.
"""

import functools
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
        return f"array {value.shape} {value.dtype} {zlib.crc32(value.tobytes()):08x}"
    if isinstance(value, Mapping):
        return {str(key): describe(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [describe(each) for each in value]
    if isinstance(value, functools.partial):
        return {"": "partial", "of": describe(value.func), "args": describe(value.args), **describe(value.keywords)}
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if is_dataclass(value):
        held = {each.name: getattr(value, each.name) for each in fields(value) if each.compare}
    else:
        held = getattr(value, "__dict__", {})
    return {"": describe(type(value)), **{name: describe(each) for name, each in held.items()}}


def first_difference(one: Tree, other: Tree) -> tuple[str, Any, Any] | None:
    """Return (place, there, here) of the first leaf in which two descriptions differ, None where they are equal."""
    there, here = dict(leaves(one)), dict(leaves(other))
    for path in there | here:
        a, b = there.get(path, "not there"), here.get(path, "not there")
        if a != b:
            return path.rstrip("/").replace("/", "."), a, b
    return None
