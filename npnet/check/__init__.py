"""Gradient checking by the complex step: exact to the last bits, for any function that returns value and gradient.

For an analytic f that is real on real inputs, Im f(x + ihu)/h is the derivative along u with an error of order h².
Nothing is subtracted, so h can be 1e-100 and the error is rounding alone (Squire and Trapp 1998). A function of
several outputs is checked through the adjoint identity ⟨dY, J u⟩ = ⟨Jᵀ dY, u⟩ for random dY.

Knows nothing of networks: `python -m npnet.check` brings the library's own functions to it.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from npnet.arrays import Array, array_module, generator
from npnet.trees import Tree, copy_tree, leaves, map_tree

__all__ = ["Line", "Report", "check_gradient"]

STEP = 1e-100  # its square vanishes beside any number of ordinary size
SMALL = 500  # arrays of up to this many numbers are checked entry by entry
DIRECTIONS = 6


@dataclass(frozen=True)
class Line:
    """One checked parameter: the place of its worst error, both values there, and that error.

    index is None for the derivative along a random direction. error is |gradient − derivative| over the larger of the
    two, or over 1e-3 of the parameter's largest gradient where both are smaller: below that, rounding is all there is.
    """

    parameter: str
    shape: tuple[int, ...]
    checked: str
    index: tuple[int, ...] | None
    gradient: float
    derivative: float
    error: float

    def __str__(self) -> str:
        where = "along a direction" if self.index is None else f"at {self.index}"
        return (
            f"{self.parameter} {self.shape}, {self.checked}: worst {where}, gradient {self.gradient:.17g}, "
            f"derivative {self.derivative:.17g}, relative error {self.error:.1e}"
        )


@dataclass(frozen=True)
class Report:
    """What a check found; true when every error is within the tolerance. Prints a line for each parameter."""

    lines: tuple[Line, ...]
    tolerance: float
    complaints: tuple[str, ...] = ()

    @property
    def error(self) -> float:
        """The worst relative error of all parameters."""
        return max((line.error for line in self.lines), default=0.0)

    def __bool__(self) -> bool:
        return self.error <= self.tolerance and not self.complaints

    def __str__(self) -> str:
        verdict = "gradient confirmed" if self else "GRADIENT WRONG"
        details = [*self.complaints, *map(str, self.lines)]
        return "\n  ".join(
            [f"{verdict}: worst relative error {self.error:.1e}, tolerance {self.tolerance:.0e}", *details]
        )

    __repr__ = __str__


def check_gradient(f: Callable[..., tuple[Any, Any]], *arrays: Tree, tolerance: float = 1e-11, seed: int = 0) -> Report:
    """Check the gradient that f returns beside its value, by the complex step in float64.

    f(*arrays) returns (value, gradients), or (Y, back) with back(dY) -> gradients. Arrays may be trees (dicts or lists
    of arrays); gradients have the same structure: one for each argument, or bare where there is one argument. An array
    of values is a stack of independent ones: their sum is checked. f must be complex-safe and deterministic.

    Arrays of up to 500 numbers are checked entry by entry, larger ones along random directions; an error found along a
    direction is then traced to its entry. Also reported: arguments that f or back changed, and a back that gives other
    bits when called again. Raises TypeError for arguments that are not real floating-point arrays, and ValueError for
    gradients of another shape, or an f that loses the imaginary part.
    """
    problem = _Problem(f, arrays, generator(seed, "check_gradient"))
    lines = tuple(problem.check(k, tolerance) for k in range(len(problem.names)))
    return Report(lines, tolerance, tuple(problem.complaints))


class _Problem:
    """A function with its arguments as a flat list of float64 arrays, its gradients, and a scalar to differentiate."""

    def __init__(self, f: Callable[..., tuple[Any, Any]], arrays: tuple[Tree, ...], rng: np.random.Generator) -> None:
        self.f, self.rng = f, rng
        self.arguments = [map_tree(_as_float64, tree) for tree in arrays]
        self.names = _names(f, self.arguments)
        self.arrays: list[Array] = [leaf for _, leaf in leaves(self.arguments)]
        self.complaints: list[str] = []
        self.xp = array_module(*self.arrays)

        before = copy_tree(self.arguments)
        value, gradients = f(*self.arguments)
        self.cotangent: Array | float = 1.0
        if callable(gradients):
            self.cotangent = self.xp.asarray(rng.standard_normal(value.shape))
            back = gradients
            gradients, again = back(self.cotangent), back(self.cotangent)
            if not all(_same(a, b) for (_, a), (_, b) in zip(leaves(gradients), leaves(again), strict=True)):
                self.complaints.append("back gives other bits when it is called again")
        for name, (_, old), new in zip(self.names, leaves(before), self.arrays, strict=True):
            if not _same(old, new):
                self.complaints.append(f"argument {name} was changed")
        self.gradients: list[Array] = [leaf for _, leaf in leaves(gradients if len(arrays) > 1 else [gradients])]
        self._check_shapes()
        self.largest = max((_peak(g) for g in self.gradients), default=0.0)

    def _check_shapes(self) -> None:
        found = [getattr(g, "shape", None) for g in self.gradients]
        wanted = [a.shape for a in self.arrays]
        if found != wanted:
            raise ValueError(f"gradients have shapes {found}; expected {wanted} for {', '.join(self.names)}")

    def derivative(self, k: int, direction: Array) -> float:
        """Return the derivative of the scalar along a direction of argument k."""
        value = self._scalar(k, 1j * STEP * direction)
        if getattr(value, "dtype", np.dtype(type(value))).kind == "c":
            return float(value.imag) / STEP
        if float(self._scalar(k, 1e-3 * direction)) == float(value):
            return 0.0  # a value that does not depend on this argument has no imaginary part to lose
        raise ValueError(f"f loses the imaginary part of {self.names[k]}; expected a complex-safe function")

    def _scalar(self, k: int, change: Array) -> Any:
        changed = iter([a + change if i == k else a for i, a in enumerate(self.arrays)])
        value, _ = self.f(*map_tree(lambda _: next(changed), self.arguments))
        return (value * self.cotangent).sum() if hasattr(value, "sum") else value * self.cotangent

    def check(self, k: int, tolerance: float) -> Line:
        """Compare the gradient of argument k with derivatives along entries or directions."""
        g = self.gradients[k]
        floor = max(1e-3 * _peak(g), 1e-6 * self.largest, 1e-300)
        found = []
        for index, direction in self._directions(k):
            derivative = self.derivative(k, direction)
            gradient = float((g * direction).sum())
            floor_here = floor if index else max(floor, float(((g * direction) ** 2).sum()) ** 0.5)
            found.append((_relative(gradient, derivative, floor_here), index, gradient, derivative))
        if not found:
            return Line(self.names[k], g.shape, "empty", None, 0.0, 0.0, 0.0)
        error, index, gradient, derivative = max(found, key=lambda each: each[0])
        if index is None and error > tolerance:
            index = self._trace(k)
            direction = self._unit(k, index)
            gradient, derivative = float((g * direction).sum()), self.derivative(k, direction)
            error = max(error, _relative(gradient, derivative, floor))
        checked = "every entry" if g.size <= SMALL else f"{DIRECTIONS} directions"
        return Line(self.names[k], g.shape, checked, index, gradient, derivative, error)

    def _directions(self, k: int) -> Iterator[tuple[tuple[int, ...] | None, Array]]:
        shape = self.arrays[k].shape
        if self.arrays[k].size <= SMALL:
            for index in np.ndindex(*shape):
                yield index, self._unit(k, index)
        else:
            for _ in range(DIRECTIONS):
                yield None, self.xp.asarray(self.rng.standard_normal(shape))

    def _unit(self, k: int, index: tuple[int, ...]) -> Array:
        direction = np.zeros(self.arrays[k].shape)
        direction[index] = 1.0
        return self.xp.asarray(direction)

    def _trace(self, k: int) -> tuple[int, ...]:
        """Halve the array again and again, keeping the half in which gradient and derivative disagree more."""
        low, high = 0, self.arrays[k].size
        probe = self.rng.standard_normal(self.arrays[k].shape)
        while high - low > 1:
            middle = (low + high) // 2
            gaps = []
            for start, stop in ((low, middle), (middle, high)):
                part = np.zeros(probe.size)
                part[start:stop] = probe.reshape(-1)[start:stop]
                direction = self.xp.asarray(part.reshape(probe.shape))
                gaps.append(abs(float((self.gradients[k] * direction).sum()) - self.derivative(k, direction)))
            low, high = (low, middle) if gaps[0] >= gaps[1] else (middle, high)
        return tuple(int(i) for i in np.unravel_index(low, probe.shape))


def _as_float64(leaf: Any) -> Array:
    if getattr(getattr(leaf, "dtype", None), "kind", None) != "f":
        raise TypeError(f"argument is {type(leaf).__name__} {getattr(leaf, 'dtype', '')}; expected real float arrays")
    return leaf.astype(np.float64)


def _names(f: Callable[..., Any], arguments: list[Tree]) -> list[str]:
    """Name every array by the parameter of f that it is, and its path in there."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    plain = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    roots = [plain[i] if i < len(plain) else f"argument {i}" for i in range(len(arguments))]
    return [path for root, tree in zip(roots, arguments, strict=True) for path, _ in leaves(tree, root)]


def _same(a: Array, b: Array) -> bool:
    return bool(((a == b) | ((a != a) & (b != b))).all())


def _peak(g: Array) -> float:
    magnitudes: Array = abs(g)
    return float(magnitudes.max()) if g.size else 0.0


def _relative(gradient: float, derivative: float, floor: float) -> float:
    gap = abs(gradient - derivative)
    return gap / max(abs(gradient), abs(derivative), floor) if gap == gap else float("inf")
