"""The variants of the study of the old head's threshold do what their names say."""

import numpy as np
import pytest

from experiments.frame.long_form import Findings
from experiments.frame.measurements import Measurement
from experiments.frame.tasks import Sizes
from experiments.studies.threshold import stimuli, study
from experiments.studies.threshold.stimuli import FreshNoise, drawn, drawn_plainly, grey_levels
from experiments.studies.threshold.variants import BASE, LOSSES, VARIANTS, InBlocks, load, mixed
from npnet import Hyperparameters, Split, Task, begin, generator, mlp, train
from npnet.tasks import CALIBRATED, line_task
from npnet.tasks.geometry import angle_between, crossing_fractions, length, near

SMALL = Sizes(train=30, validation=20, test=10)


def test_without_a_change_the_task_is_the_one_that_the_tables_learn() -> None:
    ours, theirs = load("acl", VARIANTS[BASE], SMALL, 3), line_task("acl", 3, 30, 20, 10)
    for which in ("train", "validation", "test"):
        one, other = getattr(ours, which), getattr(theirs, which)
        np.testing.assert_array_equal(one.inputs, other.inputs[:])
        np.testing.assert_array_equal(one.labels, other.labels)


def test_every_change_of_the_stimuli_changes_them_and_no_label() -> None:
    base = load("acl", VARIANTS[BASE], SMALL, 0).train
    for name in (
        "the third line may touch",
        "pure white and black strokes",
        "segments of up to 28 px",
        "no background",
        "strokes of 2 px",
        "gaps of 4 px",
        "sixteen grey levels",
        "standardised pixels",
        "pixels from -1 to 1",
        "fresh float32 noise",
    ):
        split = load("acl", VARIANTS[name], SMALL, 0).train
        np.testing.assert_array_equal(split.labels, base.labels)
        assert (split.inputs[:] != base.inputs[:]).any(), name


# `.loop` is the function itself: the four are small, and compiling them takes seconds.
def test_a_plain_program_obeys_the_papers_conditions() -> None:
    rng, width = np.random.default_rng(0), CALIBRATED.width
    for label in (0, 1):
        found = stimuli._proposals(rng, label, 3, 30.0, width)
        assert len(found) > 60
        assert found.min() >= width / 2 - 0.5
        assert found.max() <= 31.5 - width / 2
        touching = 0
        for p, q, r in ([tuple(each) for each in segments] for segments in found[:60].tolist()):
            assert 20 - 1e-9 <= angle_between.loop(p, q) <= 160 + 1e-9
            assert min(map(length.loop, (p, q, r))) >= 13 - 1e-9
            fractions = np.array(crossing_fractions.loop(p, q))
            assert ((fractions > 0.2 - 1e-9) & (fractions < 0.8 + 1e-9)).all() if label else abs(fractions).max() < 1e-9
            for other in (p, q):
                t, u = crossing_fractions.loop(r, other)
                assert not (0 < t < 1 and 0 < u < 1)
                touching += near.loop(r[0], r[1], other, 2 + width)
        assert touching  # nearer than the stimuli of the tables ever come
    images, labels = drawn_plainly("ac", 0, 0, 10)
    assert images.shape == (10, 1024)
    assert set(labels) == {0, 1}
    assert (drawn_plainly("ac", 0, 0, 10)[0] == images).all()
    assert (drawn_plainly("ac", 0, 2**61, 10)[0] != images).any()


