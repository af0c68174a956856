"""A function under check, made flat: a list of arrays, a list of their gradients, and a scalar to differentiate."""

import inspect
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from npnet.arrays import Array, array_module, generator
from npnet.check.behaviour import called_again, changed, ways_back
from npnet.check.derivative import STEP, Estimate, central, one_sided
from npnet.check.pytree import Tree, copy_tree, leaves, map_tree
from npnet.check.rounding import factor, peak

__all__ = ["Problem", "names_of"]

METHODS = ("auto", "complex step", "differences")


class Problem:
    """A function with its arguments as a flat list of float64 arrays, its gradients, and a scalar to differentiate.

    The scalar is the sum of the values, or ⟨dY, Y⟩ with random dY for a function that returns (Y, back).
    """

    def __init__(self, f: Callable[..., tuple[Any, Any]], arrays: tuple[Tree, ...], seed: int, method: str) -> None:
        if method not in METHODS:
            raise ValueError(f"method is {method!r}; expected one of {', '.join(METHODS)}")
        self.f, self.rng, self.alone = f, generator(seed, "check_gradient"), len(arrays) == 1
        self.arguments = [map_tree(_as_float64, tree) for tree in arrays]
        self.names = names_of(f, self.arguments)
        self.arrays: list[Array] = [leaf for _, leaf in leaves(self.arguments)]
        self.notes: list[str] = []
        self.xp = array_module(*self.arrays)

        before = copy_tree(self.arguments)
        value, gradients = f(*self.arguments)
        self.value = value
        self.cotangent: Array | float = 1.0
        if callable(gradients):
            self.cotangent = self.xp.asarray(self.rng.standard_normal(value.shape))
            gradients, self.complaints = ways_back(f, self.arguments, gradients, copy_tree(self.cotangent))
        else:
            self.complaints = called_again(f, self.arguments, gradients)
        self.complaints += changed(self.names, before, self.arguments)
        self.gradients: list[Array] = self.flat(gradients)
        self._check_shapes()
        self.largest = max((peak(g) for g in self.gradients), default=0.0)
        dtypes = [np.dtype(getattr(each, "dtype", float)) for each in (value, *self.gradients)]
        precision = max((dtype for dtype in dtypes if dtype.kind in "fc"), key=lambda d: np.finfo(d).eps)
        numbers = getattr(value, "size", 1) + 2 * sum(a.size for a in self.arrays)
        self.factor = factor(numbers, precision)  # λ √n u
        self.volume = float(_total(abs(value * self.cotangent)))
        self.condition = self._condition()
        self.asked = method
        self.methods = [method if method != "auto" else "" for _ in self.arrays]

    def like(self, flat: Iterable[Any]) -> list[Tree]:
        """Return flat arrays in the structure of the arguments."""
        following = iter(flat)
        return [map_tree(lambda _: next(following), tree) for tree in self.arguments]

    def flat(self, gradients: Tree) -> list[Array]:
        """Return gradients as a flat list of arrays."""
        return [leaf if hasattr(leaf, "dtype") else np.asarray(leaf) for _, leaf in self._leaves(gradients)]

    def _leaves(self, gradients: Tree) -> list[tuple[str, Any]]:
        return list(leaves([gradients] if self.alone else gradients))

    def _check_shapes(self) -> None:
        found = [getattr(g, "shape", None) for g in self.gradients]
        wanted = [a.shape for a in self.arrays]
        if found != wanted:
            raise ValueError(f"gradients have shapes {found}; expected {wanted} for {', '.join(self.names)}")

    def scalar(self, *changes: tuple[int, Array]) -> Any:
        """Return the scalar with changes added to some arguments."""
        added = dict(changes)
        changed = iter([a + added[i] if i in added else a for i, a in enumerate(self.arrays)])
        value, _ = self.f(*self.like(changed))
        return _total(value * self.cotangent)

    def derivative(self, k: int, direction: Array) -> Estimate:
        """Return the derivative of the scalar along a direction of argument k. The first call chooses the method."""
        if not self.methods[k]:
            self.methods[k] = self._choose(k, direction)
        return (
            self.by_complex_step(k, direction)
            if self.methods[k] == "complex step"
            else self.by_differences(k, direction)
        )

    def by_complex_step(self, k: int, direction: Array, offset: float = 0.0) -> Estimate:
        """Im f(x + (offset + ih) u)/h."""
        value = self.scalar((k, (offset + 1j * STEP) * direction))
        if getattr(value, "dtype", np.dtype(type(value))).kind == "c":
            return Estimate(float(value.imag) / STEP, 0.0)
        if float(self.scalar((k, 1e-3 * direction))) == float(self.scalar()):
            return Estimate(0.0, 0.0)  # the value does not depend on this argument: no imaginary part was lost
        raise ValueError(f"f loses the imaginary part of {self.names[k]}; expected a complex-safe function")

    def by_differences(self, k: int, direction: Array) -> Estimate:
        """Central differences with Richardson extrapolation."""
        return central(lambda t: self.scalar((k, t * direction)), self.scale(k, direction), self.factor * self.volume)

    def slopes(self, k: int, direction: Array) -> tuple[Estimate, Estimate]:
        """Return the slopes to the left and to the right along a direction."""
        scale, noise = self.scale(k, direction), self.factor * self.volume
        left = one_sided(lambda t: self.scalar((k, -t * direction)), scale, noise)
        return Estimate(-left.value, left.error), one_sided(lambda t: self.scalar((k, t * direction)), scale, noise)

    def scale(self, k: int, direction: Array) -> float:
        """Return a step along a direction, about as long as the argument is large there."""
        x = abs(self.arrays[k])
        size = float((x * abs(direction)).max()) if x.size else 0.0
        least = 0.1 * min(1.0, peak(self.arrays[k]) or 1.0)  # a number near zero is no scale
        return max(size, least) / max(peak(direction), 1e-300)

    def _choose(self, k: int, direction: Array) -> str:
        """Return the complex step if f lets it through, else differences, with a note that says why."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                self.by_complex_step(k, direction)
            return "complex step"
        except Exception as error:  # code for real numbers may raise anything when it is given complex ones
            reason = f"{type(error).__name__}: {error}"
            self.notes.append(f"{self.names[k]} was checked by differences: the complex step cannot go ({reason})")
            return "differences"

    def _condition(self) -> list[Array]:
        """Return κ, how far the gradients move along ±x of all arguments, by the complex step, or 0 if it fails."""
        worst = [self.xp.zeros(g.shape) for g in self.gradients]
        for _ in range(2):
            signs = [self.xp.asarray(self.rng.choice([-1.0, 1.0], a.shape)) for a in self.arrays]
            moved = iter([a + 1j * STEP * (a * s) for a, s in zip(self.arrays, signs, strict=True)])
            try:
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("error", np.exceptions.ComplexWarning)
                    _, gradients = self.f(*self.like(moved))
                    found = self.flat(gradients(self.cotangent) if callable(gradients) else gradients)
                    rates = [abs(g.imag) / STEP for g in found]
            except Exception:
                return worst
            worst = [
                self.xp.where(r < float("inf"), self.xp.maximum(w, r), w) for w, r in zip(worst, rates, strict=True)
            ]
        return worst


def _as_float64(leaf: Any) -> Array:
    if isinstance(leaf, float):
        return np.asarray(leaf, dtype=np.float64)
    if getattr(getattr(leaf, "dtype", None), "kind", None) != "f":
        raise TypeError(f"argument is {type(leaf).__name__} {getattr(leaf, 'dtype', '')}; expected real float arrays")
    return leaf.astype(np.float64)


def names_of(f: Callable[..., Any], arguments: list[Tree]) -> list[str]:
    """Name every array by its parameter of f, and its path in that argument."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    plain = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    roots = [plain[i] if i < len(plain) else f"argument {i}" for i in range(len(arguments))]
    return [path for root, tree in zip(roots, arguments, strict=True) for path, _ in leaves(tree, root)]


def _total(terms: Any) -> Any:
    return terms.sum() if hasattr(terms, "sum") else terms
