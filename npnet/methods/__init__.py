"""Transfer methods: each is three choices, and a method's file holds nothing else.

surgery      what is done to the network before the new task is trained
objective    what is minimised besides the loss: regularizers that look back, terms that see the batch
policy       which layers may move when

Reading order: method, fine_tuning, gradual_tuning, policies, probe.

Methods add up: `gradual_tuning + starting_point("l2_sp", 0.01) + without_forgetting()` is a method. Families of methods
have rooms of their own: columns, matching, starting_point, joint_tuning.
"""

from npnet.methods.fine_tuning import fine_tuning
from npnet.methods.gradual_tuning import GradualTuning, gradual_tuning
from npnet.methods.method import Method, begin
from npnet.methods.policies import Discriminative, EqualBudget, Freeze, GradualByEpoch, HeadOnly, TopLayers, WarmUp
from npnet.methods.probe import probe

__all__ = [
    "Discriminative",
    "EqualBudget",
    "Freeze",
    "GradualByEpoch",
    "GradualTuning",
    "HeadOnly",
    "Method",
    "TopLayers",
    "WarmUp",
    "begin",
    "fine_tuning",
    "gradual_tuning",
    "probe",
]
