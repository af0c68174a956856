"""Gradual Tuning: a new head, the loss of the new task alone, and the layers join from the head down.

While the head is still random, the gradient it sends down says little about the features below it. Training the head
first, and a lower layer only when what trains already has stopped improving, spares features that were good all along.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from npnet.arguments import checked
from npnet.methods.method import Method
from npnet.policies import Mask, Policy, top_layers

__all__ = ["GradualTuning", "gradual_tuning"]


@checked
@dataclass(frozen=True)
class GradualTuning(Policy):
    """The head alone at first; the next hidden layer down joins whenever two consecutive epochs differ by too little.

    "Too little" is less than `tolerance` percentage points of validation error: in absolute value, or (difference =
    "improvement") when the later epoch is not at least that much better. Every pair of neighbouring epochs counts, as
    the source has it: Montone, O'Regan and Terekhov 2017, sections 2 and 5.1. Raises ValueError for bad options.
    """

    tolerance: float = 0.1
    difference: Literal["absolute", "improvement"] = "absolute"
    gradual = True

    def __post_init__(self) -> None:
        if not self.tolerance > 0:
            raise ValueError(f"tolerance is {self.tolerance}; expected percentage points above zero")
        if self.difference not in ("absolute", "improvement"):
            raise ValueError(f"difference is {self.difference!r}; expected 'absolute' or 'improvement'")

    def __call__(self, history: Sequence[float], depth: int) -> Mask:
        """Return the mask of the head and as many hidden layers as there were pairs that differ by too little."""
        # Five images in 5,000 are 0.1 points exactly, which is not less than 0.1: rounding of the quotients aside.
        exactly = self.tolerance * (1 - 1e-8)
        gains = [before - after for before, after in pairwise(history)]
        if self.difference == "absolute":
            gains = [abs(gain) for gain in gains]
        return top_layers(sum(gain < exactly for gain in gains), depth)


gradual_tuning = Method("gradual", policy=GradualTuning())
"""Source: Montone, O'Regan and Terekhov 2017, sections 2 and 5.1; 0.1 percentage points of validation error.

For a regression they are 0.1 of the targets' own units: give `GradualTuning` a tolerance that is small among those.
"""
