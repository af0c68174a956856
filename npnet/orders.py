"""The orders in which the examples of an epoch are seen: functions (rng, epoch, examples) -> rows, epochs from 0.

`npnet.hyperparameters.shuffled`, the default, draws from the run's own generator. One of your own may leave examples
out or repeat them, and should depend on what it is given alone, so that a run can stop and go on.
"""

from dataclasses import dataclass

import numpy as np

from npnet.arguments import checked
from npnet.arrays import Array, generator

__all__ = ["Batches", "Shuffled", "as_stored"]


def as_stored(rng: np.random.Generator, epoch: int, examples: int) -> Array:
    """Return the examples in the order in which they are stored, in every epoch."""
    return np.arange(examples)


@checked
@dataclass(frozen=True)
class Shuffled:
    """A permutation of its own seed, another one in every epoch: the same for two runs, whatever else they draw."""

    seed: int

    def __post_init__(self) -> None:
        generator(self.seed)  # refuses what is no seed

    def __call__(self, rng: np.random.Generator, epoch: int, examples: int) -> Array:
        """Return the order of an epoch."""
        return generator(self.seed, "order", epoch).permutation(examples)


@checked
@dataclass(frozen=True)
class Batches:
    """So many whole batches an epoch, however many examples there are: training counted in steps instead of epochs.

    Permutation follows permutation, each drawn from the run's own generator and cut down to whole batches. size: the
    batch size that the hyperparameters have too, or the number of examples where they are fewer. Raises ValueError for
    numbers that are not at least 1.
    """

    count: int
    size: int

    def __post_init__(self) -> None:
        if self.count < 1 or self.size < 1:
            raise ValueError(f"count is {self.count}, size {self.size}; expected at least 1")

    def __call__(self, rng: np.random.Generator, epoch: int, examples: int) -> Array:
        """Return the rows of an epoch, count · size of them."""
        size = min(self.size, examples)
        each = examples // size * size
        parts = [rng.permutation(examples)[:each] for _ in range(-(-self.count * size // each))]
        return np.concatenate(parts)[: self.count * size]
