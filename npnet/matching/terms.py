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

from npnet.arrays import Array, array_module, cast, to_device
from npnet.fused import Product
from npnet.initialisers import glorot
from npnet.layers import Back, Layer, Parameters, linear
from npnet.losses import Loss, squared_error
from npnet.matching.targets import Targets, check_targets
from npnet.network import Network
from npnet.policies import Mask, trains

__all__ = ["Batch", "LwFLoss", "Match", "Passed", "Place", "SupervisedLoss", "Term", "TermInputs", "TermOutput"]

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


@dataclass(frozen=True)
class SupervisedLoss:
    """The loss at a task's head on its labels: weight · L, or with a learned s = log σ²: weight · (e^{−s} L + s/2).

    With the halved squared error of a regression, and the cross-entropy of a classification, the latter is uncertainty
    weighting: σ² is what the task's noise seems to be. It may be negative. s begins at 0, that is at L itself.
    Source: Kendall, Gal and Cipolla 2018, section 3.2.
    """

    task: str
    loss: Loss
    weight: float = 1.0
    uncertain: bool = False
    needs_inputs: bool = field(default=False, init=False)

    @property
    def name(self) -> str:
        """The name under which s is kept."""
        return f"uncertainty of {self.task!r}"

    @property
    def heads(self) -> tuple[str, ...]:
        """Its own head."""
        return (self.task,)

    def check(self, network: Network, examples: int | None = None) -> None:
        """Raise ValueError where there is no such head."""
        check_place(network, self.task)

    def acts(self, mask: Mask) -> bool:
        """Say whether anything trains."""
        return any(map(trains, mask))

    def start(self, network: Network, rng: np.random.Generator) -> Parameters:
        """Return s = 0, or nothing."""
        like = _like(network)
        return {"s": array_module(like).zeros(1, like.dtype)} if self.uncertain else {}

    def __call__(self, p: Parameters, given: TermInputs) -> TermOutput:
        """Return the loss, weighted, and its gradients."""
        value, dZ = self.loss(given.at[self.task], given.batch.labels[self.task])
        if not self.uncertain:
            return TermOutput(*_times(self.weight, value, {self.task: dZ}))
        s = p["s"]
        share = array_module(s).exp(-s)  # e^{−s} = 1/σ², (1,)
        total, at = _times(self.weight, (share * value + s / 2).sum(), {self.task: share * dZ})
        return TermOutput(total, at, {"s": self.weight * (0.5 - share * value)})


@dataclass(frozen=True)
class Match:
    """weight · loss(Y, targets): what the network has at a place, beside what another one had there.

    targets: a row for each training example of the task. width: None, or that of the targets where a linear regressor,
    which trains along, is to bring Y to it: loss(Y W + b, targets). With frozen layers alone below the place there is
    nothing to gain, and the term is left out.
    """

    name: str
    task: str
    place: Place
    loss: Loss
    targets: Targets
    weight: float = 1.0
    width: int | None = None
    needs_inputs: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise ValueError(f"weight is {self.weight}; expected zero or more")

    @property
    def heads(self) -> tuple[str, ...]:
        """The head that is its place, if it is one."""
        return (self.place,) if isinstance(self.place, str) else ()

    def check(self, network: Network, examples: int | None = None) -> None:
        """Raise ValueError where there is no such place, one that columns do not show, or not a target for each."""
        check_place(network, self.place)
        check_targets(self.name, self.targets, examples)
        widths = width_of(network, self.place), self.targets[:1].shape[-1]
        if self.width is None and self.loss is squared_error and widths[0] != widths[1]:
            raise ValueError(
                f"targets of {self.name!r} have {widths[1]} values each; expected {widths[0]}, as the place"
            )

    def acts(self, mask: Mask) -> bool:
        """Say whether anything trains that the place depends on."""
        return any(map(trains, mask if isinstance(self.place, str) else mask[: self.place]))

    def start(self, network: Network, rng: np.random.Generator) -> Parameters:
        """Return the regressor, drawn from rng, or nothing."""
        if self.width is None:
            return {}
        like = _like(network)
        new = cast(glorot(rng, width_of(network, self.place), self.width), like.dtype)
        return to_device(new, array_module(like))

    def __call__(self, p: Parameters, given: TermInputs) -> TermOutput:
        """Return the weighted loss and its gradients."""
        Y, back = linear(p, given.at[self.place]) if p else (given.at[self.place], None)
        value, dY = self.loss(Y, self.targets[given.batch.rows].astype(Y.real.dtype, copy=False))
        value, at = _times(self.weight, value, {self.place: dY})
        if back is None:
            return TermOutput(value, at)
        dX, dp = back(at[self.place])
        return TermOutput(value, {self.place: dX}, dp)


@dataclass(frozen=True)
class LwFLoss(Match):
    """A match at an old head of what that very head said: while no hidden layer trains it still says so, and rests."""

    def acts(self, mask: Mask) -> bool:
        """Say whether a hidden layer trains."""
        return any(map(trains, mask[:-1]))


def check_place(network: Network, place: Place) -> None:
    """Raise ValueError where a network has no such place, or one that a term cannot reach."""
    if isinstance(place, str):
        if network.head(place) is not network.heads.get(place):
            raise ValueError(f"place is {place!r}, a head that is frozen for good; expected one of the network's own")
    elif not network.plain:
        raise ValueError(f"place is hidden layer {place} of a network with columns; expected one without")
    elif not 1 <= place <= network.depth:
        raise ValueError(f"place is {place}; expected a hidden layer from 1 to {network.depth}, or a head's name")


def width_of(network: Network, place: Place) -> int:
    """Return how many values a network has at a place."""
    if isinstance(place, str):
        return int(network.head(place)["b"].shape[-1])
    return network.units[place - 1]


def _times(weight: float, value: Array, at: dict[Place, Array]) -> tuple[Array, dict[Place, Array]]:
    return (value, at) if weight == 1 else (weight * value, {place: weight * dY for place, dY in at.items()})


def _like(network: Network) -> Array:
    """Return an array of the network, for its precision and where it lives."""
    return next(iter(network.trunk[0].values()))
