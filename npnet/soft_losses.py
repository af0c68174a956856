"""Losses whose targets are probabilities: of the classes of one example, which sum to one, or of each label by itself.

soft_cross_entropy      softmax of the logits against probabilities (N, K)
sigmoid_cross_entropy   the sigmoid of each logit against a label of 0 or 1, or a probability
"""

import numpy as np

from npnet.arrays import Array, array_module, check_array, check_floats
from npnet.losses import READS, Weighted, shares
from npnet.smooth import sigmoid, softplus

__all__ = ["sigmoid_cross_entropy", "soft_cross_entropy"]


@np.errstate(under="ignore")
def soft_cross_entropy(Z: Array, P: Array | Weighted, temperature: float = 1.0) -> tuple[Array, Array]:
    """Cross-entropy with probabilities for labels: L = −(1/N) Σₙ Σₖ pₙₖ log f_T(zₙ)ₖ, f_T(z) = softmax(z/T).

    dZ = (f_T Σₖ p − P)/(T N). Z and P (..., N, K), each row of P summing to one, softened with the same T where it
    comes from another network's logits. As T grows, T² dZ tends to (z − v)/(K N) for logits z and v without mean.
    `Weighted` targets make it the weighted mean over examples. Raises ValueError where the shapes differ, Z is not
    floats, or T is not above zero.
    Source: Hinton, Vinyals and Dean 2015, section 2.
    """
    P, weights = P if isinstance(P, Weighted) else (P, None)
    check_floats("Z", Z)
    check_array("P", P)
    if Z.shape != P.shape:
        raise ValueError(f"P has shape {P.shape}; expected {Z.shape}, the shape of the logits")
    if not temperature > 0:
        raise ValueError(f"temperature is {temperature}; expected a number above zero")
    xp, share = array_module(Z, P), shares(Z, weights)
    D = Z / temperature
    top = xp.arange(Z.shape[-1]) == D.real.argmax(-1)[..., None]  # (..., N, K), one for each row: its E is 1
    D = D - xp.where(top, D, 0).sum(-1, keepdims=True)  # the top entry itself, its imaginary part too
    E = xp.exp(D)
    others = xp.where(top, 0, E).sum(-1, keepdims=True)
    value = (P * (xp.log1p(others) - D) * share).sum((-2, -1))
    # At the top f Σp − p is the others' p less the others' share of Σp: no difference of two numbers near 1.
    S, total = 1 + others, P.sum(-1, keepdims=True)
    at_top = xp.where(top, 0, P).sum(-1, keepdims=True) - others / S * total
    return value, xp.where(top, at_top, E / S * total - P) * (share / temperature)


@np.errstate(under="ignore")
def sigmoid_cross_entropy(Z: Array, T: Array | Weighted) -> tuple[Array, Array]:
    """Cross-entropy of each label by itself: L = (1/N) Σₙ Σₖ [log(1 + e^z) − t z], dZ = (σ(Z) − T)/N.

    Z (..., N, K), a logit for each label; T (..., N, K), 0 or 1, or probabilities. With one logit, K = 1, T may also be
    the classes (..., N), 0 or 1. The sum over labels is not divided by K, as it is in PyTorch and Keras. `Weighted`
    targets make it the weighted mean over examples. Raises ValueError where the shapes differ, or Z is not floats.
    """
    T, weights = T if isinstance(T, Weighted) else (T, None)
    check_floats("Z", Z)
    check_array("T", T)
    if T.shape == Z.shape[:-1] and Z.shape[-1] == 1:
        T = T[..., None]
    if T.shape != Z.shape:
        raise ValueError(f"T has shape {T.shape}; expected {Z.shape}, the shape of the logits")
    share = shares(Z, weights)
    real = Z.real.dtype.type
    T = T.astype(Z.real.dtype, copy=False)
    # σ(z) − t = (1 − t) σ(z) − t σ(−z), and log(1 + e^z) − t z likewise: for t of 0 or 1 nothing cancels.
    value = (real(1) - T) * softplus.value(Z) + T * softplus.value(-Z)
    dZ = (real(1) - T) * sigmoid.value(Z) - T * sigmoid.value(-Z)
    return (value * share).sum((-2, -1)), dZ * share


READS[soft_cross_entropy] = ("probabilities",)
READS[sigmoid_cross_entropy] = ("labels", "classes")
