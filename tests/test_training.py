"""Training: the laws of masks, stopping, resuming and undoing, on small tasks with every optimizer and policy."""

import math
import pickle
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npnet.fused
from npnet.arrays import generator, to_device, to_host
from npnet.data import Split, Task
from npnet.describe import describe
from npnet.error import error
from npnet.hyperparameters import Hyperparameters
from npnet.layers import forward
from npnet.losses import cross_entropy
from npnet.matching import Terms
from npnet.methods import (
    Discriminative,
    EqualBudget,
    Freeze,
    GradualByEpoch,
    GradualTuning,
    HeadOnly,
    Method,
    begin,
    fine_tuning,
    gradual_tuning,
)
from npnet.network import Network
from npnet.objective import loss_at_head
from npnet.optimizers import SGD, AdamW, Momentum, ProximalSGD
from npnet.penalties import group_lasso, l1, l2
from npnet.perceptron import mlp
from npnet.policies import FineTuning
from npnet.regularizers import Regularizer
from npnet.run import Run
from npnet.schedules import constant
from npnet.step import Move, NotFiniteError, Penalise, take_step
from npnet.training import batches, epochs_without_minimum, train
from npnet.trees import copy_tree, leaves, load_tree, save_tree

OPTIMIZERS = [SGD(), ProximalSGD(), Momentum(), Momentum(nesterov=True, rate_inside=True), AdamW(epsilon_hat=True)]


def blobs(name="a", seed=0, classes=3, sizes=(70, 40, 40), noise=1.0, xp=np):
    """Return a task of noisy clusters of pixels."""
    rng = generator(seed, name)
    centres = rng.uniform(40, 215, (classes, 6))

    def split(n):
        labels = rng.integers(0, classes, n)
        pixels = centres[labels] + 25 * noise * rng.standard_normal((n, 6))
        return Split(xp.asarray(np.clip(pixels, 0, 255).astype(np.uint8)), xp.asarray(labels))

    return Task(name, classes, *map(split, sizes))


def network(seed=0, dropout=(), dtype=np.float64, heads=("a",)):
    return mlp((6, 8, 7), dict.fromkeys(heads, 3), generator(seed), dropout=dropout, dtype=dtype)


def states(run):
    return {path: leaf.copy() if hasattr(leaf, "copy") else leaf for path, leaf in leaves(to_host(run.tree()))}


def same(a, b):
    assert a.keys() == b.keys()
    for path in a:
        assert type(a[path]) is type(b[path]), path
        assert np.array_equal(a[path], b[path]), path
    return True


