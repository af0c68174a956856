"""Random backgrounds that change at four rates, from one grey level a pixel to one slow gradient over the image.

A background is a lattice of n x n random numbers in [−1, 1] stretched over the image and interpolated bilinearly. The
four patterns are four lattices: n = 32 (a number for every pixel), 9 (one every 3.9 px), 4 (one every 10.3 px) and 2
(one in each corner). The paper names "four patterns changing at different rates" and no more.

Random numbers are single bytes, eight from each draw of 64 bits: a background spans fewer than 256 grey levels, so
finer ones could not be seen. Interpolating first along the few lattice rows and then, whole rows at a time, down the
image lets the second and larger part run in vector instructions.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from npnet.tasks.addresses import fill_bits
from npnet.tasks.rules import SIDE

__all__ = ["PATTERNS", "fill_background", "symmetric"]

PATTERNS = (32, 9, 4, 2)  # lattice nodes a side

_NODES = np.array(PATTERNS)
_POSITION = np.arange(SIDE) / (SIDE - 1) * (_NODES[:, None] - 1)  # (4, 32): a pixel's place on the lattice
_NODE = np.minimum(_POSITION.astype(np.int64), _NODES[:, None] - 2)  # (4, 32): the lattice node before it
_PART = (_POSITION - _NODE).astype(np.float32)  # (4, 32): how far it is from there to the next node

_HALF = np.float32(127.5)
_STEP = np.float32(1 / 127.5)


@njit
def symmetric(byte: np.uint8) -> np.float32:
    """A byte 0 … 255 as a number −1 … 1."""
    return (np.float32(byte) - _HALF) * _STEP


@njit
def fill_background(
    rng: NDArray[np.uint64],
    pattern: int,
    bits: NDArray[np.uint64],
    rows: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Fill `out` (32, 32) with pattern number `pattern`, values in [−1, 1]; `bits` (128,) and `rows` (32, 32) are room.

    out = (1−f)(1−g) c[j, k] + f(1−g) c[j, k+1] + (1−f)g c[j+1, k] + fg c[j+1, k+1], where c is the lattice, (j, k) the
    node above and left of the pixel, and f and g how far the pixel is from it along x and y, in node spacings.
    """
    n = _NODES[pattern]
    fill_bits(rng, bits[: (n * n + 7) // 8])
    lattice = bits.view(np.uint8)  # (1024,)
    if n == SIDE:
        flat = out.reshape(SIDE * SIDE)  # (32, 32) → (1024,)
        for pixel in range(SIDE * SIDE):
            flat[pixel] = symmetric(lattice[pixel])
        return
    for j in range(n):
        for x in range(SIDE):
            k = j * n + _NODE[pattern, x]
            before = symmetric(lattice[k])
            rows[j, x] = before + _PART[pattern, x] * (symmetric(lattice[k + 1]) - before)
    for y in range(SIDE):
        above, below, part = rows[_NODE[pattern, y]], rows[_NODE[pattern, y] + 1], _PART[pattern, y]
        for x in range(SIDE):
            out[y, x] = above[x] + part * (below[x] - above[x])
