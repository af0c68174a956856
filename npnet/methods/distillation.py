"""Distillation: a student learns what a teacher says of every class, not the true one alone.

    objective = (1 − α) CE(y, f) + α T² CE(p_T, f_T),        p_T and f_T softmax of the teacher's and own logits over T

The teacher's logits on the training inputs are recorded once. T² keeps the size of the gradient whatever T is.
"""

from functools import partial

from npnet.arrays import Array
from npnet.losses import soft_cross_entropy, softmax
from npnet.methods.method import Method, check_inputs, with_head
from npnet.network import Network
from npnet.policies import FineTuning, Policy
from npnet.recordings import record
from npnet.tasks.data import Task
from npnet.terms import Match

__all__ = ["distillation"]


def distillation(
    teacher: Network,
    alpha: float = 0.9,
    temperature: float = 20.0,
    head: str | None = None,
    policy: Policy | None = None,
) -> Method:
    """Return the method that distils a teacher's head (the task's name by default) into the student's for the task.

    alpha: the share of the teacher's word, 1 for that alone. The student keeps a head of the task's name if it has one.
    Raises ValueError unless 0 ≤ α ≤ 1 and T > 0; `begin` does where the teacher has no such head, or other
    inputs or outputs than the student.
    Source: Hinton, Vinyals and Dean 2015, section 2; the form with α as the lecture of 2018 has it.
    """
    if not (0 <= alpha <= 1 and temperature > 0):
        raise ValueError(f"alpha is {alpha}, temperature {temperature}; expected 0 <= alpha <= 1, temperature > 0")

    def objective(network: Network, task: Task) -> tuple[Match, ...]:
        check_inputs(teacher, network)
        outputs = teacher.head(head or task.name)["b"].shape[-1]
        if outputs != task.outputs:
            raise ValueError(f"teacher has {outputs} outputs; expected {task.outputs}, those of the task {task.name!r}")

        def softened(X: Array, labels: Array) -> Array:
            return softmax(teacher.logits(X, head or task.name) / temperature)

        loss = partial(soft_cross_entropy, temperature=temperature)
        targets = record(softened, task.train, teacher)
        name = f"distillation of {task.name!r}"
        return (Match(name, task.name, task.name, loss, targets, alpha * temperature**2),)

    return Method("distillation", with_head, objective, policy or FineTuning(), labels=1 - alpha)
