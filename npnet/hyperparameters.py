"""How a network is trained, as data: how it steps, what it minimises, what may move when, and when a run ends.

Each choice has a default, that of the Gradual Tuning paper where it states one, and is checked when it is made: what is
wrong shows before an epoch is lost to it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Literal

import numpy as np

from npnet.arrays import Array
from npnet.losses import Loss, cross_entropy
from npnet.objective import plain_loss
from npnet.optimizers import SGD, Optimizer
from npnet.policies import FineTuning, Mask
from npnet.regularizers import Regularizer, check_proximal
from npnet.step import WayDown

__all__ = ["EarlyStopping", "Hyperparameters", "Stepping", "shuffled"]


def shuffled(rng: np.random.Generator, epoch: int, examples: int) -> Array:
    """Return a permutation drawn from the run's own generator."""
    return rng.permutation(examples)


@dataclass(frozen=True)
class Stepping:
    """How a step is made.

    batch_size    examples of a batch
    order         in which they are seen: a function (rng, epoch from 0, examples) -> rows, as npnet.orders has them
    rate          learning rate: a number, or a schedule, from the epoch (from 0) to a number
    optimizer     how an array moves against its gradient; one with proximal steps takes the sums of regularizers that
                  have such a step (see regularizers.check_proximal)
    loss          of every task, or {head: loss} where tasks differ
    regularizers  penalties on weights
    max_norm      longest incoming weights of a hidden unit that trains, enforced after each step; None: any length
    clip          what bounds the gradients of a step before any layer moves, as ClipByNorm(1.0); None: nothing
    """

    batch_size: int = 20
    rate: float | Callable[[int], float] = 0.01
    optimizer: Optimizer = field(default_factory=SGD)
    loss: Loss | Mapping[str, Loss] = cross_entropy
    regularizers: tuple[Regularizer, ...] = ()
    max_norm: float | None = None
    clip: Callable[[WayDown], WayDown] | None = None
    order: Callable[[np.random.Generator, int, int], Array] = shuffled


@dataclass(frozen=True)
class EarlyStopping:
    """When a run ends, and with which weights.

    by                 what should fall: the validation "error", or the validation "loss", without penalties. Policies
                       look at the error in either case
    min_delta          by how much more than that a new minimum lies below the one before
    patience           epochs without a new minimum before the run stops; None: no such limit.
                       Where layers join one by one, patience waits for the last of them
    patience_restarts  whether the count begins again when a layer joins
    max_epochs         epochs after which it stops in any case
    keep               "best": the weights of the last minimum; "last": those of the last epoch
    together           with several tasks, what a minimum is: a new minimum of "all" errors, with the patience of the
                       least patient task (Montone et al. 2017, section 5.2), or of their "mean"
    watch              tasks whose errors count for all this and for the policy; () for all
    """

    patience: int | None = 20
    patience_restarts: bool = True
    max_epochs: int = 1000
    keep: Literal["best", "last"] = "best"
    together: Literal["all", "mean"] = "all"
    watch: tuple[str, ...] = ()
    by: Literal["error", "loss"] = "error"
    min_delta: float = 0.0


@dataclass(frozen=True)
class Hyperparameters(EarlyStopping, Stepping):
    """All of `Stepping`, all of `EarlyStopping`, and:

    policy         which layers may move when: a Policy, or a function (history, depth) -> mask
    objective      what is minimised: plain_loss, that at each task's head in turn, or terms (npnet.matching.Terms)
    memory_budget  bytes that the activations of frozen layers may occupy
    blas_threads   threads of BLAS that products run on meanwhile: one is fastest for small batches; None: as they do

    Raises ValueError for values out of range or of another kind, naming them.
    """

    policy: Callable[..., Mask] = field(default_factory=FineTuning)
    objective: Callable[..., Any] = plain_loss
    memory_budget: int = field(default=2**30, compare=False)
    blas_threads: int | None = 1

    def __post_init__(self) -> None:
        for name, (fits, expected) in _FITS.items():
            value = getattr(self, name)
            if isinstance(value, list | np.generic):  # a scalar's precision would join in every product
                value = tuple(value) if isinstance(value, list) else value.item()
                object.__setattr__(self, name, value)
            if isinstance(value, type) or not fits(value):
                raise ValueError(f"{name} is {value!r}; expected {expected}")
        if self.optimizer.proximal:
            check_proximal(self.regularizers)

    def rate_at(self, epoch: int) -> float:
        """Return the rate of an epoch, from 0. Raises ValueError for a schedule that gives no rate."""
        rate = float(self.rate(epoch) if callable(self.rate) else self.rate)
        if not 0 <= rate < inf:
            raise ValueError(f"rate is {rate} at epoch {epoch + 1}; expected a schedule of finite numbers from zero")
        return rate

    def loss_of(self, head: str) -> Loss:
        """Return the loss of a task. Raises ValueError where losses are given by head, and none for this one."""
        if not isinstance(self.loss, Mapping):
            return self.loss
        if head not in self.loss:
            raise ValueError(f"loss is given for {', '.join(map(repr, self.loss))}; expected one for {head!r} too")
        return self.loss[head]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _count(least: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and value >= least


_FITS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "batch_size": (_count(1), "a whole number, at least 1"),
    "rate": (
        lambda value: callable(value) or (_is_number(value) and 0 < value < inf),
        "a number above zero, or a schedule, as cosine(0.1, epochs=50)",
    ),
    "optimizer": (lambda value: hasattr(value, "update") and hasattr(value, "proximal"), "an optimizer, as SGD()"),
    "loss": (
        lambda value: callable(value) or (isinstance(value, Mapping) and all(isinstance(head, str) for head in value)),
        "a loss, or {head: loss}",
    ),
    "regularizers": (
        lambda value: isinstance(value, tuple) and all(isinstance(each, Regularizer) for each in value),
        "a tuple of Regularizers",
    ),
    "max_norm": (lambda value: value is None or (_is_number(value) and value > 0), "a length above zero, or None"),
    "clip": (lambda value: value is None or callable(value), "what bounds gradients, as ClipByNorm(1.0), or None"),
    "order": (callable, "a function (rng, epoch, examples) -> rows, as npnet.orders.as_stored"),
    "by": (lambda value: isinstance(value, str) and value in ("error", "loss"), "'error' or 'loss'"),
    "min_delta": (lambda value: isinstance(value, int | float) and 0 <= value < inf, "a finite number from zero"),
    "patience": (lambda value: value is None or _FITS["batch_size"][0](value), "a whole number, at least 1, or None"),
    "patience_restarts": (lambda value: isinstance(value, bool), "True or False"),
    "max_epochs": (_count(1), "a whole number, at least 1"),
    "keep": (lambda value: isinstance(value, str) and value in ("best", "last"), "'best' or 'last'"),
    "together": (lambda value: isinstance(value, str) and value in ("all", "mean"), "'all' or 'mean'"),
    "watch": (
        lambda value: isinstance(value, tuple) and all(isinstance(head, str) for head in value),
        "a tuple of heads' names",
    ),
    "policy": (callable, "a policy, as FineTuning()"),
    "objective": (callable, "an objective, as plain_loss"),
    "memory_budget": (_count(0), "a whole number, at least 0"),
    "blas_threads": (lambda value: value is None or _count(1)(value), "a whole number, at least 1, or None"),
}
"""What each value must be: a test, and what the message says was expected."""
