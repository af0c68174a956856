"""Terms: what an objective is a sum of. A term sees one batch on its way up and returns its value and its gradients.

    term(p, seen) -> Sent(value, at, own, weights)

`seen` holds what the network makes of the batch: each hidden layer's outputs and the logits of every head that a term
asks for, computed once for all terms. `at` are the gradients with respect to some of these places, which the one way
back takes along; `own` is the gradient of the term's own parameters p ({} where it has none); `weights` are gradients
of weight matrices that do not come down that way (those of a gradient's own gradient, see jacobians).

A place is the number of a hidden layer, from 1, meaning its outputs after the activation and before dropout, or the
name of a head, meaning its logits. What a term matches has been recorded before training (see recordings).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from npnet.arrays import Array, array_module, cast, to_device
from npnet.initialisers import glorot
from npnet.layers import Back, Parameters, linear
from npnet.losses import Loss, squared_error
from npnet.network import Network
from npnet.policies import Mask
from npnet.recordings import Rows, check_rows

__all__ = ["Batch", "Factors", "Labelled", "Match", "Place", "Recall", "Seen", "Sent", "Term"]

Place = int | str

Factors = tuple[Array, Array]
"""(A, B), which stand for the gradient Aᵀ B of a weight matrix."""


class Batch(NamedTuple):
    """Which training examples a batch is made of, and their labels for each task that has any: {head: labels}."""

    rows: Array
    labels: Mapping[str, Array]


@dataclass(frozen=True)
class Seen:
    """What terms see of a batch: its examples, and what the network makes of them at each place.

    X: the inputs of the lowest layer that was run: the network's own where a term asks for that. ways: for each hidden
    layer the ways back through its activation and, where there is one, its dropout. trains: whether each hidden layer
    trains, and then the heads.
    """

    batch: Batch
    X: Array
    at: Mapping[Place, Array]
    network: Network
    ways: Mapping[int, Sequence[Back]] = field(default_factory=dict)
    trains: tuple[bool, ...] = ()


class Sent(NamedTuple):
    """A term's value and gradients: at places, of its own parameters, and Factors of those of the layers' matrices."""

    value: Array
    at: Mapping[Place, Array] = {}
    own: Mapping[str, Array] = {}
    weights: Mapping[Place, Factors] = {}


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
    def whole(self) -> bool:
        """Whether it needs the pass from the very inputs, through frozen layers too."""

    def check(self, network: Network, examples: int | None = None) -> None:
        """Raise ValueError where a network does not have what it reads, or not so many examples are matched."""

    def acts(self, mask: Mask) -> bool:
        """Say whether it has any gradient under a mask: if not, it is left out, its value too."""

    def start(self, network: Network, rng: np.random.Generator) -> Parameters:
        """Return its own parameters before training."""

    def __call__(self, p: Parameters, seen: Seen) -> Sent:
        """Return its value and gradients on a batch."""


@dataclass(frozen=True)
class Labelled:
    """The loss at a task's head on its labels: weight · L, or with a learned s = log σ²: weight · (e^{−s} L + s/2).

    With the halved squared error of a regression, and the cross-entropy of a classification, the latter is uncertainty
    weighting: σ² is what the task's noise seems to be. It may be negative. s begins at 0, that is at L itself.
    Source: Kendall, Gal and Cipolla 2018, section 3.2.
    """

    task: str
    loss: Loss
    weight: float = 1.0
    uncertain: bool = False
    whole: bool = field(default=False, init=False)

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
        return any(mask)

    def start(self, network: Network, rng: np.random.Generator) -> Parameters:
        """Return s = 0, or nothing."""
        like = network.trunk[0]["W"]
        return {"s": array_module(like).zeros(1, like.dtype)} if self.uncertain else {}

    def __call__(self, p: Parameters, seen: Seen) -> Sent:
        """Return the loss, weighted, and its gradients."""
        value, dZ = self.loss(seen.at[self.task], seen.batch.labels[self.task])
        if not self.uncertain:
            return Sent(*_times(self.weight, value, {self.task: dZ}))
        s = p["s"]
        share = array_module(s).exp(-s)  # e^{−s} = 1/σ², (1,)
        total, at = _times(self.weight, (share * value + s / 2).sum(), {self.task: share * dZ})
        return Sent(total, at, {"s": self.weight * (0.5 - share * value)})


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
    targets: Rows
    weight: float = 1.0
    width: int | None = None
    whole: bool = field(default=False, init=False)

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
        check_rows(self.name, self.targets, examples)
        widths = width_of(network, self.place), self.targets[:1].shape[-1]
        if self.width is None and self.loss is squared_error and widths[0] != widths[1]:
            raise ValueError(
                f"targets of {self.name!r} have {widths[1]} values each; expected {widths[0]}, as the place"
            )

    def acts(self, mask: Mask) -> bool:
        """Say whether anything trains that the place depends on."""
        return any(mask) if isinstance(self.place, str) else any(mask[: self.place])

    def start(self, network: Network, rng: np.random.Generator) -> Parameters:
        """Return the regressor, drawn from rng, or nothing."""
        if self.width is None:
            return {}
        like = network.trunk[0]["W"]
        new = cast(glorot(rng, width_of(network, self.place), self.width), like.dtype)
        return to_device(new, array_module(like))

    def __call__(self, p: Parameters, seen: Seen) -> Sent:
        """Return the weighted loss and its gradients."""
        Y, back = linear(p, seen.at[self.place]) if p else (seen.at[self.place], None)
        value, dY = self.loss(Y, self.targets[seen.batch.rows].astype(Y.real.dtype, copy=False))
        value, at = _times(self.weight, value, {self.place: dY})
        if back is None:
            return Sent(value, at)
        dX, dp = back(at[self.place])
        return Sent(value, {self.place: dX}, dp)


@dataclass(frozen=True)
class Recall(Match):
    """A match at an old head of what that very head said: while no hidden layer trains it still says so, and rests."""

    def acts(self, mask: Mask) -> bool:
        """Say whether a hidden layer trains."""
        return any(mask[:-1])


def check_place(network: Network, place: Place) -> None:
    """Raise ValueError where a network has no such place, or columns, whose hidden layers a term cannot reach."""
    if isinstance(place, str):
        if network.head(place) is not network.heads.get(place):
            raise ValueError(f"place is {place!r}, the head of a frozen column; expected the network's own")
    elif network.reads:
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
