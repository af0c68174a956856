"""Plain trees (nested dicts and lists of arrays, numbers, strings and None): what all state is made of, and its files.

A file is an `.npz` archive: one member for each array, one that holds the rest as JSON, and a SHA-256 of all of them.
Nothing is ever pickled, and what could not be read back as it was is refused before anything is written. A file is
written next to its final place and moved there at the end, so that a reader sees the old one or the new one.
"""

import hashlib
import io
import json
import os
import secrets
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from npnet.foreign import kind_of_file

__all__ = ["Tree", "copy_tree", "leaves", "load_tree", "map_tree", "save_tree", "write_atomically"]

Tree = Any
"""Nested dicts (of string keys) and lists; leaves are arrays, numbers, strings, booleans or None."""

_STRUCTURE = "structure.json"
_DIGEST = "sha256"
_ARRAY = "array:"  # in the structure, the leaf "array:17" stands for the archive's member 17
_TEXT = "text:"  # and "text:abc" for the string "abc"


def map_tree(f: Callable[[Any], Any], tree: Tree) -> Tree:
    """Apply f to every leaf; tuples become lists."""
    if isinstance(tree, dict):
        return {key: map_tree(f, branch) for key, branch in tree.items()}
    if isinstance(tree, list | tuple):
        return [map_tree(f, branch) for branch in tree]
    return f(tree)


def leaves(tree: Tree, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (path, leaf) in order, the path written as keys and positions with slashes between."""
    if isinstance(tree, dict | list | tuple):
        for key, branch in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from leaves(branch, f"{path}/{key}" if path else str(key))
    else:
        yield path, tree


def copy_tree(tree: Tree) -> Tree:
    """Copy every array; numbers and strings need no copy."""
    return map_tree(lambda leaf: leaf.copy() if hasattr(leaf, "dtype") else leaf, tree)


def named_file(path: str | Path) -> Path:
    """Return the path of a file. Raises ValueError for what names none."""
    if not isinstance(path, str | os.PathLike) or not Path(path).name:
        raise ValueError(f"path is {path!r:.80}; expected the name of a file")
    return Path(path)


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write a whole file or none: to a new file in the same folder first, then moved into place."""
    path = named_file(path)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.part")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def save_tree(path: str | Path, tree: Tree) -> None:
    """Save a tree of host arrays, numbers and strings as `.npz`, atomically; NumPy's scalars become plain numbers.

    Raises TypeError for a leaf that is none of these or could not be read back, naming its place: a file that is there
    stays as it is.
    """
    arrays: dict[str, np.ndarray] = {}

    def encode(branch: Tree, where: str) -> Any:
        if isinstance(branch, dict):
            if not all(isinstance(key, str) for key in branch):
                raise TypeError(f"keys at {where or 'the root'} are {list(branch)}; expected strings")
            return {key: encode(value, f"{where}/{key}") for key, value in branch.items()}
        if isinstance(branch, list | tuple):
            return [encode(value, f"{where}/{i}") for i, value in enumerate(branch)]
        if isinstance(branch, np.ndarray):
            if why := _cannot_be_read_back(branch):
                raise TypeError(f"leaf {where} is {why}")
            arrays[str(len(arrays))] = branch
            return _ARRAY + str(len(arrays) - 1)
        if isinstance(branch, np.bool | np.integer | np.floating):
            branch = branch.item()
        if isinstance(branch, str):
            return _TEXT + branch
        if branch is None or isinstance(branch, bool | int | float):
            return branch
        kind, place = type(branch), f"leaf {where}" if where else "tree"
        raise TypeError(
            f"{place} is a {kind.__name__} of {kind.__module__}; expected a host array, number, string or None "
            "(npnet.to_host copies device arrays, numpy.asarray makes arrays of what is like one)"
        )

    structure = json.dumps(encode(tree, ""))
    arrays[_STRUCTURE] = np.frombuffer(structure.encode(), np.uint8)
    arrays[_DIGEST] = _digest(arrays)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:  # as numpy.savez has it, whose arguments changed with NumPy 2.2
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    write_atomically(path, content.getvalue())


def _cannot_be_read_back(array: np.ndarray) -> str:
    """Return what an array is that a file could not give back as it was, and what to save instead; "" for others."""
    kind, dtype = type(array), array.dtype
    if kind not in (np.ndarray, np.memmap):
        instead = "its data and its mask" if isinstance(array, np.ma.MaskedArray) else "numpy.asarray of it"
        return f"a {kind.__module__}.{kind.__name__}; expected a plain array: save {instead}"
    if dtype.names:
        return f"an array of records, dtype {dtype}; expected one of numbers: save each field by its name"
    if dtype.kind not in "biufcSUmM" or np.dtype(dtype.str) != dtype:
        return f"an array of dtype {dtype}; expected numbers: save it as numpy.float32, or another dtype of NumPy's own"
    return ""


def load_tree(path: str | Path) -> Tree:
    """Load a tree that `save_tree` wrote; never unpickles.

    Raises FileNotFoundError where there is no file, and ValueError where the file is truncated, altered or another
    program's, saying which. An altered file is one that was damaged or edited; whoever forges the SHA-256 too is not
    found out.
    """

    def decode(branch: Any) -> Tree:
        if isinstance(branch, dict):
            return {key: decode(value) for key, value in branch.items()}
        if isinstance(branch, list):
            return [decode(value) for value in branch]
        if isinstance(branch, str):
            if branch.startswith(_ARRAY):
                return archive[branch.removeprefix(_ARRAY)]
            return branch.removeprefix(_TEXT)
        return branch

    with open(named_file(path), "rb") as file:
        kind = kind_of_file(file)
        try:
            if kind:
                raise ValueError(f"it is {kind}")
            archive = dict(np.load(file, allow_pickle=False))
            archive.pop("allow_pickle", None)  # one array more, with which npnet 0.1 saved under NumPy 2.0 and 2.1
            if archive.pop(_DIGEST).tobytes() != _digest(archive).tobytes():
                raise ValueError("its SHA-256 is another one")
            return decode(json.loads(archive[_STRUCTURE].tobytes()))
        except Exception as error:  # whatever a damaged archive makes its readers raise
            why = "it holds pickles, which are never loaded" if "pickle" in str(error) and not kind else str(error)
            raise ValueError(f"{path} is not a whole saved tree ({why}); expected a file written by npnet") from error


def _digest(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Return the SHA-256 of named arrays, as bytes."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return np.frombuffer(digest.digest(), np.uint8)
