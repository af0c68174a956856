"""Jacobian matching: the student's outputs shall move with the inputs as the teacher's do (Sobolev training).

    objective = loss + β (1/N) Σₙ ‖ J_S/‖J_S‖ − J_T/‖J_T‖ ‖²

J is ∂z_c/∂x of one logit, the teacher's largest or the true class's, or the Jacobian of all logits as one vector. Noise
on the inputs of ordinary distillation comes to much the same; here it is exact, at the cost of two linear sweeps.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal, get_args

from npnet.arguments import checked
from npnet.arrays import Array
from npnet.data import Task
from npnet.error import largest
from npnet.hyperparameters import Hyperparameters
from npnet.matching.jacobian_term import InputGradient
from npnet.matching.jacobians import check_plain, jacobian
from npnet.matching.maps import unit, unit_distance
from npnet.matching.objective import add_terms
from npnet.matching.targets import cached_targets
from npnet.methods.method import Method, with_head
from npnet.network import Network
from npnet.policies import FineTuning, Mask

__all__ = ["jacobian_matching"]

Of = Literal["largest", "label", "all"]


@checked
def jacobian_matching(
    teacher: Network,
    of: Of = "largest",
    beta: float = 1.0,
    head: str | None = None,
    branch: str | None = None,
    labels: float = 1.0,
    policy: Callable[..., Mask] | None = None,
) -> Method:
    """Return the method with β on the squared distance of unit Jacobians, the teacher's computed without dropout.

    of: the logit that is largest for the teacher (of equal ones the first), that of the "label", or "all" of them
    together. head: the teacher's, by default the task's name. branch: the student's, by default the task's own; another
    one, which it must have already, answers what the teacher was asked while the task asks something else. labels: the
    weight of the loss on the labels, 0 to match alone. Where the teacher's Jacobians take more than 1 GiB they are
    computed again for each batch.
    Raises ValueError for an unknown `of` and a negative beta; `begin` does for a teacher with other inputs or outputs
    than the student's, or with layers that are not linear, and for "label" on a regression.
    Source: Srinivas and Fleuret 2018, sections 3 and 4; Czarnecki et al. 2017.
    """
    if of not in get_args(Of):
        raise ValueError(f"of is {of!r}; expected one of {', '.join(get_args(Of))}")
    if not beta >= 0:
        raise ValueError(f"beta is {beta}; expected zero or more")
    objective = partial(_with_jacobians, teacher=teacher, of=of, beta=beta, head=head, branch=branch, labels=labels)
    return Method(f"Jacobian matching ({of})", with_head, objective, policy or FineTuning())


def _with_jacobians(
    network: Network,
    task: Task,
    settings: Hyperparameters,
    teacher: Network,
    of: Of,
    beta: float,
    head: str | None,
    branch: str | None,
    labels: float,
) -> Hyperparameters:
    """Return settings with the term of the teacher's Jacobians."""
    theirs = head or task.name
    check_plain(teacher, theirs)
    if branch and branch not in network.heads:
        raise ValueError(f"branch is {branch!r}; expected one of {', '.join(map(repr, network.heads))}, the student's")
    outputs = network.head(branch)["b"].size if branch else task.outputs
    sizes = (teacher.inputs, teacher.head(theirs)["b"].size), (network.inputs, outputs)
    if sizes[0] != sizes[1]:
        raise ValueError(f"teacher has {sizes[0]} inputs and outputs; expected {sizes[1]}, those of the student")
    if of == "label" and task.train.kind != "classes":
        raise ValueError(f"of is 'label'; expected classes, and {task.name!r} is a regression")
    largest = partial(_largest, teacher=teacher, head=theirs)
    moved = partial(_unit_jacobian, teacher=teacher, head=theirs, of=of)
    classes = cached_targets(largest, task.train, teacher) if of == "largest" else None
    targets, loss = cached_targets(moved, task.train, teacher), partial(unit_distance, squared=True)
    name = f"Jacobian of {task.name!r}"
    what: Literal["logits", "logit"] = "logits" if of == "all" else "logit"
    term = InputGradient(name, task.name, branch or task.name, what, loss, targets, beta, classes)
    return add_terms(settings, task, [term], labels)


def _largest(X: Array, labels: Array, teacher: Network, head: str) -> Array:
    """The class that the teacher's answer is."""
    return largest(teacher.logits(X, head))


def _unit_jacobian(X: Array, labels: Array, teacher: Network, head: str, of: Of) -> Array:
    """The teacher's Jacobian of all logits or of one, at unit length."""
    if of == "all":
        return unit(jacobian(teacher, head, X, "logits"))[0]
    classes = _largest(X, labels, teacher, head) if of == "largest" else labels
    return unit(jacobian(teacher, head, X, "logit", classes))[0]
