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


def _tanh(X: Array) -> Array:
    return array_module(X).tanh(X)


def _sigmoid(X: Array) -> Array:
    return (1 + array_module(X).tanh(X / 2)) / 2


relu = Activation("relu", lambda X: X * (X.real > 0), lambda X, Y: X.real > 0, 0)
"""Y = max(0, X); slope 1 where X > 0 and 0 elsewhere, the kink at 0 included. NaN and −∞ give NaN."""

tanh = Activation("tanh", _tanh, lambda X, Y: 1 - Y * Y, lambda X, Y: -2 * Y * (1 - Y * Y))
"""Y = tanh X; slope 1 − Y²."""

sigmoid = Activation("sigmoid", _sigmoid, lambda X, Y: Y * (1 - Y), lambda X, Y: (1 - 2 * Y) * Y * (1 - Y))
"""Y = 1 / (1 + e⁻ˣ) = (1 + tanh(X/2)) / 2, which cannot overflow; slope Y (1 − Y)."""

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
