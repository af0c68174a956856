"""Wrong functions that deceive a checker: they lose an imaginary part, keep a cache, or share a buffer.

Each is wrong at the point where it is checked, or wrong for whoever calls it twice. A checker that confirms one has
given a false confirmation. Beside each stands its right twin, so that an alarm for everything counts for nothing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Deception", "deceptions"]

W = np.array([0.7, -1.3, 2.1, 0.4])
X = np.array([[0.5, -1.2, 0.3], [1.1, 0.4, -0.7]])
Function = Callable[..., tuple[Any, Any]]


@dataclass(frozen=True)
class Deception:
    """A wrong function and its right twin.

    make(wrong) returns a new function, with a cache or a buffer of its own, and its arguments.
    """

    kind: str
    name: str
    make: Callable[[bool], tuple[Function, tuple[Any, ...]]]


PENALTIES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "np.abs": (lambda w: np.abs(w).sum(), lambda w: np.sign(w.real)),
    "np.linalg.norm": (np.linalg.norm, lambda w: w / np.linalg.norm(w)),
    "w.real": (lambda w: (w.real**4).sum(), lambda w: 4 * w.real**3),
    "a cast to float": (lambda w: (_float(w) ** 3).sum(), lambda w: 3 * _float(w) ** 2),
    "np.conj": (lambda w: (w * np.conj(w)).sum().real, lambda w: 2 * w.real),
    "math.sin in a loop": (lambda w: sum(math.sin(x) for x in w.real), lambda w: np.cos(w.real)),
    "np.hypot": (lambda w: np.hypot(w.real, 1.0).sum(), lambda w: w.real / np.hypot(w.real, 1.0)),
    "the complex sign": (lambda w: (w.real * np.sign(w.real)).sum(), lambda w: np.sign(w.real)),
    "one entry by float()": (lambda w: float(w[1].real) ** 2, lambda w: 2 * np.eye(4)[1] * w.real),
    "the largest magnitude": (lambda w: np.abs(w).max(), lambda w: np.eye(4)[2] * np.sign(w.real)),
}
"""Terms that drop the imaginary part, and their gradients."""


def _float(w: Any) -> Any:
    return np.asarray(w.real, dtype=float)


def _imaginary(name: str, strength: float) -> Deception:
    """Return ½‖w‖² + strength · penalty(w); the wrong gradient lacks the penalty's."""
    penalty, slope = PENALTIES[name]

    def make(wrong: bool) -> tuple[Function, tuple[Any, ...]]:
        def f(w: Any) -> tuple[Any, Any]:
            value = (w * w).sum() / 2 + strength * penalty(w)
            return value, w + 0.0 if wrong else w + strength * slope(w)

        return f, (W,)

    return Deception("imaginary part", f"{name}, {strength:g} of it", make)


def _constant(wrong: bool) -> tuple[Function, tuple[Any, ...]]:
    """The value of the first call is returned for ever."""
    kept: list[Any] = []

    def f(w: Any) -> tuple[Any, Any]:
        kept.append((w * w).sum())
        return (kept[0] if wrong else kept[-1]), 2 * w

    return f, (W,)


def _rounded(wrong: bool) -> tuple[Function, tuple[Any, ...]]:
    """Values are kept by arguments that are rounded to three digits."""
    kept: dict[Any, Any] = {}

    def f(w: Any) -> tuple[Any, Any]:
        key = tuple(np.round(w.real, 3))
        if not wrong or key not in kept:
            kept[key] = np.exp(w).sum()
        return kept[key], np.exp(w)

    return f, (W,)


def _one_argument(wrong: bool) -> tuple[Function, tuple[Any, ...]]:
    """A product with the second argument is kept by the first argument alone."""
    kept: dict[Any, Any] = {}

    def f(a: Any, b: Any) -> tuple[Any, Any]:
        key = a.tobytes()
        if not wrong or key not in kept:
            kept[key] = (a * b).sum()
        return kept[key] + (b * b).sum(), (b + 0.0, (0.0 if wrong else a) + 2 * b)

    return f, (W, W[::-1] + 1.0)


def _statistics(wrong: bool) -> tuple[Function, tuple[Any, ...]]:
    """A mean of the first batch is kept, and the gradient takes it for one that moves."""
    kept: list[Any] = []

    def f(w: Any) -> tuple[Any, Any]:
        kept.append(w.mean())
        D = w - (kept[0] if wrong else kept[-1])
        return (D**3).sum(), 3 * D**2 - (3 * D**2).mean()

    return f, (W,)


def _latest_forward(wrong: bool) -> tuple[Function, tuple[Any, ...]]:
    """The way back uses what the latest call has left behind."""
    kept: dict[str, Any] = {}

    def f(w: Any) -> tuple[Any, Any]:
        Y = np.tanh(w)
        kept["Y"] = Y
        return Y, lambda dY: dY * (1 - (kept["Y"] if wrong else Y) ** 2)

    return f, (W,)


