"""Fine tuning: a new head, the loss of the new task alone, and every layer moves from the first step."""

from npnet.methods.method import Method
from npnet.policies import FineTuning

__all__ = ["fine_tuning"]

fine_tuning = Method("fine", policy=FineTuning())
"""Source: Montone, O'Regan and Terekhov 2017, section 2, first paragraph."""
