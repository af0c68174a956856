"""From Keras: `keras.layers.Dense` keeps its kernel as (inputs, outputs), which is W, and its activation inside."""

from itertools import pairwise
from typing import Any

import numpy as np

from npnet.activations import ACTIVATIONS, LeakyReLU, identity
from npnet.arguments import checked
from npnet.arrays import shown
from npnet.exchange.steps import Linear, Step, network_of, own
from npnet.layers import Dropout
from npnet.network import Network

__all__ = ["from_keras"]

_NAMES = {"linear": "identity", "relu": "relu", "tanh": "tanh", "sigmoid": "sigmoid", "silu": "silu", "gelu": "gelu"}
_NAMES |= {"softplus": "softplus"}  # keras.activations' names: ours
_OUTPUTS = ("softmax", "log_softmax", "sigmoid")  # at the end of a model: what makes probabilities of logits


@checked
def from_keras(model: Any, head: str = "task") -> Network:
    """Return the network of a Keras model, with copies of its weights.

    model: a built keras.Sequential, or a functional model whose layers follow one another, of Dense, activations,
    Dropout and Flatten. A softmax or sigmoid at its end is left out, for a head gives logits. Raises ValueError for any
    other layer, naming it.
    """
    steps: list[tuple[Step, str]] = []  # with the name of an activation, which decides whether it may be left out
    for layer in _layers(model):
        steps += _steps(layer)
    if steps and steps[-1][1] in _OUTPUTS:
        steps.pop()
    for step, name in steps:
        if step is None:
            raise ValueError(f"model has the activation {name!r} before its end; expected one that npnet has")
    return network_of([step for step, _ in steps if step is not identity], head, "the model")


def _layers(model: Any) -> list[Any]:
    """Return the layers of a model in order. Raises ValueError where one of them does not read the one before."""
    import keras

    if not isinstance(model, keras.Model) or not model.built:
        raise ValueError(f"model is {shown(model)}; expected a keras model that is built: model.build((None, D))")
    layers = [each for each in model.layers if not isinstance(each, keras.layers.InputLayer)]
    if not isinstance(model, keras.Sequential):
        for before, after in pairwise(layers):
            if after.input is not before.output:
                raise ValueError(f"layer {after.name!r} does not read {before.name!r}; expected a chain of layers")
    return layers


def _steps(layer: Any) -> list[tuple[Any, str]]:
    """Return a layer as steps, each with its name. Raises ValueError for a layer that npnet does not have."""
    from keras import layers

    if isinstance(layer, layers.Flatten):
        return []
    if isinstance(layer, layers.Dense):
        W = own(_host(layer.kernel))
        b = own(_host(layer.bias)) if layer.use_bias else np.zeros(W.shape[1], W.dtype)
        return [(Linear(W, b), ""), _activation(layer.activation)]
    if isinstance(layer, layers.Dropout):
        return [(Dropout(layer.rate), "")]
    if isinstance(layer, layers.Activation):
        return [_activation(layer.activation)]
    if isinstance(layer, layers.LeakyReLU):
        return [(LeakyReLU(float(layer.negative_slope)), "")]
    if isinstance(layer, layers.Softmax):
        return [(None, "softmax")]
    if isinstance(layer, layers.ReLU) and not (layer.max_value or layer.negative_slope or layer.threshold):
        return [(ACTIVATIONS["relu"], "relu")]
    raise ValueError(
        f"model has the layer {layer.name!r}, a {type(layer).__name__}; expected Dense, Dropout, Flatten or activations"
    )


def _activation(function: Any) -> tuple[Any, str]:
    """Return an activation of Keras as npnet's, None where it has none, and its name."""
    name = getattr(function, "__name__", repr(function))
    if name == "leaky_relu":
        return LeakyReLU(0.2), name  # the slope of keras.activations.leaky_relu
    return (ACTIVATIONS[_NAMES[name]] if name in _NAMES else None), name


def _host(variable: Any) -> Any:
    import keras

    return keras.ops.convert_to_numpy(variable)
