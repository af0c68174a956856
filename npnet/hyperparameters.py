"""How a network is trained, as data: the objective, the steps, what may move when, and when a run ends.

Each choice has a default, those of the Gradual Tuning paper where it says, and is checked when it is made: what is
wrong shows before an epoch is lost to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Literal

import numpy as np

from npnet.losses import Loss, cross_entropy
from npnet.optimizers import SGD, Optimizer, Schedule, constant
from npnet.policies import FineTuning, Policy
from npnet.regularizers import Regularizer, check_proximal
from npnet.terms import Term

__all__ = ["Hyperparameters"]


@dataclass(frozen=True)
class Hyperparameters:
    """How a network is trained. Raises ValueError for values out of range, naming them.

    loss: that of every task: cross_entropy for classes, squared_error for a regression, or one of your own; or
    {head: loss} where tasks differ. terms: what is minimised beside the loss on the labels (see terms). weights: that
    loss's weight for each task, 1 where none is named and left out where it is 0; or "uncertainty", to learn them.
    schedule: batches of several tasks "alternate", those of a smaller one spread evenly among those of a larger one, or
    every batch has the "sum" of their losses, for tasks whose training sets share one array of inputs.
    patience: epochs without a new minimum of the validation error before the run stops; None: only max_epochs stops it.
    optimizer: one with proximal steps takes sums of regularizers that have one (see regularizers.check_proximal).
    keep: which weights the run ends with. patience_restarts: the count begins again when a layer joins.
    patience_cuts_short: patience may end a gradual run before all its layers train.
    together: with several tasks, a minimum is a new minimum of "all" errors and patience that of the least patient
    ("all", as in Montone et al. 2017, section 5.2), or both look at their "mean". watch: the tasks whose errors count
    for that, for the policy and in the history's validation; all of them by default.
    memory_budget: bytes that activations of frozen layers may occupy.
    learned_share: terms' own parameters, learned weights of tasks among them, move at this multiple of the heads' rate.
    max_norm: after each step the incoming weights of every unit of a hidden layer that trains are scaled down to this
    length where they are longer (see optimizers.bound_norms); None for no such constraint.
    """

    batch_size: int = 20
    rate: Schedule = field(default_factory=lambda: constant(0.01))
    optimizer: Optimizer = field(default_factory=SGD)
    loss: Loss | Mapping[str, Loss] = cross_entropy
    regularizers: tuple[Regularizer, ...] = ()
    terms: tuple[Term, ...] = ()
    weights: Mapping[str, float] | Literal["uncertainty"] = field(default_factory=dict)
    schedule: Literal["alternate", "sum"] = "alternate"
    policy: Policy = field(default_factory=FineTuning)
    patience: int | None = 20
    max_epochs: int = 1000
    keep: Literal["best", "last"] = "best"
    patience_restarts: bool = True
    patience_cuts_short: bool = False
    together: Literal["all", "mean"] = "all"
    watch: tuple[str, ...] = ()
    memory_budget: int = 2**30
    max_norm: float | None = None
    learned_share: float = 1.0

    def __post_init__(self) -> None:
        for name in ("regularizers", "terms", "watch"):
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
        if not self.learned_share >= 0:
            raise ValueError(f"learned_share is {self.learned_share}; expected zero or more")
        if self.optimizer.proximal:
            check_proximal(self.regularizers)
        choices = {"keep": ("best", "last"), "together": ("all", "mean"), "schedule": ("alternate", "sum")}
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected one of {known}")
        fixed = self.weights.values() if isinstance(self.weights, Mapping) else ()
        if (not isinstance(self.weights, Mapping) and self.weights != "uncertainty") or not all(w >= 0 for w in fixed):
            raise ValueError(f"weights is {self.weights!r}; expected {{head: zero or more}}, or 'uncertainty'")

    def _check_kinds(self) -> None:
        """Raise ValueError where something is not of its kind: most of that would show in the midst of training."""
        kinds = {
            "rate": (callable(self.rate), "a schedule, as constant(0.01)"),
            "optimizer": (_has(self.optimizer, "update"), "an optimizer, as SGD()"),
            "policy": (_has(self.policy, "gradual"), "a policy, as FineTuning()"),
            "loss": (callable(self.loss) or isinstance(self.loss, Mapping), "a loss, or {head: loss}"),
            "regularizers": (_have(self.regularizers, "penalty"), "a tuple of Regularizers"),
            "terms": (_have(self.terms, "acts"), "a tuple of terms"),
            "watch": (isinstance(self.watch, tuple), "a tuple of heads' names"),
        }
        for name, (fits, expected) in kinds.items():
            if not fits:
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected {expected}")

    @property
    def plain(self) -> bool:
        """Whether the objective is the loss at one head at a time, with regularizers and nothing else."""
        return not self.terms and not self.weights and self.schedule == "alternate"

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


def _has(value: Any, attribute: str) -> bool:
    """Say whether an object has an attribute, and is no class."""
    return hasattr(value, attribute) and not isinstance(value, type)


def _have(values: Any, attribute: str) -> bool:
    """Say whether this is a tuple of objects that have an attribute."""
    return isinstance(values, tuple) and all(_has(each, attribute) for each in values)
