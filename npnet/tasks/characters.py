"""Drawn characters: how a digit or a letter is written at its address, and the truth that comes with it.

A way to write the character is chosen. The whole is bent, each of its control points p is shifted a little by itself,
and then the whole is stretched by a, slanted by σ and rotated by ρ (x to the right, y down, so that σ > 0 leans to the
right and ρ > 0 turns clockwise):

    q = R(ρ) S(σ) A(a) (p + B (u², uv, v²)ᵀ + jitter),    (u, v) = (p − (36, 50)) / 50,
    A = [a 0; 0 1],    S = [1 −tan σ; 0 1],    R = [cos ρ −sin ρ; sin ρ cos ρ].

The bend makes the upper part wider than the lower one, straight strokes curved, loops larger or smaller. Then the
character is enlarged until the larger of its width and height is `size` px, and put near the image's middle, as the
digits of MNIST were. Curves through the points q are Catmull-Rom splines: between q₁ and q₂, with neighbours q₀ and q₃,

    c(t) = ½ [2 q₁ + (q₂ − q₀) t + (2 q₀ − 5 q₁ + 4 q₂ − q₃) t² + (3 q₁ − q₀ − 3 q₂ + q₃) t³],    0 ≤ t ≤ 1,

drawn as short straight strokes, white on black. (Source: Catmull and Rom, "A class of local interpolating splines",
Computer Aided Geometric Design, 1974.)
"""

from math import cos, radians, sin, tan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npnet.compiled import compiled
from npnet.tasks.addresses import next_bits, seed_from, uniform
from npnet.tasks.family import FIGURE, PAINT, Family, draw_label, kept_on_disk
from npnet.tasks.figures import segment
from npnet.tasks.handwriting import HANDWRITING, Handwriting
from npnet.tasks.raster import cover, paint
from npnet.tasks.skeletons import ALPHABETS, MOST_POINTS, MOST_SPANS, WAYS, Alphabet, points_of, spans_of

__all__ = ["CHARACTERS", "CHARACTER_SIDE", "CHARACTER_TRUTH", "pieces_of"]

CHARACTER_SIDE = 28  # px
_CENTRE = (36.0, 50.0)  # of a skeleton
_PIECES = 5  # straight strokes for a span: less than 0.1 px from the curve

CHARACTER_TRUTH = np.dtype(
    [
        ("index", "u8"),  # the address, with the task and the seed
        ("character", "u1"),  # its code: chr(51) is "3"
        ("way", "u1"),  # which of the character's ways to be written, from 0
        ("points", "f8", (MOST_POINTS, 2)),  # x, y of the control points in the pen's order, px; NaN after the last
        ("point_count", "u1"),
        ("bend", "f8", (2, 3)),  # coefficients of u², uv and v² in the shift of x and of y, hundredths of the height
        ("aspect", "f8"),  # factor of the width
        ("slant", "f8"),  # degrees, to the right
        ("rotation", "f8"),  # degrees, clockwise
        ("size", "f8"),  # the larger of width and height, px, measured along the middle of the strokes
        ("middle", "f8", (2,)),  # x, y of the middle between left and right, top and bottom, px
        ("stroke", "f8"),  # width of the stroke, px
    ]
)

_WAYS = [(character, way) for character, ways in WAYS.items() for way in ways]
_POINTS, _SPANS = np.zeros((len(_WAYS), MOST_POINTS, 2)), np.zeros((len(_WAYS), MOST_SPANS, 4), np.int64)
_POINT_COUNT, _SPAN_COUNT = (np.array([len(of(way)) for _, way in _WAYS]) for of in (points_of, spans_of))
for _row, (_, _way) in enumerate(_WAYS):
    _POINTS[_row, : _POINT_COUNT[_row]], _SPANS[_row, : _SPAN_COUNT[_row]] = points_of(_way), spans_of(_way)


def _alphabet_numbers(alphabet: Alphabet) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Of each class the character's code, the first row of _WAYS that is one of its ways, and how many ways it has."""
    written = [character for character, _ in _WAYS]
    classes = [(ord(c), written.index(c), written.count(c)) for c in alphabet.characters]
    codes, firsts, counts = np.array(classes, np.int64).T
    return codes.copy(), firsts.copy(), counts.copy()


def _look_numbers(look: Handwriting) -> tuple[float, ...]:
    """A handwriting as the compiled code takes it: twelve floats."""
    numbers = (look.bend, look.jitter, *look.aspect, *look.slant, look.rotation, *look.size, *look.stroke, look.shift)
    return tuple(float(number) for number in numbers)


@compiled()
def _trace(points: NDArray[np.float64], spans: NDArray[np.int64], count: int, path: NDArray[np.float64]) -> int:
    """Fill `path` with straight pieces (x0, y0, x1, y1) of the curves through `points`, and return how many."""
    row = 0
    for n in range(count):
        before, start, end, after = spans[n]
        for piece in range(_PIECES):
            for axis in range(2):
                p, q, r, s = points[before, axis], points[start, axis], points[end, axis], points[after, axis]
                for place in range(2):
                    t = (piece + place) / _PIECES
                    bend = (2 * p - 5 * q + 4 * r - s) + (3 * q - p - 3 * r + s) * t
                    path[row, axis + 2 * place] = 0.5 * (2 * q + (r - p) * t + bend * t * t)
            row += 1
    return row


