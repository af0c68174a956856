"""Terms: objectives that see the batch train, stop, go on, freeze and add up as plain ones do."""

from dataclasses import replace
from functools import partial
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_training import OPTIMIZERS, blobs, network, same, states

import npnet.fused
from npnet.arrays import generator, to_host
from npnet.check import check_gradient
from npnet.columns import growing
from npnet.data import Split, Task, batch
from npnet.hyperparameters import Hyperparameters
from npnet.layers import forward
from npnet.losses import cross_entropy, softmax, squared_error
from npnet.matching import (
    Match,
    Terms,
    activation_matching,
    attention_transfer,
    distillation,
    jacobian_matching,
    without_forgetting,
)
from npnet.matching.match import SupervisedLoss
from npnet.matching.several import SumOfTerms
from npnet.matching.targets import cached_targets
from npnet.matching.terms import Batch, TermInputs
from npnet.methods import (
    Discriminative,
    Freeze,
    GradualByEpoch,
    GradualTuning,
    HeadOnly,
    Method,
    WarmUp,
    begin,
    fine_tuning,
    gradual_tuning,
    probe,
)
from npnet.methods.method import with_head
from npnet.objective import loss_at_head
from npnet.optimizers import SGD, Momentum, ProximalSGD
from npnet.penalties import l2
from npnet.perceptron import mlp
from npnet.policies import FineTuning
from npnet.populations import train_population
from npnet.proofs.objectives import reading, value_and_gradients
from npnet.regularizers import Regularizer
from npnet.run import Run, TrainingJob
from npnet.schedules import constant
from npnet.soft_losses import soft_cross_entropy
from npnet.starting_point import starting_point
from npnet.step import Move, Penalise, take_step
from npnet.training import train
from npnet.trees import copy_tree, leaves, load_tree, save_tree

SETTINGS = Hyperparameters(rate=constant(0.1), max_epochs=4, patience=None)


def teacher(seed=5, widths=(6, 9, 7), activation="tanh", head="b"):
    return mlp(widths, {head: 3}, generator(seed, "teacher"), activation=activation, dtype=np.float64)


def all_methods(seed=5):
    big, alike = teacher(seed), teacher(seed, (6, 8, 7))
    return {
        "distillation": distillation(big),
        "without forgetting": without_forgetting(),
        "activations": activation_matching(big, layers=[(1, 1), (2, 2)]),
        "units": attention_transfer(big, "units", squared=True),
        "input": attention_transfer(big, "input"),
        "Jacobian": jacobian_matching(big),
        "whole Jacobian": jacobian_matching(alike, "all"),
        "label's Jacobian": jacobian_matching(alike, "label"),
    }


def start(method, task=None, seed=1, settings=SETTINGS, dropout=(), dtype=np.float64):
    return begin(method, network(dropout=dropout, dtype=dtype), task or blobs("b"), generator(seed, "t"), settings)


def finish(run, settings, task=None, evaluations=None):
    return list(train(run, {"b": task or blobs("b")}, settings, evaluations))


