"""The penalties of the family, and whose strengths mean what: two tables, by the names that studies use."""

from dataclasses import dataclass

from npnet.arguments import checked
from npnet.penalties import Penalty, group_lasso, l1, l2
from npnet.starting_point.fisher import Mode

__all__ = ["CONVENTIONS", "RECIPES", "Convention", "Recipe"]


@checked
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