@compiled()
def _extent(path: NDArray[np.float64], count: int, axis: int) -> tuple[float, float]:
    """The smallest and the largest x (axis 0) or y (axis 1) of the path."""
    low, high = np.inf, -np.inf
    for row in range(count):
        low = min(low, path[row, axis], path[row, axis + 2])
        high = max(high, path[row, axis], path[row, axis + 2])
    return low, high


@compiled()
def _draw_all(
    key: np.uint64,
    seed: np.uint64,
    indices: NDArray[np.uint64],
    alphabet: Any,
    look: Any,
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    truth: NDArray[np.void],
) -> None:
    """Fill images (n, 784), labels and truth of the addresses (key, seed, indices)."""
    codes, firsts, ways = alphabet
    most, jitter, narrow, wide, least_slant, most_slant, turn, smallest, largest, thinnest, thickest, shift = look
    rng = np.empty(1, np.uint64)
    bend, points, path = np.empty((2, 3)), np.empty((MOST_POINTS, 2)), np.empty((MOST_SPANS * _PIECES, 4))
    coverage = np.empty((CHARACTER_SIDE, CHARACTER_SIDE), np.float32)
    for i in range(len(labels)):
        seed_from(rng, key, seed, indices[i], FIGURE)
        label = draw_label(rng, len(codes))
        way = int(next_bits(rng) % np.uint64(ways[label]))
        row = firsts[label] + way
        aspect, slant = uniform(rng, narrow, wide), uniform(rng, least_slant, most_slant)
        rotation, size = uniform(rng, -turn, turn), uniform(rng, smallest, largest)
        for axis in range(2):
            for term in range(3):
                bend[axis, term] = uniform(rng, -most, most)
        lean, c, s = tan(radians(slant)), cos(radians(rotation)), sin(radians(rotation))
        for n in range(_POINT_COUNT[row]):
            x, y = _POINTS[row, n, 0], _POINTS[row, n, 1]
            u, v = (x - _CENTRE[0]) / 50, (y - _CENTRE[1]) / 50
            x += bend[0, 0] * u * u + bend[0, 1] * u * v + bend[0, 2] * v * v + uniform(rng, -jitter, jitter)
            y += bend[1, 0] * u * u + bend[1, 1] * u * v + bend[1, 2] * v * v + uniform(rng, -jitter, jitter)
            x *= aspect
            x -= lean * y
            points[n, 0], points[n, 1] = c * x - s * y, s * x + c * y
        pieces = _trace(points, _SPANS[row], _SPAN_COUNT[row], path)
        left, right = _extent(path, pieces, 0)
        top, bottom = _extent(path, pieces, 1)
        scale = size / max(right - left, bottom - top)
        record = truth[i]
        for axis, middle in ((0, (left + right) / 2), (1, (top + bottom) / 2)):
            new = (CHARACTER_SIDE - 1) / 2 + uniform(rng, -shift, shift)
            for n in range(pieces):
                path[n, axis] = new + scale * (path[n, axis] - middle)
                path[n, axis + 2] = new + scale * (path[n, axis + 2] - middle)
            for n in range(MOST_POINTS):
                there = n < _POINT_COUNT[row]
                record["points"][n, axis] = new + scale * (points[n, axis] - middle) if there else np.nan
            record["middle"][axis] = new

        seed_from(rng, key, seed, indices[i], PAINT)
        stroke = uniform(rng, thinnest, thickest)
        coverage[:] = 0.0
        for n in range(pieces):
            cover(coverage, segment(path, n), stroke)
        paint(images[i], coverage.reshape(-1))

        labels[i] = label
        record["index"], record["character"], record["way"] = indices[i], codes[label], way
        record["point_count"], record["aspect"], record["slant"] = _POINT_COUNT[row], aspect, slant
        record["rotation"], record["size"], record["stroke"] = rotation, size, stroke
        for axis in range(2):
            for term in range(3):
                record["bend"][axis, term] = bend[axis, term]


def pieces_of(record: np.void) -> NDArray[np.float64]:
    """Return the straight pieces (n, 4), x0, y0, x1, y1 in px, of which the character of a truth record was drawn."""
    row = [character for character, _ in _WAYS].index(chr(record["character"])) + int(record["way"])
    path = np.empty((MOST_SPANS * _PIECES, 4))
    return path[: _trace(np.ascontiguousarray(record["points"]), _SPANS[row], int(_SPAN_COUNT[row]), path)]


CHARACTERS = Family(
    tasks=ALPHABETS,
    side=CHARACTER_SIDE,
    truth=CHARACTER_TRUTH,
    appearance=HANDWRITING,
    classes=lambda alphabet: len(alphabet.characters),
    numbers=lambda alphabet, look: (_alphabet_numbers(alphabet), _look_numbers(look)),
    fill=kept_on_disk(_draw_all),
)
"""The tasks of drawn characters."""
