"""Masks that name single arrays or single weights, policies that are plain functions, and how often they are asked."""

import numpy as np
import pytest
from test_training import OPTIMIZERS, blobs, network, same, states

from npnet.arrays import generator, to_host
from npnet.data import Split
from npnet.hyperparameters import Hyperparameters
from npnet.losses import cross_entropy
from npnet.methods import Discriminative, EqualBudget, Freeze
from npnet.objective import loss_at_head
from npnet.optimizers import SGD, ProximalSGD
from npnet.penalties import group_lasso, l1, l2
from npnet.policies import Policy
from npnet.populations import train_population
from npnet.regularizers import Regularizer
from npnet.run import Run, TrainingJob
from npnet.schedules import constant
from npnet.step import Move, Penalise, take_step
from npnet.training import train
from npnet.trees import copy_tree, load_tree, save_tree

PENALTIES = (Regularizer(l1, 0.05), Regularizer(l2, 0.1, biases=True))


def settings(mask=(1, 1, 1), **options):
    given = {"rate": constant(0.1), "max_epochs": 3, "patience": None, "keep": "last"} | options
    return Hyperparameters(policy=lambda history, depth: mask, **given)


def parameters(net):
    return [*net.trunk, net.heads["a"]]


def trained(mask, start=None, **options):
    run = Run((start or network()).copy(), generator(1))
    list(train(run, {"a": blobs()}, settings(mask, **options)))
    return run


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("max_norm", [None, 0.1])
def test_biases_alone_are_refitted(optimizer, max_norm):
    before = parameters(network())
    mask = ({"b": 1}, {"b": 0.5}, {"b": 1})
    run = trained(mask, optimizer=optimizer, max_norm=max_norm, regularizers=PENALTIES)
    for p, q in zip(parameters(run.network), before, strict=True):
        assert (p["W"] == q["W"]).all()
        assert (p["b"] != q["b"]).any()
    assert run.history[-1]["mask"] == [{"b": 1.0}, {"b": 0.5}, {"b": 1.0}]
    assert run.history[-1]["objective"] < run.history[0]["objective"]
    assert {place.split(": ")[1] for place in run.buffers} <= {"b"}
    if max_norm:  # which is for what trains: these are longer, and stay it
        assert max(np.linalg.norm(p["W"], axis=0).max() for p in run.network.trunk) > max_norm


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_entry_that_names_every_array_is_the_number(optimizer):
    common = {"optimizer": optimizer, "regularizers": PENALTIES}
    numbers = trained((0, 0.5, 1), **common)
    names = trained(({}, {"W": 0.5, "b": 0.5}, {"W": 1, "b": True}), **common)
    some = trained(({"W": 0, "b": 0.0}, {"b": 0.5, "W": 0.5}, 1), **common)
    for other in (names, some):
        for p, q in zip(parameters(numbers.network), parameters(other.network), strict=True):
            assert all((w == q[key]).all() for key, w in p.items())
        assert [r["objective"] for r in other.history] == [r["objective"] for r in numbers.history]


def shares(share=1.0):
    """Return an array of shares for each W, of which a third is 0, and the masks that have them."""
    drawn = [generator(3, i).random(p["W"].shape) < 2 / 3 for i, p in enumerate(parameters(network()))]
    arrays = [share * each for each in drawn]
    return arrays, tuple({"W": each, "b": share} for each in arrays)


