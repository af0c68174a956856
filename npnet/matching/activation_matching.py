"""Activation matching: hidden layers of a student shall give what a teacher's give.

    objective = loss + (β/N) Σₙ Σ_pairs ½‖h_student − h_teacher‖²

Where a pair's widths differ, a linear regressor that trains along stands between: ½‖h_student W + b − h_teacher‖².
"""

from collections.abc import Callable, Sequence
from functools import partial

from npnet.arguments import checked
from npnet.arrays import Array
from npnet.data import Task
from npnet.hyperparameters import Hyperparameters
from npnet.losses import squared_error
from npnet.matching.match import Match
from npnet.matching.objective import add_terms
from npnet.matching.targets import cached_targets
from npnet.matching.terms import check_place, width_of
from npnet.methods.method import Method, check_inputs, with_head
from npnet.network import Network
from npnet.policies import FineTuning, Mask

__all__ = ["activation_matching"]


@checked
def activation_matching(
    teacher: Network,
    beta: float = 1.0,
    layers: Sequence[tuple[int, int]] | None = None,
    regressor: bool | None = None,
    labels: float = 1.0,
    policy: Callable[..., Mask] | None = None,
) -> Method:
    """Return the method that matches pairs (student's layer, teacher's layer), from 1; by default the last of each
    network as it stands before any surgery.

    Layers are compared after their activation, the student's before its dropout. regressor: always, never, or (None)
    where widths differ. labels: the weight of the loss on the labels, 0 to match alone. Raises ValueError for a
    negative beta; `begin` does for layers that do not exist, and for widths that differ with regressor=False.
    Source: the lecture of 2018, after Romero et al. 2015 (FitNets), equation 3.
    """
    if not beta >= 0:
        raise ValueError(f"beta is {beta}; expected zero or more")
    objective = partial(_with_pairs, teacher=teacher, beta=beta, layers=layers, regressor=regressor, labels=labels)
    return Method("activation matching", with_head, objective, policy or FineTuning())


def _with_pairs(
    network: Network,
    task: Task,
    settings: Hyperparameters,
    teacher: Network,
    beta: float,
    layers: Sequence[tuple[int, int]] | None,
    regressor: bool | None,
    labels: float,
) -> Hyperparameters:
    """Return settings with a term for each pair of layers."""

    def pair(mine: int, theirs: int) -> Match:
        check_place(network, mine)
        if not 1 <= theirs <= teacher.depth:
            raise ValueError(f"layers has the teacher's {theirs}; expected 1 to {teacher.depth}")
        widths = width_of(network, mine), teacher.units[theirs - 1]
        between = widths[0] != widths[1] if regressor is None else regressor
        if not between and widths[0] != widths[1]:
            raise ValueError(f"regressor is False; expected one between {widths[0]} and {widths[1]} units")
        targets = cached_targets(partial(_outputs, teacher=teacher, layer=theirs), task.train, teacher)
        name = f"layer {mine} as the teacher's {theirs} on {task.name!r}"
        return Match(name, task.name, mine, squared_error, targets, beta, widths[1] if between else None)

    check_inputs(teacher, network)
    pairs = layers or [(network.depth, teacher.depth)]
    return add_terms(settings, task, [pair(*each) for each in pairs], labels)


def _outputs(X: Array, labels: Array, teacher: Network, layer: int) -> Array:
    return teacher.hidden_outputs(X)[layer - 1]
