"""How drawn characters vary, as one checked record of parameters with one preset used everywhere."""

from dataclasses import dataclass

from npnet.arguments import checked
from npnet.tasks.appearance import Range, check_range, check_within

__all__ = ["HANDWRITING", "Handwriting"]


@checked
@dataclass(frozen=True)
class Handwriting:
    """How characters are written. Every number is drawn uniformly, for each image by itself and whatever its class.

    bend       largest coefficient of the smooth bend of the whole (see characters), hundredths of the height, 0 to 30
    jitter     largest shift of each control point by itself, to the side and down, hundredths of the height, 0 to 20
    aspect     range of the factor by which the width is multiplied, within 0.5 to 2
    slant      range of the angle by which the character leans to the right, degrees, within -45 to 45
    rotation   largest rotation either way, degrees, 0 to 45
    size       range of the larger of width and height, px, from the middle of one stroke to that of another, from 8
    stroke     range of the stroke's width, px, within 1 to 5; edges are anti-aliased
    shift      largest distance of the character's middle from the image's, to the side and down, px, from 0

    Raises ValueError where a value is outside its range, and where a character might not fit into 28 px.
    """

    bend: float = 18.0
    jitter: float = 5.0
    aspect: Range = (0.7, 1.5)
    slant: Range = (-12.0, 35.0)
    rotation: float = 9.0
    size: Range = (15.0, 19.0)
    stroke: Range = (1.6, 3.4)
    shift: float = 1.5

    def __post_init__(self) -> None:
        check_within("bend", self.bend, 0.0, 30.0)
        check_within("jitter", self.jitter, 0.0, 20.0)
        check_range("aspect", self.aspect, 0.5, 2.0)
        check_range("slant", self.slant, -45.0, 45.0)
        check_within("rotation", self.rotation, 0.0, 45.0)
        check_range("size", self.size, 8.0, 27.0)
        check_range("stroke", self.stroke, 1.0, 5.0)
        check_within("shift", self.shift, 0.0, 10.0)
        extent = self.size[1] + self.stroke[1] + 2 * self.shift
        if extent > 28.0:
            raise ValueError(
                f"size {self.size}, stroke {self.stroke} and shift {self.shift} reach over {extent:g} px; "
                "expected the largest size, the widest stroke and twice the shift to sum to at most 28"
            )


HANDWRITING = Handwriting()
"""The default everywhere."""
