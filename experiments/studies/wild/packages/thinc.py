"""thinc: activations, normalisations and recurrent layers with written ways back, in single precision."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from thinc.api import (
    CategoricalCrossentropy,
    CosineDistance,
    L2Distance,
    LayerNorm,
    Linear,
    Maxout,
    Mish,
    NumpyOps,
    Relu,
    Softmax,
)

from experiments.studies.wild.case import Case, draw, gradient

__all__ = ["cases"]

OPS = NumpyOps()
X = draw(4, 6)
SINGLE = np.float32
FAULTS = {
    "gelu": "the value has a polynomial of 7 digits for erf, the slope the density itself",
    "gelu_approx": "the slope has constants of 6 digits",
    "Softmax, inputs": "hands dY on without the softmax's slope: made for cross-entropy",
    "Softmax, parameters": "hands dY on without the softmax's slope: made for cross-entropy",
    "L2Distance": "the value is the sum of squares, the gradient that of its half",
    "L2Distance, normalize": "the value is divided by N², the gradient by N",
    "CategoricalCrossentropy": "the value is the sum of the squared gradient, and no cross-entropy",
}
REASONS = {"gelu_approx": "its constants in the source"}


def cases() -> Iterator[Case]:
    """Yield activations, pooling, layers and losses."""
    yield from activations()
    yield from layers()
    yield from losses()


def activations() -> Iterator[Case]:
    """Yield the operations of the backend that have a way back, in double precision."""
    o = OPS
    for name, f, back in (
        ("sigmoid", o.sigmoid, lambda dY, X, Y: o.backprop_sigmoid(dY, Y)),
        ("relu", o.relu, lambda dY, X, Y: o.backprop_relu(dY, Y)),
        ("relu_k", o.relu_k, lambda dY, X, Y: o.backprop_relu_k(dY, X)),
        ("clipped_linear", o.clipped_linear, lambda dY, X, Y: o.backprop_clipped_linear(dY, X)),
        ("hard_sigmoid", o.hard_sigmoid, lambda dY, X, Y: o.backprop_hard_sigmoid(dY, X)),
        ("hard_tanh", o.hard_tanh, lambda dY, X, Y: o.backprop_hard_tanh(dY, X)),
        ("swish", o.swish, lambda dY, X, Y: o.backprop_swish(dY, X, Y)),
        ("hard_swish", o.hard_swish, lambda dY, X, Y: o.backprop_hard_swish(dY, X)),
        ("hard_swish_mobilenet", o.hard_swish_mobilenet, lambda dY, X, Y: o.backprop_hard_swish_mobilenet(dY, X)),
        ("dish", o.dish, lambda dY, X, Y: o.backprop_dish(dY, X)),
        ("gelu", o.gelu, lambda dY, X, Y: o.backprop_gelu(dY, X)),
        ("gelu_approx", o.gelu_approx, lambda dY, X, Y: o.backprop_gelu_approx(dY, X)),
        ("mish", o.mish, lambda dY, X, Y: o.backprop_mish(dY, X)),
        ("softmax", o.softmax, lambda dY, X, Y: o.backprop_softmax(Y, dY, axis=-1)),
        ("tanh", np.tanh, lambda dY, X, Y: dY * o.dtanh(Y)),
    ):
        yield Case(name, _with_back(f, back), (2 * X,), reason=REASONS.get(name, ""), fault=FAULTS.get(name, ""))
    lengths = np.array([1, 3], dtype="i")
    for name, f, back in (
        ("reduce_sum", lambda X: o.reduce_sum(X, lengths), lambda dY, X, Y: o.backprop_reduce_sum(dY, lengths)),
        ("reduce_mean", lambda X: o.reduce_mean(X, lengths), lambda dY, X, Y: o.backprop_reduce_mean(dY, lengths)),
        (
            "reduce_max",
            lambda X: o.reduce_max(X, lengths)[0],
            lambda dY, X, Y: o.backprop_reduce_max(dY, o.reduce_max(X, lengths)[1], lengths),
        ),
        ("seq2col", lambda X: o.seq2col(X, 1), lambda dY, X, Y: o.backprop_seq2col(dY, 1)),
        (
            "maxout",
            lambda X: o.maxout(X.reshape(4, 3, 2))[0],
            lambda dY, X, Y: o.backprop_maxout(dY, o.maxout(X.reshape(4, 3, 2))[1], 2).reshape(X.shape),
        ),
    ):
        yield Case(name, _with_back(f, back), (X,))


def _with_back(f: Callable[..., Any], back: Callable[..., Any]) -> Callable[[Any], Any]:
    def function(X: Any) -> Any:
        X = np.ascontiguousarray(np.asarray(X, float))
        Y = np.array(f(X.copy()))
        return Y, lambda dY: np.array(back(np.ascontiguousarray(dY), X.copy(), Y.copy()))

    return function


def layers() -> Iterator[Case]:
    """Yield layers in their inputs, in single precision inside."""
    for name, make in (("Linear", Linear), ("Relu", Relu), ("Mish", Mish), ("Maxout", Maxout), ("Softmax", Softmax)):
        layer = make(nO=3, nI=6).initialize()
        flat = np.asarray(draw(sum(layer.get_param(n).size for n in layer.param_names)) / 2, SINGLE).astype(float)
        run, inside = _parameters(layer), "single precision inside"
        yield Case(f"{name}, parameters", run, (flat,), FAULTS.get(f"{name}, parameters", ""), inside)
        run(flat)  # the parameters of the layer are these from here on
        yield Case(f"{name}, inputs", _layer(layer), (X,), FAULTS.get(f"{name}, inputs", ""), inside)
    norm = LayerNorm(nI=6).initialize()
    yield Case("LayerNorm, inputs", _layer(norm), (X,))


def _layer(layer: Any) -> Callable[[Any], Any]:
    def f(X: Any) -> Any:
        Y, back = layer(np.asarray(X, SINGLE), is_train=True)
        return np.array(Y, float), lambda dY: np.array(back(np.ascontiguousarray(dY, SINGLE)), float)

    return f


def _parameters(layer: Any) -> Callable[[Any], Any]:
    names = list(layer.param_names)
    shapes = [layer.get_param(n).shape for n in names]
    inputs = X.astype(SINGLE)

    def load(w: Any) -> Any:
        at = 0
        for name, shape in zip(names, shapes, strict=True):
            size = int(np.prod(shape))
            layer.set_param(name, np.asarray(w[at : at + size], SINGLE).reshape(shape))
            layer.set_grad(name, np.zeros(shape, SINGLE))
            at += size
        return layer(inputs, is_train=True)

    def f(w: Any) -> Any:
        Y, _ = load(w)

        def back(dY: Any) -> Any:
            load(w)[1](np.ascontiguousarray(dY, SINGLE))
            return np.concatenate([np.array(layer.get_grad(n), float).ravel() for n in names])

        return np.array(Y, float), back

    return f


def losses() -> Iterator[Case]:
    """Yield losses in the guesses."""
    P = np.exp(X) / np.exp(X).sum(1, keepdims=True)
    truth = np.eye(6)[[0, 2, 5, 1]]
    for name, loss, guess, target in (
        ("L2Distance", L2Distance(normalize=False), X, draw(4, 6, seed=1)),
        ("L2Distance, normalize", L2Distance(), X, draw(4, 6, seed=1)),
        ("CosineDistance", CosineDistance(normalize=False), X, draw(4, 6, seed=1)),
        ("CosineDistance, normalize", CosineDistance(), X, draw(4, 6, seed=1)),
        ("CategoricalCrossentropy", CategoricalCrossentropy(normalize=False), P, truth),
    ):
        yield gradient(
            name,
            lambda g, f=loss, t=target: float(f.get_loss(g, t)),
            lambda g, f=loss, t=target: np.array(f.get_grad(g, t)),
            guess,
            fault=FAULTS.get(name, ""),
        )
