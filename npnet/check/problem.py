"""A function under check, made flat: a list of arrays, a list of their gradients, and a scalar to differentiate.

A direction is a dict: the index of an argument, and how that argument moves. Arguments that are not in it stay.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from npnet.arrays import Array, array_module, generator, to_host
from npnet.check.behaviour import same
from npnet.check.derivative import STEP, Estimate, Ray
from npnet.check.first import first_look
from npnet.check.function import Function, as_floats, refuse_lists, roots_of
from npnet.check.precision import other_float
from npnet.check.pytree import Tree, leaves, map_tree
from npnet.check.report import Line, Report
from npnet.check.rounding import length, peak

__all__ = ["Direction", "Problem"]

METHODS = ("auto", "complex step", "differences")
UNSEEN = "{}: gradient and derivative are zero throughout, so nothing was tested. {}"
MOVE = "Move the other arguments"
ALONE = "f may be constant, or something that it keeps fixed is zero"
Direction = dict[int, Any]


class Problem:
    """A function with its arguments as a flat list of float64 arrays, its gradients, and a scalar to differentiate.

    The scalar is the sum of the values, or ⟨dY, Y⟩ with random dY for a function that returns (Y, back).

    value … largest: what the first look finds (see `first`).
    methods: for each argument, how its derivatives are found, "" as long as it is not chosen (see `trust`).
    tangents: the directions that were asked for, None for all.
    given, dtype: the arguments as they were given, and the precision in which the gradient is computed, None for
        float64. Derivatives are always found in float64.
    """

    value: Array
    cotangent: Any
    gradients: list[Array]
    complaints: list[str]
    condition: list[Array]
    buffers: list[str]
    volume: float
    lost: float
    noise: float
    swing: float
    jump: float
    factor: float
    largest: float

    def __init__(
        self,
        f: Callable[..., tuple[Any, Any]],
        arrays: tuple[Tree, ...],
        seed: int,
        method: str,
        dtype: Any = None,
        directions: Iterable[Any] | None = None,
    ) -> None:
        if method not in METHODS:
            raise ValueError(f"method is {method!r}; expected one of {', '.join(METHODS)}")
        refuse_lists(roots_of(f, len(arrays)), list(arrays))
        self.rng, self.asked = generator(seed, "check_gradient"), method
        self.f = Function(f, list(arrays))
        self.names, given = self.f.names, [leaf for _, leaf in leaves(list(arrays))]
        self.given, self.dtype = given, dtype
        self.notes = self._precisions(given, dtype)
        own = as_floats(self.names, given, dtype or np.float64)
        self.arrays: list[Array] = [a.astype(np.float64) for a in own]
        self.f.arguments = self.arguments = self.like(self.arrays)
        self.xp = array_module(*self.arrays)
        self.tangents = None if directions is None else [self._tangent(d) for d in directions]
        self.methods = [method if method == "differences" else "" for _ in self.arrays]
        self.witnessed = [0.0 for _ in self.arrays]  # what part of a slope differences saw of the complex step
        self.kinked = [False for _ in self.arrays]
        self.found: dict[Any, tuple[float, float]] = {}  # the derivative of an entry (argument, index), and its error
        self.kinks: dict[Any, tuple[float, float]] = {}  # the slopes on both sides of an entry at a kink
        self.own = self.like(own)
        self.notes += first_look(self)

    def _precisions(self, given: list[Any], dtype: Any) -> list[str]:
        if dtype is not None:
            return [f"gradients in {np.dtype(dtype)} were compared with derivatives in float64"]
        others = [f"{n} is {a.dtype}" for n, a in zip(self.names, given, strict=True) if other_float(a)]
        said = "the code was checked in float64, and then the gradient in this precision (dtype= checks one alone)"
        return [f"{', '.join(others)}: {said}"] if others else []

    def like(self, flat: Iterable[Any]) -> list[Tree]:
        """Return flat arrays in the structure of the arguments."""
        following = iter(flat)
        return [map_tree(lambda _: next(following), tree) for tree in self.f.arguments]

    def _tangent(self, direction: Tree) -> Direction:
        bare = self.f.alone and not isinstance(self.arguments[0], dict | list)
        parts = [self.xp.asarray(direction, dtype=float)] if bare else self.f.flat(direction)
        found, wanted = [p.shape for p in parts], [a.shape for a in self.arrays]
        if found != wanted:
            raise ValueError(f"a direction has shapes {found}; expected {wanted}")
        return dict(enumerate(parts))

    def probe(self, k: int | None = None) -> Direction:
        """Draw a direction: of one argument, or of all. If directions were asked for, it is a mixture of those."""
        if self.tangents is not None:
            weights, count = self.rng.standard_normal(len(self.tangents)), len(self.arrays)
            return {i: sum(w * t[i] for w, t in zip(weights, self.tangents, strict=True)) for i in range(count)}
        which = range(len(self.arrays)) if k is None else (k,)
        return {i: self.xp.asarray(self.rng.standard_normal(self.arrays[i].shape)) for i in which}

    def moved(self, direction: Direction, t: complex) -> list[Tree]:
        """Return the arguments moved by t times a direction."""
        return self.like(a + t * direction[i] if i in direction else a for i, a in enumerate(self.arrays))

    def outputs(self, direction: Direction, t: complex) -> Any:
        """Return f's value at moved arguments."""
        return self.f(self.moved(direction, t))[0]

    def scalar(self, direction: Direction, t: complex) -> Any:
        """Return the scalar at moved arguments, on the host."""
        return np.asarray(to_host((self.outputs(direction, t) * self.cotangent).sum()))

    def gradients_at(self, direction: Direction, t: complex) -> list[Array]:
        """Return the gradients at moved arguments."""
        _, gradients = self.f(self.moved(direction, t))
        found: list[Array] = gradients(self.cotangent.copy()) if callable(gradients) else gradients
        return found

    def slope(self, direction: Direction, gradients: list[Array] | None = None) -> float:
        """Return what the gradients say of the derivative along a direction."""
        g = self.gradients if gradients is None else gradients
        return sum(float((g[k] * u).sum()) for k, u in direction.items())

    def rounding(self, direction: Direction, gradients: list[Array] | None = None) -> float:
        """Return the difference that rounding explains between gradient and derivative (see `rounding`)."""
        g = self.gradients if gradients is None else gradients
        sizes = (u * (2 * abs(g[k]) + peak(g[k]) + self.condition[k] + self.lost) for k, u in direction.items())
        return self.factor * length(*sizes) + 1e-300

    def by_complex_step(self, direction: Direction, offset: float = 0.0) -> Estimate | None:
        """Im f(x + (offset + ih) u)/h. None if f returns a real number, or raises an exception."""
        longest = max(map(peak, direction.values()), default=0.0)
        step = STEP / longest if 0 < longest < 1e-100 else STEP  # its product with the direction is no subnormal number
        try:
            value = self.scalar(direction, offset + 1j * step)
        except Exception:  # code for real numbers may raise anything when it is given complex ones
            return None
        return Estimate(float(value.imag) / step, 0.0) if value.dtype.kind == "c" else None

    def ray(self, direction: Direction, offset: float = 0.0, scale: float | None = None) -> Ray:
        """Return the slopes along a direction by differences, at the point or beside it."""
        steps = self.scale(direction) if scale is None else scale
        return Ray(lambda t: self.scalar(direction, offset + t), steps, self.noise)

    def scale(self, direction: Direction) -> float:
        """Return a step along a direction, about as long as the arguments are large there."""
        steps = []
        for k, u in direction.items():
            x, longest = abs(self.arrays[k]), peak(u)
            if longest > 0:
                size = float((x * abs(u)).max())
                steps.append(max(size, 0.1 * min(1.0, peak(x) or 1.0)) / longest)  # a number near zero is no scale
        return min(steps, default=1.0)

    def report(
        self, lines: Iterable[Line], what: str, tolerance: float | None = None, notes: Iterable[str] = ()
    ) -> Report:
        """Return the report of a check, after a last look at how f behaves."""
        value, gradients = self.f(self.own)
        again = gradients(self.cotangent.copy()) if callable(gradients) else gradients
        if not same([self.value, *self.gradients], [value, *again]):
            self.complaints.append("f has other bits at the same arguments after the check: it keeps a state")
        lines = tuple(lines)
        said = [UNSEEN.format(line.parameter, MOVE if len(lines) > 1 else ALONE) for line in lines if line.unseen]
        said += [f"the gradient of {name} is one array, filled anew at every call: copy it" for name in self.buffers]
        precision = str(np.dtype(self.dtype or float))
        return Report(lines, tolerance, tuple(self.complaints), (*self.notes, *said, *notes), what, precision)
