"""Turns an objective of training into a function with its gradients, as `check_gradient` takes it.

An objective says what it minimises and yields the gradients of one group after the other, the topmost first. Here they
are collected, with what penalties add to them, as plain arrays.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from npnet.arrays import Array
from npnet.frozen import Read
from npnet.fused import dense
from npnet.layers import Parameters, Path, forward
from npnet.matching.several import SumOfTerms
from npnet.regularizers import Regularizer
from npnet.step import Group, Objective, Penalise

__all__ = ["moving", "reading", "value_and_gradients"]


def reading(X: Array, labels: Callable[[Array], Any]) -> Callable[[Path], Read]:
    """Return what an objective reads by: from the frozen path below to the function that reads some rows of X above it.

    labels: from rows to what the objective compares their outputs with.
    """
    return lambda below: lambda rows: (forward(below, X[rows])[0][-1], labels(rows))


def moving(group: Group, arrays: Parameters) -> Parameters:
    """Return those of a layer's arrays that train, in the order of its parameters."""
    return {key: dense(w) for key, w in arrays.items() if key in group.shares}


def value_and_gradients(
    objective: Objective | SumOfTerms,
    rows: Array,
    rng: np.random.Generator | None = None,
    regularizers: Sequence[Regularizer] = (),
) -> tuple[Array, dict[str, Parameters]]:
    """Return the value on a batch and the gradients of all that trains, {group: {parameter: array}}.

    regularizers: penalties whose values and gradients are added.
    """
    value, way_down = objective.descent(rows, rng)
    penalise, found = Penalise(regularizers), {}
    for group, gradients in way_down:
        value = value + penalise(group, gradients)
        found[group.name] = moving(group, gradients)
    return value, found
