"""The rules of the eight line-and-angle tasks, as one table to read: class 0, class 1, distractors.

    an angle      two segments from a common vertex
    a triangle    three segments; its angle is its largest one
    a crossing    two segments that cross between 20 % and 80 % of each one's length
    apart         two segments that do not meet
    a distractor  one more segment, which meets nothing

Every segment is at least 13 px long, everything lies inside the image of 32 x 32 pixels, and strokes that do not meet
keep a visible gap. Three conditions the paper leaves open: a crossing's segments meet at 20° to 160° (flatter ones
could pass for one line), a blunt triangle's other two angles are at least 10°, and how long segments may be.

Both classes of a task have the same amount of ink (see figures), which `lengths` governs: the range of two lengths that
an angle, a crossing or a pair apart shares out between two segments, and a triangle of the same ink between three. So
tasks that show triangles, three sides of 13 px or more, need longer segments (which leave an image of 32 px little room
for angles above 120° in at and atl); sbt, without angles, has room for more.

A new task is a new row. A task's images depend on its name and its row, so a new row leaves the others' images alone.

Source: the line-and-angle stimuli of the Gradual Tuning paper, section 4.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = [
    "ANGLE",
    "APART",
    "CROSSING",
    "DISTRACTOR_LENGTHS",
    "MOST_SEGMENTS",
    "SHORTEST",
    "SIDE",
    "TASKS",
    "TRIANGLE",
    "Figure",
    "Rule",
]

SIDE = 32  # px, of the square image
SHORTEST = 13.0  # px: the paper's "30 % of the image diagonal", √2 · 32 · 0.3 = 13.6, which it gives as 13
MOST_SEGMENTS = 4  # of any task
DISTRACTOR_LENGTHS = (13.0, 22.0)  # px

ANGLE, TRIANGLE, CROSSING, APART = range(4)  # kinds of figure, numbers because the compiled code compares them


@dataclass(frozen=True)
class Figure:
    """What one class shows: a kind of figure, the range of its angle and the least of a triangle's others, degrees."""

    kind: int
    least: float = 0.0
    most: float = 180.0
    smallest: float = 0.0


@dataclass(frozen=True)
class Rule:
    """A binary task: its two figures, the number of distractors beside either, and the lengths that set its ink, px."""

    class_0: Figure
    class_1: Figure
    distractors: int = 0
    lengths: tuple[float, float] = (13.0, 22.0)


_ANGLE, _SHARP, _BLUNT = Figure(ANGLE, 20, 160), Figure(ANGLE, 20, 80), Figure(ANGLE, 100, 160)
_TRIANGLE = Figure(TRIANGLE, 60, 140, smallest=20)  # every angle 20° to 160°, so the largest is 60° to 140°
_SHARP_TRIANGLE, _BLUNT_TRIANGLE = Figure(TRIANGLE, 60, 80, smallest=20), Figure(TRIANGLE, 100, 160, smallest=10)
_CROSSING, _APART = Figure(CROSSING, 20, 160), Figure(APART)

TASKS: Mapping[str, Rule] = MappingProxyType(
    {
        "ac": Rule(_ANGLE, _CROSSING),
        "acl": Rule(_ANGLE, _CROSSING, distractors=1),
        "at": Rule(_ANGLE, _TRIANGLE, lengths=(20, 25)),
        "atl": Rule(_ANGLE, _TRIANGLE, distractors=1, lengths=(20, 25)),
        "sbl": Rule(_SHARP, _BLUNT, distractors=1),
        "sbt": Rule(_SHARP_TRIANGLE, _BLUNT_TRIANGLE, distractors=1, lengths=(23.5, 27)),
        "sb2l": Rule(_SHARP, _BLUNT, distractors=2),
        "cnc": Rule(_APART, _CROSSING),
    }
)
