"""Networks go to other libraries and come back: the same outputs there, copies of the arrays, refusals by name."""

import importlib
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import npnet
from npnet import LeakyReLU, Network, cross_entropy, exchange, generator, mlp
from npnet.activations import ACTIVATIONS
from npnet.trees import leaves

NAMES = ("relu", "tanh", "sigmoid", "identity", "silu", "gelu", "softplus", "leaky_relu")
REASON = "a peer of the exchange: the extra 'peers' brings it"


def peer(name):
    if name == "keras" and importlib.util.find_spec("torch") is None:
        pytest.skip(REASON)
    return pytest.importorskip(name, reason=REASON)


@pytest.fixture(scope="module", autouse=True)
def keras_on_torch():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        yield


@st.composite
def networks(draw, dtype=np.float32, patches=(1,), names=NAMES):
    """A network of drawn widths, activations and dropout, with biases that are not zero."""
    widths = draw(st.lists(st.integers(1, 9), min_size=1, max_size=4))
    patched = draw(st.sampled_from(patches)) if len(widths) > 1 else 1
    depth = len(widths) - 1
    network = mlp(
        (widths[0] * patched, *widths[1:]),
        {"task": draw(st.integers(1, 5))},
        generator(draw(st.integers(0, 99))),
        npnet.uniform_fan_in,
        [draw(st.sampled_from(names)) for _ in range(depth)],
        [draw(st.sampled_from((0.0, 0.25))) for _ in range(depth)],
        dtype,
        patched,
    )
    return replace(network, input_dropout=draw(st.sampled_from((0.0, 0.5))))


def inputs(network, rows=7):
    return generator(0, "inputs").standard_normal((rows, network.inputs)).astype(network.dtype)


def close(one, other):
    scale = np.abs(other).max()
    return np.abs(np.asarray(one) - other).max() <= 1e-6 * max(scale, 1)


def same(one, other):
    """Whether two networks are the same in every array, function and rate."""
    a, b = dict(leaves(one.tree())), dict(leaves(other.tree()))
    return a.keys() == b.keys() and all(np.array_equal(a[place], b[place]) for place in a)


# PyTorch --------------------------------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(network=networks(patches=(1, 3)))
def test_a_network_in_torch_has_the_same_logits(network):
    torch = peer("torch")
    module = exchange.to_torch(network)
    X = inputs(network)
    with torch.no_grad():
        assert close(module(torch.from_numpy(X)), network.logits(X, "task"))


@settings(max_examples=15)
@given(network=networks())
def test_a_network_comes_back_from_torch_the_same(network):
    peer("torch")
    again = exchange.from_torch(exchange.to_torch(network))
    assert same(again, replace(network, dropout=network.dropout or (0.0,) * network.depth))


def test_a_module_of_torchs_own_is_read_with_what_it_may_have():
    torch = peer("torch")
    nn = torch.nn
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Linear(6, 5), nn.LeakyReLU(0.1), nn.Dropout(0.2))
    module = nn.Sequential(nn.Flatten(), inner, nn.Linear(5, 4, bias=False), nn.Identity(), nn.GELU(), nn.Linear(4, 3))
    network = exchange.from_torch(nn.Sequential(module, nn.Softmax(1)), head="digits")
    X = torch.randn(8, 2, 3)
    with torch.no_grad():
        assert close(network.logits(X.reshape(8, 6).numpy(), "digits"), module.eval()(X).numpy())
    assert network.dropout == (0.2, 0.0)
    assert network.activations == (LeakyReLU(0.1), ACTIVATIONS["gelu"])


def test_training_what_came_from_torch_leaves_the_module_alone_and_the_other_way_round():
    torch = peer("torch")
    module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    before = {name: w.clone() for name, w in module.state_dict().items()}
    for network in (exchange.from_torch(module), exchange.from_torch(module.state_dict())):
        for p in (*network.trunk, *network.heads.values()):
            for w in p.values():
                assert w.flags.c_contiguous
                assert w.flags.writeable
                w += 1
        assert all(torch.equal(w, before[name]) for name, w in module.state_dict().items())
    network = exchange.from_torch(module)
    there = exchange.to_torch(network)
    kept = network.copy()
    with torch.no_grad():
        for w in there.parameters():
            w += 1
    assert same(network, kept)


