"""Terms of first order: the loss on labels, and matches of what a network has at a place with what another one had."""

from dataclasses import dataclass, field

import numpy as np

from npnet.arguments import checked
from npnet.arrays import Array, array_module, cast, shown, to_device
from npnet.initialisers import glorot
from npnet.layers import Parameters, linear
from npnet.losses import Loss, squared_error
from npnet.matching.targets import Targets, check_targets
from npnet.matching.terms import Place, TermInputs, TermOutput, check_place, width_of
from npnet.network import Network
from npnet.policies import Mask, trains

__all__ = ["LwFLoss", "Match", "SupervisedLoss"]


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


@checked
@dataclass(frozen=True)
class Match:
    """weight · loss(Y, targets): what the network has at a place, compared with what another one had there.

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
        if self.width is not None and self.width < 1:
            raise ValueError(f"width is {self.width}; expected the width of the targets, or None")
        if not hasattr(self.targets, "__len__") or not hasattr(self.targets, "__getitem__"):
            raise ValueError(f"targets is {shown(self.targets)}; expected an array, a row for each training example")

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
                f"targets of {self.name!r} have {widths[1]} values each; expected {widths[0]}, as the place, "
                "or a width for a regressor"
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


def _times(weight: float, value: Array, at: dict[Place, Array]) -> tuple[Array, dict[Place, Array]]:
    return (value, at) if weight == 1 else (weight * value, {place: weight * dY for place, dY in at.items()})


def _like(network: Network) -> Array:
    """Return an array of the network, for its precision and where it lives."""
    return network.first
