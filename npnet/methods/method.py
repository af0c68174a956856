"""What a transfer method is, how methods add up to one, and how a run with one begins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from npnet.hyperparameters import Hyperparameters
from npnet.initialisers import Initialiser, glorot
from npnet.network import Network
from npnet.policies import FineTuning, Policy
from npnet.regularizers import Regularizer
from npnet.run import Run
from npnet.tasks.data import Task
from npnet.terms import Term

__all__ = ["Method", "begin", "check_inputs", "new_head", "with_head"]

Surgery = Callable[[Network, Task, np.random.Generator, Initialiser], Network]
Objective = Callable[[Network, Task], tuple[Regularizer | Term, ...]]


def new_head(network: Network, task: Task, rng: np.random.Generator, initialise: Initialiser) -> Network:
    """Return a copy of the network with a randomly initialised head for the task beside the old ones."""
    return network.copy().add_head(task.name, task.outputs, rng, initialise)


def with_head(network: Network, task: Task, rng: np.random.Generator, initialise: Initialiser) -> Network:
    """Return a copy of the network with a head for the task: its own if it has one, else a new one."""
    return network.copy() if task.name in network.heads else new_head(network, task, rng, initialise)


def nothing(network: Network, task: Task) -> tuple[Regularizer | Term, ...]:
    """Return no term: the objective is the loss on the labels alone."""
    return ()


@dataclass(frozen=True)
class Method:
    """A transfer method: a name, a surgery, an objective and an update policy.

    objective: from the network as it stands before the new task, and that task, the regularizers and terms to add to
    the hyperparameters' own. labels: the weight of the loss on the task's labels beside them.

    Methods add up, `gradual_tuning + starting_point("l2_sp", 0.01) + without_forgetting()`: all their terms, the
    product of their weights of the labels, and of surgery and policy the one that is not plain fine tuning's. The sum
    raises ValueError where there are two different ones.
    """

    name: str
    surgery: Surgery = new_head
    objective: Objective = nothing
    policy: Policy = field(default_factory=FineTuning)
    labels: float = 1.0

    def __add__(self, other: "Method") -> "Method":
        def objective(network: Network, task: Task) -> tuple[Regularizer | Term, ...]:
            return (*self.objective(network, task), *other.objective(network, task))

        name = f"{self.name} + {other.name}"
        return Method(
            name,
            _either(name, "surgery", self.surgery, other.surgery, (new_head, with_head)),
            objective,
            _either(name, "policy", self.policy, other.policy, (FineTuning(),)),
            self.labels * other.labels,
        )


def _either(name: str, what: str, one: Any, other: Any, usual: tuple[Any, ...]) -> Any:
    """Return the more particular of two choices: one that is not among the usual ones, else the later of those."""
    chosen = [each for each in (one, other) if each not in usual]
    if len(chosen) > 1 and one != other:
        raise ValueError(f"{name} has two choices of {what}, {one} and {other}; expected one of its own at most")
    return chosen[0] if chosen else max(one, other, key=usual.index)


def begin(
    method: Method,
    network: Network,
    task: Task,
    rng: np.random.Generator,
    hyperparameters: Hyperparameters | None = None,
    initialise: Initialiser = glorot,
) -> tuple[Run, Hyperparameters]:
    """Return the run and the hyperparameters with which `train` applies a method to a network and a new task.

    The given network is not changed. What the method says of the policy replaces what the hyperparameters say. Raises
    ValueError where a penalty is on layers that the network brings along, and the surgery changes their shape or puts
    a new trunk beside them.
    """
    given = hyperparameters or Hyperparameters()
    added = method.objective(network, task)
    run = Run(method.surgery(network, task, rng, initialise), rng)
    if any(isinstance(each, Regularizer) and each.shared is not None for each in added):
        _check_shared(method.name, network, run.network)
    settings = replace(
        given,
        policy=method.policy,
        regularizers=given.regularizers + tuple(each for each in added if isinstance(each, Regularizer)),
        terms=given.terms + tuple(each for each in added if not isinstance(each, Regularizer)),
    )
    if method.labels != 1:
        if not isinstance(given.weights, Mapping):
            raise ValueError(
                f"weights is {given.weights!r}; expected numbers beside {method.name!r}, which scales them"
            )
        weight = method.labels * given.weights.get(task.name, 1.0)
        settings = replace(settings, weights={**given.weights, task.name: weight})
    return run, settings


def check_inputs(teacher: Network, network: Network) -> None:
    """Raise ValueError where a teacher reads other inputs than a student."""
    if teacher.inputs != network.inputs:
        raise ValueError(f"teacher has {teacher.inputs} inputs; expected {network.inputs}, those of the student")


def _check_shared(name: str, before: Network, after: Network) -> None:
    """Raise ValueError where the hidden layers that a network brought along are not in their places any more."""
    if len(after.columns) > len(before.columns):
        raise ValueError(f"{name!r} puts a new trunk beside the old one; expected old layers that a penalty can act on")
    for i, (p, q) in enumerate(zip(before.trunk, after.trunk, strict=False), 1):
        old, new = ({key: w.shape for key, w in each.items()} for each in (p, q))
        if old != new:
            raise ValueError(
                f"{name!r} makes hidden layer {i} {new} of {old}; expected a layer as it was, for a penalty"
            )