def test_precisions_come_along_and_bfloat16_becomes_float32():
    torch = peer("torch")
    for dtype, expected in [(torch.float64, np.float64), (torch.float16, np.float16), (torch.bfloat16, np.float32)]:
        module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2)).to(dtype)
        network = exchange.from_torch(module)
        assert network.dtype == expected
        assert np.array_equal(network.trunk[0]["W"].T, module[0].weight.detach().float().numpy())
    assert exchange.to_torch(mlp((4, 3), {"a": 2}, generator(0), dtype=np.float64))[0].weight.dtype == torch.float64


def test_a_state_dict_of_arrays_needs_no_torch():
    rng = generator(0)
    weights = {"0.weight": rng.random((5, 4)), "0.bias": rng.random(5), "2.weight": rng.random((3, 5))}
    network = exchange.from_torch(weights, activation="tanh")
    X = rng.random((6, 4))
    expected = np.tanh(X @ weights["0.weight"].T + weights["0.bias"]) @ weights["2.weight"].T
    assert np.allclose(network.logits(X, "task"), expected, rtol=1e-14)
    for broken in (
        {"0.weight": rng.random((5, 4, 3))},
        {"0.bias": rng.random(5)},
        {"norm.running_mean": rng.random(5)},
        {},
    ):
        with pytest.raises(ValueError, match="source has"):
            exchange.from_torch(broken)
    with pytest.raises(ValueError, match="head 'task' has W"):
        exchange.from_torch({"0.weight": rng.random((5, 4)), "1.weight": rng.random((3, 6))})


def test_what_torch_has_and_npnet_has_not_is_refused_by_name():
    nn = peer("torch").nn
    for modules, message in [
        ([nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2)], "module has BatchNorm1d"),
        ([nn.Linear(4, 3), nn.GELU(approximate="tanh"), nn.Linear(3, 2)], "module has GELU"),
        ([nn.Linear(4, 3), nn.ReLU(), nn.Tanh(), nn.Linear(3, 2)], "has the activation .* after another one"),
        ([nn.Linear(4, 3), nn.Dropout(0.5), nn.ReLU(), nn.Linear(3, 2)], "has the activation .* after dropout"),
        ([nn.ReLU(), nn.Linear(4, 3)], "has the activation .* before the first linear layer"),
        ([nn.Linear(4, 3), nn.ReLU()], "has something after its last linear layer"),
        ([nn.Flatten()], "has no linear layer"),
    ]:
        with pytest.raises(ValueError, match=message):
            exchange.from_torch(nn.Sequential(*modules))
    with pytest.raises(ValueError, match="source is a Linear, which may do anything"):
        exchange.from_torch(nn.Linear(3, 2))


def test_what_npnet_has_and_others_have_not_is_refused_by_name():
    peer("torch")

    def cubed(p, X, rng=None):
        return X**3, lambda dY: (dY * 3 * X**2, {})

    network = mlp((4, 3), {"a": 2, "b": 2}, generator(0), activation=cubed)
    with pytest.raises(ValueError, match="head is None; expected one of 'a', 'b'"):
        exchange.to_torch(network)
    with pytest.raises(ValueError, match="network has the activation <function"):
        exchange.to_torch(network, "a")
    grown, _ = npnet.begin(npnet.progressive(), mlp((4, 3), {"a": 2}, generator(0)), TASK, generator(1))
    with pytest.raises(ValueError, match="network is a ColumnNetwork"):
        exchange.to_torch(grown.network, "new")


SPLIT = npnet.Split(np.zeros((6, 4), np.float32), np.arange(6) % 2)
TASK = npnet.Task("new", 2, SPLIT, SPLIT, SPLIT)


# Keras ----------------------------------------------------------------------------------------------------------------


KERAS = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of its own, under NumPy 2


@KERAS
@settings(max_examples=10)
@given(network=networks(names=NAMES[:7]))
def test_a_network_comes_from_keras_with_the_same_logits(network):
    keras = peer("keras")
    layers = keras.layers
    model = keras.Sequential([keras.Input((network.inputs,)), *([layers.Dropout(0.5)] * bool(network.input_dropout))])
    names = {"identity": "linear"}
    parameters = [*network.trunk, network.heads["task"]]
    ends = [names.get(each.name, each.name) for each in network.activations]
    for i, p in enumerate(parameters):
        model.add(layers.Dense(p["W"].shape[1], activation=ends[i] if i < network.depth else None))
        model.layers[-1].set_weights([p["W"], p["b"]])
        if i < network.depth and network.dropout and network.dropout[i]:
            model.add(layers.Dropout(network.dropout[i]))
    again = exchange.from_keras(model)
    assert same(again, replace(network, dropout=network.dropout or (0.0,) * network.depth))
    X = inputs(network)
    assert close(again.logits(X, "task"), keras.ops.convert_to_numpy(model(X)))


