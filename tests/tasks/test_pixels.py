"""The images against the truth, pixel by pixel: a slow distance field that knows nothing of the drawing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npnet.tasks import TASKS, Appearance, draw
from npnet.tasks.raster import compose, cover
from npnet.tasks.rules import APART, TRIANGLE

CLEAN = Appearance(ground=(0.2, 0.3), contrast=(0.5, 0.6), amplitude=0.0, noise=0.0)
LEVEL = 1 / 255
Y, X = np.mgrid[:32, :32]


def field(segments):
    """The distance of every pixel's centre to the nearest segment, (32, 32): each is turned to lie from 0 to 1."""
    distance = np.full((32, 32), np.inf)
    for x0, y0, x1, y1 in segments[~np.isnan(segments[:, 0])]:
        start, along = complex(x0, y0), complex(x1 - x0, y1 - y0)
        place = (X + 1j * Y - start) / along
        distance = np.minimum(distance, abs(along) * abs(place - np.clip(place.real, 0, 1)))
    return distance


coordinates = st.floats(-6, 37)


@settings(max_examples=150)
@given(st.lists(st.tuples(*[coordinates] * 4), min_size=1, max_size=3), st.floats(1, 3))
def test_cover_is_a_distance_field(segments, width):
    """Of strokes anywhere, also partly outside the image, the larger coverage counts."""
    segments = [p for p in segments if np.hypot(p[2] - p[0], p[3] - p[1]) > 1] or [(3.0, 4.0, 20.0, 9.0)]
    found = np.zeros((32, 32), np.float32)
    for p in segments:
        cover(found, p, width)
    assert np.abs(found - np.clip(width / 2 + 0.5 - field(np.array(segments)), 0, 1)).max() < 1e-4


@given(st.integers(0, 2**32), st.booleans(), st.floats(0.1, 0.3), st.floats(0, 0.07), st.floats(0, 0.03))
def test_compose_is_its_formula_and_its_flip_the_complement(seed, flip, ground, amplitude, noise):
    rng = np.random.default_rng(seed)
    pattern, coverage = rng.uniform(-1, 1, 1024).astype(np.float32), rng.uniform(0, 1, 1024).astype(np.float32)
    coverage[:100], coverage[100:200] = 0, 1
    speckle, image = rng.integers(0, 256, 1024, np.uint8), np.empty(1024, np.uint8)
    compose(image, pattern, speckle, coverage, (ground, amplitude, noise, 0.8), flip)
    background = ground + amplitude * pattern + noise * (speckle / 127.5 - 1)
    v = (1 - coverage) * background + coverage * 0.8
    assert np.abs(image - 255 * (1 - v if flip else v)).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("width", [1.0, 1.5, 3.0])
@pytest.mark.parametrize("task", TASKS)
def test_without_background_every_pixel_is_its_coverage(task, width):
    look = replace(CLEAN, width=width)
    images, _, truth = draw(task, 9, 0, 15, look)
    assert set(truth["polarity"]) == {0, 1}
    for image, true in zip(images, truth, strict=True):
        coverage = np.clip(width / 2 + 0.5 - field(true["segments"]), 0, 1)
        expected = true["ground"] + coverage * (true["stroke"] - true["ground"])
        assert np.abs(image / 255 - expected).max() <= 0.6 * LEVEL


def test_strokes_stand_out_from_every_background():
    look = Appearance()
    images, _, truth = draw("acl", 9, 0, 40)
    assert set(truth["background"]) == {0, 1, 2, 3}
    extremes = []
    for image, true in zip(images, truth, strict=True):
        bright = image / 255 if true["polarity"] else 1 - image / 255
        ground = true["ground"] if true["polarity"] else 1 - true["ground"]
        distance = field(true["segments"])
        core, outside = bright[distance < look.width / 2 - 0.5], bright[distance > look.width / 2 + 0.5]
        assert core.min() > outside.max()
        assert np.abs(core - ground - true["contrast"]).max() <= LEVEL
        extremes.append(np.abs(outside - ground).max())
        assert extremes[-1] <= look.amplitude + look.noise + LEVEL
        assert np.std(np.diff(outside)) > 0.3 * look.noise  # the noise is everywhere
    assert max(extremes) > 0.8 * (look.amplitude + look.noise)


@pytest.mark.parametrize("task", TASKS)
def test_a_clean_image_shows_its_figure(task):
    """All ink of a figure hangs together, but of two segments apart; a distractor is a piece of its own. And only a
    triangle shuts in a piece of the ground: the middle of its inscribed circle, unless it is too flat to have one."""
    images, _, truth = draw(task, 13, 0, 200, CLEAN)
    ink = np.abs(images / 255 - truth["ground"][:, None, None]) > 0.5 * truth["contrast"][:, None, None]
    numbers = pieces(ink, diagonal=True)
    counts = np.array([len(np.unique(each)) - 1 for each in numbers])  # 0 is the ground
    assert np.array_equal(counts, 1 + (truth["figure"] == APART) + truth["distractors"])
    ground = pieces(np.pad(~ink, ((0, 0), (1, 1), (1, 1)), constant_values=True), diagonal=False)
    shut_in = np.sum(~ink & (ground[:, 1:-1, 1:-1] != ground[:, :1, :1]), axis=(1, 2))  # px
    triangle = truth["figure"] == TRIANGLE
    roomy = triangle & (truth["angle"] < 130)
    assert np.all(shut_in[~triangle] < 5)
    assert np.all(shut_in[roomy] > 10)
    for true, number in zip(truth[roomy], ground[roomy], strict=True):
        a, b, c = true["segments"][[0, 0, 1], [[0, 2, 2], [1, 3, 3]]].T
        sides = np.linalg.norm([b - c, c - a, a - b], axis=1)
        x, y = np.rint(sides @ np.stack([a, b, c]) / sides.sum()).astype(int)
        assert number[y + 1, x + 1] not in (0, number[0, 0])


def pieces(mask, diagonal):
    """A number for each connected piece of every mask (n, h, w), 0 outside: the largest number of a piece spreads."""
    numbers = np.where(mask, np.arange(1, mask[0].size + 1).reshape(mask[0].shape), 0)
    steps = [(dy, dx) for dy in range(3) for dx in range(3) if diagonal or 1 in (dy, dx)]
    while True:
        padded = np.pad(numbers, ((0, 0), (1, 1), (1, 1)))
        _, h, w = mask.shape
        spread = np.where(mask, np.max([padded[:, dy : dy + h, dx : dx + w] for dy, dx in steps], axis=0), 0)
        if np.array_equal(spread, numbers):
            return numbers
        numbers = spread


def test_the_four_backgrounds_change_at_different_rates():
    """The mean step between neighbouring pixels falls from pattern to pattern, in both directions of the image."""
    images, _, truth = draw("ac", 2, 0, 1_000, Appearance(noise=0.0))
    for axis in (1, 2):
        steps = np.abs(np.diff(images.astype(float), axis=axis))
        rates = [np.median(steps[truth["background"] == pattern]) for pattern in range(4)]
        means = [np.mean(np.minimum(steps[truth["background"] == pattern], 20)) for pattern in range(4)]
        assert rates[0] > 2 * rates[1] > 2 * rates[2] >= 2 * rates[3]
        assert means[2] > means[3]


def test_the_two_polarities_are_mirror_images_in_distribution():
    images, _, truth = draw("acl", 21, 0, 8_000)
    white, black = images[truth["polarity"] == 1].mean(), 255 - images[truth["polarity"] == 0].mean()
    assert abs(white - black) < 0.6
