"""Derives by rounding analysis how far apart two right answers may be, from the size of what is compared.

With probability 1 − 2 exp(−λ²/2), the rounding error of a sum of n floating-point terms is at most λ√n·u·Σ|terms|,
where u is the unit roundoff (Higham and Mary 2019, theorem 2.4). With λ = 8 it is larger once in 4e13 sums. A check
sees the sum and not its terms, so it estimates their size:

    allowed_j = λ √n u (|g_j| + |d_j| + max |g| + κ_j + V / ‖x‖₁)

g is the gradient, and d is the derivative. max |g| is the largest gradient of the same array, whose sums have terms of
the same size even if they cancel. κ_j = |∂g_j/∂x · (±x)| is how far the gradient moves when every argument moves by a
part of itself, so u·κ_j is the effect of rounding the arguments. The complex step finds it, and crosses no kink. V is
the sum of the magnitudes of the values: a gradient below u·V/‖x‖₁ is lost in rounding. n counts the numbers that went
in and came out, and is at least 64.
"""

import numpy as np

from npnet.arrays import Array

__all__ = ["LAMBDA", "factor", "length", "peak", "relative_error"]

LAMBDA = 8.0


def factor(numbers: int, dtype: np.dtype) -> float:
    """Return λ √n u for n numbers of a precision."""
    return LAMBDA * max(numbers, 64) ** 0.5 * float(np.finfo(dtype).eps) / 2


def peak(g: Array) -> float:
    """Return the largest magnitude of an array, 0 for an empty one."""
    magnitudes: Array = abs(g)
    return float(magnitudes.max()) if g.size else 0.0


def length(*arrays: Array) -> float:
    """Return the root of the sum of all squares, of numbers whose squares may be too large or too small for a float."""
    largest = max(map(peak, arrays), default=0.0)
    if not 0 < largest < float("inf"):
        return largest
    return largest * float(sum(float(((a / largest) ** 2).sum()) for a in arrays)) ** 0.5


def relative_error(gradient: float, derivative: float, floor: float) -> float:
    """Return |gradient − derivative| over the larger of the two or the floor. Infinite if either is NaN."""
    gap = abs(gradient - derivative)
    return gap / max(abs(gradient), abs(derivative), floor) if gap == gap else float("inf")
