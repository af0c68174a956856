"""Gradual Tuning: a new head, the loss of the new task alone, and the layers join from the head down.

While the head is still random, the gradient it sends down says little about the features below it. Training the head
first, and a lower layer only when what trains already has stopped improving, spares features that were good all along.
"""

from npnet.methods.method import Method
from npnet.policies import GradualTuning

__all__ = ["gradual_tuning"]

gradual_tuning = Method("gradual", policy=GradualTuning())
"""Source: Montone, O'Regan and Terekhov 2017, sections 2 and 5.1; 0.1 percentage points of validation error.

For a regression they are 0.1 of the targets' own units: give `GradualTuning` a tolerance that is small among those.
"""
