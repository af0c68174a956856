"""A step of npnet in its parts, for the faults in objectives and in what moves: one head "a", all examples at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from npnet import SGD, Network, Regularizer, cross_entropy
from npnet.frozen import Read
from npnet.fused import dense
from npnet.layers import Path, forward
from npnet.objective import loss_at_head
from npnet.optimizers import Optimizer
from npnet.step import Move, Objective, Penalise, take_step

__all__ = ["HEAD", "loss_on", "step_on", "value_and_gradients"]

HEAD = "a"
ALL = np.s_[:]


def loss_on(network: Network, X: Any, labels: Any, mask: tuple[float, ...] = (1.0, 1.0, 1.0)) -> Objective:
    """Return the loss at the head on examples; a step's rows are of these."""

    def read(below: Path) -> Read:
        Y = forward(below, X)[0][-1]
        return lambda rows: (Y[rows], labels[rows])

    return loss_at_head(network, HEAD, cross_entropy, mask, read)


def value_and_gradients(
    objective: Objective, regularizers: Sequence[Regularizer] = (), rows: Any = ALL
) -> tuple[Any, list[dict[str, Any]]]:
    """Return the value of an objective with penalties, and the gradients of each layer that trains, from the bottom."""
    value, way_down = objective.descent(rows, None)
    penalty, gradients = Penalise(regularizers), []
    for group, found in way_down:
        value = value + penalty(group, found)
        gradients.append({key: dense(d) for key, d in found.items()})
    return value, gradients[::-1]


def step_on(
    objective: Objective, rate: float, buffers: dict[str, Any], optimizer: Optimizer | None = None, rows: Any = ALL
) -> None:
    """Take a step down an objective, with the buffers of an optimizer."""
    take_step(objective, Penalise(), Move(optimizer or SGD(), rate, buffers), rows, None)
