"""Regularizers: which penalty acts on which weights of a network, how strongly, and around what.

By its gradient a sum of penalties acts as the sum of theirs. A proximal step of a sum is not one step after the other:

    prox of f + S/2 ‖w − c‖²:   w ← (w + t S c) / (1 + t S),   then the prox of f with t / (1 + t S) for t

which is exact for l1 beside any l2, for group lasso beside an l2 of one scale; several l2 are one, with S = Σ α s and
c = Σ α s a / S of their strengths α, scales s and anchors a.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from npnet.arguments import checked
from npnet.arrays import Array, array_module
from npnet.penalties import Penalty, group_lasso, l2

__all__ = ["ActivePenalty", "Regularizer", "check_proximal", "prox_of_sum"]


@checked
@dataclass(frozen=True)
class Regularizer:
    """`strength` times a penalty on the weights of some layers of a network: their matrices.

    where: "trunk", "head" or "all". biases: whether biases are penalised too (the sources leave them out).
    anchors and scales: for each trunk layer from the bottom, a dict of arrays shaped like its parameters, or None for
    zero and one; one dict more is the head's, else zero and one. inherited: how many hidden layers from the bottom came
    along from another network; those above are new, and count to the head. None: all count to the trunk.
    Raises ValueError for a negative strength, scales that are negative or no numbers, and an unknown `where`.
    """

    penalty: Penalty
    strength: float
    where: Literal["all", "trunk", "head"] = "all"
    biases: bool = False
    anchors: Sequence[dict[str, Array]] | None = None
    scales: Sequence[dict[str, Array]] | None = None
    inherited: int | None = None

    def __post_init__(self) -> None:
        if not self.strength >= 0:
            raise ValueError(f"strength is {self.strength}; expected zero or more")
        for layer, scales in enumerate(self.scales or (), 1):
            for name, scale in scales.items():
                if not (scale >= 0).all():
                    least = scale.min()
                    raise ValueError(f"scales of hidden layer {layer}, {name}, begin at {least}; expected from zero")

    def check(self, trunk: Sequence[dict[str, Array]]) -> None:
        """Raise ValueError for anchors or scales that are not there for each layer of a trunk that it acts on."""
        layers = trunk if self.inherited is None else trunk[: self.inherited]
        for name in ("anchors", "scales"):
            given = getattr(self, name)
            keys = [sorted(q) for q in given or ()][: len(layers)]
            if given is not None and keys != [sorted(p) for p in layers]:
                raise ValueError(f"{name} has {keys}; expected {[sorted(p) for p in layers]}, a dict for each layer")

    def applies(self, layer: int, depth: int, name: str, weight: bool) -> bool:
        """Report whether it penalises a parameter of a layer: 0 … depth − 1 in the trunk, depth for the head.

        weight: whether it is a matrix. Of vectors the biases "b" alone can be penalised, not lengths or factors.
        """
        part = "head" if self._new(layer, depth) else "trunk"
        return self.where in ("all", part) and (weight or (self.biases and name == "b"))

    def reference(self, layer: int, depth: int, name: str) -> tuple[Any, Any]:
        """Return anchor and scale of the parameter `name` of a layer."""
        old, a, s = not self._new(layer, depth), self.anchors or (), self.scales or ()
        anchor = a[layer][name] if a and (old or layer == depth == len(a) - 1) else 0.0
        scale = s[layer][name] if s and (old or layer == depth == len(s) - 1) else 1.0
        return anchor, scale

    def _new(self, layer: int, depth: int) -> bool:
        return layer >= (depth if self.inherited is None else min(self.inherited, depth))


class ActivePenalty(NamedTuple):
    """A penalty on one array of weights: its strength, and its anchor and scales there, arrays or numbers."""

    penalty: Penalty
    strength: float
    anchor: Any
    scale: Any


def check_proximal(regularizers: Sequence[Regularizer]) -> None:
    """Raise ValueError where the prox of what acts on one weight has no formula: two kinks, or one beside Fisher's l2.

    One kink beside any number of l2 has one, unless it is the group lasso's and an l2 is scaled weight by weight.
    """
    for part in ("trunk", "head"):
        acting = [each for each in regularizers if each.strength and each.where in ("all", part)]
        kinks = [each.penalty for each in acting if each.penalty is not l2]
        scaled = any(each.penalty is l2 and each.scales is not None for each in acting)
        if len(kinks) > 1 or (kinks == [group_lasso] and scaled):
            names = ", ".join(f"{each.penalty.name}{' with scales' * (each.scales is not None)}" for each in acting)
            raise ValueError(f"regularizers on the {part} are {names}; expected a sum that has a proximal step")


def prox_of_sum(w: Array, rate: float, acting: Sequence[ActivePenalty]) -> Array:
    """Return the proximal step of the sum of penalties on w, as `check_proximal` lets them act together."""
    acting = [each for each in acting if each.strength]
    smooth, kinks = ([each for each in acting if (each.penalty is l2) == is_l2] for is_l2 in (True, False))
    shrink: Any = 1.0
    if smooth:
        anchor, scale = _sum_of_l2(smooth)
        w = l2.prox(w, rate, anchor, scale)
        shrink = 1 + rate * scale
    for each in kinks:
        if isinstance(shrink, float):
            w = each.penalty.prox(w, rate * each.strength / shrink, each.anchor, each.scale)
        else:  # l1, whose scale says how strongly it acts on each weight
            w = each.penalty.prox(w, rate * each.strength, each.anchor, each.scale / shrink)
    return w


def _sum_of_l2(parts: Sequence[ActivePenalty]) -> tuple[Any, Any]:
    """Return anchor c and scale S of Σ α s/2 (w − a)² = S/2 (w − c)² + a constant."""
    if len(parts) == 1:
        return parts[0].anchor, parts[0].strength * parts[0].scale
    total = sum(each.strength * each.scale for each in parts)
    pull = sum(each.strength * each.scale * each.anchor for each in parts)
    if isinstance(total, float):
        return pull / total, total
    return pull / array_module(total).where(total > 0, total, 1), total
