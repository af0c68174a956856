"""What the parts of a network must be: checked when it is made, each refused by the name of its layer.

Parts come from other programs too, where names, orders and precisions are others: what does not fit would otherwise
show as a wrong shape deep inside a product, or not at all.
"""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from npnet.activations import ACTIVATIONS
from npnet.arrays import Array, array_module, as_array, is_array, shown
from npnet.layers import Layer, Link, Parameters, Path, Shared, forward, linear

__all__ = [
    "activation_of",
    "check_backs",
    "check_fit",
    "check_linear",
    "check_parameters",
    "inputs_of",
    "layers_of",
    "rate_of",
    "rates_of",
]


def activation_of(given: Any, depth: int) -> Any:
    """Return an activation, given itself or by its name; of different ones, one for each hidden layer, a tuple.

    Raises ValueError for what is none, and for another number of them than of hidden layers.
    """
    if isinstance(given, tuple | list):
        if len(given) != depth:
            raise ValueError(f"activation is {shown(given)}; expected {depth} entries, one for each hidden layer")
        several = tuple(activation_of(each, depth) for each in given)
        return several[0] if several and all(each == several[0] for each in several) else several
    found = ACTIVATIONS.get(given) if isinstance(given, str) else given
    if not callable(found):
        raise ValueError(f"activation is {shown(given)}; expected one of {', '.join(ACTIVATIONS)}, or a layer")
    return found


def rate_of(name: str, rate: Any) -> float:
    """Return a rate of dropout. Raises ValueError for what is none."""
    if not isinstance(rate, Real) or not 0 <= rate < 1:  # type: ignore[operator]
        raise ValueError(f"{name} is {shown(rate)}; expected a rate, 0 <= rate < 1")
    return float(rate)


def rates_of(dropout: Any, depth: int) -> tuple[float, ...]:
    """Return the rates of dropout, where one number stands for all. Raises ValueError for what is no rate."""
    dropout = dropout.tolist() if isinstance(dropout, np.ndarray) else dropout
    each = (dropout,) * depth if isinstance(dropout, Real) else dropout
    if not isinstance(each, tuple | list) or not all(isinstance(rate, Real) and 0 <= rate < 1 for rate in each):  # type: ignore[operator]
        raise ValueError(f"dropout is {shown(dropout)}; expected one rate, 0 <= rate < 1, or one a hidden layer")
    if len(each) not in (0, depth):
        raise ValueError(f"dropout is {each}; expected {depth} entries, one for each hidden layer of the trunk")
    return tuple(map(float, each))  # plain numbers: a run that is loaded has the same


def inputs_of(layers: Sequence[Layer], parameters: Sequence[Parameters]) -> int:
    """Return how many values the first of some layers reads. Raises ValueError where it does not show that."""
    layer, p = layers[0], parameters[0]
    if layer is not linear and not isinstance(layer, Shared):
        raise ValueError("inputs is 0; expected the number of values of an input, below a layer of your own")
    return int(p["W"].shape[0]) * (layer.patches if isinstance(layer, Shared) else 1)


def check_parameters(trunk: Any, heads: Any) -> None:
    """Raise ValueError for parameters that are no arrays of floats, or not all of one precision."""
    if not isinstance(trunk, list | tuple) or not (trunk or heads):
        raise ValueError(f"trunk is {shown(trunk)}; expected a list of the parameters of each hidden layer")
    if not isinstance(heads, Mapping) or not all(isinstance(name, str) for name in heads):
        raise ValueError(f"heads is {shown(heads)}; expected {{name: parameters}}")
    precisions: dict[np.dtype, str] = {}  # complex numbers have that of their parts
    owners: dict[int, str] = {}
    for name, p in _named(trunk, heads).items():
        if not isinstance(p, Mapping) or not p:
            raise ValueError(f"{name} is {shown(p)}; expected parameters, as {{'W': W, 'b': b}}")
        for key, w in p.items():
            if not is_array(w):
                raise ValueError(f"{name} has a {type(w).__name__} for {key!r}; expected an array: {as_array(key, w)}")
            if w.dtype.kind not in "fc":
                raise ValueError(f"{name} has {key!r} of dtype {w.dtype}; expected floats: {key}.astype(numpy.float32)")
            precisions.setdefault(w.real.dtype, f"{name} has {key!r}")
            if owners.setdefault(id(w), f"{name} has for {key!r}") != f"{name} has for {key!r}":
                raise ValueError(f"{name} has the array for {key!r} that {owners[id(w)]}; expected a copy of its own")
    if len(precisions) > 1:
        (one, first), (other, second) = list(precisions.items())[:2]
        raise ValueError(f"{second} of dtype {other}; expected {one}, as {first}: .astype(numpy.{one.name})")


