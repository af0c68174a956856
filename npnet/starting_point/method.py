"""Towards the starting point: a penalty that remembers where the shared weights began, or what they did there.

    objective = loss + α Ω(w) on the shared layers + (β/2) ‖w‖² on the new ones, the new head among them

Ω is one of three penalties (l2, l1, group lasso) around zero or around the starting point w0 (-SP), each weight scaled
by one or by its Fisher information for the old tasks: the twelve rows of RECIPES. With `ProximalSGD` as the optimizer
the penalty acts through its proximal step, which puts weights exactly where it pulls them; with any other, through its
subgradient, or its gradient where `smoothing` rounds the kink off.

Source: Li, Grandvalet and Davoine 2018, sections 3 and 4.1; l2_sp_fisher is elastic weight consolidation.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from npnet.data import Task
from npnet.hyperparameters import Hyperparameters
from npnet.methods.method import Method
from npnet.network import Network
from npnet.penalties import Penalty, group_lasso, l1, l2, smoothed
from npnet.policies import FineTuning, Mask
from npnet.regularizers import Regularizer
from npnet.starting_point.fisher import Mode
from npnet.trees import copy_tree

__all__ = ["CONVENTIONS", "RECIPES", "Convention", "Recipe", "starting_point"]


@dataclass(frozen=True)
class Recipe:
    """What a penalty of the family is made of: its form, whether it is centred at w0, whether Fisher scales it."""

    penalty: Penalty
    at_start: bool = False
    fisher: bool = False


RECIPES = {
    "l2": Recipe(l2),
    "l1": Recipe(l1),
    "gl": Recipe(group_lasso),
    "l2_sp": Recipe(l2, at_start=True),
    "l1_sp": Recipe(l1, at_start=True),
    "gl_sp": Recipe(group_lasso, at_start=True),
    "l2_fisher": Recipe(l2, fisher=True),
    "l1_fisher": Recipe(l1, fisher=True),
    "gl_fisher": Recipe(group_lasso, fisher=True),
    "l2_sp_fisher": Recipe(l2, at_start=True, fisher=True),
    "l1_sp_fisher": Recipe(l1, at_start=True, fisher=True),
    "gl_sp_fisher": Recipe(group_lasso, at_start=True, fisher=True),
}
"""The penalties by name."""


@dataclass(frozen=True)
class Convention:
    """What a program means by its strength: whether l2 has the factor ½, whether biases count, which Fisher mode."""

    half: bool = True
    biases: bool = False
    mode: Mode = "exact"


CONVENTIONS = {
    "paper": Convention(),
    "ewc": Convention(biases=True, mode="sampled"),
    "tllib": Convention(biases=True),
    "avalanche": Convention(half=False, biases=True, mode="batched"),
}
"""Whose strengths mean what. A strength tuned in one program is another one in the next, unless its row is chosen:

paper      Li et al. 2018, and npnet: (α/2) Σ F Δ² over weights, the exact information
ewc        Kirkpatrick et al. 2017: (λ/2) Σ F Δ² over all parameters, F from labels drawn from the network's outputs
tllib      the starting-point penalty of the Transfer-Learning-Library: ½ Σ Δ² over all parameters, without Fisher
avalanche  the EWC plugin of Avalanche: λ Σ F Δ² over all parameters, F the squares of batches' mean gradients
"""


def starting_point(
    name: str,
    alpha: float,
    beta: float = 0.0,
    policy: Callable[..., Mask] | None = None,
    smoothing: float = 0.0,
    convention: str = "paper",
) -> Method:
    """Return the method "name": α on what the network brings along, β on what is new, any update policy.

    smoothing: the ε of √(Δ² + ε²) in the kink of l1 and group lasso, 0 for the kink itself. convention: a row of
    CONVENTIONS. Names with "fisher" need a network with memories (`npnet.remember`), and have one term for each;
    of l1 and group lasso proximal steps take one memory alone.
    Raises ValueError for an unknown name or convention and negative numbers; its `begin` raises ValueError where
    the network remembers nothing, and beside a surgery that changes the layers which the network brings along.
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

    def objective(network: Network, task: Task, settings: Hyperparameters) -> Hyperparameters:
        on_trunk = partial(Regularizer, penalty, strength, "trunk", chosen.biases, inherited=network.depth)
        if recipe.fisher:
            if not network.memories:
                raise ValueError(f"network has no memories; expected the Fisher information that {name!r} is scaled by")
            old = [
                on_trunk(anchors=each["anchor"] if recipe.at_start else None, scales=each["fisher"])
                for each in network.memories.values()
            ]
        else:
            old = [on_trunk(anchors=copy_tree(network.trunk) if recipe.at_start else None)]
        new = Regularizer(l2, beta if chosen.half else 2 * beta, "head", chosen.biases, inherited=network.depth)
        return replace(settings, regularizers=(*settings.regularizers, *old, new))

    return Method(name, objective=objective, policy=policy or FineTuning())
