"""Optimizers move weights as PyTorch's and Keras's do, and gradients are clipped over everything that trains."""

import json
from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest
from record_optimizers import FILE, KERAS, START, STEPS, TORCH, gradient, keras_steps, rate, torch_steps
from test_training import blobs, network, same, states

import npnet
from npnet.adagrad import Adagrad
from npnet.arrays import generator, to_host
from npnet.clipping import ClipByNorm
from npnet.data import batch
from npnet.fused import Product
from npnet.hyperparameters import Hyperparameters
from npnet.layers import forward
from npnet.losses import cross_entropy
from npnet.objective import loss_at_head
from npnet.optimizers import SGD, Adam, AdamW, Momentum
from npnet.penalties import l1
from npnet.populations import train_population
from npnet.regularizers import Regularizer
from npnet.run import Run, TrainingJob
from npnet.step import Group, Move, Penalise, take_step
from npnet.training import train

OURS = {
    ("torch", "sgd"): SGD(),
    ("torch", "momentum"): Momentum(0.9),
    ("torch", "nesterov"): Momentum(0.9, nesterov=True),
    ("torch", "adam"): Adam(epsilon=1e-3),
    ("torch", "adamw"): AdamW(weight_decay=0.1),
    ("torch", "adagrad"): Adagrad(epsilon=1e-3),
    ("keras", "momentum"): Momentum(0.9, rate_inside=True),
    ("keras", "nesterov"): Momentum(0.9, nesterov=True, rate_inside=True),
    ("keras", "adam"): Adam(epsilon=1e-3, epsilon_hat=True),
    ("keras", "adamw"): AdamW(weight_decay=0.1, epsilon=1e-7, epsilon_hat=True),
    ("keras", "clipped"): Momentum(0.9, rate_inside=True),
}


def our_steps(optimizer, norm=None, factors=False):
    """Return each array after each of ten steps."""
    parameters = {key: np.array(w) for key, w in START.items()}
    group = Group("all", parameters, dict.fromkeys(parameters, 1.0), frozenset("W"), 0, 1)
    buffers, clip, seen = {}, ClipByNorm(norm) if norm else iter, []
    for t in range(STEPS):
        move = Move(optimizer, rate(t), buffers)
        gradients = {key: gradient(w) for key, w in parameters.items()}
        if factors:
            gradients["W"] = Product(np.eye(2), gradients["W"])
        for each, found in clip(iter([(group, gradients)])):
            move(each, found)
        seen.append([w.copy() for w in parameters.values()])
    return seen


def agree(mine, theirs, tolerance=1e-12):
    for here, there in zip(mine, theirs, strict=True):
        for w, v in zip(here, there, strict=True):
            np.testing.assert_allclose(w, np.array(v), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("peer", "name"), OURS)
@pytest.mark.parametrize("factors", [False, True])
def test_ten_steps_are_those_that_a_peer_made(peer, name, factors):
    recorded, (_, _, norm) = json.loads(FILE.read_text())[peer][name], {"torch": TORCH, "keras": KERAS}[peer][name]
    agree(our_steps(OURS[peer, name], norm, factors), recorded)


def test_every_option_shows_in_ten_steps():
    recorded = json.loads(FILE.read_text())
    wrong = [("torch", "momentum", Momentum(0.9, rate_inside=True)), ("torch", "nesterov", Momentum(0.9))]
    wrong += [("keras", "nesterov", Momentum(0.9, nesterov=True)), ("keras", "adam", Adam(epsilon=1e-3))]
    wrong += [("torch", "adamw", Adam()), ("torch", "adamw", AdamW(weight_decay=0.1 + 1e-4))]
    for peer, name, optimizer in wrong:
        with pytest.raises(AssertionError):
            agree(our_steps(optimizer), recorded[peer][name], 1e-6)


@pytest.mark.parametrize("name", TORCH)
def test_torch_makes_these_steps(name):
    pytest.importorskip("torch")
    of, options, norm = TORCH[name]
    agree(our_steps(OURS["torch", name], norm), torch_steps(of, options))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("name", KERAS)
def test_keras_makes_these_steps(name):
    if find_spec("keras") is None:  # it reads its settings when it is imported
        pytest.skip("keras is not installed")
    of, options, norm = KERAS[name]
    agree(our_steps(OURS["keras", name], norm), keras_steps(of, options), 1e-7 if norm else 1e-12)  # on PyTorch


def test_options_out_of_range_are_named():
    for bad, message in (
        (lambda: AdamW(weight_decay=-1), "weight_decay is -1"),
        (lambda: AdamW(beta1=1), "beta1, beta2, epsilon"),
        (lambda: ClipByNorm(0), "norm is 0"),
        (lambda: Hyperparameters(clip=1.0), r"clip is 1.0; expected what bounds gradients, as ClipByNorm\(1.0\)"),
        (lambda: Hyperparameters(rate=0), "rate is 0; expected a number above zero, or a schedule"),
    ):
        with pytest.raises(ValueError, match=message):
            bad()


def test_a_rate_may_be_a_number():
    assert Hyperparameters(rate=0.3).rate_at(7) == Hyperparameters(rate=npnet.constant(0.3)).rate_at(7) == 0.3


# Clipping -------------------------------------------------------------------------------------------------------------


def one_step(net, mask, norm, xp=np, regularizers=()):
    """Take a step of rate 1 on a copy and return by how far each array moved."""
    task, moved = blobs(xp=xp), net.copy()
    X, t = batch(task.train, slice(30), np.float64), task.train.labels[:30]
    objective = loss_at_head(moved, "a", cross_entropy, mask, lambda below: lambda rows: (forward(below, X)[0][-1], t))
    clip = ClipByNorm(norm) if norm else None
    take_step(objective, Penalise(regularizers), Move(SGD(), 1.0, {}), xp.arange(30), None, clip)
    pairs = zip([*net.trunk, net.heads["a"]], [*moved.trunk, moved.heads["a"]], strict=True)
    return [to_host(p[key] - q[key]) for p, q in pairs for key in p]