def one_step(mask, optimizer, rate=0.1, regularizers=(), max_norm=None, steps=1, dtype=np.float64):
    """Take steps with all the examples; every one of them sees the gradients of the first network."""
    net, still = network(dtype=dtype), network(dtype=dtype)
    split, buffers = blobs().train, {}
    X = (split.inputs / 255).astype(dtype)

    def read(below):
        assert not below
        return lambda rows: (X[rows], split.labels[rows])

    move = Move(optimizer, rate, buffers, regularizers, max_norm)
    for _ in range(steps):
        _, way_down = loss_at_head(still, "a", cross_entropy, (1.0, 1.0, 1.0), read).descent(np.arange(70), None)
        gradients = {group.layer: dp for group, dp in way_down}
        for group in loss_at_head(net, "a", cross_entropy, mask, read).groups:
            dp = gradients[group.layer]
            Penalise(regularizers, optimizer.proximal)(group, dp)
            move(group, dp)
    return net


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("max_norm", [None, 0.5])
def test_weights_with_a_share_of_0_keep_their_bits(optimizer, max_norm):
    arrays, mask = shares()
    for regularizers in ((), PENALTIES, (Regularizer(group_lasso, 0.05),)):
        run = trained(mask, optimizer=optimizer, max_norm=max_norm, regularizers=regularizers)
        for p, q, share in zip(parameters(run.network), parameters(network()), arrays, strict=True):
            assert (p["W"][share == 0] == q["W"][share == 0]).all()
            assert (p["W"][share == 1] != q["W"][share == 1]).mean() > 0.8  # units that are silent never move
        for place, share in zip(("hidden layer 1", "hidden layer 2", "head 'a'"), arrays, strict=True):
            of = run.buffers[f"{place}: W"]  # what does not move gathers no momentum either
            assert not any(of[key][share == 0].any() for key in of if of[key].shape == share.shape)
    assert run.history[-1]["mask"] == [{"W": pytest.approx(each.mean()), "b": 1.0} for each in arrays]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("rate", [0.1, 10.0])
def test_weights_with_a_share_of_1_go_where_they_go_in_plain_training(optimizer, dtype, rate):
    arrays, mask = shares()
    for regularizers in ((), (Regularizer(l1, 0.05),)):
        some = one_step(mask, optimizer, rate, regularizers, steps=3, dtype=dtype)
        whole = one_step((1.0, 1.0, 1.0), optimizer, rate, regularizers, steps=3, dtype=dtype)
        start = network(dtype=dtype)
        for p, q, before, share in zip(*map(parameters, (some, whole, start)), arrays, strict=True):
            assert p["W"].dtype == dtype
            assert (p["W"][share == 1] == q["W"][share == 1]).all()
            assert (p["W"][share == 0] == before["W"][share == 0]).all()
            assert (p["b"] == q["b"]).all()


