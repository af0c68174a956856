"""Lists every function of npnet that has a gradient as a case for `check_gradient`, with kinks, ties and zeros."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from npnet import layers
from npnet.arrays import Array, generator
from npnet.data import Split, Task
from npnet.initialisers import glorot
from npnet.laterals import handing_on, joined
from npnet.losses import cross_entropy, squared_error
from npnet.methods import growing, modular, progressive
from npnet.network import Network
from npnet.penalties import PENALTIES
from npnet.perceptron import mlp
from npnet.proofs.case import Case, Draw
from npnet.proofs.matching_cases import matching_cases
from npnet.regularizers import Regularizer
from npnet.trees import Tree
from npnet.update import Rule, Update

__all__ = ["Case", "cases", "kinked_cases"]


def cases(seed: int = 0, xp: ModuleType = np) -> Iterator[Case]:
    """Yield every case, drawn under a seed, on arrays of the module xp."""
    draw = Draw(generator(seed, "catalogue"), xp)
    yield from _layers(draw)
    yield from _laterals(draw)
    yield from _losses(draw)
    yield from _penalties(draw)
    yield from _networks(draw)
    yield from matching_cases(draw)


def kinked_cases(seed: int = 0, xp: ModuleType = np) -> Iterator[Case]:
    """Yield the functions that have kinks, with a fifth of the arguments at one. The gradient there is a convention."""
    draw = Draw(generator(seed, "kinks"), xp)
    yield layer_case("relu, at kinks", layers.relu, {}, draw(6, 5))
    for name in ("l1", "group_lasso"):
        w, anchor, scale = draw(5, 4), draw(5, 4), draw.positive(5, 4)
        w[..., 0], w[0] = anchor[..., 0], anchor[0]
        yield Case(f"{name}, at kinks", lambda w, q=PENALTIES[name]: q(w), (w,))
        yield Case(f"{name}, anchor, at kinks", lambda w, q=PENALTIES[name], a=anchor: q(w, a), (w,))
        yield Case(
            f"{name}, anchor and scale, at kinks", lambda w, q=PENALTIES[name], a=anchor, s=scale: q(w, a, s), (w,)
        )


def layer_case(name: str, layer: layers.Layer, p: Tree, X: Array, drop: int | None = None) -> Case:
    """Return the case of a layer as a function of X and p. With the seed `drop`, every call has the same dropout."""

    def f(X: Array, p: Tree) -> tuple[Array, Callable[[Array], Any]]:
        return layer(p, X, None if drop is None else generator(drop, "dropout"))

    return Case(name, f, (X, p))


def _linear(draw: Draw, *shape: int) -> layers.Parameters:
    return {"W": draw(*shape), "b": draw(*shape[:-2], shape[-1])}


def _layers(draw: Draw) -> Iterator[Case]:
    yield layer_case("linear", layers.linear, _linear(draw, 4, 3), draw(5, 4))
    yield layer_case("linear, patches", layers.linear, _linear(draw, 4, 3), draw(2, 5, 4))
    yield layer_case("linear, population", layers.linear, _linear(draw, 3, 4, 2), draw(3, 5, 4))
    yield layer_case("linear, population on shared inputs", layers.linear, _linear(draw, 3, 4, 2), draw(5, 4))
    yield layer_case("linear, large", layers.linear, _linear(draw, 60, 40), draw(20, 60))
    for name, activation in layers.ACTIVATIONS.items():
        yield layer_case(name, activation, {}, draw(6, 5))
    yield layer_case("dropout", layers.dropout(0.4), {}, draw(6, 5), drop=1)
    yield layer_case("dropout, inference", layers.dropout(0.4), {}, draw(6, 5))
    rows = draw(5, 4)
    rows[0] = 0.0  # the convention at a row of zeros: zero out, zero back
    yield layer_case("normalise", layers.normalise, {"gamma": draw.positive(4)}, rows)
    yield layer_case("normalise, one gamma", layers.normalise, {"gamma": draw.positive(1)}, rows)
    yield layer_case("normalise, population", layers.normalise, {"gamma": draw.positive(2, 4)}, draw(2, 3, 4))
    body = layers.chain(layers.linear, layers.relu, layers.dropout(0.3), layers.linear, layers.tanh, layers.normalise)
    p = [_linear(draw, 4, 6), {}, {}, _linear(draw, 6, 3), {}, {"gamma": draw.positive(3)}]
    yield layer_case("chain", body, p, draw(5, 4), drop=2)


def _laterals(draw: Draw) -> Iterator[Case]:
    """Yield layers with lateral inputs: every kind, alone and handing on, with rows of zeros."""
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
        layer = handing_on(layers.tanh, layers.dropout(0.3))

        def f(h: Array, p: Tree, layer: layers.Layer = layer) -> tuple[Array, Callable[[Array], Any]]:
            rest = X[:, 3:]  # constants: the gradient is that of h
            state = draw.xp.concatenate([h, rest, rest], -1)
            Y, back = layer(p, state, generator(3, "dropout"))
            return Y, lambda dY: (back(dY)[0][:, :3], back(dY)[1])

        yield Case(f"handing on, {name}", f, (X[:, :3], p))
    yield layer_case("joined, nothing beside", joined, own | {"gamma": draw.positive(3)}, X[:, :3])
    R = 2
    many = _linear(draw, R, 3, 2) | {"V0": draw(R, 1, 3), "V1": draw(R, 3, 3), "a": draw(R, 2), "U": draw(R, 3, 2)}
    yield layer_case("joined, adapter, population", joined, many, draw(R, 5, 7))
    many = _linear(draw, R, 3, 2) | {
        "L": draw(R, 4, 2),
        "gamma": draw.positive(R, 3),
        "gamma_lateral": draw.positive(R, 4),
    }
    yield layer_case("joined, normalised blocks, population", joined, many, draw(R, 5, 7))


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
    yield Case("squared_error", lambda Z: squared_error(Z, targets), (Z,))
    both = draw.xp.stack([targets, Z])
    yield Case("squared_error, population", lambda Z: squared_error(Z, both), (draw.xp.stack([Z, Z]),))


def _penalties(draw: Draw) -> Iterator[Case]:
    for name, penalty in PENALTIES.items():
        for where, shape in (("", (5, 4)), (", population", (2, 5, 4)), (", large", (60, 40))):
            w, anchor, scale = draw(*shape), draw(*shape), draw(*shape) ** 2
            w[..., 0] = anchor[..., 0]  # one whole column stands at its anchor
            yield Case(f"{name}{where}", penalty, (w,))
            yield Case(f"{name}, anchor{where}", lambda w, q=penalty, a=anchor: q(w, a), (w,))
            yield Case(f"{name}, anchor and scale{where}", lambda w, q=penalty, a=anchor, s=scale: q(w, a, s), (w,))


def network_case(
    draw: Draw, name: str, network: Network, mask: Sequence[float], regularizers: tuple[Regularizer, ...] = ()
) -> Case:
    """Return the case of a whole training objective as a function of the parameters that train under its mask."""
    head = next(iter(network.heads))
    X, labels = draw(7, network.inputs), draw.integers(network.heads[head]["b"].size, 7)
    parts = [*network.trunk, network.heads[head]]
    moving = [i for i, share in enumerate(mask) if share]

    def f(*parameters: Tree) -> tuple[Array, Any]:
        now = list(parts)
        for i, p in zip(moving, parameters, strict=True):
            now[i] = p
        changed = replace(network, trunk=now[:-1], heads={head: now[-1]})
        update = Update(changed, head, cross_entropy, Rule(tuple(mask), 1.0, regularizers=regularizers))
        below = layers.chain(*changed.layers()[: update.start])(changed.parameters()[: update.start], X)[0]
        value, gradients = update.objective(below, labels, generator(0, name))
        wanted = [g for g in gradients if g]
        return value, wanted if len(wanted) > 1 else wanted[0]

    return Case(name, f, tuple(parts[i] for i in moving))


def _columns(draw: Draw) -> Iterator[Case]:
    """Yield networks with columns, of which only their own layers train, and grown networks."""
    task = Task("new", 3, *(Split(draw(9, 6), draw.integers(3, 9)) for _ in range(3)))
    old = _network(draw, dropout=(0.2, 0.5))
    for method in (progressive(), progressive("adapter"), modular(None), growing(wider=3, trained=0), growing(3, 4)):
        network = method.surgery(old, task, generator(1, "columns"), glorot)
        network = replace(network, heads={"new": network.heads["new"]})
        yield network_case(draw, f"network, {method.name}", network, (1,) * (network.depth + 1))


def _networks(draw: Draw) -> Iterator[Case]:
    yield from _columns(draw)
    for activation in layers.ACTIVATIONS:
        yield network_case(draw, f"network, {activation}", _network(draw, activation), (1, 1, 1))
    yield network_case(draw, "network, dropout", _network(draw, dropout=(0.2, 0.5)), (1, 1, 1))
    yield network_case(draw, "network, head only", _network(draw, dropout=(0.2, 0.5)), (0, 0, 1))
    yield network_case(draw, "network, middle layer frozen", _network(draw), (1, 0, 0.5))
    start = _network(draw)
    away = replace(start, trunk=[{key: w + draw(*w.shape) for key, w in p.items()} for p in start.trunk])
    scales = [{key: draw(*w.shape) ** 2 for key, w in p.items()} for p in start.trunk]
    for name, penalty in PENALTIES.items():
        yield network_case(draw, f"network, {name}", start, (1, 1, 1), (Regularizer(penalty, 0.1),))
        old = Regularizer(penalty, 0.1, "trunk", biases=True, anchors=start.trunk, scales=scales)
        new = Regularizer(PENALTIES["l2"], 0.2, "head")
        yield network_case(draw, f"network, {name} from a starting point", away, (1, 1, 1), (old, new))


def _network(draw: Draw, activation: str = "relu", dropout: tuple[float, ...] = ()) -> Network:
    network = mlp((6, 5, 4), {"a": 3}, draw.rng, activation=activation, dropout=dropout, dtype=np.float64).to(draw.xp)
    return replace(network, trunk=[{**p, "b": p["b"] + 0.1} for p in network.trunk])