def test_one_step_of_learning_without_forgetting_is_the_textbooks():
    task, old = blobs("b"), network()
    settings = Hyperparameters(rate=constant(0.1), max_epochs=2, batch_size=70, patience=None, keep="last")
    run, settings = begin(without_forgetting(0.7), old, task, generator(1), settings)
    new = copy_tree(run.network.heads["b"])
    order = copy_generator(run).permutation(70)
    epochs = train(run, {"b": task}, settings)
    next(epochs)
    X, t = task.train.inputs[order] / 255, task.train.labels[order]
    (W1, b1), (W2, b2), (Wa, _) = ((p["W"], p["b"]) for p in [*old.trunk, old.heads["a"]])
    H1 = np.maximum(X @ W1 + b1, 0)
    H2 = np.maximum(H1 @ W2 + b2, 0)

    def soft(Z):
        return np.exp(Z) / np.exp(Z).sum(1, keepdims=True)

    dZ = (soft(H2 @ new["W"] + new["b"]) - np.eye(3)[t]) / 70
    # the old head says of the first batch what it said before: λ (f − p)/(T N) is zero there
    dH2 = dZ @ new["W"].T
    dA2 = dH2 * (H2 > 0)
    dA1 = (dA2 @ W2.T) * (H1 > 0)
    np.testing.assert_allclose(run.network.trunk[0]["W"], W1 - 0.1 * X.T @ dA1, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(run.network.trunk[1]["b"], b2 - 0.1 * dA2.sum(0), rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(run.network.heads["a"]["W"], Wa, rtol=1e-12)
    # one more step from there: now it does say something else, and moves
    now = run.network.copy()
    order = copy_generator(run).permutation(70)
    next(epochs)
    X = task.train.inputs[order] / 255
    recorded = soft(old.logits(X, "a") / 2)
    H2 = now.hidden_outputs(X)[-1]
    dZ = 0.7 * (soft(now.logits(X, "a") / 2) - recorded) / (2 * 70)
    np.testing.assert_allclose(run.network.heads["a"]["W"], now.heads["a"]["W"] - 0.1 * H2.T @ dZ, rtol=1e-9)
    assert (run.network.heads["a"]["W"] != now.heads["a"]["W"]).any()


def copy_generator(run):
    rng = generator(0)
    rng.bit_generator.state = run.rng.bit_generator.state
    return rng


def terms_of(settings):
    return settings.objective.terms


def with_terms(settings, **changes):
    """Return settings whose objective has other fields."""
    given = settings.objective if isinstance(settings.objective, Terms) else Terms()
    return replace(settings, objective=replace(given, **changes))


def without_settings(states):
    return {path: leaf for path, leaf in states.items() if not path.startswith("settings")}


def test_a_sum_of_one_loss_is_the_plain_one():
    X, t = generator(1).random((5, 6)), np.array([0, 1, 2, 0, 1])
    penalties = (Regularizer(l2, 0.1),)
    for dropout in ((), (0.3, 0.5)):
        for mask in ((1.0, 1.0, 1.0), (0.0, 0.5, 1.0), (0.0, 0.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0)):
            ends = []
            for several in (False, True):
                net, buffers = network(dropout=dropout), {}
                if several:
                    read = reading(X, lambda rows: Batch(rows, {"a": t[rows]}))
                    objective = SumOfTerms(net, [SupervisedLoss("a", cross_entropy)], mask, read)
                else:
                    objective = loss_at_head(net, "a", cross_entropy, mask, reading(X, lambda rows: t[rows]))
                move = Move(Momentum(), 0.1, buffers, penalties)
                value = take_step(objective, Penalise(penalties), move, np.arange(5), generator(3))
                ends.append({**dict(leaves(net.tree())), **dict(leaves(buffers)), "value": value})
                names = ("hidden layer 1", "hidden layer 2", "head 'a'")
                trains = [each for each in zip(names, [*net.trunk, net.heads["a"]], mask, strict=True) if each[2]]
                groups = sorted(objective.groups, key=lambda group: group.layer)
                assert [group.name for group in groups] == [name for name, _, _ in trains]
                for group, (_, p, share) in zip(groups, trains, strict=True):
                    assert group.parameters is p
                    assert group.shares == dict.fromkeys(p, share)
            assert same(*ends)


def test_weights_of_one_and_no_terms_are_the_plain_run():
    plain, summed = (Run(network(), generator(2)) for _ in range(2))
    list(train(plain, {"a": blobs()}, SETTINGS))
    list(train(summed, {"a": blobs()}, with_terms(SETTINGS, schedule="sum", weights={"a": 1.0})))
    assert same(without_settings(states(plain)), without_settings(states(summed)))


@given(
    st.sampled_from(sorted(all_methods())),
    st.sampled_from(OPTIMIZERS),
    st.sampled_from([None, GradualTuning(2.0), GradualByEpoch(1), Discriminative(0.5), WarmUp(2)]),
    st.sampled_from([(), (0.3, 0.5)]),
    st.integers(1, 3),
    st.integers(0, 99),
)
@settings(max_examples=25)
def test_such_runs_stop_and_go_on_to_the_same_bits(tmp_path, name, optimizer, policy, dropout, cut, seed):
    method = all_methods()[name]
    method = replace(method, policy=policy) if policy else method
    given_settings = replace(SETTINGS, optimizer=optimizer, rate=constant(0.02))
    whole, options = start(method, seed=seed, settings=given_settings, dropout=dropout, dtype=np.float32)
    finish(whole, options)
    stopped, options = start(method, seed=seed, settings=given_settings, dropout=dropout, dtype=np.float32)
    for _, _ in zip(range(cut), train(stopped, {"b": blobs("b")}, options), strict=False):
        save_tree(tmp_path / "run.npz", stopped.tree())
    resumed = Run.from_tree(load_tree(tmp_path / "run.npz"))
    _, again = start(method, settings=given_settings, dropout=dropout, dtype=np.float32)
    finish(resumed, again)
    assert same(states(whole), states(resumed))
    assert whole.finished
    if name == "activations":
        assert len(whole.learned) == 1  # of layers 1, for layers 2 are equally wide


@pytest.mark.parametrize("name", sorted(all_methods()))
def test_such_runs_on_the_device_are_those_on_the_host(xp, name):
    here, settings = start(all_methods()[name])
    finish(here, settings)
    method = all_methods()[name]
    if teacher := method.objective.keywords.get("teacher"):  # moves where the student lives
        method = replace(method, objective=partial(method.objective, teacher=teacher.to(xp)))
    task = blobs("b", xp=xp)
    there, settings = begin(method, network().to(xp), task, generator(1, "t"), SETTINGS)
    list(train(there, {"b": task}, settings))
    pairs = zip(leaves(here.network.tree()), leaves(to_host(there.network.tree())), strict=True)
    for (path, a), (_, b) in pairs:
        if isinstance(a, np.ndarray):
            np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-10, err_msg=path)


@pytest.mark.parametrize("name", sorted(all_methods()))
def test_every_method_lowers_what_it_adds(name):
    values = {}
    for weight in (0.0, 1.0):
        run, options = start(all_methods()[name], settings=replace(SETTINGS, max_epochs=15, keep="last"))
        added = terms_of(options)
        if not weight:
            options = with_terms(options, terms=(), weights={})
        finish(run, options)
        learned = run.learned
        if not weight:
            learned = {t.name: t.start(run.network, generator(0)) for t in added}
        split = blobs("b").train
        read = reading(
            batch(split, slice(None), np.float64), lambda rows, split=split: Batch(rows, {"b": split.labels})
        )
        step = SumOfTerms(run.network, added, (1.0, 1.0, 1.0), read, learned)
        values[weight] = float(value_and_gradients(step, np.arange(len(split)))[0])
        if name in ("distillation", "without forgetting"):  # above what no student could go below
            (term,) = added
            T = term.loss.keywords["temperature"]
            values[weight] -= term.weight * term.loss(T * np.log(term.targets), term.targets)[0]
    assert values[1.0] < 0.97 * values[0.0]


@pytest.mark.parametrize("name", sorted(all_methods()))
@pytest.mark.parametrize("policy", [HeadOnly(), Freeze(1)])
def test_frozen_layers_do_not_move_and_get_no_gradient(monkeypatch, name, policy):
    asked = []
    original = npnet.fused._linear

    def spy(p, X, rng=None, inputs=True, room=None):
        Y, back = original(p, X, rng, inputs, room)
        return Y, lambda dY: asked.append((p["W"].shape, inputs)) or back(dY)

    decay = (Regularizer(l2, 0.1, "head"),)  # would move an old head that does not rest
    given_settings = replace(SETTINGS, max_epochs=2, regularizers=decay)
    run, options = start(replace(all_methods()[name], policy=policy), settings=given_settings)
    before = copy_tree(run.network.tree())
    monkeypatch.setattr(npnet.fused, "_linear", spy)
    finish(run, options)
    frozen = {HeadOnly(): 2, Freeze(1): 1}[policy]
    for i in range(2):
        moved = (run.network.trunk[i]["W"] != before["trunk"][i]["W"]).any()
        assert moved == (i >= frozen)
    shapes = [p["W"].shape for p in run.network.trunk]
    assert not any(shape in shapes[:frozen] for shape, _ in asked)
    for shape, inputs in asked:
        if shape == shapes[-1]:
            assert not inputs
    if policy == HeadOnly():
        assert not any(inputs for _, inputs in asked)
    else:
        assert shapes[-1] in [shape for shape, _ in asked]
    if name == "without forgetting":
        rested = np.array_equal(run.network.heads["a"]["W"], before["heads"]["a"]["W"])
        assert rested == (policy == HeadOnly())


def test_frozen_layers_below_first_order_terms_are_run_once(monkeypatch):
    counts, calls = {}, []

    def spy(path, X, rng=None):
        calls.extend(p["W"].shape for _, p in path if p)
        return forward(path, X, rng)

    for module in ("npnet.frozen", "npnet.error", "npnet.matching.several"):  # whoever walks a path while training
        monkeypatch.setattr(import_module(module), "forward", spy)
    for name in ("distillation", "units", "Jacobian"):
        run, options = start(replace(all_methods()[name], policy=Freeze(1)))
        epochs = train(run, {"b": blobs("b")}, options)
        next(epochs)
        calls.clear()
        next(epochs)
        assert (8, 7) in calls
        counts[name] = calls.count((6, 8))
    assert counts["distillation"] == counts["units"] == 0
    assert counts["Jacobian"] >= 4  # its sweeps begin at the inputs


def test_the_new_head_alone_warms_up():
    run, options = start(without_forgetting(warm_up=2))
    before = copy_tree(run.network.tree())
    epochs = train(run, {"b": blobs("b")}, options)
    for epoch in range(1, 5):
        record = next(epochs)
        assert record["mask"] == ([0, 0, 1] if epoch <= 2 else [1, 1, 1])
        moved = (run.network.heads["a"]["W"] != before["heads"]["a"]["W"]).any()
        if not run.finished:
            assert moved == (epoch > 2)
            assert (run.network.trunk[0]["W"] != before["trunk"][0]["W"]).any() == (epoch > 2)
    assert WarmUp(3, Freeze(1)).gradual is False
    assert WarmUp(3).gradual
    assert WarmUp(3, GradualTuning()).gradual


def test_gradual_tuning_l2_sp_and_without_forgetting_are_three_words():
    method = gradual_tuning + starting_point("l2_sp", 0.3, 0.1) + without_forgetting(2.0)
    assert method.policy == gradual_tuning.policy
    task = blobs("b")
    run, options = start(method, settings=replace(SETTINGS, max_epochs=8, keep="last"))
    options = replace(options, policy=GradualTuning(60.0))
    old = copy_tree(run.network.tree())
    records = finish(run, options)
    assert records[0]["mask"] == [0, 0, 1]
    assert records[-1]["mask"] == [1, 1, 1]
    # the gradient of all three together, at the weights that this came to, on a batch, by the complex step
    X, t = batch(task.train, slice(0, 20), np.float64), task.train.labels[:20]

    def total(trunk, heads):
        net = replace(run.network, trunk=trunk, heads=heads)
        terms = [SupervisedLoss("b", cross_entropy), *terms_of(options)]
        step = SumOfTerms(net, terms, (1.0, 1.0, 1.0), reading(X, lambda rows: Batch(rows, {"b": t[rows]})))
        value, at = value_and_gradients(step, np.arange(20), None, options.regularizers)
        return value, ([at["hidden layer 1"], at["hidden layer 2"]], {h: at[f"head {h!r}"] for h in "ab"})

    heads = {head: run.network.heads[head] for head in "ab"}
    report = check_gradient(total, run.network.trunk, heads)
    assert report
    assert report.error < 1e-11
    # and its value is the sum of the three, written out
    value, _ = total(run.network.trunk, heads)
    Z, then = run.network.logits(X, "a"), softmax(npnet.Network.from_tree(old).logits(X, "a") / 2)
    expected = cross_entropy(run.network.logits(X, "b"), t)[0] + 2.0 * soft_cross_entropy(Z, then, 2.0)[0]
    pairs = zip(run.network.trunk, old["trunk"], strict=True)
    expected += 0.3 / 2 * sum(((p["W"] - q["W"]) ** 2).sum() for p, q in pairs)
    expected += 0.1 / 2 * sum((p["W"] ** 2).sum() for p in heads.values())
    assert value == pytest.approx(expected, rel=1e-12)


def test_distillation_is_the_formula():
    task, of = blobs("b"), teacher()
    settings = replace(SETTINGS, batch_size=70, max_epochs=1)
    run, options = start(distillation(of, alpha=0.3, temperature=5.0), settings=settings)
    Z, t = run.network.logits(batch(task.train, slice(None), np.float64), "b"), task.train.labels
    P = softmax(of.logits(batch(task.train, slice(None), np.float64), "b") / 5)
    (record_of_it,) = finish(run, options)
    expected = 0.7 * cross_entropy(Z, t)[0] + 0.3 * 25 * soft_cross_entropy(Z, P, 5.0)[0]
    assert record_of_it["objective"] == pytest.approx(float(expected), rel=1e-12)
    student = mlp((6, 4), {"b": 3}, generator(9), dtype=np.float64)  # has a head of the task's name: keeps it
    kept, _ = begin(distillation(of), student, task, generator(0))
    np.testing.assert_array_equal(kept.network.heads["b"]["W"], student.heads["b"]["W"])


@pytest.mark.parametrize("optimizer", [SGD(), ProximalSGD()])
def test_regularizers_are_for_the_network_not_for_what_terms_learn(optimizer):
    method = activation_matching(teacher(), layers=[(1, 1)], beta=0.0, regressor=True)
    decay = Regularizer(l2, 0.5, biases=True)
    run, options = start(method, settings=replace(SETTINGS, optimizer=optimizer, regularizers=(decay,)))
    epochs = train(run, {"b": blobs("b")}, options)
    next(epochs)
    before = copy_tree([run.learned, run.network.heads["b"]])
    next(epochs)
    for (path, a), (_, b) in zip(leaves(before), leaves([run.learned, run.network.heads["b"]]), strict=True):
        assert np.array_equal(a, b) == path.startswith("0"), path


def test_methods_add_up():
    both = distillation(teacher(), alpha=0.9) + activation_matching(teacher(), labels=0.5)
    run, options = start(both)
    assert options.objective.weights == {"b": pytest.approx(0.05)}
    assert len(terms_of(options)) == 2
    assert both.surgery is with_head
    assert (fine_tuning + both).policy == FineTuning()
    assert (both + gradual_tuning).policy == gradual_tuning.policy
    with pytest.raises(ValueError, match="two choices of policy"):
        gradual_tuning + Method("frozen", policy=Freeze(1))
    with pytest.raises(ValueError, match="two choices of surgery"):
        npnet.progressive() + probe(1)
    alone = activation_matching(teacher(), labels=0.0)
    run, options = start(alone)
    before = run.network.heads["b"]["W"].copy()

    def loss(Z, labels):
        raise AssertionError("a loss of weight zero is not computed")

    finish(run, replace(options, loss=loss))
    np.testing.assert_array_equal(run.network.heads["b"]["W"], before)  # nothing speaks to the head


def test_a_method_leaves_the_given_network_and_its_teacher_alone():
    for name, method in all_methods().items():
        given_network, of = network(), teacher()
        before = copy_tree(given_network.tree())
        run, options = begin(method, given_network, blobs("b"), generator(1), SETTINGS)
        finish(run, options)
        assert same(dict(leaves(before)), dict(leaves(given_network.tree()))), name
        assert same(dict(leaves(of.tree())), dict(leaves(teacher().tree()))), name


def test_an_epoch_that_fails_is_undone_with_the_terms_own_parameters():
    task, calls, bad = blobs("b"), [], []

    def loss(Z, labels):
        calls.append(1)
        value, dZ = cross_entropy(Z, labels)
        return (value, dZ * np.inf) if len(calls) == 3 and bad else (value, dZ)

    def matched(Y, targets):
        value, dY = squared_error(Y, targets)
        return (value * np.inf if bad and calls else value), dY

    method = activation_matching(teacher(), layers=[(1, 1)]) + without_forgetting()
    run, options = start(method, settings=replace(SETTINGS, loss=loss))
    first, *others = terms_of(options)
    terms = [replace(first, loss=lambda *pair: matched(*pair) if bad == ["term"] else squared_error(*pair)), *others]
    options = with_terms(options, terms=terms)
    next(train(run, {"b": task}, options))
    good = states(run)
    assert run.learned
    for what, words in (("label", "epoch 2, step 3, in head 'b'"), ("term", "objective is not finite")):
        calls.clear()
        bad[:] = [what]
        with pytest.raises(npnet.NotFiniteError, match=words):
            next(train(run, {"b": task}, options))
        assert same(good, states(run))
    bad.clear()
    next(train(run, {"b": task}, options))  # and goes on where nothing is wrong any more
    assert run.learned.keys() == {first.name}


def test_rows_that_do_not_fit_memory_are_computed_as_they_are_read(monkeypatch):
    split, net = blobs(sizes=(2500, 40, 40)).train, teacher(head="a")

    def f(X, labels):
        return net.logits(X, "a") + labels[:, None]

    kept, computed = cached_targets(f, split, net), cached_targets(f, split, net, budget=2500 * 3 * 8 - 1)
    assert isinstance(kept, np.ndarray)
    assert not isinstance(computed, np.ndarray)
    rows = generator(0).permutation(2500)[:50]
    np.testing.assert_allclose(kept[rows], computed[rows], rtol=1e-12)
    np.testing.assert_allclose(kept[rows], f(batch(split, rows, np.float64), split.labels[rows]), rtol=1e-12)
    ends = []
    for budget in (2**30, 10):
        monkeypatch.setattr(cached_targets, "__defaults__", (budget,))
        run, options = start(jacobian_matching(teacher()))
        ends.append([r["objective"] for r in finish(run, options)])
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-10)


