"""Path integrals against sums written step by step, and memories that hold a head that trains again."""

from dataclasses import replace

import numpy as np
import pytest

from npnet import (
    SGD,
    Adam,
    ClipByNorm,
    Hyperparameters,
    Momentum,
    PathIntegral,
    Run,
    Split,
    Task,
    begin,
    fisher_information,
    generator,
    mlp,
    path_importance,
    remember,
    starting_point,
    train,
)
from npnet.methods.method import Method, with_head
from npnet.orders import Batches, as_stored


def problem(seed=0, n=40):
    rng = np.random.default_rng(seed)
    split = Split(rng.normal(size=(n, 6)), rng.integers(0, 3, n))
    task = Task("t", 3, split, split, split)
    return mlp((6, 5, 4), {"t": 3}, generator(seed), dtype=np.float64), task


def settings(**given):
    return Hyperparameters(
        **{"batch_size": 10, "rate": 0.05, "max_epochs": 3, "patience": None, "keep": "last", **given}
    )


def weights(network):
    return [{key: w.copy() for key, w in p.items()} for p in (*network.trunk, network.heads["t"])]


def gathered(network, task, optimizer, **given):
    """Return a run that gathered its path integrals."""
    run = Run(network.copy(), generator(1))
    list(train(run, {"t": task}, settings(optimizer=optimizer, objective=PathIntegral(), **given)))
    return run


def omega(run):
    return [run.buffers[f"path integral, {name}"] for name in ("hidden layer 1", "hidden layer 2", "head 't'")]


def test_of_plain_descent_it_is_the_rate_times_the_squared_gradients():
    network, task = problem()
    run = Run(network.copy(), generator(1))
    expected = [{key: np.zeros_like(w) for key, w in p.items()} for p in weights(network)]
    # Steps of one batch each: what a step moved is −rate · gradient, so −gradient · move = move² / rate.
    plain = settings(batch_size=40, max_epochs=5, order=as_stored)
    before = weights(run.network)
    for _ in train(run, {"t": task}, plain):
        after = weights(run.network)
        for total, w, v in zip(expected, before, after, strict=True):
            for key in total:
                total[key] += (v[key] - w[key]) ** 2 / 0.05
        before = after
    found = omega(gathered(network, task, SGD(), batch_size=40, max_epochs=5, order=as_stored))
    for here, there in zip(found, expected, strict=True):
        for key, w in there.items():
            np.testing.assert_allclose(here[key], w, rtol=1e-9)


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9])
def test_of_momentum_at_one_rate_it_is_never_negative(decay):
    """rate Σ_t g_t Σ_{s ≤ t} decay^{t − s} g_s is a positive form: its kernel is that of a stationary process."""
    network, task = problem(7)
    run = gathered(network, task, Momentum(decay), rate=0.3, max_epochs=10)
    assert all((w >= 0).all() for p in omega(run) for w in p.values())


@pytest.mark.parametrize("optimizer", [SGD(), Adam()])
def test_it_sums_to_the_fall_of_the_loss_and_does_not_change_the_training(optimizer):
    network, task = problem(3)
    small = {"batch_size": 40, "max_epochs": 40, "rate": 1e-4, "order": as_stored}
    plain = Run(network.copy(), generator(1))
    records = list(train(plain, {"t": task}, settings(optimizer=optimizer, **small)))
    run = gathered(network, task, optimizer, **small)
    for mine, other in zip(weights(run.network), weights(plain.network), strict=True):
        for key, w in mine.items():
            np.testing.assert_allclose(w, other[key], rtol=1e-12, atol=1e-15)
    total = sum(w.sum() for p in omega(run) for w in p.values())
    fall = records[0]["objective"] - records[-1]["objective"]  # before the first and before the last step
    assert total == pytest.approx(fall * 40 / 39, rel=0.02)


def slope(network, task):
    """Return the gradient of the loss alone on all examples: what a step of plain descent at rate 1 moves against."""
    run = Run(network.copy(), generator(1))
    list(train(run, {"t": task}, settings(batch_size=40, max_epochs=1, rate=1.0, order=as_stored)))
    return [
        {key: p[key] - w for key, w in q.items()} for p, q in zip(weights(network), weights(run.network), strict=True)
    ]


def remembered(network, task):
    information = fisher_information(network, "t", task.train, with_head=True)
    return remember(network, "t", information, head="t")


def test_a_penalty_is_no_part_of_it():
    network, task = problem(5)
    method = Method("on", surgery=with_head) + starting_point("l2_sp_fisher", 50.0, convention="ewc")
    given = settings(batch_size=40, max_epochs=4, order=as_stored, objective=PathIntegral())
    run, of = begin(method, remembered(network, task), task, generator(1), given)
    expected = [{key: np.zeros_like(w) for key, w in p.items()} for p in weights(network)]
    at, g = weights(run.network), slope(run.network, task)
    for _ in train(run, {"t": task}, of):
        now = weights(run.network)
        for total, w, v, d in zip(expected, at, now, g, strict=True):
            for key in total:
                total[key] -= d[key] * (v[key] - w[key])
        at, g = now, slope(run.network, task)
    penalised = omega(run)
    for here, there in zip(penalised, expected, strict=True):
        for key, w in there.items():
            np.testing.assert_allclose(here[key], w, rtol=1e-8, atol=1e-14)
    assert not np.allclose(
        penalised[0]["W"], omega(gathered(network, task, SGD(), batch_size=40, max_epochs=4))[0]["W"]
    )


