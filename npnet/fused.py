"""Every loop and layer form that is here for speed alone, each beside the plain line of NumPy that it replaces.

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

from npnet import blas
from npnet.activations import relu
from npnet.arrays import Array, array_module
from npnet.compiled import compiled, compiler
from npnet.layers import Back, Layer, MadeOfLinear, Parameters, Path, linear

__all__ = [
    "Product",
    "add_l1",
    "add_l2",
    "add_product",
    "compilable",
    "dense",
    "descend",
    "descend_adam",
    "factored",
    "few_logits",
]


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
        return (W @ dY.T).T if inputs else None, {"W": Product(X.T, dY), "b": dY.sum(0)}

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
        dX = np.matmul(W, dY.T, out=room.array("dX", N, (D, N), W.dtype)).T if inputs else None
        return dX, {"W": Product(X.T, dY), "b": np.add.reduce(dY, 0)}

    return Y, back


def _relu(
    p: Parameters, X: Array, rng: np.random.Generator | None = None, room: _Workspace | None = None
) -> tuple[Array, Back]:
    """`relu`, in arrays that are kept."""
    if room is None or not _keeps(X):
        return relu(p, X, rng)
    gate = np.greater(X, 0, out=room.array("gate", len(X), X.shape, np.dtype(bool)))
    Y = np.multiply(X, gate, out=room.array("Y", len(X), X.shape, X.dtype))

    def back(dY: Array) -> tuple[Array, Parameters]:
        into = room.array("dX", len(X), X.shape, X.dtype) if _keeps(dY, X) else None
        return np.multiply(dY, gate, out=into), {}

    return Y, back


def _keeps(*arrays: Array) -> bool:
    """Report whether these are host arrays of one real dtype, whose results have a place in arrays that are kept."""
    dtype = arrays[0].dtype
    for each in arrays:  # no generator: it would take four times as long
        if type(each) is not np.ndarray or each.dtype != dtype:
            return False
    return dtype.kind == "f"


def compilable(*arrays: Array) -> bool:
    """Report whether a compiled loop may walk these arrays as one line of memory: on the host, of one shape and one
    real dtype (float32 or float64), and C-contiguous; and there is a compiler.
    """
    shape, dtype = arrays[0].shape, arrays[0].dtype
    for each in arrays:
        if not (type(each) is np.ndarray and each.shape == shape and each.dtype == dtype and each.flags.c_contiguous):
            return False
    return dtype in (np.float32, np.float64) and compiler() is not None


def descend(w: Array, d: Array | Product, rate: float) -> bool:
    """Set w ← w − rate·d in place, in one pass over memory, and return False where that met a number not finite.

    The plain form is `w -= rate * d`. Only the host looks; a device would have to be waited for.
    """
    if isinstance(d, Product):
        add_product(w, d, -rate)
        return True
    if compilable(w, d):
        return bool(_descend(w.reshape(-1), d.reshape(-1), w.dtype.type(rate)))
    xp = array_module(w)
    if hasattr(xp, "ElementwiseKernel"):
        _device_kernel(xp)(d, w.dtype.type(rate), w)
    else:
        w -= rate * d
    return xp is not np or bool(np.isfinite(w).all())


@cache
def _device_kernel(xp: ModuleType) -> Callable[..., Any]:
    return xp.ElementwiseKernel("T d, T rate", "T w", "w -= rate * d", "npnet_descend")


@compiled(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def _descend(w, d, rate):  # type: ignore[no-untyped-def]
    zero = w.dtype.type(0)
    witness = zero  # 0·x is 0 for every finite x and NaN otherwise; a sum keeps the NaN
    for i in range(w.size):
        w[i] -= rate * d[i]
        witness += zero * w[i]
    return witness == zero


def descend_adam(arrays: tuple[Array, ...], replicates: int, rate: float, *numbers: float) -> bool:
    """Move w by Adam in one pass over memory, for arrays w, dw, m, v of so many replicates and their lags 1 − βᵗ.

    numbers: β₁, β₂, ε. The plain form is in `Adam.update`. Returns whether w is finite.
    """
    lines = zip(*(each.reshape(replicates, -1) for each in arrays), strict=True)
    return all([_descend_adam(*line, rate, *numbers) for line in lines])  # noqa: C419  # every line is to move


@compiled(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def _descend_adam(w, dw, m, v, lag1, lag2, rate, beta1, beta2, epsilon):  # type: ignore[no-untyped-def]
    """One root and one division a weight; without numpy's error model a check of the divisor stops wide registers."""
    real = w.dtype.type
    keep1, add1, keep2, add2 = real(beta1), real(1 - beta1), real(beta2), real(1 - beta2)
    rate, root, epsilon = real(rate / lag1[0]), real(1 / np.sqrt(lag2[0])), real(epsilon)
    zero = real(0)
    witness = zero
    for i in range(w.size):
        m[i] = keep1 * m[i] + add1 * dw[i]
        v[i] = keep2 * v[i] + add2 * (dw[i] * dw[i])
        w[i] -= rate * m[i] / (np.sqrt(v[i]) * root + epsilon)
        witness = _plus(witness, zero * w[i])
    return witness == zero


