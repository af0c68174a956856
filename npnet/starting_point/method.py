"""Towards the starting point: a penalty that remembers where the shared weights began, or what they did there.

    objective = loss + α Ω(w) on the shared layers + (β/2) ‖w‖² on the new ones, the new head among them

Ω is one of three penalties (l2, l1, group lasso) around zero or around the starting point w0 (-SP), each weight scaled
by one or by its Fisher information for the old tasks: the twelve rows of RECIPES. With `ProximalSGD` as the optimizer
the penalty acts through its proximal step, which puts weights exactly where it pulls them; with any other, through its
subgradient, or its gradient where `smoothing` rounds the kink off.

Source: Li, Grandvalet and Davoine 2018, sections 3 and 4.1; l2_sp_fisher is elastic weight consolidation.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from npnet.arguments import checked
from npnet.data import Task
from npnet.hyperparameters import Hyperparameters
from npnet.methods.method import Method
from npnet.network import Network
from npnet.penalties import l2, smoothed
from npnet.policies import FineTuning, Mask
from npnet.regularizers import Regularizer
from npnet.starting_point.recipes import CONVENTIONS, RECIPES
from npnet.trees import copy_tree

__all__ = ["starting_point"]


@checked
def starting_point(
    name: str,
    alpha: float,
    beta: float = 0.0,
    policy: Callable[..., Mask] | None = None,
    smoothing: float = 0.0,
    convention: str = "paper",
) -> Method:
    """Return the method "name": α on the layers that the network has, β on new ones, any update policy.

    smoothing: the ε of √(Δ² + ε²) in the kink of l1 and group lasso, 0 for the kink itself. convention: a row of
    CONVENTIONS. Names with "fisher" need a network with memories (`npnet.remember`), and have one term for each, on
    the head too that a memory holds, where that head trains again; of l1 and group lasso proximal steps take one
    memory alone.
    Raises ValueError for an unknown name or convention and negative numbers; its `begin` raises ValueError where
    the network remembers nothing, and with a surgery that changes the network's layers.
    """
    for what, value, known in (("name", name, RECIPES), ("convention", convention, CONVENTIONS)):
        if value not in known:
            raise ValueError(f"{what} is {value!r}; expected one of {', '.join(known)}")
    for what, number in (("alpha", alpha), ("beta", beta), ("smoothing", smoothing)):
        if not number >= 0:
            raise ValueError(f"{what} is {number}; expected zero or more")
    recipe, chosen = RECIPES[name], CONVENTIONS[convention]
    penalty = smoothed(recipe.penalty, smoothing) if smoothing else recipe.penalty
    strength = alpha if chosen.half or recipe.penalty is not l2 else 2 * alpha
    on_trunk = partial(Regularizer, penalty, strength, where="trunk", biases=chosen.biases)
    on_new = partial(Regularizer, l2, beta if chosen.half else 2 * beta, where="head", biases=chosen.biases)
    objective = partial(_with_penalties, name=name, on_trunk=on_trunk, on_new=on_new)
    return Method(name, objective=objective, policy=policy or FineTuning())


def _with_penalties(
    network: Network,
    task: Task,
    settings: Hyperparameters,
    name: str,
    on_trunk: Callable[..., Regularizer],
    on_new: Callable[..., Regularizer],
) -> Hyperparameters:
    """Return settings with penalties on the network's layers, around their weights now, and on new ones."""
    recipe, inherited = RECIPES[name], network.depth
    if recipe.fisher:
        if not network.memories:
            raise ValueError(f"network has no memories; expected the Fisher information that {name!r} is scaled by")
        old = [
            on_trunk(
                where="all" if each.get("head") == task.name else "trunk",
                anchors=each["anchor"] if recipe.at_start else None,
                scales=each["fisher"],
                inherited=inherited,
            )
            for each in network.memories.values()
        ]
    else:
        old = [on_trunk(anchors=copy_tree(network.trunk) if recipe.at_start else None, inherited=inherited)]
    return replace(settings, regularizers=(*settings.regularizers, *old, on_new(inherited=inherited)))
