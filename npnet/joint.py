"""One weight update of an objective with several terms: one pass up through the trunk to all heads, one way down.

The terms (see npnet.terms) say what they send down and where; it joins the way back of the others at that place, so
that whatever terms share is computed once. What an update alone does, and how layers move, is npnet.update's.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from npnet.arrays import Array, array_module
from npnet.layers import Back, Parameters
from npnet.network import Network
from npnet.regularizers import Acting
from npnet.terms import Place, Seen, Sent, Term
from npnet.update import Rule, Update

__all__ = ["JointUpdate"]


class JointUpdate(Update):
    """The update of several terms on the batches of one task, or of tasks that share their inputs.

    learned: the terms' own parameters by name, which train with `rule.learned_share` of the heads' share of the rate
    and no regularizer. Every head that a term reads trains as the mask's last entry says; regularizers on "head" act on
    each. Not for a population. Raises ValueError for a term that does not fit the network.

    Numbered as in `Update`, parameters are those of the trunk's layers from `start`, of the heads, and of the terms.
    """

    ends = 0  # the chain is the trunk alone

    def __init__(
        self, network: Network, terms: Sequence[Term], rule: Rule, learned: Mapping[str, Parameters] | None = None
    ) -> None:
        for term in terms:
            term.check(network)
        acting = [term for term in terms if term.acts(rule.mask)]
        self.heads = tuple(dict.fromkeys(head for term in acting for head in term.heads))
        self._frame(network, rule, whole=any(term.whole for term in acting))
        own = [(term, (learned or {}).get(term.name, {})) for term in acting]
        self.terms, self.network = own, network
        self.ways = [network.layers(head)[-1] for head in self.heads]
        first, last = len(self.layers), len(self.layers) + len(self.heads)
        self.parameters = [*self.parameters, *(network.head(head) for head in self.heads), *(p for _, p in own)]
        if rule.mask[-1]:
            self.layer_at |= {first + k: self.depth + k for k in range(len(self.heads))}
            self.layer_at |= {last + k: self.depth + len(self.heads) + k for k, (_, p) in enumerate(own) if p}

    def _frame(self, network: Network, rule: Rule, whole: bool) -> None:
        """Say where the trunk is cut, as `Update` does for a chain."""
        layers, parameters, mask = network.layers(), network.parameters(), rule.mask
        positions = [i for i, p in enumerate(parameters) if p]
        if len(mask) != len(positions) + 1:
            raise ValueError(
                f"mask is {mask}; expected {len(positions) + 1} numbers: every hidden layer's and the head's"
            )
        self.lowest = min((i for i, share in zip(positions, mask, strict=False) if share), default=len(layers))
        self.start = 0 if whole else min(self.lowest, network.deterministic)
        self.layers, self.parameters = layers[self.start :], parameters[self.start :]
        self.depth, self.rules, self.population = network.depth, (rule,), False
        self.layer_at = {i - self.start: layer for layer, i in enumerate(positions) if mask[layer]}
        step = 0 if network.reads else 1  # from a linear map to its activation
        self.outputs_at = {i + step - self.start: layer for layer, i in enumerate(positions, 1) if i >= self.start}
        self.trains = tuple(map(bool, mask))

    def descent(
        self,
        X: Array,
        labels: Any,
        rng: np.random.Generator | None,
    ) -> tuple[Array, Iterator[tuple[int, Array | float, Parameters]]]:
        """Return the sum of the terms on a batch, 0 where none acts, and the way down, lazily, as in `Update`."""
        seen, backs, ends = self._up(X, labels, rng)
        sent = [term(p, seen) for term, p in self.terms]
        value = sum((each.value for each in sent), array_module(X).zeros((), X.dtype))
        at = _added(each.at for each in sent)
        return value, self._down(backs, ends, sent, at)

    def _up(self, X: Array, labels: Any, rng: np.random.Generator | None) -> tuple[Seen, list[Back], list[Back]]:
        """Return what terms see of a batch, and the ways back of the trunk's layers and of the heads."""
        at: dict[Place, Array] = {}
        ways: dict[int, list[Back]] = {}
        backs: list[Back] = []
        inputs, hidden = X, 0
        for i, layer in enumerate(self.layers):
            X, back = layer(self.parameters[i], X, rng)
            backs.append(back)
            if i in self.outputs_at:
                hidden = self.outputs_at[i]
                at[hidden] = X
            if hidden and not self.parameters[i]:
                ways.setdefault(hidden, []).append(back)
        ends: list[Back] = []
        for k, (head, layer) in enumerate(zip(self.heads, self.ways, strict=True)):
            at[head], back = layer(self.parameters[len(self.layers) + k], X)
            ends.append(back)
        return Seen(labels, inputs, at, self.network, ways, self.trains), backs, ends

    def _down(
        self, backs: list[Back], ends: list[Back], sent: list[Sent], at: dict[Place, Array]
    ) -> Iterator[tuple[int, Array | float, Parameters]]:
        first, lowest = len(self.layers), min(self.layer_at, default=len(self.layers))
        dY: Array | None = None
        for k, (head, back) in enumerate(zip(self.heads, ends, strict=True)):
            trains = first + k in self.layer_at
            dX = gradients = None
            if head in at:
                dX, gradients = back(at[head], inputs=lowest < first, parameters=trains)
            dY = dX if dY is None else dY if dX is None else dY + dX
            if trains:
                yield self._complete(first + k, gradients, head, sent)
        for k, each in enumerate(sent, first + len(self.heads)):
            if k in self.layer_at:
                yield k, 0.0, dict(each.own)
        for i in range(first - 1, lowest - 1, -1):
            here = at.get(self.outputs_at.get(i, 0))
            dY = here if dY is None else dY if here is None else dY + here
            trains, gradients = i in self.layer_at, None
            if dY is not None:
                dY, gradients = backs[i](dY, inputs=i > lowest, parameters=trains)
            if trains:
                yield self._complete(i, gradients, self.layer_at[i] + 1, sent)

    def _complete(
        self, i: int, gradients: Parameters | None, place: Place, sent: list[Sent]
    ) -> tuple[int, Array | float, Parameters]:
        """Add what does not come by the way down: gradients of W alone, and penalties. No gradient at all is zero."""
        p = self.parameters[i]
        if gradients is None:
            gradients = {key: array_module(w).zeros_like(w) for key, w in p.items()}
        for each in sent:
            if place in each.weights:
                A, B = each.weights[place]
                gradients["W"] += A.T @ B
        return i, self._penalise(self.layer_at[i], p, gradients), gradients

    def _share(self, rule: Rule, layer: int) -> float:
        """Return a layer's share of the rate: every head has the mask's last."""
        share = rule.mask[min(layer, self.depth)]
        return share * rule.learned_share if layer >= self.depth + len(self.heads) else share

    def name(self, layer: int) -> str:
        """Return the name of a layer in messages; heads and terms are counted on from the trunk's layers."""
        k = layer - self.depth
        if k < 0:
            return f"hidden layer {layer + 1}"
        return f"head {self.heads[k]!r}" if k < len(self.heads) else self.terms[k - len(self.heads)][0].name

    def _acting(self, rule: Rule, layer: int, key: str) -> list[Acting]:
        """Return the penalties that act on a parameter: on every head alike, and on none of the terms' own."""
        own = layer >= self.depth + len(self.heads)
        return [] if own else super()._acting(rule, min(layer, self.depth), key)


def _added(parts: Iterator[Mapping[Place, Array]]) -> dict[Place, Array]:
    """Return the sum of several maps from places to arrays."""
    total: dict[Place, Array] = {}
    for part in parts:
        for place, array in part.items():
            total[place] = total[place] + array if place in total else array
    return total
