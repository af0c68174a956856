"""What a run records, counts, moves, leaves alone and shares, each held to its definition.

A record says what was used; a count counts from where it should; a proximal step is as long as the step that it
follows; what is called a copy shares no memory; splits share no example; initialisers draw from the law that they name.
"""

import math
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal, localcontext
from itertools import combinations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from scipy import stats

import npnet
import npnet.layers
import npnet.optimizers
from npnet import Hyperparameters, Run, Split, Task, TrainingJob, generator, mlp, train, train_population
from npnet.block_threshold import _in_arrays, block_threshold
from npnet.columns.column import add_column
from npnet.columns.laterals import joined
from npnet.optimizers import ProximalSGD
from npnet.penalties import group_lasso, l1, l2
from npnet.regularizers import Regularizer
from npnet.step import Group, Move
from npnet.tasks import TASKS, line_task, line_tasks, mnist
from npnet.training import conclude
from npnet.undo import snapshot


def split(n=24, seed=0):
    X = generator(seed, "X", n).standard_normal((n, 4)).astype(np.float32)
    return Split(X, np.arange(n) % 2)


def task(name="t", n=24):
    return Task(name, 2, split(n), split(8, 1), split(8, 2))


def network(heads=("t",), **options):
    return mlp((4, 5, 3), dict.fromkeys(heads, 2), generator(0), **options)


# What is recorded is what was used ------------------------------------------------------------------------------------


class Watched(npnet.SGD):
    """Plain descent that notes the rate of every update."""

    def __init__(self):
        object.__setattr__(self, "rates", [])

    def update(self, w, dw, buffers, rate):
        self.rates.append(rate)
        return super().update(w, np.asarray(dw), buffers, rate)


def trained_alone(run, tasks, settings):
    return list(train(run, tasks, settings))


def trained_together(run, tasks, settings):
    other = Run(network(tuple(tasks)), generator(9))
    jobs = [TrainingJob(each, tasks, settings) for each in (run, other)]
    return [records[0] for records in train_population(jobs)]


@pytest.mark.parametrize("trained", [trained_alone, trained_together])
def test_a_record_says_which_rate_mask_and_updates_there_were(trained):
    shares = [(0.0, 0.0, 1.0), (0.0, 0.5, 1.0), (0.25, 0.5, 2.0)]
    watched, losses = Watched(), []

    def loss(Z, labels):
        value, dZ = npnet.cross_entropy(Z, labels)
        losses.append(value)
        return value, dZ

    settings = Hyperparameters(
        batch_size=10,
        rate=lambda epoch: 0.1 / (epoch + 1),
        optimizer=watched,
        loss=loss,
        max_epochs=3,
        policy=lambda history, depth: shares[min(len(history), 2)],
    )
    records = trained(Run(network(), generator(1)), {"t": task()}, settings)
    alone = trained is trained_alone
    for epoch, record in enumerate(records):
        moving = 2 * sum(map(bool, shares[epoch]))  # W and b of each layer
        updates = 3 * moving  # 24 examples, 10 at a time
        used = watched.rates[:updates]  # members with the same settings move together
        del watched.rates[: len(used)]
        assert {rate / (0.1 / (epoch + 1)) for rate in used} == {share for share in shares[epoch] if share}
        assert record["rate"] == 0.1 / (epoch + 1)
        assert record["mask"] == list(shares[epoch])
        assert record["updates"] == 3 * (epoch + 1)
    assert not watched.rates
    if alone:
        assert [record["objective"] for record in records] == pytest.approx(np.reshape(losses, (3, 3)).mean(1))


def test_updates_are_counted_where_epochs_have_different_numbers_of_them():
    run, seen = Run(network(), generator(1)), []
    for n in (24, 10, 30):
        settings = Hyperparameters(batch_size=10, max_epochs=9)
        seen.append(next(train(run, {"t": task(n=n)}, settings))["updates"])
    assert seen == [3, 4, 7]


