"""Settings, methods and runs go to the workers of a process pool, and mean there what they mean here."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

import npnet
from npnet import Hyperparameters, Run, Split, Task, begin, generator, mlp, train
from npnet.joint_tuning import selection
from npnet.methods.policies import Discriminative, EqualBudget, Freeze, GradualByEpoch, HeadOnly, TopLayers, WarmUp
from npnet.penalties import PENALTIES, smoothed
from npnet.tasks import Jittered
from npnet.trees import leaves

X, LABELS = np.random.default_rng(1).standard_normal((24, 9)).astype(np.float32), np.arange(24) % 3
SPLIT = Split(X, LABELS)
MOVING = Split(Jittered(X, 1), LABELS)  # whose targets are computed as they are read
TEACHER = mlp((9, 6), {"new": 3}, generator(5))

OF_TEACHER = {
    name: lambda make=make, options=options: make(TEACHER, **options)
    for name, make, options in [
        ("distillation", npnet.distillation, {}),
        ("activation matching", npnet.activation_matching, {}),
        ("activation matching with regressor", npnet.activation_matching, {"regressor": True}),
        ("attention transfer", npnet.attention_transfer, {}),
        ("attention transfer at the input", npnet.attention_transfer, {"kind": "input"}),
        ("Jacobian matching", npnet.jacobian_matching, {}),
        ("Jacobian matching of labels", npnet.jacobian_matching, {"of": "label"}),
        ("Jacobian matching of all", npnet.jacobian_matching, {"of": "all"}),
    ]
}
METHODS = {
    "fine": lambda: npnet.fine_tuning,
    "gradual": lambda: npnet.gradual_tuning,
    "probe": npnet.probe,
    "probe 1": lambda: npnet.probe(1),
    "progressive": npnet.progressive,
    "progressive, adapters": lambda: npnet.progressive("adapter", (4,)),
    "modular": npnet.modular,
    "wider": lambda: npnet.growing(wider=2, trained=0),
    "wider and deeper": lambda: npnet.growing(wider=2, deeper=3, noise=0.1),
    "l2_sp": lambda: npnet.starting_point("l2_sp", 0.1, 0.1),
    "gl_sp, smoothed": lambda: npnet.starting_point("gl_sp", 0.1, smoothing=0.1),
    "l2_sp_fisher, ewc": lambda: npnet.starting_point("l2_sp_fisher", 0.1, convention="ewc"),
    "without forgetting": npnet.without_forgetting,
    "without forgetting, warmed up": lambda: npnet.without_forgetting(warm_up=1, policy=npnet.gradual_tuning.policy),
    "a sum": lambda: npnet.gradual_tuning + npnet.starting_point("l2_sp", 0.01) + npnet.without_forgetting(),
    **OF_TEACHER,
}


def sent(thing):
    return pickle.loads(pickle.dumps(thing))


def trained(method, split, send=lambda thing: thing):
    """Train with a method, everything sent on the way, and return all numbers of the run."""
    network = mlp((9, 6), {"old": 2}, generator(0))
    network = npnet.remember(network, "old", npnet.fisher_information(network, "old", Split(X, LABELS % 2)))
    task = Task("new", 3, split, SPLIT, SPLIT)
    run, settings = begin(send(method), network, task, generator(1), Hyperparameters(max_epochs=2, patience=None))
    run, task, settings = send((run, task, settings))
    list(train(run, {"new": task}, settings))
    return dict(leaves(run.tree()))


@pytest.mark.parametrize("split", [SPLIT, MOVING], ids=["kept", "moving"])
@pytest.mark.parametrize("name", METHODS)
def test_a_method_and_what_it_begins_train_alike_there(name, split):
    here, there = trained(METHODS[name](), split), trained(METHODS[name](), split, sent)
    assert here.keys() == there.keys()
    for place, value in here.items():
        assert np.array_equal(value, there[place]), place


SETTINGS = {
    "rates": [npnet.constant(0.1), npnet.step(0.1, 2), npnet.cosine(0.1, 5)],
    "optimizers": [npnet.SGD(), npnet.ProximalSGD(), npnet.Momentum(), npnet.Adam()],
    "policies": [
        *(Discriminative(), EqualBudget(2), Freeze(1), GradualByEpoch(), HeadOnly(), TopLayers(1), WarmUp(1)),
        *(npnet.FineTuning(), npnet.GradualTuning()),
    ],
    "losses": [npnet.cross_entropy, npnet.squared_error, npnet.soft_cross_entropy],
    "objectives": [npnet.plain_loss, npnet.Terms(())],
    "layers": [
        npnet.relu,
        npnet.tanh,
        npnet.sigmoid,
        npnet.identity,
        npnet.Dropout(0.5),
        npnet.Shared(2),
        npnet.linear,
    ],
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_settings_are_equal_there(kind):
    for one in SETTINGS[kind]:
        assert sent(one) == one


@pytest.mark.parametrize("name", ["l1", "l2", "group_lasso", "smooth l1", "smooth group lasso"])
def test_penalties_are_the_same_functions_there(name):
    penalty = smoothed(PENALTIES[name[7:].replace(" ", "_")], 0.1) if "smooth" in name else PENALTIES[name]
    one, two = penalty(X), sent(penalty)(X)
    assert one[0] == two[0]
    assert np.array_equal(one[1], two[1])
    settings = Hyperparameters(regularizers=(npnet.Regularizer(penalty, 0.1),))
    dw = np.zeros_like(X), np.zeros_like(X)
    assert penalty.add(dw[0], 0.1, X) == sent(settings).regularizers[0].penalty.add(dw[1], 0.1, X)
    assert np.array_equal(*dw)


def test_networks_are_the_same_there():
    network = mlp((9, 6), {"a": 3}, generator(0), activation="tanh", dropout=(0.3,), patches=3)
    grown = begin(
        npnet.progressive(), mlp((9, 6), {"a": 3}, generator(0)), Task("b", 3, SPLIT, SPLIT, SPLIT), generator(1)
    )
    for one in (network, replace(network, activation=npnet.sigmoid), grown[0].network):
        assert np.array_equal(sent(one).logits(X, "a"), one.logits(X, "a"))
    assert isinstance(sent(Run(network, generator(0))), Run)


def test_chains_and_descriptors_of_images_are_the_same_functions_there():
    p = [{"W": X[:9, :4], "b": X[0, :4]}, {}]
    layer = npnet.chain(npnet.linear, npnet.tanh)
    (Y, back), (there, back_there) = layer(p, X), sent(layer)(p, X)
    assert there.tobytes() == Y.tobytes()
    assert back_there(Y)[0].tobytes() == back(Y)[0].tobytes()
    bank = selection.gabor_bank(3)
    for descriptor in (selection.gabor_histograms(SPLIT, 3, bank=bank), selection.activations(TEACHER)):
        assert sent(descriptor)(X).tobytes() == descriptor(X).tobytes()
