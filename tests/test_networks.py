"""Networks of other forms: an activation for each layer, dropout on the inputs, no hidden layer at all."""

from dataclasses import replace

import numpy as np
import pytest
from test_training import blobs, same, states

import npnet
from npnet.arrays import generator, to_host
from npnet.hyperparameters import Hyperparameters
from npnet.layers import Dropout
from npnet.run import Run, TrainingJob

FORMS = {
    "an activation a layer": ((6, 8, 7), {"activation": ["gelu", npnet.LeakyReLU(0.2)]}),
    "dropout on the inputs": ((6, 8), {"input_dropout": 0.2, "activation": "softplus"}),
    "no hidden layer": ((6,), {}),
    "no hidden layer, dropout on the inputs": ((6,), {"input_dropout": 0.3}),
}


def of_form(form, seed=0, heads=("a",), xp=np):
    widths, options = FORMS[form]
    return npnet.mlp(widths, dict.fromkeys(heads, 3), generator(seed), dtype=np.float64, **options).to(xp)


@pytest.mark.parametrize("form", FORMS)
def test_it_learns_and_a_run_goes_on_to_the_same_bits(form, tmp_path, xp):
    settings = Hyperparameters(rate=0.1, max_epochs=6, patience=None, policy=npnet.GradualTuning(2.0))
    whole, half = Run(of_form(form, xp=xp), generator(1)), Run(of_form(form, xp=xp), generator(1))
    list(npnet.train(whole, {"a": blobs(xp=xp)}, settings))
    assert whole.history[-1]["objective"] < 0.95 * whole.history[0]["objective"]
    next(npnet.train(half, {"a": blobs(xp=xp)}, settings))
    npnet.save_tree(tmp_path / "run.npz", to_host(half.tree()))
    again = Run.from_tree(npnet.to_device(npnet.load_tree(tmp_path / "run.npz"), xp))
    list(npnet.train(again, {"a": blobs(xp=xp)}, settings))
    assert same(states(whole), states(again))


@pytest.mark.parametrize("form", FORMS)
def test_replicates_train_as_alone(form):
    jobs = [
        TrainingJob(Run(of_form(form, seed), generator(seed)), {"a": blobs()}, Hyperparameters(max_epochs=3, rate=0.1))
        for seed in (1, 2)
    ]
    alone = [Run(of_form(form, seed), generator(seed)) for seed in (1, 2)]
    for run in alone:
        list(npnet.train(run, {"a": blobs()}, Hyperparameters(max_epochs=3, rate=0.1)))
    list(npnet.train_population(jobs))
    for job, run in zip(jobs, alone, strict=True):
        np.testing.assert_allclose(job.run.network.head("a")["W"], run.network.head("a")["W"], rtol=1e-9, atol=1e-12)
        assert [r["error"] for r in job.run.history] == [r["error"] for r in run.history]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("method", [npnet.fine_tuning, npnet.gradual_tuning, npnet.without_forgetting()])
def test_it_transfers_and_what_is_frozen_stays(form, method):
    old, task = of_form(form), replace(blobs("b"), name="b")
    run, settings = npnet.begin(method, old, task, generator(2), Hyperparameters(max_epochs=2, rate=0.1))
    before = run.network.copy()
    record = next(npnet.train(run, {"b": task}, settings))
    for share, p, q in zip(record["mask"], run.network.trunk, before.trunk, strict=False):
        assert all((p[key] == q[key]).all() for key in p) == (share == 0)
    assert (run.network.head("b")["W"] != before.head("b")["W"]).any()
    assert run.network.input_dropout == old.input_dropout
    assert run.network.activations == old.activations


