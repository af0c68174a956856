"""Transfer methods: each is three choices, and a method's file holds nothing else.

surgery      what is done to the network before the new task is trained
objective    what is minimised beside the loss: regularizers that may look back at the old network
policy       which layers may move when
"""

from npnet.methods.fine_tuning import fine_tuning
from npnet.methods.gradual_tuning import gradual_tuning
from npnet.methods.growing import growing, merged
from npnet.methods.method import Method, begin
from npnet.methods.modular import modular
from npnet.methods.probe import probe
from npnet.methods.progressive import progressive
from npnet.methods.starting_point import starting_point

__all__ = [
    "Method",
    "begin",
    "fine_tuning",
    "gradual_tuning",
    "growing",
    "merged",
    "modular",
    "probe",
    "progressive",
    "starting_point",
]
