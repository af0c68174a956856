"""Lists whole networks as cases: the loss at a head with penalties and masks, plain networks and those with columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from npnet.arrays import Array, generator
from npnet.columns import growing, modular, progressive
from npnet.data import Split, Task
from npnet.initialisers import glorot
from npnet.layers import Parameters
from npnet.losses import cross_entropy
from npnet.network import Network
from npnet.objective import loss_at_head
from npnet.penalties import PENALTIES
from npnet.perceptron import mlp
from npnet.policies import Entry
from npnet.proofs.case import Case, Draw
from npnet.proofs.objectives import moving, reading, value_and_gradients
from npnet.regularizers import Regularizer

__all__ = ["draw_network", "grown_networks", "network_case", "network_cases"]


def network_cases(draw: Draw) -> Iterator[Case]:
    """Yield every case, on arrays that `draw` makes."""
    for name, network in grown_networks(draw):
        yield network_case(draw, f"network, {name}", network, (1,) * (network.depth + 1))
    for activation in ("relu", "tanh", "sigmoid"):  # path_cases has the others
        yield network_case(draw, f"network, {activation}", draw_network(draw, activation), (1, 1, 1))
    yield network_case(draw, "network, dropout", draw_network(draw, dropout=(0.2, 0.5)), (1, 1, 1))
    inputs = replace(draw_network(draw), input_dropout=0.3)
    yield network_case(draw, "network, dropout on the inputs", inputs, (1, 1, 1))
    yield network_case(draw, "network, dropout on the inputs below a frozen layer", inputs, (0, 1, 1))
    yield network_case(draw, "network, head only", draw_network(draw, dropout=(0.2, 0.5)), (0, 0, 1))
    yield network_case(draw, "network, no hidden layer", draw_network(draw, widths=(6,)), (1,))
    yield network_case(draw, "network, an activation a layer", draw_network(draw, ("tanh", "leaky_relu")), (1, 1, 1))
    yield network_case(draw, "network, middle layer frozen", draw_network(draw), (1, 0, 0.5))
    start = draw_network(draw)
    away = replace(start, trunk=[{key: w + draw(*w.shape) for key, w in p.items()} for p in start.trunk])
    scales = [{key: draw(*w.shape) ** 2 for key, w in p.items()} for p in start.trunk]
    for name, penalty in PENALTIES.items():
        yield network_case(draw, f"network, {name}", start, (1, 1, 1), (Regularizer(penalty, 0.1),))
        old = Regularizer(penalty, 0.1, "trunk", biases=True, anchors=start.trunk, scales=scales)
        new = Regularizer(PENALTIES["l2"], 0.2, "head")
        yield network_case(draw, f"network, {name} from a starting point", away, (1, 1, 1), (old, new))


def network_case(
    draw: Draw, name: str, network: Network, mask: Sequence[Entry], regularizers: tuple[Regularizer, ...] = ()
) -> Case:
    """Return the case of a whole training objective as a function of the parameters that train under its mask."""
    head = next(iter(network.heads))
    X, labels = draw(7, network.inputs), draw.integers(network.heads[head]["b"].size, 7)
    shares = tuple(share if isinstance(share, Mapping) else float(share) for share in mask)
    names = [*(f"hidden layer {i}" for i in range(1, network.depth + 1)), f"head {head!r}"]
    parts = dict(zip(names, [*network.trunk, network.heads[head]], strict=True))

    def objective(now: Mapping[str, Parameters]) -> Any:
        """Return the objective with some arrays replaced, by the names of their groups."""
        *trunk, top = [p | now.get(name, {}) for name, p in parts.items()]
        changed = replace(network, trunk=trunk, heads={head: top})
        return loss_at_head(changed, head, cross_entropy, shares, reading(X, lambda rows: labels[rows]))

    trained = {group.name: moving(group, group.parameters) for group in objective({}).groups}
    places = [name for name in names if name in trained]

    def f(*parameters: Parameters) -> tuple[Array, Any]:
        step = objective(dict(zip(places, parameters, strict=True)))
        value, found = value_and_gradients(step, draw.xp.arange(7), generator(0, name), regularizers)
        gradients = [found[place] for place in places]
        return value, gradients if len(gradients) > 1 else gradients[0]

    return Case(name, f, tuple(trained[place] for place in places))


def grown_networks(draw: Draw) -> Iterator[tuple[str, Network]]:
    """Yield networks with columns, of which only their own layers train, and grown ones, by the names of methods."""
    task = Task("new", 3, *(Split(draw(9, 6), draw.integers(3, 9)) for _ in range(3)))
    old = draw_network(draw, dropout=(0.2, 0.5))
    for method in (progressive(), progressive("adapter"), modular(None), growing(wider=3, trained=0), growing(3, 4)):
        network = method.surgery(old, task, generator(1, "columns"), glorot)
        yield method.name, replace(network, heads={"new": network.heads["new"]})


def draw_network(
    draw: Draw, activation: Any = "relu", dropout: tuple[float, ...] = (), widths: Sequence[int] = (6, 5, 4)
) -> Network:
    """Draw a network with a head."""
    network = mlp(widths, {"a": 3}, draw.rng, activation=activation, dropout=dropout, dtype=np.float64).to(draw.xp)
    return replace(network, trunk=[{**p, "b": p["b"] + 0.1} for p in network.trunk])