def multi(seed=0, xp=np, sizes=(60, 30, 30)):
    """Return a class, and two regressions, of the same inputs."""
    rng = generator(seed, "multi")
    tasks = {}
    splits = [(xp.asarray(rng.random((n, 6))), rng) for n in sizes]
    targets = {
        "class": lambda X: (X[:, 0] > X[:, 1]).astype(np.int64) + (X[:, 2] > 0.5),
        "angle": lambda X: X[:, :1] - X[:, 1:2],
        "length": lambda X: X[:, 3:5] * 10,
    }
    for head, f in targets.items():
        tasks[head] = Task(head, 2 if head == "length" else 1 if head == "angle" else 3, *(
            Split(X, xp.asarray(f(to_host(X)))) for X, _ in splits
        ))  # fmt: skip
    return tasks


LOSSES = {"class": cross_entropy, "angle": squared_error, "length": squared_error}
SUM = Hyperparameters(
    loss=LOSSES, objective=Terms(schedule="sum"), rate=constant(0.05), max_epochs=6, patience=None, keep="last"
)


def multi_network(xp=np):
    heads = {"class": 3, "angle": 1, "length": 2}
    return mlp((6, 8, 7), heads, generator(0), dtype=np.float64, dropout=(0.1, 0.1)).to(xp)


