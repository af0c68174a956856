"""Layers and activations that npnet has never seen stand in its networks as its own do, without being registered."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_training import OPTIMIZERS, blobs, same, states

import npnet
from npnet.arrays import generator, to_host
from npnet.layers import forward
from npnet.matching.several import SumOfTerms
from npnet.matching.terms import Batch
from npnet.step import Move, Penalise
from npnet.testing import seeds
from npnet.trees import copy_tree, leaves, load_tree, save_tree

INPUTS, UNITS = 6, (8, 7)


def swish(p, X, rng=None):
    """Y = X σ(βX) with a learned β for each unit, p["beta"] (K,)."""
    beta = p["beta"]
    s = (1 + np.tanh(beta * X / 2)) / 2
    slope = s * (1 - s)

    def back(dY):
        return dY * (s + beta * X * slope), {"beta": (dY * X * X * slope).sum(-2)}

    return X * s, back


def bent(p, X, rng=None):
    """Y = tanh(X V) + c: a linear map of its own, p["V"] (D, K) and p["c"] (K,), and the activation with it."""
    H = np.tanh(X @ p["V"])

    def back(dY):
        dZ = dY * (1 - H * H)
        return dZ @ p["V"].T, {"V": X.T @ dZ, "c": dY.sum(0)}

    return H + p["c"], back


def scaled(p, X, rng=None):
    """Y = s X W + b, with one number for all, p["s"] ()."""
    Z = X @ p["W"]

    def back(dY):
        return p["s"] * (dY @ p["W"].T), {"W": p["s"] * (X.T @ dY), "b": dY.sum(0), "s": (dY * Z).sum()}

    return p["s"] * Z + p["b"], back


@dataclass(frozen=True)
class Power:
    """Y = sign(X) |X|^n + c: a layer with an option."""

    n: int

    def __call__(self, p, X, rng=None):
        A = X * np.sign(X.real)
        return np.sign(X.real) * A**self.n + p["c"], lambda dY: (
            dY * self.n * A ** (self.n - 1),
            {"c": dY.sum(0)},
        )


OWN = {"swish": swish, "bent": bent, "scaled": scaled, "Power": Power}
KINDS = {
    "swish": ((npnet.linear, swish), "identity"),
    "bent": ((bent, npnet.linear), "identity"),
    "scaled": ((npnet.linear, scaled), "tanh"),
    "power": ((scaled, Power(3)), "relu"),
}


def network(kind, seed=0, dtype=np.float64, dropout=()):
    layers, activation = KINDS[kind]
    rng = generator(seed, "own", kind)
    trunk, width = [], INPUTS
    for layer, units in zip(layers, UNITS, strict=True):
        made = {
            npnet.linear: {"W": (width, units), "b": (units,)},
            swish: {"beta": (width,)},
            bent: {"V": (width, units), "c": (units,)},
            scaled: {"W": (width, units), "b": (units,), "s": ()},
        }.get(layer, {"c": (width,)})
        trunk.append({name: np.asarray(0.5 * rng.standard_normal(shape), dtype) for name, shape in made.items()})
        width = units if any(len(shape) == 2 for shape in made.values()) else width
    net = npnet.Network(trunk, {}, activation, dropout, layers=layers, inputs=INPUTS)
    return net.add_head("a", 3, rng)


def parameters(net):
    return [*net.trunk, net.heads["a"]]


def settings(**options):
    return npnet.Hyperparameters(**({"rate": npnet.constant(0.1), "max_epochs": 4, "patience": None} | options))


def trained(net, seed=1, **options):
    run = npnet.Run(net, generator(seed))
    list(npnet.train(run, {"a": blobs()}, settings(**options)))
    return run


@pytest.mark.parametrize("kind", KINDS)
def test_it_stands_in_a_network_and_its_gradient_is_right(kind):
    net = network(kind)
    assert net.units == {"swish": (8, 8), "power": (8, 8)}.get(kind, (8, 7))
    assert net.heads["a"]["W"].shape == (net.units[-1], 3)
    X, t = blobs().train.inputs[:5] / 255, blobs().train.labels[:5]
    H = X
    for layer, p in zip(net.layers, net.trunk, strict=True):
        H = {"identity": lambda Z: Z, "tanh": np.tanh, "relu": lambda Z: np.maximum(Z, 0)}[net.activation.name](
            layer(p, H)[0]
        )
    np.testing.assert_array_equal(net.logits(X, "a"), H @ net.heads["a"]["W"] + net.heads["a"]["b"])
    body = npnet.chain(*(layer for layer, _ in net.path("a")))

    def objective(X, *p):
        given = iter(p)
        Z, back = body([next(given) if each else {} for _, each in net.path("a")], X)
        value, dZ = npnet.cross_entropy(Z, t)
        dX, dp = back(dZ)
        return value, [dX, *(each for each in dp if each)]

    report = npnet.check_gradient(objective, X, *parameters(net))
    assert report, str(report)
    assert report.error < 1e-12


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_it_is_trained_by_the_rule_of_its_gradient(kind, optimizer):
    net = network(kind)
    run = npnet.Run(net.copy(), generator(1))
    task = blobs()
    list(npnet.train(run, {"a": task}, settings(optimizer=optimizer, max_epochs=2, keep="last", batch_size=40)))
    rng, buffers = generator(1), {}
    for _ in range(2):
        order = rng.permutation(70)
        for rows in (order[:40], order[40:]):
            X = task.train.inputs[rows] * (1 / 255)
            outputs, backs = forward(net.path("a"), X)
            dY = npnet.cross_entropy(outputs[-1], task.train.labels[rows])[1]
            for i, back in reversed([*enumerate(backs)]):
                dY, dp = back(dY)
                for key, w in net.path("a")[i][1].items():
                    state = buffers.setdefault((i, key), optimizer.start(w))
                    optimizer.update(w, np.asarray(dp[key]), state, 0.1)
    for p, q in zip(parameters(run.network), parameters(net), strict=True):
        for key, w in p.items():
            np.testing.assert_allclose(w, q[key], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mask", [(0, 1, 1), (1, 0, 1), (0, 0, 1)])
def test_a_mask_freezes_it_to_the_bit(kind, optimizer, mask):
    net = network(kind)
    before = copy_tree(parameters(net))
    penalties = (npnet.Regularizer(npnet.l1, 0.01), npnet.Regularizer(npnet.l2, 0.01, biases=True))
    run = trained(net, optimizer=optimizer, policy=lambda history, depth: mask, regularizers=penalties, keep="last")
    for p, q, share in zip(parameters(run.network), before, mask, strict=True):
        for key, w in p.items():
            assert np.array_equal(w, q[key]) == (share == 0), key


@pytest.mark.parametrize("optimizer", [npnet.SGD(), npnet.ProximalSGD()])
def test_penalties_act_on_its_matrices_and_on_biases_by_their_name(optimizer):
    """A rate of almost nothing with a penalty of its inverse: what is penalised moves, by the penalty alone."""
    for kind in KINDS:
        for biases in (False, True):
            net = network(kind)
            before = copy_tree(parameters(net))
            penalty = npnet.Regularizer(npnet.l2, 1e9, biases=biases)
            run = trained(
                net,
                optimizer=optimizer,
                regularizers=(penalty,),
                rate=npnet.constant(1e-10),
                batch_size=70,
                max_epochs=1,
                keep="last",
            )
            factor = 1 / 1.1 if optimizer.proximal else 0.9
            for p, q in zip(parameters(run.network), before, strict=True):
                for key, w in p.items():
                    penalised = w.ndim == 2 or (biases and key == "b")
                    np.testing.assert_allclose(w, q[key] * (factor if penalised else 1), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_saved_by_its_name_and_loaded_when_it_is_handed_over(kind, tmp_path):
    net = network(kind, dropout=(0.1, 0.0))
    net.save(tmp_path / "n.npz")
    again = npnet.Network.load(tmp_path / "n.npz", layers=OWN)
    assert (again.layers, again.activation, again.inputs) == (net.layers, net.activation, INPUTS)
    X = blobs().test.inputs / 255
    assert np.array_equal(again.logits(X, "a"), net.logits(X, "a"))
    for name in {"power": ("scaled", "Power")}.get(kind, (kind,)):
        others = {key: layer for key, layer in OWN.items() if key != name}
        with pytest.raises(ValueError, match=f"layer is '{name}'; expected one of .*layers={{'{name}': ...}}"):
            npnet.Network.load(tmp_path / "n.npz", layers=others)
    run = npnet.Run(net, generator(0))
    with pytest.raises(ValueError, match=r"layer is '(swish|bent|scaled)'"):
        npnet.Run.from_tree(run.tree())


def test_a_function_without_a_name_of_its_own_is_not_saved(tmp_path):
    nameless = lambda p, X, rng=None: swish(p, X)  # noqa: E731
    for net in (
        replace(network("swish"), layers=(npnet.linear, nameless)),
        replace(network("bent"), activation=lambda p, X, rng=None: npnet.relu(p, X)),
    ):
        with pytest.raises(ValueError, match="expected a function with a name of its own"):
            net.save(tmp_path / "n.npz")
        assert list(tmp_path.iterdir()) == []
        assert trained(net, max_epochs=1).finished  # it trains all the same


def test_a_name_that_npnet_has_for_another_function_is_not_saved(tmp_path):
    """Loaded without being handed over, the file would be another network, silently."""

    def linear(p, X, rng=None):
        Y, back = npnet.linear(p, X)
        return 2 * Y, lambda dY: back(2 * dY)

    mine = npnet.Activation("relu", lambda X: X, lambda X, Y: np.ones_like(X), 0)
    plain = npnet.mlp((6, 4), {"a": 3}, generator(0))
    for net, name in (
        (replace(plain, layers=(linear,), inputs=6), "linear"),
        (replace(plain, activation=mine), "relu"),
    ):
        with pytest.raises(ValueError, match=f"named {name!r}, as one of npnet's own"):
            net.save(tmp_path / "n.npz")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_run_with_it_goes_on_to_the_same_bits(kind, optimizer, tmp_path):
    policy, dropout = npnet.GradualByEpoch(1), (0.2, 0.3)
    whole = trained(network(kind, dtype=np.float32, dropout=dropout), optimizer=optimizer, policy=policy)
    stopped = npnet.Run(network(kind, dtype=np.float32, dropout=dropout), generator(1))
    next(npnet.train(stopped, {"a": blobs()}, settings(optimizer=optimizer, policy=policy)))
    save_tree(tmp_path / "run.npz", stopped.tree())
    resumed = npnet.Run.from_tree(load_tree(tmp_path / "run.npz"), OWN)
    list(npnet.train(resumed, {"a": blobs()}, settings(optimizer=optimizer, policy=policy)))
    assert same(states(whole), states(resumed))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_in_a_population_it_goes_where_it_goes_alone(kind, optimizer):
    def jobs():
        made = []
        for seed in range(3):
            penalties = (npnet.Regularizer(npnet.l2, 0.01 * (seed + 1), biases=seed == 2),)
            policy = (npnet.FineTuning(), npnet.GradualByEpoch(1))[seed % 2]
            chosen = settings(optimizer=optimizer, regularizers=penalties, policy=policy)
            net = network(kind, seed, dropout=(0.2, 0.3))
            made.append(npnet.TrainingJob(npnet.Run(net, generator(seed)), {"a": blobs()}, chosen))
        return made

    together = jobs()
    list(npnet.train_population(together))
    for mine, by_itself, alone in zip(together, jobs(), jobs(), strict=True):
        list(npnet.train_population([by_itself]))
        assert same(states(mine.run), states(by_itself.run))
        list(npnet.train(alone.run, alone.tasks, alone.settings))
        for (path, a), (_, b) in zip(leaves(mine.run.network.tree()), leaves(alone.run.network.tree()), strict=True):
            if hasattr(b, "dtype"):
                assert (type(a), a.shape, a.dtype) == (np.ndarray, b.shape, b.dtype), path
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12, err_msg=path)


def test_below_a_first_layer_of_ones_own_the_number_of_inputs_must_be_said():
    net = network("bent")
    with pytest.raises(ValueError, match="inputs is 0; expected the number of values of an input"):
        npnet.Network(net.trunk, net.heads, "identity", layers=net.layers)
    with pytest.raises(ValueError, match="expected each as wide as the next one's fan-in"):
        npnet.Network(net.trunk, net.heads, "identity", layers=net.layers, inputs=5)
    wider = replace(net, trunk=[{**net.trunk[0], "V": np.ones((9, 8))}, net.trunk[1]], inputs=9)
    with pytest.raises(ValueError, match="inputs of 'a' have 6 values each; expected 9"):
        trained(wider)


# Activations ----------------------------------------------------------------------------------------------------------


def _logistic(X):
    return (1 + np.tanh(X / 2)) / 2


def _softplus(X):
    peak = X * (X.real > 0)
    return peak + np.log(np.exp(-peak) + np.exp(X - peak))


softplus = npnet.Activation(
    "my_softplus", _softplus, lambda X, Y: _logistic(X), lambda X, Y: _logistic(X) * (1 - _logistic(X))
)
silu = npnet.Activation(
    "my_silu",
    lambda X: X * _logistic(X),
    lambda X, Y: _logistic(X) * (1 + X * (1 - _logistic(X))),
    lambda X, Y: _logistic(X) * (1 - _logistic(X)) * (2 + X * (1 - 2 * _logistic(X))),
)
leaky = npnet.Activation(
    "leaky", lambda X: X * np.where(X.real > 0, 1, 0.1), lambda X, Y: np.where(X.real > 0, 1, 0.1), 0
)
unknown = replace(softplus, name="unknown", curvature=None)


def plain_softplus(p, X, rng=None):
    return _softplus(X), lambda dY: (dY * _logistic(X), {})


def with_activation(activation, seed=0, **options):
    net = npnet.mlp((6, 8, 7), {"a": 3}, generator(seed, "activation"), dtype=np.float64, **options)
    for p in parameters(net):
        p["b"] = generator(seed, "biases").standard_normal(p["b"].shape)
    return replace(net, activation=activation)


@pytest.mark.parametrize("activation", [softplus, silu, leaky, unknown, plain_softplus])
def test_an_activation_of_ones_own_trains_is_saved_and_has_jacobians(activation, tmp_path):
    net = with_activation(activation)
    run = trained(net.copy(), max_epochs=30, rate=npnet.constant(0.3))
    assert run.history[-1]["objective"] < 0.5 * run.history[0]["objective"]
    name = getattr(activation, "name", "plain_softplus")
    run.network.save(tmp_path / "n.npz")
    again = npnet.Network.load(tmp_path / "n.npz", layers={name: activation})
    assert again.activation == activation
    with pytest.raises(ValueError, match=f"layer is '{name}'"):
        npnet.Network.load(tmp_path / "n.npz")
    X, t = generator(1).standard_normal((4, 6)), np.array([0, 2, 1, 2])
    assert np.array_equal(again.logits(X, "a"), run.network.logits(X, "a"))
    J = npnet.jacobian(net, "a", X).reshape(4, 3, 6)
    dL = npnet.jacobian(net, "a", X, "loss", t)
    for d in range(6):
        step = np.zeros((4, 6), complex)
        step[:, d] = 1e-100j
        Z = net.logits(X + step, "a")
        np.testing.assert_allclose(J[:, :, d], Z.imag / 1e-100, rtol=1e-11, atol=1e-13)
        for n in range(4):
            value = npnet.cross_entropy(Z[n : n + 1], t[n : n + 1])[0]
            assert dL[n, d] == pytest.approx(value.imag / 1e-100, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("activation", [softplus, silu, leaky, npnet.sigmoid])
def test_members_of_a_population_with_it_are_themselves(activation):
    def jobs():
        nets = [with_activation(activation, seed, dropout=(0.0, 0.3)) for seed in range(2)]
        return [npnet.TrainingJob(npnet.Run(net, generator(0)), {"a": blobs()}, settings()) for net in nets]

    together = jobs()
    list(npnet.train_population(together))
    for mine, alone in zip(together, jobs(), strict=True):
        list(npnet.train_population([alone]))
        assert same(states(mine.run), states(alone.run))


METHODS = {
    "input attention": lambda teacher: npnet.attention_transfer(teacher, "input", 3.0),
    "squared input attention": lambda teacher: npnet.attention_transfer(teacher, "input", 3.0, squared=True),
    "largest logit's Jacobian": lambda teacher: npnet.jacobian_matching(teacher),
    "label's Jacobian": lambda teacher: npnet.jacobian_matching(teacher, "label"),
    "whole Jacobian": lambda teacher: npnet.jacobian_matching(teacher, "all"),
}


def sum_of_terms(net, terms, X, t, mask, rng=None):
    """Return the sum of terms on these examples, and the gradients of the layers that train, from the bottom."""

    def read(below):
        return lambda rows: (forward(below, X)[0][-1], Batch(rows, {"a": t}))

    value, way_down = SumOfTerms(net, terms, mask, read).descent(np.arange(len(X)), rng)
    found = {group.layer: {key: npnet.fused.dense(d) for key, d in dp.items()} for group, dp in way_down}
    return value, [found[layer] for layer in sorted(found)]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("activation", [softplus, silu, leaky])
@pytest.mark.parametrize("mask", [(1.0, 1.0, 1.0), (0.0, 1.0, 1.0)])
@pytest.mark.parametrize("dropout", [(), (0.2, 0.3)])
def test_matching_gradients_of_it_pass_the_complex_step(method, activation, mask, dropout):
    student, teacher, task = with_activation(activation, 1, dropout=dropout), with_activation(npnet.tanh, 2), blobs("a")
    _, chosen = npnet.begin(METHODS[method](teacher), student, task, generator(0), settings())
    X, t = task.train.inputs[:6] / 255, task.train.labels[:6]
    trains = [i for i, share in enumerate(mask) if share]

    def objective(*p):
        now = parameters(student)
        for i, each in zip(trains, p, strict=True):
            now[i] = each
        return sum_of_terms(
            replace(student, trunk=now[:2], heads={"a": now[2]}), chosen.objective.terms, X, t, mask, generator(9)
        )

    report = npnet.check_gradient(objective, *(parameters(student)[i] for i in trains))
    assert report, str(report)
    assert report.error < 1e-11


@pytest.mark.parametrize("method", METHODS)
def test_matching_trains_a_student_with_it(method):
    student, teacher, task = with_activation(silu, 1), with_activation(silu, 2), blobs("a")
    run, chosen = npnet.begin(METHODS[method](teacher), student, task, generator(0), settings(max_epochs=8))
    X, t = task.train.inputs / 255, task.train.labels
    before = sum_of_terms(run.network.copy(), chosen.objective.terms, X, t, (1.0, 1.0, 1.0))[0]
    records = list(npnet.train(run, {"a": task}, chosen))
    assert records[-1]["objective"] < records[0]["objective"]
    assert sum_of_terms(run.network, chosen.objective.terms, X, t, (1.0, 1.0, 1.0))[0] < before


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("activation", [unknown, plain_softplus])
def test_matching_refuses_an_activation_whose_curvature_is_not_known(method, activation):
    task, teacher = blobs("a"), with_activation(activation, 2)
    run, chosen = npnet.begin(METHODS[method](teacher), with_activation(npnet.tanh), task, generator(0), settings())
    assert len(list(npnet.train(run, {"a": task}, chosen))) == 4  # a teacher needs none
    run, chosen = npnet.begin(METHODS[method](teacher), with_activation(activation), task, generator(0), settings())
    with pytest.raises(ValueError, match=r"activation is .*softplus.*; expected an Activation with a curvature"):
        next(npnet.train(run, {"a": task}, chosen))
    assert run.history == []


def test_curvatures_are_the_derivatives_of_slopes():
    X = generator(0).standard_normal(50)
    for each in (softplus, silu, npnet.tanh, npnet.sigmoid):
        Z = X + 1e-100j
        np.testing.assert_allclose(each.slope(X, each.value(X)), each.value(Z).imag / 1e-100, rtol=1e-12)
        np.testing.assert_allclose(
            each.curvature(X, each.value(X)), each.slope(Z, each.value(Z)).imag / 1e-100, rtol=1e-10, atol=1e-14
        )


def test_it_lives_on_a_device_where_it_asks_for_nothing_of_numpy(xp):
    half = npnet.Activation("half", lambda X: X * X / 2, lambda X, Y: X, lambda X, Y: X * 0 + 1)
    net = with_activation(half, dropout=(0.2, 0.2)).to(xp)
    here, there = (npnet.Run(each, generator(0)) for each in (with_activation(half, dropout=(0.2, 0.2)), net))
    list(npnet.train(here, {"a": blobs()}, settings(max_epochs=2)))
    list(npnet.train(there, {"a": blobs(xp=xp)}, settings(max_epochs=2)))
    for p, q in zip(parameters(here.network), parameters(there.network), strict=True):
        np.testing.assert_allclose(to_host(q["W"]), p["W"], rtol=1e-9, atol=1e-12)


class Plain:
    """An optimizer of one's own, which knows arrays alone."""

    proximal = False

    def start(self, w):
        return {}

    def update(self, w, dw, buffers, rate):
        w -= rate * dw
        return True


