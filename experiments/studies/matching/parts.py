"""What a student can match of its teacher, and in which rows of the two tables it does."""

from collections.abc import Callable, Mapping
from typing import Literal

from npnet import (
    Hyperparameters,
    Match,
    Method,
    Network,
    Task,
    activation_matching,
    attention_transfer,
    jacobian_matching,
    squared_error,
)
from npnet.arrays import Array
from npnet.matching import add_terms
from npnet.matching.targets import cached_targets
from npnet.methods.method import with_head

__all__ = ["CE", "ORACLE", "OTHER", "PARTS", "PATCHED", "SAME"]

CE, ORACLE, PATCHED = "CE", "CE, pre-trained (oracle)", "patches: CE"


def outputs(teacher: Network, branch: str | None, beta: float = 0.1) -> Method:
    """Return the method that adds β/(2N) Σₙ ‖z_student − z_teacher‖²: distillation's limit of high temperature."""
    head = next(iter(teacher.heads))

    def objective(network: Network, task: Task, settings: Hyperparameters) -> Hyperparameters:
        def said(X: Array, labels: Array) -> Array:
            return teacher.logits(X, head)

        targets = cached_targets(said, task.train, teacher)
        term = Match("outputs", task.name, branch or task.name, squared_error, targets, beta)
        return add_terms(settings, task, [term])

    return Method("outputs", with_head, objective)


def _no_labels(network: Network, task: Task, settings: Hyperparameters) -> Hyperparameters:
    """Return settings without the loss on the labels."""
    return add_terms(settings, task, [], labels=0.0)


def _jacobian(teacher: Network, branch: str | None, of: Literal["largest", "all"] = "largest") -> Method:
    return jacobian_matching(teacher, of, head=next(iter(teacher.heads)), branch=branch)


PARTS: Mapping[str, Callable[[Network, str | None], Method]] = {
    "outputs": outputs,
    "Jacobian": _jacobian,
    "all Jacobians": lambda teacher, branch: _jacobian(teacher, branch, "all"),
    "hidden layer": lambda teacher, branch: activation_matching(teacher, 0.05),
    "attention": lambda teacher, branch: attention_transfer(teacher, "units"),
    "input attention": lambda teacher, branch: attention_transfer(teacher, "input", head=next(iter(teacher.heads))),
    "channel attention": lambda teacher, branch: attention_transfer(teacher, "channels"),
    "no labels": lambda teacher, branch: Method("no labels", objective=_no_labels),
}
"""What is matched, with which weight: "attention" is that of the units of the last hidden layer."""

SAME: Mapping[str, tuple[str, ...]] = {
    CE: (),
    "CE + outputs": ("outputs",),
    "CE + Jacobian": ("Jacobian",),
    "CE + all Jacobians": ("all Jacobians",),
    "CE + outputs + Jacobian": ("outputs", "Jacobian"),
    "outputs only": ("outputs", "no labels"),
    "outputs + Jacobian only": ("outputs", "Jacobian", "no labels"),
    "CE + hidden layer": ("hidden layer",),
    "CE + attention": ("attention",),
    "CE + input attention": ("input attention",),
    "CE + outputs + attention + Jacobian": ("outputs", "attention", "Jacobian"),
    PATCHED: (),
    "patches: CE + channel attention": ("channel attention",),
}
OTHER: Mapping[str, tuple[str, ...]] = {
    CE: (),
    ORACLE: (),
    "CE + outputs": ("outputs",),
    "CE + outputs + Jacobian": ("outputs", "Jacobian"),
    "CE + outputs + attention": ("outputs", "attention"),
    "CE + outputs + attention + Jacobian": ("outputs", "attention", "Jacobian"),
}
"""The rows of the two tables, by what is matched."""
