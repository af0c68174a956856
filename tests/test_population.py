"""Populations: every replicate goes where it would go alone, to the same bits in whatever company."""

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_training import OPTIMIZERS, blobs, network, same, states, walked

from npnet.arrays import generator
from npnet.data import Split, Task
from npnet.hyperparameters import Hyperparameters
from npnet.losses import squared_error
from npnet.methods import (
    Discriminative,
    Freeze,
    GradualByEpoch,
    GradualTuning,
    HeadOnly,
    begin,
    fine_tuning,
    gradual_tuning,
)
from npnet.optimizers import SGD, Adam, Momentum, ProximalSGD
from npnet.penalties import group_lasso, l1, l2
from npnet.perceptron import mlp
from npnet.policies import FineTuning
from npnet.populations import train_population
from npnet.regularizers import Regularizer
from npnet.run import Run, TrainingJob
from npnet.schedules import constant, step
from npnet.starting_point import starting_point
from npnet.tasks import Jittered
from npnet.training import train
from npnet.trees import load_tree, save_tree

POLICIES = [FineTuning(), GradualTuning(2.0), GradualByEpoch(2), Freeze(1), HeadOnly(), Discriminative(0.5)]
REGULARIZERS = [
    (),
    (Regularizer(l1, 0.01),),
    (Regularizer(l1, 0.02),),
    (Regularizer(group_lasso, 0.01, biases=True), Regularizer(l2, 0.1, "head", biases=True)),
]


def replicate(seed, policy, optimizer, regularizers, dropout, patience, rate, xp=np, dtype=np.float64):
    """Return one of a population: its own start, order of batches, and way of training."""
    task = blobs(xp=xp)
    chosen = Hyperparameters(
        optimizer=optimizer,
        policy=policy,
        regularizers=regularizers,
        rate=constant(rate),
        max_epochs=8,
        patience=patience,
        keep=("best", "last")[seed % 2],
    )
    run = Run(network(seed, dropout, dtype).to(xp), generator(seed, "run"))
    return TrainingJob(run, {"a": task}, chosen, {"test": ("a", task.test)})


def replicates(**fixed):
    ways = st.fixed_dictionaries(
        {
            "seed": st.integers(0, 99),
            "policy": st.sampled_from(POLICIES),
            "optimizer": st.sampled_from(OPTIMIZERS),
            "regularizers": st.sampled_from(REGULARIZERS),
            "dropout": st.sampled_from([(), (0.3, 0.5), (0.0, 0.4)]),
            "patience": st.sampled_from([1, 2, None]),
            "rate": st.sampled_from([0.05, 0.3]),
        }
        | {name: st.just(value) for name, value in fixed.items()}
    )
    return st.lists(ways, min_size=1, max_size=6)


def close(run, other):
    """Compare what two runs have come to, within rounding; their histories are compared elsewhere."""
    mine, theirs = states(run), states(other)
    assert mine.keys() == theirs.keys()
    for path, a in mine.items():
        if isinstance(a, np.ndarray):
            np.testing.assert_allclose(a, theirs[path], rtol=1e-7, atol=1e-10, err_msg=path)
        elif not path.startswith("history"):
            assert a == theirs[path], path


def finish(population):
    for _ in train_population(population):
        pass
    return [states(each.run) for each in population]


@given(
    st.one_of(replicates(), replicates(optimizer=SGD(), dropout=()), replicates(optimizer=Adam(), dropout=(0.3, 0.5)))
)
def test_each_ends_where_it_would_have_ended_alone(ways):
    population = [replicate(**way) for way in ways]
    finish(population)
    for way, together in zip(ways, population, strict=True):
        alone = replicate(**way)
        records = list(train(alone.run, alone.tasks, alone.settings, alone.evaluations))
        assert len(together.run.history) == len(records)
        for mine, other in zip(together.run.history, records, strict=True):
            assert mine["objective"] == pytest.approx(other["objective"], rel=1e-10)
            assert {**mine, "objective": 0} == {**other, "objective": 0}
        assert together.run.finished
        close(together.run, alone.run)


@given(replicates(), st.randoms(use_true_random=False), st.sampled_from([np.float64, np.float32]))
def test_company_changes_no_bit(ways, random, dtype):
    chosen = random.sample(ways, random.randint(1, len(ways)))
    together = finish([replicate(**way, dtype=dtype) for way in ways])
    for way, there in zip(chosen, finish([replicate(**way, dtype=dtype) for way in chosen]), strict=True):
        assert same(there, together[ways.index(way)])