def test_an_optimizer_of_ones_own_gets_arrays():
    def trained(optimizer):
        run = npnet.Run(npnet.mlp((6, 8, 7), {"a": 3}, generator(0), dtype=np.float64), generator(1))
        list(npnet.train(run, {"a": blobs()}, npnet.Hyperparameters(optimizer=optimizer, max_epochs=3)))
        return run.network

    for p, q in zip(trained(Plain()).trunk, trained(npnet.SGD()).trunk, strict=True):
        for key, w in p.items():
            np.testing.assert_allclose(w, q[key], rtol=1e-12, atol=1e-15)


@given(st.sampled_from([npnet.l1, npnet.l2, npnet.group_lasso]), st.booleans(), seeds())
def test_a_penalty_sees_a_parameter_of_many_axes_as_a_matrix(penalty, together, seed):
    """A kernel (2, 3, 4) is penalised as the matrix (6, 4) of what goes into each of its last axis's units."""
    kernel = np.random.default_rng(seed).standard_normal((2, 3, 4))
    ends = []
    for w in (kernel.copy(), kernel.reshape(6, 4).copy()):
        group = npnet.objective.group_of("hidden layer 1", {"W": w}, 1.0, 0, 1)
        gradients = {"W": np.ones_like(w)}
        value = Penalise((npnet.Regularizer(penalty, 0.3),))(group, gradients)
        Move(npnet.ProximalSGD() if together else npnet.SGD(), 0.1, {}, (npnet.Regularizer(penalty, 0.3),))(
            group, gradients
        )
        ends.append((float(value), w.reshape(6, 4)))
    assert ends[0][0] == ends[1][0]
    assert np.array_equal(ends[0][1], ends[1][1])


