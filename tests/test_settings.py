"""A run's settings are part of it: it goes on with its own, however they were built, and is refused with others."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
from test_training import blobs, network, same, states

import npnet
from npnet.arrays import generator
from npnet.describe import describe, first_difference
from npnet.matching import Match, add_terms
from npnet.run import Run, TrainingJob
from npnet.trees import leaves, load_tree, save_tree

MINE = npnet.generator(0, "settings")
TARGETS = MINE.random((70, 8))
ANCHORS = [{key: MINE.random(w.shape) for key, w in p.items()} for p in network().trunk]


def weighted(Z, labels, factor=1.0):
    value, dZ = npnet.cross_entropy(Z, labels)
    return factor * value, factor * dZ


def top(history, depth):
    return (0.0,) * depth + (1.0,)


@dataclass(frozen=True)
class Halving:
    """An optimizer of one's own, with an option: a dataclass, for its options are compared."""

    factor: float
    proximal = False

    def start(self, w):
        return {}

    def update(self, w, dw, buffers, rate):
        w -= self.factor * rate * dw
        return True


def settings(**changes):
    """Return settings that use every field, made of new objects alone."""
    anchors = [{key: w.copy() for key, w in p.items()} for p in ANCHORS]
    scales = [{key: np.ones_like(w) for key, w in p.items()} for p in ANCHORS]
    made = npnet.Hyperparameters(
        batch_size=30,
        rate=npnet.step(0.1, 3, 0.5),
        optimizer=npnet.Momentum(0.8),
        loss={"a": partial(weighted, factor=0.5)},
        regularizers=(
            npnet.Regularizer(npnet.l2, 0.01, "trunk", anchors=anchors, scales=scales, inherited=2),
            npnet.Regularizer(npnet.l1, 0.001, "head"),
        ),
        max_norm=2.0,
        patience=3,
        max_epochs=4,
        keep="last",
        watch=("a",),
        policy=npnet.Discriminative(0.5, npnet.GradualByEpoch(1)),
        memory_budget=10**6,
        blas_threads=1,
        clip=npnet.ClipByNorm(1.0),
    )
    match = Match("match", "a", 1, npnet.squared_error, TARGETS.copy(), 0.1)
    return replace(add_terms(made, blobs(), [match]), **changes)


def begun(tmp_path, chosen):
    run = Run(network(dropout=(0.2, 0.3)), generator(1))
    next(npnet.train(run, {"a": blobs()}, chosen))
    save_tree(tmp_path / "run.npz", run.tree())
    return lambda: Run.from_tree(load_tree(tmp_path / "run.npz"))


@pytest.mark.parametrize("budget", [10**6, 0])
def test_with_equal_ones_that_were_built_again_it_goes_on_to_the_same_bits(tmp_path, budget):
    whole = Run(network(dropout=(0.2, 0.3)), generator(1))
    list(npnet.train(whole, {"a": blobs()}, settings()))
    assert len(whole.history) == 4
    again = begun(tmp_path, settings())()
    assert again.settings == describe(settings())
    list(npnet.train(again, {"a": blobs()}, settings(memory_budget=budget)))
    assert same(states(whole), states(again))


def regularizers(**changes):
    first, second = settings().regularizers
    return {"regularizers": (replace(first, **changes), second)}


def other_anchors(name="W", layer=1):
    anchors = [{key: w.copy() for key, w in p.items()} for p in ANCHORS]
    anchors[layer][name].flat[-1] += 1e-12
    return anchors


def terms(**changes):
    (match,) = settings().objective.terms
    return {"objective": replace(settings().objective, terms=(replace(match, **changes),))}


def other_targets():
    targets = TARGETS.copy()
    targets[3, 2] += 1e-12
    return targets


