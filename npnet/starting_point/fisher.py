"""The diagonal Fisher information: how much each weight matters to what a network says about a task that it knows.

    F_j = 1/m Σᵢ Σₖ f_k(xᵢ) (∂ log f_k(xᵢ) / ∂w_j)²,        f = softmax(z)

over m inputs of the old task, with the weights at which training on it ended. Where F_j is large, moving w_j changes
the network's answers: the scale of a penalty around those weights (elastic weight consolidation).

At the logits ∂ log f_k/∂z = e_k − f, so the exact information takes one way back for each class. A linear layer's
gradient for one example is the outer product x dyᵀ; from the two factors of the gradient the squares of all examples
sum in one product, (X²)ᵀ(dY²).

Sources: Li, Grandvalet and Davoine 2018, section 3; Kirkpatrick et al. 2017; the merged form is Schwarz et al. 2018.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from npnet.arguments import checked
from npnet.arrays import Array, array_module
from npnet.data import Split, batch
from npnet.error import largest
from npnet.fused import Product, dense, factored
from npnet.layers import Parameters, backward, forward, linear
from npnet.losses import cross_entropy, softmax
from npnet.network import Network
from npnet.trees import copy_tree

__all__ = ["Mode", "fisher_information", "remember"]

Mode = Literal["exact", "sampled", "argmax", "empirical", "batched"]
"""Which classes k a sum over examples runs over, and with what weight.

exact      every class, weighted by the network's own f_k: the expectation, as in the formula
sampled    one class drawn from f for each example: the same in the mean, noisier, K times cheaper
argmax     the class that the network prefers
empirical  the true label
batched    the true labels again, but the square of each batch's mean gradient instead of the mean of squares. Common
           and wrong (for batches of 64 a hundredth of the right value): there to reproduce other programs
