"""Learning without Forgetting: old heads go on saying of the new task's inputs what they said before it.

    objective = CE(y, f) + λ Σ_old CE(y'_T, ŷ'_T) + R,        y' = softmax(z/T) cached before training

No old example is needed. The trunk, the old heads and the new one all train; while the trunk is frozen old heads rest,
for their answers cannot change.
"""

from collections.abc import Callable, Sequence
from functools import partial

from npnet.arguments import checked
from npnet.arrays import Array
from npnet.data import Task
from npnet.hyperparameters import Hyperparameters
from npnet.losses import softmax
from npnet.matching.match import LwFLoss
from npnet.matching.objective import add_terms
from npnet.matching.targets import cached_targets
from npnet.methods.method import Method
from npnet.methods.policies import WarmUp
from npnet.network import Network
from npnet.policies import FineTuning, Mask
from npnet.smooth import sigmoid
from npnet.soft_losses import sigmoid_cross_entropy, soft_cross_entropy

__all__ = ["without_forgetting"]


@checked
def without_forgetting(
    weight: float = 1.0,
    temperature: float = 2.0,
    heads: Sequence[str] | None = None,
    warm_up: int = 0,
    policy: Callable[..., Mask] | None = None,
) -> Method:
    """Return the method with weight λ on each old head (or those named), softened by T without a factor T².

    warm_up: epochs in which the new head alone trains first, before the policy begins.
    Raises ValueError for a negative weight or warm-up, T of zero or less, or (from `begin`) no old head to keep.
    Source: Li and Hoiem 2016, section 3; T = 2 as there.
    """
    if not (weight >= 0 and temperature > 0 and warm_up >= 0):
        given = f"weight is {weight}, temperature {temperature}, warm_up {warm_up}"
        raise ValueError(f"{given}; expected weight >= 0, temperature > 0, warm_up >= 0")
    objective = partial(_with_recall, weight=weight, temperature=temperature, heads=heads)
    after = policy or FineTuning()
    return Method("without forgetting", objective=objective, policy=WarmUp(warm_up, after) if warm_up else after)


def _with_recall(
    network: Network,
    task: Task,
    settings: Hyperparameters,
    weight: float,
    temperature: float,
    heads: Sequence[str] | None,
) -> Hyperparameters:
    """Return settings with a term for each old head."""
    old = [head for head in network.heads if head != task.name] if heads is None else heads
    if not old:
        raise ValueError("network has no old heads; expected at least one that is not to be forgotten")

    def keep(head: str) -> LwFLoss:
        one_logit = network.head(head)["b"].shape == (1,)
        softened = partial(_softened, network=network, head=head, temperature=temperature)
        loss = partial(_soft_sigmoid if one_logit else soft_cross_entropy, temperature=temperature)
        targets = cached_targets(softened, task.train, network)
        return LwFLoss(f"recall of {head!r} on {task.name!r}", task.name, head, loss, targets, weight)

    return add_terms(settings, task, [keep(head) for head in old])


def _softened(X: Array, labels: Array, network: Network, head: str, temperature: float) -> Array:
    Z = network.logits(X, head) / temperature
    return softmax(Z) if Z.shape[-1] > 1 else sigmoid.value(Z)  # of two classes one logit: the softmax of (0, z)


def _soft_sigmoid(Z: Array, P: Array, temperature: float) -> tuple[Array, Array]:
    """Return `soft_cross_entropy` of the two logits (0, z) that a head with one logit z stands for, (N, 1)."""
    value, dZ = sigmoid_cross_entropy(Z / temperature, P)
    return value, dZ / temperature
