"""How the inputs of a task of one's own are scaled: as data, so that it can be read, and done again to new inputs."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from npnet.arrays import shown

__all__ = ["AS_THEY_ARE", "Scale", "scale_of"]

_LARGE = 20  # inputs beyond it are named: a network trains badly on them


@dataclass(frozen=True, eq=False)
class Scale:
    """(X − shift) · factor, said in words. pixels: uint8 inputs stay as stored, and are divided by 255 when read."""

    said: str
    shift: Any = 0.0
    factor: Any = 1.0
    pixels: bool = False

    def __str__(self) -> str:
        return self.said

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Return inputs as floats, scaled."""
        if self.pixels:
            return X * np.float32(1 / 255)
        return ((X - self.shift) * self.factor).astype(np.float32)

    def stored(self, X: np.ndarray) -> np.ndarray:
        """Return inputs as a Split holds them: pixels as they are, others scaled."""
        return X if self.pixels and X.dtype == np.uint8 else self(X)


AS_THEY_ARE = Scale("as they are")


def scale_of(given: Any, X: np.ndarray) -> Scale:
    """Return how inputs X (N, D) to train on are to be scaled.

    given: a number to divide by; "standard" for each input's mean and standard deviation on X; "none"; or None: uint8
    with values from 128 to 255 are pixels and are divided by 255, all others are taken as they are, and a UserWarning
    names those beyond ±20. Raises ValueError for anything else.
    """
    low, high = float(X.min()), float(X.max())
    if given is None and X.dtype == np.uint8 and high > 127:
        return Scale("pixels divided by 255", 0.0, 1 / 255, pixels=True)
    reach = f"{low:g} to {high:g}"
    if given is None or (isinstance(given, str) and given == "none"):
        if given is None and max(-low, high) > _LARGE:
            kind = "floats" if X.dtype.kind == "f" else "whole numbers"
            call = "scale=255 divides pixels, " if 127 < high <= 255 and low >= 0 else ""
            warnings.warn(
                f"X has {kind} from {reach}, taken as they are: {call}scale='standard' brings each input to mean 0 and "
                "deviation 1, scale='none' means it",
                stacklevel=4,
            )
        return Scale(f"as they are, {reach}")
    if isinstance(given, str) and given == "standard":
        wide = X.astype(np.float64)
        deviation = wide.std(0)
        return Scale("each to mean 0 and deviation 1", wide.mean(0), 1 / np.where(deviation > 0, deviation, 1))
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 < given < np.inf:
        return Scale(f"divided by {given:g}", 0.0, 1 / given)
    raise ValueError(f"scale is {shown(given)}; expected a number to divide by, 'standard', 'none' or None")