def test_one_epoch_is_the_textbook_loop():
    task, start = blobs(), network()
    run = Run(start.copy(), generator(1))
    list(train(run, {"a": task}, Hyperparameters(batch_size=20, max_epochs=1, regularizers=(Regularizer(l1, 0.01),))))
    (W1, b1), (W2, b2), (W3, b3) = ((p["W"].copy(), p["b"].copy()) for p in [*start.trunk, start.heads["a"]])
    order = generator(1).permutation(70)
    for at in range(0, 70, 20):
        rows = order[at : at + 20]
        X, t = task.train.inputs[rows] / 255, task.train.labels[rows]
        A1 = X @ W1 + b1
        H1 = np.maximum(A1, 0)
        A2 = H1 @ W2 + b2
        H2 = np.maximum(A2, 0)
        Z = H2 @ W3 + b3
        P = np.exp(Z) / np.exp(Z).sum(1, keepdims=True)
        dZ = (P - np.eye(3)[t]) / len(t)
        dA2 = (dZ @ W3.T) * (A2 > 0)
        dA1 = (dA2 @ W2.T) * (A1 > 0)
        gradients = (X.T @ dA1, H1.T @ dA2, H2.T @ dZ)
        for W, dW in zip((W1, W2, W3), gradients, strict=True):
            W -= 0.01 * (dW + 0.01 * np.sign(W))
        for b, d in zip((b1, b2, b3), (dA1, dA2, dZ), strict=True):
            b -= 0.01 * d.sum(0)
    moved = [*run.network.trunk, run.network.heads["a"]]
    for p, W, b in zip(moved, (W1, W2, W3), (b1, b2, b3), strict=True):
        np.testing.assert_allclose(p["W"], W, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(p["b"], b, rtol=1e-12, atol=1e-15)


def test_it_learns_and_says_so():
    task = blobs()
    run = Run(network(), generator(1))
    records = list(train(run, {"a": task}, Hyperparameters(rate=constant(0.3), max_epochs=60), {"t": ("a", task.test)}))
    assert run.finished
    assert records == run.history
    assert records[-1]["objective"] < 0.3 * records[0]["objective"]
    assert error(run.network, "a", task.test) < 15
    assert [r["epoch"] for r in records] == list(range(1, len(records) + 1))
    assert [r["updates"] for r in records] == [4 * r["epoch"] for r in records]
    best = min(r["error"] for r in records)
    assert records[run.best["epoch"] - 1]["error"] == best
    assert error(run.network, "a", task.validation) == best
    assert records[run.best["epoch"] - 1]["evaluations"]["t"] == error(run.network, "a", task.test)


POLICIES = [
    FineTuning(),
    GradualTuning(2.0),
    GradualByEpoch(2),
    Freeze(1),
    HeadOnly(),
    Discriminative(0.5, GradualTuning(2.0)),
]


@given(
    st.sampled_from(OPTIMIZERS),
    st.sampled_from(POLICIES),
    st.sampled_from([(), (0.3, 0.5), (0.0, 0.4)]),
    st.sampled_from(
        [(), (Regularizer(l1, 0.01),), (Regularizer(group_lasso, 0.01), Regularizer(l2, 0.1, biases=True))]
    ),
    st.integers(1, 6),
    st.integers(0, 99),
)
def test_saved_after_any_epoch_it_goes_on_to_the_same_bits(
    tmp_path, optimizer, policy, dropout, regularizers, cut, seed
):
    settings = Hyperparameters(
        optimizer=optimizer, policy=policy, regularizers=regularizers, max_epochs=7, patience=3, rate=constant(0.05)
    )
    task = blobs()
    whole = Run(network(dropout=dropout, dtype=np.float32), generator(seed))
    for _ in train(whole, {"a": task}, settings):
        pass
    stopped = Run(network(dropout=dropout, dtype=np.float32), generator(seed))
    for _, _ in zip(range(cut), train(stopped, {"a": task}, settings), strict=False):
        save_tree(tmp_path / "run.npz", stopped.tree())
    resumed = Run.from_tree(load_tree(tmp_path / "run.npz"))
    for _ in train(resumed, {"a": task}, settings):
        pass
    assert same(states(whole), states(resumed))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("policy", [HeadOnly(), Freeze(1), GradualByEpoch(3), lambda h, d: (1.0, 0.0, 1.0)])
def test_frozen_layers_do_not_move_by_a_bit(optimizer, policy):
    settings = Hyperparameters(
        optimizer=optimizer,
        policy=policy,
        regularizers=(Regularizer(l1, 0.1), Regularizer(l2, 0.1, biases=True)),
        rate=constant(0.1),
        max_epochs=8,
        keep="last",
    )
    run = Run(network(heads=("a", "other")), generator(0))
    before = copy_tree(run.network.tree())
    for record in train(run, {"a": blobs()}, settings):
        for layer, share in enumerate(record["mask"][:-1]):
            for key, w in run.network.trunk[layer].items():
                moved = np.any(w != before["trunk"][layer][key])
                assert moved == bool(share)
        for key, w in run.network.heads["a"].items():
            assert np.any(w != before["heads"]["a"][key])
            assert np.array_equal(run.network.heads["other"][key], before["heads"]["other"][key])
        before = copy_tree(run.network.tree())
    assert len(run.history) == 8


def test_momentum_of_a_layer_that_was_frozen_again_waits():
    def alternate(history, depth):
        return ((1.0,) * (depth + 1), (0.0,) * depth + (1.0,))[len(history) % 2]

    run = Run(network(), generator(0))
    settings = Hyperparameters(optimizer=Momentum(), policy=alternate, max_epochs=2, keep="last")
    epochs = train(run, {"a": blobs()}, settings)
    next(epochs)
    after_first = copy_tree([run.network.trunk, run.buffers])
    next(epochs)
    for (path, a), (_, b) in zip(leaves(after_first), leaves([run.network.trunk, run.buffers]), strict=True):
        assert np.array_equal(a, b) == ("head" not in path), path


def walked(monkeypatch):
    """Return the list to which the shape of every W is added that a path forward, of whatever kind, goes through."""
    shapes = []

    def spy(path, X, rng=None):
        shapes.extend(p["W"].shape for _, p in path if p)
        return forward(path, X, rng)

    for name in ("objective", "frozen", "error"):
        monkeypatch.setattr(import_module(f"npnet.{name}"), "forward", spy)
    return shapes


def objective(net, mask, X, labels, loss=cross_entropy):
    """Return the loss at head "a" on these inputs, of which a step takes some rows."""

    def read(below):
        return lambda rows: (forward(below, X[rows])[0][-1], labels[rows])

    return loss_at_head(net, "a", loss, mask, read)


@pytest.mark.parametrize("dropout", [(), (0.3, 0.5), (0.0, 0.5)])
@pytest.mark.parametrize("policy", [HeadOnly(), Freeze(1), GradualByEpoch(2)])
def test_kept_activations_change_nothing_but_the_cost(monkeypatch, dropout, policy):
    calls = walked(monkeypatch)
    outcomes, counts = [], []
    for budget in (2**30, 0):
        run = Run(network(dropout=dropout), generator(0))
        settings = Hyperparameters(policy=policy, max_epochs=6, memory_budget=budget, rate=constant(0.1))
        epochs = train(run, {"a": blobs()}, settings)
        next(epochs)
        calls.clear()
        next(epochs)
        counts.append(calls.count((6, 8)))  # the lowest layer's products in the second epoch
        outcomes.append(list(epochs))
    for mine, theirs in zip(*outcomes, strict=True):
        assert mine["error"] == theirs["error"]
        assert mine["objective"] == pytest.approx(theirs["objective"], rel=1e-12)
    assert counts[0] == 0
    assert counts[1] > 0


def head_then_all_then_head(history, depth):
    return (1.0,) * (depth + 1) if len(history) == 1 else (0.0,) * depth + (1.0,)


def test_activations_kept_before_a_layer_moved_are_not_used_afterwards():
    outcomes = []
    for budget in (2**30, 0):
        run = Run(network(), generator(0))
        settings = Hyperparameters(
            policy=head_then_all_then_head, max_epochs=3, memory_budget=budget, rate=constant(0.3)
        )
        outcomes.append([record["objective"] for record in train(run, {"a": blobs()}, settings)])
    assert outcomes[0] == pytest.approx(outcomes[1], rel=1e-12)


@pytest.mark.parametrize(
    ("mask", "made"),
    [
        ((1.0, 1.0, 1.0), [(3, True, True), (7, True, True), (8, False, True)]),
        ((0.0, 1.0, 1.0), [(3, True, True), (7, False, True)]),
        ((1.0, 0.0, 1.0), [(3, True, True), (7, True, False), (8, False, True)]),
        ((0.0, 0.0, 1.0), [(3, False, True)]),
    ],
)
def test_only_the_gradients_that_something_needs_are_made(monkeypatch, mask, made):
    asked, multiplied = [], []
    original, added = npnet.fused._linear, npnet.fused.add_product

    def spy(p, X, rng=None, inputs=True, room=None):
        Y, back = original(p, X, rng, inputs, room)

        def noted(dY):
            dX, dp = back(dY)
            asked.append((dY.shape[1], dX is not None))
            assert isinstance(dp["W"], npnet.fused.Product)
            return dX, dp

        return Y, noted

    def noting(C, product, *factors):
        multiplied.append(product.B.shape[1])
        added(C, product, *factors)

    monkeypatch.setattr(npnet.fused, "_linear", spy)
    monkeypatch.setattr(npnet.fused, "add_product", noting)
    below = []

    def read(path):
        below.extend(path)
        return lambda rows: (forward(path, np.ones((2, 6)))[0][-1], np.array([0, 1]))

    step = loss_at_head(network(), "a", cross_entropy, mask, read)
    take_step(step, Penalise(), Move(SGD(), 0.1, {}), np.arange(2), generator(0))
    assert [(width, dX, width in multiplied) for width, dX in asked] == made  # from the head down: (units, dX, dW)
    assert len(multiplied) == sum(map(bool, mask))  # and each product once
    assert len(below) == 2 * [*map(bool, mask)].index(True)  # what is frozen at the bottom is read


def test_the_mask_is_each_layers_share_of_the_rate():
    X, labels = generator(1).random((5, 6)), np.array([0, 1, 2, 0, 1])
    moved = []
    for mask in ((1, 1, 1), (0.25, 0.5, 2)):
        before = network()
        after = before.copy()
        mask = tuple(map(float, mask))
        step, penalty = objective(after, mask, X, labels), Penalise((Regularizer(l2, 0.1),))
        take_step(step, penalty, Move(SGD(), 0.1, {}), np.arange(5), generator(0))
        pairs = zip([*after.trunk, after.heads["a"]], [*before.trunk, before.heads["a"]], strict=True)
        moved.append([p["W"] - q["W"] for p, q in pairs])
    for whole, part, share in zip(*moved, (0.25, 0.5, 2), strict=True):
        np.testing.assert_allclose(part, share * whole, rtol=1e-9, atol=1e-15)


def test_the_error_crosses_between_processes():
    raised = NotFiniteError("objective", "hidden layer 1", 3, 4)
    again = pickle.loads(pickle.dumps(raised))
    assert str(again) == str(raised)
    assert (again.what, again.layer, again.epoch, again.step) == ("objective", "hidden layer 1", 3, 4)


def curve(*errors, mask=(1, 1)):
    return [{"error": e, "validation": {"a": e}, "mask": list(mask)} for e in errors]


def test_patience_counts_epochs_without_a_new_minimum():
    assert epochs_without_minimum(curve(5, 4, 3)) == 0
    assert epochs_without_minimum(curve(5, 3, 3)) == 1  # an equal error is no new minimum
    assert epochs_without_minimum(curve(5, 3, 4, 4, 3.5)) == 3
    joined = curve(5, 3, 4, 4, mask=(0, 1)) + curve(4, 4)
    assert epochs_without_minimum(joined) == 2
    assert epochs_without_minimum(joined, restarts=False) == 4
    two = [
        {"error": (a + b) / 2, "validation": {"a": a, "b": b}, "mask": [1]} for a, b in ((5, 5), (3, 9), (4, 2), (2, 3))
    ]
    assert epochs_without_minimum(two) == 1
    assert epochs_without_minimum(two[:3]) == 1
    assert epochs_without_minimum(two, "mean") == 0


@pytest.mark.parametrize("plain_function", [False, True])
def test_patience_waits_for_the_last_layer_of_a_gradual_run(plain_function):
    gradual = GradualByEpoch(9)
    policy = (lambda history, depth: gradual(history, depth)) if plain_function else gradual
    settings = Hyperparameters(policy=policy, patience=2, max_epochs=60, rate=constant(1e-9))
    run = Run(network(), generator(0))
    records = list(train(run, {"a": blobs()}, settings))
    # a rate of nothing: the first epoch is the only minimum, and layers join after epochs 9 and 18; a plain function
    # does not say that layers join one by one, and patience does not wait for it
    assert len(records) == (3 if plain_function else 20)


def test_patience_may_go_on_counting_when_a_layer_joins():
    lengths = []
    for restarts in (True, False):
        settings = Hyperparameters(
            policy=GradualByEpoch(3), patience=5, max_epochs=60, rate=constant(1e-9), patience_restarts=restarts
        )
        run = Run(network(), generator(0))
        lengths.append(len(list(train(run, {"a": blobs()}, settings))))
    assert lengths == [11, 7]


def test_the_run_ends_with_the_best_or_the_last_weights():
    final = {}
    for keep in ("best", "last"):
        run = Run(network(), generator(3))
        settings = Hyperparameters(rate=constant(0.2), patience=4, keep=keep, max_epochs=60)
        records = list(train(run, {"a": blobs(noise=2)}, settings))
        final[keep] = error(run.network, "a", blobs(noise=2).validation)
        assert final[keep] == (min(r["error"] for r in records) if keep == "best" else records[-1]["error"])
    assert final["best"] < final["last"]  # four epochs after its minimum the run stands elsewhere


def test_several_tasks_take_turns_and_stop_at_the_least_patient():
    tasks = {"a": blobs("a", sizes=(50, 40, 40)), "b": blobs("b", sizes=(90, 40, 40))}
    seen = []

    def loss(Z, labels):
        seen.append(len(labels))
        return cross_entropy(Z, labels)

    run = Run(network(heads=("a", "b")), generator(0))
    settings = Hyperparameters(loss=loss, patience=3, max_epochs=30, rate=constant(0.2))
    records = list(train(run, tasks, settings))
    assert seen[:8] == [20, 20, 20, 20, 20, 20, 10, 10]  # b a b a b b a b
    assert records[0]["updates"] == 8
    assert records[0]["validation"].keys() == {"a", "b"}
    assert epochs_without_minimum(records) >= 3 or len(records) == 30
    assert all(epochs_without_minimum(records[:n]) < 3 for n in range(1, len(records)))
    kept = run.best["epoch"]
    assert all(
        records[kept - 1]["validation"][h] < min([r["validation"][h] for r in records[: kept - 1]] or [101])
        for h in "ab"
    )


def test_a_budget_equal_to_another_run():
    gradual = Run(network(), generator(0))
    paired = list(train(gradual, {"a": blobs()}, Hyperparameters(policy=GradualTuning(), patience=4)))
    control = Run(network(), generator(0))
    budget = Hyperparameters(policy=EqualBudget(len(paired)), patience=None)
    records = list(train(control, {"a": blobs()}, budget))
    assert records[-1]["updates"] == paired[-1]["updates"]
    assert control.finished
    assert list(train(control, {"a": blobs()}, budget)) == []


@pytest.mark.parametrize("where", ["loss", "update", "inputs", "penalty", "overflow"])
def test_what_is_not_finite_stops_the_run_and_leaves_the_last_good_state(where):
    task, start = blobs(), network()
    run = Run(start, generator(0))
    settings = Hyperparameters(rate=constant(0.1))
    epochs = train(run, {"a": task}, settings)
    next(epochs)
    next(epochs)
    calls = []

    def loss(Z, labels):
        calls.append(1)
        value, dZ = cross_entropy(Z, labels)
        if len(calls) == 3:
            if where == "loss":
                return value * np.nan, dZ
            if where == "update":
                return value, dZ * np.inf
        return value, dZ

    bad = replace(settings, loss=loss)
    layer, step = {"loss": ("the loss", 3), "update": ("head 'a'", 3)}.get(where, ("", 1))
    if where == "inputs":
        inputs = task.train.inputs / 255.0
        inputs[generator(0).integers(70)] = np.nan
        task, layer, step = replace(task, train=Split(inputs, task.train.labels)), "the inputs", None
    if where == "penalty":
        anchors = [{k: np.full_like(w, np.nan) for k, w in p.items()} for p in start.trunk]
        bad, layer = (
            replace(bad, regularizers=(Regularizer(l2, 1.0, "trunk", anchors=anchors),)),
            "hidden layer 2",
        )
    if where == "overflow":
        bad, layer = replace(bad, rate=constant(1e200)), ""
        step = None
    run.settings = describe(bad)  # as if it had begun with these
    good = states(run)
    with pytest.raises(NotFiniteError, match="not finite at epoch 3, step") as caught:
        next(train(run, {"a": task}, bad))
    assert caught.value.epoch == 3
    assert layer in caught.value.layer
    assert layer in str(caught.value)
    if step:
        assert caught.value.step == step
    assert same(good, states(run))
    run.settings = describe(settings)
    next(train(run, {"a": blobs()}, settings))  # and the run can go on


@pytest.mark.parametrize(
    ("broken", "name"), [(0, "hidden layer 1"), (1, "hidden layer 2"), (2, "head 'a'"), (None, "the loss")]
)
def test_the_lowest_place_that_is_not_finite_is_named(broken, name):
    start = network()
    layers = [*start.trunk, start.heads["a"]]
    for p in layers[broken:] if broken is not None else []:
        p["b"][0] = np.inf
    far = replace(blobs(), train=Split(blobs().train.inputs / 255.0, blobs().train.labels))

    def loss(Z, labels):
        return np.inf, np.zeros_like(Z)

    settings = Hyperparameters(loss=loss if broken is None else cross_entropy)
    with pytest.raises(NotFiniteError) as caught:
        next(train(Run(start, generator(0)), {"a": far}, settings))
    assert caught.value.layer == name


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_interrupted_epoch_is_undone(optimizer):
    calls, every = [], [math.inf]  # lists, which are no settings

    def loss(Z, labels):
        calls.append(1)
        if len(calls) % every[0] == 0:
            raise KeyboardInterrupt
        return cross_entropy(Z, labels)

    settings = Hyperparameters(optimizer=optimizer, loss=loss, max_epochs=5, rate=constant(0.05))
    whole = Run(network(dropout=(0.2, 0.2)), generator(0))
    list(train(whole, {"a": blobs()}, settings))
    calls.clear()
    every[0] = 7
    run = Run(network(dropout=(0.2, 0.2)), generator(0))
    while not run.finished:
        try:
            list(train(run, {"a": blobs()}, settings))
        except KeyboardInterrupt:
            continue
    assert len(calls) > 20
    assert same(states(whole), states(run))


def test_proximal_steps_leave_weights_exactly_where_they_started():
    old = network()
    anchors = copy_tree(old.trunk)
    settings = Hyperparameters(
        optimizer=ProximalSGD(),
        regularizers=(Regularizer(l1, 0.05, "trunk", anchors=anchors),),
        rate=constant(0.1),
        max_epochs=10,
    )
    run = Run(old.copy(), generator(0))
    list(train(run, {"a": blobs()}, settings))
    still = np.mean([np.mean(p["W"] == q["W"]) for p, q in zip(run.network.trunk, anchors, strict=True)])
    assert 0.2 < still < 1


def test_methods_are_surgery_objective_and_policy():
    old = network()
    before = copy_tree(old.tree())
    task = blobs("b", seed=4)

    def near_the_start(network, task, settings):
        penalty = Regularizer(l2, 1.0, "trunk", anchors=copy_tree(network.trunk))
        return replace(settings, regularizers=(*settings.regularizers, penalty))

    l2_sp = Method("l2_sp", objective=near_the_start)
    runs = {}
    for method in (fine_tuning, gradual_tuning, l2_sp):
        run, settings = begin(method, old, task, generator(7), Hyperparameters(max_epochs=5, rate=constant(0.1)))
        assert settings.policy == method.policy
        runs[method.name] = run
        list(train(run, {"b": task}, settings))
        assert run.network.heads.keys() == {"a", "b"}
        assert np.array_equal(run.network.heads["a"]["W"], before["heads"]["a"]["W"])
    assert np.array_equal(old.trunk[0]["W"], before["trunk"][0]["W"])
    distance = {
        name: sum(np.sum((p["W"] - q["W"]) ** 2) for p, q in zip(run.network.trunk, old.trunk, strict=True))
        for name, run in runs.items()
    }
    assert distance["l2_sp"] < distance["fine"]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_run_on_the_device_is_the_run_on_the_host(xp, optimizer):
    settings = Hyperparameters(
        optimizer=optimizer,
        policy=GradualByEpoch(1),
        regularizers=(Regularizer(l1, 0.01, "head"), Regularizer(l2, 0.01), Regularizer(group_lasso, 0.01, "trunk")),
        max_epochs=4,
        rate=constant(0.05),
    )
    here, there = (Run(network(dropout=(0.2, 0.3)), generator(0)) for _ in range(2))
    there.network = there.network.to(xp)
    list(train(here, {"a": blobs()}, settings))
    records = list(train(there, {"a": blobs(xp=xp)}, settings))
    for (path, a), (_, b) in zip(leaves(here.network.tree()), leaves(to_host(there.network.tree())), strict=True):
        if isinstance(a, np.ndarray):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12, err_msg=path)
    assert [r["error"] for r in records] == [r["error"] for r in here.history]
    moved = Run.from_tree(to_device(to_host(there.tree()), xp))
    assert same(states(there), states(moved))


