"""Drawn characters: the same bits for any slice, order, thread and process, and a truth that fits the image."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npnet.tasks import ALPHABETS, CALIBRATED, CHARACTER_TRUTH, Handwriting, digit_task, draw, draw_at

alphabets = st.sampled_from(sorted(ALPHABETS))
WHOLE = {}  # task: its images 100 … 159, drawn once


def bits(drawn):
    return [np.ascontiguousarray(part).tobytes() for part in drawn]


def whole_of(task):
    if task not in WHOLE:
        WHOLE[task] = draw(task, 5, 100, 160)
    return WHOLE[task]


@given(alphabets, st.integers(0, 60), st.integers(0, 60), st.integers(1, 3))
def test_every_slice_has_the_same_bits(task, a, b, threads):
    a, b = min(a, b), max(a, b)
    part = draw(task, 5, 100 + a, 100 + b, threads=threads)
    assert bits(part) == bits(whole[a:b] for whole in whole_of(task))


@given(alphabets, st.lists(st.integers(0, 59), max_size=80), st.integers(1, 3))
def test_every_order_has_the_same_bits(task, rows, threads):
    rows = np.array(rows, np.intp)
    part = draw_at(task, 5, rows.astype(np.uint64) + np.uint64(100), threads=threads)
    assert bits(part) == bits(whole[rows] for whole in whole_of(task))


def test_another_process_draws_the_same_bits():
    program = (
        "import hashlib, json; from npnet.tasks import ALPHABETS, draw;"
        "parts = [a for t in ALPHABETS for a in draw(t, 2**64 - 1, 2**63 - 9, 2**63, threads=2)];"
        "print(json.dumps([hashlib.sha256(a.tobytes()).hexdigest() for a in parts]))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    parts = [part for task in ALPHABETS for part in draw(task, 2**64 - 1, 2**63 - 9, 2**63)]
    assert json.loads(run.stdout) == [hashlib.sha256(part.tobytes()).hexdigest() for part in parts]


@given(alphabets, st.integers(0, 2**64 - 1), st.integers(0, 2**63 - 1), st.integers(0, 62))
def test_every_address_is_drawn_and_is_its_own(task, seed, index, bit):
    one = draw(task, seed, index, index + 1)
    assert one.truth["index"][0] == index
    other = index ^ (1 << bit)
    for different in (draw(task, seed ^ (1 << bit), index, index + 1), draw(task, seed, other, other + 1)):
        assert different.truth["points"].tobytes() != one.truth["points"].tobytes()
        assert different.images.tobytes() != one.images.tobytes()


@pytest.mark.parametrize("task", ALPHABETS)
def test_classes_and_ways_are_equally_frequent(task):
    _, labels, truth = draw(task, 3, 0, 20_000)
    characters = ALPHABETS[task].characters
    assert [chr(code) for code in truth["character"][:50]] == [characters[label] for label in labels[:50]]
    expected = 20_000 / len(characters)
    assert (abs(np.bincount(labels) - expected) < 5 * np.sqrt(expected)).all()
    for label in range(len(characters)):
        ways = np.bincount(truth["way"][labels == label])
        assert (abs(ways - ways.mean()) < 5 * np.sqrt(ways.mean())).all()


@pytest.mark.parametrize(("name", "classes"), [("digits04", 5), ("digits59", 5), ("digits", 10), ("letters", 10)])
def test_a_task_of_digits_is_like_the_files_of_mnist(name, classes, tmp_path):
    made = digit_task(name, 4, 60, 30, 20)
    others = [digit_task(name, 4, 60, 30, 20, threads=2, store=store) for store in ("nowhere", tmp_path)]
    assert (made.name, made.outputs) == (name, classes)
    for which, start, size in (("train", 0, 60), ("validation", 2**61, 30), ("test", 2**62, 20)):
        images, labels, _ = draw(name, 4, start, start + size)
        for split in (getattr(task, which) for task in (made, *others)):
            assert split.inputs.dtype == np.uint8
            assert split.labels.dtype == np.int64
            assert np.array_equal(split.inputs[:], images.reshape(size, 784))
            assert np.array_equal(split.labels, labels)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"name": "mnist"}, ValueError, "name is 'mnist'; expected one of digits, digits04, digits59, letters"),
        ({"store": "disk"}, ValueError, r"store is 'disk'; expected one of 'memory', 'nowhere' or a Path"),
        ({"seed": -1}, ValueError, "seed is -1; expected 0 to"),
        ({"train": 0}, ValueError, "train is 0; expected 1 to"),
        ({"test": 2.5}, TypeError, r"test is 2\.5; expected a whole number"),
        ({"threads": 0}, ValueError, "threads is 0"),
        ({"appearance": CALIBRATED}, TypeError, r"appearance is Appearance\(.*expected a Handwriting"),
    ],
)
def test_digit_task_says_what_was_wrong(changes, error, message):
    arguments = {"name": "digits04", "seed": 0, "train": 5, "validation": 5, "test": 5} | changes
    with pytest.raises(error, match=message):
        digit_task(**arguments)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"jitter": 21}, "jitter is 21; expected 0 to 20"),
        ({"bend": -1.0}, "bend is -1.0; expected 0 to 30"),
        ({"aspect": (0.1, 1)}, r"aspect is \(0\.1, 1\); expected a pair low <= high within 0\.5 to 2"),
        ({"slant": (10, -10)}, r"slant is \(10, -10\); expected a pair low <= high within -45 to 45"),
        ({"rotation": float("nan")}, "rotation is nan; expected 0 to 45"),
        ({"stroke": (2, 9)}, r"stroke is \(2, 9\)"),
        ({"size": (20, 24), "stroke": (2, 4)}, "reach over 31 px; expected the largest size"),
    ],
)
def test_a_handwriting_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Handwriting(**{"shift": 1.5, **changes})


def test_the_truth_is_a_flat_record():
    truth = draw("digits", 0, 0, 3).truth
    assert truth.dtype == CHARACTER_TRUTH
    assert np.isnan(truth["points"]).any(axis=2).sum(axis=1).tolist() == [
        len(each) - count for each, count in zip(truth["points"], truth["point_count"], strict=True)
    ]