def test_ones_alone_are_plain_training():
    """To the bit without penalties, and up to rounding with them: plain descent lets a penalty pull at the weights."""
    ones = tuple({key: np.ones(w.shape) for key, w in p.items()} for p in parameters(network()))
    for optimizer in OPTIMIZERS:
        for penalties in ((), PENALTIES):
            common = {"optimizer": optimizer, "regularizers": penalties, "max_norm": 0.9}
            for p, q in zip(*(parameters(trained(mask, **common).network) for mask in (ones, (1, 1, 1))), strict=True):
                for key, w in p.items():
                    assert (w == q[key]).all() or penalties
                    np.testing.assert_allclose(w, q[key], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("optimizer", [SGD(), ProximalSGD()])
def test_a_share_of_a_half_halves_the_step(optimizer):
    arrays, mask = shares(0.5)
    half, whole = one_step(mask, optimizer), one_step((1.0, 1.0, 1.0), optimizer)
    for p, q, before, share in zip(*map(parameters, (half, whole, network())), arrays, strict=True):
        np.testing.assert_allclose(p["W"] - before["W"], share * (q["W"] - before["W"]), rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(p["b"] - before["b"], 0.5 * (q["b"] - before["b"]), rtol=1e-9, atol=1e-15)
        assert (p["W"] != before["W"]).any()


def test_an_array_of_shares_is_saved_with_the_run(tmp_path):
    _, mask = shares()
    for optimizer in OPTIMIZERS:
        whole = trained(mask, optimizer=optimizer)
        run = Run(network(), generator(1))
        next(train(run, {"a": blobs()}, settings(mask, optimizer=optimizer)))
        save_tree(tmp_path / "run.npz", run.tree())
        again = Run.from_tree(load_tree(tmp_path / "run.npz"))
        list(train(again, {"a": blobs()}, settings(mask, optimizer=optimizer)))
        assert same(states(whole), states(again))


def test_arrays_of_shares_work_where_the_weights_live(xp):
    _, mask = shares()
    there = tuple({"W": xp.asarray(entry["W"]), "b": entry["b"]} for entry in mask)
    here, run = trained(mask), Run(network().to(xp), generator(1))
    list(train(run, {"a": blobs(xp=xp)}, settings(there)))
    for p, q in zip(parameters(here.network), parameters(run.network), strict=True):
        np.testing.assert_allclose(to_host(q["W"]), p["W"], rtol=1e-12)


def test_masks_may_name_arrays_in_a_population_too():
    def jobs():
        masks = [({"b": 1}, {"b": 1}, {"b": 1}), (1, {"b": 0.5}, 1), ({"b": 1}, {"b": 0.25}, {"b": 1}), (0, {}, 1)]
        return [
            TrainingJob(Run(network(i, (0.2, 0.3)), generator(i)), {"a": blobs()}, settings(mask, optimizer=optimizer))
            for i, mask in enumerate(masks)
            for optimizer in OPTIMIZERS
        ]

    together = jobs()
    list(train_population(together))
    for mine, by_itself, alone in zip(together, jobs(), jobs(), strict=True):
        start = copy_tree(by_itself.run.network.tree())
        list(train_population([by_itself]))
        assert same(states(mine.run), states(by_itself.run))
        list(train(alone.run, alone.tasks, alone.settings))
        for p, q in zip(parameters(mine.run.network), parameters(alone.run.network), strict=True):
            for key, w in p.items():
                np.testing.assert_allclose(w, q[key], rtol=1e-9, atol=1e-12)
        for p, q, entry in zip(mine.run.network.trunk, start["trunk"], mine.run.mask, strict=False):
            frozen = [key for key in p if not (entry.get(key, 0) if isinstance(entry, dict) else entry)]
            assert all((p[key] == q[key]).all() for key in frozen)
    _, mask = shares()
    with pytest.raises(ValueError, match=r"(?s)mask has .*; expected numbers in a population"):
        next(train_population([TrainingJob(Run(network(), generator(0)), {"a": blobs()}, settings(mask))]))


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ((1, 1), r"mask is \(1, 1\); expected 3"),
        ((1, 1, 1, 1), r"mask is \(1, 1, 1, 1\); expected 3 numbers: every hidden layer's and the head's"),
        ((), r"mask is \(\); expected 3"),
        (1.0, "mask is 1.0; expected 3 .*, or dicts"),
        (None, "mask is None; expected 3"),
        ("all", "mask is 'all'; expected 3 .*, or dicts of them"),
        (("1", "x", 1), r"mask is \('1', 'x', 1\); expected 3"),
        ((1, {"W": "all"}, 1), r"mask is \(1, {'W': 'all'}, 1\); expected 3 .*, or dicts of them"),
        ((1, {"W": None}, 1), r"mask is \(1, {'W': None}, 1\); expected 3"),
        ((1, None, 1), r"mask is \(1, None, 1\); expected 3"),
        ((1, -0.5, 1), r"mask is \(1, -0.5, 1\); expected 3 finite numbers from 0"),
        ((1, {"b": np.nan}, 1), r"mask is \(1, {'b': nan}, 1\); expected 3 finite numbers from 0"),
        ((1, 1, np.inf), r"mask is \(1, 1, inf\); expected 3 finite numbers from 0"),
        (
            (1, {"B": 1}, 1),
            "mask has 'B' in hidden layer 2; expected names and shapes of",
        ),
        ((1, 1, {"b": 1, "beta": 0}), "mask has 'beta' in head 'a'; expected names"),
    ],
)
def test_masks_that_are_none_are_refused(mask, message):
    run = Run(network(), generator(0))
    for begin in (
        lambda: next(train(run, {"a": blobs()}, settings(mask))),
        lambda: next(train_population([TrainingJob(run, {"a": blobs()}, settings(mask))])),
    ):
        with pytest.raises(ValueError, match=message):
            begin()
    assert run.history == []


def test_an_array_of_shares_has_the_shape_of_the_weights():
    for wrong in (np.ones(7), np.ones((8, 1)), np.ones((7, 8))):
        run = Run(network(), generator(0))
        with pytest.raises(ValueError, match="mask has 'W' in hidden layer 2; expected names and shapes of"):
            next(train(run, {"a": blobs()}, settings((1, {"W": wrong}, 1))))
        assert run.history == []


def counting(asked):
    """Return a policy that lets the head and then everything train, and writes down what it is asked."""

    def policy(history, depth):
        asked.append(list(history))
        return (float(len(history) >= 2),) * depth + (1.0,)

    return policy


def named(asked):
    """Return such a policy as an object of a class of its own."""

    class Counted(Policy):
        def __call__(self, history, depth):
            return counting(asked)(history, depth)

    return Counted()