def test_a_weighted_sum_of_losses_on_one_batch():
    tasks, net = multi(), mlp((6, 8, 7), {"class": 3, "angle": 1, "length": 2}, generator(0), dtype=np.float64)
    weights = {"class": 2.0, "angle": 0.5, "length": 0.0}
    run = Run(net.copy(), generator(4))
    rows = copy_generator(run).permutation(60)
    record = next(train(run, tasks, with_terms(replace(SUM, batch_size=60, max_epochs=2), weights=weights)))
    assert record["updates"] == 1
    assert record["validation"].keys() == tasks.keys()
    X = tasks["class"].train.inputs[rows]
    parts = {h: LOSSES[h](net.logits(X, h), tasks[h].train.labels[rows]) for h in tasks}
    assert record["objective"] == pytest.approx(sum(weights[h] * float(parts[h][0]) for h in tasks), rel=1e-12)
    H = net.hidden_outputs(X)[-1]
    for head in tasks:
        moved = net.heads[head]["W"] - run.network.heads[head]["W"]
        np.testing.assert_allclose(moved, 0.05 * weights[head] * H.T @ parts[head][1], rtol=1e-9, atol=1e-15)


def test_learned_uncertainties_go_where_the_formula_says(xp):
    tasks = multi(xp=xp)
    run = Run(multi_network(xp), generator(0))
    options = with_terms(replace(SUM, max_epochs=120, rate=constant(0.03)), weights="uncertainty")
    records = list(train(run, tasks, options))
    s = {head: float(run.learned[f"uncertainty of {head!r}"]["s"][0]) for head in tasks}
    assert s["angle"] < s["length"]  # an angle's error is of another unit: σ² tells
    assert s["angle"] < -1
    assert records[-1]["objective"] < records[0]["objective"]
    assert all(abs(value) > 0.01 for value in s.values())


