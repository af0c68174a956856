"""Terms: what an objective is a sum of. A term sees one batch on its way up and returns its value and its gradients.

    term(p, given) -> TermOutput(value, at, own, weights, below)

`given` holds what the network makes of the batch: each hidden layer's outputs and the logits of every head that a term
reads, computed once for all terms. `at` are the gradients with respect to some of these places, which join the way
down; `own` is the gradient of the term's own parameters p ({} where it has none). `weights` and `below` are gradients
that do not come down that way, those of a gradient's own gradient (see jacobians): of weight matrices, and with respect
to what the activation of a hidden layer reads.

A place is the number of a hidden layer, from 1, meaning its outputs after the activation and before dropout, or the
name of a head, meaning its logits. What a term matches was cached before training (see targets).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from npnet.arrays import Array
from npnet.fused import Product
from npnet.layers import Back, Layer, Parameters
from npnet.network import Network
from npnet.policies import Mask

__all__ = ["Batch", "Passed", "Place", "Term", "TermInputs", "TermOutput", "check_place", "width_of"]

Place = int | str


class Batch(NamedTuple):
    """Which training examples a batch is made of, and their labels for each task that has any: {head: labels}."""

    rows: Array
    labels: Mapping[str, Array]


class Passed(NamedTuple):
    """A link without parameters that a batch went through: its layer, inputs, outputs and way back."""

    layer: Layer
    X: Array
    Y: Array
    back: Back


@dataclass(frozen=True)
class TermInputs:
    """What terms read of a batch: its examples, and what the network makes of them at each place.

    above: for each hidden layer its activation and, where there is one, its dropout. trains: whether each hidden layer
    trains, and then the heads.
    """

    batch: Batch
    at: Mapping[Place, Array]
    network: Network
    above: Mapping[int, Sequence[Passed]] = field(default_factory=dict)
    trains: tuple[bool, ...] = ()


class TermOutput(NamedTuple):
    """A term's value and gradients: at places, of its own parameters, of weight matrices, and below activations."""

    value: Array
    at: Mapping[Place, Array] = {}
    own: Mapping[str, Array] = {}
    weights: Mapping[Place, Product] = {}
    below: Mapping[int, Array] = {}


class Term(Protocol):
    """What training asks of a term."""

    @property
    def name(self) -> str:
        """The name under which its own parameters are kept."""

    @property
    def task(self) -> str:
        """The head of the task whose batches it sees."""

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads whose logits it reads."""

    @property
    def needs_inputs(self) -> bool:
        """Whether it needs the pass from the very inputs, through frozen layers too."""

    def check(self, network: Network, examples: int | None = None) -> None:
        """Raise ValueError where a network does not have what it reads, or not so many examples are matched."""

    def acts(self, mask: Mask) -> bool:
        """Say whether it has any gradient under a mask: if not, it is left out, its value too."""

    def start(self, network: Network, rng: np.random.Generator) -> Parameters:
        """Return its own parameters before training."""

    def __call__(self, p: Parameters, given: TermInputs) -> TermOutput:
        """Return its value and gradients on a batch."""


def check_place(network: Network, place: Place) -> None:
    """Raise ValueError where a network has no such place, or one that a term cannot reach."""
    if isinstance(place, str):
        if place not in network.heads:
            own = ", ".join(map(repr, network.heads)) or "(no heads yet)"
            raise ValueError(f"place is {place!r}; expected a head of the network's own, {own}, or a hidden layer")
    elif not network.plain:
        raise ValueError(f"place is hidden layer {place} of a network with columns; expected one without")
    elif not 1 <= place <= network.depth:
        raise ValueError(f"place is {place}; expected a hidden layer from 1 to {network.depth}, or a head's name")


def width_of(network: Network, place: Place) -> int:
    """Return how many values a network has at a place."""
    if isinstance(place, str):
        return int(network.head(place)["b"].shape[-1])
    return network.units[place - 1]
