"""Distillation: a student learns from a teacher's probabilities of all classes, not from the true class alone.

    objective = (1 − α) CE(y, f) + α T² CE(p_T, f_T),        p_T and f_T softmax of the teacher's and own logits over T

The teacher's logits on the training inputs are computed once. T² keeps the size of the gradient whatever T is.
"""

from collections.abc import Callable
from functools import partial

from npnet.arguments import checked
from npnet.arrays import Array
from npnet.data import Task
from npnet.hyperparameters import Hyperparameters
from npnet.losses import softmax
from npnet.matching.match import Match
from npnet.matching.objective import add_terms
from npnet.matching.targets import cached_targets
from npnet.methods.method import Method, check_inputs, with_head
from npnet.network import Network
from npnet.policies import FineTuning, Mask
from npnet.soft_losses import soft_cross_entropy

__all__ = ["distillation"]


@checked
def distillation(
    teacher: Network,
    alpha: float = 0.9,
    temperature: float = 20.0,
    head: str | None = None,
    policy: Callable[..., Mask] | None = None,
) -> Method:
    """Return the method that distils a teacher's head (the task's name by default) into the student's for the task.

    alpha: weight of the distillation loss; 1: teacher only. The student keeps a head of the task's name if it has one.
    Raises ValueError unless 0 ≤ α ≤ 1 and T > 0; `begin` does where the teacher has no such head, other
    inputs or outputs than the student, or a single output.
    Source: Hinton, Vinyals and Dean 2015, section 2; the form with α as the lecture of 2018 has it.
    """
    if not (0 <= alpha <= 1 and temperature > 0):
        raise ValueError(f"alpha is {alpha}, temperature {temperature}; expected 0 <= alpha <= 1, temperature > 0")
    objective = partial(_with_teacher, teacher=teacher, alpha=alpha, temperature=temperature, head=head)
    return Method("distillation", with_head, objective, policy or FineTuning())


def _with_teacher(
    network: Network,
    task: Task,
    settings: Hyperparameters,
    teacher: Network,
    alpha: float,
    temperature: float,
    head: str | None,
) -> Hyperparameters:
    """Return settings with the term of the teacher's probabilities."""
    check_inputs(teacher, network)
    theirs = head or task.name
    outputs = teacher.head(theirs)["b"].shape[-1]
    if outputs != task.outputs:
        raise ValueError(f"teacher has {outputs} outputs; expected {task.outputs}, those of the task {task.name!r}")
    if outputs == 1:
        raise ValueError(f"head {theirs!r} has one logit, whose softmax is always 1; expected a logit for each class")
    softened = partial(_softened, teacher=teacher, head=theirs, temperature=temperature)
    targets = cached_targets(softened, task.train, teacher)
    loss, weight = partial(soft_cross_entropy, temperature=temperature), alpha * temperature**2
    term = Match(f"distillation of {task.name!r}", task.name, task.name, loss, targets, weight)
    return add_terms(settings, task, [term], labels=1 - alpha)


def _softened(X: Array, labels: Array, teacher: Network, head: str, temperature: float) -> Array:
    return softmax(teacher.logits(X, head) / temperature)
