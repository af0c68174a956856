"""Activations: elementwise layers, each named once with its value, its slope and its curvature.

An activation made here works everywhere: in training, in Jacobians, in the matching of gradients. Files know functions
by their names: those below by themselves, functions of your own when you hand them over.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, Literal

import numpy as np

from npnet.arrays import Array, array_module, check_array
from npnet.layers import Back, Layer, Parameters, Shared, linear

__all__ = ["ACTIVATIONS", "LAYERS", "Activation", "identity", "layer_named", "name_of", "relu", "sigmoid", "tanh"]


@dataclass(frozen=True)
class Activation:
    """An elementwise layer Y = f(X), named once with all that is known of f; dX = dY f′(X).

    value(X) is f, slope(X, Y) its derivative and curvature(X, Y) its second one; both may use whichever is shorter.
    curvature: 0 where the slope is constant between kinks, None where it is not known: matching gradients refuses it.
    """

    name: str
    value: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]
    curvature: Callable[[Array, Array], Array] | Literal[0] | None = None

    def __call__(self, p: Parameters, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
        """Return Y and the way back."""
        check_array("X", X)
        Y = self.value(X)
        slope = self.slope(X, Y)
        return Y, lambda dY: (dY * slope, {})

    def __reduce__(self) -> str | tuple[Any, ...]:
        fields = (self.name, self.value, self.slope, self.curvature)
        return self.name if ACTIVATIONS.get(self.name) is self else (type(self), fields)  # pickles know ours by name


# Both have tails: far from 0 a sum with 1 loses what is left of them. e^{−|x|} keeps every digit, and underflows to 0
# only where the tail itself does, which is no error.


@np.errstate(under="ignore")
def _tanh(X: Array) -> Array:
    return array_module(X).tanh(X)


@np.errstate(under="ignore", over="ignore")
def _tanh_slope(X: Array, Y: Array) -> Array:
    return 4 * _sigmoid_slope(2.0 * X, Y)


@np.errstate(under="ignore")
def _sigmoid(X: Array) -> Array:
    E = _tail(X)
    return array_module(X).where(X.real < 0, E, 1) / (1 + E)


@np.errstate(under="ignore")
def _sigmoid_slope(X: Array, Y: Array) -> Array:
    E = _tail(X)
    return E / ((1 + E) * (1 + E))


def _tail(X: Array) -> Array:
    """Return e^{−|x|}; 0.0 − x, for −x of unsigned whole numbers would wrap around."""
    xp = array_module(X)
    return xp.exp(xp.where(X.real < 0, X, 0.0 - X))


@np.errstate(under="ignore")
def _tanh_curvature(X: Array, Y: Array) -> Array:
    return -2 * Y * _tanh_slope(X, Y)


@np.errstate(under="ignore")
def _sigmoid_curvature(X: Array, Y: Array) -> Array:
    return -_tanh(X / 2) * _sigmoid_slope(X, Y)


relu = Activation("relu", lambda X: X * (X.real > 0), lambda X, Y: X.real > 0, 0)
"""Y = max(0, X); slope 1 where X > 0 and 0 elsewhere, the kink at 0 included. NaN and −∞ give NaN."""

tanh = Activation("tanh", _tanh, _tanh_slope, _tanh_curvature)
"""Y = tanh X; slope 1 − Y² = 4E / (1 + E)² with E = e^{−2|x|}, which loses no digits where Y is near ±1."""

sigmoid = Activation("sigmoid", _sigmoid, _sigmoid_slope, _sigmoid_curvature)
"""Y = 1 / (1 + e⁻ˣ) = E / (1 + E) where X < 0 and 1 / (1 + E) elsewhere, E = e^{−|x|}, which cannot overflow; slope
Y (1 − Y) = E / (1 + E)². Both are right to a few units in the last place for every X."""

identity = Activation("identity", lambda X: X, lambda X, Y: array_module(X).ones_like(X), 0)
"""Y = X: for a network whose layers need no activation after them."""

ACTIVATIONS = {activation.name: activation for activation in (relu, tanh, sigmoid, identity)}
"""The activations by name."""

LAYERS: dict[str, Any] = {"linear": linear, "Shared": Shared, **ACTIVATIONS}
"""The layers that a network may be made of, by the names under which files know them."""


def name_of(layer: Layer) -> Any:
    """Return the name under which a file knows a layer: a string, or {class: fields} for a layer with options.

    Raises ValueError for a function that has no name of its own, and for one with the name of one of npnet's.
    """
    options = is_dataclass(layer) and not isinstance(layer, Activation | type)
    named = type(layer) if options else layer
    name = layer.name if isinstance(layer, Activation) else getattr(named, "__name__", "<lambda>")
    if not name.isidentifier():
        raise ValueError(f"layer is {layer!r}; expected a function with a name of its own, so that a file can hold it")
    if LAYERS.get(name, named) is not named:
        raise ValueError(f"layer is {layer!r}, named {name!r}, as one of npnet's own; expected another name for a file")
    return {name: asdict(layer)} if options else name  # type: ignore[call-overload]


def layer_named(name: Any, own: Mapping[str, Layer] | None = None) -> Layer:
    """Return the layer that `name_of` gave this name; own: functions of your own by theirs.

    Raises ValueError for a name that is not known.
    """
    (key, fields) = next(iter(name.items())) if isinstance(name, dict) else (name, None)
    known: dict[str, Any] = {**LAYERS, **(own or {})}
    if key not in known:
        raise ValueError(
            f"layer is {key!r}; expected one of {', '.join(known)}, or your own as layers={{{key!r}: ...}}"
        )
    return known[key] if fields is None else known[key](**fields)
