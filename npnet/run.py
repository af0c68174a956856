"""A run as data: where it stands after some epoch, and all that takes it to its end.

All that a run needs to go on is in its `Run`, whose `tree()` is plain data: saved after any epoch and loaded anywhere,
it gives the same bits as if it had never stopped. Its settings are part of it, as a description: a run that goes
on with other ones is refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.arrays import shown
from npnet.data import Split, Task
from npnet.describe import describe, first_difference
from npnet.hyperparameters import Hyperparameters
from npnet.layers import Layer, Parameters
from npnet.losses import READS, cross_entropy, reads
from npnet.network import Network
from npnet.parts import check_backs
from npnet.policies import Mask, mask_of, trains
from npnet.trees import Tree

__all__ = ["Record", "Run", "TrainingJob"]

Record = dict[str, Any]
"""One epoch: epoch, updates (so far), mask, rate, objective (mean over steps; without the penalties where these act by
proximal steps), error (mean validation error), validation {task: error}, evaluations {name: error}. Errors are those of
`npnet.error`. Where the loss decides when to stop, losses {task: validation loss}."""


@checked
@dataclass
class Run:
    """A run as it stands after some epoch: network, generator, optimizer buffers, history, best weights.

    mask: of the next epoch, None before training has asked the policy. learned: parameters that terms of the objective
    train beside the network, by the terms' names. settings: a description of the hyperparameters that it trains with.
    Training moves the network's arrays in place: give each of several runs a `network.copy()`, and keep a copy of one
    as it stands after an epoch. When the run has finished, `network` holds the weights that `Hyperparameters.keep`
    chose. Raises ValueError for a network or a generator that is none.
    """

    network: Network
    rng: np.random.Generator
    buffers: dict[str, Tree] = field(default_factory=dict)
    history: list[Record] = field(default_factory=list)
    best: Tree = None
    finished: bool = False
    learned: dict[str, Parameters] = field(default_factory=dict)
    mask: Mask | None = None
    settings: Tree = None

    def __post_init__(self) -> None:
        bits = type(self.rng.bit_generator)
        if _BIT_GENERATORS.get(bits.__name__) is not bits:
            raise ValueError(
                f"rng draws from {bits.__module__}.{bits.__name__}, which no file could bring back; expected one of "
                f"NumPy's own, {', '.join(_BIT_GENERATORS)}, as npnet.generator(0) has"
            )

    def ask(self, policy: Callable[..., Mask]) -> None:
        """Ask the policy for the mask of the next epoch; a mask under which nothing trains finishes the run."""
        mask = mask_of(policy, [record["error"] for record in self.history], self.network.depth)
        self.finished = not any(map(trains, mask))
        self.mask = mask  # last, for a run with a mask is not asked again where this is interrupted

    def tree(self) -> Tree:
        """Return the run as a plain tree that shares its arrays, ready for `save_tree`."""
        return {
            "network": self.network.tree(),
            "generator": self.rng.bit_generator.state,
            **{name: getattr(self, name) for name in _PLAIN},
            "mask": None if self.mask is None else list(self.mask),
        }

    @classmethod
    def from_tree(cls, tree: Tree, layers: Mapping[str, Layer] | None = None) -> "Run":
        """Return the run of such a tree; layers: functions of your own by the names in it (see Network.load).

        Raises ValueError for another kind of tree.
        """
        if not isinstance(tree, dict) or "generator" not in tree:
            held = f"has the keys {', '.join(map(repr, tree))}" if isinstance(tree, dict) else f"is {shown(tree)}"
            raise ValueError(f"tree is not that of a run, but {held}; expected what Run.tree returns")
        try:
            state = tree["generator"]
            rng = np.random.Generator(_BIT_GENERATORS[state["bit_generator"]](0))
            rng.bit_generator.state = state
            network = Network.from_tree(tree["network"], layers)
            mask = None if tree["mask"] is None else tuple(tree["mask"])
            return cls(network, rng, mask=mask, **{name: tree[name] for name in _PLAIN})
        except (KeyError, TypeError) as error:
            raise ValueError(f"tree is not that of a run ({error!r}); expected what Run.tree returns") from error


_BIT_GENERATORS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64)
}
"""Those whose state a file may hold, by the names that are in it."""

_PLAIN = ("buffers", "history", "best", "finished", "learned", "settings")


@checked
@dataclass
class TrainingJob:
    """A run with all that takes it to its end: what `train` is given, one of many in a population.

    tasks: {head: task}; batches of several tasks take turns in this order. evaluations: {name: (head, split)}, measured
    after every epoch in addition to the tasks' own validation errors. failure: why it stopped, where numbers ceased to
    be finite. Raises ValueError where tasks, network and loss do not fit.
    """

    run: Run
    tasks: Mapping[str, Task]
    settings: Hyperparameters = field(default_factory=Hyperparameters)
    evaluations: Mapping[str, tuple[str, Split]] = field(default_factory=dict)
    failure: FloatingPointError | None = None

    def __post_init__(self) -> None:
        network = self.run.network
        if not self.tasks:
            raise ValueError("tasks is {}; expected at least one Task by the name of its head")
        _check_fit(network, {head: (head, task.train) for head, task in self.tasks.items()})
        _check_fit(network, self.evaluations)
        for head, task in self.tasks.items():
            if head not in network.heads:
                raise ValueError(f"tasks has {head!r}, whose head is frozen for good; expected the network's own")
            loss, kind = self.settings.loss_of(head), task.train.kind
            fitting = [each for each, kinds in READS.items() if kind in kinds]
            if kind == "classes" and (task.outputs > 1 or task.train.labels.max() > 0):  # one logit has no softmax
                fitting = [each for each in fitting if (each is cross_entropy) == (task.outputs > 1)]
            if reads(loss) and getattr(loss, "func", loss) not in fitting:
                names = " or ".join(each.__name__ for each in fitting)
                outputs = f"{task.outputs} output{'s' * (task.outputs > 1)}"
                given = getattr(loss, "func", loss).__name__
                raise ValueError(f"loss is {given}; expected {names} for {head!r}, with {kind} and {outputs}")
        for head in self.tasks:
            check_backs(network.path(head, training=True), network.inputs)
        for each in self.settings.regularizers:
            each.check(network.trunk)
        for head in self.settings.watch:
            if head not in self.tasks:
                raise ValueError(f"watch has the task {head!r}; expected one of {', '.join(map(repr, self.tasks))}")

    def start(self) -> None:
        """Write the settings into a run without an epoch yet and ask for its first mask; later refuse other settings.

        An epoch that failed and was undone is none: the run may begin again with what it should have had.
        """
        run, settings = self.run, describe(self.settings)
        if run.settings is None or not run.history:
            run.settings, run.mask = settings, None
        elif difference := first_difference(run.settings, settings):
            name, began, now = difference
            raise ValueError(
                f"{name} is {now}; expected {began}, with which this run began: resume it with its own "
                "hyperparameters, or begin another Run with its network"
            )
        if run.mask is None:
            run.ask(self.settings.policy)


def _check_fit(network: Network, splits: Mapping[str, tuple[str, Split]]) -> None:
    """Raise ValueError where inputs or labels do not fit the network."""
    for name, (head, split) in splits.items():
        split.check(repr(name), network.head(head)["b"].shape[-1])
        if split.inputs.shape[-1] != network.inputs:
            raise ValueError(f"inputs of {name!r} have {split.inputs.shape[-1]} values each; expected {network.inputs}")
