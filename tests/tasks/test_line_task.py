"""Line-and-angle tasks as training reads them: splits, targets, and the same data wherever they are kept."""

import numpy as np
import pytest
import truths

import npnet
from npnet.perceptron import mlp
from npnet.schedules import constant
from npnet.tasks import TARGETS, TASKS, Appearance, draw, line_task, targets
from npnet.tasks.rules import CROSSING

SIZES = (120, 40, 30)
SPLITS = ("train", "validation", "test")
STARTS = dict(zip(SPLITS, (0, 2**61, 2**62), strict=True))  # where each split's addresses begin
PAIRS = [
    (task, target) for task in TASKS for target in TARGETS if target != "fractions" or CROSSING in truths.kinds(task)
]


def splits(task):
    return {which: getattr(task, which) for which in SPLITS}


def answers(truth, target):
    """What each target is, worked out one stimulus at a time."""
    found = []
    for true in truth:
        ends = truths.corners(true)  # (4, 2)
        p, q = ends[0], ends[1]
        figure = true["segment_count"] - true["distractors"]
        if target == "lengths":
            lengths = abs(ends[:figure, 1] - ends[:figure, 0])
            found.append([lengths.min() / 32, lengths.max() / 32])
        elif target == "angle":
            angle = np.degrees(abs(np.angle((q[1] - q[0]) / (p[1] - p[0])))) / 180
            found.append([min(angle, 1 - angle) if true["figure"] == CROSSING else angle])
        else:
            t, u = truths.crossing_fractions(true[None])[0]
            found.append(sorted([min(t, 1 - t), min(u, 1 - u)]))
    return np.array(found)


def asked(task, target, label):
    """Whether stimuli of a class have an answer."""
    kind = ("angle", "triangle", "crossing", "apart")[truths.kinds(task)[label]]
    return {"fractions": kind == "crossing", "angle": kind != "apart"}.get(target, True)


@pytest.mark.parametrize(("task", "target"), PAIRS)
def test_splits_are_the_first_stimuli_of_their_regions_that_have_an_answer(task, target):
    made = line_task(task, 6, *SIZES, target=target)
    for (which, split), size in zip(splits(made).items(), SIZES, strict=True):
        images, labels, truth = draw(task, 6, STARTS[which], STARTS[which] + 400)
        rows = np.flatnonzero([asked(task, target, label) for label in labels])[:size]
        assert np.array_equal(split.inputs, images[rows].reshape(size, 1024))
        assert split.inputs.dtype == np.uint8
        if target == "label":
            assert np.array_equal(split.labels, labels[rows])
            assert split.labels.dtype == np.int64
        else:
            assert np.allclose(split.labels, answers(truth[rows], target), atol=1e-6, rtol=0)
            assert split.labels.dtype == np.float32
            assert np.array_equal(split.labels, targets(truth[rows], target))
    assert made.name == task
    assert made.outputs == (2 if target in ("label", "fractions", "lengths") else 1)


@pytest.mark.parametrize("target", TARGETS)
def test_targets_of_mixed_stimuli_are_not_a_number_where_there_is_none(target):
    truth = np.concatenate([draw(task, 1, 0, 30).truth for task in TASKS])
    if target == "label":
        with pytest.raises(ValueError, match="target is 'label'; expected one of angle, fractions, lengths"):
            targets(truth, target)
        return
    found = targets(truth, target)
    have = {"angle": truth["figure"] != 3, "fractions": truth["figure"] == 2, "lengths": truth["figure"] >= 0}[target]
    assert np.array_equal(np.isnan(found), np.repeat(~have[:, None], found.shape[1], axis=1))
    assert np.allclose(found[have], answers(truth[have], target), atol=1e-6, rtol=0)


@pytest.mark.parametrize("target", [target for target in TARGETS if target != "label"])
def test_targets_of_a_crossing_do_not_depend_on_which_ends_come_first(target):
    """The image of a segment does not tell its first end from its second, so nothing that is asked about it may."""
    truth = draw("ac", 1, 0, 200).truth
    truth = truth[truth["figure"] == CROSSING]
    turned = truth.copy()
    turned["segments"][:, 1] = (
        turned["segments"][:, 1].reshape(-1, 2, 2)[:, ::-1].reshape(turned["segments"][:, 1].shape)
    )
    turned["fractions"][:, 1] = 1 - turned["fractions"][:, 1]
    turned["crossing_angle"] = 180 - turned["crossing_angle"]
    assert np.allclose(targets(turned, target), targets(truth, target), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("task", "target"), PAIRS)