def test_what_does_not_fit_is_named():
    for bad, name in (
        ({"batch_size": 0}, "batch_size is 0"),
        ({"max_epochs": 0}, "max_epochs is 0"),
        ({"memory_budget": -1}, "memory_budget is -1"),
        ({"patience": 0}, "patience is 0"),
        ({"batch_size": 20.0}, "batch_size is 20.0; expected a whole number"),
        ({"max_epochs": None}, "max_epochs is None"),
        ({"rate": "0.01"}, r"rate is '0.01'; expected a number above zero, or a schedule, as cosine\(0.1, epochs=50\)"),
        ({"optimizer": "sgd"}, "optimizer is 'sgd'; expected an optimizer"),
        ({"policy": gradual_tuning}, "policy is Method"),
        ({"policy": "gradual"}, "policy is 'gradual'; expected a policy"),
        ({"policy": (1, 1)}, r"policy is \(1, 1\); expected a policy"),
        ({"objective": "loss"}, "objective is 'loss'; expected an objective, as plain_loss"),
        ({"objective": gradual_tuning}, "objective is Method"),
        ({"loss": "cross_entropy"}, "loss is 'cross_entropy'"),
        ({"regularizers": l2}, "regularizers is Penalty"),
        ({"regularizers": Regularizer(l2, 1.0)}, "regularizers is Regularizer"),
        ({"watch": "old"}, "watch is 'old'"),
        ({"batch_size": "20"}, "batch_size is '20"),
        ({"optimizer": SGD}, "optimizer is <class .*SGD.>; expected an optimizer, as SGD"),
        ({"policy": GradualTuning}, "policy is <class .*GradualTuning.>; expected a policy"),
        ({"keep": "first"}, "keep is 'first'"),
        ({"together": "any"}, "together is 'any'"),
    ):
        with pytest.raises(ValueError, match=name):
            Hyperparameters(**bad)
    for bad, name in (
        ({"terms": gradual_tuning}, "terms is Method"),
        ({"weights": 0.5}, "weights is 0.5"),
        ({"weights": ("old",)}, r"weights is \('old',\)"),
    ):
        with pytest.raises(ValueError, match=name):
            Terms(**bad)
    for rate in (-0.1, math.nan, math.inf):
        run = Run(network(), generator(0))
        with pytest.raises(ValueError, match=f"rate is {rate} at epoch 2; expected a schedule of finite numbers"):
            list(train(run, {"a": blobs()}, Hyperparameters(rate=lambda epoch, rate=rate: rate if epoch else 0.1)))
        assert len(run.history) == 1
    task, run = blobs(), Run(mlp((5, 4), {"a": 3}, generator(0)), generator(0))
    with pytest.raises(ValueError, match="inputs of 'a' have 6 values each; expected 5"):
        next(train(run, {"a": task}))
    run = Run(mlp((6, 4), {"a": 2}, generator(0)), generator(0))
    with pytest.raises(ValueError, match="labels of 'a' run from 0 to 2; expected 0 to 1"):
        next(train(run, {"a": task}))
    for tasks, shown in (
        ({}, r"\{\}.*one Task"),
        ({"a": task.train}, r"\{'a': Split.*: a Task"),
        ([task], r"\[Task.*: a Task"),
    ):
        with pytest.raises(ValueError, match=f"(?s)tasks is {shown}"):
            next(train(run, tasks))
    for bad, expected in (
        ((None, generator(0)), "network is None"),
        ((network(), 7), "rng is 7; expected a generator"),
    ):
        with pytest.raises(ValueError, match=expected):
            Run(*bad)
    with pytest.raises(ValueError, match="head is 'b'"):
        next(train(run, {"b": task}))
    with pytest.raises(ValueError, match="tree is not that of a run"):
        Run.from_tree({"network": network().tree()})
    with pytest.raises(ValueError, match="expected 2 numbers"):
        next(train(Run(mlp((6, 4), {"a": 3}, generator(0)), generator(0)), {"a": task}, Hyperparameters(policy=_short)))


