"""How people write ten digits and ten letters: the strokes of each, as one table to read.

A stroke is a row of control points x,y, in hundredths of the character's height, x to the right and y down, through
which one smooth curve runs; " / " stands between strokes. Strokes that name the same point meet there, in a corner or a
branch, and a stroke that ends at its first point is closed. Each way to write a character has a line.

A new character is a new row, and a new task of characters a new row of ALPHABETS. A task's images depend on its name
and on its own characters, so a new row leaves the others' images alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["ALPHABETS", "MOST_POINTS", "MOST_SPANS", "WAYS", "Alphabet", "points_of", "spans_of", "strokes_of"]

Point = tuple[float, float]


@dataclass(frozen=True)
class Alphabet:
    """A task of characters: its classes, from 0 on, in this order."""

    characters: str


WAYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "0": ("40,0 16,14 5,48 14,86 38,100 62,84 72,48 62,14 40,0",),
        "1": (
            "32,0 32,34 31,67 30,100",  # a plain stroke
            "8,26 36,0 / 36,0 35,34 35,67 34,100",  # with a flag
            "12,22 36,0 / 36,0 36,50 36,100 / 12,100 36,100 60,100",  # with a flag and a foot
        ),
        "2": (
            "8,26 22,4 52,2 64,26 46,58 6,98 / 6,98 38,97 72,98",
            "8,24 26,3 54,6 60,32 38,72 14,96 4,84 20,78 44,92 74,96",  # with a loop
        ),
        "3": (
            "8,14 34,0 60,14 54,38 26,46 / 26,46 56,54 68,76 44,99 6,90",
            "8,4 36,2 62,2 / 62,2 46,22 30,42 / 30,42 62,56 58,92 26,100 4,88",  # with a flat top
        ),
        "4": (
            "16,2 10,30 6,58 / 6,58 40,56 74,54 / 58,6 55,40 52,100",  # open
            "50,0 28,34 4,66 / 4,66 38,66 72,66 / 50,0 50,66 50,100",  # closed
            "8,4 6,34 22,52 58,44 / 60,2 58,44 54,100",  # round
        ),
        "5": (
            "66,2 42,3 18,4 / 18,4 14,24 11,44 / 11,44 38,36 64,56 58,88 30,100 4,90",
            "64,4 26,4 16,30 34,46 60,62 54,92 28,100 4,92",  # without corners
        ),
        "6": (
            "54,2 28,22 10,56 14,88 38,100 62,84 56,60 32,56 12,74",
            "40,0 16,30 8,66 22,96 50,94 58,70 36,58 14,70",
        ),
        "7": (
            "6,6 36,4 66,2 / 66,2 46,44 28,100",
            "6,6 36,4 66,2 / 66,2 46,44 28,100 / 22,52 44,50 66,48",  # with a bar
            "8,24 8,4 / 8,4 38,8 66,2 / 66,2 52,34 42,66 40,100",  # with a hook
        ),
        "8": (
            "58,14 34,0 12,18 32,44 58,66 56,92 30,100 8,84 22,60 52,36 58,14",
            "34,0 14,10 14,34 34,46 54,34 54,10 34,0 / 34,46 10,58 8,88 34,100 60,88 58,58 34,46",  # two rings
        ),
        "9": (
            "58,12 34,0 10,18 14,44 38,50 56,34 58,12 / 58,12 56,56 52,100",
            "58,14 36,0 10,14 12,42 36,48 58,14 / 58,14 60,54 48,92 18,96",  # with a hook
            "60,8 30,0 8,24 24,48 52,34 60,8 / 60,8 46,52 30,100",  # slanting
        ),
        "A": ("2,100 20,50 38,0 / 38,0 56,50 74,100 / 14,64 38,64 62,64",),
        "C": ("68,16 44,0 14,16 4,52 16,86 44,100 70,84",),
        "E": (
            "60,0 34,1 8,2 / 8,2 8,50 8,98 / 8,98 36,99 64,100 / 8,50 30,49 52,48",
            "58,10 28,0 10,22 34,46 / 34,46 6,66 14,96 40,100 62,86",  # round
        ),
        "F": ("62,0 36,1 10,2 / 10,2 9,48 8,100 / 9,48 30,47 52,46",),
        "H": ("8,0 8,50 8,100 / 64,0 64,50 64,100 / 8,50 36,49 64,50",),
        "K": ("8,0 8,50 8,100 / 62,2 36,28 8,56 / 22,42 42,70 66,100",),
        "M": ("2,100 7,50 12,2 / 12,2 26,36 42,70 / 42,70 58,36 72,2 / 72,2 78,50 82,100",),
        "R": ("8,2 8,52 8,100 / 8,2 40,0 60,20 46,44 28,50 8,52 / 28,50 46,74 64,100",),
        "T": ("2,2 36,1 70,0 / 36,1 36,50 35,100",),
        "W": (
            "0,2 9,50 20,98 / 20,98 30,60 42,26 / 42,26 54,60 64,98 / 64,98 75,50 84,2",
            "2,4 8,70 24,98 42,40 / 42,40 54,94 72,84 80,2",  # round
        ),
    }
)

ALPHABETS: Mapping[str, Alphabet] = MappingProxyType(
    {
        "digits": Alphabet("0123456789"),
        "digits04": Alphabet("01234"),
        "digits59": Alphabet("56789"),
        "letters": Alphabet("ACEFHKMRTW"),
    }
)


def strokes_of(way: str) -> list[list[Point]]:
    """Return the control points of each stroke."""
    strokes = [[point.split(",") for point in stroke.split()] for stroke in way.split("/")]
    return [[(float(x), float(y)) for x, y in stroke] for stroke in strokes]


def points_of(way: str) -> list[Point]:
    """Return the control points of all strokes, each once, in the order in which a pen comes to them."""
    return list(dict.fromkeys(point for stroke in strokes_of(way) for point in stroke))


def spans_of(way: str) -> list[tuple[int, int, int, int]]:
    """Return the pieces of all curves, from one point to the next, as numbers of points: (before, from, to, after).

    At a stroke's open end, where no point comes before or after, the end itself stands in.
    """
    number, spans = {point: n for n, point in enumerate(points_of(way))}, []
    for stroke in strokes_of(way):
        line = [number[point] for point in stroke]
        closed = line[0] == line[-1]
        line = [line[-2] if closed else line[0], *line, line[1] if closed else line[-1]]
        spans += list(zip(line, line[1:], line[2:], line[3:], strict=False))
    return spans


MOST_POINTS, MOST_SPANS = (max(len(of(way)) for ways in WAYS.values() for way in ways) for of in (points_of, spans_of))
"""Of any way."""
