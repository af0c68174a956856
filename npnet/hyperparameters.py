"""How a network is trained, as data: how it steps, what it minimises, what may move when, and when a run ends.

Each choice has a default, that of the Gradual Tuning paper where it states one, and is checked when it is made: what is
wrong shows before an epoch is lost to it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Literal

import numpy as np

from npnet.losses import Loss, cross_entropy
from npnet.objective import PlainLoss
from npnet.optimizers import SGD, Optimizer, Schedule, constant
from npnet.policies import FineTuning, Mask
from npnet.regularizers import Regularizer, check_proximal

__all__ = ["EarlyStopping", "Hyperparameters", "Stepping"]


@dataclass(frozen=True)
class Stepping:
    """How a step is made.

    batch_size    examples of a batch
    rate          learning rate: a schedule, from the epoch (from 0) to a number
    optimizer     how an array moves against its gradient; one with proximal steps takes the sums of regularizers that
                  have such a step (see regularizers.check_proximal)
    loss          of every task, or {head: loss} where tasks differ
    regularizers  penalties on weights
    max_norm      longest incoming weights of a hidden unit that trains, enforced after each step; None: any length
    """

    batch_size: int = 20
    rate: Schedule = field(default_factory=lambda: constant(0.01))
    optimizer: Optimizer = field(default_factory=SGD)
    loss: Loss | Mapping[str, Loss] = cross_entropy
    regularizers: tuple[Regularizer, ...] = ()
    max_norm: float | None = None


@dataclass(frozen=True)
class EarlyStopping:
    """When a run ends, and with which weights.

    patience           epochs without a new minimum of the validation error before the run stops; None: no such limit.
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


@dataclass(frozen=True)
class Hyperparameters(EarlyStopping, Stepping):
    """All of `Stepping`, all of `EarlyStopping`, and:

    policy         which layers may move when: a Policy, or a function (history, depth) -> mask
    objective      what is minimised: the loss at each task's head in turn, or terms (npnet.matching.Terms)
    memory_budget  bytes that the activations of frozen layers may occupy

    Raises ValueError for values out of range or of another kind, naming them.
    """

    policy: Callable[..., Mask] = field(default_factory=FineTuning)
    objective: Any = field(default_factory=PlainLoss)
    memory_budget: int = field(default=2**30, compare=False)

    def __post_init__(self) -> None:
        for name in ("regularizers", "watch"):
            if isinstance(value := getattr(self, name), list):
                object.__setattr__(self, name, tuple(value))
        self._check_kinds()
        counts = {"batch_size": 1, "max_epochs": 1, "memory_budget": 0}
        for name, least in (counts if self.patience is None else {**counts, "patience": 1}).items():
            value = getattr(self, name)
            if not (isinstance(value, int | np.integer) and value >= least):
                raise ValueError(f"{name} is {value!r}; expected a whole number, at least {least}")
        if self.max_norm is not None and not self.max_norm > 0:
            raise ValueError(f"max_norm is {self.max_norm}; expected a length above zero, or None")
        if self.optimizer.proximal:
            check_proximal(self.regularizers)
        for name, known in {"keep": ("best", "last"), "together": ("all", "mean")}.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected one of {known}")

    def _check_kinds(self) -> None:
        """Raise ValueError where something is not of its kind: most of that would show in the midst of training."""
        penalties = isinstance(self.regularizers, tuple) and all(isinstance(r, Regularizer) for r in self.regularizers)
        kinds = {
            "rate": (callable(self.rate), "a schedule, as constant(0.01)"),
            "optimizer": (_is_object(self.optimizer) and hasattr(self.optimizer, "update"), "an optimizer, as SGD()"),
            "policy": (callable(self.policy) and _is_object(self.policy), "a policy, as FineTuning()"),
            "objective": (callable(self.objective) and _is_object(self.objective), "an objective, as PlainLoss()"),
            "loss": (callable(self.loss) or isinstance(self.loss, Mapping), "a loss, or {head: loss}"),
            "regularizers": (penalties, "a tuple of Regularizers"),
            "watch": (isinstance(self.watch, tuple), "a tuple of heads' names"),
        }
        for name, (fits, expected) in kinds.items():
            if not fits:
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected {expected}")

    def rate_at(self, epoch: int) -> float:
        """Return the rate of an epoch, from 0. Raises ValueError for a schedule that gives no rate."""
        rate = float(self.rate(epoch))
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


def _is_object(value: Any) -> bool:
    return not isinstance(value, type)
