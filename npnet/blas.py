"""numpy's own BLAS, called for what numpy has no line for: products that are added in place, and products in pieces.

    add_product  C ← alpha·Xᵀ dY + beta·C    the plain form: C *= beta; C += alpha * (X.T @ dY)
    multiply     Y ← X W                       np.matmul(X, W, out=Y)

The library that numpy has loaded is asked for, so that there is no second pool of threads. Each function returns False,
and changes nothing, where that cannot be done: callers then write the plain form. So they do wherever numpy brings
another BLAS, or one whose numbers are not those of the plain form.

Pieces: with AVX-512, OpenBLAS multiplies up to a million pairs without copying the matrices into an order of its own
first, which for 20 examples takes a fifth of the time of X W.
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import RLock
from typing import Any
from weakref import WeakSet

import numpy as np

from npnet.arrays import Array

__all__ = ["add_product", "kernels", "multiply", "threads", "turned_is_faster"]

_ROWS, _PLAIN, _TRANSPOSED = 101, 111, 112  # cblas's constants
_PIECE, _LEAST = 1_000_000, 48  # multiplications of a piece; fewer rows of W than these are not worth a call
_UNPACKED = ("SkylakeX", "Cooperlake", "SapphireRapids")  # kernels that have such small products


def add_product(C: Array, A: Array, B: Array, alpha: float, beta: float = 1.0) -> bool:
    """Set C ← alpha·A B + beta·C for C (D, K), A = Xᵀ (D, N) of rows X, B = dY (N, K)."""
    routine = _routine(C, A.T, B)
    (D, K), N = C.shape, len(B)
    if routine is None or not C.flags.writeable or A.shape != (D, N) or B.shape != (N, K):
        return False
    a, b, c = map(_address, (A.T, B, C))
    routine(_ROWS, _TRANSPOSED, _PLAIN, D, K, N, alpha, a, D, b, K, beta, c, K)
    return True


def multiply(Y: Array, X: Array, W: Array) -> bool:
    """Set Y ← X W for Y (N, K), X (N, D), W (D, K), in pieces of W's rows."""
    (N, D), K = X.shape, W.shape[1]
    rows = _PIECE // (N * K)
    routine = _routine(Y, X, W) if _LEAST <= rows < D and kernels() in _UNPACKED else None
    if routine is None:
        return False
    x, w, y = map(_address, (X, W, Y))
    size = X.itemsize
    for d in range(0, D, rows):
        n = min(rows, D - d)
        routine(_ROWS, _PLAIN, _PLAIN, N, K, n, 1.0, x + size * d, D, w + size * d * K, K, float(d > 0), y, K)
    return True


def turned_is_faster(dY: Array, W: Array) -> bool:
    """Report whether dY Wᵀ takes longer than (W dYᵀ)ᵀ: with AVX-512 and few examples in single precision half as long
    again. Elsewhere they take the same, and dY Wᵀ comes in the order of memory in which it is read next.
    """
    return len(dY) < 100 and W.dtype == np.float32 and kernels() in _UNPACKED


def _routine(*arrays: Array) -> Callable[..., None] | None:
    """Return BLAS's product for arrays of one dtype that lie on the host in rows without gaps."""
    routine = _routines().get(arrays[0].dtype) if type(arrays[0]) is np.ndarray else None
    for each in arrays:
        if type(each) is not np.ndarray or each.dtype != arrays[0].dtype or each.ndim != 2:
            return None
        if not (each.flags.c_contiguous and each.size):
            return None
    return routine


def _address(array: Array) -> int:
    """Return where an array without gaps begins: of one that may be written to in a fifth of the time."""
    if array.flags.writeable:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # type: ignore[arg-type]
    return array.__array_interface__["data"][0]


@cache
def _libraries() -> list[ctypes.CDLL]:
    """Return the OpenBLAS that a wheel of numpy brings, already loaded."""
    root = Path(np.__file__).parent
    folders = (root.parent / "numpy.libs", root / ".dylibs", root / ".libs")
    try:
        return [ctypes.CDLL(str(path)) for folder in folders for path in sorted(folder.glob("*scipy_openblas*"))]
    except OSError:
        return []


def _function(name: str) -> tuple[Any, bool]:
    """Return OpenBLAS's function of a name, and whether its whole numbers have 64 bits; None where there is none."""
    for library in _libraries():
        for suffix in ("64_", ""):
            if found := getattr(library, f"scipy_{name}{suffix}", None):
                return found, bool(suffix)
    return None, False


@cache
def _routines() -> dict[np.dtype, Callable[..., None]]:
    """Return BLAS's product by dtype, none where there is none to be trusted."""
    found: dict[np.dtype, Callable[..., None]] = {}
    for dtype, letter, real in ((np.float32, "s", ctypes.c_float), (np.float64, "d", ctypes.c_double)):
        routine, long = _function(f"cblas_{letter}gemm")
        if routine is not None:
            whole, at = ctypes.c_int64 if long else ctypes.c_int, ctypes.c_void_p
            routine.argtypes = [*[ctypes.c_int] * 3, *[whole] * 3, real, at, whole, at, whole, real, at, whole]
            routine.restype = None
            if _agrees(np.dtype(dtype), routine):
                found[np.dtype(dtype)] = routine
    return found


def _agrees(dtype: np.dtype, routine: Callable[..., None]) -> bool:
    """Report whether a routine gives the numbers of the plain form."""
    X, dY, W = (np.arange(1.0, n + 1).astype(dtype) for n in (6, 8, 12))
    expected = 0.5 * W.reshape(3, 4) - 2 * (X.reshape(2, 3).T @ dY.reshape(2, 4))
    x, y, w = map(_address, (X, dY, W))
    routine(_ROWS, _TRANSPOSED, _PLAIN, 3, 4, 2, -2.0, x, 3, y, 4, 0.5, w, 4)
    return bool(np.array_equal(W.reshape(3, 4), expected))


@cache
def kernels() -> str:
    """Return OpenBLAS's name for the kernels that it chose, "" where numpy brings no OpenBLAS of its own."""
    name, _ = _function("openblas_get_corename")
    if name is None:
        return ""
    name.restype = ctypes.c_char_p
    return str(name().decode())


class _Visitor:
    """Someone inside `threads`: gone with its frame, should an interrupt come on the way out."""


_turn = RLock()  # an interrupt on leaving `with` may leave it locked: its own thread may then enter again
_inside, _before = WeakSet[_Visitor](), list[int]()  # who is inside, and what was set before the first of them


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Let products run on so many threads of BLAS meanwhile; None, or another BLAS: as they do.

    Of several that overlap, the first decides, and the last puts back what was set before.
    """
    get, set_ = _function("openblas_get_num_threads")[0], _function("openblas_set_num_threads")[0]
    if count is None or get is None or set_ is None:
        yield
        return
    me = _Visitor()
    try:
        with _turn:
            if not _inside:
                if not _before:
                    _before.append(get())
                set_(count)
            _inside.add(me)
        yield
    finally:  # also where an interrupt came on the way in
        with _turn:
            _inside.discard(me)
            if not _inside and _before:
                set_(_before[0])
                _before.clear()
