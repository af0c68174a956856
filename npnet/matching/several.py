"""The sum of several terms: one walk up through the trunk to all heads, one way down that they all join.

What terms share is computed once: each says what gradients it has at which place (see terms), and these join the way
down there. How layers are penalised and moved is the step's business, as always.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from npnet.arrays import Array, array_module
from npnet.error import first_not_finite
from npnet.frozen import Read
from npnet.fused import dense, factored
from npnet.layers import Back, Parameters, Path, backward, forward
from npnet.matching.terms import Passed, Place, Term, TermInputs, TermOutput
from npnet.network import Network
from npnet.objective import cut, group_of, groups_of
from npnet.policies import Mask, trains
from npnet.step import Group, NotFiniteError, WayDown

__all__ = ["SumOfTerms"]


class SumOfTerms:
    """The sum of terms on the batches of one task, or of tasks that share their inputs: an objective of the step.

    read: from the frozen links below to the function that reads a batch, X and a `Batch`. learned: the terms' own
    parameters by name, which train at `share` of the heads' share of the rate and under no regularizer. Every head that
    a term reads trains as the mask's last entry says. Terms without a gradient under the mask are left out. Raises
    ValueError for a mask or a term that does not fit the network.
    """

    def __init__(
        self,
        network: Network,
        terms: Sequence[Term],
        mask: Mask,
        read: Callable[[Path], Read],
        learned: Mapping[str, Parameters] | None = None,
        share: float = 1.0,
    ) -> None:
        for term in terms:
            term.check(network)
        self.network, self.trains = network, tuple(map(trains, mask))
        self.terms = [(term, (learned or {}).get(term.name, {})) for term in terms if term.acts(mask)]
        self.read = read(self._lay_trunk(mask))
        self._lay_heads(mask, share)
        self.groups = (*self.at_head.values(), *self.at_term.values(), *self.at_link.values())

    def _lay_trunk(self, mask: Mask) -> Path:
        """Cut the trunk where it first trains, drops out, or is needed: its links above, and the frozen path below."""
        path = self.network.path(training=True)
        groups = groups_of(path, mask)
        start, lowest = cut(path, groups)
        if any(term.needs_inputs for term, _ in self.terms):
            start = 0
        self.lowest, self.at_link = lowest - start, {i - start: group for i, group in groups.items()}
        self.path, self.place = factored(path[start:], self.lowest), partial(first_not_finite, path, start, None)
        layers = [i - start for i, (_, p) in enumerate(path) if p] if self.network.plain else []
        ends = [*layers[1:], len(self.path)]
        self.link_of = {layer: i for layer, i in enumerate(layers, 1) if i >= 0}
        self.above = {layer: range(i + 1, ends[layer - 1]) for layer, i in self.link_of.items()}
        return path[:start]

    def _lay_heads(self, mask: Mask, share: float) -> None:
        """Find the heads that the terms read, and the groups of heads and terms."""
        heads = dict.fromkeys(head for term, _ in self.terms for head in term.heads)
        lowest = -1 if self.at_link else 0  # a head makes no dX where nothing below it trains
        self.heads = {head: factored(self.network.path(head)[-1:], lowest)[0] for head in heads}
        top, depth = mask[-1], self.network.depth
        groups = {head: group_of(f"head {head!r}", p, top, depth, depth) for head, (_, p) in self.heads.items()}
        self.at_head = {head: group for head, group in groups.items() if group.shares}
        own = share * top if isinstance(top, float) else share
        acting = enumerate(self.terms) if trains(top) else ()
        self.at_term = {k: group_of(term.name, p, own, depth + 1, depth) for k, (term, p) in acting if p}

    def descent(self, rows: Array, rng: np.random.Generator | None) -> tuple[Array, WayDown]:
        """Return the sum of the terms on a batch, 0 where none acts, and the way down."""
        X, batch = self.read(rows)
        outputs, backs = forward(self.path, X, rng)
        at: dict[Place, Array] = {layer: outputs[i + 2] for layer, i in self.link_of.items()}  # after the activation
        ends: dict[str, Back] = {}
        for head, (layer, p) in self.heads.items():
            at[head], ends[head] = layer(p, outputs[-1])
        above = {
            layer: [Passed(self.path[i][0], outputs[i], outputs[i + 1], backs[i]) for i in links]
            for layer, links in self.above.items()
        }
        given = TermInputs(batch, at, self.network, above, self.trains)
        made = [term(p, given) for term, p in self.terms]
        value = sum((each.value for each in made), array_module(X).zeros((), X.dtype))
        if not math.isfinite(value.real):
            raise NotFiniteError("objective", self.place(outputs))
        return value, self._way_down(backs, ends, made)

    def _way_down(self, backs: list[Back], ends: dict[str, Back], made: list[TermOutput]) -> WayDown:
        sent, inner = _added(each.at for each in made), _added(each.below for each in made)
        dY: Any = None
        for head, back in ends.items():
            dX, gradients = back(sent[head]) if head in sent else (None, None)
            dY = dX if dY is None else dY if dX is None else dY + dX
            if head in self.at_head:
                yield self._complete(self.at_head[head], gradients, head, made)
        for k, group in self.at_term.items():
            yield group, dict(made[k].own)
        links = self.link_of.items()
        after = {i + 1: sent[layer] for layer, i in links if layer in sent}  # where they join: after an activation,
        before = {i: inner[layer] for layer, i in links if layer in inner}  # or below it
        at = _added([{} if dY is None else {len(backs) - 1: dY}, after, before])
        layer_at = {i: layer for layer, i in links}
        for i, _, gradients in backward(backs, at, self.lowest):
            if i in self.at_link:
                yield self._complete(self.at_link[i], gradients, layer_at.get(i), made)

    def _complete(
        self, group: Group, gradients: Parameters | None, place: Place | None, made: list[TermOutput]
    ) -> tuple[Group, Parameters]:
        """Add the gradients of W that do not come by the way down. No gradient at all is zero."""
        if gradients is None:
            gradients = {key: array_module(w).zeros_like(w) for key, w in group.parameters.items()}
        for each in made:
            if place is not None and place in each.weights:
                gradients["W"] = dense(gradients["W"]) + dense(each.weights[place])  # real + complex is complex
        return group, gradients


def _added(parts: Iterable[Mapping[Any, Array]]) -> dict[Any, Array]:
    """Return the sum of several maps from places to arrays."""
    total: dict[Any, Array] = {}
    for part in parts:
        for place, array in part.items():
            total[place] = total[place] + array if place in total else array
    return total