def test_an_activation_for_each_layer_is_that_layer_s(tmp_path):
    network = of_form("an activation a layer")
    X = generator(3).standard_normal((5, 6))
    first, second = network.trunk
    H = npnet.gelu.value(X @ first["W"] + first["b"])
    Z = H @ second["W"] + second["b"]
    np.testing.assert_allclose(network.hidden_outputs(X)[1], np.where(Z > 0, Z, 0.2 * Z), rtol=1e-12)
    network.save(tmp_path / "n.npz")
    assert npnet.Network.load(tmp_path / "n.npz").activations == (npnet.gelu, npnet.LeakyReLU(0.2))
    assert network.truncated(1).activations == (npnet.gelu,)
    assert replace(network, activation=["tanh", "tanh"]).activation is npnet.tanh
    J = npnet.jacobian(network, "a", X).reshape(5, 3, 6)
    h = 1e-30
    for d in range(6):
        step = network.logits(X + 1j * h * np.eye(6)[d], "a").imag / h
        np.testing.assert_allclose(J[:, :, d], step, rtol=1e-12, atol=1e-14)


def test_grown_networks_keep_the_activations_of_their_layers():
    old, task = of_form("an activation a layer"), replace(blobs("b"), name="b")
    X = generator(3).standard_normal((5, 6))
    for method, expected in (
        (npnet.growing(wider=3, deeper=4), (npnet.gelu, npnet.LeakyReLU(0.2), npnet.LeakyReLU(0.2))),
        (npnet.growing(deeper=4), (npnet.gelu, npnet.LeakyReLU(0.2), npnet.LeakyReLU(0.2))),
    ):
        run, _ = npnet.begin(method, old, task, generator(2))
        assert run.network.activations == expected
    column = npnet.begin(npnet.progressive(), old, task, generator(2))[0].network
    assert column.activations == old.activations
    np.testing.assert_array_equal(column.logits(X, "a"), old.logits(X, "a"))


def test_inputs_drop_out_in_training_alone():
    network = of_form("dropout on the inputs")
    assert [layer.rate for layer, _ in network.path("a", training=True) if isinstance(layer, Dropout)] == [0.2]
    assert not any(isinstance(layer, Dropout) for layer, _ in network.path("a"))
    X = np.ones((400, 6))
    (layer, p), *_ = network.path("a", training=True)
    Y, _ = layer(p, X, generator(0))
    assert set(np.unique(Y)) == {0.0, 1.25}
    assert abs((Y == 0).mean() - 0.2) < 0.05


def test_what_does_not_fit_is_named():
    rng = generator(0)
    for options, message in (
        ({"activation": ["relu"]}, r"activation is \['relu'\]; expected 2 entries, one for each hidden layer"),
        ({"activation": ["relu", "swish"]}, "activation is 'swish'; expected one of relu"),
        ({"input_dropout": 1.0}, "input_dropout is 1.0; expected a rate"),
        ({"input_dropout": (0.1,)}, r"input_dropout is \(0.1,\); expected a number"),
    ):
        with pytest.raises(ValueError, match=message):
            npnet.mlp((6, 8, 7), {"a": 3}, rng, **options)
    with pytest.raises(ValueError, match="patches is 2; expected 1 where there is no hidden layer"):
        npnet.mlp((6,), {"a": 3}, rng, patches=2)
    with pytest.raises(ValueError, match=r"trunk is \[\]; expected a list"):
        npnet.mlp((6,), {}, rng)
    with pytest.raises(ValueError, match="below is nan; expected a finite number"):
        npnet.LeakyReLU(np.nan)
    flat, task = of_form("no hidden layer"), replace(blobs("b"), name="b")
    with pytest.raises(ValueError, match="network has no hidden layer; expected one that can grow"):
        npnet.begin(npnet.growing(wider=2), flat, task, rng)
    match = npnet.jacobian_matching(of_form("no hidden layer"), "largest")
    wet = replace(of_form("dropout on the inputs"), heads={})
    run, settings = npnet.begin(match, wet, blobs(), rng)
    with pytest.raises(ValueError, match=r"input_dropout is 0\.2; expected 0 for gradients at the inputs"):
        next(npnet.train(run, {"a": blobs()}, settings))
