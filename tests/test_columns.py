"""Columns, modules and grown networks: what they compute, what never moves, and that they train as any network does."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_training import blobs, network, same, states

from npnet.arrays import generator, to_host
from npnet.columns import growing, joined, merged, modular, progressive
from npnet.columns.network import ColumnInputs, columns_of
from npnet.data import batch
from npnet.error import error
from npnet.hyperparameters import Hyperparameters
from npnet.initialisers import glorot
from npnet.layers import Dropout
from npnet.losses import cross_entropy
from npnet.methods import GradualTuning, begin, probe
from npnet.network import Network
from npnet.objective import cut, groups_of, loss_at_head
from npnet.optimizers import Adam
from npnet.penalties import l1
from npnet.perceptron import mlp
from npnet.populations import train_population
from npnet.proofs.objectives import reading, value_and_gradients
from npnet.regularizers import Regularizer
from npnet.run import Run, TrainingJob
from npnet.schedules import constant
from npnet.starting_point import fisher_information
from npnet.training import train
from npnet.trees import load_tree, save_tree

SETTINGS = Hyperparameters(rate=constant(0.3), max_epochs=3, patience=None)
WAYS = [
    progressive(),
    progressive("adapter"),
    progressive("linear", widths=(3, 4, 2)),
    modular(),
    modular(None),
    modular((1,), widths=(4, 3)),
    growing(wider=3),
    growing(wider=3, trained=0),
    growing(wider=2, noise=0.1, trained=1),
    growing(deeper=4, normalised=False),
    growing(deeper=4, trained=0),
    growing(wider=3, deeper=4, trained=0),
    growing(wider=3, deeper=4, normalised=False, trained=2),
]


def learn(method, start, task, seed=1, settings=SETTINGS):
    """Return what a method leaves after some epochs on a task."""
    run, settings = begin(method, start, task, generator(seed, "columns"), settings)
    for _ in train(run, {task.name: task}, settings):
        pass
    return run.network


def logits(network, task):
    return {head: network.logits(batch(task.test, slice(None), network.dtype), head) for head in heads(network)}


def heads(network):
    return [head for each in (*columns_of(network), network) for head in each.heads]


def equal(trunk, other):
    for p, q in zip(trunk, other, strict=True):
        assert p.keys() == q.keys()
        assert all((p[key] == q[key]).all() for key in p)


def relu(X):
    return np.maximum(X, 0)


@pytest.mark.parametrize("lateral", ["linear", "adapter"])
@pytest.mark.parametrize("dropout", [(), (0.3, 0.5)])
def test_what_old_columns_say_stays_the_same_bits(lateral, dropout, tmp_path, xp):
    tasks = [blobs(name, seed, xp=xp) for seed, name in enumerate("abcd")]
    now = network(0, dropout).to(xp)
    said = {"a": to_host(logits(now, tasks[0])["a"])}
    for k, task in enumerate(tasks[1:], 1):
        before = logits(now, tasks[0])
        now = learn(progressive(lateral), now, task, k)
        assert len(now.columns) == k
        after = logits(now, tasks[0])
        assert list(after) == [*before, task.name]
        for head, Z in before.items():
            assert (to_host(Z) == to_host(after[head])).all()
        said[task.name] = to_host(after[task.name])
    now.save(tmp_path / "network.npz")
    again = Network.load(tmp_path / "network.npz")
    if xp is np:
        for head, Z in logits(again, tasks[0]).items():
            np.testing.assert_array_equal(Z, said[head])
    assert again.reads == now.reads
    assert error(now, "a", tasks[0].test) == pytest.approx(error(network(0, dropout).to(xp), "a", tasks[0].test))


@pytest.mark.parametrize("lateral", ["linear", "adapter"])
def test_three_columns_compute_what_the_source_says(lateral):
    """Against the formulas of Rusu et al. 2016, one column and layer at a time."""
    first = network(0)
    two = learn(progressive(lateral), first, blobs("b"), 1)
    three = learn(progressive(lateral), two, blobs("c"), 2)
    X = batch(blobs().test, slice(None), first.dtype)

    def layer(p, h, sides):
        Z = h @ p["W"] + p["b"]
        if not sides:
            return Z
        if lateral == "linear":
            return Z + np.concatenate(sides, 1) @ p["L"]
        return Z + relu(sum(p["a"][j] * S @ p[f"V{j}"] for j, S in enumerate(sides))) @ p["U"]

    outputs = []
    for column in (first, two, three):
        levels = [X]
        for i, p in enumerate(column.trunk):
            levels.append(relu(layer(p, levels[-1], [known[i] for known in outputs] if i else [])))
        (head,) = column.heads.values()
        Z = layer(head, levels[-1], [known[-1] for known in outputs])
        outputs.append(levels)
    np.testing.assert_allclose(three.logits(X, "c"), Z, rtol=1e-12, atol=1e-12)
    for mine, known in zip(three.hidden_outputs(X), outputs[-1][1:], strict=True):
        np.testing.assert_allclose(mine, known, rtol=1e-12, atol=1e-12)
    assert three.trunk[0]["W"].shape == first.trunk[0]["W"].shape  # no lateral into layer 1


@pytest.mark.parametrize(
    ("method", "name", "widths"),
    [
        (progressive(), "progressive", (8, 7)),
        (progressive("adapter", widths=(3,)), "progressive, adapters", (3,)),
        (modular(), "modular", (8, 7)),
        (modular(widths=(4, 3, 2)), "modular", (4, 3, 2)),
        (probe(), "probe", (8, 7)),
        (probe(1), "probe 1", (8,)),
    ],
)
def test_names_and_widths(method, name, widths):
    start = mlp((6, 8, 7), {"a": 3}, generator(0))
    found = learn(method, start, blobs("b"))
    assert method.name == name
    assert found.units == widths


@pytest.mark.parametrize("stitched", [(), None])
def test_a_module_reads_what_it_is_stitched_to_and_its_head_reads_both(stitched):
    old = network(0)
    new = learn(modular(stitched), old, blobs("b"))
    X = batch(blobs().test, slice(None), old.dtype)
    below, top = old.hidden_outputs(X)
    one, two = new.trunk
    h = relu(X @ one["W"] + one["b"])
    h = relu(h @ two["W"] + two["b"] + (below @ two["L"] if stitched is None else 0))
    Z = h @ new.heads["b"]["W"] + top @ new.heads["b"]["L"] + new.heads["b"]["b"]
    np.testing.assert_allclose(new.logits(X, "b"), Z, rtol=1e-12, atol=1e-12)
    assert ("L" in two) == (stitched is None)


@given(
    st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(any),
    st.booleans(),
    st.sampled_from([None, 0.0, 0.3]),
    st.integers(0, 99),
    st.sampled_from([(), (0.2, 0.4)]),
)
def test_old_and_new_merged_compute_what_they_did_apart(more, normalised, noise, seed, dropout):
    wider, deeper = more
    noise = noise if wider else None
    apart = growing(wider, deeper, normalised, noise, trained=0)
    together = replace(apart, surgery=growing(wider, deeper, normalised, noise).surgery)
    old, task = network(seed, dropout), blobs("b", seed)
    nets = [each.surgery(old, task, generator(seed, "grow"), glorot) for each in (apart, together)]
    assert not columns_of(nets[1])
    X = batch(task.test, slice(None), old.dtype)
    np.testing.assert_allclose(nets[0].logits(X, "b"), nets[1].logits(X, "b"), rtol=1e-10, atol=1e-12)
    assert nets[1].depth == old.depth + bool(deeper)
    assert nets[1].trunk[old.depth - 1]["b"].size == old.trunk[-1]["b"].size + wider
    assert len(nets[1].dropout) in (0, nets[1].depth)


def test_what_training_the_new_part_alone_leaves_alone():
    old, task = network(0), blobs("b")
    for method, moving in (
        (growing(wider=3, deeper=4, trained=0), 2),
        (growing(wider=3, trained=1), 1),
        (growing(deeper=4, trained=1), 2),
        (growing(deeper=4), 3),
    ):
        start = begin(method, old, task, generator(1, "columns"), SETTINGS)[0].network
        end = learn(method, old, task)
        moved = [any((p[key] != q[key]).any() for key in p) for p, q in zip(start.trunk, end.trunk, strict=True)]
        assert moved == [False] * (end.depth - moving) + [True] * moving
        for column, known in zip(columns_of(end), (old,), strict=False):
            equal(column.trunk, known.trunk)


def test_copies_and_lengths():
    old, task = network(0), blobs("b")
    grown = growing(wider=4, normalised=True, noise=0.0).surgery(old, task, generator(0), glorot)
    wide = grown.trunk[-1]
    for key in ("W", "b"):
        np.testing.assert_array_equal(wide[key][..., :4], old.trunk[-1][key][..., :4])
        np.testing.assert_array_equal(wide[key][..., 4:], old.trunk[-1][key])
    noisy = growing(wider=4, noise=0.5).surgery(old, task, generator(0), glorot).trunk[-1]["W"]
    jitter = (noisy[:, :4] - old.trunk[-1]["W"][:, :4]).std() / old.trunk[-1]["W"][:, :4].std()
    assert 0.25 < jitter < 0.9  # 0.5, of a few numbers
    X = batch(task.train, slice(None), old.dtype)
    lengths = [np.linalg.norm(each, axis=1).mean() for each in np.split(grown.hidden_outputs(X)[-1], [4], axis=1)]
    head = grown.heads["b"]
    for gamma, length in zip((head["gamma"], head["gamma_lateral"]), lengths, strict=True):
        np.testing.assert_allclose(gamma, length, rtol=1e-12)
    plain = growing(wider=4, normalised=False).surgery(old, task, generator(0), glorot)
    assert plain.heads["b"].keys() == {"W", "b", "L"}


@pytest.mark.parametrize("method", WAYS, ids=lambda method: method.name)
@pytest.mark.parametrize("dropout", [(), (0.3, 0.5)])
def test_such_networks_stop_and_go_on_to_the_same_bits(method, dropout, tmp_path):
    start = network(0, dropout)
    task, old = blobs("b"), blobs("a")
    settings = replace(SETTINGS, optimizer=Adam(), rate=constant(0.01), regularizers=(Regularizer(l1, 1e-3),))
    watched = {"old": ("a", old.test)} if columns_of(begin(method, start, task, generator(1))[0].network) else {}
    run, settings = begin(method, start, task, generator(1, "columns"), settings)
    whole = [dict(record) for record in train(run, {"b": task}, settings, watched)]
    again, _ = begin(method, start, task, generator(1, "columns"), settings)
    next(train(again, {"b": task}, settings, watched))
    save_tree(tmp_path / "run.npz", again.tree())
    again = Run.from_tree(load_tree(tmp_path / "run.npz"))
    assert whole == [again.history[0], *map(dict, train(again, {"b": task}, settings, watched))]
    same(states(run), states(again))
    if watched:
        assert len({record["evaluations"]["old"] for record in whole}) == 1


def both(job, seeds_and_methods):
    """Compare what a population comes to with what each run comes to alone."""
    together = [job(*each) for each in seeds_and_methods]
    for _ in train_population(together):
        pass
    for each, there in zip(seeds_and_methods, together, strict=True):
        alone = job(*each)
        for _ in train(alone.run, alone.tasks, alone.settings):
            pass
        assert not there.failure
        mine, theirs = (states(Run.from_tree(to_host(each.run.tree()))) for each in (there, alone))
        assert mine.keys() == theirs.keys()
        for path, a in mine.items():
            if isinstance(a, np.ndarray):
                np.testing.assert_allclose(a, theirs[path], rtol=1e-7, atol=1e-10, err_msg=path)


@pytest.mark.parametrize("method", WAYS, ids=lambda method: method.name)
def test_such_networks_train_as_a_population(method, xp):
    task = blobs("b", xp=xp)

    def job(seed):
        run, settings = begin(method, network(seed).to(xp), task, generator(seed, "columns"), SETTINGS)
        return TrainingJob(run, {"b": task}, settings)

    both(job, [(seed,) for seed in range(3)])


def test_networks_of_many_forms_train_as_a_population():
    """All of them from one network, so that only what they read of it tells their frozen parts apart."""
    task, start = blobs("b"), network(0)

    def job(method):
        run, settings = begin(method, start, task, generator(1, "columns"), SETTINGS)
        return TrainingJob(run, {"b": task}, settings)

    plain = [growing(wider=3, normalised=normalised) for normalised in (False, True)]
    both(job, [(method,) for method in (modular(), modular(None), progressive("adapter"), *WAYS, *plain)])


@pytest.mark.parametrize(("dropout", "layers"), [((), 3), ((0.0, 0.5), 3), ((0.3, 0.5), 2), ((0.3, 0.0), 2)])
def test_what_of_a_column_is_the_same_at_every_epoch(dropout, layers):
    path = learn(progressive(), network(0, dropout), blobs("b")).path("b", training=True)
    first, _ = cut(path, groups_of(path, (0.0, 0.0, 1.0), "b"))
    assert first == layers  # the column inputs, and the hidden layers up to the first dropout
    assert not any(isinstance(layer, Dropout) for layer, _ in path[:first])


@pytest.mark.parametrize("lateral", ["linear", "adapter"])
def test_penalties_act_on_weights_and_laterals_and_on_nothing_else(lateral):
    task, term = blobs("b"), Regularizer(l1, 0.1)
    start = progressive(lateral).surgery(network(0), task, generator(0), glorot)
    X, labels = batch(task.train, slice(None), start.dtype), task.train.labels
    values = []
    for regularizers in ((), (term,)):
        loss = loss_at_head(start, "b", cross_entropy, (1.0, 1.0, 1.0), reading(X, lambda rows: labels[rows]))
        values.append(value_and_gradients(loss, np.arange(len(X)), None, regularizers)[0])
    weights = [w for p in (*start.trunk, start.heads["b"]) for key, w in p.items() if key not in ("a", "b")]
    assert values[1] - values[0] == pytest.approx(0.1 * sum(abs(w).sum() for w in weights))
    assert len(weights) == (5 if lateral == "linear" else 7)


def test_frozen_columns_are_run_once(monkeypatch):
    calls = []
    run_columns = ColumnInputs.__call__

    def spy(self, p, X, rng=None):
        calls.extend([1] * (len(X) > 1))  # one row of zeros is how a network measures its widths
        return run_columns(self, p, X, rng)

    monkeypatch.setattr(ColumnInputs, "__call__", spy)
    counts = []
    for epochs in (1, 6):
        calls.clear()
        learn(progressive(), network(0), blobs("b"), settings=replace(SETTINGS, max_epochs=epochs))
        counts.append(len(calls))
    assert counts[0] == counts[1] == 2  # the training and the validation inputs


def test_gradual_tuning_of_a_column():
    run, settings = begin(
        progressive(policy=GradualTuning(50.0)), network(0), blobs("b"), generator(0), replace(SETTINGS, max_epochs=6)
    )
    masks = [record["mask"] for record in train(run, {"b": blobs("b")}, settings)]
    assert masks[:2] == [[0, 0, 1]] * 2
    assert masks[-1] == [1, 1, 1]


def test_a_probe_is_a_classifier_on_one_layer():
    start, task = network(0), blobs("b")
    for layer in (1, 2, None):
        end = learn(probe(layer), start, task)
        top = layer or 2
        assert end.depth == top
        assert list(end.heads) == ["b"]
        equal(end.trunk, start.trunk[:top])
        X = batch(task.test, slice(None), start.dtype)
        Z = start.hidden_outputs(X)[top - 1] @ end.heads["b"]["W"] + end.heads["b"]["b"]
        np.testing.assert_allclose(end.logits(X, "b"), Z, rtol=1e-12)
    deep = learn(progressive(), start, task)
    X = batch(task.test, slice(None), start.dtype)
    below = learn(probe(1), deep, blobs("c"))
    expected = deep.hidden_outputs(X)[0] @ below.heads["c"]["W"] + below.heads["c"]["b"]
    np.testing.assert_allclose(below.logits(X, "c"), expected, rtol=1e-12)


def test_another_task_in_the_same_column():
    two = learn(progressive(), network(0), blobs("b"))
    three = two.add_head("c", 4, generator(0))
    assert three.heads["c"].keys() == {"W", "b", "L"}
    assert three.logits(np.zeros((5, 6)), "c").shape == (5, 4)
    with pytest.raises(ValueError, match="head 'a' is a column's already"):
        two.add_head("a", 2, generator(0))


def test_bad_input_is_named():
    start, task = network(0), blobs("b")
    two = learn(progressive(), start, task)
    for f, words in (
        (lambda: progressive("conv"), "lateral is 'conv'; expected one of 'linear', 'adapter'"),
        (lambda: learn(modular((2,)), start, task), r"stitched is \(2,\); expected numbers among \[1\]"),
        (lambda: growing(), "wider is 0, deeper 0"),
        (lambda: growing(deeper=2, noise=0.1), "expected noise only where units are added"),
        (lambda: growing(wider=-1), "no negative number"),
        (lambda: learn(growing(wider=3), two, task), "network has 1 columns; expected one that reads its inputs"),
        (lambda: learn(growing(wider=99, noise=0.1), start, task), "wider is 99; expected at most"),
        (lambda: merged(two), "expected a grown one"),
        (lambda: merged(start), "expected a grown one"),
        (lambda: probe(0), "layer is 0; expected the number of a hidden layer"),
        (lambda: learn(probe(3), start, task), "layer is 3; expected at most 2"),
        (lambda: two.logits(np.zeros((2, 6)), "z"), "head is 'z'; expected one of 'a', 'b'"),
        (lambda: TrainingJob(Run(two, generator(0)), {"a": blobs("a")}), "'a', whose head is frozen for good"),
        (lambda: replace(two, reads=two.reads[:1]), "expected 3 entries"),
        (lambda: replace(two, columns=()), r"columns is \(\); expected at least one"),
        (lambda: fisher_information(two, "b", task.train), "expected linear ones alone, and no columns"),
        (lambda: joined(two.trunk[1], np.zeros((2, 3))), r"X has shape \(2, 3\); expected"),
    ):
        with pytest.raises(ValueError, match=words):
            f()


def test_column_inputs_have_no_way_back():
    two = learn(progressive(), network(0), blobs("b"))
    Y, back = ColumnInputs(two.columns, two.reads)({}, np.zeros((3, 6)))
    assert back(Y) == (None, {})
