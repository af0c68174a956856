"""A step of npnet in its parts, for the faults in objectives and in what moves: one head, all examples at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from npnet import SGD, Network, Regularizer, cross_entropy
from npnet.objective import loss_at_head
from npnet.optimizers import Optimizer
from npnet.proofs.objectives import reading, value_and_gradients
from npnet.step import Move, Objective, Penalise, take_step

__all__ = ["HEAD", "loss_on", "step_on", "value_and_layers"]

HEAD = "a"
ALL = np.s_[:]


def loss_on(network: Network, X: Any, labels: Any, mask: tuple[float, ...] = (1.0, 1.0, 1.0)) -> Objective:
    """Return the loss at the head on examples; a step's rows are of these."""
    return loss_at_head(network, HEAD, cross_entropy, mask, reading(X, lambda rows: labels[rows]))


def value_and_layers(
    objective: Objective, regularizers: Sequence[Regularizer] = (), rows: Any = ALL
) -> tuple[Any, list[dict[str, Any]]]:
    """Return the value of an objective with penalties, and the gradients of each layer that trains, from the bottom."""
    value, gradients = value_and_gradients(objective, rows, None, regularizers)
    return value, [*gradients.values()][::-1]


def step_on(
    objective: Objective, rate: float, buffers: dict[str, Any], optimizer: Optimizer | None = None, rows: Any = ALL
) -> None:
    """Take a step down an objective, with the buffers of an optimizer."""
    take_step(objective, Penalise(), Move(optimizer or SGD(), rate, buffers), rows, None)