def _latest_dy(wrong: bool) -> tuple[Function, tuple[Any, ...]]:
    """The way back keeps its first dY."""

    def f(w: Any) -> tuple[Any, Any]:
        kept: list[Any] = []

        def back(dY: Any) -> Any:
            kept.append(dY.copy())
            return 2 * w * (kept[0] if wrong else dY)

        return w * w, back

    return f, (W,)


def _first_gradient(wrong: bool) -> tuple[Function, tuple[Any, ...]]:
    """The gradient of the first call is returned for ever, and the first call was at another point."""
    kept = [3 * (W + 0.1) ** 2]

    def f(w: Any) -> tuple[Any, Any]:
        return (w**3).sum(), kept[0].copy() if wrong else 3 * w**2

    return f, (W,)


def _counted(wrong: bool) -> tuple[Function, tuple[Any, ...]]:
    """A step size that decays with every call is part of the value."""
    calls = [0]

    def f(w: Any) -> tuple[Any, Any]:
        calls[0] += 1
        return (w * w).sum() * (1 + 1e-9 * calls[0] if wrong else 1), 2 * w

    return f, (W,)


def _same_buffer_twice(wrong: bool) -> tuple[Function, tuple[Any, ...]]:
    """Two gradients are computed into one buffer, so both are the second."""
    buffer = np.zeros(4)

    def f(a: Any, b: Any) -> tuple[Any, Any]:
        if not wrong:
            return (a * b).sum(), (b + 0.0, a + 0.0)
        buffer[:] = b.real
        da = buffer
        buffer[:] = a.real
        return (a * b).sum(), (da, buffer)

    return f, (W, W[::-1] + 1.0)


def _added(wrong: bool) -> tuple[Function, tuple[Any, ...]]:
    """Every call adds to the gradient buffer, which nobody sets to zero."""
    buffer = np.zeros(4)

    def f(w: Any) -> tuple[Any, Any]:
        if not wrong:
            buffer[:] = 0.0
        buffer[:] += 2 * w.real
        return (w * w).sum(), buffer

    return f, (W,)


def _in_place_relu(wrong: bool) -> tuple[Function, tuple[Any, ...]]:
    """A relu writes into its input, and the other factor of the product sees what it wrote."""

    def f(X: Any) -> tuple[Any, Any]:
        gate = X.real > 0
        Y = np.multiply(X, gate, out=X) if wrong else X * gate
        return Y * X, lambda dY: dY * (2 * X if wrong else 2 * X * gate)

    return f, (X.copy(),)


def _writes_argument(wrong: bool) -> tuple[Function, tuple[Any, ...]]:
    """The argument is centred in place, for the caller too."""

    def f(w: Any) -> tuple[Any, Any]:
        if wrong:
            w -= w.mean()
            D = w
        else:
            D = w - w.mean()
        return (D * D).sum(), 2 * D

    return f, (W.copy(),)


def _writes_dy(wrong: bool) -> tuple[Function, tuple[Any, ...]]:
    """The way back writes its answer into dY, which belongs to the caller."""

    def f(w: Any) -> tuple[Any, Any]:
        return w * w, lambda dY: np.multiply(dY, 2 * w, out=dY) if wrong else 2 * w * dY

    return f, (W,)


def _outputs_and_gradient(wrong: bool) -> tuple[Function, tuple[Any, ...]]:
    """The way back computes in the buffer of the outputs, and needs them a second time."""

    def f(w: Any) -> tuple[Any, Any]:
        Y = np.tanh(w)

        def back(dY: Any) -> Any:
            if wrong:
                Y[...] = 1 - Y * Y
                return dY * Y
            return dY * (1 - Y * Y)

        return Y, back

    return f, (W,)


CACHES: dict[str, Callable[[bool], tuple[Function, tuple[Any, ...]]]] = {
    "the first value for ever": _constant,
    "values kept by rounded arguments": _rounded,
    "a product kept by one of its factors": _one_argument,
    "the mean of the first batch": _statistics,
    "back after the latest forward": _latest_forward,
    "back keeps its first dY": _latest_dy,
    "the gradient of another point": _first_gradient,
    "a value that counts its calls": _counted,
}
BUFFERS: dict[str, Callable[[bool], tuple[Function, tuple[Any, ...]]]] = {
    "two gradients in one buffer": _same_buffer_twice,
    "gradients that add up": _added,
    "relu in place": _in_place_relu,
    "the argument centred in place": _writes_argument,
    "back writes into dY": _writes_dy,
    "back writes into the outputs": _outputs_and_gradient,
}


def deceptions() -> list[Deception]:
    """Return all of them."""
    lost = [_imaginary(name, strength) for name in PENALTIES for strength in (0.3, 1e-6)]
    kept = [Deception("cache", name, make) for name, make in CACHES.items()]
    return [*lost, *kept, *(Deception("buffer", name, make) for name, make in BUFFERS.items())]
