"""What a transfer method is, and how a run with one begins."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from npnet.initialisers import Initialiser, glorot
from npnet.network import Network
from npnet.penalties import Regularizer
from npnet.policies import FineTuning, Policy
from npnet.run import Hyperparameters, Run
from npnet.tasks.data import Task

__all__ = ["Method", "begin", "new_head"]

Surgery = Callable[[Network, Task, np.random.Generator, Initialiser], Network]
Objective = Callable[[Network], tuple[Regularizer, ...]]


def new_head(network: Network, task: Task, rng: np.random.Generator, initialise: Initialiser) -> Network:
    """Return a copy of the network with a randomly initialised head for the task beside the old ones."""
    return network.copy().add_head(task.name, task.outputs, rng, initialise)


@dataclass(frozen=True)
class Method:
    """A transfer method: a name, a surgery, an objective and an update policy.

    objective: from the network as it stands before the new task, the regularizers to add to the hyperparameters' own.
    """

    name: str
    surgery: Surgery = new_head
    objective: Objective = lambda network: ()
    policy: Policy = field(default_factory=FineTuning)


def begin(
    method: Method,
    network: Network,
    task: Task,
    rng: np.random.Generator,
    hyperparameters: Hyperparameters | None = None,
    initialise: Initialiser = glorot,
) -> tuple[Run, Hyperparameters]:
    """Return the run and the hyperparameters with which `train` applies a method to a network and a new task.

    The given network is not changed. What the method says of the policy replaces what the hyperparameters say.
    """
    given = hyperparameters or Hyperparameters()
    regularizers = given.regularizers + method.objective(network)
    run = Run(method.surgery(network, task, rng, initialise), rng)
    return run, replace(given, policy=method.policy, regularizers=regularizers)