@given(replicates())
def test_large_networks_take_turns_and_have_the_bits_of_each_alone(ways):
    with patch("npnet.populations.population._CACHE", 0):
        together = finish([replicate(**way) for way in ways])
    for way, there in zip(ways, together, strict=True):
        alone = replicate(**way)
        list(train(alone.run, alone.tasks, alone.settings, alone.evaluations))
        assert same(states(alone.run), there)


def test_frozen_layers_of_another_activation_are_not_shared():
    def both():
        settings = Hyperparameters(policy=HeadOnly(), max_epochs=3, patience=None)
        networks = [replace(network(), activation=activation) for activation in ("relu", "tanh")]
        return [TrainingJob(Run(each, generator(1)), {"a": blobs()}, settings) for each in networks]

    for there, here in zip(finish(both()), (finish([each])[0] for each in both()), strict=True):
        assert same(there, here)


def test_a_run_is_in_a_population_once():
    one = TrainingJob(Run(network(), generator(0)), {"a": blobs()})
    with pytest.raises(ValueError, match="jobs are 2, some of them of the same run"):
        next(train_population([one, replace(one)]))


@settings(max_examples=20)
@given(replicates(), st.integers(1, 5))
def test_saved_after_any_epoch_each_goes_on_to_the_same_bits(tmp_path, ways, cut):
    whole = finish([replicate(**way) for way in ways])
    stopped = [replicate(**way) for way in ways]
    for _, _ in zip(range(cut), train_population(stopped), strict=False):
        pass
    for i, each in enumerate(stopped):
        save_tree(tmp_path / f"{i}.npz", each.run.tree())
    resumed = [replicate(**way) for way in ways]
    for i, each in enumerate(resumed):
        each.run = Run.from_tree(load_tree(tmp_path / f"{i}.npz"))
    for there, here in zip(whole, finish(resumed), strict=True):
        assert same(there, here)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_on_a_device_as_on_the_host(xp, optimizer):
    ways = [
        {"policy": GradualTuning(2.0), "regularizers": REGULARIZERS[1], "rate": 0.3},
        {"policy": FineTuning(), "regularizers": REGULARIZERS[3], "rate": 0.05},
        {"policy": FineTuning(), "regularizers": (), "rate": 0.3},
    ]
    common = {"optimizer": optimizer, "dropout": (0.3, 0.0), "patience": None}
    there, here = (
        [replicate(seed, **way, **common, xp=module) for seed, way in enumerate(ways)] for module in (xp, np)
    )
    finish(there)
    finish(here)
    for a, b in zip(there, here, strict=True):
        for mine, other in zip(a.run.history, b.run.history, strict=True):
            assert mine["mask"] == other["mask"]
            assert mine["error"] == other["error"]
            assert mine["objective"] == pytest.approx(other["objective"], rel=1e-9)
        close(a.run, b.run)


