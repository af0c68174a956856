"""What two networks are compared by: the map of where one looks, and the distance of two maps of unit length.

    attention map      Q = Σ_c |A_c|^p over the channels c of A, one value at each position
    unit distance      ‖q − u‖₂, or its square, for q = Q/‖Q‖₂ and a target u that has unit length already

A map of zeros has no direction: its q is zero and it passes no gradient back (as `normalise` has it). At distance zero,
where ‖·‖₂ has a kink, the gradient is zero, the subgradient of smallest norm.

Source: Zagoruyko and Komodakis 2017, section 3.1; the square is what the authors' own program takes.
"""

from collections.abc import Callable
from functools import partial

from npnet.arrays import Array, array_module
from npnet.layers import normalise
from npnet.losses import Loss

__all__ = ["attention", "attention_map", "unit", "unit_distance"]


def unit(Q: Array) -> tuple[Array, Callable[[Array], Array]]:
    """Return rows Q (..., K) brought to unit length, zero where they are zero, and the way back: back(dY) -> dQ."""
    U, back = normalise({"gamma": array_module(Q).ones(1, Q.real.dtype)}, Q)
    return U, lambda dU: back(dU)[0]


def attention_map(A: Array, positions: int | None = None, p: float = 2.0) -> tuple[Array, Callable[[Array], Array]]:
    """Q = Σ_c |A_c|^p: A (..., N, M·C) to Q (..., N, M) for M positions of C neighbouring channels each.

    positions: M; None for one channel each, M = A's width. dA = p |A|^{p−1} sign(A) dQ, zero at zero.
    Raises ValueError for p below 1, whose slope at zero is infinite, and for a width that M does not divide.
    """
    M = A.shape[-1] if positions is None else positions
    if not p >= 1:
        raise ValueError(f"p is {p}; expected a power of at least 1")
    if M < 1 or A.shape[-1] % M:
        raise ValueError(f"positions is {M}; expected a number that divides {A.shape[-1]}, the width of A")
    sign = array_module(A).sign(A.real)
    slope = 2 * A if p == 2 else sign if p == 1 else p * (A * sign) ** (p - 1) * sign
    power = A * A if p == 2 else A * sign if p == 1 else (A * sign) ** p
    lead = A.shape[:-1]

    def back(dQ: Array) -> Array:
        return (slope.reshape(*lead, M, -1) * dQ[..., None]).reshape(A.shape)

    return power.reshape(*lead, M, -1).sum(-1), back


def unit_distance(Q: Array, U: Array, squared: bool = False) -> tuple[Array, Array]:
    """Mean over the N examples of ‖qₙ − uₙ‖₂, or squared, q = Q/‖Q‖₂: value and dQ.

    Q (N, M); U (N, M), rows of unit length or zero. With r the distance and G = ∂r/∂q = (q − u)/r, or 2(q − u) squared,
    dQ = (G − q Σ q G)/(N ‖Q‖). Raises ValueError where the shapes differ.
    """
    if Q.shape != U.shape:
        raise ValueError(f"U has shape {U.shape}; expected {Q.shape}, the shape of the maps")
    N = Q.shape[-2]
    q, back = unit(Q)
    D = q - U
    G = 2 * D if squared else unit(D)[0]
    value = (D * D if squared else D * G).sum((-2, -1)) / N
    return value, back(G / N)


def attention(positions: int | None = None, p: float = 2.0, squared: bool = False) -> Loss:
    """Return the loss that compares the attention map of A with a recorded one of unit length: `unit_distance`."""
    return partial(_attention, positions=positions, p=p, squared=squared)


def _attention(A: Array, U: Array, positions: int | None, p: float, squared: bool) -> tuple[Array, Array]:
    Q, back = attention_map(A, positions, p)
    value, dQ = unit_distance(Q, U, squared)
    return value, back(dQ)
