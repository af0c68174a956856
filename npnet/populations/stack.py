"""The stack: networks of the same shapes as one, whose parameters have a leading axis, W (R, D, K).

A path is walked and a step is made as for one network; what differs is here. Linear layers are products of stacks,
elementwise layers take them as they are, every other layer goes row by row. The move goes by row groups: neighbouring
replicates that share their settings move together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from npnet.activations import Elementwise
from npnet.arrays import Array, array_module
from npnet.fused import Product, dense
from npnet.layers import Back, Dropout, Layer, Link, Parameters, Path, linear
from npnet.losses import Loss, Weighted, reads
from npnet.policies import Mask
from npnet.step import Group, Move, Penalise
from npnet.trees import Tree, map_tree

__all__ = [
    "Generators",
    "RowGroup",
    "as_columns",
    "move_rows",
    "penalise_rows",
    "row",
    "stacked",
    "stacked_form",
    "stacked_loss",
]


def stacked(trees: Sequence[Tree]) -> Tree:
    """Return trees of the same form as one, whose arrays have a leading axis (R, ...) with a row for each tree."""
    first = trees[0]
    if isinstance(first, dict):
        return {key: stacked([tree[key] for tree in trees]) for key in first}
    if isinstance(first, list | tuple):
        return [stacked(branches) for branches in zip(*trees, strict=True)]
    return array_module(*trees).stack(trees)


def row(tree: Tree, r: int) -> Tree:
    """Return a copy of one of the trees that `stacked` put together."""
    return map_tree(lambda leaf: leaf[r, ...].copy(), tree)  # of one number an array still, not the number


def stacked_form(path: Path, lowest: int) -> list[Link]:
    """Return a path with layers that take stacks; link `lowest` makes no dX where it is linear."""
    return [(_stacked_form(layer, i > lowest), p) for i, (layer, p) in enumerate(path)]


def stacked_loss(loss: Loss) -> Loss:
    """Return a loss that takes stacks: the library's own do, any other goes row by row."""
    if reads(loss):
        return loss

    def by_row(Z: Array, labels: Any) -> tuple[Array, Array]:
        rows = map(Weighted, *labels) if isinstance(labels, Weighted) else labels
        pairs = [loss(of, row) for of, row in zip(Z, rows, strict=True)]
        xp = array_module(Z)
        return xp.stack([xp.asarray(value) for value, _ in pairs]), xp.stack([dZ for _, dZ in pairs])

    return by_row


def _stacked_form(layer: Layer, inputs: bool) -> Layer:
    if layer is linear:
        return partial(_linear, inputs=inputs)
    return layer if isinstance(layer, Elementwise) or type(layer) is Dropout else partial(_by_row, layer)


def _linear(p: Parameters, X: Array, rng: Any = None, inputs: bool = True) -> tuple[Array, Back]:
    """`linear` for each of R replicates: X (R, N, D), W (R, D, K), b (R, K), Y (R, N, K)."""
    W, b = p["W"], p["b"]

    def back(dY: Array) -> tuple[Any, Any]:
        return (W @ dY.mT).mT if inputs else None, {"W": Product(X.mT, dY), "b": dY.sum(-2)}

    return X @ W + b[:, None, :], back


def _by_row(layer: Layer, p: Parameters, X: Array, rng: Any = None) -> tuple[Array, Back]:
    """Any layer, for one replicate after the other."""
    rngs = rng.each if isinstance(rng, Generators) else [rng] * len(X)
    passed = [layer({key: w[r] for key, w in p.items()}, X[r], rngs[r]) for r in range(len(X))]

    def back(dY: Array) -> tuple[Any, Any]:
        ways = [one(dY[r]) for r, (_, one) in enumerate(passed)]
        dX = None if ways[0][0] is None else stacked([dX for dX, _ in ways])
        return dX, stacked([{key: dense(d) for key, d in dp.items()} for _, dp in ways])

    return stacked([Y for Y, _ in passed]), back


class Generators:
    """A generator for each replicate, which draws that one's row of an array: the numbers it would draw alone."""

    def __init__(self, each: Sequence[np.random.Generator]) -> None:
        self.each = each

    def random(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """Return numbers uniform on [0, 1) of shape (R, ...)."""
        return np.stack([rng.random(shape[1:], dtype=dtype) for rng in self.each])


@dataclass(frozen=True)
class RowGroup:
    """Neighbouring rows of a stack that are penalised and moved alike, under one mask."""

    rows: slice
    mask: Mask
    penalise: Penalise
    move: Move

    def part(self, stack: Group) -> Group:
        """Return these rows of a stack's group, as views."""
        entry = self.mask[stack.layer]
        given = entry if isinstance(entry, Mapping) else dict.fromkeys(stack.shares, entry)
        return replace(
            stack, parameters=self.views(stack.parameters), shares={key: given[key] for key in stack.shares}, lead=1
        )

    def views(self, arrays: Parameters) -> Parameters:
        """Return these rows of some arrays, as views that are moved in place."""
        return {key: as_columns(w)[self.rows] for key, w in arrays.items()}


def as_columns(w: Array) -> Array:
    """Return stacked vectors (R, K) as columns (R, K, 1), since penalties act on the last two axes."""
    return w[..., None] if w.ndim == 2 else w


def penalise_rows(alike: Sequence[RowGroup]) -> Callable[[Group, Parameters], Array]:
    """Return the penalty of a stack: each row group's, one value for each replicate."""

    def penalty(group: Group, gradients: Parameters) -> Array:
        gradients.update({key: dense(d) for key, d in gradients.items()})
        xp = array_module(*group.parameters.values())
        values = [each.penalise(each.part(group), each.views(gradients)) for each in alike]
        return xp.concatenate(
            [xp.zeros(each.rows.stop - each.rows.start) + v for each, v in zip(alike, values, strict=True)]
        )

    return penalty


def move_rows(alike: Sequence[RowGroup], buffers: dict[str, Any]) -> Callable[[Group, Parameters], None]:
    """Return the move of a stack: each row group's, with its rows of the optimizer's buffers."""

    def move(group: Group, gradients: Parameters) -> None:
        for each in alike:
            for place in (f"{group.name}: {key}" for key in group.shares):
                each.move.buffers[place] = each.views(buffers[place])
            each.move(each.part(group), each.views(gradients))

    return move
