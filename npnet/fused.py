"""Every loop and layer form that is here for speed alone, each beside the plain line of NumPy that it replaces.

A small network at 20 examples a batch is bound by memory: array statements with their fresh arrays walk over the
weights five times where a compiled loop walks once. The plain lines hold on devices, for views and for complex numbers,
and they are the tests of what is here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from types import ModuleType
from typing import Any

import numpy as np

from npnet.arrays import Array, array_module
from npnet.compiled import compiled, compiler
from npnet.layers import Back, Layer, MadeOfLinear, Parameters, Path, linear

__all__ = ["Product", "add_l1", "add_l2", "compilable", "dense", "descend", "factored"]


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


def factored(path: Path, lowest: int = 0) -> list[tuple[Layer, Parameters]]:
    """Return a path that computes the same, whose linear layers leave dW in its factors.

    Link `lowest` makes no dX, where it is linear: nothing below it is to be trained.
    """

    forms: list[tuple[Layer, Parameters]] = []
    for i, (layer, p) in enumerate(path):
        form: Layer = partial(_linear, inputs=i > lowest)
        if layer is not linear:
            form = partial(layer, form=form) if isinstance(layer, MadeOfLinear) else layer
        forms.append((form, p))
    return forms


def _linear(p: Parameters, X: Array, rng: np.random.Generator | None = None, inputs: bool = True) -> tuple[Array, Back]:
    """`linear`, with the gradient of W in its factors; without dX, which is half of its way back, where not asked."""
    Y, _ = linear(p, X)
    W = p["W"]
    return Y, lambda dY: ((W @ dY.T).T if inputs else None, {"W": Product(X.T, dY), "b": dY.sum(0)})


def compilable(*arrays: Array) -> bool:
    """Report whether a compiled loop may walk these arrays as one line of memory: on the host, of one shape and one
    real dtype (float32 or float64), and C-contiguous; and there is a compiler.
    """
    first = arrays[0]
    alike = all(
        type(a) is np.ndarray and a.shape == first.shape and a.dtype == first.dtype and a.flags.c_contiguous
        for a in arrays
    )
    return alike and first.dtype in (np.float32, np.float64) and compiler() is not None


def descend(w: Array, d: Array, rate: float) -> bool:
    """Set w ← w − rate·d in place, in one pass over memory, and return False where that met a number not finite.

    The plain form is `w -= rate * d`. Only the compiled pass of the host looks; a device would have to be waited for.
    """
    if compilable(w, d):
        return bool(_descend(w.reshape(-1), d.reshape(-1), w.dtype.type(rate)))
    xp = array_module(w)
    if hasattr(xp, "ElementwiseKernel"):
        _device_kernel(xp)(d, w.dtype.type(rate), w)
    else:
        w -= rate * d
    return True


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


@compiled(nogil=True, fastmath={"reassoc"})
def _plus(total, term):  # type: ignore[no-untyped-def]
    """Add a term to a running sum that may be summed in any order: the one freedom that a loop needs to use wide
    registers. It holds for this addition alone, so that gradients keep their bits; NaN and infinity stay themselves.
    """
    return total + term


@compiled(cache=True, nogil=True)
def add_l2(strength, dw, w, anchor, scale):  # type: ignore[no-untyped-def]
    """`dw += strength * (scale * delta)`, and ½ Σ scale·delta²; None is an anchor of 0 and a scale of 1."""
    total = 0.0  # in double precision for every dtype: a sum of float32 terms loses nothing to its length
    for i in range(w.size):
        delta = w[i] if anchor is None else w[i] - anchor[i]
        gradient = delta if scale is None else scale[i] * delta
        dw[i] += strength * gradient
        total = _plus(total, np.float64(gradient * delta))
    return total / 2


@compiled(cache=True, nogil=True)
def add_l1(strength, dw, w, anchor, scale):  # type: ignore[no-untyped-def]
    """`dw += strength * (scale * sign(delta))`, and Σ scale·|delta|; None is an anchor of 0 and a scale of 1."""
    one = w.dtype.type(1)
    total = 0.0
    for i in range(w.size):
        delta = w[i] if anchor is None else w[i] - anchor[i]
        sign = one if delta > 0 else -one if delta < 0 else abs(delta)  # 0 at 0 and at −0, NaN at NaN
        gradient = sign if scale is None else scale[i] * sign
        dw[i] += strength * gradient
        total = _plus(total, np.float64(gradient * delta))
    return total