def test_a_gradient_of_many_axes_in_any_order_is_penalised():
    """A layer of one's own may return its gradient in another order of memory, of which a matrix is a copy."""
    w = np.arange(24.0).reshape(2, 3, 4)
    group = npnet.objective.group_of("hidden layer 1", {"W": w}, 1.0, 0, 1)
    gradients = {"W": np.zeros((4, 3, 2)).T}
    Penalise((npnet.Regularizer(npnet.l2, 0.5),))(group, gradients)
    assert np.array_equal(gradients["W"], 0.5 * w)


def test_one_array_in_two_layers_is_refused():
    W = np.ones((6, 6))
    with pytest.raises(ValueError, match="trunk layer 2 has the array for 'W' that trunk layer 1 has"):
        npnet.Network([{"W": W, "b": np.zeros(6)}, {"W": W, "b": np.zeros(6)}])


def test_two_functions_of_one_name_are_refused_when_they_are_saved(tmp_path):
    def made(factor):
        def scaled(p, X, rng=None):
            return factor * X * p["g"], lambda dY: (factor * dY * p["g"], {"g": (factor * dY * X).sum(0)})

        return scaled

    two = npnet.Network([{"g": np.ones(4)}, {"g": np.ones(4)}], layers=(made(2.0), made(3.0)), inputs=4)
    with pytest.raises(ValueError, match="two functions named 'scaled'"):
        two.save(tmp_path / "two.npz")
