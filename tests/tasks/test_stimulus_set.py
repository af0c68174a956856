"""Sets of stimuli that are drawn when read: whatever is asked of them, they give what `draw` gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npnet.tasks import CALIBRATED, TASKS, Appearance, StimulusSet, draw, stimulus_set

SET = stimulus_set("atl", 3, 50, 90)
rows = st.integers(-40, 39)


def same(stimuli, others):
    return bits(stimuli) == bits(others)


def bits(stimuli):
    """The bytes of images, labels and truth: not-a-number, too, equals itself."""
    return [np.ascontiguousarray(part).tobytes() for part in stimuli]


@pytest.fixture(scope="module")
def whole():
    return draw("atl", 3, 50, 90)


@given(st.slices(40))
def test_slices(whole, part):
    assert same(SET[part], (values[part] for values in whole))


@given(st.lists(rows, max_size=50), st.integers(-40, 39))
def test_index_arrays_and_single_rows(whole, picked, one):
    picked = np.array(picked, np.intp)
    assert same(SET[picked], (values[picked] for values in whole))
    assert same(SET[one], (values[[one]] for values in whole))


@given(st.integers(1, 50))
def test_batches(whole, size):
    batches = list(SET.batches(size))
    assert [len(batch.labels) for batch in batches[:-1]] == [size] * (len(batches) - 1)
    assert 1 <= len(batches[-1].labels) <= size
    assert same((np.concatenate(parts) for parts in zip(*batches, strict=True)), whole)


def test_all_of_it(whole, tmp_path):
    assert len(SET) == 40
    assert np.array_equal(SET.labels(), whole.labels)
    assert same(SET.in_memory(), whole)
    assert same(SET.in_memory(threads=2), whole)
    assert same(SET.in_file(tmp_path / "set.npy", threads=2), whole)
    assert same(SET[whole.labels == 1], (values[whole.labels == 1] for values in whole))  # a mask is an index, too


@pytest.mark.parametrize("task", TASKS)
def test_every_task_through_memory_and_file(task, tmp_path):
    look = Appearance(contrast=(0.5, 0.6))
    chosen, expected = stimulus_set(task, 3, 5, 25, look), draw(task, 3, 5, 25, look)
    assert same(chosen.in_memory(), expected)
    assert same(chosen.in_file(tmp_path / "set.npy"), expected)
    assert chosen[:].images.tobytes() != stimulus_set(task, 3, 5, 25)[:].images.tobytes()


def test_any_addresses_in_any_order(tmp_path):
    indices = np.array([7, 2**63, 0, 7], np.uint64)
    chosen = StimulusSet("sbl", 1, indices)
    single = [draw("sbl", 1, 7, 8), draw("sbl", 1, 2**63 - 1, 2**63), draw("sbl", 1, 0, 1)]
    assert np.array_equal(chosen[:].truth["index"], indices)
    assert same(
        chosen[[0, 2, 3]], (np.concatenate(parts) for parts in zip(*(single[i] for i in (0, 2, 0)), strict=True))
    )
    assert same(chosen.in_file(tmp_path / "some.npy"), chosen.in_memory())


def test_an_empty_set(tmp_path):
    empty = stimulus_set("ac", 0, 9, 9)
    assert len(empty) == len(empty.labels()) == 0
    assert list(empty.batches(5)) == []
    assert empty.in_memory().images.shape == empty.in_file(tmp_path / "none.npy").images.shape == (0, 32, 32)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("zz", 0, 0, 1), ValueError, "task is 'zz'; expected one of"),
        (("ac", -1, 0, 1), ValueError, "seed is -1"),
        (("ac", 0, -1, 1), ValueError, "start is -1"),
        (("ac", 0, 3, 1), ValueError, "stop is 1; expected 3"),
        (("ac", 0, 0, 1.5), TypeError, r"stop is 1\.5; expected a whole number"),
    ],
)
def test_what_cannot_be_drawn_is_refused_at_once(arguments, error, message):
    with pytest.raises(error, match=message):
        stimulus_set(*arguments)


def test_bad_indices_and_batches_are_refused():
    with pytest.raises(TypeError, match="indices has type int64"):
        StimulusSet("ac", 0, np.arange(3))
    for size, error in ((0, ValueError), (-1, ValueError), (1.5, TypeError)):
        with pytest.raises(error, match=f"size is {size}"):
            next(SET.batches(size))
    with pytest.raises(IndexError):
        SET[40]


def test_file_names_tell_sets_apart():
    sets = [
        SET,
        stimulus_set("at", 3, 50, 90),
        stimulus_set("atl", 4, 50, 90),
        stimulus_set("atl", 3, 51, 91),
        stimulus_set("atl", 3, 50, 89),
        stimulus_set("atl", 3, 50, 90, Appearance(contrast=(0.5, 0.6))),
        StimulusSet("atl", 3, SET.indices[::-1]),
    ]
    assert len({each.file_name() for each in sets}) == len(sets)
    assert SET.file_name() == StimulusSet("atl", 3, SET.indices.copy(), CALIBRATED).file_name()
    assert SET.file_name().startswith("atl-3-40-")
    assert SET.file_name().endswith(".npy")
