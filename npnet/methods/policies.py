"""The other update policies: layers that never move, layers by the epoch, and policies on top of policies."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from npnet.arguments import checked
from npnet.policies import Entry, FineTuning, Mask, Policy, top_layers, waits

__all__ = [
    "Discriminative",
    "EqualBudget",
    "Freeze",
    "GradualByEpoch",
    "HeadOnly",
    "TopLayers",
    "WarmUp",
]


def _check_count(layers: int) -> None:
    if layers < 0:
        raise ValueError(f"layers is {layers}; expected zero or more")


@checked
@dataclass(frozen=True)
class GradualByEpoch(Policy):
    """One more layer every `every` epochs, from the head down: the schedule that looks at no error.

    Raises ValueError for less than one epoch.
    """

    every: int = 1
    gradual = True

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"every is {self.every}; expected at least one epoch")

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return the mask of the head and one hidden layer for each `every` epochs behind."""
        return top_layers(len(history) // self.every, depth)


@checked
@dataclass(frozen=True)
class Freeze(Policy):
    """The first `layers` hidden layers never move; more than there are means all of them, a classifier on features.

    Raises ValueError for a negative number.
    """

    layers: int

    def __post_init__(self) -> None:
        _check_count(self.layers)

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return zeros for the lowest layers and ones above."""
        return top_layers(max(depth - self.layers, 0), depth)


@checked
@dataclass(frozen=True)
class TopLayers(Policy):
    """The head and the `layers` hidden layers below it train, those beneath never; more than there are means all.

    Raises ValueError for a negative number.
    """

    layers: int

    def __post_init__(self) -> None:
        _check_count(self.layers)

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return zeros for the lowest layers and ones above."""
        return top_layers(self.layers, depth)


@dataclass(frozen=True)
class HeadOnly(Policy):
    """Only the head trains: a linear classifier on the features of the last hidden layer."""

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return a one for the head."""
        return top_layers(0, depth)


@checked
@dataclass(frozen=True)
class Discriminative(Policy):
    """Each layer's rate is `factor` times that of the layer above; on top of any other policy.

    Source: Howard and Ruder 2018, section 3.2. Raises ValueError unless factor > 0.
    """

    factor: float = 1 / 2.6
    policy: Callable[..., Mask] = field(default_factory=FineTuning)

    def __post_init__(self) -> None:
        if not self.factor > 0:
            raise ValueError(f"factor is {self.factor}; expected a number above zero")

    @property
    def gradual(self) -> bool:
        """Whether layers join one by one: as in the policy beneath."""
        return waits(self.policy)

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return the other policy's mask with factor^(layers below the head) on it."""
        mask = self.policy(history, depth)
        return tuple(_scaled(entry, self.factor ** (depth - layer)) for layer, entry in enumerate(mask))


def _scaled(entry: Entry, factor: float) -> Entry:
    if isinstance(entry, Mapping):
        return {name: share * factor for name, share in entry.items()}
    return entry * factor


@checked
@dataclass(frozen=True)
class EqualBudget(Policy):
    """Another policy (fine tuning by default), stopped after as many epochs as the run it is paired with made.

    On the same training set equal epochs are equal numbers of updates: the control that tells "trained gradually" from
    "trained for longer". Run it without patience. Raises ValueError for less than one epoch.
    """

    epochs: int
    policy: Callable[..., Mask] = field(default_factory=FineTuning)

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError(f"epochs is {self.epochs}; expected at least one")

    @property
    def gradual(self) -> bool:
        """Whether layers join one by one: as in the policy beneath."""
        return waits(self.policy)

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return the other policy's mask, and zeros when the budget is spent."""
        return self.policy(history, depth) if len(history) < self.epochs else (0.0,) * (depth + 1)


@checked
@dataclass(frozen=True)
class WarmUp(Policy):
    """The head alone for some epochs, then another policy (fine tuning by default), whose history begins there.

    Source: Li and Hoiem 2016, section 3. Raises ValueError for less than one epoch.
    """

    epochs: int = 1
    policy: Callable[..., Mask] = field(default_factory=FineTuning)

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError(f"epochs is {self.epochs}; expected at least one")

    @property
    def gradual(self) -> bool:
        """Whether patience waits for all layers: where the other policy brings them all in, at once or one by one."""
        return waits(self.policy) or all(self.policy((), 99))

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return a one for the head, or the other policy's mask on what came after."""
        return self.policy(history[self.epochs :], depth) if len(history) >= self.epochs else top_layers(0, depth)
