"""The conditions of the eight tasks, from the truth that comes with the stimuli, by formulas that drew none of them."""

from itertools import combinations

import numpy as np
import pytest
import truths

from npnet.tasks import CALIBRATED, TASKS, Appearance, draw
from npnet.tasks.rules import ANGLE, APART, CROSSING, TRIANGLE

N = 20_000
EXACT = 1e-6  # px, degrees: what a different formula may lose
CROWDED = {task: Appearance(width=3.0, gap=3.0 if task == "sb2l" else 5.0) for task in TASKS}  # the most that fits

# The table of the rules once more, in the words of the paper: kind, range of the (largest) angle, least of the others.
FIGURES = {
    "ac": (("angle", 20, 160), ("crossing", 20, 160)),
    "acl": (("angle", 20, 160), ("crossing", 20, 160)),
    "at": (("angle", 20, 160), ("triangle", 60, 140, 20)),
    "atl": (("angle", 20, 160), ("triangle", 60, 140, 20)),
    "sbl": (("angle", 20, 80), ("angle", 100, 160)),
    "sbt": (("triangle", 60, 80, 20), ("triangle", 100, 160, 10)),
    "sb2l": (("angle", 20, 80), ("angle", 100, 160)),
    "cnc": (("apart",), ("crossing", 20, 160)),
}
DISTRACTORS = {"ac": 0, "acl": 1, "at": 0, "atl": 1, "sbl": 1, "sbt": 1, "sb2l": 2, "cnc": 0}
LENGTHS = {"at": (20, 25), "atl": (20, 25), "sbt": (23.5, 27)}  # of two segments of the figure; else 13 to 22
NUMBERS = {"angle": ANGLE, "triangle": TRIANGLE, "crossing": CROSSING, "apart": APART}
CLASSES = [(task, label) for task in FIGURES for label in (0, 1)]
having = {kind: [(task, label) for task, label in CLASSES if FIGURES[task][label][0] == kind] for kind in NUMBERS}
DRAWN = {}


def truth_of(task, label=None):
    """Truth of N stimuli of a task, or of one class of them."""
    if task not in DRAWN:
        _, labels, truth = draw(task, 11, 0, N)
        DRAWN[task] = labels, truth
    labels, truth = DRAWN[task]
    return truth if label is None else truth[labels == label]


def fills(values, low, high, near_ends=2.0, share=0.001):
    """Check that values lie in low … high, come near both ends, and have a share at least in each tenth between."""
    assert low - EXACT <= values.min() <= low + near_ends
    assert high - near_ends <= values.max() <= high + EXACT
    assert np.histogram(values, 10, (low - EXACT, high + EXACT))[0].min() >= share * len(values)


def test_these_are_all_tasks():
    assert list(TASKS) == list(FIGURES)
    for task, rule in TASKS.items():
        assert (rule.distractors, rule.lengths) == (DISTRACTORS[task], LENGTHS.get(task, (13, 22)))
        for figure, (kind, *angles) in zip((rule.class_0, rule.class_1), FIGURES[task], strict=True):
            assert figure.kind == NUMBERS[kind]
            assert [figure.least, figure.most, figure.smallest][: len(angles)] == angles
    with pytest.raises(TypeError):
        TASKS["ac"] = TASKS["cnc"]


@pytest.mark.parametrize("task", TASKS)
def test_segments_are_counted_and_long_enough(task):
    truth = truth_of(task)
    size = np.where(truth["figure"] == TRIANGLE, 3, 2)
    assert np.all(truth["distractors"] == DISTRACTORS[task])
    assert np.array_equal(truth["segment_count"], size + DISTRACTORS[task])
    present = np.arange(4) < truth["segment_count"][:, None]
    assert np.array_equal(np.isnan(truth["segments"]), np.repeat(~present[:, :, None], 4, axis=2))
    lengths = truths.lengths(truth)
    assert lengths[present].min() >= 13 - EXACT
    for each in range(DISTRACTORS[task]):
        fills(lengths[np.arange(N), size + each], 13, 22, near_ends=0.05)


