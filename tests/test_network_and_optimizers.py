"""Networks as data, their initialisations, and optimizers against their published formulae."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npnet.arrays import array_module, generator, to_device, to_host
from npnet.data import Split, Task
from npnet.error import error
from npnet.hyperparameters import Hyperparameters
from npnet.initialisers import glorot, he, normal, uniform_fan_in
from npnet.layers import Dropout, forward
from npnet.network import Network
from npnet.objective import cut
from npnet.optimizers import SGD, Adam, Momentum, ProximalSGD, bound_norms
from npnet.perceptron import mlp
from npnet.run import Run
from npnet.schedules import constant, cosine, step
from npnet.smooth import tanh
from npnet.training import train
from npnet.trees import leaves


def test_initialisations_have_the_spread_they_say():
    rng = generator(0)
    for p, limit, bias in (
        (glorot(rng, 400, 200), math.sqrt(6 / 600), 0),
        (uniform_fan_in(rng, 400, 200), 1 / 20, 1 / 20),
    ):
        assert abs(p["W"]).max() <= limit
        assert p["W"].std() == pytest.approx(limit / math.sqrt(3), rel=0.01)
        assert abs(p["b"]).max() <= bias
        assert (abs(p["b"]).max() > 0) == (bias > 0)
    for p, deviation in ((he(rng, 400, 200), math.sqrt(2 / 400)), (normal(rng, 400, 200), 0.01)):
        assert p["W"].std() == pytest.approx(deviation, rel=0.01)
        assert abs(p["W"].mean()) < 4 * deviation / math.sqrt(80000)
        assert not p["b"].any()


def test_a_network_is_the_function_it_says(xp):
    network = mlp((4, 5, 3), {"a": 2, "b": 6}, generator(1), dropout=(0.5, 0.5), dtype=np.float64)
    X = generator(2).standard_normal((7, 4))
    H = X
    for p in network.trunk:
        H = np.maximum(H @ p["W"] + p["b"], 0)
    for head, p in network.heads.items():
        there = network.to(xp).logits(xp.asarray(X), head)
        assert array_module(there) is xp
        np.testing.assert_allclose(to_host(there), H @ p["W"] + p["b"], rtol=1e-13)


def test_every_precision_starts_from_the_same_network():
    single, double = (mlp((4, 5), {"a": 2}, generator(1), dtype=dtype) for dtype in (np.float32, np.float64))
    for (_, a), (_, b) in zip(leaves(single.tree()), leaves(double.tree()), strict=True):
        assert np.array_equal(a, b.astype(np.float32)) if isinstance(b, np.ndarray) else a == b


def test_surgery_copy_save_and_load(tmp_path, xp):
    network = mlp((4, 5, 3), {"a": 2}, generator(1), activation="tanh", dropout=(0.0, 0.5)).to(xp)
    more = network.add_head("b", 4, generator(2))
    assert list(network.heads) == ["a"]
    assert list(more.heads) == ["a", "b"]
    assert more.trunk is network.trunk
    assert array_module(more.heads["b"]["W"]) is xp
    assert more.heads["b"]["W"].dtype == np.float32
    copy = more.copy()
    copy.trunk[0]["W"][...] = 0
    assert to_host(more.trunk[0]["W"]).any()
    more.save(tmp_path / "n.npz")
    loaded = Network.load(tmp_path / "n.npz")
    assert loaded.activation is tanh
    assert loaded.dropout == (0.0, 0.5)
    for (path, a), (_, b) in zip(leaves(to_host(more.tree())), leaves(loaded.tree()), strict=True):
        assert np.array_equal(a, b), path


def test_the_deterministic_part_ends_at_the_first_dropout():
    for rates, layers in (((), 6), ((0.0, 0.0, 0.0), 6), ((0.2, 0.5, 0.5), 2), ((0.0, 0.5, 0.5), 4)):
        network = mlp((4, 5, 5, 5), {"a": 2}, generator(1), dropout=rates)
        assert cut(network.path(training=True), {})[0] == layers
        assert cut(network.path(), {})[0] == 6


def test_training_has_dropout_and_inference_has_none():
    network = mlp((4, 60, 50), {"a": 2}, generator(1), dropout=(0.5, 0.2), dtype=np.float64)
    without = mlp((4, 60, 50), {"a": 2}, generator(1), dtype=np.float64)
    X, t = abs(generator(2).standard_normal((9, 4))), np.zeros(9, int)
    assert np.array_equal(network.logits(X, "a"), without.logits(X, "a"))
    assert all(map(np.array_equal, network.hidden_outputs(X), without.hidden_outputs(X)))
    split = Split(X, t)
    assert error(network, "a", split) == error(without, "a", split)
    assert [layer for layer, _ in network.path("a")] == [layer for layer, _ in without.path("a", training=True)]
    links = [layer for layer, _ in network.path("a", training=True)]
    assert [(i, layer.rate) for i, layer in enumerate(links) if isinstance(layer, Dropout)] == [(2, 0.5), (5, 0.2)]
    outputs, _ = forward(network.path("a", training=True), X, generator(3))
    for above, below, rate in ((3, 2, 0.5), (6, 5, 0.2)):
        alive = outputs[below] != 0
        assert abs((outputs[above][alive] == 0).mean() - rate) < 0.15
    with pytest.raises(ValueError, match="rng is None; expected a generator to draw dropout from"):
        forward(network.path("a", training=True), X)

    def one_epoch(of, seed):
        run = Run(of.copy(), generator(seed))
        return next(train(run, {"a": Task("a", 2, split, split, split)}, Hyperparameters(max_epochs=1)))["objective"]

    assert one_epoch(network, 0) != one_epoch(without, 0)
    assert one_epoch(network, 0) == one_epoch(network, 0) != one_epoch(network, 1)


def test_what_does_not_fit_a_network_is_named(tmp_path):
    network = mlp((4, 5), {"a": 2}, generator(1))
    with pytest.raises(ValueError, match="head 'a' exists already"):
        network.add_head("a", 2, generator(1))
    with pytest.raises(ValueError, match="head is 'z'; expected one of 'a'"):
        network.logits(np.ones((1, 4), np.float32), "z")
    with pytest.raises(ValueError, match="activation is 'swish'"):
        mlp((4, 5), {}, generator(1), activation="swish")
    with pytest.raises(ValueError, match=r"dropout is \(0\.5, 0\.5\); expected 1 entries"):
        mlp((4, 5), {}, generator(1), dropout=(0.5, 0.5))
    with pytest.raises(ValueError, match=r"dropout is \(1\.5,\)"):
        mlp((4, 5), {}, generator(1), dropout=(1.5,))
    for widths, heads in (((), {}), ((4, 0), {}), ((4, 5), {"a": 0}), ((4, 5.5), {})):
        with pytest.raises(ValueError, match="widths is"):
            mlp(widths, heads, generator(1))
    with pytest.raises(ValueError, match=r"heads is \['a'\]; expected a dict \{a string: a whole number\}"):
        mlp((4, 5), ["a"], generator(1))
    with pytest.raises(ValueError, match="rng is 1; expected a generator"):
        mlp((4, 5), {}, 1)
    with pytest.raises(ValueError, match="classes is 0; expected at least one output for head 'b'"):
        network.add_head("b", 0, generator(1))
    with pytest.raises(ValueError, match="dtype is int; expected one of floats"):
        mlp((4, 5), {}, generator(1), dtype=int)
    for read in (network.hidden_outputs, lambda X: network.logits(X, "a")):
        with pytest.raises(ValueError, match="X has dtype uint8; expected floats, as npnet"):
            read(np.ones((1, 4), np.uint8))
    with pytest.raises(ValueError, match="trunk has layers"):
        Network([glorot(generator(0), 4, 5), glorot(generator(0), 6, 5)])
    np.savez(tmp_path / "x.npz", a=np.ones(2))
    with pytest.raises(ValueError, match="not a whole saved tree"):
        Network.load(tmp_path / "x.npz")
    with pytest.raises(ValueError, match="tree has no network"):
        Network.from_tree({"trunk": []})


@given(st.integers(0, 2**32), st.integers(1, 6))
def test_optimizers_follow_their_formulae(seed, updates):
    rng = generator(seed)
    start, gradients = rng.standard_normal((3, 2)), rng.standard_normal((updates, 3, 2))
    moved = {}
    for name, optimizer in {"sgd": SGD(), "proximal": ProximalSGD(), "momentum": Momentum(0.8), "adam": Adam()}.items():
        w = start.copy()
        buffers = optimizer.start(w)
        for dw in gradients:
            assert optimizer.update(w, dw, buffers, 0.1)
        moved[name] = w
    np.testing.assert_allclose(moved["sgd"], start - 0.1 * gradients.sum(0), atol=1e-13)
    np.testing.assert_array_equal(moved["proximal"], moved["sgd"])
    v, w = 0, start.copy()
    for dw in gradients:
        v = 0.8 * v + dw
        w = w - 0.1 * v
    np.testing.assert_allclose(moved["momentum"], w, atol=1e-13)
    m = s = 0
    w = start.copy()
    for t, dw in enumerate(gradients, 1):
        m, s = 0.9 * m + 0.1 * dw, 0.999 * s + 0.001 * dw**2
        w = w - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(moved["adam"], w, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("optimizer", [SGD(), ProximalSGD(), Momentum(), Adam()])
def test_optimizers_move_device_arrays_as_they_move_host_arrays(xp, optimizer, rng):
    w, gradients = rng.standard_normal((4, 3)), rng.standard_normal((3, 4, 3))
    there, here = xp.asarray(w), w.copy()
    mine, theirs = optimizer.start(here), optimizer.start(there)
    for dw in gradients:
        kept = dw.copy()
        optimizer.update(here, dw, mine, 0.1)
        assert np.array_equal(dw, kept)
        optimizer.update(there, to_device(dw, xp), theirs, 0.1)
    np.testing.assert_allclose(to_host(there), here, rtol=1e-14)


@given(st.integers(0, 2**32), st.floats(0.01, 10), st.sampled_from([np.float32, np.float64]))
def test_no_unit_s_weights_are_longer_than_the_bound_and_the_others_keep_their_bits(seed, bound, dtype):
    rng = generator(seed)
    lengths = bound * rng.uniform(0, 2, 6)
    W = rng.standard_normal((2, 5, 6))
    W = (W / np.linalg.norm(W, axis=-2, keepdims=True) * lengths).astype(dtype)
    W[:, :, 0] = 0
    before = W.copy()
    norms = np.sqrt((before * before).sum(-2))
    bound_norms(W, np.float64(bound))  # a type that would make float32 weights wider, and round them twice
    inside = np.broadcast_to((norms <= dtype(bound))[:, None], W.shape)
    assert np.array_equal(W[inside], before[inside])
    ends = np.where(inside, before, before * (bound / np.maximum(norms, dtype(bound)))[:, None])
    np.testing.assert_allclose(W, ends, rtol=1e-5 if dtype == np.float32 else 1e-14)
    assert np.linalg.norm(W, axis=-2).max() <= bound * (1 + 4 * np.finfo(dtype).eps)


def test_bound_norms_worked_by_hand(xp):
    W = xp.asarray([[3.0, 0.3], [4.0, 0.4]])  # columns of length 5 and 0.5
    bound_norms(W, 2.0)
    np.testing.assert_allclose(to_host(W), [[1.2, 0.3], [1.6, 0.4]], rtol=1e-15)


def test_schedules():
    assert [constant(0.1)(epoch) for epoch in (0, 99)] == [0.1, 0.1]
    assert [step(1.0, 2, 0.5)(epoch) for epoch in range(5)] == [1, 1, 0.5, 0.5, 0.25]
    halfway = cosine(1.0, 10)
    assert [halfway(0), halfway(5), halfway(10), halfway(99)] == pytest.approx([1.0, 0.5, 0.0, 0.0])
    for bad, name in ((lambda: constant(0), "rate"), (lambda: step(1, 0), "every"), (lambda: cosine(1, 0), "epochs")):
        with pytest.raises(ValueError, match=f"{name} is 0"):
            bad()
    for bad in (
        lambda: step(0.1, 5, math.nan),
        lambda: step(0.1, 5, 0),
        lambda: step(0.1, 5, -1),
    ):
        with pytest.raises(ValueError, match=r"factor is (nan|0|-1)"):
            bad()
    with pytest.raises(ValueError, match="momentum is 1"):
        Momentum(1)
    with pytest.raises(ValueError, match="beta1, beta2, epsilon"):
        Adam(beta2=1)
