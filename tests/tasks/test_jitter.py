"""Jittered images: shifted copies of the stored ones, whose shifts follow from the batch and the seed alone."""

import numpy as np
import pytest

from npnet import HeadOnly, Hyperparameters, Run, Split, Task, generator, mlp, train
from npnet.data import batch
from npnet.matching.targets import cached_targets
from npnet.optimizers import Momentum
from npnet.tasks import Jittered
from npnet.trees import load_tree, save_tree

SIDE = 6


def images(n):
    return generator(3).integers(1, 255, (n, SIDE * SIDE)).astype(np.uint8)


def shifted(image, down, right):
    there = np.zeros((SIDE, SIDE), np.uint8)
    for y in range(SIDE):
        for x in range(SIDE):
            if 0 <= y - down < SIDE and 0 <= x - right < SIDE:
                there[y, x] = image.reshape(SIDE, SIDE)[y - down, x - right]
    return there.reshape(-1)


def test_every_row_is_its_image_shifted_and_every_shift_comes():
    X = images(200)
    seen = Jittered(X, pixels=1, seed=5)[:]
    shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    found = [next(s for s in shifts if np.array_equal(row, shifted(x, *s))) for row, x in zip(seen, X, strict=True)]
    counts = [found.count(shift) for shift in shifts]
    assert min(counts) > 5  # 22 expected: fewer with a probability below one in 10,000
    assert np.array_equal(Jittered(X, pixels=0)[:], X)


def test_the_rows_asked_for_are_the_address():
    jittered, rows = Jittered(images(50)), np.arange(20)
    assert np.array_equal(jittered[:20], jittered[rows])
    assert (jittered[rows[::-1]][::-1] != jittered[rows]).any()
    assert (Jittered(images(50), seed=1)[rows] != jittered[rows]).any()
    assert (jittered.shape, len(jittered), jittered.dtype) == ((50, 36), 50, np.uint8)


def test_a_run_under_a_max_norm_that_stops_goes_on_to_the_same_bits(tmp_path):
    X, labels = images(40), np.arange(40) % 3
    task = Task("a", 3, Split(Jittered(X), labels), Split(X, labels), Split(X, labels))
    settings = Hyperparameters(8, optimizer=Momentum(), max_epochs=4, patience=None, keep="last", max_norm=0.5)

    def begun():
        return Run(mlp((36, 7), {"a": 3}, generator(1), dropout=(0.5,)), generator(2))

    whole = begun()
    for record in train(whole, {"a": task}, settings):
        for p in whole.network.trunk:
            assert np.linalg.norm(p["W"], axis=0).max() <= 0.5 * (1 + 1e-6)
        if record["epoch"] == 2:
            save_tree(tmp_path / "run.npz", whole.tree())
    again = Run.from_tree(load_tree(tmp_path / "run.npz"))
    list(train(again, {"a": task}, settings))
    assert np.array_equal(again.network.trunk[0]["W"], whole.network.trunk[0]["W"])
    head = whole.network.heads["a"]["W"]
    assert np.array_equal(again.network.heads["a"]["W"], head)


def test_frozen_layers_and_recorded_targets_see_what_the_batch_sees():
    X, labels = images(40), np.arange(40) % 3
    jittered, plain = Split(Jittered(X), labels), Split(X, labels)
    task = Task("a", 3, jittered, plain, plain)
    teacher = mlp((36, 5), {"a": 3}, generator(3))
    rows = np.array([7, 3, 30])
    said = cached_targets(lambda X, labels: teacher.logits(X, "a"), jittered, teacher)
    assert np.array_equal(said[rows], teacher.logits(batch(jittered, rows), "a"))
    assert len(said) == 40

    def heads(budget):
        settings = Hyperparameters(8, max_epochs=3, policy=HeadOnly(), memory_budget=budget)
        run = Run(mlp((36, 7), {"a": 3}, generator(1)), generator(2))
        list(train(run, {"a": task}, settings))
        return run.network.heads["a"]["W"]

    assert np.array_equal(heads(2**30), heads(0))


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match="images has shape"):
        Jittered(np.zeros((2, 7)))
    with pytest.raises(ValueError, match="pixels is 6"):
        Jittered(images(2), pixels=6)
    with pytest.raises(ValueError, match="max_norm is 0"):
        Hyperparameters(max_norm=0)
