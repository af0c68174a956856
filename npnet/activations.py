"""Activations: elementwise layers, each named once with its value, its slope and its curvature.

An activation made so works everywhere: in training, in Jacobians, in the matching of gradients. Those with kinks are
here; tanh, sigmoid, softplus and SiLU are in smooth, GELU is in gelu. Files know functions by their names: npnet's by
themselves, functions of your own when you hand them over.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, Literal

import numpy as np

from npnet.arguments import checked
from npnet.arrays import Array, array_module, check_array
from npnet.layers import Back, Layer, Parameters, Shared, linear

__all__ = [
    "ACTIVATIONS",
    "LAYERS",
    "Activation",
    "Elementwise",
    "LeakyReLU",
    "identity",
    "layer_named",
    "name_of",
    "names_of",
    "register",
    "relu",
]


class Elementwise:
    """A layer Y = f(X) with all that is known of f; dX = dY f′(X).

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


@checked
@dataclass(frozen=True)
class Activation(Elementwise):
    """An elementwise layer without options, made of its functions."""

    name: str
    value: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]
    curvature: Callable[[Array, Array], Array] | Literal[0] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        if ACTIVATIONS.get(self.name) is self:
            return layer_named, (self.name,)  # pickles know ours by name
        return type(self), (self.name, self.value, self.slope, self.curvature)


relu = Activation("relu", lambda X: X * (X.real > 0), lambda X, Y: X.real > 0, 0)
"""Y = max(0, X); slope 1 where X > 0 and 0 elsewhere, the kink at 0 included. NaN and −∞ give NaN."""

identity = Activation("identity", lambda X: X, lambda X, Y: array_module(X).ones_like(X), 0)
"""Y = X: for a network whose layers need no activation after them."""


@checked
@dataclass(frozen=True)
class LeakyReLU(Elementwise):
    """Y = X where X > 0 and below · X elsewhere, the kink at 0 included. Raises ValueError for a `below` not finite."""

    below: float = 0.01
    name = "leaky_relu"
    curvature = 0

    def __post_init__(self) -> None:
        if not -math.inf < self.below < math.inf:
            raise ValueError(f"below is {self.below}; expected a finite number, as 0.01")

    def value(self, X: Array) -> Array:
        """Return Y."""
        return X * self.slope(X, X)

    def slope(self, X: Array, Y: Array) -> Array:
        """Return 1 or `below`."""
        one = X.real.dtype.type
        return array_module(X).where(X.real > 0, one(1), one(self.below))


ACTIVATIONS: dict[str, Elementwise] = {"relu": relu, "identity": identity, "leaky_relu": LeakyReLU()}
"""The activations by name."""

LAYERS: dict[str, Any] = {
    "linear": linear,
    "Shared": Shared,
    "LeakyReLU": LeakyReLU,
    "relu": relu,
    "identity": identity,
}
"""The layers that a network may be made of, by the names under which files know them."""


def register(*activations: Activation) -> None:
    """Let networks and files know activations by their names."""
    for each in activations:
        ACTIVATIONS[each.name] = LAYERS[each.name] = each


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


def names_of(layers: Sequence[Layer]) -> list[Any]:
    """Return the names of several layers. Raises ValueError for two different ones of one name."""
    names = [name_of(layer) for layer in layers]
    for name, layer in zip(names, layers, strict=True):
        if layers[names.index(name)] != layer:
            raise ValueError(f"layers has two functions named {name!r}; expected another name for each")
    return names


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
