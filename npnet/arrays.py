"""The array switch: the one file that asks where an array lives, so that all others read the same on either side.

An array's own module (numpy, or cupy on a device) supplies the functions that work on it. Moves between the two are
explicit. Random numbers come from addressed host generators, which give the same bits on every device.
"""

import sys
import zlib
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npnet.trees import Tree, map_tree

__all__ = [
    "Array",
    "array_module",
    "as_array",
    "cast",
    "check_array",
    "check_floats",
    "generator",
    "is_array",
    "shown",
    "sum_to",
    "to_device",
    "to_host",
    "uniform",
]

Array = NDArray[Any]
"""A numpy array, or a cupy array of the same interface."""


def array_module(*arrays: Array) -> ModuleType:
    """Return the module (numpy or cupy) in which all these arrays live.

    Raises TypeError for something that is not an array, and for arrays of two modules: they never mix silently.
    """
    names = {type(array).__module__.partition(".")[0] for array in arrays}
    module = sys.modules.get(next(iter(names))) if len(names) == 1 else None
    if module is None or not hasattr(module, "ndarray"):
        found = ", ".join(type(array).__module__ + "." + type(array).__name__ for array in arrays) or "nothing"
        raise TypeError(f"arrays are {found}; expected numpy arrays alone or device arrays alone")
    return module


def is_array(value: Any) -> bool:
    """Report whether a value is an array that this library computes with: numpy's own, as a file may map it, or cupy's.

    Masked arrays, matrices and other kinds of numpy's array are none: they compute in ways of their own.
    """
    module = sys.modules.get(type(value).__module__.partition(".")[0])
    return type(value) in (np.memmap, getattr(module, "ndarray", None))


def as_array(name: str, value: Any) -> str:
    """Return the call that makes an array of something that is like one, for a message."""
    if isinstance(value, np.ma.MaskedArray):
        return f"what is masked has no value: {name}.filled(...), or the rows without it"
    call = next((each for each in ("to_numpy", "toarray", "numpy") if hasattr(value, each)), None)
    return f"{name}.{call}()" if call else f"numpy.asarray({name})"


def shown(value: Any) -> str:
    """Return a value as a message shows it: its kind and shape where it is an array, else its start on one line."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"an array {value.shape} of {value.dtype}"
    return " ".join(repr(value).split())[:80]


def cast(parameters: dict[str, Array], dtype: DTypeLike) -> dict[str, Array]:
    """Return a layer's parameters in another precision."""
    return {name: w.astype(dtype) for name, w in parameters.items()}


def to_device(tree: Tree, xp: ModuleType) -> Tree:
    """Copy every host array of a tree to the module `xp`; numbers stay as they are. Raises ValueError for no module."""
    if not hasattr(xp, "asarray"):
        raise ValueError(f"xp is {shown(xp)}; expected a module of arrays, numpy or cupy")
    return map_tree(lambda leaf: xp.asarray(leaf) if isinstance(leaf, np.ndarray) else leaf, tree)


def to_host(tree: Tree) -> Tree:
    """Copy every device array of a tree to the host; host arrays and numbers stay as they are."""
    return map_tree(lambda leaf: leaf.get() if hasattr(leaf, "get") else leaf, tree)


def generator(seed: int, *address: int | str) -> np.random.Generator:
    """Return the random generator at an address: a seed, then any path of names and numbers.

    Generators at different addresses are independent; the same address always gives the same stream.
    Raises ValueError for a seed that is no whole number from zero, and for numbers in the address that are not from 0
    to 2³² − 1: a larger one would be the address of another one and something below it.
    """
    path = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in address]
    whole = all(isinstance(part, int | np.integer) for part in (seed, *path))
    if not whole or seed < 0 or not all(0 <= part < 2**32 for part in path):
        raise ValueError(
            f"seed and address are {(seed, *address)}; expected a seed from 0, then numbers below 2**32 and names"
        )
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=path)))


def uniform(rng: np.random.Generator, like: Array) -> Array:
    """Draw float32 numbers uniform on [0, 1) in the shape, and on the device, of `like`: one host stream for both."""
    return array_module(like).asarray(rng.random(like.shape, dtype=np.float32))


def check_array(name: str, value: Any) -> None:
    """Raise TypeError for what is not an array, lists of numbers included: their precision would be a guess."""
    if not hasattr(value, "dtype"):
        raise TypeError(f"{name} is {value!r:.80}, a {type(value).__name__}; expected an array")


def check_floats(name: str, values: Array) -> None:
    """Raise ValueError for an array of anything but floats: with whole numbers results would be silently rounded.

    Raises TypeError for what is not an array.
    """
    check_array(name, values)
    if values.dtype.kind not in "fc":
        raise ValueError(f"{name} has dtype {values.dtype}; expected floats, as npnet.tasks.batch makes of pixels")


def sum_to(shape: tuple[int, ...], X: Array) -> Array:
    """Sum X over the axes along which an array of this shape was broadcast to X: the way back of broadcasting."""
    if X.shape == shape:
        return X
    lead = X.ndim - len(shape)
    stretched = tuple(range(lead)) + tuple(lead + i for i, n in enumerate(shape) if n == 1 and X.shape[lead + i] > 1)
    return X.sum(axis=stretched, keepdims=True).reshape(shape)