@KERAS
def test_a_functional_model_of_keras_is_read_and_a_branching_one_refused():
    keras = peer("keras")
    layers = keras.layers
    start = keras.Input((2, 3))
    Y = layers.Flatten()(start)
    Y = layers.LeakyReLU()(layers.Dense(5, use_bias=False)(Y))
    end = layers.Dense(2, activation="softmax")(layers.ReLU()(layers.Dense(4)(Y)))
    model = keras.Model(start, end)
    X = generator(0).standard_normal((7, 2, 3)).astype(np.float32)
    expected = keras.ops.convert_to_numpy(model(X))
    network = exchange.from_keras(model)
    assert close(npnet.losses.softmax(network.logits(X.reshape(7, 6), "task")), expected)
    network.trunk[0]["W"] += 1
    assert np.array_equal(keras.ops.convert_to_numpy(model(X)), expected)  # the arrays were copied
    branching = keras.Model(start, layers.Add()([end, layers.Dense(2)(layers.Flatten()(start))]))
    with pytest.raises(ValueError, match="does not read"):
        exchange.from_keras(branching)
    for layer, message in [
        (layers.BatchNormalization(), "a BatchNormalization"),
        (layers.Activation("softmax"), "has the activation 'softmax' before its end"),
    ]:
        with pytest.raises(ValueError, match=message):
            exchange.from_keras(keras.Sequential([keras.Input((3,)), layers.Dense(2), layer, layers.Dense(2)]))
    with pytest.raises(ValueError, match="expected a keras model that is built"):
        exchange.from_keras(keras.Sequential([layers.Dense(2)]))


# scikit-learn ---------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:(Stochastic Optimizer|max_iter)")
@pytest.mark.parametrize("activation", ["relu", "logistic", "tanh", "identity"])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_network_comes_from_scikit_learn_with_the_same_probabilities(activation, classes):
    neural = pytest.importorskip("sklearn.neural_network", reason="the extra 'sklearn' brings it")
    rng = generator(1)
    X, y = rng.standard_normal((50, 5)), rng.integers(0, classes, 50)
    theirs = neural.MLPClassifier((6, 4), activation=activation, max_iter=3, random_state=0).fit(X, y)
    network = exchange.from_sklearn(theirs)
    Z = network.logits(X, "task")
    ours = npnet.losses.softmax(Z) if classes > 2 else npnet.losses.softmax(np.hstack([0 * Z, Z]))
    assert np.allclose(ours, theirs.predict_proba(X), rtol=1e-12)
    before = theirs.coefs_[0].copy()
    network.trunk[0]["W"] += 1
    assert np.array_equal(theirs.coefs_[0], before)


@pytest.mark.filterwarnings("ignore:(Stochastic Optimizer|max_iter)")
def test_regressions_and_npnets_own_estimators_come_too_and_others_do_not():
    neural = pytest.importorskip("sklearn.neural_network", reason="the extra 'sklearn' brings it")
    from npnet.sklearn import MLPRegressor

    X = generator(2).standard_normal((30, 4))
    for kind in (neural.MLPRegressor, MLPRegressor):
        fitted = kind(hidden_layer_sizes=(5,), max_iter=3).fit(X, X[:, :2])
        assert np.allclose(exchange.from_sklearn(fitted).logits(X, "task"), fitted.predict(X), rtol=1e-12)
    with pytest.raises(ValueError, match="expected a fitted MLPClassifier or MLPRegressor"):
        exchange.from_sklearn(neural.MLPClassifier())


# ONNX -----------------------------------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(network=networks(patches=(1, 3)))
def test_an_onnx_model_has_the_same_logits(network, tmp_path_factory):
    runtime, _ = peer("onnxruntime"), peer("onnx")
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    exchange.to_onnx(network, path)
    session = runtime.InferenceSession(path)
    for rows in (1, 7):
        X = inputs(network, rows)
        (found,) = session.run(["logits"], {"X": X})
        assert close(found, network.logits(X, "task"))


