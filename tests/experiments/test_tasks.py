"""Tasks by name: a task with few examples never tests on what the task with many has trained on."""

import numpy as np
import pytest

from experiments.frame import tasks
from npnet import Split, Task


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
