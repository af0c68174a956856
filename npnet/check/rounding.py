"""How far two right answers may lie apart: tolerances from the size of what is compared, by rounding analysis.

A sum of n floating-point terms is computed with an error of at most λ√n·u·Σ|terms|, where u is the unit roundoff, but
for a probability of 2 exp(−λ²/2) (Higham and Mary 2019, theorem 2.4). λ = 8 makes that 2.5e-14. A check sees the sum
and not its terms, so their size is taken from what they leave behind:

    allowed_j = λ √n u (|g_j| + |d_j| + max |g| + κ_j + V / ‖x‖₁)

g is the gradient, d the derivative, max |g| the largest gradient of the same array (its sums have terms of the same
size, even where they cancel). κ_j is how far the gradient moves when every argument moves by a part of itself,
|∂g_j/∂x · (±x)|: u·κ_j is what rounding the arguments alone does, and it too is found by the complex step, so that it
crosses no kink. V is the sum of the values' magnitudes: below u·V/‖x‖₁ a gradient that cancels to nothing drowns. n
counts the numbers that went in and came out, and is at least 64.
"""

import numpy as np

from npnet.arrays import Array

__all__ = ["LAMBDA", "factor", "relative_error"]

LAMBDA = 8.0


def factor(numbers: int, dtype: np.dtype) -> float:
    """λ √n u for n numbers of a precision."""
    return LAMBDA * max(numbers, 64) ** 0.5 * float(np.finfo(dtype).eps) / 2


def peak(g: Array) -> float:
    """Return the largest magnitude of an array, 0 for an empty one."""
    magnitudes: Array = abs(g)
    return float(magnitudes.max()) if g.size else 0.0


def relative_error(gradient: float, derivative: float, floor: float) -> float:
    """|gradient − derivative| over the larger of the two or the floor; infinite where either is NaN."""
    gap = abs(gradient - derivative)
    return gap / max(abs(gradient), abs(derivative), floor) if gap == gap else float("inf")