NOT_ONE_LOSS = {"objective", "loss"}  # what a population takes in no other form
OTHERS = {
    "batch_size": ({"batch_size": 20}, "batch_size is 20; expected 30"),
    "rate": ({"rate": npnet.step(0.2, 3, 0.5)}, "rate.rate is 0.2; expected 0.1"),
    "rate, later": ({"rate": npnet.step(0.1, 3, 0.25)}, "rate.factor is 0.25; expected 0.5"),
    "kind of rate": (
        {"rate": npnet.constant(0.1)},
        "rate is npnet.schedules.constant; expected npnet.schedules.step",
    ),
    "rate function": ({"rate": lambda epoch: 0.1}, "rate is test_settings.<lambda>; expected npnet.schedules.step"),
    "optimizer": ({"optimizer": npnet.SGD()}, "optimizer is npnet.optimizers.SGD; expected npnet.optimizers.Momentum"),
    "option of the optimizer": ({"optimizer": npnet.Momentum(0.9)}, "optimizer.momentum is 0.9; expected 0.8"),
    "clipping": ({"clip": None}, "clip is None; expected npnet.clipping.ClipByNorm"),
    "another clipping": ({"clip": npnet.ClipByNorm(0.5)}, "clip.norm is 0.5; expected 1.0"),
    "order": ({"order": npnet.orders.Shuffled(3)}, "order is npnet.orders.Shuffled; expected npnet.hyperparam"),
    "what falls": ({"by": "loss"}, "by is loss; expected error"),
    "least improvement": ({"min_delta": 0.5}, "min_delta is 0.5; expected 0"),
    "optimizer of one's own": (
        {"optimizer": Halving(0.5)},
        "optimizer is test_settings.Halving; expected npnet",
    ),
    "loss": ({"loss": npnet.cross_entropy}, "loss.a is not there; expected partial"),
    "option of the loss": ({"loss": {"a": partial(weighted, factor=0.25)}}, "loss.a.factor is 0.25; expected 0.5"),
    "no regularizers": ({"regularizers": ()}, "regularizers.0 is not there; expected npnet.regularizers.Regularizer"),
    "fewer regularizers": (
        {"regularizers": settings().regularizers[:1]},
        "regularizers.1 is not there; expected npnet.regularizers.Regularizer",
    ),
    "more regularizers": (
        {"regularizers": (*settings().regularizers, npnet.Regularizer(npnet.l2, 1.0))},
        "regularizers.2 is npnet.regularizers.Regularizer; expected not there",
    ),
    "strength": (regularizers(strength=0.02), "regularizers.0.strength is 0.02; expected 0.01"),
    "penalty": (regularizers(penalty=npnet.l1), "regularizers.0.penalty.name is l1; expected l2"),
    "where": (regularizers(where="all"), "regularizers.0.where is all; expected trunk"),
    "biases": (regularizers(biases=True), "regularizers.0.biases is True; expected False"),
    "anchor": (
        regularizers(anchors=other_anchors()),
        r"regularizers.0.anchors.1.W is array \(8, 7\)",
    ),
    "anchor of biases": (regularizers(anchors=other_anchors("b", 0)), r"regularizers.0.anchors.0.b is array \(8,\)"),
    "no anchors": (regularizers(anchors=None), r"regularizers.0.anchors.0.W is not there; expected array \(6, 8\)"),
    "dtype of the anchors": (
        regularizers(anchors=[{key: w.astype(np.float32) for key, w in p.items()} for p in ANCHORS]),
        "regularizers.0.anchors.0.W is array .* float32 .*; expected array .* float64",
    ),
    "scales": (regularizers(scales=ANCHORS), "regularizers.0.scales.0.W is array"),
    "inherited": (regularizers(inherited=1), "regularizers.0.inherited is 1; expected 2"),
    "blas_threads": ({"blas_threads": 2}, "blas_threads is 2; expected 1"),
    "max_norm": ({"max_norm": None}, "max_norm is None; expected 2.0"),
    "patience": ({"patience": 4}, "patience is 4; expected 3"),
    "patience_restarts": ({"patience_restarts": False}, "patience_restarts is False; expected True"),
    "max_epochs": ({"max_epochs": 9}, "max_epochs is 9; expected 4"),
    "keep": ({"keep": "best"}, "keep is best; expected last"),
    "together": ({"together": "mean"}, "together is mean; expected all"),
    "watch": ({"watch": ()}, "watch.0 is not there; expected a"),
    "policy": ({"policy": npnet.FineTuning()}, "policy is npnet.policies.FineTuning; expected .*Discriminative"),
    "policy that is a function": (
        {"policy": top},
        "policy is test_settings.top; expected npnet.methods",
    ),
    "policy within": (
        {"policy": npnet.Discriminative(0.5, npnet.GradualByEpoch(2))},
        "policy.policy.every is 2; expected 1",
    ),
    "objective": (
        {"objective": npnet.plain_loss},
        "objective is npnet.objective.plain_loss",
    ),
    "weight of a term": (terms(weight=0.2), "objective.terms.0.weight is 0.2; expected 0.1"),
    "targets": (terms(targets=other_targets()), r"objective.terms.0.targets is array \(70, 8\)"),
    "schedule": (
        {"objective": replace(settings().objective, schedule="sum")},
        "objective.schedule is sum",
    ),
    "weights": (
        {"objective": replace(settings().objective, weights={"a": 2.0})},
        "objective.weights.a is 2.0",
    ),
}


