"""Compiled loops: each is one pass over memory in place of several statements of arrays, which its docstring gives.

They take arrays of one real dtype that lie on the host; `compilable` says which. Elsewhere the statements are run.
"""

import numpy as np

from npnet.arrays import Array
from npnet.compiled import compiled, compiler

__all__ = ["adam", "add_l1", "add_l2", "compilable", "few_logits", "momentum", "rectify", "subtract", "zero_subnormals"]


def compilable(*arrays: Array) -> bool:
    """Report whether a compiled loop may walk these arrays as one line of memory: on the host, of one shape and one
    real dtype (float32 or float64), and C-contiguous; and there is a compiler.
    """
    shape, dtype = arrays[0].shape, arrays[0].dtype
    for each in arrays:
        if not (type(each) is np.ndarray and each.shape == shape and each.dtype == dtype and each.flags.c_contiguous):
            return False
    return dtype in (np.float32, np.float64) and compiler() is not None


def zero_subnormals(*buffers: Array) -> None:
    """Set what is too small to be a normal number to zero, in place: what `_normal` is in statements of arrays."""
    for each in buffers:
        each *= abs(each) >= np.finfo(each.dtype).tiny


@compiled(cache=True, nogil=True)
def rectify(X, V, into):  # type: ignore[no-untyped-def]
    """`into[...] = V * (X > 0)`, for arrays (N, K)."""
    zero = V.dtype.type(0)
    for n in range(X.shape[0]):
        for k in range(X.shape[1]):
            into[n, k] = V[n, k] if X[n, k] > 0 else zero * V[n, k]


@compiled(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def subtract(w, d, rate):  # type: ignore[no-untyped-def]
    """`w -= rate * d`, and whether w is finite, for arrays (n,)."""
    zero = w.dtype.type(0)
    witness = zero  # 0·x is 0 for every finite x and NaN otherwise; a sum keeps the NaN
    for i in range(w.size):
        w[i] -= rate * d[i]
        witness += zero * w[i]
    return witness == zero


@compiled(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def adam(w, dw, m, v, t, rate, beta1, beta2, epsilon, epsilon_hat):  # type: ignore[no-untyped-def]
    """`Adam.update` for arrays (R, n) and t (R,), and whether w is finite.

    One root and one division a weight; without numpy's error model a check of the divisor stops wide registers.
    """
    real, tiny = w.dtype.type, w.dtype.type(2.0**-126 if w.itemsize == 4 else 2.0**-1022)
    keep1, add1, keep2, add2 = real(beta1), real(1 - beta1), real(beta2), real(1 - beta2)
    zero = real(0)
    witness = zero
    for r in range(t.size):
        t[r] += 1
        lag1, root = 1 - beta1 ** t[r], 1 / np.sqrt(1 - beta2 ** t[r])
        if epsilon_hat:  # the correction of v leaves the root and joins that of m
            lag1, root = lag1 * root, 1.0
        step, scale, least = real(rate / lag1), real(root), real(epsilon)
        for i in range(w.shape[1]):
            m[r, i] = _normal(keep1 * m[r, i] + add1 * dw[r, i], tiny)
            v[r, i] = _normal(keep2 * v[r, i] + add2 * (dw[r, i] * dw[r, i]), tiny)
            w[r, i] -= step * m[r, i] / (np.sqrt(v[r, i]) * scale + least)
            witness = _plus(witness, zero * w[r, i])
    return witness == zero


@compiled(cache=True, nogil=True, fastmath={"contract"})
def momentum(w, dw, v, keep, inside, along_v, along_dw):  # type: ignore[no-untyped-def]
    """`v = keep * v + inside * dw; w -= along_v * v + along_dw * dw`, and whether w is finite, for arrays (n,)."""
    zero, tiny = w.dtype.type(0), w.dtype.type(2.0**-126 if w.itemsize == 4 else 2.0**-1022)
    witness = zero
    for i in range(w.size):
        v[i] = _normal(keep * v[i] + inside * dw[i], tiny)
        w[i] -= along_v * v[i] + along_dw * dw[i]
        witness = _plus(witness, zero * w[i])
    return witness == zero


@compiled(nogil=True)
def _normal(x, tiny):  # type: ignore[no-untyped-def]
    """Zero for what is too small to be a normal number, as what decays becomes: it would stay there for good, rounded
    to a few of the smallest numbers, and with these every operation takes twenty times as long.
    """
    return x * 0 if abs(x) < tiny else x


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