def test_blocks_hold_one_class_each() -> None:
    labels = drawn("acl", 0, 0, 101)[1]
    rng = np.random.default_rng(0)
    rows = InBlocks(labels, 10, 200)(rng, 0, 101)
    least = min((labels == 0).sum(), (labels == 1).sum()) // 10 * 10
    assert len(set(rows)) == len(rows) == 2 * least
    assert (labels[rows].reshape(-1, 10) == np.tile([0, 1], least // 10)[:, None]).all()
    assert (InBlocks(labels, 10, 200)(rng, 1, 101) != rows).any()
    whole = labels[InBlocks(labels, 10**9, 50)(rng, 0, 101)]
    assert (np.diff(whole) >= 0).all()
    assert whole.mean() == 0.5


def test_losses_against_targets_by_hand() -> None:
    Z, labels = np.array([[0.5, 0.0], [1.0, 1.0]]), np.array([0, 1])
    value, dZ = LOSSES["0 and 1"](Z, labels)
    assert value == pytest.approx((0.25 + 1.0) / 2 / 2)
    np.testing.assert_allclose(dZ, np.array([[-0.5, 0.0], [1.0, 0.0]]) / 2)
    value, dZ = LOSSES["-1 and 1"](Z, labels)
    assert value == pytest.approx((0.25 + 1.0 + 4.0) / 2 / 2)
    np.testing.assert_allclose(dZ, np.array([[-0.5, 1.0], [2.0, 0.0]]) / 2)


def test_noise_is_the_batchs_own() -> None:
    images = drawn("acl", 0, 0, 20)[0]
    X, rows = FreshNoise(images, 0.1, 0), np.arange(10)
    assert X[rows].dtype == np.float32
    assert 0.05 < abs(X[rows] - images[rows] / np.float32(255)).max() <= 0.1 + 1e-6
    np.testing.assert_array_equal(X[rows], X[:10])
    assert (X[rows[::-1]][::-1] != X[rows]).any()


def test_the_new_heads_biases_alone_learn_faster() -> None:
    rng = np.random.default_rng(0)
    split = Split(rng.normal(size=(12, 4)), rng.integers(0, 2, 12))
    task = Task("ac", 2, split, split, split)
    settings = Hyperparameters(batch_size=12, rate=0.01, max_epochs=1, keep="last")
    moved = {}
    for name in (BASE, "new biases at 20 times the rate"):
        network = mlp((4, 3), {"acl": 2}, generator(0), dtype=np.float64)
        run, given = begin(study._method("fine", VARIANTS[name]), network, task, generator(1), settings)
        before = run.network.copy()
        list(train(run, {"ac": task}, given))
        pairs = [(run.network.trunk[0], before.trunk[0]), (run.network.head("ac"), before.head("ac"))]
        moved[name] = [{key: after[key] - old[key] for key in old} for after, old in pairs]
    (hidden, head), (same, faster) = moved.values()
    assert abs(head["b"]).min() > 0
    np.testing.assert_allclose(faster["b"], 20 * head["b"], rtol=1e-9)
    for one, other in ((hidden["W"], same["W"]), (hidden["b"], same["b"]), (head["W"], faster["W"])):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-15)


def test_grey_levels_are_few() -> None:
    assert len(np.unique(grey_levels(np.arange(256, dtype=np.uint8)[None], 16))) == 16


def test_a_mixed_validation_set_has_half_of_each() -> None:
    acl, ac = (load(name, VARIANTS[BASE], SMALL, 0) for name in ("acl", "ac"))
    split = mixed(acl, ac).validation
    np.testing.assert_array_equal(split.inputs[:10], acl.validation.inputs[:10])
    np.testing.assert_array_equal(split.inputs[10:], ac.validation.inputs[:10])


def test_what_is_forgotten_on_numbers_by_hand() -> None:
    numbers = {
        ("first", "old"): (20.0, 22.0),
        ("first", "refitted"): (19.0, 22.0),
        ("fine", "old"): (30.0, 34.0),
        ("fine", "refitted"): (21.0, 23.0),
        ("fine", "old_early"): (31.0, 33.0),
        ("fine", "old_epoch_1"): (40.0, 42.0),
        ("fine", "new"): (10.0, 12.0),
    }
    found = Findings(
        {"studies": {BASE: {"begins": ""}, "x": {"begins": BASE}}},
        [
            Measurement("threshold", "x" if method == "fine" else BASE, method, "none", seed, metric, value)
            for (method, metric), values in numbers.items()
            for seed, value in enumerate(values)
        ],
    )
    ((name, before, one, early, kept, forgotten, again, new),) = study._forgotten(found).rows
    assert (name, before, one, early) == ("x", "21.0 ± 1.4", "41.0 ± 1.4", "32.0 ± 1.4")
    assert (kept, forgotten, again, new) == ("32.0 ± 2.8", "+11.0", "+1.5", "11.0 ± 1.4")


def test_a_head_leans_to_the_class_that_it_takes_too_much_for() -> None:
    found = Findings(
        {"studies": {BASE: {"begins": ""}}},
        [
            Measurement("threshold", BASE, method, "none", 0, metric, value)
            for method, metric, value in (
                ("first", "old_angles", 30.0),
                ("first", "old_crossings", 20.0),
                ("first", "old_on_new_angles", 50.0),
                ("first", "old_on_new_crossings", 10.0),
                ("fine", "old_angles_epoch_1", 1.0),
                ("fine", "old_crossings_epoch_1", 61.0),
                ("fine", "old_angles", 20.0),
                ("fine", "old_crossings", 30.0),
                ("fine", "new", 10.0),
            )
        ],
    )
    assert study._lean(found, BASE, "fine", "ac before") == [20.0]
    (row,) = study._classes(found).rows
    assert row == [BASE, "50 / 10", "30 / 20", "1 / 61", "+15.0", "−35.0", "−10.0"]


def test_unknown_variants_are_refused() -> None:
    with pytest.raises(ValueError, match="only is 'other'; expected some of no change"):
        study.Threshold(only="other").plan()
