"""Calls a function under check, in one place: quietly, with copies of its arguments, and copies what it returns.

A function may fill one buffer at every call, write into its arguments, or warn. None of it reaches the checks: they
compare copies. What does not fit is refused in one sentence that names the part and what it is.
"""

import inspect
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from npnet.arrays import Array, array_module
from npnet.check.pytree import Tree, copy_tree, leaves, paired

__all__ = ["Function", "as_floats", "in_a_line", "kind_of", "names_of", "quiet"]

SHORT = 160
"""So many letters are told of what a function says in an exception or a warning."""


def in_a_line(kind: type, text: Any) -> str:
    """Return what an exception or a warning says, on one line, and not much of it."""
    said = f"{kind.__name__}: {' '.join(str(text).split())}"
    return said if len(said) <= SHORT else f"{said[:SHORT]} …"


@contextmanager
def quiet() -> Iterator[list[Any]]:
    """Record warnings instead of showing or raising them. NumPy's own about overflow and 0/0 are not made at all.

    A warning that is raised as an error in the middle of a method can leave its object half-changed.
    """
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        yield caught


class Function:
    """f(*arguments) -> (value, gradients), or (Y, back), for arguments of one structure.

    warned: what f warned of, each text once.
    buffers: the names of gradients that are one array, filled anew at every call.
    """

    def __init__(self, f: Callable[..., tuple[Any, Any]], arguments: list[Tree]) -> None:
        self.f, self.arguments, self.alone = f, arguments, len(arguments) == 1
        self.names = names_of(f, arguments)
        self.warned: list[str] = []
        self._returned: list[tuple[Any, Any]] = []

    def __call__(self, arguments: list[Tree], written: list[Tree] | None = None) -> tuple[Any, Any]:
        """Return the value, and flat gradients or the way back. written: the arrays that f is given to write into."""
        given = copy_tree(arguments) if written is None else written
        with quiet() as caught:
            result = self.f(*given)
        self.warned += sorted({in_a_line(w.category, w.message) for w in caught} - {*self.warned})
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise TypeError(f"f returns {kind_of(result)} alone; expected (value, gradients) or (Y, back)")
        value, gradients = result
        if isinstance(value, complex | float | int | np.generic):
            value = np.asarray(value)
        if getattr(getattr(value, "dtype", None), "kind", "O") not in "biufc" or not _is_array(value):
            raise TypeError(f"the value that f returns is {kind_of(value)}; expected a number or an array")
        value = value.copy()
        if not callable(gradients):
            return value, self.flat(gradients)

        def back(dY: Any) -> list[Any]:
            with quiet():
                return self.flat(gradients(dY))

        return value, back

    def flat(self, gradients: Tree) -> list[Array]:
        """Return copies of gradients, in the order of the arguments. Raises TypeError for what is no array."""
        found = paired(self.arguments, [gradients] if self.alone else gradients)
        for name, leaf in zip(self.names, found, strict=True):
            if not isinstance(leaf, complex | float | int) and not _is_array(leaf):
                raise TypeError(f"the gradient of {name} is {kind_of(leaf)}; expected an array")
        copies = [leaf.copy() if hasattr(leaf, "copy") else np.asarray(leaf) for leaf in found]
        copies = [
            a.astype(float) if a.dtype.kind in "biu" else a for a in copies
        ]  # a slope of whole numbers, or a mask
        if not self._returned:
            self._returned = list(zip(found, copies, strict=True))
        return copies

    @property
    def buffers(self) -> list[str]:
        """Name the gradients of the first call that later calls have overwritten."""
        pairs = zip(self.names, self._returned, strict=False)
        return [name for name, (array, copy) in pairs if hasattr(array, "copy") and bool((array != copy).any())]


def real_parts(arrays: list[Any], names: list[str]) -> list[Any]:
    """Return complex arrays as real ones, if their imaginary parts are zero. Raises TypeError if they are not."""
    for name, a in zip(names, arrays, strict=True):
        if a.dtype.kind == "c" and bool((a.imag != 0).any()):
            raise TypeError(f"{name} is complex ({a.dtype}) at real arguments; expected real numbers")
    return [a.real if a.dtype.kind == "c" else a for a in arrays]


def as_floats(names: list[str], arrays: list[Any], dtype: Any) -> list[Array]:
    """Return arguments as arrays of a dtype. Raises TypeError for anything but real floating-point arrays."""
    found = []
    for name, leaf in zip(names, arrays, strict=True):
        if isinstance(leaf, float | np.floating):
            found.append(np.asarray(leaf, dtype=dtype))
        elif _is_array(leaf) and leaf.dtype.kind == "f":
            found.append(leaf.astype(dtype))
        else:
            raise TypeError(f"argument {name} is {kind_of(leaf)}; expected a real float array{_advice(leaf)}")
    return found


def refuse_lists(names: list[str], arguments: list[Tree]) -> None:
    """Raise TypeError for a list of numbers: a list is a tree of arrays here, and most functions want one array."""
    for path, tree in zip(names, arguments, strict=True):
        if isinstance(tree, dict):
            refuse_lists([f"{path}/{key}" for key in tree], list(tree.values()))
        if isinstance(tree, list | tuple):
            if tree and all(isinstance(leaf, int | float) for leaf in tree):
                raise TypeError(
                    f"argument {path} is a list of numbers; expected an array, np.array({path}, dtype=float)"
                )
            refuse_lists([f"{path}/{i}" for i in range(len(tree))], list(tree))


def _is_array(leaf: Any) -> bool:
    """Say whether this is an array of numpy or of a device, and no subclass that computes in another way."""
    if isinstance(leaf, np.ndarray | np.generic):
        return not isinstance(leaf, np.matrix | np.ma.MaskedArray)
    try:
        return isinstance(leaf, array_module(leaf).ndarray)
    except TypeError:
        return False


def _advice(leaf: Any) -> str:
    if hasattr(leaf, "to_numpy"):
        return ", as its to_numpy() returns"
    return ", as its toarray() returns" if hasattr(leaf, "toarray") else ""


def kind_of(thing: Any) -> str:
    """Describe a thing by its type, and an array by its dtype and shape too."""
    if thing is None:
        return "None"
    words = "a sparse " if hasattr(thing, "toarray") else "a "
    shape = f" {thing.dtype} {thing.shape}" if hasattr(thing, "dtype") and hasattr(thing, "shape") else ""
    return f"{words}{type(thing).__name__}{shape}"


def names_of(f: Callable[..., Any], arguments: list[Tree]) -> list[str]:
    """Name every array by its parameter of f, and its path in that argument."""
    return [
        path
        for root, tree in zip(roots_of(f, len(arguments)), arguments, strict=True)
        for path, _ in leaves(tree, root)
    ]


def roots_of(f: Callable[..., Any], count: int) -> list[str]:
    """Return the names of f's parameters."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    plain = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [plain[i] if i < len(plain) else f"argument {i}" for i in range(count)]
