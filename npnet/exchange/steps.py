"""A feed-forward network as a list of steps: the form in which networks pass between npnet and other libraries.

    input dropout, (linear, activation, dropout), …, (linear, activation, dropout), linear

Reading another library's network means listing its steps; `network_of` makes the Network. Writing one means walking the
steps that `steps_of` lists. Whatever is no such chain is refused by name, so that nothing is left out silently.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from npnet.activations import identity
from npnet.arrays import Array, shown
from npnet.layers import Dropout, Layer, Shared, linear
from npnet.network import Network

__all__ = ["Linear", "Step", "network_of", "own", "steps_of"]


@dataclass(frozen=True)
class Linear:
    """Y = X W + b with W (D, K) and b (K,): alike for each of so many patches of the input."""

    W: Array
    b: Array
    patches: int = 1


Step = Linear | Dropout | Layer
"""A linear layer, dropout, or an activation."""


def own(array: Any) -> Array:
    """Return a copy of an array, C-contiguous: training moves it in place, and the other program's stays."""
    return np.array(array, order="C", copy=True)


def network_of(steps: Iterable[Step], head: str, source: str) -> Network:
    """Return the network of some steps, the last linear one its head; arrays are taken as they are.

    source: what a message calls them. Raises ValueError for steps in an order that no npnet network has.
    """
    trunk: list[Linear] = []
    activations: list[list[Layer]] = []
    rates: list[list[float]] = [[]]  # of the inputs, then of each layer
    for step in steps:
        if isinstance(step, Linear):
            trunk.append(step)
            activations.append([])
            rates.append([])
        elif isinstance(step, Dropout):
            rates[-1].append(step.rate)
        elif not trunk or activations[-1] or rates[-1]:
            place = "after dropout" if rates[-1] else "after another one" if trunk else "before the first linear layer"
            raise ValueError(f"{source} has the activation {shown(step)} {place}; expected linear, activation, dropout")
        else:
            activations[-1].append(step)
    if not trunk:
        raise ValueError(f"{source} has no linear layer; expected at least one, which becomes the head")
    if activations[-1] or rates[-1] or any(len(each) > 1 for each in rates):
        what = "something after its last linear layer" if activations[-1] or rates[-1] else "dropout after dropout"
        raise ValueError(f"{source} has {what}; expected a chain that ends in logits")
    *hidden, last = ({"W": each.W, "b": each.b} for each in trunk)
    return Network(
        hidden,
        {head: last},
        tuple(each[0] if each else identity for each in activations[:-1]),
        tuple(each[0] if each else 0.0 for each in rates[1:-1]),
        input_dropout=rates[0][0] if rates[0] else 0.0,
    )


def head_of(network: Network, head: str | None) -> str:
    """Return the name of the head in question, for None the only one. Raises ValueError where that is not clear."""
    if head is None and len(network.heads) == 1:
        return next(iter(network.heads))
    if head is None:
        raise ValueError(f"head is None; expected one of {', '.join(map(repr, network.heads))}")
    network.head(head)
    return head


def steps_of(network: Network, head: str) -> Sequence[tuple[str, Step]]:
    """Return the steps from the inputs to the logits of a head, dropout included, each with its name.

    Raises ValueError for a network that reads others, and for layers of one's own, which have no name elsewhere.
    """
    if not network.plain:
        raise ValueError(f"network is a {type(network).__name__}; expected a plain one, whose layers read one another")
    found: list[tuple[str, Step]] = []
    layer, links = 0, network.path(head, training=True)
    for i, (each, p) in enumerate(links):
        if p:
            layer += 1
            if each is not linear and not isinstance(each, Shared):
                raise ValueError(f"network has the layer {shown(each)}; expected linear layers, which others know")
            patches = each.patches if isinstance(each, Shared) else 1
            name = "head" if i == len(links) - 1 else f"hidden{layer}"
            found.append((name, Linear(p["W"], p["b"], patches)))
        elif each is not identity:
            kind = "dropout" if isinstance(each, Dropout) else "activation"
            found.append((f"{kind}{layer}" if layer else "input_dropout", each))
    return found