def test_tasks_starts_and_strengths_may_differ():
    """One stack of runs from one source network to three targets, under the starting-point penalties."""
    source = network()
    population, alone = [], []
    for seed in range(6):
        task = replace(blobs(seed=seed), name="b")
        method = starting_point(("l2_sp", "l1_sp")[seed % 2], 0.01 * (1 + seed // 2), 0.1)
        chosen = Hyperparameters(optimizer=ProximalSGD(), max_epochs=4, patience=None, rate=step(0.2, 2))
        for runs in (population, alone):
            run, of = begin(method, source, task, generator(seed, "target"), chosen)
            runs.append(TrainingJob(run, {"b": task}, of))
    finish(population)
    for together, each in zip(population, alone, strict=True):
        list(train(each.run, each.tasks, each.settings))
        close(together.run, each.run)


def jittered(seed=0):
    """Return a task whose images are shifted by what the rows are that are read together."""
    draw = generator(seed, "images")
    X, labels = draw.integers(0, 256, (100, 36)).astype(np.uint8), draw.integers(0, 3, 100)
    return Task(
        "a",
        3,
        Split(Jittered(X[:60], pixels=2, seed=seed), labels[:60]),
        Split(X[60:80], labels[60:80]),
        Split(X[80:], labels[80:]),
    )


@pytest.mark.parametrize("policy", [FineTuning(), HeadOnly(), GradualByEpoch(1)])
@pytest.mark.parametrize("dropout", [(), (0.2, 0.3)])
def test_jittered_inputs_are_those_of_the_run_alone(policy, dropout):
    """Shifts follow from the rows that are read at once: runs that share a split must not read it at once."""
    task, other = jittered(), jittered(1)

    def jobs(tasks=(task, task, other, task)):
        settings = Hyperparameters(policy=policy, max_epochs=3, patience=None, rate=constant(0.1), keep="last")
        for i, of in enumerate(tasks):
            start = mlp((36, 8, 7), {"a": 3}, generator(i // 2), dropout=dropout, dtype=np.float64)
            evaluations = {"train": ("a", of.train), "test": ("a", of.test)}
            yield TrainingJob(Run(start, generator(0, i // 2)), {"a": of}, settings, evaluations)

    population = list(jobs())
    ends = finish(population)
    assert same(ends[0], ends[1])  # one start, one order of batches, one task: one run
    assert ends[2]["history/0/objective"] != ends[3]["history/0/objective"]
    for company in ([0], [1, 3], [2, 0], [3], [0, 1, 2]):
        chosen = [job for i, job in enumerate(jobs()) if i in company]
        for i, there in zip(sorted(company), finish(chosen), strict=True):
            assert same(there, ends[i])
    for mine, alone in zip(population, jobs(), strict=True):
        records = list(train(alone.run, alone.tasks, alone.settings, alone.evaluations))
        for together, by_itself in zip(mine.run.history, records, strict=True):
            assert together["objective"] == pytest.approx(by_itself["objective"], rel=1e-12)
            assert together["evaluations"] == by_itself["evaluations"]
        close(mine.run, alone.run)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_records_of_several_tasks_are_the_same_in_every_company_to_the_bit(optimizer):
    shared = blobs("c", sizes=(33, 20, 20))

    def jobs():
        for seed in range(5):
            tasks = {"a": blobs(sizes=(50, 20, 20)), "b": blobs("b", seed % 2, sizes=(70, 30, 30)), "c": shared}
            run = Run(network(seed, (0.2, 0.3), heads=("a", "b", "c")), generator(seed, "company"))
            penalties = (Regularizer(l2, (0.0, 0.1, 0.2)[seed % 3]),)
            chosen = Hyperparameters(
                optimizer=optimizer,
                regularizers=penalties,
                policy=(FineTuning(), GradualByEpoch(1))[seed % 2],
                rate=constant(0.1),
                max_epochs=4,
                patience=None,
            )
            yield TrainingJob(run, tasks, chosen)

    population = list(jobs())
    ends = finish(population)
    for company in ([0], [1], [0, 2], [4, 1, 3], [2, 3, 4]):
        some = [job for i, job in enumerate(jobs()) if i in company]
        for i, there, job in zip(sorted(company), finish(some), some, strict=True):
            assert [r["objective"].hex() for r in job.run.history] == [
                r["objective"].hex() for r in population[i].run.history
            ]
            assert same(there, ends[i])
    for mine, alone in zip(population, jobs(), strict=True):
        for together, record in zip(mine.run.history, train(alone.run, alone.tasks, alone.settings), strict=True):
            assert together["objective"] == pytest.approx(record["objective"], rel=1e-12)
            assert {**together, "objective": 0} == {**record, "objective": 0}


@pytest.mark.parametrize("together", ["all", "mean"])
def test_several_tasks_alternate(together):
    def members():
        for seed in range(3):
            tasks = {"a": blobs(sizes=(50 + seed // 2, 20, 20)), "b": blobs("b", sizes=(70, 30, 30))}
            run = Run(network(seed, heads=("a", "b", "kept")), generator(seed, "several"))
            yield TrainingJob(
                run, tasks, Hyperparameters(rate=constant(0.2), max_epochs=6, patience=2, together=together)
            )

    population = list(members())
    finish(population)
    for mine, other in zip(population, members(), strict=True):
        assert [{**record, "objective": 0} for record in mine.run.history] == [
            {**record, "objective": 0} for record in train(other.run, other.tasks, other.settings)
        ]


def test_regressions_train_together():
    def members():
        for seed in range(3):
            draw = generator(seed, "lines")
            X, t = draw.random((60, 6)), draw.random((60, 3))
            task = Task("a", 3, *(Split(X[rows], t[rows]) for rows in (slice(30), slice(30, 45), slice(45, None))))
            chosen = Hyperparameters(loss=squared_error, rate=constant(0.1), max_epochs=4)
            yield TrainingJob(Run(network(seed), generator(seed)), {"a": task}, chosen)

    population = list(members())
    finish(population)
    for mine, other in zip(population, members(), strict=True):
        errors = [record["error"] for record in train(other.run, other.tasks, other.settings)]
        assert [record["error"] for record in mine.run.history] == pytest.approx(errors, rel=1e-12)


def test_one_that_diverges_stops_by_itself_and_says_where():
    ways = [
        {"seed": seed, "policy": FineTuning(), "optimizer": SGD(), "regularizers": (), "dropout": (), "patience": None}
        for seed in range(3)
    ]
    rates = (0.1, 1e200, 0.1)
    population = [replicate(**way, rate=rate) for way, rate in zip(ways, rates, strict=True)]
    population[1].start()
    before = states(population[1].run)
    finish(population)
    assert "not finite at epoch 1, step 2, in hidden layer 2" in str(population[1].failure)
    assert same(before, states(population[1].run))
    others = [replicate(**way, rate=0.1) for way in ways[::2]]
    for mine, other in zip(population[::2], finish(others), strict=True):
        assert mine.failure is None
        assert same(states(mine.run), other)


def test_an_interrupted_epoch_leaves_every_run_as_it_was(monkeypatch):
    population = [replicate(seed, FineTuning(), Momentum(), (), (0.3, 0.3), None, 0.1) for seed in range(3)]
    epochs = train_population(population)
    next(epochs)
    before = [states(each.run) for each in population]
    from npnet.populations import population as module

    calls = []

    def interrupt(*args):
        calls.append(args)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return measure(*args)

    measure = module.measure
    monkeypatch.setattr(module, "measure", interrupt)
    with pytest.raises(KeyboardInterrupt):
        next(epochs)
    for each, there in zip(population, before, strict=True):
        assert same(there, states(each.run))


def test_one_product_serves_all_that_agree(monkeypatch):
    """Fine and Gradual Tuning of one network: the frozen layers' work is done once, and equal masks share a stack."""
    shapes = walked(monkeypatch)
    source, task = network(), replace(blobs(sizes=(40, 20, 20)), name="b")
    population = []
    for seed in range(4):
        method = (fine_tuning, gradual_tuning)[seed % 2]
        run, chosen = begin(method, source, task, generator(seed), Hyperparameters(max_epochs=1, batch_size=20))
        population.append(TrainingJob(run, {"b": task}, chosen))
    finish(population)
    assert shapes.count((2, 7, 3)) == 4  # two stacks of two heads, two batches each
    assert shapes.count((2, 6, 8)) == 2  # the lowest layer of those that tune everything
    assert shapes.count((6, 8)) == 2 + 2  # the frozen one on two whole splits; the two that tune it, on validation


def test_arrays_of_two_modules_are_refused(xp):
    if xp is np:
        pytest.skip("needs a second array module")
    common = (FineTuning(), SGD(), (), (), None, 0.1)
    with pytest.raises(TypeError, match="expected numpy arrays alone or device arrays alone"):
        next(train_population([replicate(0, *common), replicate(1, *common, xp=xp)]))


def test_each_replicate_has_its_own_max_norm():
    def begun():
        made = [replicate(seed, FineTuning(), SGD(), (), (), None, 0.3) for seed in (0, 1, 2)]
        bounds = (None, 0.5, 0.7)
        return [
            replace(each, settings=replace(each.settings, max_norm=bound, keep="last"))
            for each, bound in zip(made, bounds, strict=True)
        ]

    together = begun()
    list(train_population(together))
    lengths = []
    for each, alone in zip(together, begun(), strict=True):
        list(train(alone.run, alone.tasks, alone.settings, alone.evaluations))
        lengths.append(max(np.linalg.norm(p["W"], axis=0).max() for p in each.run.network.trunk))
        for mine, its in zip(each.run.network.trunk, alone.run.network.trunk, strict=True):
            np.testing.assert_allclose(mine["W"], its["W"], rtol=1e-10, atol=1e-12)
    assert lengths[0] > 0.7
    assert lengths[1:] == pytest.approx([0.5, 0.7])
