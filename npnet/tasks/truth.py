"""The truth about a stimulus, as a record that comes with its image.

Lengths are in pixels (x to the right, y down, pixel centres at whole numbers), angles in degrees, levels from 0 (black)
to 1 (white). What a stimulus does not have is NaN.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnet.compiled import compiled
from npnet.tasks.figures import segment
from npnet.tasks.geometry import angle_between, crossing_fractions
from npnet.tasks.rules import ANGLE, APART, CROSSING, MOST_SEGMENTS, TRIANGLE

__all__ = ["TRUTH", "record_figure"]

TRUTH = np.dtype(
    [
        ("index", "u8"),  # the address, with the task and the seed
        ("figure", "u1"),  # the kind: 0 an angle, 1 a triangle, 2 a crossing, 3 two segments apart
        ("segments", "f8", (MOST_SEGMENTS, 4)),  # x0, y0, x1, y1 of each: the figure first, the distractors last
        ("segment_count", "u1"),
        ("distractors", "u1"),
        ("vertex", "f8", (2,)),  # of an angle, or of a triangle's largest one; there the first two segments begin
        ("angle", "f8"),  # at the vertex
        ("crossing", "f8", (2,)),  # where the first two segments cross
        ("fractions", "f8", (2,)),  # of the first and of the second segment's length, from its (x0, y0)
        ("crossing_angle", "f8"),  # between the crossing segments' directions
        ("polarity", "u1"),  # 1: white on dark, 0: black on light
        ("background", "u1"),  # which of the four patterns: 0 changes with every pixel, 3 is one slow gradient
        ("ground", "f8"),  # level of the background without pattern and noise, 0 black to 1 white
        ("stroke", "f8"),  # level of the strokes
        ("contrast", "f8"),  # |stroke − ground|
    ]
)


@compiled()
def record_figure(segments: NDArray[np.float64], count: int, kind: int, record: Any) -> None:
    """Write what the end points say into a truth record; one number at a time, since slices of records are slow."""
    for row in range(MOST_SEGMENTS):
        for end in range(4):
            record["segments"][row, end] = segments[row, end] if row < count else np.nan
    p, q = segment(segments, 0), segment(segments, 1)
    meeting, t, u = np.nan, np.nan, np.nan
    if kind != APART:
        meeting = angle_between(p, q)
    if kind == CROSSING:
        t, u = crossing_fractions(p, q)
    cornered = kind in (ANGLE, TRIANGLE)
    record["figure"], record["segment_count"] = kind, count
    record["vertex"][0], record["vertex"][1] = (p[0], p[1]) if cornered else (np.nan, np.nan)
    record["angle"] = meeting if cornered else np.nan
    record["crossing"][0], record["crossing"][1] = p[0] + t * (p[2] - p[0]), p[1] + t * (p[3] - p[1])
    record["fractions"][0], record["fractions"][1] = t, u
    record["crossing_angle"] = meeting if kind == CROSSING else np.nan
