"""Lists what networks are walked by as cases: paths and their links, and every activation with its curvature.

One activation here is not the library's: it stands for those that a reader may write.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from npnet.activations import ACTIVATIONS, Activation, Elementwise
from npnet.arrays import Array, array_module, generator
from npnet.layers import Path, chain
from npnet.network import Network
from npnet.proofs.case import Case, Draw, layer_case
from npnet.proofs.matching_cases import gradient_cases
from npnet.proofs.network_cases import draw_network, grown_networks, network_case
from npnet.trees import Tree

__all__ = ["arctan", "path_cases"]


arctan = Activation(
    "arctan",
    lambda X: array_module(X).arctan(X),
    lambda X, Y: 1 / (1 + X * X),
    lambda X, Y: -2 * X / ((1 + X * X) * (1 + X * X)),
)
"""Y = arctan X: one that is not the library's own."""


def path_cases(draw: Draw) -> Iterator[Case]:
    """Yield every case, on arrays that `draw` makes."""
    others = [each for name, each in ACTIVATIONS.items() if name not in ("relu", "tanh", "sigmoid")]
    for activation in (*others, arctan):  # catalogue and network_cases have those
        yield layer_case(activation.name, activation, {}, draw(6, 5))
        network = draw_network(draw, activation)
        yield network_case(draw, f"network, {activation.name}", network, (1, 1, 1))
        for depth in (1, 2, 3):
            yield from gradient_cases(draw, activation, depth, draw(5, 4), draw.integers(3, 5))
    yield from gradient_cases(draw, ("relu", "gelu"), 2, draw(5, 4), draw.integers(3, 5))
    for activation in (*ACTIVATIONS.values(), arctan):
        if not isinstance(activation.curvature, int):
            yield _curvature_case(draw, activation)
    yield network_case(draw, "network, biases alone", draw_network(draw, "tanh"), ({"b": 1.0}, {"b": 1.0}, 1))
    yield network_case(draw, "network, nothing but the lowest biases", draw_network(draw), ({"b": 1.0}, 0, 0))
    yield from _paths(draw)
    yield from _columns(draw)


def _curvature_case(draw: Draw, activation: Elementwise) -> Case:
    """Return the slope of an activation as a function of what it reads: its way back is the curvature."""

    def f(X: Array) -> tuple[Array, Callable[[Array], Array]]:
        Y, curvature = activation.value(X), activation.curvature
        if not callable(curvature):
            raise ValueError(f"curvature of {activation.name} is {curvature!r}; expected a function")
        bend = curvature(X, Y)
        return activation.slope(X, Y), lambda dY: dY * bend

    return Case(f"slope of {activation.name}", f, (draw(6, 5),))


def path_case(name: str, path: Path, X: Array) -> Case:
    """Return the case of a path as a function of its inputs and all its parameters, with the same dropout each time."""
    return layer_case(name, chain(*(layer for layer, _ in path)), [p for _, p in path], X, drop=4)


def _paths(draw: Draw) -> Iterator[Case]:
    network = draw_network(draw, "tanh", dropout=(0.2, 0.5))
    X = draw(5, 6)
    yield path_case("path", network.path("a"), X)
    yield path_case("path, training", network.path("a", training=True), X)
    yield path_case("path to the last hidden layer", network.path(training=True), X)


def _columns(draw: Draw) -> Iterator[Case]:
    """Yield the links of networks with columns, as functions of what their own network hands up."""
    networks: list[tuple[str, Network]] = [
        (name, replace(network, activation=activation))
        for activation in ("tanh", arctan)
        for name, network in grown_networks(draw)
        if not network.plain
    ]
    for name, network in networks:
        (columns, _), *path = network.path("new", training=True)
        state, _ = columns({}, draw(5, 6))
        own = network.trunk[0]["W"].shape[0]

        def f(h: Array, p: Tree, path: Path = path, state: Array = state, own: int = own) -> tuple[Array, Any]:
            whole = chain(*(layer for layer, _ in path))
            sides = state[:, own:] + 0 * h[:, :1]  # constants, as complex as h
            Y, back = whole(p, draw.xp.concatenate([h, sides], -1), generator(4, "dropout"))

            def back_own(dY: Array) -> tuple[Array, Any]:
                dX, dp = back(dY)
                return dX[:, :own], dp

            return Y, back_own

        kind = network.activation.name
        yield Case(f"column path, {name}, {kind}", f, (state[:, :own], [p for _, p in path]))