@compiled(nogil=True, fastmath={"reassoc"})
def _plus(total, term):  # type: ignore[no-untyped-def]
    """Add a term to a running sum that may be summed in any order: the one freedom that a loop needs to use wide
    registers. It holds for this addition alone, so that gradients keep their bits; NaN and infinity stay themselves.
    """
    return total + term


@compiled(cache=True, nogil=True)
def add_l2(strength, dw, w, anchor, scale):  # type: ignore[no-untyped-def]
    """`dw += strength * (scale * delta)`, and ½ Σ scale·delta²; None is w itself, an anchor of 0, a scale of 1."""
    total = 0.0  # in double precision for every dtype: a sum of float32 terms loses nothing to its length
    for i in range(w.size):
        delta = w[i] if anchor is None else w[i] - anchor[i]
        gradient = delta if scale is None else scale[i] * delta
        if dw is None:
            w[i] += strength * gradient
        else:
            dw[i] += strength * gradient
        total = _plus(total, np.float64(gradient * delta))
    return total / 2


@compiled(cache=True, nogil=True)
def add_l1(strength, dw, w, anchor, scale):  # type: ignore[no-untyped-def]
    """`dw += strength * (scale * sign(delta))`, and Σ scale·|delta|; None as in `add_l2`."""
    one = w.dtype.type(1)
    total = 0.0
    for i in range(w.size):
        delta = w[i] if anchor is None else w[i] - anchor[i]
        sign = one if delta > 0 else -one if delta < 0 else abs(delta)  # 0 at 0 and at −0, NaN at NaN
        gradient = sign if scale is None else scale[i] * sign
        if dw is None:
            w[i] += strength * gradient
        else:
            dw[i] += strength * gradient
        total = _plus(total, np.float64(gradient * delta))
    return total


@compiled(cache=True, nogil=True)
def few_logits(Z, labels, dZ):  # type: ignore[no-untyped-def]
    """`cross_entropy` of logits (N, K) without weights: its gradient into dZ, and its value; −1 for a wrong label.

    For small batches, where array statements cost more to call than to compute; in double precision for every dtype.
    """
    N, K = Z.shape
    total = 0.0
    for n in range(N):
        t = labels[n]
        if t < 0 or t >= K:
            return -1.0
        top = 0.0  # of the differences from the true class's own logit
        for k in range(K):
            top = max(top, np.float64(Z[n, k]) - np.float64(Z[n, t]))
        all_, others = 0.0, 0.0
        for k in range(K):
            e = np.exp(np.float64(Z[n, k]) - np.float64(Z[n, t]) - top)
            all_ += e
            others += e if k != t else 0.0
            dZ[n, k] = e
        for k in range(K):
            dZ[n, k] = (-others if k == t else dZ[n, k]) / all_ / N
        total += top + np.log(all_) if top > 0 else np.log1p(others)  # log(1 + others) would lose a small loss
    return total / N