@pytest.mark.parametrize("share", [0.0, 1.0, 30.0])
def test_learned_weights_move_at_their_own_share_of_the_rate(share):
    tasks, options = multi(), with_terms(replace(SUM, batch_size=60, max_epochs=1), weights="uncertainty")
    runs = [Run(multi_network(), generator(0)) for _ in range(2)]
    for run, learned_share in zip(runs, (1.0, share), strict=True):
        list(train(run, tasks, with_terms(options, learned_share=learned_share)))
    plain, shared = runs
    for (path, a), (_, b) in zip(leaves(plain.network.tree()), leaves(shared.network.tree()), strict=True):
        assert np.array_equal(a, b), path
    for name, p in plain.learned.items():
        assert p["s"][0] != 0
        assert shared.learned[name]["s"][0] == pytest.approx(share * p["s"][0], rel=1e-12)


def test_the_best_uncertainty_is_twice_the_loss():
    """With ½e^{−s}‖·‖² + s/2 at a fixed loss L = ½‖·‖² the minimum over s is at e^s = 2L."""
    value, loss = np.array([0.0]), 0.3
    term = SupervisedLoss("a", lambda Z, t: (np.asarray(loss), 0 * Z), uncertain=True)
    seen = TermInputs(Batch(np.arange(2), {"a": None}), {"a": np.zeros((2, 1))}, None)
    for _ in range(4000):
        value -= 0.1 * term({"s": value}, seen).own["s"]
    assert np.exp(value[0]) == pytest.approx(2 * loss, rel=1e-6)
    least = term({"s": value}, seen).value
    assert least == pytest.approx(0.5 + np.log(2 * loss) / 2)


