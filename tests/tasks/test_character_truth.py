"""The truth about drawn characters, against images and skeletons, by formulas of the tests' own."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npnet.tasks import ALPHABETS, HANDWRITING, Handwriting, draw
from npnet.tasks.characters import pieces_of
from npnet.tasks.skeletons import WAYS, points_of, spans_of, strokes_of

Y, X = np.mgrid[:28, :28].astype(float)


def pairs(low, high):
    return st.tuples(st.floats(low, high), st.floats(low, high)).map(lambda pair: tuple(sorted(pair)))


handwritings = st.builds(
    Handwriting,
    bend=st.floats(0, 20),
    jitter=st.floats(0, 8),
    aspect=pairs(0.6, 1.6),
    slant=pairs(-40, 40),
    rotation=st.floats(0, 40),
    size=pairs(10, 20),
    stroke=pairs(1, 4),
    shift=st.floats(0, 2),
)


def way_of(record):
    return WAYS[chr(record["character"])][record["way"]]


def points(record):
    return record["points"][: record["point_count"]]


def curve(record, places):
    """The middle line of the strokes, from the cubic Hermite form with tangents (after − before)/2: (spans, t, 2)."""
    q = points(record)[np.array(spans_of(way_of(record)))]  # (spans, 4, 2)
    t = np.asarray(places)[:, None]
    start, end, leave, arrive = (np.expand_dims(a, 1) for a in (q[:, 1], q[:, 2], q[:, 2] - q[:, 0], q[:, 3] - q[:, 1]))
    return (
        (2 * t**3 - 3 * t**2 + 1) * start
        + (t**3 - 2 * t**2 + t) * leave / 2
        + (3 * t**2 - 2 * t**3) * end
        + (t**3 - t**2) * arrive / 2
    )


def upright(record):
    """The control points with rotation, slant and stretch undone, up to a place and a scale: (n, 2)."""
    rho, sigma = np.radians(record["rotation"]), np.radians(record["slant"])
    turn = np.array([[np.cos(rho), -np.sin(rho)], [np.sin(rho), np.cos(rho)]])
    lean = np.array([[1, -np.tan(sigma)], [0, 1]])
    return np.linalg.solve(turn @ lean @ np.diag([record["aspect"], 1]), points(record).T).T


def bent(record):
    """The skeleton's control points with the record's bend: (n, 2)."""
    p = np.array(points_of(way_of(record)))
    u, v = ((p - (36, 50)) / 50).T
    return p + np.stack([u * u, u * v, v * v], axis=1) @ record["bend"].T


def fitted(record):
    """The record's points, undone, moved and scaled onto the bent skeleton, and that scale in px a hundredth."""
    a, b = upright(record), bent(record)
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    scale = (a * b).sum() / (b * b).sum()
    return a / scale, b, scale


@settings(max_examples=30)
@given(handwritings, st.sampled_from(sorted(ALPHABETS)), st.integers(0, 2**40))
def test_every_number_is_within_the_handwriting(look, task, start):
    truth = draw(task, 1, start, start + 8, look).truth
    for name in ("aspect", "slant", "size", "stroke"):
        low, high = getattr(look, name)
        assert (truth[name] >= low).all()
        assert (truth[name] <= high).all()
    assert (abs(truth["rotation"]) <= look.rotation).all()
    assert (abs(truth["middle"] - 13.5) <= look.shift).all()
    assert (abs(truth["bend"]) <= look.bend).all()
    for record in truth:
        path = curve(record, np.arange(6) / 5)
        low, high = path.min(axis=(0, 1)), path.max(axis=(0, 1))
        assert (high - low).max() == pytest.approx(record["size"], abs=1e-9)
        assert (high + low) / 2 == pytest.approx(record["middle"], abs=1e-9)
        assert low.min() - record["stroke"] / 2 >= -0.5 - 1e-9  # inside the image with all of the stroke
        assert high.max() + record["stroke"] / 2 <= 27.5 + 1e-9
        mine, skeleton, _ = fitted(record)
        assert abs(mine - skeleton).max() <= 3 * look.jitter + 1e-9  # fitting takes up a part of the jitter


@settings(max_examples=25)
@given(handwritings.map(lambda look: replace(look, jitter=0.0)), st.integers(0, 2**40))
def test_without_jitter_a_character_is_its_skeleton_bent_stretched_slanted_and_turned(look, start):
    for record in draw("digits", 2, start, start + 10, look).truth:
        mine, skeleton, scale = fitted(record)
        assert scale > 0
        assert mine == pytest.approx(skeleton, abs=1e-8)


def test_jitter_moves_control_points_uniformly():
    """Alone it is what is left when all else is undone: its spread is that of a uniform number, jitter/√3."""
    look = replace(HANDWRITING, jitter=4.0)
    rest = np.concatenate(
        [np.subtract(*fitted(record)[:2]).ravel() for record in draw("digits", 3, 0, 2_000, look).truth]
    )
    assert rest.std() == pytest.approx(4 / np.sqrt(3), rel=0.2)  # of ten points fitting takes up a part
    assert abs(rest.mean()) < 0.02


@pytest.mark.parametrize("task", ALPHABETS)
def test_the_image_is_the_stroke_along_the_curve(task):
    """Coverage from each pixel's distance to a densely sampled curve, by the formula of `raster`."""
    images, _, truth = draw(task, 4, 0, 40)
    for image, record in zip(images, truth, strict=True):
        path = curve(record, np.arange(101) / 100).reshape(-1, 2)
        distance = np.hypot(X[..., None] - path[:, 0], Y[..., None] - path[:, 1]).min(axis=-1)
        expected = np.clip(record["stroke"] / 2 + 0.5 - distance, 0, 1)
        assert abs(image / 255 - expected).max() < 0.12  # chords are within a tenth of a pixel of the curve
        assert abs(image / 255 - expected).mean() < 0.004


def test_pieces_are_those_that_were_drawn():
    for record in draw("letters", 5, 0, 20).truth:
        path = curve(record, np.arange(6) / 5)  # (spans, 6, 2)
        expected = np.concatenate([path[:, :-1], path[:, 1:]], axis=2).reshape(-1, 4)
        assert pieces_of(record) == pytest.approx(expected, abs=1e-9)


def test_skeletons_are_strokes_in_a_box():
    assert {character for alphabet in ALPHABETS.values() for character in alphabet.characters} == set(WAYS)
    for character, ways in WAYS.items():
        assert len(ways) >= 1 + 1 * (character in "1479"), character  # people write these in several ways
        for way in ways:
            assert all(len(stroke) >= 2 for stroke in strokes_of(way))
            p = np.array(points_of(way))
            assert p.min() >= 0
            assert p.max() <= 100
            assert p[:, 1].max() - p[:, 1].min() >= 90, way  # hundredths of the height
            assert len(spans_of(way)) == sum(len(stroke) - 1 for stroke in strokes_of(way))


def test_spans_of_open_closed_and_meeting_strokes():
    assert spans_of("0,0 50,0 50,100") == [(0, 0, 1, 2), (0, 1, 2, 2)]
    assert spans_of("0,0 50,0 50,100 0,0") == [(2, 0, 1, 2), (0, 1, 2, 0), (1, 2, 0, 1)]
    assert spans_of("0,0 50,0 / 50,0 50,100") == [(0, 0, 1, 1), (1, 1, 2, 2)]
