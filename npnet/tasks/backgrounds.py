"""Random backgrounds that change at four rates, from one grey level a pixel to one slow gradient over the image.

A background is a lattice c of n x n random numbers in [−1, 1] stretched over the image and interpolated bilinearly,

    out = A c Aᵀ,    A (32, n),    A[x, k] = max(0, 1 − |x (n − 1)/31 − k|).

The four patterns are four lattices: n = 32 (a number for every pixel, A = I), 9 (one every 3.9 px), 4 (one every
10.3 px) and 2 (one in each corner). The paper names "four patterns changing at different rates" and no more.

Random numbers are single bytes, eight from each draw of 64 bits: a background spans fewer than 256 grey levels, so
finer ones could not be seen.
"""

import numpy as np
from numpy.typing import NDArray

from npnet.compiled import compiled
from npnet.tasks.addresses import fill_bits
from npnet.tasks.rules import SIDE

__all__ = ["PATTERNS", "fill_background", "symmetric"]

PATTERNS = (32, 9, 4, 2)  # lattice nodes a side

_NODES = np.array(PATTERNS)
_POSITION = np.arange(SIDE) / (SIDE - 1) * (_NODES[:, None] - 1)  # (4, 32): a pixel's place on the lattice
_NODE = np.minimum(_POSITION.astype(np.int64), _NODES[:, None] - 2)  # (4, 32): the lattice node before it
_PART = (_POSITION - _NODE).astype(np.float32)  # (4, 32): how far it is from there to the next node
_WEIGHTS = np.maximum(0, 1 - abs(_POSITION[:, None] - np.arange(SIDE)[:, None])).astype(np.float32)  # (4, k, x): Aᵀ

_HALF = np.float32(127.5)
_STEP = np.float32(1 / 127.5)


@compiled()
def symmetric(byte: np.uint8) -> np.float32:
    """A byte 0 … 255 as a number −1 … 1."""
    return (np.float32(byte) - _HALF) * _STEP


def _fill_background(
    rng: NDArray[np.uint64],
    pattern: int,
    bits: NDArray[np.uint64],
    rows: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """`fill_background` as array statements."""
    n = _NODES[pattern]
    fill_bits(rng, bits[: (n * n + 7) // 8])
    nodes = symmetric.plain(bits.view(np.uint8)[: n * n]).reshape(n, n)
    if n == SIDE:
        out[:] = nodes
        return
    rows[:n] = 0.0
    for k in range(n):
        rows[:n] += nodes[:, k, None] * _WEIGHTS[pattern, k]  # (n, 1) · (32,) → (n, 32)
    above, below = rows[_NODE[pattern]], rows[_NODE[pattern] + 1]  # (32, 32)
    out[:] = above + _PART[pattern][:, None] * (below - above)


@compiled(plain=_fill_background)
def fill_background(
    rng: NDArray[np.uint64],
    pattern: int,
    bits: NDArray[np.uint64],
    rows: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Fill `out` (32, 32) with pattern number `pattern`, values in [−1, 1]; `bits` (128,) and `rows` (32, 32) are room.

    First c Aᵀ as sums of whole rows of Aᵀ, then each row of the image between two of its rows: both run in vector
    instructions, which gathering each pixel's two nodes would not.
    """
    n = _NODES[pattern]
    fill_bits(rng, bits[: (n * n + 7) // 8])
    lattice = bits.view(np.uint8)  # (1024,)
    if n == SIDE:
        flat = out.reshape(SIDE * SIDE)  # (32, 32) → (1024,)
        for pixel in range(flat.shape[0]):
            flat[pixel] = symmetric(lattice[pixel])
        return
    for j in range(n):
        row = rows[j]
        row[:] = 0.0
        for k in range(n):
            node, weights = symmetric(lattice[j * n + k]), _WEIGHTS[pattern, k]
            for x in range(row.shape[0]):
                row[x] += node * weights[x]
    for y in range(SIDE):
        above, below, part = rows[_NODE[pattern, y]], rows[_NODE[pattern, y] + 1], _PART[pattern, y]
        row = out[y]
        for x in range(row.shape[0]):
            row[x] = above[x] + part * (below[x] - above[x])
