"""Forms of the plain path that are here for speed alone, each beside the plain line of NumPy that it replaces.

A small network at 20 examples a batch is bound by memory. Two things cost most: a gradient that is written only to be
subtracted, and fresh arrays. So a gradient of W stays in its two factors until the move applies it, in one product of
numpy's own BLAS, W ← W − rate·Xᵀ dY; and what a path computes lives in arrays that it keeps for as long as it trains.
The plain lines hold on devices, for views, for complex numbers, and where numpy brings another BLAS; they are the tests
of what is here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from math import prod
from types import ModuleType
from typing import Any

import numpy as np

from npnet import blas, loops
from npnet.activations import relu
from npnet.arrays import Array, array_module
from npnet.layers import Back, Layer, MadeOfLinear, Parameters, Path, linear

__all__ = ["Product", "add_product", "dense", "descend", "factored"]


@dataclass(frozen=True)
class Product:
    """A gradient of W that stays in its two factors until it is needed: A B, for dW = Xᵀ dY."""

    A: Array
    B: Array

    def squares(self) -> Array:
        """Return the sum over examples of each one's squared gradient, (A²)(B²): one example's is an outer product."""
        return (self.A * self.A) @ (self.B * self.B)


def dense(gradient: Array | Product) -> Array:
    """Return a gradient as an array."""
    return gradient.A @ gradient.B if isinstance(gradient, Product) else gradient


def add_product(C: Array, product: Product, alpha: float, beta: float = 1.0) -> None:
    """Set C ← beta·C + alpha·A B in place, for C (D, K), or (R, D, K) and factors with the same leading axis.

    In one product of BLAS that makes no array; the plain form is `C *= beta; C += alpha * (A @ B)`.
    """
    stacked = C.ndim > 2 and type(C) is np.ndarray
    for c, a, b in zip(C, product.A, product.B, strict=True) if stacked else ((C, product.A, product.B),):
        if c.ndim != 2 or not blas.add_product(c, a, b, alpha, beta):
            c *= beta
            c += alpha * (a @ b)


class _Workspace:
    """Arrays that a path keeps, by name; a smaller batch uses a part of them."""

    def __init__(self) -> None:
        self.whole: dict[str, Array] = {}
        self.parts: dict[tuple[str, int], Array] = {}

    def array(self, name: str, examples: int, shape: tuple[int, ...], dtype: np.dtype) -> Array:
        """Return the array of a name for so many examples, of any content."""
        part = self.parts.get((name, examples))
        if part is None:
            size = prod(shape)
            if name not in self.whole or self.whole[name].size < size:
                self.whole[name] = np.empty(size, dtype)
            part = self.parts[name, examples] = self.whole[name][:size].reshape(shape)
        return part


def factored(path: Path, lowest: int = 0) -> list[tuple[Layer, Parameters]]:
    """Return a path that computes the same, whose linear layers leave dW in its factors.

    Link `lowest` makes no dX, where it is linear: nothing below it is to be trained. What it returns on the host is
    overwritten by the next call: it is for whoever is done with a batch before the next one.
    """
    forms: list[tuple[Layer, Parameters]] = []
    for i, (layer, p) in enumerate(path):
        form: Layer = partial(_linear, inputs=i > lowest, room=_Workspace())
        if layer is relu:
            form = partial(_relu, room=_Workspace())
        elif layer is not linear:
            form = partial(layer, form=form) if isinstance(layer, MadeOfLinear) else layer
        forms.append((form, p))
    return forms


def _linear(
    p: Parameters,
    X: Array,
    rng: np.random.Generator | None = None,
    inputs: bool = True,
    room: _Workspace | None = None,
) -> tuple[Array, Back]:
    """`linear`, with dW in its factors, without dX where it is not needed, which is half of the way back."""
    W, b = p["W"], p["b"]

    def plain(dY: Array) -> tuple[Any, Parameters]:
        return dY @ W.T if inputs else None, {"W": Product(X.T, dY), "b": dY.sum(0)}

    if room is None or X.ndim != 2 or not _keeps(X, W, b):
        return linear(p, X)[0], plain
    (N, D), K = X.shape, W.shape[1]
    Y = room.array("Y", N, (N, K), W.dtype)
    if not blas.multiply(Y, X, W):
        np.matmul(X, W, out=Y)
    Y += b

    def back(dY: Array) -> tuple[Any, Parameters]:
        if not _keeps(dY, W):
            return plain(dY)
        dX = None
        if inputs and blas.turned_is_faster(dY, W):
            dX = np.matmul(W, dY.T, out=room.array("dX", N, (D, N), W.dtype)).T
        elif inputs:
            dX = np.matmul(dY, W.T, out=room.array("dX", N, (N, D), W.dtype))
        return dX, {"W": Product(X.T, dY), "b": np.add.reduce(dY, 0)}

    return Y, back


def _relu(
    p: Parameters, X: Array, rng: np.random.Generator | None = None, room: _Workspace | None = None
) -> tuple[Array, Back]:
    """`relu`, in arrays that are kept and in one pass over them each way."""
    if room is None or not (_keeps(X) and loops.compilable(X)):
        return relu(p, X, rng)
    rows = (-1, X.shape[-1])
    Y, X = room.array("Y", len(X), X.shape, X.dtype), X.reshape(rows)
    loops.rectify(X, X, Y.reshape(rows))

    def back(dY: Array) -> tuple[Array, Parameters]:
        if not (_keeps(dY, Y) and dY.shape == Y.shape):
            return dY * (Y > 0), {}
        dX = room.array("dX", len(Y), Y.shape, Y.dtype)
        loops.rectify(Y.reshape(rows), dY.reshape(rows), dX.reshape(rows))
        return dX, {}

    return Y, back


def _keeps(*arrays: Array) -> bool:
    """Report whether these are host arrays of one real dtype, whose results have a place in arrays that are kept."""
    dtype = arrays[0].dtype
    for each in arrays:  # no generator: it would take four times as long
        if type(each) is not np.ndarray or each.dtype != dtype:
            return False
    return dtype.kind == "f"


def descend(w: Array, d: Array | Product, rate: float) -> bool:
    """Set w ← w − rate·d in place and return False where that met a number not finite.

    The plain form is `w -= rate * d`. Only the host looks, and not at products; a device would have to be waited for.
    """
    if isinstance(d, Product):
        add_product(w, d, -rate)
        return True
    if loops.compilable(w, d):
        return bool(loops.subtract(w.reshape(-1), d.reshape(-1), w.dtype.type(rate)))
    xp = array_module(w)
    if hasattr(xp, "ElementwiseKernel"):
        _device_kernel(xp)(d, w.dtype.type(rate), w)
    else:
        w -= rate * d
    return xp is not np or bool(np.isfinite(w).all())


@cache
def _device_kernel(xp: ModuleType) -> Callable[..., Any]:
    return xp.ElementwiseKernel("T d, T rate", "T w", "w -= rate * d", "npnet_descend")
