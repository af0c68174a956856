"""A run as data: how it is trained, and where it stands after some epoch.

All that a run needs to go on is in its `Run`, whose `tree()` is plain data: saved after any epoch and loaded anywhere,
it goes on to the same bits as if it had never stopped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Literal

import numpy as np

from npnet.arrays import generator
from npnet.layers import Parameters
from npnet.losses import Loss, cross_entropy, squared_error
from npnet.network import Network
from npnet.optimizers import SGD, Optimizer, Schedule, constant
from npnet.policies import FineTuning, Mask, Policy
from npnet.regularizers import Regularizer, check_proximal
from npnet.tasks.data import Split, Task
from npnet.terms import Term
from npnet.trees import Tree

__all__ = ["Hyperparameters", "Record", "Replicate", "Run"]

Record = dict[str, Any]
"""One epoch: epoch, updates (so far), mask, rate, objective (mean over steps; without the penalties where these act by
proximal steps), error (mean validation error), validation {task: error}, evaluations {name: error}. Errors are those of
`analysis.error`."""


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


@dataclass
class Run:
    """A run as it stands after some epoch: network, generator, optimizer buffers, history, best weights.

    learned: parameters that terms of the objective train beside the network, by the terms' names. When the run has
    finished, `network` holds the weights that `Hyperparameters.keep` asked for. Raises ValueError for a network or a
    generator that is none.
    """

    network: Network
    rng: np.random.Generator
    buffers: dict[str, Tree] = field(default_factory=dict)
    history: list[Record] = field(default_factory=list)
    best: Tree = None
    finished: bool = False
    learned: dict[str, Parameters] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, kind in (("network", Network), ("rng", np.random.Generator)):
            if not isinstance(value := getattr(self, name), kind):
                raise ValueError(f"{name} is {value!r}; expected a {kind.__name__}")

    def tree(self) -> Tree:
        """Return the run as a plain tree that shares its arrays, ready for `save_tree`."""
        return {
            "network": self.network.tree(),
            "generator": self.rng.bit_generator.state,
            "buffers": self.buffers,
            "history": self.history,
            "best": self.best,
            "finished": self.finished,
            "learned": self.learned,
        }

    @classmethod
    def from_tree(cls, tree: Tree) -> "Run":
        """Return the run of such a tree. Raises ValueError for another kind of tree."""
        try:
            rng = generator(0)
            rng.bit_generator.state = tree["generator"]
            network = Network.from_tree(tree["network"])
            learned = tree.get("learned", {})
            return cls(network, rng, tree["buffers"], tree["history"], tree["best"], tree["finished"], learned)
        except (KeyError, TypeError) as error:
            raise ValueError(f"tree is not that of a run ({error!r}); expected what Run.tree returns") from error


@dataclass
class Replicate:
    """A run with all that takes it to its end: one of the arguments of `train`, one of many in a population.

    tasks: {head: task}; batches of several tasks take turns in this order. evaluations: {name: (head, split)}, measured
    after every epoch beside the tasks' own validation errors. failure: why it stopped, where numbers ceased to be
    finite. Raises ValueError where tasks, network and loss do not fit.
    """

    run: Run
    tasks: Mapping[str, Task]
    settings: Hyperparameters = field(default_factory=Hyperparameters)
    evaluations: Mapping[str, tuple[str, Split]] = field(default_factory=dict)
    failure: FloatingPointError | None = None

    def __post_init__(self) -> None:
        whole = isinstance(self.tasks, Mapping) and all(isinstance(task, Task) for task in self.tasks.values())
        if not (whole and self.tasks):
            raise ValueError(f"tasks is {self.tasks!r:.80}; expected at least one Task by the name of its head")
        _check_fit(self.run.network, {head: (head, task.train) for head, task in self.tasks.items()})
        _check_fit(self.run.network, self.evaluations)
        for head in self.tasks:
            if head not in self.run.network.heads:
                raise ValueError(f"tasks has {head!r}, the head of a frozen column; expected the network's own")
        for head, task in self.tasks.items():
            _check_loss(self.settings.loss_of(head), head, task)
        _check_terms(self.run.network, self.settings, self.tasks)

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads that may train: the tasks', and those that terms read."""
        return tuple(dict.fromkeys([*self.tasks, *(head for term in self.settings.terms for head in term.heads)]))

    @property
    def mask(self) -> Mask:
        """The mask of the next epoch, zeros alone where there will be none."""
        run = self.run
        if run.finished or self.failure:
            return (0.0,) * (run.network.depth + 1)
        return self.settings.policy([record["error"] for record in run.history], run.network.depth)


def _check_fit(network: Network, splits: Mapping[str, tuple[str, Split]]) -> None:
    """Raise ValueError where inputs or labels do not fit the network."""
    for name, (head, split) in splits.items():
        split.check(repr(name), network.head(head)["b"].shape[-1])
        if split.inputs.shape[-1] != network.inputs:
            raise ValueError(f"inputs of {name!r} have {split.inputs.shape[-1]} values each; expected {network.inputs}")


def _check_loss(loss: Loss, head: str, task: Task) -> None:
    """Raise ValueError where one of the library's two losses meets the other's labels; others judge for themselves."""
    if loss is cross_entropy and task.train.regression:
        raise ValueError(f"loss is cross_entropy; expected squared_error for {head!r}, a regression task")
    if loss is squared_error and not task.train.regression:
        raise ValueError(f"loss is squared_error; expected cross_entropy for {head!r}, a classification task")


def _check_terms(network: Network, settings: Hyperparameters, tasks: Mapping[str, Task]) -> None:
    """Raise ValueError where terms, weights or the tasks to watch are those of other tasks, or names are taken."""
    weighed = settings.weights if isinstance(settings.weights, Mapping) else ()
    asked = {"terms": [t.task for t in settings.terms], "weights": weighed, "watch": settings.watch}
    for what, heads in asked.items():
        for head in heads:
            if head not in tasks:
                raise ValueError(f"{what} has the task {head!r}; expected one of {', '.join(map(repr, tasks))}")
    names = [term.name for term in settings.terms]
    if len(set(names)) < len(names):
        raise ValueError(f"terms have the names {names}; expected another one for each")
    for term in settings.terms:
        term.check(network, len(tasks[term.task].train))
    first = next(iter(tasks.values())).train.inputs
    if settings.schedule == "sum" and not all(task.train.inputs is first for task in tasks.values()):
        raise ValueError(f"schedule is 'sum'; expected {', '.join(map(repr, tasks))} to share one array of inputs")