def length(arrays):
    return np.sqrt(sum((a * a).sum() for a in arrays))


@pytest.mark.parametrize("regularizers", [(), (Regularizer(l1, 0.1),)])
@pytest.mark.parametrize("mask", [(1.0, 1.0, 1.0), (0.0, 1.0, 1.0), ({"b": 1.0}, 0.0, 1.0)])
def test_the_gradients_of_everything_that_trains_share_one_bound(xp, mask, regularizers):
    net = network().to(xp)
    whole = one_step(net, mask, None, xp, regularizers)
    free = length(whole)
    for norm in (free / 3, free * 2):
        clipped = one_step(net, mask, norm, xp, regularizers)
        for mine, theirs in zip(clipped, whole, strict=True):
            np.testing.assert_allclose(mine, min(1, norm / free) * theirs, rtol=1e-9, atol=1e-12)
        assert all((a == 0).all() for a, b in zip(clipped, whole, strict=True) if not b.any())  # frozen to the bit


def test_a_frozen_weight_has_no_part_in_the_norm():
    net = network()
    share = np.ones_like(net.trunk[0]["W"])
    share[0] = 0
    moved = one_step(net, ({"W": share}, 0.0, 0.0), 1e-3)
    assert length(moved) == pytest.approx(1e-3, rel=1e-9)
    assert (moved[0][0] == 0).all()


def test_long_float32_gradients_do_not_overflow():
    w, g = np.zeros(4, np.float32), np.full(4, 1e30, np.float32)
    group = Group("w", {"w": w}, {"w": 1.0}, frozenset(), 0, 1)
    ((_, clipped),) = ClipByNorm(1.0)(iter([(group, {"w": g})]))
    np.testing.assert_allclose(clipped["w"], np.full(4, 0.5), rtol=1e-6)
    ((_, same_),) = ClipByNorm(1.0)(iter([(group, {"w": np.array([np.inf, 1], np.float32)})]))
    assert same_["w"].tolist() == [np.inf, 1]


@pytest.mark.parametrize("optimizer", [SGD(), Momentum(nesterov=True), AdamW()])
def test_clipped_replicates_train_as_alone_and_each_has_its_own_norm(optimizer):
    settings = Hyperparameters(optimizer=optimizer, rate=0.1, clip=ClipByNorm(0.05), max_epochs=3, patience=None)
    make = partial(Hyperparameters, optimizer=optimizer, rate=0.1, max_epochs=3, patience=None)
    alone, together = [], []
    for seed in (1, 2):
        alone.append(Run(network(seed), generator(seed)))
        together.append(TrainingJob(Run(network(seed), generator(seed)), {"a": blobs()}, settings))
        list(train(alone[-1], {"a": blobs()}, settings))
    list(train_population(together))
    for mine, theirs in zip(alone, together, strict=True):
        for p, q in zip(mine.network.trunk, theirs.run.network.trunk, strict=True):
            np.testing.assert_allclose(p["W"], q["W"], rtol=1e-9, atol=1e-12)
    free = Run(network(1), generator(1))
    list(train(free, {"a": blobs()}, make()))
    assert (free.network.trunk[0]["W"] != alone[0].network.trunk[0]["W"]).any()


def test_a_clipped_run_goes_on_to_the_same_bits(tmp_path):
    settings = Hyperparameters(
        optimizer=Momentum(nesterov=True, rate_inside=True),
        rate=npnet.cosine(0.1, 6),
        clip=ClipByNorm(0.1),
        max_epochs=4,
        patience=None,
    )
    whole, half = Run(network(), generator(1)), Run(network(), generator(1))
    list(train(whole, {"a": blobs()}, settings))
    epochs = train(half, {"a": blobs()}, settings)
    next(epochs), next(epochs)
    npnet.save_tree(tmp_path / "run.npz", half.tree())
    again = Run.from_tree(npnet.load_tree(tmp_path / "run.npz"))
    with pytest.raises(ValueError, match=r"clip\.norm is 0\.2; expected 0\.1"):
        list(train(again, {"a": blobs()}, Hyperparameters(**(settings.__dict__ | {"clip": ClipByNorm(0.2)}))))
    list(train(again, {"a": blobs()}, settings))
    assert same(states(again), states(whole))


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", [Momentum(0.9), Momentum(0.9, nesterov=True), Adam(), AdamW()], ids=str)
def test_what_decays_ends_at_zero_and_not_at_the_smallest_number(optimizer, dtype, compiled, monkeypatch):
    """Where a gradient is zero, as of a unit that is dead, rounding would keep a moment at a few of the smallest
    numbers for good; with these every operation takes twenty times as long.
    """
    if not compiled:
        monkeypatch.setattr("npnet.optimizers.compilable", lambda *arrays: False)
    w = np.ones((3, 4), dtype)
    for zeros in (np.zeros_like(w), Product(np.zeros((3, 2), dtype), np.zeros((2, 4), dtype))):
        buffers = optimizer.start(w)
        for name, buffer in buffers.items():
            if name != "t":
                buffer[...] = 4 * np.finfo(dtype).tiny * (-1 if name != "v" else 1)
        for _ in range(2000 if "v" in buffers else 40):
            optimizer.update(w, zeros, buffers, 0.01)
        assert all((buffer == 0).all() for name, buffer in buffers.items() if name != "t")
    moved = optimizer.start(w)
    optimizer.update(w, np.full_like(w, np.nan), moved, 0.01)
    assert not np.isfinite(w).any()  # what is no number is not taken for zero