@pytest.mark.parametrize("kind", ["function", "Policy", "in another", "in a budget"])
def test_the_policy_is_asked_once_for_every_epoch(kind, tmp_path):
    def made():
        asked = []
        policy = {
            "function": lambda: counting(asked),
            "Policy": lambda: named(asked),
            "in another": lambda: Discriminative(1.0, counting(asked)),
            "in a budget": lambda: EqualBudget(9, named(asked)),
        }[kind]()
        return Hyperparameters(policy=policy, max_epochs=5, patience=3, rate=constant(0.1)), asked

    def errors(run, epochs):
        return [[record["error"] for record in run.history[:n]] for n in range(epochs)]

    chosen, asked = made()
    whole = Run(network(), generator(0))
    for epoch, _ in enumerate(train(whole, {"a": blobs()}, chosen, {"test": ("a", blobs().test)}), 1):
        assert len(asked) == epoch + 1  # for the first, and after each for the next
    assert asked == errors(whole, len(whole.history) + 1)

    chosen, asked = made()
    run = Run(network(), generator(0))
    for cut in range(1, 9):
        if run.finished:
            break
        next(train(run, {"a": blobs()}, chosen, {"test": ("a", blobs().test)}))
        save_tree(tmp_path / "run.npz", run.tree())
        run = Run.from_tree(load_tree(tmp_path / "run.npz"))
        assert len(asked) == cut + 1
    assert asked == errors(run, len(run.history) + 1)
    assert same(states(run), states(whole))

    each = [made() for _ in range(3)]
    population = [
        TrainingJob(Run(network(i), generator(i)), {"a": blobs()}, chosen) for i, (chosen, _) in enumerate(each)
    ]
    list(train_population(population))
    for job, (_, asked) in zip(population, each, strict=True):
        assert asked == errors(job.run, len(job.run.history) + 1)


def test_a_failed_epoch_does_not_ask_again():
    asked, run, failing = [], Run(network(), generator(0)), []

    def loss(Z, labels):
        if failing:
            raise KeyboardInterrupt
        return cross_entropy(Z, labels)

    chosen = Hyperparameters(policy=counting(asked), loss=loss, max_epochs=3)
    next(train(run, {"a": blobs()}, chosen))
    assert len(asked) == 2
    failing.append(True)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            next(train(run, {"a": blobs()}, chosen))
    assert len(asked) == 2
    failing.clear()
    list(train(run, {"a": blobs()}, chosen))
    assert asked == [[record["error"] for record in run.history[:n]] for n in range(4)]


def test_a_plain_function_is_the_policy_of_the_same_masks():
    freeze = Freeze(1)
    runs = []
    for policy in (freeze, lambda history, depth: [0, 1, 1], lambda history, depth: np.array([0, 1, 1])):
        run = Run(network(), generator(0))
        list(train(run, {"a": blobs()}, Hyperparameters(policy=policy, max_epochs=5, rate=constant(0.1))))
        runs.append(run)
    first, *others = runs
    for other in others:
        assert other.history == first.history
        assert same(*({k: v for k, v in states(r).items() if not k.startswith("settings")} for r in (first, other)))
    for zero in (0, 0.0, {}, {"W": 0, "b": 0.0}, {"b": np.zeros(3)}):
        nothing = Run(network(), generator(0))
        chosen = Hyperparameters(policy=lambda history, depth, zero=zero: [0, {}, zero])
        assert list(train(nothing, {"a": blobs()}, chosen)) == []
        assert nothing.finished


def test_no_group_no_gradient():
    """What a mask leaves out is not only not moved: it has no group, and what is under all groups is read."""
    split = Split(blobs().train.inputs / 255.0, blobs().train.labels)
    seen = []

    def read(below):
        seen.append(len(below))
        return lambda rows: (split.inputs[rows] @ np.ones((6, 8)), split.labels[rows])

    step = loss_at_head(network(), "a", cross_entropy, (0.0, {"b": 1.0}, 0.0), read)
    assert [(group.name, dict(group.shares)) for group in step.groups] == [("hidden layer 2", {"b": 1.0})]
    assert seen == [2]  # the first layer and its activation
    moved = []
    take_step(step, Penalise(), lambda group, gradients: moved.append((group.name, {*gradients})), np.arange(5), None)
    assert [name for name, _ in moved] == ["hidden layer 2"]
