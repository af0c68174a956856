"""Lists every function of npnet that has a gradient as a case for `check_gradient`, with kinks, ties and zeros."""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from npnet import activations, layers, smooth
from npnet.active_outputs import active_outputs
from npnet.arrays import Array, generator
from npnet.columns.laterals import WithSideInputs, joined
from npnet.fused import dense
from npnet.losses import Weighted, cross_entropy, squared_error
from npnet.penalties import PENALTIES
from npnet.populations.stack import stacked_form
from npnet.proofs.case import Case, Draw, layer_case
from npnet.proofs.matching_cases import matching_cases
from npnet.proofs.network_cases import network_cases
from npnet.proofs.path_cases import path_cases
from npnet.soft_losses import sigmoid_cross_entropy
from npnet.trees import Tree, map_tree

__all__ = ["Case", "cases", "kinked_cases"]


def cases(seed: int = 0, xp: ModuleType = np) -> Iterator[Case]:
    """Yield every case, drawn under a seed, on arrays of the module xp."""
    draw = Draw(generator(seed, "catalogue"), xp)
    yield from _layers(draw)
    yield from _laterals(draw)
    yield from _losses(draw)
    yield from _penalties(draw)
    yield from network_cases(draw)
    yield from matching_cases(draw)
    yield from path_cases(Draw(generator(seed, "paths"), xp))


def kinked_cases(seed: int = 0, xp: ModuleType = np) -> Iterator[Case]:
    """Yield the functions that have kinks, with a fifth of the arguments at one. The gradient there is a convention."""
    draw = Draw(generator(seed, "kinks"), xp)
    yield layer_case("relu, at kinks", activations.relu, {}, draw(6, 5))
    for name in ("l1", "group_lasso"):
        w, anchor, scale = draw(5, 4), draw(5, 4), draw.positive(5, 4)
        w[..., 0], w[0] = anchor[..., 0], anchor[0]
        yield Case(f"{name}, at kinks", lambda w, q=PENALTIES[name]: q(w), (w,))
        yield Case(f"{name}, anchor, at kinks", lambda w, q=PENALTIES[name], a=anchor: q(w, a), (w,))
        yield Case(
            f"{name}, anchor and scale, at kinks", lambda w, q=PENALTIES[name], a=anchor, s=scale: q(w, a, s), (w,)
        )


def _linear(draw: Draw, *shape: int) -> layers.Parameters:
    return {"W": draw(*shape), "b": draw(*shape[:-2], shape[-1])}


def _stack_of(layer: layers.Layer) -> layers.Layer:
    """Return the form of a layer that populations use, with its gradients as arrays."""
    (form, _), *_ = stacked_form([(layer, {})], lowest=-1)

    def stack(p: Tree, X: Array, rng: Any = None) -> tuple[Array, Callable[[Array], Any]]:
        Y, back = form(p, X, rng)
        return Y, lambda dY: tuple(map_tree(dense, back(dY)))

    return stack


def _layers(draw: Draw) -> Iterator[Case]:
    yield layer_case("linear", layers.linear, _linear(draw, 4, 3), draw(5, 4))
    yield layer_case("linear, patches", layers.Shared(2), _linear(draw, 4, 3), draw(5, 8))
    yield layer_case("linear, population", _stack_of(layers.linear), _linear(draw, 3, 4, 2), draw(3, 5, 4))
    stack, X = _linear(draw, 3, 4, 2), draw(5, 4)
    yield layer_case("linear, population of equal inputs", _stack_of(layers.linear), stack, draw.xp.stack([X] * 3))
    yield layer_case("linear, large", layers.linear, _linear(draw, 60, 40), draw(20, 60))
    for activation in (activations.relu, smooth.tanh, smooth.sigmoid):  # path_cases has the others
        yield layer_case(activation.name, activation, {}, draw(6, 5))
    yield layer_case("dropout", layers.Dropout(0.4), {}, draw(6, 5), drop=1)
    yield layer_case("dropout at rate 0", layers.Dropout(0.0), {}, draw(6, 5))
    rows = draw(5, 4)
    rows[0] = 0.0  # the convention at a row of zeros: zero out, zero back
    yield layer_case("normalise", layers.normalise, {"gamma": draw.positive(4)}, rows)
    yield layer_case("normalise, one gamma", layers.normalise, {"gamma": draw.positive(1)}, rows)
    yield layer_case(
        "normalise, population", _stack_of(layers.normalise), {"gamma": draw.positive(2, 4)}, draw(2, 3, 4)
    )
    body = layers.chain(
        layers.linear, activations.relu, layers.Dropout(0.3), layers.linear, smooth.tanh, layers.normalise
    )
    p = [_linear(draw, 4, 6), {}, {}, _linear(draw, 6, 3), {}, {"gamma": draw.positive(3)}]
    yield layer_case("chain", body, p, draw(5, 4), drop=2)