def test_importance_is_the_integral_over_the_squared_way_and_never_negative():
    network, task = problem(7)
    run = gathered(network, task, Adam(), rate=0.01)
    run.buffers["path integral, hidden layer 1"]["W"][0, 0] = -1.0  # Adam's changing steps may make it so
    found = path_importance(run, network, xi=0.2, head="t")
    assert len(found) == 3
    assert len(path_importance(run, network)) == 2
    for F, p, q, path in zip(found, weights(network), weights(run.network), omega(run), strict=True):
        for key, w in F.items():
            assert (w >= 0).all()
            np.testing.assert_allclose(w, np.maximum(path[key], 0) / ((q[key] - p[key]) ** 2 + 0.2), rtol=1e-12)
    assert found[0]["W"][0, 0] == 0
    with pytest.raises(ValueError, match="xi is 0; expected a number above zero"):
        path_importance(run, network, xi=0)
    with pytest.raises(ValueError, match="run has no path integrals; expected one that was trained with"):
        path_importance(Run(network, generator(0)), network)
    with pytest.raises(ValueError, match=r"clip is .*; expected None with PathIntegral"):
        gathered(network, task, SGD(), clip=ClipByNorm(1.0))


def test_a_run_stopped_and_loaded_gathers_the_same_bits():
    network, task = problem(9)
    given = settings(objective=PathIntegral(), optimizer=Adam())
    run = Run(network.copy(), generator(1))
    next(train(run, {"t": task}, given))
    run = Run.from_tree(run.tree())
    list(train(run, {"t": task}, given))
    for here, there in zip(omega(run), omega(gathered(network, task, Adam())), strict=True):
        assert all((here[key] == w).all() for key, w in there.items())


def test_a_memory_with_its_head_pulls_at_that_head_where_it_trains_again():
    network, task = problem(11)
    about = remembered(network, task)
    method = Method("on", surgery=with_head) + starting_point("l2_sp_fisher", 3.0, convention="ewc")
    run, of = begin(method, about, task, generator(1), settings())
    (pull,) = [each for each in of.regularizers if each.scales is not None]
    anchor, scale = pull.reference(2, 2, "W")  # the head's
    assert (anchor == network.heads["t"]["W"]).all()
    assert (scale == about.memories["t"]["fisher"][2]["W"]).all()
    assert pull.applies(2, 2, "W", True)
    assert pull.applies(2, 2, "b", False)
    other = replace(task, name="u")
    _, of = begin(starting_point("l2_sp_fisher", 3.0), about, other, generator(1), settings())
    (pull,) = [each for each in of.regularizers if each.scales is not None]
    assert not pull.applies(2, 2, "W", True)  # another head than the one that is remembered
    assert run.network.memories["t"]["head"] == "t"


def test_memories_with_heads_merge_and_refuse_others():
    network, task = problem(13)
    F = fisher_information(network, "t", task.train, with_head=True)
    assert [{key: w.shape for key, w in p.items()} for p in F] == [
        {key: w.shape for key, w in p.items()} for p in weights(network)
    ]
    for trunk, whole in zip(fisher_information(network, "t", task.train), F[:2], strict=True):
        assert all((trunk[key] == whole[key]).all() for key in trunk)
    both = remember(remembered(network, task), "both", F, merge="t", decay=0.5, head="t")
    np.testing.assert_allclose(both.memories["both"]["fisher"][2]["W"], 1.5 * F[2]["W"])
    with pytest.raises(ValueError, match="head is None; expected 't', that of the memory 't'"):
        remember(remembered(network, task), "both", F[:2], merge="t")
    with pytest.raises(ValueError, match="expected what fisher_information returns for these 2 hidden layers and the"):
        remember(network, "t", F[:2], head="t")


def test_the_heads_information_is_the_mean_of_squared_slopes():
    network, task = problem(15, n=12)
    F = fisher_information(network, "t", task.train, "empirical", with_head=True)[2]
    expected = {key: np.zeros_like(w) for key, w in F.items()}
    for i in range(12):
        one = Split(task.train.inputs[i : i + 1], task.train.labels[i : i + 1])
        g = slope(network, replace(task, train=one))[2]
        for key, w in g.items():
            expected[key] += w * w / 12
    for key, w in F.items():
        np.testing.assert_allclose(w, expected[key], rtol=1e-9)


def test_batches_are_as_many_and_as_large_as_asked():
    rows = Batches(7, 4)(generator(0), 0, 10)  # two whole batches of a permutation of ten
    assert rows.shape == (28,)
    for at in range(0, 24, 8):
        assert len(set(rows[at : at + 8])) == 8
    assert Batches(3, 50)(generator(0), 0, 10).shape == (30,)
    network, task = problem(17)
    run = Run(network.copy(), generator(1))
    (record,) = train(run, {"t": task}, settings(max_epochs=1, batch_size=16, order=Batches(9, 16)))
    assert record["updates"] == 9
    with pytest.raises(ValueError, match="count is 0, size 4; expected at least 1"):
        Batches(0, 4)
