"""What a transfer method is, how methods add up to one, and how a run with one begins."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.data import Task
from npnet.hyperparameters import Hyperparameters
from npnet.initialisers import Initialiser, glorot
from npnet.network import Network
from npnet.policies import FineTuning, Mask
from npnet.run import Run

__all__ = ["Method", "begin", "check_inputs", "new_head", "nothing", "with_head"]

Surgery = Callable[[Network, Task, np.random.Generator, Initialiser], Network]
Objective = Callable[[Network, Task, Hyperparameters], Hyperparameters]


def new_head(network: Network, task: Task, rng: np.random.Generator, initialise: Initialiser) -> Network:
    """Return a copy of the network with one more head, randomly initialised, for the task."""
    return network.copy().add_head(task.name, task.outputs, rng, initialise)


def with_head(network: Network, task: Task, rng: np.random.Generator, initialise: Initialiser) -> Network:
    """Return a copy of the network with a head for the task: its own if it has one, else a new one."""
    return network.copy() if task.name in network.heads else new_head(network, task, rng, initialise)


def nothing(network: Network, task: Task, settings: Hyperparameters) -> Hyperparameters:
    """Return the settings as they are: the objective is the loss on the labels alone."""
    return settings


@checked
@dataclass(frozen=True)
class Method:
    """A transfer method: a name, a surgery, an objective and an update policy.

    surgery    from the network as it stands, the new task, a generator and an initialiser to the network that trains
    objective  from the network as it stands, the new task and the settings to settings that minimise more: regularizers
               that look back at the old network, terms that see the batch
    policy     which layers may move when

    Methods add up, `gradual_tuning + starting_point("l2_sp", 0.01) + without_forgetting()`: both objectives, one after
    the other, and of surgery and policy the one that is not plain fine tuning's. The sum raises ValueError where there
    are two different ones.
    """

    name: str
    surgery: Surgery = new_head
    objective: Objective = nothing
    policy: Callable[..., Mask] = field(default_factory=FineTuning)

    def __add__(self, other: "Method") -> "Method":
        name = f"{self.name} + {other.name}"
        return Method(
            name,
            _either(name, "surgery", self.surgery, other.surgery, (new_head, with_head)),
            partial(_both, first=self.objective, then=other.objective),
            _either(name, "policy", self.policy, other.policy, (FineTuning(),)),
        )


def _both(
    network: Network, task: Task, settings: Hyperparameters, first: Objective, then: Objective
) -> Hyperparameters:
    return then(network, task, first(network, task, settings))


def _either(name: str, what: str, one: Any, other: Any, usual: tuple[Any, ...]) -> Any:
    """Return the more particular of two choices: one that is not among the usual ones, else the later of those."""
    chosen = [each for each in (one, other) if each not in usual]
    if len(chosen) > 1 and one != other:
        raise ValueError(f"{name} has two choices of {what}, {one} and {other}; expected one of its own at most")
    return chosen[0] if chosen else max(one, other, key=usual.index)


@checked
def begin(
    method: Method,
    network: Network,
    task: Task,
    rng: np.random.Generator,
    hyperparameters: Hyperparameters | None = None,
    initialise: Initialiser = glorot,
) -> tuple[Run, Hyperparameters]:
    """Return the run and the hyperparameters with which `train` applies a method to a network and a new task.

    The given network is not changed. The method's policy replaces that of the hyperparameters. Raises ValueError where
    a penalty is on layers of the old network, and the surgery changes them.
    """
    given = hyperparameters or Hyperparameters()
    settings = replace(method.objective(network, task, given), policy=method.policy)
    run = Run(method.surgery(network, task, rng, initialise), rng)
    if any(each.inherited is not None for each in settings.regularizers[len(given.regularizers) :]):
        _check_shared(method.name, network, run.network)
    return run, settings


def check_inputs(teacher: Network, network: Network) -> None:
    """Raise ValueError where a teacher reads other inputs than a student."""
    if teacher.inputs != network.inputs:
        raise ValueError(f"teacher has {teacher.inputs} inputs; expected {network.inputs}, those of the student")


def _check_shared(name: str, before: Network, after: Network) -> None:
    """Raise ValueError where the hidden layers that a network brought along are not in their places any more."""
    for i, (p, q) in enumerate(zip(before.trunk, after.trunk, strict=False), 1):
        old, new = ({key: w.shape for key, w in each.items()} for each in (p, q))
        if old != new or not all((w == q[key]).all() for key, w in p.items()):
            raise ValueError(
                f"{name!r} makes hidden layer {i} {new} of {old}, or draws it again; expected a layer as it was, for a "
                "penalty that looks back at it"
            )
