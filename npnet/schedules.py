"""Learning-rate schedules: a function from the epoch, counted from 0, to the rate.

Any function is one. Those below are data, so that a run can tell them apart.
"""

import math
from dataclasses import dataclass

from npnet.arguments import checked

__all__ = ["constant", "cosine", "step"]


def _check_rate(rate: float) -> None:
    if not (rate > 0 and math.isfinite(rate)):
        raise ValueError(f"rate is {rate}; expected a finite number above zero")


@checked
@dataclass(frozen=True)
class constant:  # noqa: N801
    """The schedule that is `rate` at every epoch. Raises ValueError for a rate that is not finite and above zero."""

    rate: float

    def __post_init__(self) -> None:
        _check_rate(self.rate)

    def __call__(self, epoch: int) -> float:
        """Return the rate."""
        return self.rate


@checked
@dataclass(frozen=True)
class step:  # noqa: N801
    """The schedule rate · factor^⌊epoch / every⌋.

    Raises ValueError for a rate or factor that is not finite and above zero, and for less than one epoch.
    """

    rate: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        _check_rate(self.rate)
        if self.every < 1:
            raise ValueError(f"every is {self.every}; expected at least one epoch")
        if not 0 < self.factor < math.inf:
            raise ValueError(f"factor is {self.factor}; expected a finite number above zero")

    def __call__(self, epoch: int) -> float:
        """Return the rate of an epoch."""
        return self.rate * self.factor ** (epoch // self.every)


@checked
@dataclass(frozen=True)
class cosine:  # noqa: N801
    """The schedule that falls from rate to zero along half a cosine over the epochs, and stays there.

    Raises ValueError for a rate that is not finite and above zero, and for less than one epoch.
    Source: Loshchilov and Hutter 2017, equation 5, without restarts.
    """

    rate: float
    epochs: int

    def __post_init__(self) -> None:
        _check_rate(self.rate)
        if self.epochs < 1:
            raise ValueError(f"epochs is {self.epochs}; expected at least one")

    def __call__(self, epoch: int) -> float:
        """Return the rate of an epoch."""
        return self.rate * (1 + math.cos(math.pi * min(epoch / self.epochs, 1.0))) / 2