def _short(history, depth):
    return (1.0,)


def test_a_network_is_still_itself_after_a_run_was_saved(tmp_path):
    run = Run(network(dtype=np.float32), generator(0))
    list(train(run, {"a": blobs()}, Hyperparameters(max_epochs=2)))
    run.network.save(tmp_path / "n.npz")
    X = blobs().test.inputs / np.float32(255)
    assert np.array_equal(Network.load(tmp_path / "n.npz").logits(X, "a"), run.network.logits(X, "a"))
    assert math.isfinite(run.history[-1]["objective"])


def test_a_smaller_task_is_spread_evenly_among_the_batches_of_a_larger_one():
    orders = {"a": np.arange(5), "b": np.arange(13), "c": np.arange(4)}
    found = [(head, rows.tolist()) for head, rows in batches(orders, 2)]
    for head, order in orders.items():  # each goes through once, in its order
        assert [row for of, rows in found if of == head for row in rows] == order.tolist()
    # a has 3 batches, with turns at 1/6, 3/6 and 5/6; b has 7, at 1/14, 3/14, …; c has 2, at 1/4 and 3/4
    assert "".join(head for head, _ in found) == "babcbabbcbab"
    alike = {"a": np.arange(6), "b": np.arange(5)}  # three batches each: they alternate
    assert "".join(head for head, _ in batches(alike, 2)) == "ababab"
