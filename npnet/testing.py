"""Hypothesis strategies for tests of gradients: arrays with entries at kinks, batches, labels and whole networks.

This is the one module of npnet that imports hypothesis (the extra `testing`). This tests a layer of your own:

    @given(batches(), seeds())
    def test_my_layer(X, seed):
        p = parameters(seed, W=(X.shape[-1], 3), b=(3,))
        assert_gradient(lambda X, p: my_layer(p, X), X, p)

A test that calls compiled loops, as `npnet.l2.add`, wants `@settings(deadline=None)`: the first call compiles.

What is drawn is small, so that failing examples are small. It has many zeros, ties and repeated numbers, because
gradients are often wrong there.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from npnet.activations import ACTIVATIONS
from npnet.arrays import Array, generator
from npnet.check import Report, check_gradient, check_kinks
from npnet.network import Network
from npnet.perceptron import mlp
from npnet.trees import Tree

__all__ = [
    "assert_gradient",
    "assert_kinks",
    "at_kinks",
    "batches",
    "labelled",
    "labels",
    "networks",
    "numbers",
    "parameters",
    "seeds",
]


def seeds() -> SearchStrategy[int]:
    """Draw seeds for `npnet.generator`."""
    return st.integers(0, 2**32 - 1)


def numbers(largest: float = 10.0) -> SearchStrategy[float]:
    """Draw numbers up to this magnitude, with many zeros of both signs and many ties."""
    rounded = st.floats(-largest, largest).map(lambda x: round(x, 3))
    return st.one_of(st.sampled_from([0.0, -0.0, 0.5, 0.5, -1.0]), rounded)


@st.composite
def at_kinks(draw: Callable[..., Any], shape: tuple[int, ...], kinks: tuple[float, ...] = (0.0,)) -> Array:
    """Draw an array of a shape with at least one entry at a kink, and none within 0.1 of one without being at it.

    So the steps that find one-sided slopes cross no other kink. Raises ValueError for an empty shape or no kinks.
    """
    if 0 in shape or not kinks:
        raise ValueError(f"shape is {shape}, kinks {kinks}; expected at least one entry and one kink")
    rng = generator(draw(seeds()), "at_kinks")
    X = rng.standard_normal(shape)
    places = np.asarray(kinks)[rng.integers(0, len(kinks), shape)]
    near = (abs(X[..., None] - np.asarray(kinks)) < 0.1).any(-1)
    X = np.where(near | (rng.random(shape) < 0.3), places, X)
    index = tuple(int(rng.integers(n)) for n in shape)
    X[index] = kinks[0]
    return X


@st.composite
def batches(draw: Callable[..., Any], width: int | None = None, most: int = 5) -> Array:
    """Draw inputs X (N, D): N from 1 to `most`, D the width or from 1 to `most`, with zeros and ties."""
    N, D = draw(st.integers(1, most)), width or draw(st.integers(1, most))
    pool = np.array(draw(st.lists(numbers(), min_size=1, max_size=8)))
    return generator(draw(seeds()), "batches").choice(pool, (N, D))


def labels(examples: int, classes: int) -> SearchStrategy[Array]:
    """Draw class numbers (N,) from 0 to classes − 1."""
    drawn = st.lists(st.integers(0, classes - 1), min_size=examples, max_size=examples)
    return drawn.map(lambda some: np.array(some, dtype=np.int64))


def parameters(seed: int, **shapes: tuple[int, ...]) -> dict[str, Array]:
    """Return parameters of these shapes by name, drawn from a seed: normal numbers, of which a tenth are zero."""
    drawn = {}
    for name, shape in shapes.items():
        rng = generator(seed, "parameters", name)
        drawn[name] = np.where(rng.random(shape) < 0.1, 0.0, rng.standard_normal(shape))
    return drawn


@st.composite
def networks(draw: Callable[..., Any], head: str = "a", widest: int = 5, deepest: int = 3) -> Network:
    """Draw networks in float64: up to `deepest` hidden layers, any activation, with dropout or without, one head."""
    widths = draw(st.lists(st.integers(1, widest), min_size=2, max_size=deepest + 1))
    dropout = draw(st.sampled_from([(), (0.0,) * (len(widths) - 1), (0.3,) * (len(widths) - 1)]))
    activation, classes = draw(st.sampled_from([*ACTIVATIONS])), draw(st.integers(2, 4))
    rng = generator(draw(seeds()), "networks")
    network = mlp(widths, {head: classes}, rng, activation=activation, dropout=dropout, dtype=np.float64)
    for p in [*network.trunk, network.heads[head]]:
        p["b"] = rng.standard_normal(p["b"].shape)  # biases of zero would hide faults in the gradient of the bias
    return network


@st.composite
def labelled(draw: Callable[..., Any], network: Network, head: str = "a", most: int = 5) -> tuple[Array, Array]:
    """Draw a batch (X, labels) that fits a network."""
    X = draw(batches(network.inputs, most))
    return X, draw(labels(len(X), network.head(head)["b"].shape[-1]))


def assert_gradient(f: Callable[..., tuple[Any, Any]], *arrays: Tree, **options: Any) -> Report:
    """Raise AssertionError with the whole report where `check_gradient(f, *arrays, **options)` finds an error."""
    return _asserted(check_gradient(f, *arrays, **options))


def assert_kinks(f: Callable[..., tuple[Any, Any]], *arrays: Tree, **options: Any) -> Report:
    """Raise AssertionError with the whole report where `check_kinks(f, *arrays, **options)` finds an error."""
    return _asserted(check_kinks(f, *arrays, **options))


def _asserted(report: Report) -> Report:
    if not report:
        raise AssertionError(str(report))
    return report