def _laterals(draw: Draw) -> Iterator[Case]:
    """Yield layers with lateral inputs: every kind, alone and in a network with columns, with rows of zeros."""
    own, gammas = _linear(draw, 3, 2), {"gamma": draw.positive(3), "gamma_lateral": draw.positive(4)}
    adapter = {"V0": draw(1, 3), "V1": draw(3, 3), "a": draw(2), "U": draw(3, 2)}
    X = draw(5, 7)
    X[0, :3], X[1, 3:] = 0.0, 0.0
    kinds: dict[str, Tree] = {
        "linear lateral": own | {"L": draw(4, 2)},
        "normalised blocks": own | {"L": draw(4, 2)} | gammas,
        "adapter": own | adapter,
        "normalised adapter": own | adapter | gammas,
    }
    for name, p in kinds.items():
        yield layer_case(f"joined, {name}", joined, p, X)
        layer = WithSideInputs((smooth.tanh, layers.Dropout(0.3)))

        def f(h: Array, p: Tree, layer: layers.Layer = layer) -> tuple[Array, Callable[[Array], Any]]:
            rest = X[:, 3:]  # constants: the gradient is that of h
            state = draw.xp.concatenate([h, rest, rest], -1)
            Y, back = layer(p, state, generator(3, "dropout"))
            return Y, lambda dY: (back(dY)[0][:, :3], back(dY)[1])

        yield Case(f"with side inputs, {name}", f, (X[:, :3], p))
    yield layer_case("joined, nothing beside", joined, own | {"gamma": draw.positive(3)}, X[:, :3])
    R = 2
    many = _linear(draw, R, 3, 2) | {"V0": draw(R, 1, 3), "V1": draw(R, 3, 3), "a": draw(R, 2), "U": draw(R, 3, 2)}
    yield layer_case("joined, adapter, population", _stack_of(joined), many, draw(R, 5, 7))
    many = _linear(draw, R, 3, 2) | {
        "L": draw(R, 4, 2),
        "gamma": draw.positive(R, 3),
        "gamma_lateral": draw.positive(R, 4),
    }
    yield layer_case("joined, normalised blocks, population", _stack_of(joined), many, draw(R, 5, 7))


def _losses(draw: Draw) -> Iterator[Case]:
    labels, targets = draw.integers(3, 6), draw(6, 3)
    weights, class_weights = draw.positive(6), draw.positive(3)
    Z = draw(6, 3)
    yield Case("cross_entropy", lambda Z: cross_entropy(Z, labels), (Z,))
    yield Case("cross_entropy, far logits", lambda Z: cross_entropy(Z, labels), (300 * Z,))
    yield Case("cross_entropy, example weights", lambda Z: cross_entropy(Z, labels, weights), (Z,))
    yield Case("cross_entropy, class weights", lambda Z: cross_entropy(Z, labels, None, class_weights), (Z,))
    yield Case("cross_entropy, both weights", lambda Z: cross_entropy(Z, labels, weights, class_weights), (Z,))
    yield Case("cross_entropy, population", lambda Z: cross_entropy(Z, labels), (draw(2, 6, 3),))
    yield Case("active_outputs, 3 of 5", lambda Z: active_outputs(Z, labels, 3), (draw(6, 5),))
    yield Case("squared_error", lambda Z: squared_error(Z, targets), (Z,))
    both = draw.xp.stack([targets, Z])
    yield Case("sigmoid_cross_entropy", lambda Z: sigmoid_cross_entropy(Z, (targets > 0) * 1.0), (Z,))
    yield Case("sigmoid_cross_entropy, one logit", lambda Z: sigmoid_cross_entropy(Z, labels % 2), (Z[:, :1],))
    yield Case("cross_entropy, Weighted", lambda Z: cross_entropy(Z, Weighted(labels, weights)), (Z,))
    yield Case("squared_error, Weighted", lambda Z: squared_error(Z, Weighted(targets, weights)), (Z,))
    yield Case("squared_error, population", lambda Z: squared_error(Z, both), (draw.xp.stack([Z, Z]),))


def _penalties(draw: Draw) -> Iterator[Case]:
    for name, penalty in PENALTIES.items():
        for where, shape in (("", (5, 4)), (", population", (2, 5, 4)), (", large", (60, 40))):
            w, anchor, scale = draw(*shape), draw(*shape), draw(*shape) ** 2
            w[..., 0] = anchor[..., 0]  # one whole column stands at its anchor
            yield Case(f"{name}{where}", penalty, (w,))
            yield Case(f"{name}, anchor{where}", lambda w, q=penalty, a=anchor: q(w, a), (w,))
            yield Case(f"{name}, anchor and scale{where}", lambda w, q=penalty, a=anchor, s=scale: q(w, a, s), (w,))
