"""Training: epochs over one task or several, an update mask for each epoch, early stopping by the validation error.

`train` is a generator that yields one record an epoch. All that it needs to go on is in the `Run`, whose `tree()` is
plain data: saved after any epoch and loaded anywhere, it goes on to the same bits as if it had never stopped. An epoch
that fails or is interrupted is undone, so a run never holds half an epoch.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Literal

import numpy as np

from npnet.arrays import Array, array_module, generator
from npnet.blas import advise
from npnet.features import Features
from npnet.losses import Loss, cross_entropy, squared_error
from npnet.network import Network
from npnet.optimizers import SGD, Optimizer, Schedule, constant
from npnet.penalties import Regularizer
from npnet.policies import FineTuning, Mask, Policy
from npnet.tasks.data import Split, Task
from npnet.trees import Tree, copy_tree
from npnet.update import NotFiniteError, Update

__all__ = ["Hyperparameters", "Record", "Run", "epochs_without_minimum", "train"]

Record = dict[str, Any]
"""One epoch: epoch, updates (so far), mask, rate, objective (mean over steps), error (mean validation error),
validation {task: error}, evaluations {name: error}. Errors are those of `analysis.error`."""


@dataclass(frozen=True)
class Hyperparameters:
    """How a network is trained. Raises ValueError for values out of range, naming them.

    loss: that of every task: cross_entropy for classes, squared_error for a regression, or one of your own.
    patience: epochs without a new minimum of the validation error before the run stops; None: only max_epochs stops it.
    keep: which weights the run ends with. patience_restarts: the count begins again when a layer joins.
    patience_cuts_short: patience may end a gradual run before all its layers train.
    together: with several tasks, a minimum is a new minimum of "all" errors and patience that of the least patient
    ("all", as in Montone et al. 2017, section 5.2), or both look at their "mean".
    memory_budget: bytes that activations of frozen layers may occupy.
    """

    batch_size: int = 20
    rate: Schedule = field(default_factory=lambda: constant(0.01))
    optimizer: Optimizer = field(default_factory=SGD)
    loss: Loss = cross_entropy
    regularizers: tuple[Regularizer, ...] = ()
    policy: Policy = field(default_factory=FineTuning)
    patience: int | None = 20
    max_epochs: int = 1000
    keep: Literal["best", "last"] = "best"
    patience_restarts: bool = True
    patience_cuts_short: bool = False
    together: Literal["all", "mean"] = "all"
    memory_budget: int = 2**30

    def __post_init__(self) -> None:
        for name, least in (("batch_size", 1), ("max_epochs", 1), ("memory_budget", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; expected at least {least}")
        if self.patience is not None and self.patience < 1:
            raise ValueError(f"patience is {self.patience}; expected at least one epoch, or None")
        for name, known in (("keep", ("best", "last")), ("together", ("all", "mean"))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected one of {known}")


@dataclass
class Run:
    """A run as it stands after some epoch: network, generator, optimizer buffers, history, best weights.

    When the run has finished, `network` holds the weights that `Hyperparameters.keep` asked for.
    """

    network: Network
    rng: np.random.Generator
    buffers: dict[str, Tree] = field(default_factory=dict)
    history: list[Record] = field(default_factory=list)
    best: Tree = None
    finished: bool = False

    def tree(self) -> Tree:
        """Return the run as a plain tree that shares its arrays, ready for `save_tree`."""
        return {
            "network": self.network.tree(),
            "generator": self.rng.bit_generator.state,
            "buffers": self.buffers,
            "history": self.history,
            "best": self.best,
            "finished": self.finished,
        }

    @classmethod
    def from_tree(cls, tree: Tree) -> "Run":
        """Return the run of such a tree. Raises ValueError for another kind of tree."""
        try:
            rng = generator(0)
            rng.bit_generator.state = tree["generator"]
            network = Network.from_tree(tree["network"])
            return cls(network, rng, tree["buffers"], tree["history"], tree["best"], tree["finished"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"tree is not that of a run ({error!r}); expected what Run.tree returns") from error


def train(
    run: Run,
    tasks: Mapping[str, Task],
    hyperparameters: Hyperparameters | None = None,
    evaluations: Mapping[str, tuple[str, Split]] | None = None,
) -> Iterator[Record]:
    """Train until the run has finished, yielding the record of each epoch.

    tasks: {head: task}; batches of several tasks alternate in this order. evaluations: {name: (head, split)}, measured
    after every epoch beside the tasks' own validation errors. Between two records `run` is whole: save it there.
    Raises ValueError where tasks, network and loss do not fit, NotFiniteError as soon as a number is not finite: the
    run then stands as it did after the last good epoch.
    """
    advise()
    settings = hyperparameters or Hyperparameters()
    evaluations = evaluations or {}
    if not tasks:
        raise ValueError(f"tasks is {tasks}; expected at least one task by the name of its head")
    _check_fit(run.network, {head: (head, task.train) for head, task in tasks.items()})
    _check_fit(run.network, evaluations)
    _check_loss(settings.loss, tasks)
    features = Features(run.network, settings.memory_budget)
    while not run.finished and any(mask := _next_mask(run, settings)):
        undo = _snapshot(run, tasks, mask)
        try:
            record = _epoch(run, tasks, settings, evaluations, features, mask)
        except BaseException:
            undo()
            raise
        run.history.append(record)
        _keep_or_finish(run, settings)
        yield record


def _next_mask(run: Run, settings: Hyperparameters) -> Mask:
    return settings.policy([record["error"] for record in run.history], run.network.depth)


def _epoch(
    run: Run,
    tasks: Mapping[str, Task],
    settings: Hyperparameters,
    evaluations: Mapping[str, tuple[str, Split]],
    features: Features,
    mask: Mask,
) -> Record:
    """Train and evaluate one epoch and return its record."""
    epoch = len(run.history)
    rate = settings.rate(epoch)
    update = {
        head: Update(run.network, head, mask, settings.loss, settings.regularizers, settings.optimizer)
        for head in tasks
    }
    features.freeze(min(each.lowest for each in update.values()))
    inputs = {head: features.of(task.train, update[head].start) for head, task in tasks.items()}
    objective, updates = 0.0, 0
    with np.errstate(over="ignore", invalid="ignore"):  # every update looks for itself at what is not finite
        for head, rows in _batches(run, tasks, settings.batch_size):
            updates += 1
            try:
                X, labels = inputs[head](rows), tasks[head].train.labels[rows]
                objective += update[head](X, labels, rate, run.buffers, run.rng)
            except NotFiniteError as error:
                raise NotFiniteError(error.what, error.layer, epoch + 1, updates) from None
        validation = {head: features.error(head, task.validation) for head, task in tasks.items()}
        evaluated = {name: features.error(head, split) for name, (head, split) in evaluations.items()}
    for name, measured in [*validation.items(), *evaluated.items()]:
        if not math.isfinite(measured):
            raise NotFiniteError("error", f"the outputs for {name!r}", epoch + 1, updates)
    return {
        "epoch": epoch + 1,
        "updates": updates + (run.history[-1]["updates"] if run.history else 0),
        "mask": list(mask),
        "rate": rate,
        "objective": objective / updates,
        "error": sum(validation.values()) / len(validation),
        "validation": validation,
        "evaluations": evaluated,
    }


def _batches(run: Run, tasks: Mapping[str, Task], size: int) -> Iterator[tuple[str, Array]]:
    """Yield (head, rows) through all tasks in turn, each in an order of its own, until the longest is through."""
    xp = array_module(run.network.trunk[0]["W"])
    orders = {head: xp.asarray(run.rng.permutation(len(task.train))) for head, task in tasks.items()}
    for at in range(0, max(map(len, orders.values())), size):
        for head, order in orders.items():
            if at < len(order):
                yield head, order[at : at + size]


def epochs_without_minimum(history: Sequence[Record], together: str = "all", restarts: bool = True) -> int:
    """Return for how many epochs no new minimum of the validation error has been made.

    together: "all", the count of whichever task has waited longest, or "mean", that of the tasks' mean error.
    restarts: the count begins again with the epoch in which the mask last changed.
    """
    if together == "mean":
        curves = [[record["error"] for record in history]]
    else:
        curves = [[record["validation"][head] for record in history] for head in history[-1]["validation"]]
    waited = max(len(curve) - 1 - curve.index(min(curve)) for curve in curves)
    if restarts:
        under_this_mask = sum(1 for _ in takewhile(lambda r: r["mask"] == history[-1]["mask"], reversed(history)))
        waited = min(waited, under_this_mask)
    return waited


def _keep_or_finish(run: Run, settings: Hyperparameters) -> None:
    """Keep the weights of a new minimum; where the rules say so, finish the run with the weights they ask for."""
    if epochs_without_minimum(run.history, settings.together, restarts=False) == 0:
        run.best = {"epoch": len(run.history), "network": copy_tree(run.network.tree())}
    mask, following = tuple(run.history[-1]["mask"]), _next_mask(run, settings)
    waited = epochs_without_minimum(run.history, settings.together, settings.patience_restarts)
    joining = settings.policy.gradual and not settings.patience_cuts_short and not all(mask)
    if settings.patience_restarts and following != mask:
        waited = 0
    impatient = settings.patience is not None and waited >= settings.patience and not joining
    run.finished = impatient or len(run.history) >= settings.max_epochs or not any(following)
    if run.finished and settings.keep == "best":
        run.network = Network.from_tree(run.best["network"])


def _snapshot(run: Run, tasks: Mapping[str, Task], mask: Mask) -> Callable[[], None]:
    """Copy what an epoch may change and return the function that puts it all back."""
    state = run.rng.bit_generator.state
    buffers = copy_tree(run.buffers)
    moving = [p for p, share in zip(run.network.trunk, mask, strict=False) if share]
    moving += [run.network.head(head) for head in tasks]
    copies = copy_tree(moving)

    def restore() -> None:
        run.rng.bit_generator.state = state
        run.buffers = buffers
        for p, copy in zip(moving, copies, strict=True):
            for key, w in p.items():
                w[...] = copy[key]

    return restore


def _check_fit(network: Network, splits: Mapping[str, tuple[str, Split]]) -> None:
    """Raise ValueError where inputs or labels do not fit the network."""
    width = network.trunk[0]["W"].shape[-2]
    for name, (head, split) in splits.items():
        split.check(repr(name), network.head(head)["b"].shape[-1])
        if split.inputs.shape[-1] != width:
            raise ValueError(f"inputs of {name!r} have {split.inputs.shape[-1]} values each; expected {width}")


def _check_loss(loss: Loss, tasks: Mapping[str, Task]) -> None:
    """Raise ValueError where one of the library's two losses meets the other's labels; others judge for themselves."""
    for head, task in tasks.items():
        if loss is cross_entropy and task.train.regression:
            raise ValueError(f"loss is cross_entropy; expected squared_error for {head!r}, a regression task")
        if loss is squared_error and not task.train.regression:
            raise ValueError(f"loss is squared_error; expected cross_entropy for {head!r}, a classification task")
