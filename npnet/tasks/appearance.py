"""What the paper leaves open about its stimuli, as one checked record of parameters with one preset used everywhere.

Levels are fractions of full white. A picture is composed white on dark,

    ground + amplitude · pattern + noise · ε     under strokes of level  ground + contrast,

with pattern and ε in [−1, 1] and one ground and one contrast for each image; the other polarity is 1 minus it. The
bounds below leave nothing to clip, and keep every pixel of a stroke's core brighter than every pixel of the background.
"""

from dataclasses import dataclass

from npnet.arguments import checked

__all__ = ["CALIBRATED", "Appearance", "Range", "check_range", "check_within"]

Range = tuple[float, float]

_ROUNDING = 1e-9  # sums of decimals are not exact: 0.1 + 0.2 is a little more than 0.3


@checked
@dataclass(frozen=True)
class Appearance:
    """How the stimuli look.

    width      stroke width in pixels, 1 to 3; edges are anti-aliased
    gap        smallest distance in pixels between the edges of strokes that do not meet, 2 to 5
    ground     range of an image's mean background level, for white on dark
    contrast   range of the stroke's level minus the ground
    amplitude  largest deviation of the background's pattern from the ground
    noise      largest deviation of an independent grey level in each background pixel, added to the pattern

    Raises ValueError where a value is outside its range, where levels would leave [0, 1], or where the background could
    be as bright as a stroke.
    """

    width: float = 1.5
    gap: float = 2.0
    ground: Range = (0.13, 0.27)
    contrast: Range = (0.50, 0.68)
    amplitude: float = 0.10
    noise: float = 0.03

    def __post_init__(self) -> None:
        check_within("width", self.width, 1.0, 3.0)
        check_within("gap", self.gap, 2.0, 5.0)
        check_range("ground", self.ground)
        check_range("contrast", self.contrast)
        check_within("amplitude", self.amplitude, 0.0, 1.0)
        check_within("noise", self.noise, 0.0, 1.0)
        deviation = self.amplitude + self.noise
        if self.ground[0] < deviation - _ROUNDING:
            raise ValueError(
                f"ground starts at {self.ground[0]}; expected at least amplitude + noise = {deviation:g}, "
                "so that no level falls below 0"
            )
        if self.ground[1] + self.contrast[1] > 1.0 + _ROUNDING:
            raise ValueError(
                f"ground {self.ground} and contrast {self.contrast} reach {self.ground[1] + self.contrast[1]:g}; "
                "expected their upper ends to sum to at most 1"
            )
        if self.contrast[0] <= deviation:
            raise ValueError(
                f"contrast starts at {self.contrast[0]}; expected more than amplitude + noise = {deviation:g}, "
                "so that strokes are brighter than the background"
            )


def check_within(name: str, value: float, low: float, high: float) -> None:
    """Raise ValueError unless low ≤ value ≤ high (which also refuses not-a-number)."""
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}; expected {low:g} to {high:g}")


def check_range(name: str, value: Range, low: float = 0.0, high: float = 1.0) -> None:
    """Raise ValueError unless `value` is a pair within low to high whose first number is not the larger."""
    if len(value) != 2 or not low <= value[0] <= value[1] <= high:
        raise ValueError(f"{name} is {value}; expected a pair low <= high within {low:g} to {high:g}")


CALIBRATED = Appearance()
"""The default everywhere: with it a 500-500 network without regularization makes the paper's error on `acl`."""
