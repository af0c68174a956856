"""Task specifications: what is learned, from how many examples, and with which training budget."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from experiments.frame.tasks import Sizes, load_task
from npnet import Hyperparameters, Task, constant

__all__ = ["TaskSpec", "network_name", "small"]


@dataclass(frozen=True)
class TaskSpec(Sizes):
    """A task by name, its numbers of examples, and the budget with which it is learned.

    The budget is counted in updates, so that it is the same for thirty images as for thirty thousand.

    Attributes:
        task: its name, as `load_task` takes it.
        updates: weight updates at the most, rounded up to whole epochs.
        patience: a run stops after so many updates, rounded up to whole epochs, without a new minimum of the validation
            error, and ends with the weights of that minimum.
        rate: learning rate.
        batch_size: examples in a batch.
    """

    task: str
    updates: int = 7_500
    patience: int = 2_500
    rate: float = 0.02
    batch_size: int = 20

    def load(self, seed: int) -> Task:
        """Return the task as the seed draws it."""
        return load_task(self.task, seed, self.sizes)

    def hyperparameters(self) -> Hyperparameters:
        """Return the hyperparameters that keep to the budget."""
        steps = ceil(self.train / self.batch_size)
        return Hyperparameters(
            self.batch_size,
            constant(self.rate),
            patience=ceil(self.patience / steps),
            max_epochs=ceil(self.updates / steps),
        )


def small(spec: TaskSpec) -> TaskSpec:
    """Return the specification with next to nothing to learn, to see that a study works."""
    return replace(spec, train=min(spec.train, 60), validation=40, test=50, updates=9, patience=6)


def network_name(hidden: Sequence[int]) -> str:
    """Return a network's name, as in 500-500."""
    return "-".join(map(str, hidden))
