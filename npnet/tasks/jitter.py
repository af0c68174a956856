"""Jittered images: each is shifted by a few pixels at random whenever a batch reads it, so no epoch sees it as before.

Training must be able to stop and go on to the same bits, and inputs remember nothing. So the address of its shifts
is the batch itself, the rows asked for in their order: another epoch has them in another order, and a run that goes on
asks for what it would have asked for. What is computed from such inputs must be computed for the batch itself: `varies`
tells frozen layers and recorded targets to keep nothing.
"""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnet.arguments import checked
from npnet.arrays import generator

__all__ = ["Jittered"]


@checked
@dataclass(frozen=True, eq=False)
class Jittered:
    """Square images (N, side²) as the inputs of a Split: rows come shifted by −pixels … pixels to the side and down.

    Both shifts are uniform and independent; what comes in from outside is 0. On the host alone.
    Raises ValueError for images that are not square, and for a shift below zero or as large as the image.
    Source: Hinton, Vinyals and Dean 2015, section 3, whose teacher sees MNIST jittered by up to two pixels.
    """

    images: NDArray[Any]
    pixels: int = 2
    seed: int = 0
    ndim = 2
    varies = True

    def __post_init__(self) -> None:
        if self.images.ndim != 2 or self.side**2 != self.images.shape[-1]:
            raise ValueError(f"images has shape {self.images.shape}; expected (N, D) with D a square number")
        if not 0 <= self.pixels < self.side:
            raise ValueError(f"pixels is {self.pixels}; expected 0 to {self.side - 1}, below the side of the images")

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, D)."""
        return self.images.shape

    @property
    def dtype(self) -> np.dtype:
        """That of the images."""
        return self.images.dtype

    @property
    def side(self) -> int:
        """How many pixels an image is wide."""
        return round(self.images.shape[-1] ** 0.5)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        numbers = np.arange(len(self))[rows].astype(np.int64)  # the address: the same for a slice and its indices
        rng = generator(self.seed, "jitter", zlib.crc32(numbers.tobytes()))
        n, side, most = len(numbers), self.side, self.pixels
        down, right = rng.integers(-most, most + 1, (2, n))
        padded = np.zeros((n, side + 2 * most, side + 2 * most), self.images.dtype)
        padded[:, most : most + side, most : most + side] = self.images[numbers].reshape(n, side, side)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))
        return windows[np.arange(n), most - down, most - right].reshape(n, -1)
