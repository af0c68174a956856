"""Gradients with respect to inputs, and the gradients of those: what matching Jacobians and input attention need.

With gates sₗ (N, Kₗ), the slopes of hidden layer l's activation, and c (N, K) at the logits, the gradient of Σ c z is

    u_l = g_{l+1} W_{l+1}ᵀ,   g_l = u_l sₗ,   g_{L+1} = c,   J = g_1 W_1ᵀ          one sweep down, J (N, D)

and, J being linear in each of c, s and W, the way back of dJ is one sweep up:

    dg_1 = dJ W_1,  dW_1 = dJᵀ g_1,   then   dsₗ = dg_l u_l,  du_l = dg_l sₗ,  dW_{l+1} = du_lᵀ g_{l+1},
    dg_{l+1} = du_l W_{l+1},   and at the top   dc = dg_{L+1}

A ReLU's gates are constant between its kinks, and there ds goes nowhere. Elsewhere ds f″, with the activation's
curvature f″, joins what the ordinary way back carries down, below the activation. Leading axes of c, one for each
logit, make J the whole Jacobian.

Sources: Srinivas and Fleuret 2018; Czarnecki et al. 2017 (Sobolev training); for the map |∂L/∂x| Zagoruyko and
Komodakis 2017, section 3.2.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from npnet.arguments import checked
from npnet.arrays import Array, array_module, sum_to
from npnet.fused import Product
from npnet.layers import Back, Shared, forward, linear
from npnet.losses import cross_entropy, softmax
from npnet.matching.terms import check_place
from npnet.network import Network

__all__ = [
    "Of",
    "at_logits",
    "check_plain",
    "flat",
    "input_gradient",
    "jacobian",
    "loss_gradient",
    "matrices",
    "slope",
]

Of = Literal["logit", "logits", "loss"]
"""Of what the gradient with respect to the inputs is taken: one logit an example, every logit, the cross-entropy."""

SweepBack = Callable[..., tuple[list[Product | None], list[Array | None], Array | None]]


def input_gradient(Ws: Sequence[Array], slopes: Sequence[Array], C: Array) -> tuple[Array, SweepBack]:
    """J = ∂(Σ C Z)/∂X by a sweep down, and the way back: back(dJ, weights, gates, top) -> (factors, dslopes, dC).

    Ws: the matrices from the bottom, the head's last; the first may be shared over patches, and is then narrower than
    what it reads. slopes (N, K) for each hidden layer; C (..., N, K), or (K, 1, K) for all rows alike; J (..., N, D).
    back takes flags for each matrix and hidden layer and for C, and gives None where one is not set. Gradients of
    matrices stay in their factors, for whoever adds them to others: a matrix that is not made costs no memory traffic.
    """
    G, U = [C], []  # g and u from the top down
    for W, s in zip(reversed(Ws[1:]), reversed(slopes), strict=True):
        U.append(_down(W, G[-1]))
        G.append(U[-1] * s)
    J, depth = _down(Ws[0], G[-1]), len(slopes)

    def back(
        dJ: Array, weights: Sequence[bool] = (), gates: Sequence[bool] = (), top: bool = True
    ) -> tuple[list[Product | None], list[Array | None], Array | None]:
        weights, gates = weights or (True,) * (depth + 1), gates or (True,) * depth
        factors: list[Product | None] = [None] * (depth + 1)
        dslopes: list[Array | None] = [None] * depth
        highest = max((i for i in range(depth + 1) if weights[i] or (i and gates[i - 1])), default=0)
        dU = dJ
        for i in range(depth + 1):  # dU is du_i, of what W_{i+1} made going down
            g = G[depth - i]
            if weights[i]:
                A = _rows(sum_to(g.shape[:-1] + dU.shape[-1:], dU), Ws[i].shape[0])
                factors[i] = Product(A.T, _rows(g, Ws[i].shape[1]))
            if i == depth or (i >= highest and not top):
                break
            dG = _up(Ws[i], dU)
            if gates[i]:
                dslopes[i] = sum_to(slopes[i].shape, dG * U[depth - 1 - i])
            dU = dG * slopes[i]
        return factors, dslopes, sum_to(C.shape, _up(Ws[-1], dU)) if top else None

    return J, back


def _rows(X: Array, width: int) -> Array:
    return X.reshape(-1, width)


def _down(W: Array, G: Array) -> Array:
    """G Wᵀ on the last axis, or on each of the pieces of it that W was shared over."""
    D, K = W.shape
    return (W @ _rows(G, K).T).T.reshape(*G.shape[:-1], G.shape[-1] // K * D)


def _up(W: Array, dU: Array) -> Array:
    """DU W, the same way."""
    D, K = W.shape
    return (_rows(dU, D) @ W).reshape(*dU.shape[:-1], dU.shape[-1] // D * K)


def loss_gradient(Z: Array, labels: Array) -> tuple[Array, Callable[[Array], Array]]:
    """C = softmax(Z) − onehot, the gradient of each example's own cross-entropy, and its way back: back(dC) -> dZ."""
    f = softmax(Z)
    C = Z.shape[-2] * cross_entropy(Z, labels)[1]  # f − onehot, which loses no digits where f is near 1
    return C, lambda dC: f * (dC - (f * dC).sum(-1, keepdims=True))


