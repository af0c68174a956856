"""The images against the truth, pixel by pixel: a slow distance field that knows nothing of the drawing."""

import numpy as np
import pytest

from npnet.tasks import Appearance, draw

CLEAN = Appearance(ground=(0.2, 0.3), contrast=(0.5, 0.6), amplitude=0.0, noise=0.0)
LEVEL = 1 / 255
Y, X = np.mgrid[:32, :32]


def field(segments):
    """The distance of every pixel's centre to the nearest segment, (32, 32): the least over 1,500 points on each."""
    distance = np.full((32, 32), np.inf)
    for x0, y0, x1, y1 in segments[~np.isnan(segments[:, 0])]:
        t = np.linspace(0, 1, 1_500)
        apart = np.hypot(X[..., None] - (x0 + t * (x1 - x0)), Y[..., None] - (y0 + t * (y1 - y0)))
        distance = np.minimum(distance, apart.min(axis=2))
    return distance


@pytest.mark.parametrize("width", [1.0, 1.5, 3.0])
@pytest.mark.parametrize("task", ["ac", "acl"])
def test_without_background_every_pixel_is_its_coverage(task, width):
    look = Appearance(width, CLEAN.longest, CLEAN.gap, CLEAN.ground, CLEAN.contrast, CLEAN.amplitude, CLEAN.noise)
    images, _, truth = draw(task, 9, 0, 15, look)
    for image, true in zip(images, truth, strict=True):
        coverage = np.clip(width / 2 + 0.5 - field(true["segments"]), 0, 1)
        expected = true["ground"] + coverage * (true["stroke"] - true["ground"])
        assert np.abs(image / 255 - expected).max() <= 1.5 * LEVEL


def test_strokes_stand_out_from_every_background():
    look = Appearance()
    images, _, truth = draw("acl", 9, 0, 40)
    assert set(truth["background"]) == {0, 1, 2, 3}
    for image, true in zip(images, truth, strict=True):
        bright = image / 255 if true["polarity"] else 1 - image / 255
        ground = true["ground"] if true["polarity"] else 1 - true["ground"]
        distance = field(true["segments"])
        core, outside = bright[distance < look.width / 2 - 0.5], bright[distance > look.width / 2 + 0.5]
        assert core.min() > outside.max()
        assert np.abs(core - ground - true["contrast"]).max() <= LEVEL
        assert np.abs(outside - ground).max() <= look.amplitude + look.noise + LEVEL


def test_a_clean_image_counts_its_strokes():
    """In an angle's picture all ink hangs together; a distractor is a piece of its own."""
    for task, pieces in (("ac", 1), ("acl", 2)):
        images, _, truth = draw(task, 13, 0, 80, CLEAN)
        for image, true in zip(images, truth, strict=True):
            ink = np.abs(image.astype(int) - round(255 * true["ground"])) > 25
            assert count_pieces(ink) == pieces


def count_pieces(ink):
    """The number of 8-connected pieces, by flooding one after another."""
    left, pieces = ink.copy(), 0
    while left.any():
        pieces += 1
        flood = np.zeros_like(left)
        flood[tuple(np.argwhere(left)[0])] = True
        while True:
            padded = np.pad(flood, 1)
            grown = left & np.any([padded[dy : dy + 32, dx : dx + 32] for dy in range(3) for dx in range(3)], axis=0)
            if np.array_equal(grown, flood):
                break
            flood = grown
        left &= ~flood
    return pieces


def test_the_four_backgrounds_change_at_different_rates():
    """The mean step between neighbouring pixels falls from pattern to pattern, in both directions of the image."""
    images, _, truth = draw("ac", 2, 0, 2_000, Appearance(noise=0.0))
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
