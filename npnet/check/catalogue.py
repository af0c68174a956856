"""Every function of the library that has a gradient, as cases for `check_gradient`, at kinks, ties and zeros too."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from npnet import layers
from npnet.arrays import Array, generator
from npnet.losses import cross_entropy, squared_error
from npnet.network import Network, cast, mlp
from npnet.optimizers import SGD
from npnet.penalties import PENALTIES, Regularizer
from npnet.trees import Tree
from npnet.update import Update

__all__ = ["Case", "cases"]


@dataclass(frozen=True)
class Case:
    """A name, a function that returns value and gradient (or value and the way back), and arguments to check it at."""

    name: str
    f: Callable[..., tuple[Any, Any]]
    arguments: tuple[Tree, ...]


def cases(seed: int = 0) -> Iterator[Case]:
    """Yield every case, drawn under a seed."""
    rng = generator(seed, "catalogue")
    yield from _layers(rng)
    yield from _losses(rng)
    yield from _penalties(rng)
    yield from _networks(rng)


def with_kinks(rng: np.random.Generator, *shape: int) -> Array:
    """Draw normal numbers, a fifth of them zero and a fifth equal to one another."""
    X = rng.standard_normal(shape)
    kind = rng.random(shape)
    return np.where(kind < 0.2, 0.0, np.where(kind < 0.4, 0.5, X))


def layer_case(name: str, layer: layers.Layer, p: Tree, X: Array, drop: int | None = None) -> Case:
    """Return the case of a layer as a function of X and p; with `drop`, under the same dropout at every call."""

    def f(X: Array, p: Tree) -> tuple[Array, Callable[[Array], Any]]:
        return layer(p, X, None if drop is None else generator(drop, "dropout"))

    return Case(name, f, (X, p))


def _linear(rng: np.random.Generator, *shape: int) -> layers.Parameters:
    return {"W": with_kinks(rng, *shape), "b": with_kinks(rng, *shape[:-2], shape[-1])}


def _layers(rng: np.random.Generator) -> Iterator[Case]:
    yield layer_case("linear", layers.linear, _linear(rng, 4, 3), with_kinks(rng, 5, 4))
    yield layer_case("linear, patches", layers.linear, _linear(rng, 4, 3), with_kinks(rng, 2, 5, 4))
    yield layer_case("linear, population", layers.linear, _linear(rng, 3, 4, 2), with_kinks(rng, 3, 5, 4))
    yield layer_case("linear, population on shared inputs", layers.linear, _linear(rng, 3, 4, 2), with_kinks(rng, 5, 4))
    yield layer_case("linear, large", layers.linear, _linear(rng, 60, 40), with_kinks(rng, 20, 60))
    for name, activation in layers.ACTIVATIONS.items():
        yield layer_case(name, activation, {}, with_kinks(rng, 6, 5))
    yield layer_case("dropout", layers.dropout(0.4), {}, with_kinks(rng, 6, 5), drop=1)
    yield layer_case("dropout, inference", layers.dropout(0.4), {}, with_kinks(rng, 6, 5))
    rows = with_kinks(rng, 5, 4)
    rows[0] = 0.0  # the convention at a row of zeros: zero out, zero back
    yield layer_case("normalise", layers.normalise, {"gamma": rng.standard_normal(4)}, rows)
    yield layer_case("normalise, one gamma", layers.normalise, {"gamma": rng.standard_normal(1)}, rows)
    yield layer_case(
        "normalise, population", layers.normalise, {"gamma": rng.standard_normal((2, 4))}, rng.random((2, 3, 4))
    )
    body = layers.chain(layers.linear, layers.relu, layers.dropout(0.3), layers.linear, layers.tanh, layers.normalise)
    p = [_linear(rng, 4, 6), {}, {}, _linear(rng, 6, 3), {}, {"gamma": rng.standard_normal(3)}]
    yield layer_case("chain", body, p, with_kinks(rng, 5, 4), drop=2)


def _losses(rng: np.random.Generator) -> Iterator[Case]:
    labels, targets = rng.integers(0, 3, 6), with_kinks(rng, 6, 3)
    weights, class_weights = rng.random(6) * (rng.random(6) < 0.7) + 0.1, rng.random(3) + 0.1
    Z = with_kinks(rng, 6, 3)
    yield Case("cross_entropy", lambda Z: cross_entropy(Z, labels), (Z,))
    yield Case("cross_entropy, far logits", lambda Z: cross_entropy(Z, labels), (300 * Z,))
    yield Case("cross_entropy, example weights", lambda Z: cross_entropy(Z, labels, weights), (Z,))
    yield Case("cross_entropy, class weights", lambda Z: cross_entropy(Z, labels, None, class_weights), (Z,))
    yield Case("cross_entropy, both weights", lambda Z: cross_entropy(Z, labels, weights, class_weights), (Z,))
    yield Case("cross_entropy, population", lambda Z: cross_entropy(Z, labels), (with_kinks(rng, 2, 6, 3),))
    yield Case("squared_error", lambda Z: squared_error(Z, targets), (Z,))
    both = np.stack([targets, Z])
    yield Case("squared_error, population", lambda Z: squared_error(Z, both), (np.stack([Z, Z]),))


def _penalties(rng: np.random.Generator) -> Iterator[Case]:
    for name, penalty in PENALTIES.items():
        for where, shape in (("", (5, 4)), (", population", (2, 5, 4)), (", large", (60, 40))):
            w, anchor, scale = with_kinks(rng, *shape), with_kinks(rng, *shape), with_kinks(rng, *shape) ** 2
            w[..., 0] = anchor[..., 0]  # one whole column stands at its anchor
            yield Case(f"{name}{where}", penalty, (w,))
            yield Case(f"{name}, anchor{where}", lambda w, q=penalty, a=anchor: q(w, a), (w,))
            yield Case(f"{name}, anchor and scale{where}", lambda w, q=penalty, a=anchor, s=scale: q(w, a, s), (w,))


def network_case(
    name: str, network: Network, mask: Sequence[float], regularizers: tuple[Regularizer, ...], seed: int
) -> Case:
    """Return the case of a whole training objective as a function of the parameters that its mask lets move."""
    rng = generator(seed, "network")
    head = next(iter(network.heads))
    X, labels = with_kinks(rng, 7, network.trunk[0]["W"].shape[0]), rng.integers(0, network.heads[head]["b"].size, 7)
    parts = [*network.trunk, network.heads[head]]
    moving = [i for i, share in enumerate(mask) if share]

    def f(*parameters: Tree) -> tuple[Array, Any]:
        now = list(parts)
        for i, p in zip(moving, parameters, strict=True):
            now[i] = p
        changed = replace(network, trunk=now[:-1], heads={head: now[-1]})
        update = Update(changed, head, tuple(mask), cross_entropy, regularizers, SGD())
        below = layers.chain(*changed.layers()[: update.start])(changed.parameters()[: update.start], X)[0]
        value, gradients = update.objective(below, labels, generator(seed, "dropout"))
        wanted = [g for g in gradients if g]
        return value, wanted if len(wanted) > 1 else wanted[0]

    return Case(name, f, tuple(parts[i] for i in moving))


def _networks(rng: np.random.Generator) -> Iterator[Case]:
    for activation in layers.ACTIVATIONS:
        yield network_case(f"network, {activation}", _network(rng, activation), (1, 1, 1), (), 1)
    yield network_case("network, dropout", _network(rng, dropout=(0.2, 0.5)), (1, 1, 1), (), 2)
    yield network_case("network, head only", _network(rng, dropout=(0.2, 0.5)), (0, 0, 1), (), 3)
    yield network_case("network, middle layer frozen", _network(rng), (1, 0, 0.5), (), 4)
    start = _network(rng)
    away = replace(start, trunk=[{key: w + with_kinks(rng, *w.shape) for key, w in p.items()} for p in start.trunk])
    scales = [{key: with_kinks(rng, *w.shape) ** 2 for key, w in p.items()} for p in start.trunk]
    for name, penalty in PENALTIES.items():
        yield network_case(f"network, {name}", start, (1, 1, 1), (Regularizer(penalty, 0.1),), 5)
        old = Regularizer(penalty, 0.1, "trunk", biases=True, anchors=start.trunk, scales=scales)
        new = Regularizer(PENALTIES["l2"], 0.2, "head")
        yield network_case(f"network, {name} from a starting point", away, (1, 1, 1), (old, new), 6)


def _network(rng: np.random.Generator, activation: str = "relu", dropout: tuple[float, ...] = ()) -> Network:
    network = mlp((6, 5, 4), {"a": 3}, rng, activation=activation, dropout=dropout, dtype=np.float64)
    return replace(network, trunk=[cast({**p, "b": p["b"] + 0.1}, np.float64) for p in network.trunk])