def test_the_error_of_an_epoch_is_the_mean_of_the_watched_tasks():
    run, tasks = Run(network(("a", "b", "c")), generator(1)), {name: task(name) for name in "abc"}
    record = next(train(run, tasks, Hyperparameters(watch=("a", "c"))))
    assert record["validation"].keys() == {"a", "c"}
    assert record["error"] == (record["validation"]["a"] + record["validation"]["c"]) / 2


# Counts ---------------------------------------------------------------------------------------------------------------


class Scripted(npnet.Policy):
    """One hidden layer joins after each of these epochs."""

    def __init__(self, joins, gradual):
        self.joins, self.gradual = joins, gradual

    def __call__(self, history, depth):
        return npnet.TopLayers(sum(len(history) >= epoch for epoch in self.joins))(history, depth)


def ends_at(errors, masks, patience, restarts, gradual):
    """The epoch, from 1, after which a run stops, by the definition of patience; masks: of each epoch and one more."""
    for now in range(1, len(errors) + 1):
        waited = now - (1 + errors[:now].index(min(errors[:now])))  # epochs since the first of the lowest error
        if restarts:
            began = now
            while began > 1 and masks[began - 2] == masks[now - 1]:
                began -= 1
            waited = min(waited, now - began + 1) if masks[now] == masks[now - 1] else 0
        if waited >= patience and (all(masks[now - 1]) or not gradual):
            return now
    return len(errors)


@given(
    errors=st.lists(st.integers(0, 9).map(float), min_size=1, max_size=14),
    joins=st.lists(st.integers(1, 9), min_size=2, max_size=2),
    patience=st.integers(1, 4),
    restarts=st.booleans(),
    gradual=st.booleans(),
)
def test_patience_counts_by_its_definition(errors, joins, patience, restarts, gradual):
    policy = Scripted(joins, gradual)
    settings = Hyperparameters(
        patience=patience, patience_restarts=restarts, max_epochs=len(errors), policy=policy, keep="last"
    )
    job = TrainingJob(Run(network(), generator(1)), {"t": task()}, settings)
    job.start()
    masks = [list(policy([0.0] * epoch, 2)) for epoch in range(len(errors) + 1)]
    for error, mask in zip(errors, masks, strict=False):
        if not job.run.finished:
            conclude(job, {"error": error, "validation": {"t": error}, "mask": mask, "updates": 0})
    ended = ends_at(errors, masks, patience, restarts, gradual)
    assert len(job.run.history) == ended
    assert job.run.best["epoch"] == 1 + errors[:ended].index(min(errors[:ended]))


EPOCHS = {  # a policy, and what of three layers (two hidden ones and the head) trains in each epoch
    "by epoch": (npnet.GradualByEpoch(2), ["001", "001", "011", "011", "111", "111"]),
    "warm-up": (npnet.WarmUp(2), ["001", "001", "111", "111"]),
    "warm-up, then by epoch": (npnet.WarmUp(2, npnet.GradualByEpoch(1)), ["001", "001", "001", "011", "111"]),
    "a budget": (npnet.EqualBudget(3), ["111", "111", "111"]),
}


@pytest.mark.parametrize("name", EPOCHS)
def test_policies_change_after_so_many_epochs(name):
    policy, wanted = EPOCHS[name]
    run = Run(network(), generator(1))
    settings = Hyperparameters(policy=policy, patience=None, max_epochs=99 if name == "a budget" else len(wanted))
    records = list(train(run, {"t": task()}, settings))
    assert ["".join(str(int(bool(share))) for share in record["mask"]) for record in records] == wanted


@given(rate=st.floats(0.01, 1), every=st.integers(1, 5), epochs=st.integers(1, 9))
def test_schedules_change_after_so_many_epochs(rate, every, epochs):
    stepped = [npnet.step(rate, every, 0.5)(epoch) for epoch in range(3 * every)]
    assert stepped == [rate] * every + [rate / 2] * every + [rate / 4] * every
    falling = npnet.cosine(rate, epochs)
    assert (falling(0), falling(epochs)) == (rate, 0)
    assert falling(1) == pytest.approx(rate * math.cos(math.pi / 2 / epochs) ** 2)