@pytest.mark.parametrize("task", [task for task in TASKS if DISTRACTORS[task]])
def test_distractors_lie_in_every_direction(task):
    truth = truth_of(task)
    last = truths.corners(truth)[np.arange(N), truth["segment_count"] - 1]
    fills(np.angle(last[:, 1] - last[:, 0], deg=True) % 180, 0, 180, share=0.05)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("width", [CALIBRATED.width, 3.0])
def test_strokes_are_inside_the_image_and_reach_its_edges(task, width):
    truth = truth_of(task) if width == CALIBRATED.width else draw(task, 3, 0, N // 4, Appearance(width=width)).truth
    for axis in (0, 1):
        ends = truth["segments"][:, :, axis::2]
        assert truths.LOW + width / 2 - EXACT <= np.nanmin(ends) < truths.LOW + width / 2 + 0.05
        assert truths.HIGH - width / 2 - 0.05 < np.nanmax(ends) <= truths.HIGH - width / 2 + EXACT


@pytest.mark.parametrize(("task", "label"), CLASSES)
def test_what_a_class_has_not_is_not_a_number(task, label):
    truth, kind = truth_of(task, label), FIGURES[task][label][0]
    assert np.all(truth["figure"] == NUMBERS[kind])
    cornered = kind in ("angle", "triangle")
    for field, there in (("vertex", cornered), ("angle", cornered)):
        assert np.all(np.isnan(truth[field]) != there)
    for field in ("crossing", "fractions", "crossing_angle"):
        assert np.all(np.isnan(truth[field]) != (kind == "crossing"))


@pytest.mark.parametrize(("task", "label"), having["angle"])
def test_an_angle(task, label):
    truth, (_, low, high) = truth_of(task, label), FIGURES[task][label]
    ends = truths.corners(truth)
    for row in (0, 1):
        assert np.allclose(truth["segments"][:, row, :2], truth["vertex"], atol=EXACT, rtol=0)
    angle = truths.angle_at(ends[:, 0, 0], ends[:, 0, 1], ends[:, 1, 1])
    assert np.allclose(truth["angle"], angle, atol=EXACT, rtol=0)
    if task in LENGTHS:  # sides so long seldom fit into the image at more than 140°
        fills(angle, low, high, near_ends=6.0, share=0.0002)
    else:
        fills(angle, low, high)


@pytest.mark.parametrize(("task", "label"), having["crossing"])
def test_a_crossing(task, label):
    truth, (_, low, high) = truth_of(task, label), FIGURES[task][label]
    fractions = truths.crossing_fractions(truth)
    assert np.allclose(truth["fractions"], fractions, atol=EXACT, rtol=0)
    for row in (0, 1):
        fills(fractions[:, row], 0.2, 0.8, near_ends=0.01)
        start, end = truth["segments"][:, row, :2], truth["segments"][:, row, 2:]
        point = start + fractions[:, row, None] * (end - start)
        assert np.allclose(truth["crossing"], point, atol=EXACT, rtol=0)
    middle = truth["crossing"][:, 0] + 1j * truth["crossing"][:, 1]
    angle = truths.angle_at(middle, *truths.corners(truth)[:, :2, 1].T)
    assert np.allclose(truth["crossing_angle"], angle, atol=EXACT, rtol=0)
    fills(angle, low, high)


@pytest.mark.parametrize(("task", "label"), having["triangle"])
def test_a_triangle(task, label):
    truth, (_, low, high, smallest) = truth_of(task, label), FIGURES[task][label]
    ends = truths.corners(truth)
    a, b, c = ends[:, 0, 0], ends[:, 0, 1], ends[:, 1, 1]
    assert np.allclose(ends[:, 1, 0], a, atol=EXACT, rtol=0)  # closed: three shared corners
    assert np.allclose(ends[:, 2, 0], b, atol=EXACT, rtol=0)
    assert np.allclose(ends[:, 2, 1], c, atol=EXACT, rtol=0)
    assert np.allclose(truth["vertex"], truth["segments"][:, 0, :2], atol=EXACT, rtol=0)
    angles = truths.triangle_angles(truth)
    assert np.allclose(truth["angle"], angles[:, 0], atol=EXACT, rtol=0)
    assert np.all(angles[:, 0] >= angles.max(axis=1) - EXACT)
    fills(angles[:, 0], low, high)
    for other in (1, 2):  # they share what is left, either way
        assert angles[:, other].min() >= smallest - EXACT
        assert angles[:, other].max() > 45
    difference = angles[:, 1] - angles[:, 2]
    assert abs(difference.mean()) < 5 * difference.std() / np.sqrt(len(truth))
    if high > 80:  # where the largest angle leaves the others any room
        assert angles[:, 1:].min() <= smallest + 0.5


def apart_of(truth):
    """Pairs of rows that may not meet: a pair apart, and every distractor with all rows before it."""
    count, distractors = truth["segment_count"][0], truth["distractors"][0]
    first = 1 if truth["figure"][0] == APART else count - distractors
    return [(row, other) for other, row in combinations(range(count), 2) if row >= first]


@pytest.mark.parametrize(("task", "label"), CLASSES)
@pytest.mark.parametrize("crowded", [False, True], ids=["default", "crowded"])
def test_what_does_not_meet_keeps_its_gap(task, label, crowded):
    appearance, truth = CALIBRATED, truth_of(task, label)
    if crowded:
        appearance = CROWDED[task]
        _, labels, truth = draw(task, 3, 0, 1_000, appearance)
        truth = truth[labels == label]
    clearance = appearance.gap + appearance.width
    for row, other in apart_of(truth):
        # Sampled points are never nearer than the segments themselves: a distance below the gap is a failure.
        distance = truths.least_distance(truth, row, other)
        assert clearance - EXACT <= distance.min() < clearance + 0.5


@pytest.mark.parametrize("task", TASKS)
def test_a_crowded_image_still_finds_room(task):
    assert len(draw(task, 0, 0, 3_000, CROWDED[task]).labels) == 3_000


def test_where_there_is_no_room_it_says_so():
    with pytest.raises(RuntimeError, match=r"no place found for the segments .* expected a smaller width or gap"):
        draw("sb2l", 0, 0, 3_000, Appearance(width=3.0, gap=5.0))


@pytest.mark.parametrize(("task", "label"), CLASSES)
def test_lengths_follow_one_law_in_both_classes(task, label):
    """Each of two segments is uniform in the task's range but for what is hidden; a triangle has the sum of two."""
    truth, kind = truth_of(task, label), FIGURES[task][label][0]
    low, high = LENGTHS.get(task, (13, 22))
    lengths = truths.lengths(truth)
    if kind == "triangle":
        joints = truths.hidden_at(truths.triangle_angles(truth))[0].sum(axis=1)
        whole = lengths[:, :3].sum(axis=1) - joints + truths.ends_length()
        u = (whole - 2 * low) / (2 * (high - low))
        assert u.min() > -EXACT
        assert u.max() < 1 + EXACT
        assert truths.kolmogorov(u, lambda u: np.where(u < 0.5, 2 * u**2, 1 - 2 * (1 - u) ** 2)) < 2.6
        return
    hidden = 0.0
    if kind == "angle":
        hidden = truths.hidden_at(truth["angle"])[0] / 2
    elif kind == "crossing":
        hidden = truths.hidden_at(truth["crossing_angle"])[1] / 2
    for row in (0, 1):
        u = (lengths[:, row] - hidden - low) / (high - low)
        assert u.min() > -EXACT
        assert u.max() < 1 + EXACT
        assert truths.kolmogorov(u, lambda u: np.clip(u, 0, 1)) < 2.6
    joint = np.corrcoef(lengths[:, 0] - hidden, lengths[:, 1] - hidden)[0, 1]
    assert abs(joint) < 5 / np.sqrt(len(truth))
