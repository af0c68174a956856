"""numpy's own BLAS, called for what numpy has no line for: a product added to an array in place.

    C ← alpha·A B + beta·C        the plain form: C *= beta; C += alpha * (A @ B)

The library that numpy has loaded is asked for, so that there is no second pool of threads. Where numpy brings another
BLAS, or this one gives other numbers than the plain form, there is none, and callers write the plain line.
"""

import ctypes
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from npnet.arrays import Array

__all__ = ["gemm"]

_ROWS, _PLAIN, _TRANSPOSED = 101, 111, 112  # cblas's constants


def gemm(C: Array, A: Array, B: Array, alpha: float, beta: float) -> bool:
    """Set C ← alpha·A B + beta·C in place and return True; return False where BLAS cannot, and change nothing.

    C (D, K) and B (N, K) lie in rows without gaps, A (D, N) is the transpose of such an array: as W, dY and Xᵀ are.
    """
    routine = _routines().get(C.dtype.char) if type(C) is np.ndarray else None
    if routine is None or not (A.flags.f_contiguous and B.flags.c_contiguous and C.flags.c_contiguous):
        return False
    if not (type(A) is type(B) is np.ndarray and A.dtype == B.dtype == C.dtype and A.ndim == B.ndim == C.ndim == 2):
        return False
    (D, K), N = C.shape, len(B)
    if A.shape != (D, N) or B.shape != (N, K) or not N * D * K:
        return False
    a, b, c = (each.__array_interface__["data"][0] for each in (A, B, C))
    routine(_ROWS, _TRANSPOSED, _PLAIN, D, K, N, alpha, a, D, b, K, beta, c, K)
    return True


@cache
def _routines() -> dict[str, Callable[..., None]]:
    """Return BLAS's product by the dtype's character, none where there is none to be trusted."""
    found: dict[str, Callable[..., None]] = {}
    for library in _libraries():
        for suffix, whole in (("64_", ctypes.c_int64), ("", ctypes.c_int)):
            for char, real in (("f", ctypes.c_float), ("d", ctypes.c_double)):
                routine: Any = getattr(library, f"scipy_cblas_{'s' if char == 'f' else 'd'}gemm{suffix}", None)
                if routine is not None and char not in found:
                    kinds = [ctypes.c_int] * 3 + [whole] * 3 + [real]
                    routine.argtypes = [*kinds, ctypes.c_void_p, whole, ctypes.c_void_p, whole, real, ctypes.c_void_p, whole]
                    routine.restype = None
                    found[char] = routine
    return {char: routine for char, routine in found.items() if _agrees(char, routine)}


def _libraries() -> list[ctypes.CDLL]:
    """Return the OpenBLAS that a wheel of numpy brings, already loaded."""
    root = Path(np.__file__).parent
    folders = (root.parent / "numpy.libs", root / ".dylibs", root / ".libs")
    paths = sorted(path for folder in folders for path in folder.glob("*scipy_openblas*"))
    try:
        return [ctypes.CDLL(str(path)) for path in paths]
    except OSError:
        return []


def _agrees(char: str, routine: Callable[..., None]) -> bool:
    """Report whether a routine gives the numbers of the plain form."""
    A, B, C = (np.arange(1.0, n + 1).astype(char) for n in (6, 8, 12))
    X, dY, W = A.reshape(2, 3), B.reshape(2, 4), C.reshape(3, 4)
    expected = 0.5 * W - 2 * (X.T @ dY)
    x, y, w = (each.__array_interface__["data"][0] for each in (X, dY, W))
    routine(_ROWS, _TRANSPOSED, _PLAIN, 3, 4, 2, -2.0, x, 3, y, 4, 0.5, w, 4)
    return bool(np.array_equal(W, expected))
