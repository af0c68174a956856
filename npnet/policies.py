"""Update policies: what may move when. A policy is a pure function from the validation history to an update mask.

    policy(history, depth) -> mask           history: the validation error (percent) of every epoch so far

The mask mirrors the layers, `depth` hidden ones from the bottom and then the head: 0 freezes a layer, 1 trains it, any
other number is that layer's share of the learning rate. A mask of zeros alone ends a run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, Protocol

__all__ = [
    "Discriminative",
    "EqualBudget",
    "FineTuning",
    "Freeze",
    "GradualByEpoch",
    "GradualTuning",
    "HeadOnly",
    "Mask",
    "Policy",
    "TopLayers",
    "WarmUp",
]

Mask = tuple[float, ...]


class Policy(Protocol):
    """What training asks of a policy. `gradual`: layers join one by one, and patience waits for the last of them."""

    @property
    def gradual(self) -> bool:
        """Whether layers join one by one as the run goes on."""

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return the mask of the epoch that follows this history."""


def _top(layers: int, depth: int) -> Mask:
    """Return the mask that trains the head and this many hidden layers below it."""
    layers = min(layers, depth)
    return (0.0,) * (depth - layers) + (1.0,) * (layers + 1)


def _check_count(layers: int) -> None:
    if layers < 0:
        raise ValueError(f"layers is {layers}; expected zero or more")


@dataclass(frozen=True)
class FineTuning:
    """Every layer trains from the first step."""

    gradual: bool = field(default=False, init=False)

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return ones."""
        return _top(depth, depth)


@dataclass(frozen=True)
class GradualTuning:
    """The head alone at first; the next hidden layer down joins whenever two consecutive epochs differ by too little.

    "Too little" is less than `tolerance` percentage points of validation error: in absolute value, or (difference =
    "improvement") when the later epoch is not at least that much better. Every pair of neighbouring epochs counts, as
    the source has it: Montone, O'Regan and Terekhov 2017, sections 2 and 5.1. Raises ValueError for bad options.
    """

    tolerance: float = 0.1
    difference: Literal["absolute", "improvement"] = "absolute"
    gradual: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        if not self.tolerance > 0:
            raise ValueError(f"tolerance is {self.tolerance}; expected percentage points above zero")
        if self.difference not in ("absolute", "improvement"):
            raise ValueError(f"difference is {self.difference!r}; expected 'absolute' or 'improvement'")

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return the mask of the head and as many hidden layers as there were pairs that differ by too little."""
        # Five images in 5,000 are 0.1 points exactly, which is not less than 0.1: rounding of the quotients aside.
        exactly = self.tolerance * (1 - 1e-8)
        gains = [before - after for before, after in pairwise(history)]
        if self.difference == "absolute":
            gains = [abs(gain) for gain in gains]
        return _top(sum(gain < exactly for gain in gains), depth)


@dataclass(frozen=True)
class GradualByEpoch:
    """One more layer every `every` epochs, from the head down: the schedule that looks at no error.

    Raises ValueError for less than one epoch.
    """

    every: int = 1
    gradual: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"every is {self.every}; expected at least one epoch")

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return the mask of the head and one hidden layer for each `every` epochs behind."""
        return _top(len(history) // self.every, depth)


@dataclass(frozen=True)
class Freeze:
    """The first `layers` hidden layers never move; more than there are means all of them, a classifier on features.

    Raises ValueError for a negative number.
    """

    layers: int
    gradual: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        _check_count(self.layers)

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return zeros for the lowest layers and ones above."""
        return _top(max(depth - self.layers, 0), depth)


@dataclass(frozen=True)
class TopLayers:
    """The head and the `layers` hidden layers below it train, those beneath never; more than there are means all.

    Raises ValueError for a negative number.
    """

    layers: int
    gradual: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        _check_count(self.layers)

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return zeros for the lowest layers and ones above."""
        return _top(self.layers, depth)


@dataclass(frozen=True)
class HeadOnly:
    """Only the head trains: a linear classifier on the features of the last hidden layer."""

    gradual: bool = field(default=False, init=False)

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return a one for the head."""
        return _top(0, depth)


@dataclass(frozen=True)
class Discriminative:
    """Each layer's rate is `factor` times that of the layer above; on top of any other policy.

    Source: Howard and Ruder 2018, section 3.2. Raises ValueError unless factor > 0.
    """

    factor: float = 1 / 2.6
    policy: Policy = field(default_factory=FineTuning)

    def __post_init__(self) -> None:
        if not self.factor > 0:
            raise ValueError(f"factor is {self.factor}; expected a number above zero")

    @property
    def gradual(self) -> bool:
        """Whether layers join one by one: as in the policy beneath."""
        return self.policy.gradual

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return the other policy's mask with factor^(layers below the head) on it."""
        mask = self.policy(history, depth)
        return tuple(share * self.factor ** (depth - layer) for layer, share in enumerate(mask))


@dataclass(frozen=True)
class EqualBudget:
    """Another policy (fine tuning by default), stopped after as many epochs as the run it is paired with made.

    On the same training set equal epochs are equal numbers of updates: the control that tells "trained gradually" from
    "trained for longer". Run it without patience. Raises ValueError for less than one epoch.
    """

    epochs: int
    policy: Policy = field(default_factory=FineTuning)

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError(f"epochs is {self.epochs}; expected at least one")

    @property
    def gradual(self) -> bool:
        """Whether layers join one by one: as in the policy beneath."""
        return self.policy.gradual

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return the other policy's mask, and zeros when the budget is spent."""
        return self.policy(history, depth) if len(history) < self.epochs else (0.0,) * (depth + 1)


@dataclass(frozen=True)
class WarmUp:
    """The head alone for some epochs, then another policy (fine tuning by default), whose history begins there.

    Source: Li and Hoiem 2016, section 3. Raises ValueError for less than one epoch.
    """

    epochs: int = 1
    policy: Policy = field(default_factory=FineTuning)

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError(f"epochs is {self.epochs}; expected at least one")

    @property
    def gradual(self) -> bool:
        """Whether patience waits for all layers: where the other policy brings them all in, at once or one by one."""
        return self.policy.gradual or all(self.policy((), 99))

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return a one for the head, or the other policy's mask on what came after."""
        return self.policy(history[self.epochs :], depth) if len(history) >= self.epochs else _top(0, depth)
