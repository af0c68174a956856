"""Tasks by name: a task with few examples never tests on what the task with many has trained on."""

import numpy as np
import pytest

from experiments.frame import tasks
from experiments.studies.starting_point.tasks import few_of
from npnet import Split, Task
from npnet.tasks import ImageFiles


def images(split):
    return {image.tobytes() for image in np.asarray(split.inputs[:])}


@pytest.fixture
def halves(monkeypatch):
    """Halves of images that are their own number, cut one after the other as those of MNIST are."""

    def cut_halves(seed, *sizes):
        rows = np.random.default_rng(seed).permutation(np.arange(32_000.0))[:, None]
        ends = np.cumsum(sizes)
        splits = [Split(part, np.zeros(len(part), int)) for part in np.split(rows, ends)[:3]]
        return tuple(Task(name, 5, *splits) for name in ("mnist04", "mnist59"))

    monkeypatch.setattr(tasks, "mnist_halves", cut_halves)
    tasks.load_task.cache_clear()
    yield
    tasks.load_task.cache_clear()


@pytest.mark.parametrize("name", ["ac", "mnist04", "mnist59"])
def test_a_task_learned_again_with_fewer_examples_is_tested_on_new_ones(name, halves):
    many, few = (
        tasks.load_task(name, 3, tasks.Sizes(train=train, validation=validation, test=test))
        for train, validation, test in ((2000, 20, 40), (30, 10, 50))
    )
    for task, sizes in ((many, [2000, 20, 40]), (few, [30, 10, 50])):
        assert [len(split) for split in (task.train, task.validation, task.test)] == sizes
    assert images(few.train) < images(many.train)
    assert images(few.validation) < images(many.validation)
    assert images(many.test) < images(few.test)
    for one in (many, few):
        for other in (many, few):
            assert not images(one.train) & (images(other.validation) | images(other.test))
            assert not images(one.validation) & images(other.test)


def test_halves_may_be_larger_than_usual(halves):
    task = tasks.load_task("mnist04", 3, tasks.Sizes(train=21_000, validation=20, test=40))
    assert [len(split) for split in (task.train, task.validation, task.test)] == [21_000, 20, 40]


@pytest.fixture
def files(monkeypatch):
    """Files of images that are their own number, 8,000 for training and 1,000 for test, of ten classes."""
    numbers = np.arange(9_000, dtype=np.int32).view(np.uint8).reshape(-1, 1, 4)
    labels = np.random.default_rng(0).integers(0, 10, 9_000).astype(np.uint8)
    found = (numbers[:8_000], labels[:8_000], numbers[8_000:], labels[8_000:])
    monkeypatch.setattr(tasks, "load", lambda name: ImageFiles(*found))
    monkeypatch.setattr(tasks, "_REST", 1_000)
    tasks.load_task.cache_clear()
    yield
    tasks.load_task.cache_clear()


@pytest.mark.parametrize("name", ["mnist", "fashion", "fashion04", "fashion59"])
@pytest.mark.parametrize("seed", [0, 1])
def test_splits_of_image_files_share_no_image(name, seed, files):
    whole = tasks.image_task(name, seed)
    splits = [images(split) for split in (whole.train, whole.validation, whole.test)]
    assert [len(each) for each in splits] == [len(split) for split in (whole.train, whole.validation, whole.test)]
    assert len(set.union(*splits)) == sum(map(len, splits))
    assert len(splits[1]) == 1_000
    asked = tasks.load_task(name, seed, tasks.Sizes(train=300, validation=200, test=100))
    for which, split in zip(("train", "validation", "test"), splits, strict=True):
        assert images(getattr(asked, which)) <= split


@pytest.mark.parametrize("seed", [0, 1])
def test_a_few_examples_of_a_task_are_of_its_training_images_and_of_no_other_split(seed, files):
    whole = tasks.image_task("mnist", 0)
    few = few_of(whole, 50, seed)
    splits = [images(split) for split in (few.train, few.validation, few.test)]
    assert len(splits[0]) == 500  # 50 of each class
    assert len(set.union(*splits)) == sum(map(len, splits))
    assert splits[0] <= images(whole.train)
    assert splits[2] <= images(whole.test)
