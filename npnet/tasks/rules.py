"""The rules of the line-and-angle tasks, as one table to read: the figure of class 0, that of class 1, the distractors.

    an angle      two segments from a common vertex, at an angle within the given range
    a crossing    two segments that cross between 20 % and 80 % of each one's length, at an angle within the given range
    a distractor  one more segment, which crosses nothing and keeps a gap from everything

Every segment is at least 13 px long, and everything lies inside the image of 32 x 32 pixels. The range of a crossing's
angle is the only condition that the paper does not state: without it two nearly parallel segments could pass for one.

A new task is a new row. A task's images depend on its name and its row, so a new row leaves the others' images alone.

Source: the line-and-angle stimuli of the Gradual Tuning paper, section 4.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["ANGLE", "CROSSING", "MOST_SEGMENTS", "SHORTEST", "SIDE", "TASKS", "Figure", "Rule"]

SIDE = 32  # px, of the square image
SHORTEST = 13.0  # px: the paper's "30 % of the image diagonal", √2 · 32 · 0.3 = 13.6, which it gives as 13
MOST_SEGMENTS = 4  # of any task

ANGLE, CROSSING = 0, 1  # kinds of figure, numbers because the compiled code compares them


@dataclass(frozen=True)
class Figure:
    """What one class shows: a kind of figure, and the range of its angle in degrees."""

    kind: int
    least: float
    most: float


@dataclass(frozen=True)
class Rule:
    """A binary task: the figures of class 0 and class 1, and the number of distractors that stand beside either."""

    figures: tuple[Figure, Figure]
    distractors: int


_ANGLE = Figure(ANGLE, 20.0, 160.0)
_CROSSING = Figure(CROSSING, 20.0, 160.0)

TASKS: Mapping[str, Rule] = MappingProxyType(
    {
        "ac": Rule((_ANGLE, _CROSSING), distractors=0),
        "acl": Rule((_ANGLE, _CROSSING), distractors=1),
    }
)