@pytest.mark.parametrize("weights", ["uncertainty", {"angle": 0.3}])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_sums_of_tasks_stop_and_go_on(tmp_path, weights, optimizer):
    options = with_terms(replace(SUM, optimizer=optimizer, keep="best", rate=constant(0.02)), weights=weights)
    whole = Run(multi_network(), generator(0))
    list(train(whole, multi(), options))
    stopped = Run(multi_network(), generator(0))
    for _, _ in zip(range(3), train(stopped, multi(), options), strict=False):
        save_tree(tmp_path / "run.npz", stopped.tree())
    resumed = Run.from_tree(load_tree(tmp_path / "run.npz"))
    list(train(resumed, multi(), options))
    assert same(states(whole), states(resumed))


def test_the_tasks_that_are_watched_decide():
    tasks = {"a": blobs("a"), "b": blobs("b")}
    net = network(heads=("a", "b"))
    run = Run(net, generator(0))
    records = list(train(run, tasks, Hyperparameters(watch=("b",), patience=3, max_epochs=40, rate=constant(0.2))))
    assert all(record["validation"].keys() == {"b"} for record in records)
    errors = [record["error"] for record in records]
    assert run.best["epoch"] == 1 + errors.index(min(errors))


def test_bad_terms_are_named():
    wider = start(growing(wider=2) + activation_matching(teacher(), layers=[(2, 2)]))
    run, options = start(distillation(teacher()))
    term = terms_of(options)[0]
    tasks = {"b": blobs("b")}
    two = progressive_network()
    read = reading(np.zeros((5, 6)), lambda rows: Batch(rows, {}))

    def refused(settings, of=None, tasks=tasks):
        next(train(of or run, tasks, settings))

    for f, words in (
        (lambda: refused(with_terms(options, terms=(replace(term, task="c"),))), "terms has the task 'c'"),
        (lambda: refused(with_terms(options, terms=(term, term))), "expected another one for each"),
        (lambda: refused(with_terms(options, terms=(replace(term, place=3),))), "place is 3; expected"),
        (lambda: refused(with_terms(options, terms=(replace(term, place="z"),))), "place is 'z'"),
        (lambda: TrainingJob(run, tasks, replace(options, watch=("z",))), "watch has the task 'z'"),
        (lambda: refused(with_terms(options, weights={"z": 1.0})), "weights has the task 'z'"),
        (lambda: TrainingJob(run, tasks, replace(options, loss={})), "expected one for 'b' too"),
        (lambda: Terms(weights="learned"), "weights is 'learned'"),
        (lambda: Terms(weights={"a": -1.0}), "weights is {'a': -1.0}"),
        (lambda: Terms(schedule="both"), "schedule is 'both'"),
        (lambda: Terms(learned_share=-1.0), "learned_share is -1.0"),
        (lambda: Terms(terms=("distillation",)), "terms is .*; expected a"),
        (lambda: Terms(terms=term), "terms is .*; expected a"),
        (lambda: Match("m", "a", 1, squared_error, np.ones(3), -1.0), "weight is -1.0"),
        (lambda: list(train_population([TrainingJob(run, tasks, options)])), "job 0 has terms"),
        (
            lambda: refused(
                with_terms(SETTINGS, schedule="sum"),
                Run(network(heads=("a", "b")), generator(0)),
                {"a": blobs("a"), "b": blobs("b")},
            ),
            "share one array of inputs",
        ),
        (
            lambda: start(distillation(teacher()), settings=with_terms(SETTINGS, weights="uncertainty")),
            "expected numbers, which this method scales by 0.0999",
        ),
        (
            lambda: start(distillation(teacher()), settings=replace(SETTINGS, objective=lambda job, kept: {})),
            "expected plain_loss or Terms, to which terms can be added",
        ),
        (lambda: distillation(teacher(), 1.5), "alpha is 1.5"),
        (lambda: distillation(teacher(), -0.1), "alpha is -0.1"),
        (lambda: distillation(teacher(), temperature=0.0), r"temperature 0\.0"),
        (lambda: attention_transfer(teacher(), beta=-1.0), "beta is -1.0"),
        (lambda: activation_matching(teacher(), -1.0), "beta is -1.0"),
        (lambda: jacobian_matching(teacher(), beta=-1.0), "beta is -1.0"),
        (
            lambda: refused(with_terms(options, terms=(replace(term, targets=term.targets[1:]),))),
            "have 69 rows; expected 70, the training examples",
        ),
        (
            lambda: refused(start(jacobian_matching(teacher()), blobs("b", sizes=(50, 40, 40)))[1]),
            "have 50 rows; expected 70, the training examples",
        ),
        (lambda: start(distillation(teacher(head="z"))), "head is 'b'"),
        (lambda: start(distillation(teacher(widths=(5, 8)))), "teacher has 5 inputs; expected 6"),
        (lambda: start(distillation(mlp((6, 8), {"b": 2}, generator(0)))), "teacher has 2 outputs; expected 3"),
        (lambda: start(activation_matching(teacher(widths=(5, 8)))), "teacher has 5 inputs; expected 6"),
        (lambda: start(attention_transfer(teacher(widths=(5, 8)))), "teacher has 5 inputs; expected 6"),
        (lambda: refused(wider[1], wider[0]), "have 7 values each; expected 9, as the place"),
        (lambda: without_forgetting(temperature=0), "temperature 0"),
        (lambda: begin(without_forgetting(), teacher(), blobs("b"), generator(0)), "no old heads"),
        (lambda: start(activation_matching(teacher(), layers=[(3, 1)])), "place is 3"),
        (lambda: start(activation_matching(teacher(), layers=[(1, 3)])), "the teacher's 3"),
        (lambda: start(activation_matching(teacher(), layers=[(1, 1)], regressor=False)), "regressor is False"),
        (lambda: attention_transfer(teacher(), "spatial"), "kind is 'spatial'"),
        (lambda: attention_transfer(teacher(), p=0.5), "p is 0.5"),
        (lambda: start(attention_transfer(teacher(), layers=[(1, 1)])), "have 8 and 9 units"),
        (lambda: start(attention_transfer(teacher(), "channels")), "kind is 'channels'"),
        (lambda: jacobian_matching(teacher(), "most"), "of is 'most'"),
        (lambda: start(jacobian_matching(teacher(widths=(5, 4)))), r"teacher has \(5, 3\)"),
        (lambda: WarmUp(0), "epochs is 0"),
        (lambda: SumOfTerms(two, [replace(term, place=1)], (1.0, 1.0, 1.0), read), "network with columns"),
        (
            lambda: SumOfTerms(two, [replace(term, place="a")], (1.0, 1.0, 1.0), read),
            "place is 'a'; expected a head of the network's own",
        ),
        (lambda: SumOfTerms(network(), [], (1.0, 1.0), read), r"mask is \(1.0, 1.0\); expected 3 entries"),
        (lambda: loss_at_head(network(), "a", cross_entropy, (1.0, 1.0), read), r"mask is .*; expected 3 entries"),
    ):
        with pytest.raises(ValueError, match=words):
            f()


def progressive_network():
    return npnet.progressive().surgery(network(), blobs("b"), generator(0), npnet.glorot)


def test_distilling_into_a_new_column():
    old, task = network(), blobs("b")
    run, options = begin(npnet.progressive() + distillation(teacher()), old, task, generator(0), SETTINGS)
    records = finish(run, options)
    assert records[-1]["objective"] < records[0]["objective"]
    for p, q in zip(run.network.columns[0].trunk, old.trunk, strict=True):
        np.testing.assert_array_equal(p["W"], q["W"])