@pytest.mark.parametrize("other", OTHERS)
def test_with_other_ones_it_is_refused_by_the_name_of_the_field(tmp_path, other):
    changes, message = OTHERS[other]
    run = begun(tmp_path, settings())()
    before = states(run)
    with pytest.raises(ValueError, match=f"^{message}.*, with which this run began: resume it with its own"):
        next(npnet.train(run, {"a": blobs()}, settings(**changes)))
    assert same(before, states(run))


@pytest.mark.parametrize(
    "other", [each for each, (changes, _) in OTHERS.items() if {*changes}.isdisjoint(NOT_ONE_LOSS)]
)
def test_in_a_population_too(tmp_path, other):
    own = settings(objective=npnet.plain_loss, loss=weighted)
    changes, message = OTHERS[other]
    run, good = (begun(tmp_path, own)() for _ in range(2))
    before, job = states(run), TrainingJob(run, {"a": blobs()}, replace(own, **changes))
    with pytest.raises(ValueError, match=f"^{message}.*, with which this run began"):
        next(npnet.train_population([TrainingJob(good, {"a": blobs()}, own), job]))
    assert same(before, states(run))


def test_every_field_is_compared_but_the_memory_budget():
    fields = {name for name in npnet.Hyperparameters.__dataclass_fields__ if name != "memory_budget"}
    changed = {name for changes, _ in OTHERS.values() for name in changes}
    assert changed == fields
    assert first_difference(describe(settings()), describe(settings())) is None
    assert first_difference(describe(settings()), describe(settings(memory_budget=1))) is None


def test_before_its_first_epoch_a_run_takes_other_settings():
    def loss(Z, labels):
        raise KeyboardInterrupt

    run = Run(network(), generator(0))
    with pytest.raises(KeyboardInterrupt):
        next(npnet.train(run, {"a": blobs()}, npnet.Hyperparameters(loss=loss, policy=top)))
    chosen = npnet.Hyperparameters(max_epochs=1)
    assert [record["mask"] for record in npnet.train(run, {"a": blobs()}, chosen)] == [[1, 1, 1]]
    assert run.settings == describe(chosen)


def test_a_network_of_a_run_may_begin_another_run_with_other_settings():
    first = Run(network(), generator(0))
    list(npnet.train(first, {"a": blobs()}, npnet.Hyperparameters(max_epochs=1)))
    second = Run(first.network, generator(0))
    list(npnet.train(second, {"a": blobs()}, npnet.Hyperparameters(max_epochs=2)))
    assert len(second.history) == 2


def test_descriptions_are_plain_data_that_a_file_returns_unchanged(tmp_path):
    described = describe(settings())
    assert {type(leaf) for _, leaf in leaves(described)} <= {str, int, float, bool, type(None)}
    save_tree(tmp_path / "s.npz", described)
    assert first_difference(load_tree(tmp_path / "s.npz"), described) is None
    assert describe(np.float32(0.5)) == 0.5
    assert describe(Halving(0.5)) == {"": "test_settings.Halving", "factor": 0.5}
    assert describe(generator(0)).startswith("object of numpy")  # what a plain class holds is its own business
    assert describe(settings().loss["a"])["factor"] == 0.5


def test_descriptions_see_a_bit_a_shape_and_a_dtype_of_an_array():
    a = np.arange(6.0)
    others = [a.reshape(2, 3), a.astype(np.float32), a[::-1], a + np.eye(1, 6, 4)[0] * 1e-15, a.view(np.int64)]
    described = [describe(each) for each in (a, *others)]
    assert len({*described}) == len(described)
    assert describe(a.copy()) == described[0]
    assert describe(np.repeat(a, 2)[::2]) == described[0]  # another way to lie in memory


def test_descriptions_tell_functions_by_what_they_captured():
    def made(factor, offset=0.0):
        def loss(Z, labels):
            return loss if Z is None else weighted(Z, labels, factor + offset)

        return loss

    first = describe(made(0.5))
    assert first_difference(first, describe(made(0.5))) is None
    assert first_difference(first, describe(made(0.25)))[1:] == (0.5, 0.25)
    assert first_difference(describe(made(np.nan)), describe(made(np.nan))) is None
    assert first_difference(describe(made(np.nan)), first)[2] == 0.5


def test_differences_have_the_name_of_what_differs():
    base = {"a": [1, {"b": 2}], "c": [], "d": None}
    assert first_difference(base, base) is None
    for other, found in (
        ({**base, "c": [3]}, ("c.0", "not there", 3)),
        ({**base, "a": [1]}, ("a.1.b", 2, "not there")),
        ({**base, "a": [1, {"b": 3}]}, ("a.1.b", 2, 3)),
        ({**base, "d": 0}, ("d", None, 0)),
        ({**base, "e": 1}, ("e", "not there", 1)),
    ):
        assert first_difference(base, other) == found
