"""The tests' own formulas for what the truth of a stimulus says: none of them is one that the library draws by."""

import numpy as np

from npnet.tasks import CALIBRATED, TASKS

LOW, HIGH = -0.5, 31.5  # px: the image's edges, half a pixel beyond the centres of its outermost pixels
Y, X = np.mgrid[:32, :32].astype(float)


def corners(truth):
    """End points as complex numbers x + iy: (N, 4 segments, 2 ends), NaN where there is no segment."""
    return truth["segments"][..., ::2] + 1j * truth["segments"][..., 1::2]


def lengths(truth):
    """Of each segment, px: (N, 4)."""
    return np.abs(np.diff(corners(truth))[..., 0])


def angle_at(vertex, a, b):
    """Between the rays from `vertex` to a and b, degrees, by the law of cosines; complex (N,) each."""
    p, q, opposite = abs(a - vertex), abs(b - vertex), abs(a - b)
    return np.degrees(np.arccos(np.clip((p**2 + q**2 - opposite**2) / (2 * p * q), -1, 1)))


def triangle_angles(truth):
    """At the start of the first segment, at its end, and at the end of the second: (N, 3)."""
    ends = corners(truth)
    a, b, c = ends[:, 0, 0], ends[:, 0, 1], ends[:, 1, 1]
    return np.stack([angle_at(a, b, c), angle_at(b, a, c), angle_at(c, a, b)], axis=1)


def crossing_fractions(truth):
    """Along the first two segments, by solving the 2 x 2 equations: (N, 2)."""
    p, q = truth["segments"][:, 0].reshape(-1, 2, 2), truth["segments"][:, 1].reshape(-1, 2, 2)  # (N, end, x or y)
    matrix = np.stack([p[:, 1] - p[:, 0], q[:, 0] - q[:, 1]], axis=2)
    return np.linalg.solve(matrix, (q[:, 0] - p[:, 0])[:, :, None])[:, :, 0]


def on(truth, row, points=25):
    """Points along segment `row`, both ends among them: complex (N, points)."""
    ends = corners(truth)[:, row]
    return ends[:, :1] + np.linspace(0, 1, points) * np.diff(ends)


def least_distance(truth, row, other):
    """Of sampled points on two segments, (N,): never less than the distance of the segments themselves."""
    p, q = on(truth, row), on(truth, other)
    dx, dy = p.real[:, :, None] - q.real[:, None], p.imag[:, :, None] - q.imag[:, None]  # (N, points, points)
    return np.sqrt((dx * dx + dy * dy).min(axis=(1, 2)))


def coverage_ink(truth, width=CALIBRATED.width):
    """The sum of the anti-aliased coverage of the strokes' union, px²: (N,), by float64 distances to every pixel."""
    ink = np.empty(len(truth))
    for start in range(0, len(truth), 100):
        part = truth[start : start + 100]
        ends = corners(part)
        squares = np.full((len(part), 32, 32), np.inf)
        for row in range(part["segment_count"].max()):
            p, a = ends[:, row, 0, None, None], np.diff(ends[:, row])[:, :, None]  # (n, 1, 1)
            dx, dy = X - p.real, Y - p.imag  # (n, 32, 32)
            t = np.clip((dx * a.real + dy * a.imag) / abs(a) ** 2, 0, 1)
            dx -= t * a.real
            dy -= t * a.imag
            squares = np.fmin(squares, dx * dx + dy * dy)
        ink[start : start + 100] = np.clip(width / 2 + 0.5 - np.sqrt(squares), 0, 1).sum(axis=(1, 2))
    return ink


def hidden_at(theta, width=CALIBRATED.width):
    """(at a joint, at a crossing): the length of stroke that two strokes hide which meet at `theta` degrees, px.

    Areas over the width. The discs and strokes of radius r overlap in a kite r² cot θ/2 and sectors r² (π + θ)/2, or in
    a rhombus 4 r²/sin θ; r runs over the ramp of an edge, one pixel wide around half the width.
    """
    theta, radii = np.radians(theta), width / 2 + (np.arange(1_000) + 0.5) / 1_000 - 0.5
    square = np.mean(radii**2) / width
    return square * ((np.pi + theta) / 2 + np.sin(theta) / (1 - np.cos(theta))), square * 4 / np.sin(theta)


def ends_length(width=CALIBRATED.width):
    """The length of stroke whose ink is that of a stroke's two rounded ends, px."""
    return hidden_at(180.0, width)[0]


def kolmogorov(values, law):
    """√n times the largest difference of the distribution of `values` from `law`, a function: beyond 2.6 in 3 of 10⁶.

    From Kolmogorov's limit, 2 exp(−2 x²).
    """
    values = np.sort(values)
    n, expected = len(values), law(values)
    return np.sqrt(n) * max(np.max(np.arange(1, n + 1) / n - expected), np.max(expected - np.arange(n) / n))


def kinds(task):
    """The kinds of figure of the two classes: 0 an angle, 1 a triangle, 2 a crossing, 3 two segments apart."""
    return TASKS[task].class_0.kind, TASKS[task].class_1.kind
