"""Plain trees (nested dicts and lists of arrays, numbers, strings and None): what all state is made of, and its files.

A file is an `.npz` archive: one member for each array, one that holds the rest as JSON, and a SHA-256 of all of them.
Nothing is ever pickled. A file is written beside its final place and moved there at the end, so that a reader sees the
old one or the new one.
"""

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

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


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write a whole file or none: to a temporary file in the same folder first, then moved into place."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # a temporary file is private, a result is not
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def save_tree(path: str | Path, tree: Tree) -> None:
    """Save a tree of host arrays, numbers and strings as `.npz`, atomically.

    Raises TypeError for a leaf that is none of these, naming its place.
    """
    arrays: dict[str, Any] = {}

    def encode(branch: Tree, where: str) -> Any:
        if isinstance(branch, dict):
            if not all(isinstance(key, str) for key in branch):
                raise TypeError(f"keys at {where or 'the root'} are {list(branch)}; expected strings")
            return {key: encode(value, f"{where}/{key}") for key, value in branch.items()}
        if isinstance(branch, list | tuple):
            return [encode(value, f"{where}/{i}") for i, value in enumerate(branch)]
        if isinstance(branch, np.ndarray) and not branch.dtype.hasobject:
            arrays[str(len(arrays))] = branch
            return _ARRAY + str(len(arrays) - 1)
        if isinstance(branch, str):
            return _TEXT + branch
        if branch is None or isinstance(branch, bool | int | float):
            return branch
        raise TypeError(f"leaf {where} is a {type(branch).__name__}; expected a host array, number, string or None")

    structure = json.dumps(encode(tree, ""))
    content = io.BytesIO()
    arrays[_STRUCTURE] = np.frombuffer(structure.encode(), np.uint8)
    arrays[_DIGEST] = _digest(arrays)
    np.savez(content, allow_pickle=False, **arrays)
    write_atomically(path, content.getvalue())


def load_tree(path: str | Path) -> Tree:
    """Load a tree that `save_tree` wrote; never unpickles.

    Raises FileNotFoundError where there is no file and ValueError where the file is truncated, altered or not a tree.
    An altered file is one that was damaged or edited; whoever forges the SHA-256 too is not found out.
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

    with open(path, "rb") as file:
        try:
            archive = dict(np.load(file, allow_pickle=False))
            if archive.pop(_DIGEST).tobytes() != _digest(archive).tobytes():
                raise ValueError("its SHA-256 is another one")
            return decode(json.loads(archive[_STRUCTURE].tobytes()))
        except Exception as error:  # whatever a damaged archive makes its readers raise
            why = "it holds pickles, which are never loaded" if "pickle" in str(error) else repr(error)
            raise ValueError(f"{path} is not a whole saved tree ({why}); expected a file written by npnet") from error


def _digest(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Return the SHA-256 of named arrays, as bytes."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return np.frombuffer(digest.digest(), np.uint8)
