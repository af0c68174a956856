"""Transfer methods: each is three choices, and a method's file holds nothing else.

surgery      what is done to the network before the new task is trained
objective    what is minimised beside the loss: regularizers that look back at the old network, terms that see the batch
policy       which layers may move when

Methods add up: `gradual_tuning + starting_point("l2_sp", 0.01) + without_forgetting()` is a method.
"""

from npnet.methods.activation_matching import activation_matching
from npnet.methods.attention_transfer import attention_transfer
from npnet.methods.distillation import distillation
from npnet.methods.fine_tuning import fine_tuning
from npnet.methods.gradual_tuning import gradual_tuning
from npnet.methods.growing import growing, merged
from npnet.methods.jacobian_matching import jacobian_matching
from npnet.methods.joint_tuning import joint_tasks, selective_joint_tuning
from npnet.methods.method import Method, begin
from npnet.methods.modular import modular
from npnet.methods.probe import probe
from npnet.methods.progressive import progressive
from npnet.methods.starting_point import starting_point
from npnet.methods.without_forgetting import without_forgetting

__all__ = [
    "Method",
    "activation_matching",
    "attention_transfer",
    "begin",
    "distillation",
    "fine_tuning",
    "gradual_tuning",
    "growing",
    "jacobian_matching",
    "joint_tasks",
    "merged",
    "modular",
    "probe",
    "progressive",
    "selective_joint_tuning",
    "starting_point",
    "without_forgetting",
]