def test_it_does_not_matter_where_the_images_are_kept(task, target, tmp_path):
    look = Appearance(contrast=(0.5, 0.7))
    memory, nowhere, file, again = (
        line_task(task, 2, *SIZES, appearance=look, threads=threads, target=target, store=store)
        for store, threads in (
            ("memory", 1),
            ("nowhere", 1),
            (tmp_path / "deep" / "er", 2),
            (tmp_path / "deep" / "er", 1),
        )
    )
    for other in (nowhere, file, again):
        assert (other.name, other.outputs) == (memory.name, memory.outputs)
        for mine, theirs in zip(splits(memory).values(), splits(other).values(), strict=True):
            assert mine.labels.dtype == theirs.labels.dtype
            assert np.array_equal(mine.labels, theirs.labels)
            assert mine.inputs.shape == theirs.inputs.shape
            assert mine.inputs.ndim == theirs.inputs.ndim
            assert mine.inputs.dtype == theirs.inputs.dtype
            assert len(mine.inputs) == len(theirs.inputs)
            for rows in (slice(None), slice(3, 17, 2), np.array([5, 1, 1, -1])):
                assert np.array_equal(mine.inputs[rows], theirs.inputs[rows])
    assert isinstance(file.train.inputs, np.memmap)
    assert not file.train.inputs.flags.owndata
    assert not file.train.inputs.flags.writeable
    assert not isinstance(nowhere.train.inputs, np.ndarray)
    assert len(list((tmp_path / "deep" / "er").glob("*.npy"))) == 3  # one a split, the second time the same


@pytest.mark.parametrize("task", TASKS)
def test_splits_have_no_stimulus_in_common_and_do_not_know_the_others_sizes(task, tmp_path):
    large, small = line_task(task, 4, 2_000, 200, 100, store=tmp_path), line_task(task, 4, 50, 200, 100)
    indices = [np.load(file)["truth"]["index"] for file in tmp_path.glob("*.npy")]
    assert sorted(map(len, indices)) == [100, 200, 2_000]
    assert len(np.unique(np.concatenate(indices))) == 2_300
    images = np.concatenate([split.inputs for split in splits(large).values()])
    assert len({image.tobytes() for image in images}) == 2_300
    for which in ("validation", "test"):
        for values in ("inputs", "labels"):
            assert np.array_equal(getattr(getattr(large, which), values), getattr(getattr(small, which), values))
    assert np.array_equal(large.train.inputs[:50], small.train.inputs)


def test_the_paper_s_sizes_are_the_default():
    made = line_task("sb2l", 0, store="nowhere")
    assert [len(split) for split in splits(made).values()] == [330_000, 10_000, 10_000]
    assert abs(made.train.labels.mean() - 0.5) < 5 * 0.5 / np.sqrt(330_000)
    fewer = line_task("sb2l", 1, validation=5, test=5, store="nowhere")
    assert abs(np.mean(made.train.labels == fewer.train.labels) - 0.5) < 5 * 0.5 / np.sqrt(330_000)


@pytest.mark.parametrize(
    ("task", "target"), [("sbl", "angle"), ("cnc", "fractions"), ("at", "lengths"), ("ac", "label")]
)
def test_training_on_images_kept_nowhere_has_the_same_bits(task, target, tmp_path):
    outcomes = []
    for store in ("memory", "nowhere", tmp_path):
        made = line_task(task, 0, 200, 50, 50, target=target, store=store)
        network = mlp((1024, 12), {task: made.outputs}, npnet.generator(0))
        loss = npnet.cross_entropy if target == "label" else npnet.squared_error
        settings = npnet.Hyperparameters(loss=loss, rate=constant(0.02), max_epochs=3)
        run = npnet.Run(network, npnet.generator(1))
        records = list(npnet.train(run, {task: made}, settings, {"test": (task, made.test)}))
        weights = [layer[name].tobytes() for layer in (*run.network.trunk, run.network.heads[task]) for name in "Wb"]
        outcomes.append(([(r["objective"], r["error"], r["evaluations"]["test"]) for r in records], weights))
        assert len(records) == 3
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert outcomes[0][0][0] != outcomes[0][0][2]  # it learned


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"name": "zz"}, ValueError, "name is 'zz'; expected one of ac, acl, at"),
        (
            {"target": "color"},
            ValueError,
            "target is 'color'; expected one of 'label', 'angle', 'fractions', 'lengths'",
        ),
        ({"store": "disk"}, ValueError, r"store is 'disk'; expected one of 'memory', 'nowhere' or a Path"),
        ({"store": None}, ValueError, "store is None"),
        ({"store": "nowhere", "threads": 0}, ValueError, "threads is 0"),
        ({"seed": -1}, ValueError, "seed is -1; expected 0 to"),
        ({"seed": 2**64}, ValueError, "seed is"),
        ({"seed": 1.0}, TypeError, r"seed is 1\.0; expected a whole number"),
        ({"train": 0}, ValueError, "train is 0; expected 1 to"),
        ({"validation": -1}, ValueError, "validation is -1"),
        ({"test": 0}, ValueError, "test is 0"),
        ({"test": 2.5}, TypeError, r"test is 2\.5; expected a whole number"),
        ({"threads": 0}, ValueError, "threads is 0"),
    ],
)
@pytest.mark.parametrize("target", ["label", "angle"])
def test_line_task_says_what_was_wrong(changes, error, message, target):
    arguments = {"name": "ac", "seed": 0, "train": 5, "validation": 5, "test": 5, "target": target} | changes
    with pytest.raises(error, match=message):
        line_task(**arguments)


@pytest.mark.parametrize("task", [task for task in TASKS if CROSSING not in truths.kinds(task)])
def test_a_task_without_crossings_has_no_fractions(task):
    message = f"target is 'fractions'; expected one that stimuli of '{task}' have: they do not cross"
    with pytest.raises(ValueError, match=message):
        line_task(task, 0, 5, 5, 5, target="fractions")