def test_the_weights_of_an_onnx_model_have_telling_names_and_other_layers_are_refused(tmp_path):
    onnx = peer("onnx")
    network = mlp((4, 3, 3), {"a": 2, "b": 5}, generator(0))
    exchange.to_onnx(network, tmp_path / "m.onnx", "b")
    graph = onnx.load(tmp_path / "m.onnx").graph
    assert [each.name for each in graph.initializer] == [
        *("hidden1.W", "hidden1.b", "hidden2.W", "hidden2.b", "head.W", "head.b")
    ]
    own = replace(network, activation=npnet.Activation("cube", lambda X: X**3, lambda X, Y: 3 * X * X))
    with pytest.raises(ValueError, match="network has the activation Activation"):
        exchange.to_onnx(own, tmp_path / "n.onnx", "a")
    assert not (tmp_path / "n.onnx").exists()


# safetensors ----------------------------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(network=networks(patches=(1, 3)))
def test_a_network_comes_back_from_safetensors_the_same(network, tmp_path_factory):
    peer("safetensors")
    path = tmp_path_factory.mktemp("safetensors") / "network.safetensors"
    exchange.save_safetensors(network, path)
    again = exchange.load_safetensors(path)
    assert same(again, network)
    assert again.activations == network.activations
    assert all(w.flags.writeable for p in (*again.trunk, *again.heads.values()) for w in p.values())


def test_tensors_have_telling_names_and_memories_come_along(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy", reason=REASON)
    network = mlp((4, 3), {"a": 2, "b": 5}, generator(0))
    network = npnet.remember(network, "a", npnet.fisher_information(network, "a", SPLIT))
    exchange.save_safetensors(network, tmp_path / "n.safetensors")
    arrays = numpy.load_file(tmp_path / "n.safetensors")
    assert {"trunk.0.W", "trunk.0.b", "heads.a.W", "heads.b.b"} <= arrays.keys()
    assert np.array_equal(arrays["heads.b.W"], network.heads["b"]["W"])
    assert same(exchange.load_safetensors(tmp_path / "n.safetensors"), network)


def test_arrays_in_another_order_of_memory_are_not_scrambled(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy", reason=REASON)
    network = mlp((4, 3), {"a": 2}, generator(0))
    turned = replace(network, memories={"old": {"fisher": [np.arange(6.0).reshape(2, 3).T], "anchor": []}})
    assert not turned.memories["old"]["fisher"][0].flags.c_contiguous
    exchange.save_safetensors(turned, tmp_path / "n.safetensors")
    assert same(exchange.load_safetensors(tmp_path / "n.safetensors"), turned)
    arrays = numpy.load_file(tmp_path / "n.safetensors")
    assert np.array_equal(arrays["memories.old.fisher.0"], [[0, 3], [1, 4], [2, 5]])


def test_another_programs_tensors_and_damage_are_named(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy", reason=REASON)
    path = tmp_path / "n.safetensors"
    numpy.save_file({"0.weight": np.zeros((2, 3))}, path)
    with pytest.raises(ValueError, match=r"no network of npnet, but the tensors 0\.weight"):
        exchange.load_safetensors(path)
    with pytest.raises(ValueError, match="it is a safetensors file"):
        Network.load(path)
    exchange.save_safetensors(mlp((4, 3), {"a": 2}, generator(0)), path)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ValueError, match="is not a whole safetensors file"):
        exchange.load_safetensors(path)
    with pytest.raises(FileNotFoundError):
        exchange.load_safetensors(tmp_path / "none.safetensors")
    odd = {"npnet": json.dumps({"kind": "Network", "trunk": "tensor:nothing"})}
    path.write_bytes(numpy.save({"a": np.zeros(2)}, odd))
    with pytest.raises(ValueError, match="is not a whole safetensors file"):
        exchange.load_safetensors(path)


def test_what_was_imported_trains():
    rng = generator(3)
    weights = {
        "a.weight": rng.standard_normal((8, 4)),
        "a.bias": rng.random(8),
        "b.weight": rng.standard_normal((2, 8)),
    }
    network = exchange.from_torch(weights)
    X, labels = rng.standard_normal((60, 4)), rng.integers(0, 2, 60)
    split = npnet.Split(X, labels)
    before = cross_entropy(network.logits(X, "task"), labels)[0]
    task = npnet.Task("task", 2, split, split, split)
    list(npnet.train(npnet.Run(network, rng), {"task": task}, npnet.Hyperparameters(max_epochs=5)))
    assert cross_entropy(network.logits(X, "task"), labels)[0] < before