def layers_of(layers: Any, head_layer: Any, inputs: Any, depth: int) -> tuple[Layer, ...]:
    """Return the layer of each hidden layer, where () stands for linear ones.

    Raises ValueError for what is no layer, for another number of them, and for inputs that are no number.
    """
    if not isinstance(layers, list | tuple) or not all(map(callable, layers)) or len(layers) not in (0, depth):
        raise ValueError(f"layers is {shown(layers)}; expected {depth} entries, one for each layer of the trunk, or ()")
    if not callable(head_layer):
        raise ValueError(f"head_layer is {shown(head_layer)}; expected a layer, as npnet.linear")
    if not isinstance(inputs, int | np.integer) or inputs < 0:
        raise ValueError(f"inputs is {shown(inputs)}; expected how many values an input has")
    return tuple(layers) or (linear,) * depth


def check_linear(
    trunk: Sequence[Parameters], layers: Sequence[Layer], heads: Mapping[str, Parameters], head_layer: Layer
) -> None:
    """Raise ValueError for linear layers whose parameters are not W (D, K) and b (K,)."""
    for (name, p), layer in zip(_named(trunk, heads).items(), [*layers, *[head_layer] * len(heads)], strict=True):
        if layer is not linear and not isinstance(layer, Shared):
            continue
        if set(p) != {"W", "b"} or p["W"].ndim != 2 or p["b"].shape != p["W"].shape[1:]:
            turned = set(p) == {"W", "b"} and p["b"].shape == p["W"].shape[:1]
            hint = ": W.T.copy(), where outputs come first" if turned else ""
            raise ValueError(f"{name} has {_shapes(p)}; expected W (inputs, outputs) and b (outputs,){hint}")


def check_fit(trunk: Sequence[Parameters], path: Path, heads: Mapping[str, Link], zeros: Array) -> None:
    """Raise ValueError for arrays that no step can move, and for layers that cannot read each other, from zeros on."""
    for name, p in _named(trunk, {head: p for head, (_, p) in heads.items()}).items():
        for key, w in p.items():
            if not (w.flags.c_contiguous and getattr(w.flags, "writeable", True)):  # a device's are writeable
                what = "read-only" if w.flags.c_contiguous else "not C-contiguous, as W.T"
                raise ValueError(f"{name} has {key!r}, which is {what}; expected its own array: {key}.copy()")
    with np.errstate(all="ignore"):
        try:
            last = forward(path, zeros)[0][-1]
        except Exception as error:  # whatever a layer of one's own raises
            layers = "; ".join(map(_shapes, trunk))
            raise ValueError(
                f"trunk has layers of {layers}; expected each as wide as the next one's fan-in ({error})"
            ) from error
        for name, (layer, p) in heads.items():
            try:
                layer(p, last)
            except Exception as error:
                raise ValueError(
                    f"head {name!r} has {_shapes(p)}; expected what reads the {last.shape[-1]} units of the last "
                    f"hidden layer ({error})"
                ) from error


def check_backs(path: Path, inputs: int) -> None:
    """Raise ValueError where the way back of a layer of your own gives gradients of other shapes than X and p have.

    NumPy would broadcast them without a word. Tried on zeros, two rows of them, where such a layer is among the links.
    """
    if all(getattr(layer, "__module__", "").startswith("npnet.") for layer, _ in path):
        return
    first = next(w for _, p in path for w in p.values())
    with np.errstate(all="ignore"):
        Xs, backs = forward(path, array_module(first).zeros((2, inputs), first.dtype), np.random.default_rng(0))
        dY: Any = array_module(first).ones_like(Xs[-1])
        for i in range(len(path) - 1, -1, -1):
            dX, dp = backs[i](dY)
            name = getattr(path[i][0], "__name__", type(path[i][0]).__name__)
            pairs = {"dX": (dX, Xs[i]), **{f"dp[{key!r}]": (dp.get(key), w) for key, w in path[i][1].items()}}
            for what, (found, like) in pairs.items():
                if found is not None and np.shape(found) != like.shape:
                    raise ValueError(f"back of layer {name} gives {what} {np.shape(found)}; expected {like.shape}")
            if dX is None:
                return
            dY = dX


def _named(trunk: Sequence[Parameters], heads: Mapping[str, Parameters]) -> dict[str, Parameters]:
    """Return the parameters of all layers by what a message calls them."""
    hidden = {f"trunk layer {i}": p for i, p in enumerate(trunk, 1)}
    return hidden | {f"head {name!r}": p for name, p in heads.items()}


def _shapes(p: Parameters) -> str:
    return ", ".join(f"{key} {w.shape}" for key, w in p.items())
