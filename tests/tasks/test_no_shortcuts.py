"""The class is in the figure alone: not in counts, levels, brightness or ink, singly or weighed together."""

import numpy as np
import pytest
import truths

from npnet.tasks import TASKS, draw

N = 20_000
tasks = pytest.mark.parametrize("task", TASKS)


def chi_square(*columns):
    """Σ (observed − expected)²/expected over the cells of equally likely combinations, and the number of cells."""
    table = np.stack(columns, axis=1)
    observed = np.unique(table, axis=0, return_counts=True)[1]
    expected = len(table) / len(observed)
    return np.sum((observed - expected) ** 2) / expected, len(observed)


def differs(what, labels):
    """The difference of the two classes' means, in standard errors."""
    zero, one = what[labels == 0], what[labels == 1]
    return (one.mean() - zero.mean()) / np.sqrt(zero.var() / len(zero) + one.var() / len(one))


@tasks
def test_class_polarity_and_background_are_fair_and_independent(task):
    _, labels, truth = draw(task, 11, 0, N)
    assert set(truth["background"]) == {0, 1, 2, 3}
    for columns, cells in (
        ((labels,), 2),
        ((truth["polarity"],), 2),
        ((labels, truth["polarity"], truth["background"]), 16),
    ):
        statistic, found = chi_square(*columns)
        assert found == cells
        # A chi-square of k degrees of freedom has mean k and variance 2k; six standard deviations are one in a million.
        assert statistic < (cells - 1) + 6 * np.sqrt(2 * (cells - 1))


@tasks
def test_the_class_shows_in_no_level_and_no_place(task):
    images, labels, truth = draw(task, 12, 0, N)
    sign = np.where(truth["polarity"] == 1, 1, -1)
    brightness = images.mean(axis=(1, 2), dtype=np.float64)
    ends = truths.corners(truth)
    tilt = np.angle((ends[:, 0, 1] - ends[:, 0, 0]) ** 2)  # twice the first segment's, so that its ends are alike
    dark = np.where(truth["polarity"] == 1, truth["ground"], 1 - truth["ground"])
    for what in (truth["ground"], dark, truth["contrast"], brightness, np.cos(tilt), np.sin(tilt)):
        assert abs(differs(what, labels)) < 5
    assert abs(differs(sign * brightness, labels)) < 5 + 0.05 * np.sqrt(N) / 2  # as the ink, see test_ink
    for what in (dark, truth["contrast"], truth["background"] * 1.0, *np.nanmean(truth["segments"], axis=1).T):
        assert abs(differs(what, truth["polarity"])) < 5


@tasks
def test_neighbouring_images_have_nothing_in_common(task):
    drawn = draw(task, 0, 0, N)
    others = [draw(task, 1, 0, N), draw("acl" if task != "acl" else "ac", 0, 0, N)]
    others += [type(drawn)(*(np.roll(part, shift, axis=0) for part in drawn)) for shift in (1, 2, 5)]
    for other in others:
        for mine, theirs in (
            (drawn.labels, other.labels),
            (drawn.truth["polarity"], other.truth["polarity"]),
            (drawn.truth["contrast"], other.truth["contrast"]),
            (drawn.truth["segments"][:, 0, 0], other.truth["segments"][:, 0, 0]),
        ):
            assert abs(np.corrcoef(mine, theirs)[0, 1]) < 5 / np.sqrt(N)


def statistics(images, truth):
    """Of each image, all (N,): of its levels, the spread of its pixels, and its histogram."""
    parts = [histogram_of(images[start : start + 1000], truth[start : start + 1000]) for start in range(0, N, 1000)]
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    found["ink"] = truths.coverage_ink(truth)
    levels = ("mean", "signed mean", "mean deviation", "ink")
    return {name: found[name] for name in levels}, {name: found[name] for name in found if name not in levels}


def histogram_of(images, truth):
    pixels, white = images.reshape(len(images), -1).astype(np.float32), truth["polarity"] == 1
    ordered = np.sort(np.where(white[:, None], pixels, 255 - pixels), axis=1)  # white on dark
    median = ordered[:, 511:513].mean(axis=1)
    mean, lighter = pixels.mean(axis=1), ordered - median[:, None]
    return {
        "mean": mean,
        "signed mean": np.where(white, mean, -mean),
        "mean deviation": abs(lighter).mean(axis=1),
        "standard deviation": ordered.std(axis=1),
        "least": ordered[:, 0],
        "median": median,
        "most": ordered[:, -1],
        "share over the median + 40": (lighter > 40).mean(axis=1),
        "share over 128": (ordered > 128).mean(axis=1),
    }


def accuracy(features, labels):
    """Of the least-squares linear classifier, trained on the first half, on the second."""
    X = np.stack(list(features.values()), axis=1).astype(np.float64)  # (N, features)
    X = np.column_stack([(X - X.mean(axis=0)) / X.std(axis=0), np.ones(len(X))])
    half = len(X) // 2
    weights = np.linalg.lstsq(X[:half], 2.0 * labels[:half] - 1)[0]
    return np.mean((X[half:] @ weights > 0) == labels[half:])


@tasks
def test_brightness_and_ink_do_not_tell_the_class(task):
    """At chance: 50 %, and four standard errors of 0.5 % allowed.

    The standard deviation of the pixels leaks about 2 % where the figures differ most (sbt, cnc), since half-covered
    pixels count less in squares than in sums. All of the histogram leaks more (53 % to 66 % by the default levels):
    mean and shares together say how long the edges are, which figures of the same ink do not share.
    """
    images, labels, truth = draw(task, 77, 0, N)
    levels, histogram = statistics(images, truth)
    assert accuracy(levels, labels) < 0.52
    assert accuracy(levels | {"spread": histogram["standard deviation"]}, labels) < 0.545
    del levels["ink"]
    assert accuracy(levels | histogram, labels) < 0.71


def test_the_classifier_would_find_a_shortcut():
    """With 0.15 standard deviations of ink between the classes it is beyond its bound of 52 %."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, N)
    features = {"ink": rng.standard_normal(N) + 0.15 * labels, "mean": rng.standard_normal(N)}
    assert accuracy(features, labels) > 0.52
