"""Nested dicts and lists of arrays, which are the arguments and the gradients of a function under check."""

from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["Tree", "copy_tree", "leaves", "map_tree"]

Tree = Any
"""An array, or a dict (with string keys), list or tuple of trees."""


def map_tree(f: Callable[[Any], Any], tree: Tree) -> Tree:
    """Apply f to every leaf; tuples become lists."""
    if isinstance(tree, dict):
        return {key: map_tree(f, branch) for key, branch in tree.items()}
    if isinstance(tree, list | tuple):
        return [map_tree(f, branch) for branch in tree]
    return f(tree)


def leaves(tree: Tree, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (path, leaf) in order. The path is the keys and positions, joined by slashes."""
    if isinstance(tree, dict | list | tuple):
        for key, branch in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from leaves(branch, f"{path}/{key}" if path else str(key))
    else:
        yield path, tree


def copy_tree(tree: Tree) -> Tree:
    """Copy every array; numbers need no copy."""
    return map_tree(lambda leaf: leaf.copy() if hasattr(leaf, "dtype") else leaf, tree)
