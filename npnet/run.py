"""A run as data: where it stands after some epoch, and all that takes it to its end.

All that a run needs to go on is in its `Run`, whose `tree()` is plain data: saved after any epoch and loaded anywhere,
it goes on to the same bits as if it had never stopped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from npnet.arrays import generator
from npnet.hyperparameters import Hyperparameters
from npnet.layers import Parameters
from npnet.losses import Loss, cross_entropy, squared_error
from npnet.network import Network
from npnet.policies import Mask
from npnet.tasks.data import Split, Task
from npnet.trees import Tree

__all__ = ["Record", "Replicate", "Run"]

Record = dict[str, Any]
"""One epoch: epoch, updates (so far), mask, rate, objective (mean over steps; without the penalties where these act by
proximal steps), error (mean validation error), validation {task: error}, evaluations {name: error}. Errors are those of
`analysis.error`."""


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
