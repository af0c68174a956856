"""Regression: its labels, its error, and training towards targets as towards classes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npnet.arrays import generator, to_host
from npnet.data import Split, Task
from npnet.error import BLOCK, error, error_along
from npnet.frozen import Kept
from npnet.hyperparameters import Hyperparameters
from npnet.losses import cross_entropy, squared_error
from npnet.methods import GradualTuning, begin, fine_tuning, gradual_tuning
from npnet.methods.policies import HeadOnly
from npnet.optimizers import Adam
from npnet.perceptron import mlp
from npnet.policies import FineTuning
from npnet.run import Run
from npnet.schedules import constant
from npnet.step import NotFiniteError
from npnet.training import train
from npnet.trees import leaves, load_tree, save_tree

SETTINGS = Hyperparameters(loss=squared_error, rate=constant(0.05), max_epochs=6)


def lines(name="a", seed=0, outputs=2, sizes=(120, 40, 30), xp=np):
    """Return a regression task whose targets are linear in its inputs, float64."""
    rng = generator(seed, name)
    slopes = rng.standard_normal((5, outputs))

    def split(n):
        X = rng.standard_normal((n, 5))
        return Split(xp.asarray(X), xp.asarray(X @ slopes + 3))

    return Task(name, outputs, *map(split, sizes))


def classes(n=30, outputs=3):
    """Return a split of random inputs and classes."""
    rng = generator(1)
    return Split(rng.standard_normal((n, 5)), np.arange(n) % outputs)


def network(heads=None, dropout=(), dtype=np.float64):
    return mlp((5, 8, 7), heads or {"a": 2}, generator(0), activation="tanh", dropout=dropout, dtype=dtype)


def states(run):
    return {path: leaf.copy() if hasattr(leaf, "copy") else leaf for path, leaf in leaves(to_host(run.tree()))}


def unchanged(run, before):
    """Whether a run stands as it did before an epoch, but for the settings it began with, which are written first."""
    now = {path: leaf for path, leaf in states(run).items() if not path.startswith(("settings", "mask"))}
    return all(np.array_equal(leaf, before[path]) for path, leaf in now.items())


def test_root_mean_squared_error_worked_by_hand(xp):
    Z, targets = xp.asarray([[3.0, 1.0], [0.0, -2.0]]), xp.asarray([[1.0, 1.0], [4.0, 2.0]])
    split = Split(Z, targets)
    assert error_along([], split, Z.dtype) == 3  # √((4 + 0 + 16 + 16) / 4)


@given(st.integers(1, 2 * BLOCK + 3), st.integers(2, 4), st.sampled_from([np.float32, np.float64]), st.integers(0, 99))
def test_errors_are_their_formulas(N, K, dtype, seed):
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((N, K)).astype(dtype)
    T = rng.standard_normal((N, K))
    assert error_along([], Split(Z, T), Z.dtype) == pytest.approx(np.sqrt(np.mean((Z - T) ** 2)), rel=1e-12)
    t = rng.integers(0, K, N)
    assert error_along([], Split(Z, t), Z.dtype) == pytest.approx(100 * np.mean(Z.argmax(1) != t), rel=1e-14)


def test_the_error_of_far_outputs_is_finite():
    Z = np.full((3, 2), 1e30, np.float32)
    assert error_along([], Split(Z, np.zeros_like(Z)), Z.dtype) == pytest.approx(1e30, rel=1e-6)


def test_the_error_of_a_network_is_that_of_its_outputs(xp):
    task, net = lines(sizes=(1, 1, 30), xp=xp), network(dropout=(0.5, 0.5)).to(xp)
    D = to_host(net.logits(task.test.inputs, "a")) - to_host(task.test.labels)
    assert error(net, "a", task.test) == pytest.approx(np.sqrt(np.mean(D**2)), rel=1e-14)
    kept, path = Kept(2**20), net.path("a")
    for lowest in (0, 2, 4):  # nothing frozen, one hidden layer with its activation, both
        seen = kept.split(path[:lowest], task.test, net.dtype)
        found = error_along(path[lowest:], seen, net.dtype)
        assert found == pytest.approx(error(net, "a", task.test), rel=1e-14)
        assert seen.inputs.shape == (30, (5, 8, 7)[lowest // 2])


@pytest.mark.parametrize("method", [fine_tuning, gradual_tuning])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_training_learns_a_linear_task(method, dtype):
    task = lines("b", outputs=3)
    settings = replace(SETTINGS, optimizer=Adam(), rate=constant(0.01), max_epochs=80)
    run, settings = begin(method, network(dtype=dtype), task, generator(1), settings)
    assert run.network.heads["b"]["b"].shape == (3,)
    before = error(run.network, "b", task.test)
    records = list(train(run, {"b": task}, settings, {"test": ("b", task.test)}))
    assert before > 3
    assert error(run.network, "b", task.test) < 0.2 * before
    best = records[run.best["epoch"] - 1]
    assert best["error"] == min(r["error"] for r in records) == error(run.network, "b", task.validation)
    assert best["evaluations"]["test"] == error(run.network, "b", task.test)
    assert all(w.dtype == dtype for _, p in run.network.path("b") for w in p.values())


def test_a_head_alone_finds_the_least_squares():
    task, start = lines(outputs=1), mlp((5, 3), {"a": 1}, generator(0), activation="tanh", dtype=np.float64)
    H = np.tanh(task.train.inputs @ start.trunk[0]["W"] + start.trunk[0]["b"])
    H = np.hstack([H, np.ones((len(H), 1))])
    D = H @ np.linalg.lstsq(H, task.train.labels)[0] - task.train.labels
    least = np.sqrt(np.mean(D**2))
    settings = replace(SETTINGS, policy=HeadOnly(), batch_size=120, rate=constant(0.5), max_epochs=400, patience=None)
    run = Run(start, generator(0))
    *_, last = train(run, {"a": task}, settings, {"train": ("a", task.train)})
    assert last["evaluations"]["train"] == pytest.approx(least, rel=1e-6)
    assert least > 0.1  # three features cannot hold five slopes: there is something left to agree about


def test_kept_activations_change_nothing():
    outcomes = []
    for budget in (2**30, 0):
        run = Run(network(dropout=(0.0, 0.5)), generator(0))
        settings = replace(SETTINGS, policy=HeadOnly(), memory_budget=budget)
        outcomes.append([r["error"] for r in train(run, {"a": lines()}, settings)])
    assert outcomes[0] == pytest.approx(outcomes[1], rel=1e-12)
    assert len(set(outcomes[0])) > 1


def test_it_stops_when_the_error_has_no_new_minimum():
    run = Run(network(), generator(0))
    settings = replace(SETTINGS, rate=constant(0.2), patience=3, max_epochs=200)
    errors = [r["error"] for r in train(run, {"a": lines()}, settings)]
    assert len(errors) < 200
    assert len(errors) - 1 - errors.index(min(errors)) == 3
    assert error(run.network, "a", lines().validation) == min(errors) < errors[-1]


@pytest.mark.parametrize("policy", [FineTuning(), GradualTuning(0.5)])
@pytest.mark.parametrize("cut", [1, 3, 5])
def test_saved_after_any_epoch_it_goes_on_to_the_same_bits(tmp_path, policy, cut):
    tasks = {"a": lines(), "b": lines("b", outputs=3)}
    settings = replace(SETTINGS, policy=policy, optimizer=Adam(), rate=constant(0.01))
    heads = {"a": 2, "b": 3}
    whole, stopped = (Run(network(heads, (0.1, 0.1), np.float32), generator(5)) for _ in range(2))
    masks = {tuple(record["mask"]) for record in train(whole, tasks, settings)}
    assert (len(masks) > 1) == policy.gradual
    for _, _ in zip(range(cut), train(stopped, tasks, settings), strict=False):
        save_tree(tmp_path / "run.npz", stopped.tree())
    resumed = Run.from_tree(load_tree(tmp_path / "run.npz"))
    assert len(list(train(resumed, tasks, settings))) == 6 - cut
    a, b = states(whole), states(resumed)
    assert a.keys() == b.keys()
    assert all(np.array_equal(a[path], b[path]) for path in a)


def test_a_run_on_the_device_is_the_run_on_the_host(xp):
    here, there = Run(network(), generator(0)), Run(network().to(xp), generator(0))
    mine = [r["error"] for r in train(here, {"a": lines()}, SETTINGS)]
    assert [r["error"] for r in train(there, {"a": lines(xp=xp)}, SETTINGS)] == pytest.approx(mine, rel=1e-9)


def test_a_classification_is_watched_while_a_regression_is_learned():
    run, watched = Run(network({"a": 2, "old": 3}), generator(0)), classes()
    record = next(train(run, {"a": lines()}, SETTINGS, {"old": ("old", watched)}))
    Z = run.network.logits(watched.inputs, "old")
    assert record["evaluations"]["old"] == 100 * np.sum(Z.argmax(1) != watched.labels) / 30
    assert record["error"] == error(run.network, "a", lines().validation)


def test_an_error_that_is_not_finite_undoes_the_epoch():
    run, bad = Run(network(), generator(0)), Split(np.full((2, 5), np.nan), np.zeros((2, 2)))
    before = states(run)
    for task, watched in ((replace(lines(), validation=bad), {}), (lines(), {"w": ("a", bad)})):
        with pytest.raises(NotFiniteError, match="error is not finite at epoch 1, step 6, in the outputs for"):
            next(train(run, {"a": task}, SETTINGS, watched))
    assert unchanged(run, before)


@pytest.mark.parametrize(
    "labels", [np.zeros((4, 1)), np.zeros(3), np.zeros((3, 2), int), np.zeros((3, 2, 1)), np.zeros((3, 2), complex)]
)
def test_labels_are_whole_numbers_or_rows_of_floats(labels):
    with pytest.raises(
        ValueError, match=r"labels has shape \(.*\) and dtype .*; expected whole numbers \(3,\), or floa"
    ):
        Split(np.zeros((3, 5)), labels)


@pytest.mark.parametrize(
    "inputs", [np.zeros((3, 5), int), np.zeros((3, 5), object), np.full((3, 5), "a"), np.zeros((3, 2, 4)), np.zeros(3)]
)
def test_inputs_are_rows_of_pixels_or_floats(inputs):
    with pytest.raises(
        ValueError, match=r"inputs has shape \(3.*\) and dtype .*; expected \(N, D\), uint8 pixels or floa"
    ):
        Split(inputs, np.zeros(3, int))


def test_splits_are_made_of_arrays():
    for parts in ({"inputs": [[0.0]], "labels": np.zeros(1, int)}, {"inputs": np.zeros((1, 1)), "labels": [0]}):
        with pytest.raises(ValueError, match=r"(inputs|labels) is a list; expected an array"):
            Split(**parts)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_targets_are_finite(value, xp):
    targets = np.zeros((3, 2))
    targets[1, 1] = value
    with pytest.raises(ValueError, match=rf"labels has .*{value}.* in row 1; expected finite numbers"):
        Split(xp.asarray(np.zeros((3, 5))), xp.asarray(targets))


def test_splits_that_do_not_fit_a_task_are_named():
    task = lines()
    for outputs in (1, 3):
        with pytest.raises(ValueError, match=f"labels of train of task 'a' have 2 values each; expected {outputs}"):
            replace(task, outputs=outputs)
    with pytest.raises(ValueError, match="labels of test of task 'a' are classes; expected values, as in train"):
        replace(task, test=classes(outputs=2))
    with pytest.raises(ValueError, match="validation of task 'a' is empty"):
        replace(task, validation=Split(np.zeros((0, 5)), np.zeros((0, 2))))
    with pytest.raises(ValueError, match="labels of train of task 'c' run from 0 to 2; expected 0 to 1"):
        Task("c", 2, classes(), classes(), classes())


def test_a_loss_that_does_not_fit_the_labels_is_named_before_anything_is_done():
    run = Run(network({"a": 2, "c": 3}), generator(0))
    before, kinds = states(run), {"a": lines(), "c": Task("c", 3, classes(), classes(), classes())}
    losses = {"a": (cross_entropy, squared_error), "c": (squared_error, cross_entropy)}
    for head, (wrong, right) in losses.items():
        with pytest.raises(ValueError, match=f"loss is {wrong.__name__}; expected {right.__name__} for '{head}'"):
            next(train(run, {head: kinds[head]}, replace(SETTINGS, loss=wrong)))
    with pytest.raises(ValueError, match="labels has shape"):  # a loss of one's own says so itself
        next(train(run, {"a": lines()}, replace(SETTINGS, loss=lambda Z, t: cross_entropy(Z, t))))
    assert unchanged(run, before)
    next(train(run, {"a": lines()}, SETTINGS))  # no epoch was made with the wrong loss: it may begin with the right one
    with pytest.raises(ValueError, match=r"loss is npnet\.losses\.cross_entropy; expected .*squared_error"):
        next(train(run, {"c": kinds["c"]}, replace(SETTINGS, loss=cross_entropy)))


def test_a_head_of_another_width_is_named():
    with pytest.raises(ValueError, match="labels of 'a' have 2 values each; expected 3"):
        next(train(Run(network({"a": 3}), generator(0)), {"a": lines()}, SETTINGS))
    watched = {"w": ("a", lines(outputs=1).test)}
    with pytest.raises(ValueError, match="labels of 'w' have 1 values each; expected 2"):
        next(train(Run(network(), generator(0)), {"a": lines()}, SETTINGS, watched))
    with pytest.raises(ValueError, match="labels of the split for head 'a' have 1 values each; expected 2"):
        error(network(), "a", lines(outputs=1).test)