"""

_BLOCK = 1000  # examples at a time, in the modes that do not depend on it


@checked
def fisher_information(
    network: Network,
    head: str,
    split: Split,
    mode: Mode = "exact",
    rng: np.random.Generator | None = None,
    batch_size: int = 64,
    with_head: bool = False,
) -> list[Parameters]:
    """Return the diagonal Fisher information of the trunk's parameters for a head: dicts like `network.trunk`.

    split: inputs of the task that the head was trained on, with their labels for the modes that look at them. rng: for
    the mode "sampled". batch_size: the batches of the mode "batched". with_head: one dict more, of the head's own
    parameters, for tasks that share a head. Without dropout, in the network's precision; not normalised. Raises
    ValueError for an unknown mode, a missing rng, a regression, an empty split, and a network with hidden layers that
    are not linear.
    """
    if mode not in get_args(Mode):
        raise ValueError(f"mode is {mode!r}; expected one of {', '.join(get_args(Mode))}")
    if mode == "sampled" and rng is None:
        raise ValueError("rng is None; expected a generator to draw the classes of the mode 'sampled' from")
    path = factored(network.path(head))
    wanted = path if with_head else path[:-1]
    places = {i: layer for layer, i in enumerate(i for i, (_, p) in enumerate(wanted) if p)}
    layers = [layer for layer, p in network.path(head) if p]
    if not network.plain or not all(layer is linear for layer in layers):
        raise ValueError(f"network has layers {layers} below head {head!r}; expected linear ones alone, and no columns")
    split.check(f"the split for head {head!r}", network.head(head)["b"].shape[-1])
    if split.kind != "classes" or network.head(head)["b"].shape[-1] == 1:
        raise ValueError(
            f"split has {split.kind} for {network.head(head)['b'].size} outputs; expected classes, with an output each"
        )
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; expected at least 1")
    size = batch_size if mode == "batched" else _BLOCK
    information = [{name: array_module(w).zeros_like(w) for name, w in p.items()} for _, p in wanted if p]
    count = 0
    for start in range(0, len(split), size):
        rows = slice(start, start + size)
        outputs, backs = forward(path, batch(split, rows, network.dtype))
        Z, batched = outputs[-1], mode == "batched"
        for dZ in _at_the_logits(Z, split.labels[rows], mode, rng):
            for i, _, dp in backward(backs, {len(backs) - 1: dZ / len(Z) if batched else dZ}):
                if i in places:
                    _add_squares(information[places[i]], dp, batched)
        count += 1 if batched else len(Z)
    return [{name: F / count for name, F in p.items()} for p in information]


@checked
def remember(
    network: Network,
    name: str,
    information: list[Parameters],
    merge: str | None = None,
    decay: float = 1.0,
    head: str | None = None,
) -> Network:
    """Return the network with a memory `name`: its weights as they are now and the information that goes with them.

    Without `merge` every old task keeps a memory of its own. With it, the memory of that name is replaced by one for
    both, F ← decay · F + information around the present weights ("online"). head: the head that the last dict of the
    information is about, where it has one more than there are hidden layers; the penalty is then on that head too,
    when it is trained again. Memories are copied, moved and saved with the network. Raises ValueError for a name that
    is taken, a `merge` that is unknown or of another head, a decay outside 0 … 1, and information that is not about
    these layers.
    """
    if not 0 <= decay <= 1:
        raise ValueError(f"decay is {decay}; expected a number from 0 to 1")
    about = [*network.trunk, *([] if head is None else [network.head(head)])]
    if not isinstance(information, list) or [sorted(p) for p in information] != [sorted(p) for p in about]:
        given = list(map(sorted, information)) if isinstance(information, list) else type(information).__name__
        layers = f"these {network.depth} hidden layers{'' if head is None else f' and the head {head!r}'}"
        raise ValueError(f"information is {given}; expected what fisher_information returns for {layers}")
    memories = dict(network.memories)
    if merge is not None:
        if merge not in memories:
            raise ValueError(f"merge is {merge!r}; expected one of {', '.join(memories) or '(no memories yet)'}")
        older = memories.pop(merge)
        if older.get("head") != head:
            raise ValueError(f"head is {head!r}; expected {older.get('head')!r}, that of the memory {merge!r}")
        information = [
            {key: decay * old[key] + F for key, F in p.items()}
            for old, p in zip(older["fisher"], information, strict=True)
        ]
    if name in memories:
        raise ValueError(f"name is {name!r}; expected a new one, other than {', '.join(memories)}")
    memories[name] = {"anchor": copy_tree(about), "fisher": information, **({} if head is None else {"head": head})}
    return replace(network, memories=memories)


def _at_the_logits(Z: Array, labels: Array, mode: Mode, rng: np.random.Generator | None) -> Iterator[Array]:
    """Yield gradients (N, K) at the logits whose squares, sent down and summed, make the mode's information."""
    xp = array_module(Z)
    f = softmax(Z)
    if mode == "exact":
        for k in range(Z.shape[-1]):
            yield xp.sqrt(f[..., k, None]) * _score(Z, xp.full(Z.shape[-2], k))
        return
    if mode == "sampled" and rng is not None:
        passed = f.cumsum(-1) < xp.asarray(rng.random((*f.shape[:-1], 1)))  # the classes before the one that is drawn
        labels = xp.minimum(passed.sum(-1), f.shape[-1] - 1)  # rounding may leave the last sum below 1
    elif mode == "argmax":
        labels = largest(f)
    yield _score(Z, labels)


def _score(Z: Array, labels: Array) -> Array:
    """∂ log f_k / ∂z = e_k − f for each example and its class k: −N times the gradient of the mean cross-entropy."""
    return -Z.shape[-2] * cross_entropy(Z, labels)[1]


def _add_squares(into: Parameters, dp: Parameters, batched: bool) -> None:
    """Add the squares of a linear layer's gradients: of each example's, or of their sum."""
    factors: Product = dp["W"]  # type: ignore[assignment]
    if batched:
        dW, db = dense(factors), dp["b"]
        squares = {"W": dW * dW, "b": db * db}
    else:
        squares = {"W": factors.squares(), "b": (factors.B * factors.B).sum(0)}
    for name, square in squares.items():
        into[name] += square
