"""The methods that the atlas compares, each with the settings that may be tried.

A method that has a strength of its own (how hard it pulls, how late layers join) is tried with some strengths at each
of two learning rates. A method that has none is tried with as many learning rates in all. So each gets the same number
of tries.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

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

__all__ = ["FINE", "JOINT", "METHODS", "SCRATCH", "AtlasMethod", "Family", "Try", "tries"]

Try = tuple[float, ...]
"""A learning rate, and the strength of a method that has one."""

_RATES = (0.0125, 0.025, 0.05, 0.1, 0.2, 0.4)
_TWO = (0.05, 0.2)

Family = Literal["layers", "penalties", "answers", "growing", "references"]


@dataclass(frozen=True)
class AtlasMethod:
    """A way to learn the new task.

    Attributes:
        family: what kind it is, for the picture.
        make: from a strength to the method; 0 where it has none.
        strength: what its strength is called, "" where it has none.
        strengths: three of these; four tries leave out the second.
        proximal: whether its penalty acts by proximal steps.
        old_data: whether it is given the old task's training examples.
        untrained: whether it begins with an untrained network, without the old task's head.
    """

    family: Family
    make: Callable[[float], Method]
    strength: str = ""
    strengths: tuple[float, ...] = ()
    proximal: bool = False
    old_data: bool = False
    untrained: bool = False


def _always(method: Method) -> Callable[[float], Method]:
    return lambda _: method


def _pull(name: str, strengths: tuple[float, ...], proximal: bool = False, first: Method = fine_tuning) -> AtlasMethod:
    family: Family = "penalties" if first is fine_tuning else "answers"
    return AtlasMethod(family, lambda alpha: first + starting_point(name, alpha), "α", strengths, proximal)


def _by_epoch(every: float) -> Method:
    return Method("by epoch", policy=GradualByEpoch(int(every)))


FINE, JOINT, SCRATCH = "fine tuning", "joint training", "from scratch"

METHODS: Mapping[str, AtlasMethod] = {
    FINE: AtlasMethod("layers", _always(fine_tuning)),
    "head only": AtlasMethod("layers", _always(Method("head only", policy=HeadOnly()))),
    "freeze 1": AtlasMethod("layers", _always(Method("freeze 1", policy=Freeze(1)))),
    "by epoch": AtlasMethod("layers", _by_epoch, "epochs a layer", (2, 4, 8)),
    "Gradual Tuning": AtlasMethod(
        "layers", lambda tolerance: Method("gradual", policy=GradualTuning(tolerance)), "tolerance", (0.1, 0.5, 0.05)
    ),
    "discriminative rates": AtlasMethod(
        "layers",
        lambda factor: Method("discriminative", policy=Discriminative(factor)),
        "factor",
        (0.4, 0.2, 0.1),
    ),
    "l2": _pull("l2", (1e-4, 1e-3, 1e-2)),
    "l2_sp": _pull("l2_sp", (0.01, 0.03, 0.1)),
    "l2_sp_fisher": _pull("l2_sp_fisher", (0.01, 0.03, 0.1), proximal=True),
    "l1_sp": _pull("l1_sp", (1e-4, 3e-4, 1e-3), proximal=True),
    "gl_sp": _pull("gl_sp", (1e-4, 3e-4, 1e-3), proximal=True),
    "LwF": AtlasMethod("answers", without_forgetting, "λ", (1.0, 0.3, 3.0)),
    "Gradual + LwF": AtlasMethod(
        "answers", lambda weight: gradual_tuning + without_forgetting(weight), "λ", (1.0, 0.3, 3.0)
    ),
    "Gradual + l2_sp": _pull("l2_sp", (0.01, 0.03, 0.1), first=gradual_tuning),
    "progressive columns": AtlasMethod("growing", _always(progressive())),
    "module": AtlasMethod("growing", _always(modular())),
    JOINT: AtlasMethod("references", _always(fine_tuning), old_data=True),
    SCRATCH: AtlasMethod("references", _always(fine_tuning), untrained=True),
}
"""The rows of the atlas. Joint training is the ceiling of what can be kept; a network from scratch is the floor of what
the new task gains from the old one."""


def tries(method: str, count: int) -> tuple[Try, ...]:
    """Return so many settings of a method, four or six. Raises ValueError for another number."""
    if count not in (4, 6):
        raise ValueError(f"count is {count}; expected 4 or 6")
    of = METHODS[method]
    if not of.strength:
        return tuple((rate,) for place, rate in enumerate(_RATES) if count == 6 or place not in (1, 3))
    strengths = of.strengths if count == 6 else of.strengths[::2]
    return tuple((rate, strength) for rate in _TWO for strength in strengths)
