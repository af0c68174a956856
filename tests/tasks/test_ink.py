"""The same ink in both classes: what strokes hide of each other, and the figures that make up for it."""

import numpy as np
import pytest
import truths

from npnet.tasks import TASKS, draw
from npnet.tasks.figures import crossing_hides, draw_segments, joint_hides

STEP = 0.02  # px, of the fine grid that areas are summed on
widths = pytest.mark.parametrize("width", [1.0, 1.5, 3.0])
thetas = pytest.mark.parametrize("theta", [20.0, 47.0, 60.0, 90.0, 110.0, 160.0])


def coverage(p, q, width, x, y):
    """Of the stroke from p to q, complex numbers, on a fine grid."""
    place, along = x + 1j * y - p, q - p
    t = np.clip((place * np.conj(along)).real / abs(along) ** 2, 0, 1)
    return np.clip(width / 2 + 0.5 - abs(place - t * along), 0, 1)


def hidden(strokes, width):
    """The ink of two strokes less the ink of their union, over the width: px, summed over a fine grid."""
    corners = np.array(strokes).ravel()
    y, x = np.ogrid[
        corners.imag.min() - width - 1 : corners.imag.max() + width + 1 : STEP,
        corners.real.min() - width - 1 : corners.real.max() + width + 1 : STEP,
    ]
    p, q = (coverage(*stroke, width, x, y) for stroke in strokes)
    return (p + q - np.maximum(p, q)).sum() * STEP**2 / width


@widths
@thetas
def test_a_joint_hides_what_its_area_says(theta, width):
    long = 4 + 2 * width / np.tan(np.radians(theta) / 2)  # so that the far ends are clear of the joint
    strokes = (0, long), (0, long * np.exp(1j * np.radians(theta)))
    area = hidden(strokes, width)
    assert joint_hides(np.radians(theta), width) == pytest.approx(area, rel=2e-3)
    assert truths.hidden_at(theta, width)[0] == pytest.approx(area, rel=2e-3)


@widths
@thetas
def test_a_crossing_hides_what_its_area_says(theta, width):
    long = 2 + 3 * width / np.sin(np.radians(theta))
    turn = np.exp(1j * np.radians(theta))
    area = hidden(((-long, long), (-long * turn, long * turn)), width)
    assert crossing_hides(np.radians(theta), width) == pytest.approx(area, rel=2e-3)
    assert truths.hidden_at(theta, width)[1] == pytest.approx(area, rel=2e-3)


def figure_numbers(figure):
    return figure.kind, float(figure.least), float(figure.most), float(figure.smallest)


@pytest.mark.parametrize("task", TASKS)
@widths
def test_both_figures_of_a_task_have_the_ink_of_their_lengths(task, width):
    """Figures of either class drawn of given lengths have the ink of two strokes so long, but for the pixels' grid."""
    rule, pairs, ink = TASKS[task], 400, []
    lengths = np.random.default_rng(5).uniform(*rule.lengths, (pairs, 2))
    for figure in (rule.class_0, rule.class_1):
        truth = np.zeros(pairs, [("segments", "f8", (4, 4)), ("segment_count", "u1")])
        truth["segments"] = np.nan
        rng = np.array([17], np.uint64)
        for row, (one, other) in enumerate(lengths):
            segments = np.full((4, 4), np.nan)
            four = np.array([one, other, 0.0, 0.0])
            count = draw_segments(rng, segments, four, figure_numbers(figure), 0, width, 2.0)
            truth[row] = segments, count
        ink.append(truths.coverage_ink(truth, width) / width)
    expected = lengths.sum(axis=1) + 2 * truths.ends_length(width)
    for found in ink:
        error = (found - expected).std() / np.sqrt(pairs)
        assert error < 0.03
        assert abs((found - expected).mean()) < 0.02 + 5 * error  # px


@pytest.mark.parametrize("task", TASKS)
def test_the_ink_of_drawn_stimuli_does_not_know_the_class(task):
    """Over many stimuli, the mean ink of the two classes within five standard errors and 0.05 standard deviations."""
    _, labels, truth = draw(task, 31, 0, 20_000)
    ink = truths.coverage_ink(truth)
    zero, one = ink[labels == 0], ink[labels == 1]
    error = np.sqrt(zero.var() / len(zero) + one.var() / len(one))
    assert abs(zero.mean() - one.mean()) < 0.05 * ink.std() + 5 * error
    assert 0.9 < zero.std() / one.std() < 1.1


@pytest.mark.parametrize("task", ["ac", "acl"])
def test_a_crossing_is_turned_and_opened_as_an_angle_is(task):
    """Orientations have one law. Crossings hide more, so their sides are longer and wide ones fit a little less often:
    the laws of the angle differ by 0.03."""
    _, labels, truth = draw(task, 32, 0, 40_000)
    meeting = np.where(labels == 0, truth["angle"], truth["crossing_angle"])
    ends = truths.corners(truth)
    tilt = np.angle(ends[:, 0, 1] - ends[:, 0, 0])
    chance = 2.6 * np.sqrt(4 / len(labels))  # as in truths.kolmogorov, of two samples of half as many
    for what, most in ((tilt, chance), (meeting, 0.05 + chance)):
        zero, one = np.sort(what[labels == 0]), np.sort(what[labels == 1])
        places = np.concatenate([zero, one])
        shares = [np.searchsorted(sample, places) / len(sample) for sample in (zero, one)]
        assert abs(shares[0] - shares[1]).max() < most