def test_patience_waits_for_whatever_brings_layers_in():
    for policy in (npnet.GradualByEpoch(3), npnet.Discriminative(0.5, npnet.GradualByEpoch(3))):
        settings = Hyperparameters(policy=policy, patience=1, patience_restarts=False, rate=npnet.constant(1e-9))
        assert len(list(train(Run(network(), generator(1)), {"t": task()}, settings))) == 7


# Steps ----------------------------------------------------------------------------------------------------------------


def moved(w, dw, share, regularizers, layer=0, **options):
    """One move of a layer of two hidden ones and a head, from w by its share of the rate 0.1."""
    p = {key: each.copy() for key, each in w.items()}
    group = Group("layer", p, dict.fromkeys(p, share), frozenset({"W"}), layer, 2)
    Move(ProximalSGD(), 0.1, {}, regularizers, **options)(group, {key: each.copy() for key, each in dw.items()})
    return p


@pytest.mark.parametrize("penalty", [l1, l2, group_lasso], ids=lambda each: each.name)
@pytest.mark.parametrize("share", [0.25, 1.0, 3.0])
def test_a_proximal_step_is_as_long_as_the_step_before_it(penalty, share, rng):
    w, dw, anchor = ({"W": rng.normal(size=(6, 4)), "b": rng.normal(size=4)} for _ in range(3))
    regularizer = Regularizer(penalty, 0.7, anchors=[anchor, anchor])
    found = moved(w, dw, share, (regularizer,))
    ahead = {key: w[key] - 0.1 * share * dw[key] for key in w}
    # argmin over v of ½ ‖v − ahead‖² + (rate · share · strength) · penalty
    assert found["W"] == pytest.approx(penalty.prox(ahead["W"], 0.1 * share * 0.7, anchor["W"]), rel=1e-14)
    assert found["b"] == pytest.approx(ahead["b"], rel=1e-15)


def test_max_norm_leaves_alone_what_is_within_heads_biases_and_what_is_frozen(rng):
    W = rng.normal(size=(7, 40)).astype(np.float32)
    W *= np.linspace(0.9, 1.1, 40, dtype=np.float32) / np.sqrt((W * W).sum(0))
    W[:, 20] = 0
    W[0, 20] = 1  # at the bound exactly
    w = {"W": W, "b": 10 * np.ones(40, np.float32)}
    still = {key: np.zeros_like(each) for key, each in w.items()}
    hidden, head = (moved(w, still, 1.0, (), layer, max_norm=1.0) for layer in (1, 2))
    within = np.sqrt((W * W).sum(0)) <= 1
    assert 15 < within.sum() < 25
    assert hidden["W"][:, within].tobytes() == W[:, within].tobytes()
    assert np.linalg.norm(hidden["W"], axis=0)[~within] == pytest.approx(1, rel=1e-6)
    assert hidden["b"].tobytes() == w["b"].tobytes()
    assert head["W"].tobytes() == W.tobytes()
    long = network()
    for p in long.trunk:
        p["W"] *= 100
    before = long.copy()
    settings = Hyperparameters(max_norm=1.0, policy=npnet.TopLayers(1), max_epochs=1, keep="last")
    list(train(Run(long, generator(1)), {"t": task()}, settings))
    assert long.trunk[0]["W"].tobytes() == before.trunk[0]["W"].tobytes()
    assert np.linalg.norm(long.trunk[1]["W"], axis=0).max() < 1.0001


def root(delta, scale, tau):
    """The root n of Σ s Δ² / (n + τ s)² = 1 to forty digits, 0 where there is none."""
    with localcontext() as context:
        context.prec = 60
        pairs = [(Decimal(float(s)), Decimal(float(d))) for s, d in zip(scale, delta, strict=True) if s > 0]
        tau = Decimal(tau)

        def phi(n):
            return sum(s * d * d / (n + tau * s) ** 2 for s, d in pairs)

        if not pairs or phi(Decimal(0)) <= 1:
            return None
        low, high = Decimal(0), sum(s * d * d for s, d in pairs).sqrt()
        for _ in range(160):
            middle = (low + high) / 2
            low, high = (middle, high) if phi(middle) > 1 else (low, middle)
        return low


