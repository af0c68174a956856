"""The methods that the atlas compares, each with the one knob that may be turned, and five values of it.

A method that has a strength of its own (how hard it pulls, how late layers join) is given five values of that, at one
learning rate. A method that has none is given five learning rates. So each gets five tries, no more and no fewer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from experiments.studies.starting_point.design import RANGES
from npnet import (
    Discriminative,
    Freeze,
    GradualByEpoch,
    GradualTuning,
    HeadOnly,
    Method,
    fine_tuning,
    gradual_tuning,
    modular,
    progressive,
    starting_point,
    without_forgetting,
)

__all__ = ["FINE", "JOINT", "METHODS", "RATE", "SCRATCH", "TRIES", "AtlasMethod", "Family", "tries"]

TRIES = 5
RATE = 0.02
"""The learning rate of every method whose knob is another one."""

Family = Literal["layers", "penalties", "answers", "growing", "references"]

_RATES = (0.002, 0.006, RATE, 0.06, 0.2)
_ANSWERS = (0.1, 0.3, 1.0, 3.0, 10.0)


@dataclass(frozen=True)
class AtlasMethod:
    """A way to learn the new task.

    Attributes:
        family: what kind it is, for the picture.
        make: from a value of the knob to the method. The learning rate is no part of it.
        knob: what is chosen on validation examples, "rate" where the method has no strength of its own.
        values: the five values of the knob.
        proximal: whether its penalty acts by proximal steps.
        old_data: whether it is given the old task's training examples.
        untrained: whether it begins with an untrained network, without the old task's head.
    """

    family: Family
    make: Callable[[float], Method]
    knob: str = "rate"
    values: tuple[float, ...] = _RATES
    proximal: bool = False
    old_data: bool = False
    untrained: bool = False


def _always(method: Method) -> Callable[[float], Method]:
    return lambda _: method


def _pull(name: str, proximal: bool = False, first: Method = fine_tuning) -> AtlasMethod:
    """Return the method of a penalty, over the three decades that the study of starting points looks at."""
    values = tuple(float(f"{alpha:.2g}") for alpha in np.geomspace(*RANGES[name], TRIES))
    family: Family = "penalties" if first is fine_tuning else "answers"
    return AtlasMethod(family, lambda alpha: first + starting_point(name, alpha), "α", values, proximal)


def _by_epoch(every: float) -> Method:
    return Method("by epoch", policy=GradualByEpoch(int(every)))


FINE, JOINT, SCRATCH = "fine tuning", "joint training", "from scratch"

METHODS: Mapping[str, AtlasMethod] = {
    FINE: AtlasMethod("layers", _always(fine_tuning)),
    "head only": AtlasMethod("layers", _always(Method("head only", policy=HeadOnly()))),
    "freeze 1": AtlasMethod("layers", _always(Method("freeze 1", policy=Freeze(1)))),
    "by epoch": AtlasMethod("layers", _by_epoch, "epochs a layer", (1, 2, 3, 5, 8)),
    "Gradual Tuning": AtlasMethod(
        "layers",
        lambda tolerance: Method("gradual", policy=GradualTuning(tolerance)),
        "tolerance",
        (1.0, 0.5, 0.2, 0.1, 0.05),
    ),
    "discriminative rates": AtlasMethod(
        "layers",
        lambda factor: Method("discriminative", policy=Discriminative(factor)),
        "factor",
        (0.7, 0.385, 0.2, 0.1, 0.03),
    ),
    "l2": _pull("l2"),
    "l2_sp": _pull("l2_sp"),
    "l2_sp_fisher": _pull("l2_sp_fisher", proximal=True),
    "l1_sp": _pull("l1_sp", proximal=True),
    "gl_sp": _pull("gl_sp", proximal=True),
    "LwF": AtlasMethod("answers", partial(without_forgetting), "λ", _ANSWERS),
    "Gradual + LwF": AtlasMethod("answers", lambda weight: gradual_tuning + without_forgetting(weight), "λ", _ANSWERS),
    "Gradual + l2_sp": _pull("l2_sp", first=gradual_tuning),
    "progressive columns": AtlasMethod("growing", _always(progressive())),
    "module": AtlasMethod("growing", _always(modular())),
    JOINT: AtlasMethod("references", _always(fine_tuning), old_data=True),
    SCRATCH: AtlasMethod("references", _always(fine_tuning), untrained=True),
}
"""The rows of the atlas. Joint training is the ceiling of what can be kept; a network from scratch is the floor of what
the new task gains from the old one."""


def tries(method: str, count: int) -> tuple[float, ...]:
    """Return so many values of a method's knob, the two ends among them. Raises ValueError for more than there are."""
    if not 1 < count <= TRIES:
        raise ValueError(f"count is {count}; expected 2 to {TRIES}")
    places = [round(i * (TRIES - 1) / (count - 1)) for i in range(count)]
    return tuple(METHODS[method].values[place] for place in places)
