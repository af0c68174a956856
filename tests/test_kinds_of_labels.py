"""Kinds of labels: one logit for two classes, several labels at once, soft labels; and examples with weights."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_training import blobs, same, states

import npnet
from npnet.arrays import generator, to_host
from npnet.check import check_gradient
from npnet.data import Split, Task, part
from npnet.error import mean_loss_along
from npnet.losses import Weighted, cross_entropy, softmax, squared_error
from npnet.matching.without_forgetting import _soft_sigmoid
from npnet.run import Run, TrainingJob
from npnet.smooth import sigmoid
from npnet.soft_losses import sigmoid_cross_entropy, soft_cross_entropy

LOSS = {
    "one logit": sigmoid_cross_entropy,
    "labels": sigmoid_cross_entropy,
    "probabilities": soft_cross_entropy,
    "classes": cross_entropy,
    "values": squared_error,
}


def answers(kind, y, rng):
    """Labels of a kind for classes y (N,) of three."""
    onehot = np.eye(3)[y]
    return {
        "one logit": (y == 1).astype(int),
        "labels": np.stack([y == 0, y > 0, y == 2], 1).astype(np.uint8),
        "probabilities": 0.8 * onehot + 0.2 * rng.dirichlet(np.ones(3), len(y)),
        "classes": y,
        "values": onehot - 0.5,
    }[kind]


def task_of(kind, weights=None, xp=np):
    task, rng = blobs(noise=0.3), generator(5, kind)

    def split(of):
        made = answers(kind, of.labels, rng)
        drawn = None if weights is None else xp.asarray(rng.random(len(of)) + 0.1 if weights == "drawn" else weights)
        named = kind if kind in ("labels", "probabilities") else ""
        return Split(xp.asarray(of.inputs), xp.asarray(made), named, drawn)

    return Task("a", 1 if kind == "one logit" else 3, split(task.train), split(task.validation), split(task.test))


def network(task, seed=0, xp=np):
    return npnet.mlp((6, 8), {"a": task.outputs}, generator(seed), dtype=np.float64).to(xp)


def settings(kind, **options):
    given = {"loss": LOSS[kind], "rate": 0.3, "max_epochs": 12, "patience": None, "keep": "last"}
    return npnet.Hyperparameters(**(given | options))


def by_hand(kind, Z, t):
    if kind == "one logit":
        return 100 * np.mean((Z[:, 0] > 0) != t)
    if kind == "labels":
        return 100 * np.mean((Z > 0) != t)
    return 100 * np.mean(Z.argmax(1) != t.argmax(1))


@pytest.mark.parametrize("kind", ["one logit", "labels", "probabilities"])
def test_it_trains_and_its_error_is_that_percent(kind, xp):
    task = task_of(kind, xp=xp)
    run = Run(network(task, xp=xp), generator(1))
    records = list(npnet.train(run, {"a": task}, settings(kind)))
    Z = to_host(run.network.logits(npnet.tasks.batch(task.test, slice(None), np.float64), "a"))
    assert npnet.error(run.network, "a", task.test) == pytest.approx(by_hand(kind, Z, to_host(task.test.labels)))
    assert records[-1]["error"] < 12
    assert records[-1]["error"] < records[0]["error"] or records[0]["error"] < 5


@pytest.mark.parametrize("kind", LOSS)
@pytest.mark.parametrize("weights", [None, "drawn"])
def test_replicates_and_terms_train_as_the_plain_loss_does(kind, weights):
    task, chosen = task_of(kind, weights), settings(kind, max_epochs=2)
    alone = Run(network(task), generator(1))
    list(npnet.train(alone, {"a": task}, chosen))
    jobs = [TrainingJob(Run(network(task, seed), generator(1)), {"a": task}, chosen) for seed in (0, 1)]
    list(npnet.train_population(jobs))
    other = Run(network(task), generator(1))
    list(npnet.train(other, {"a": task}, replace(chosen, objective=npnet.Terms(weights={"a": 1.0}))))
    for run in (jobs[0].run, other):
        for p, q in zip(alone.network.trunk, run.network.trunk, strict=True):
            np.testing.assert_allclose(p["W"], q["W"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", LOSS)
def test_a_weight_of_two_is_the_example_twice_and_of_zero_none(kind):
    rng = generator(3, kind)
    y = rng.integers(0, 3, 7)
    t, Z = answers(kind, y, rng), rng.standard_normal((7, 1 if kind == "one logit" else 3))
    w = np.array([0.0, 1, 2, 1, 0, 2, 1])
    rows = np.repeat(np.arange(7), w.astype(int))
    value, dZ = LOSS[kind](Z, Weighted(t, w))
    expected, there = LOSS[kind](Z[rows], t[rows])
    assert value == pytest.approx(expected, rel=1e-12)
    total = np.zeros_like(Z)
    np.add.at(total, rows, there)
    np.testing.assert_allclose(dZ, total, rtol=1e-10, atol=1e-14)
    assert check_gradient(lambda Z: LOSS[kind](Z, Weighted(t, w)), Z)

    def planted(Z):
        value, dZ = LOSS[kind](Z, Weighted(t, w))
        return value, dZ * (1 + 1e-4)

    assert not check_gradient(planted, Z)


@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 4))
def test_sigmoid_cross_entropy_is_its_formula_and_its_gradient(seed, N, K):
    rng = generator(seed)
    Z, T = 4 * rng.standard_normal((N, K)), rng.integers(0, 2, (N, K))
    P = rng.random((N, K))
    for t in (T, P):
        value, dZ = sigmoid_cross_entropy(Z, t)
        p = 1 / (1 + np.exp(-Z))
        assert value == pytest.approx(-(t * np.log(p) + (1 - t) * np.log(1 - p)).sum() / N, rel=1e-11)
        np.testing.assert_allclose(dZ, (p - t) / N, rtol=1e-11, atol=1e-14)
        assert check_gradient(lambda Z, t=t: sigmoid_cross_entropy(Z, t), Z)
    if K == 1:
        assert sigmoid_cross_entropy(Z, T[:, 0])[0] == sigmoid_cross_entropy(Z, T)[0]
        two = cross_entropy(np.concatenate([0 * Z, Z], 1), T[:, 0])
        assert two[0] == pytest.approx(sigmoid_cross_entropy(Z, T)[0], rel=1e-11)


def test_one_logit_at_its_far_ends():
    Z = np.array([[40.0], [-40.0], [800.0], [-800.0], [0.0]])
    with np.errstate(all="raise"):
        value, dZ = sigmoid_cross_entropy(Z, np.array([1, 0, 1, 0, 1]))
    assert value == pytest.approx((2 * np.exp(-40.0) + np.log(2)) / 5, rel=1e-15)
    np.testing.assert_allclose(dZ[:2, 0] * 5, [-np.exp(-40.0), np.exp(-40.0)], rtol=1e-14)
    one, _ = sigmoid_cross_entropy(Z[:1], np.array([1]))
    assert one == pytest.approx(np.exp(-40.0), rel=1e-14)


@pytest.mark.parametrize("kind", LOSS)
def test_a_run_stops_by_its_loss_and_keeps_the_weights_of_its_minimum(kind, tmp_path):
    task = task_of(kind, "drawn")
    chosen = settings(kind, by="loss", patience=3, keep="best", max_epochs=60, rate=1.0)
    run = Run(network(task), generator(1))
    records = list(npnet.train(run, {"a": task}, chosen))
    losses = [record["losses"]["a"] for record in records]
    assert len(losses) - 1 - int(np.argmin(losses)) == 3 or len(losses) == 60
    split = task.validation
    found = mean_loss_along(run.network.path("a"), split, np.dtype(np.float64), LOSS[kind])
    assert found == min(losses)
    Z = run.network.logits(npnet.tasks.batch(split, slice(None), np.float64), "a")
    assert found == pytest.approx(LOSS[kind](Z, Weighted(split.labels, split.weights))[0], rel=1e-12)


def test_an_improvement_below_min_delta_is_none():
    task = task_of("classes")
    chosen = settings("classes", by="loss", patience=2, min_delta=1e3, keep="best")
    run = Run(network(task), generator(1))
    records = list(npnet.train(run, {"a": task}, chosen))
    assert len(records) == 3
    assert run.best["epoch"] == 1
    assert records[-1]["losses"]["a"] < records[0]["losses"]["a"]


def test_a_mean_loss_over_several_blocks_is_that_over_all():
    rng = generator(4)
    X, t, w = rng.standard_normal((2500, 6)), rng.integers(0, 3, 2500), rng.random(2500)
    w[:1000] = 0
    net = npnet.mlp((6, 8), {"a": 3}, rng, dtype=np.float64)
    split = Split(X, t, weights=w)
    whole, _ = cross_entropy(net.logits(X, "a"), t, w)
    assert mean_loss_along(net.path("a"), split, net.dtype, cross_entropy) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("order", [npnet.orders.as_stored, npnet.orders.Shuffled(7)])
def test_examples_come_in_an_order_of_ones_own(order, tmp_path):
    task, seen = task_of("classes"), []

    def loss(Z, t):
        seen.append(t.tolist())
        return cross_entropy(Z, t)

    chosen = settings("classes", order=order, max_epochs=3, batch_size=100)
    run = Run(network(task), generator(1))
    before = run.rng.bit_generator.state
    list(npnet.train(run, {"a": task}, replace(chosen, loss=loss)))
    assert run.rng.bit_generator.state == before  # it is not drawn from
    n = len(task.train)
    for epoch, labels in enumerate(seen):
        rows = np.arange(n) if order is npnet.orders.as_stored else generator(7, "order", epoch).permutation(n)
        assert labels == task.train.labels[rows].tolist()
    half = Run(network(task), generator(1))
    next(npnet.train(half, {"a": task}, chosen))
    npnet.save_tree(tmp_path / "run.npz", half.tree())
    again, whole = Run.from_tree(npnet.load_tree(tmp_path / "run.npz")), Run(network(task), generator(1))
    list(npnet.train(again, {"a": task}, chosen))
    list(npnet.train(whole, {"a": task}, chosen))
    assert same(states(again), states(whole))


def test_an_order_may_leave_examples_out():
    task = task_of("classes")
    run = Run(network(task), generator(1))
    few = settings("classes", order=lambda rng, epoch, n: rng.integers(0, n, 10), batch_size=5, max_epochs=1)
    assert next(npnet.train(run, {"a": task}, few))["updates"] == 2


def test_what_does_not_fit_is_named():
    task, X = task_of("classes"), np.zeros((4, 6))
    for made, message in (
        (lambda: Split(X, np.zeros((4, 3), int)), 'kind="labels" for several labels at once'),
        (lambda: Split(X, np.full((4, 3), 2), "labels"), "labels run from 2 to 2; expected 0 or 1 for each label"),
        (lambda: Split(X, np.ones((4, 3)), "probabilities"), "in row 0; expected probabilities, which sum to 1"),
        (lambda: Split(X, np.zeros(4, int), "class"), "kind is 'class'; expected one of classes, labels"),
        (
            lambda: Split(X, np.zeros(4, int), weights=np.ones(3)),
            "weights is an array .3,. of float64; expected",
        ),
        (lambda: Split(X, np.zeros(4, int), weights=-np.ones(4)), "weights run from -1.0 to -1.0; expected finite"),
        (lambda: replace(task, test=task_of("labels").test), "labels of test of task 'a' are labels; expected classes"),
        (lambda: npnet.Hyperparameters(by="accuracy"), "by is 'accuracy'; expected 'error' or 'loss'"),
        (lambda: npnet.Hyperparameters(min_delta=-1), "min_delta is -1; expected a finite number from zero"),
        (lambda: sigmoid_cross_entropy(np.zeros((2, 3)), np.zeros(2)), "T has shape"),
    ):
        with pytest.raises(ValueError, match=message):
            made()
    for kind, loss, message in (
        (
            "one logit",
            cross_entropy,
            "loss is cross_entropy; expected sigmoid_cross_entropy for 'a', with classes",
        ),
        ("labels", cross_entropy, "loss is cross_entropy; expected sigmoid_cross_entropy for 'a', with labels"),
        ("probabilities", squared_error, "loss is squared_error; expected soft_cross_entropy for 'a'"),
        (
            "classes",
            partial(soft_cross_entropy, temperature=2.0),
            "loss is soft_cross_entropy; expected cross_entropy",
        ),
    ):
        task = task_of(kind)
        with pytest.raises(ValueError, match=message):
            next(npnet.train(Run(network(task), generator(1)), {"a": task}, npnet.Hyperparameters(loss=loss)))
    for order, message in (
        (lambda rng, epoch, n: np.arange(n + 1), "order gives rows from 0 to 70; expected 0 to 69"),
        (lambda rng, epoch, n: [0, 1], r"order gives \[0, 1\]; expected an array of row numbers, from 0 to 69"),
    ):
        task = task_of("classes")
        run = Run(network(task), generator(1))
        with pytest.raises(ValueError, match=message):
            next(npnet.train(run, {"a": task}, npnet.Hyperparameters(order=order)))


def test_parts_keep_the_kind_and_the_weights():
    split = task_of("labels", "drawn").train
    few = part(split, np.array([3, 1]))
    assert few.kind == "labels"
    assert few.weights.tolist() == split.weights[[3, 1]].tolist()
    assert softmax(np.zeros((1, 2))).tolist() == [[0.5, 0.5]]


def test_without_forgetting_keeps_a_head_with_one_logit_as_the_two_that_it_stands_for():
    rng, T = np.random.default_rng(8), 2.0
    Z, old = rng.standard_normal((2, 6, 1))
    zeros = np.zeros((6, 1))
    value, dZ = _soft_sigmoid(Z, sigmoid.value(old / T), T)
    expected, both = soft_cross_entropy(np.hstack([zeros, Z]), softmax(np.hstack([zeros, old]) / T), T)
    assert value == pytest.approx(expected, rel=1e-14)
    assert np.allclose(dZ, both[:, 1:], rtol=1e-12)
    assert check_gradient(lambda Z: _soft_sigmoid(Z, sigmoid.value(old / T), T), Z).error < 1e-12


def test_a_teacher_with_one_logit_is_refused_for_its_softmax_teaches_nothing():
    teacher = npnet.mlp((4, 3), {"t": 1}, generator(0))
    split = Split(np.zeros((6, 4), np.float32), np.arange(6) % 2)
    with pytest.raises(ValueError, match="head 't' has one logit"):
        npnet.begin(npnet.distillation(teacher), teacher, Task("t", 1, split, split, split), generator(1))