@given(st.integers(0, 2**32), st.floats(-6, 0.5), st.integers(0, 16))
def test_the_root_of_a_block_threshold_is_right_to_the_last_digits(seed, size, decades):
    rng = np.random.default_rng(seed)
    delta = rng.normal(size=(5, 9))
    scale = 10.0 ** rng.uniform(-decades, 0, (5, 9))
    tau = float(10**size)
    for found in (block_threshold(delta, tau, scale, -2), _in_arrays(delta, scale, tau, -2)):
        for k in range(9):
            n = root(delta[:, k], scale[:, k], tau)
            if n is None:
                assert not found[:, k].any()
                continue
            with localcontext() as context:
                context.prec = 60
                wanted = [
                    float(Decimal(float(d)) * n / (n + Decimal(tau) * Decimal(float(s))))
                    for d, s in zip(delta[:, k], scale[:, k], strict=True)
                ]
            # n itself is known to the rounding of n + τ s, and no better
            slack = 1e-14 * (1 + tau * scale[:, k].max() / float(n))
            assert found[:, k] == pytest.approx(np.array(wanted), rel=slack, abs=1e-300)


# Copies ---------------------------------------------------------------------------------------------------------------


def arrays(value):
    """Yield every array in networks, settings, runs and plain trees."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from arrays(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from arrays(each)
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from arrays(getattr(value, each.name))


def share(one, other):
    return any(np.shares_memory(a, b) for a in arrays(one) for b in arrays(other))


METHODS = {
    "fine": npnet.fine_tuning,
    "probe": npnet.probe(1),
    "start": npnet.starting_point("l2_sp", 0.1),
    "Fisher": npnet.starting_point("l2_sp_fisher", 0.1),
    "LwF": npnet.without_forgetting(),
    "distillation": npnet.distillation(network(), head="t"),
    "a second lesson for a head": npnet.distillation(network(), head="t"),
    "columns": npnet.progressive(),
    "adapters": npnet.progressive("adapter"),
    "modular": npnet.modular(),
    "wider": npnet.growing(wider=2),
    "deeper": npnet.growing(deeper=2),
    "a copy of units": npnet.growing(wider=2, noise=0.0),
    "a column": npnet.growing(deeper=2, trained=0),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_begins_with_arrays_of_its_own(name):
    has = ("t", "new") if name == "a second lesson for a head" else ("t",)
    known = npnet.remember(network(has), "old", npnet.fisher_information(network(has), "t", split()))
    given, before = known, known.copy()
    run, settings = npnet.begin(METHODS[name], given, task("new"), generator(1), Hyperparameters(max_epochs=1))
    assert not share(run.network, given)
    assert not share(settings.regularizers, run.network)
    assert not share([each.anchors for each in settings.regularizers], given.trunk)
    list(train(run, {"new": task("new")}, settings))
    for one, other in zip(arrays(given), arrays(before), strict=True):
        assert one.tobytes() == other.tobytes()


def test_what_is_kept_of_a_run_or_a_network_shares_no_memory():
    one = network()
    for copy in (one.copy(), one.to(np)):
        assert not share(copy, one) or copy.trunk[0]["W"] is one.trunk[0]["W"]  # to(numpy) of host arrays
    assert not share(one.copy(), one)
    assert not share(npnet.remember(one, "m", npnet.fisher_information(one, "t", split())).memories, one.trunk)
    objective = npnet.Terms(weights="uncertainty")
    run = Run(one, generator(1))
    stream = train(run, {"t": task()}, Hyperparameters(objective=objective, max_epochs=4, optimizer=npnet.Adam()))
    next(stream)
    assert run.learned
    assert not share(run.best, [run.network, run.learned, run.buffers])
    held = [each.copy() for each in arrays([run.network, run.learned, run.buffers])]
    undo = snapshot(run)
    for each in arrays([run.network, run.learned, run.buffers]):
        each += 1
    undo()
    for each, was in zip(arrays([run.network, run.learned, run.buffers]), held, strict=True):
        assert each.tobytes() == was.tobytes()


def test_members_of_a_population_share_nothing_that_moves():
    jobs = [TrainingJob(Run(network(), generator(i)), {"t": task()}, Hyperparameters(max_epochs=2)) for i in range(3)]
    next(train_population(jobs))
    for one, other in combinations(jobs, 2):
        assert not share([one.run.network, one.run.buffers, one.run.best], [other.run.network, other.run.buffers])
    assert all(w.base is None for w in arrays(jobs[0].run.network))


def test_the_best_weights_come_back_with_the_parameters_that_were_learned_beside_them():
    settings = Hyperparameters(
        objective=npnet.Terms(weights="uncertainty"), rate=npnet.constant(0.5), max_epochs=6, patience=None
    )
    run, learned = Run(network(), generator(1)), []
    for _ in train(run, {"t": task()}, settings):
        learned.append(run.tree()["learned"]["uncertainty of 't'"]["s"].copy() if not run.finished else None)
    assert run.best["epoch"] < 6
    assert run.learned["uncertainty of 't'"]["s"] == learned[run.best["epoch"] - 1]
    assert learned[run.best["epoch"] - 1] != learned[run.best["epoch"]]


# Splits ---------------------------------------------------------------------------------------------------------------


def disjoint(*sets):
    return all(not set(one) & set(other) for one, other in combinations(sets, 2))


@pytest.mark.parametrize("name", TASKS)
def test_splits_of_stimuli_share_no_address(name):
    small, large = (line_task(name, 0, n, n, n, store="nowhere") for n in (5, 400))
    several = line_tasks(name, 0, ("lengths",), 50, 50, 50)["lengths"]
    addresses = [{int(i) for i in getattr(large, which).inputs.stimuli.indices} for which in SPLITS]
    assert disjoint(*addresses)
    assert {int(i) for which in SPLITS for i in getattr(small, which).inputs.stimuli.indices} <= set.union(*addresses)
    assert disjoint(*([row.tobytes() for row in getattr(several, which).inputs] for which in SPLITS))


SPLITS = ("train", "validation", "test")


def numbered(n, first):
    """Images (n, 28, 28) that have their number in their first pixels, and labels."""
    images = np.zeros((n, 28, 28), np.uint8)
    images[:, 0, :4] = np.arange(first, first + n, dtype=np.uint32)[:, None].view(np.uint8)
    return images, (np.arange(n) * 7 % 10).astype(np.uint8)


def numbers_of(split):
    return split.inputs[:, :4].copy().view(np.uint32)[:, 0].tolist()


def test_splits_of_images_share_no_image(monkeypatch):
    files = mnist.ImageFiles(*numbered(400, 0), *numbered(100, 400))
    monkeypatch.setattr(mnist, "load", lambda name, folder=None: files)
    halves = mnist.mnist_halves(0, 100, 40, 50)
    for each in (mnist.mnist_task(60), mnist.fashion_task(60), *halves):
        assert disjoint(*(numbers_of(getattr(each, which)) for which in SPLITS))
        for which in SPLITS:
            numbers = numbers_of(getattr(each, which))
            assert len(set(numbers)) == len(numbers)
    assert disjoint(*(numbers_of(getattr(half, which)) for half in halves for which in SPLITS))


# Initialisers ---------------------------------------------------------------------------------------------------------

LAWS = {
    "glorot": (npnet.glorot, lambda D, K: stats.uniform(-math.sqrt(6 / (D + K)), 2 * math.sqrt(6 / (D + K)))),
    "he": (npnet.he, lambda D, K: stats.norm(0, math.sqrt(2 / D))),
    "uniform_fan_in": (npnet.uniform_fan_in, lambda D, K: stats.uniform(-1 / math.sqrt(D), 2 / math.sqrt(D))),
    "normal": (npnet.normal, lambda D, K: stats.norm(0, 0.01)),
}


def drawn_from(law, values):
    """Whether many values are from a law, but for a chance of one in a million."""
    return stats.kstest(np.ravel(values), law.cdf).pvalue > 1e-6


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize(("D", "K"), [(2, 20_000), (40, 1_000), (1_000, 40)])
def test_an_initialiser_draws_from_the_law_that_it_names(name, D, K):
    initialise, law = LAWS[name]
    p = initialise(generator(3, name), D, K)
    assert drawn_from(law(D, K), p["W"])
    if name != "uniform_fan_in":
        assert not p["b"].any()
    elif K > 100:
        assert drawn_from(law(D, K), p["b"])


def test_a_network_draws_each_layer_by_its_own_fans():
    one = mlp((6, 90, 70), {"t": 400}, generator(0), npnet.he, patches=3)
    for p, fan_in in zip([*one.trunk, one.heads["t"]], (2, 270, 70), strict=True):
        assert drawn_from(stats.norm(0, math.sqrt(2 / fan_in)), p["W"]), fan_in


def test_laterals_and_adapters_are_drawn_by_the_laws_of_their_source():
    old = mlp((4, 50, 60), {"t": 2}, generator(0))
    wide = Task("new", 300, *[Split(split().inputs, np.arange(24))] * 3)
    reads = [((0, 0),), ((0, 1),), ((0, 2), (0, 1))]
    linear = add_column(old, wide, (30, 40), reads, generator(1), npnet.he)
    for p, fan_in in zip([linear.trunk[1], linear.heads["new"]], (30 + 50, 40 + 60 + 50), strict=True):
        law = stats.norm(0, math.sqrt(2 / fan_in))  # W and L are one matrix of so many inputs
        assert drawn_from(law, p["W"])
        assert drawn_from(law, p["L"])
    more = linear.add_head("more", 300, generator(2), npnet.he)
    assert drawn_from(stats.norm(0, math.sqrt(2 / 150)), more.heads["more"]["W"])
    assert drawn_from(stats.norm(0, math.sqrt(2 / 150)), more.heads["more"]["L"])
    factors = []
    for seed in range(60):
        adapted = add_column(old, wide, (30, 40), reads, generator(seed, "adapters"), npnet.he, "adapter").heads["new"]
        factors.append(adapted["a"])
    assert drawn_from(stats.uniform(0, 0.1), factors)
    assert drawn_from(stats.norm(0, math.sqrt(2 / 110)), np.concatenate([adapted["V0"], adapted["V1"]]))
    assert drawn_from(stats.norm(0, math.sqrt(2 / 40)), adapted["U"])
    assert joined(adapted, np.zeros((1, 150), np.float32))[0].shape == (1, 300)


# What a run is given --------------------------------------------------------------------------------------------------


def narrow(p, X, rng=None):
    """A linear layer whose way back sums over the units, or over the rows, once too often."""
    return X @ p["W"] + p["b"], lambda dY: ((p["W"] @ dY.T).T, {"W": X.T @ dY, "b": dY.sum(0, keepdims=True)})


def flat(p, X, rng=None):
    return X @ p["W"] + p["b"], lambda dY: (dY.sum(1, keepdims=True), {"W": X.T @ dY, "b": dY.sum(0)})


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (narrow, r"back of layer narrow gives dp\['b'\] \(1, 3\); expected \(3,\)"),
        (flat, r"back of layer flat gives dX \(2, 1\); expected \(2, 5\)"),
    ],
)
def test_gradients_of_another_shape_than_their_arrays_are_refused(layer, message):
    one = network()
    one = replace(one, layers=(npnet.linear, layer), inputs=4)
    with pytest.raises(ValueError, match=message):
        next(train(Run(one, generator(1)), {"t": task()}))


def test_activations_of_frozen_weights_that_were_changed_by_hand_are_not_used():
    changed, settings = [], Hyperparameters(policy=npnet.HeadOnly(), max_epochs=3, patience=None)
    for budget in (0, 2**30):
        run = Run(network(), generator(1))
        for record in train(run, {"t": task()}, replace(settings, memory_budget=budget)):
            if record["epoch"] == 1:
                run.network.trunk[0]["W"][0] += 1
        changed.append([run.network.heads["t"]["W"].tobytes(), run.history[-1]["error"]])
    assert changed[0] == changed[1]


def test_activations_of_columns_that_were_changed_by_hand_are_not_used():
    ends = []
    for budget in (0, 2**30):
        settings = Hyperparameters(max_epochs=3, patience=None, memory_budget=budget)
        method = npnet.progressive(policy=npnet.HeadOnly())
        run, settings = npnet.begin(method, network(), task("new"), generator(1), settings)
        for record in train(run, {"new": task("new")}, settings):
            if record["epoch"] == 1:
                run.network.columns[0].trunk[0]["W"][0] += 1
        ends.append([run.network.heads["new"]["W"].tobytes(), run.history[-1]["error"]])
    assert ends[0] == ends[1]


def test_max_norm_of_weights_whose_squares_overflow():
    W = np.array([[3e25, 0.3], [4e25, 0.4]], np.float32)
    with np.errstate(over="ignore"):
        npnet.optimizers.bound_norms(W, 1.0)
    assert pytest.approx(np.array([[0.6, 0.3], [0.8, 0.4]]), rel=1e-6) == W


# Steps, runs and files, once more -------------------------------------------------------------------------------------


def test_a_penalty_pulls_at_the_rate_of_its_layer():
    """The step of plain descent is w − rate · share · (gradient + strength · slope), whatever form the gradient has."""
    split = task().train
    for share in (0.25, 1.0):
        one, regularizer = network(), Regularizer(l2, 0.3)
        before, batch = one.copy(), split.inputs
        path = before.path("t")
        outputs, backs = npnet.layers.forward(path, batch)
        _, dZ = npnet.cross_entropy(outputs[-1], split.labels)
        gradients = {i: dp for i, _, dp in npnet.layers.backward(backs, {len(backs) - 1: dZ})}
        settings = Hyperparameters(24, npnet.constant(0.1), regularizers=(regularizer,), keep="last", max_epochs=1)
        settings = replace(settings, policy=lambda history, depth, share=share: (share,) * (depth + 1))
        list(train(Run(one, generator(1)), {"t": task()}, settings))
        for i, p, q in ((0, before.trunk[0], one.trunk[0]), (2, before.trunk[1], one.trunk[1])):
            wanted = p["W"] - 0.1 * share * (gradients[i]["W"] + 0.3 * p["W"])
            assert q["W"] == pytest.approx(wanted, rel=1e-5, abs=1e-7)


def test_an_epoch_that_is_undone_gives_back_every_field_of_its_run():
    run = Run(network(), generator(1))
    stream = train(run, {"t": task()}, Hyperparameters(policy=npnet.GradualByEpoch(1), max_epochs=4))
    next(stream)
    before = {each.name: getattr(run, each.name) for each in fields(run)}
    undo, state = snapshot(run), run.rng.bit_generator.state
    next(stream)
    run.rng.random(3)
    run.finished, run.mask, run.best, run.learned = True, (0.0, 0.0, 0.0), None, {"x": {}}
    undo()
    for name in ("mask", "finished", "best", "learned"):
        assert getattr(run, name) == before[name], name
    assert len(run.history) == 1
    assert run.rng.bit_generator.state == state


def test_momentum_of_layers_that_rest_is_kept_in_company_too():
    masks = [(1.0, 1.0, 1.0), (0.0, 0.0, 1.0), (1.0, 1.0, 1.0)]
    settings = Hyperparameters(
        optimizer=npnet.Momentum(), max_epochs=3, policy=lambda history, depth: masks[min(len(history), 2)], keep="last"
    )
    runs = [Run(network(), generator(i)) for i in (1, 1, 2)]
    list(train(runs[0], {"t": task()}, settings))
    list(train_population([TrainingJob(run, {"t": task()}, settings) for run in runs[1:]]))
    for one, other in zip(arrays(runs[0].network), arrays(runs[1].network), strict=True):
        assert other == pytest.approx(one, rel=1e-4, abs=1e-6)


def test_a_file_whose_array_has_another_shape_is_altered(tmp_path):
    npnet.save_tree(tmp_path / "a.npz", {"w": np.arange(6.0)})
    members = dict(np.load(tmp_path / "a.npz"))
    members["0"] = members["0"].reshape(2, 3)
    np.savez(tmp_path / "b.npz", **members)
    with pytest.raises(ValueError, match="SHA-256"):
        npnet.load_tree(tmp_path / "b.npz")