def at_logits(Z: Array, of: Of, classes: Array | None) -> tuple[Array, Callable[[Array], Array] | None]:
    """Return C for what the gradient is taken of, and its way back where it depends on the logits."""
    xp, K = array_module(Z), Z.shape[-1]
    if of == "logits":
        return xp.eye(K, dtype=Z.dtype)[:, None, :], None  # (K, 1, K)
    if classes is None:
        raise ValueError(f"classes is None; expected a class for each example, where the gradient is of the {of}")
    if of == "loss":
        return loss_gradient(Z, classes)
    return (classes[..., None] == xp.arange(K)).astype(Z.dtype), None  # (N, K)


@checked
def jacobian(network: Network, head: str, X: Array, of: Of = "logits", classes: Array | None = None) -> Array:
    """Return ∂z/∂x of a head without dropout: (N, K · D) of every logit, (N, D) of one logit or of the loss.

    classes (N,): which logit, or the labels that the loss looks at. Raises ValueError for an unknown `of`, where
    classes are missing or not the head's, and for a network with hidden layers that are not linear maps.
    """
    check_plain(network, head)
    if X.shape[1:] != (network.inputs,):
        raise ValueError(f"X has shape {X.shape}; expected (N, {network.inputs})")
    count = network.head(head)["b"].size
    if classes is not None:
        whole = classes.dtype.kind in "iu" and classes.shape == X.shape[:1]
        if not whole or not ((classes >= 0) & (classes < count)).all():
            raise ValueError(
                f"classes is {classes}; expected {len(X)} whole numbers from 0 to {count - 1}, one an example"
            )
    outputs, backs = forward(network.path(head), X)
    slopes = [slope(back, Y) for back, Y in zip(backs[1:-1:2], outputs[2:-1:2], strict=True)]
    C, _ = at_logits(outputs[-1], of, classes)
    return flat(input_gradient(matrices(network, head), slopes, C)[0])


def slope(back: Back, Y: Array) -> Array:
    """Return the slope of an elementwise layer at the point of its way back, like its outputs Y."""
    return back(array_module(Y).ones_like(Y))[0]


def flat(J: Array) -> Array:
    """Return Jacobians (K, N, D) with a row for each example, (N, K · D); gradients (N, D) as they are."""
    return J if J.ndim == 2 else J.swapaxes(0, 1).reshape(J.shape[1], -1)


def matrices(network: Network, head: str) -> list[Array]:
    """Return the weight matrices from the inputs to a head."""
    return [p["W"] for p in (*network.trunk, network.head(head))]


def check_plain(network: Network, head: str) -> None:
    """Raise ValueError where a layer below a head is more than a linear map, or the head not the network's own."""
    check_place(network, head)
    if not all(layer is linear or isinstance(layer, Shared) for layer, p in network.path(head) if p):
        raise ValueError(f"network has hidden layers {network.layers} below head {head!r}; expected linear ones alone")
