"""Nested dicts and lists of arrays, which are the arguments and the gradients of a function under check."""

from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["Tree", "copy_tree", "leaves", "map_tree", "paired"]

FEW = 4  # the shapes of so many gradients are told, if there are too few or too many of them

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


def paired(wanted: Tree, found: Tree, path: str = "") -> list[Any]:
    """Return the leaves of `found` in the order of `wanted`: dicts are paired by key, everything else in order.

    Empty branches count for nothing, and one leaf may stand in brackets. Raises ValueError that names what is missing.
    """
    if isinstance(wanted, dict) and isinstance(found, dict):
        names = [[key for key, branch in tree.items() if _full(branch)] for tree in (wanted, found)]
        if set(names[0]) != set(names[1]):
            where = f" of {path}" if path else ""
            raise ValueError(f"gradients{where} have the keys {', '.join(map(str, names[1]))}; expected {names[0]}")
        return [leaf for key in names[0] for leaf in paired(wanted[key], found[key], f"{path}/{key}".lstrip("/"))]
    if isinstance(wanted, dict | list | tuple) and isinstance(found, list | tuple):
        branches = [b for b in (wanted.values() if isinstance(wanted, dict) else wanted) if _full(b)]
        others = [b for b in found if _full(b)]
        if len(branches) == len(others):
            return [leaf for pair in zip(branches, others, strict=True) for leaf in paired(*pair, path)]
        if len(others) == 1:
            return paired(wanted, others[0], path)
    one, other = ([leaf for _, leaf in leaves(tree)] for tree in (wanted, found))
    if len(one) != len(other):
        where = f" of {path}" if path else ""
        shapes = [str(getattr(leaf, "shape", "()")) for leaf in other]
        of = f" of shape {shapes[0]}" if len(shapes) == 1 else "s"
        if 1 < len(shapes) <= FEW:
            of = f"s of shapes {', '.join(shapes[:-1])} and {shapes[-1]}"
        wants = f"expected {len(one)} array{'s' if len(one) != 1 else ''}, one for each array of the arguments"
        raise ValueError(f"gradients{where} are {len(other)} array{of}; {wants}")
    return other


def _full(tree: Tree) -> bool:
    return not isinstance(tree, dict | list | tuple) or any(True for _ in leaves(tree))
