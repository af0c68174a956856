"""What is handed in from elsewhere is taken for what it is, or refused there and then, by name, with what to call."""

import re
import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import strictarrays

import npnet
from npnet import Hyperparameters, Network, Run, Split, Task, generator, mlp, train
from npnet.data import batch

X = np.random.default_rng(1).standard_normal((30, 6)).astype(np.float32)
LABELS, TARGETS = np.arange(30) % 3, np.random.default_rng(2).standard_normal((30, 2)).astype(np.float32)


class Like:
    """An array of another library, or one on disk: rows are what `give` makes of them."""

    def __init__(self, array, give, dtype=None):
        self.array, self.give, self.shape, self.ndim, self.dtype = array, give, array.shape, array.ndim, dtype

    def __len__(self):
        return len(self.array)

    def __getitem__(self, rows):
        return self.give(self.array[rows])


class Ordered(Like):
    """An array on disk that gives rows in increasing order alone, as HDF5 does."""

    def __getitem__(self, rows):
        if not isinstance(rows, slice) and (np.diff(rows) <= 0).any():
            raise TypeError("Indexing elements must be in increasing order")
        return super().__getitem__(rows)


def of(package, make):
    def made(array):
        return make(pytest.importorskip(package), array)

    return made


FOREIGN = {  # what is like an array, and what to call
    "list": (np.ndarray.tolist, "numpy.asarray"),
    "foreign": (lambda a: Like(a, lambda rows: Like(rows, None)), "numpy.asarray"),
    "lists of rows": (lambda a: Like(a, np.ndarray.tolist), "numpy.asarray"),
    "masked": (np.ma.array, "filled"),
    "masked here and there": (lambda a: np.ma.array(a, mask=a > 0), "filled"),
    "matrix": (lambda a: np.asmatrix(a), "numpy.asarray"),
    "frame": (of("pandas", lambda pandas, a: pandas.DataFrame(a)), "to_numpy()"),
    "series": (of("pandas", lambda pandas, a: pandas.Series(list(a))), "to_numpy()"),
    "sparse array": (of("scipy.sparse", lambda sparse, a: sparse.csr_array(np.atleast_2d(a))), "toarray()"),
    "sparse matrix": (of("scipy.sparse", lambda sparse, a: sparse.csr_matrix(np.atleast_2d(a))), "toarray()"),
    "tensor": (of("torch", lambda torch, a: torch.tensor(a)), "numpy()"),
}


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of numpy.matrix
@pytest.mark.parametrize("which", ["inputs", "labels", "targets"])
@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_like_an_array_is_refused_with_what_to_call(kind, which):
    make, call = FOREIGN[kind]
    given = {"inputs": X, "labels": TARGETS if which == "targets" else LABELS}
    name = "inputs" if which == "inputs" else "labels"
    given[name] = make(given[name])
    with pytest.raises(ValueError, match=f"^{name} (is|has)") as caught:
        Split(**given)
    assert f"{name}.{call}" in str(caught.value) or f"{call}({name})" in str(caught.value)


def test_inputs_that_give_arrays_for_rows_are_read_and_others_refused():
    on_disk = Like(X, np.asarray, X.dtype)
    run = learn(Split(on_disk, LABELS))
    assert np.array_equal(run.network.trunk[0]["W"], learn(Split(X, LABELS)).network.trunk[0]["W"])
    with pytest.raises(
        ValueError, match=r"inputs is a test_inputs Ordered that cannot give the rows \[1, 0\].*inputs\[:\]"
    ):
        Split(Ordered(X, np.asarray, X.dtype), LABELS)
    with pytest.raises(ValueError, match="labels is a test_inputs Like"):
        Split(X, Like(LABELS, np.asarray, LABELS.dtype))
    with pytest.raises(ValueError, match=r"inputs gives rows of shape \(2, 6\) and dtype int64"):
        Split(Like(X, lambda rows: rows.astype(int)), LABELS)
    assert len(Split(Like(X[:0], np.asarray, X.dtype), LABELS[:0])) == 0


def test_arrays_of_a_device_and_of_a_file_are_taken(tmp_path):
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert np.array_equal(batch(Split(mapped, LABELS), [3, 1]), X[[3, 1]])
    there = Split(strictarrays.asarray(X), strictarrays.asarray(LABELS))
    assert isinstance(batch(there, slice(2)), strictarrays.ndarray)


def learn(split, network=None, **settings):
    network = network or mlp((split.inputs.shape[-1], 8), {"t": 3}, generator(0))
    run, tasks = Run(network, generator(0)), {"t": Task("t", 3, split, split, split)}
    list(train(run, tasks, Hyperparameters(max_epochs=2, **settings)))
    return run


@pytest.mark.parametrize(
    ("dtype", "call"),
    [
        (np.complex64, "numpy.concatenate([inputs.real, inputs.imag], 1)"),
        (np.int64, "inputs.astype(numpy.float32)"),
        (bool, "inputs.astype(numpy.float32)"),
        (np.uint16, "inputs.astype(numpy.float32)"),
        (object, "inputs.astype(numpy.float32)"),
    ],
)
def test_inputs_of_another_kind_are_refused_with_what_to_call(dtype, call):
    with pytest.raises(ValueError, match=r"inputs has shape \(30, 6\) and dtype") as caught:
        Split(X.astype(dtype), LABELS)
    assert call in str(caught.value)
    made = eval(call, {"numpy": np, "inputs": X.astype(dtype)})
    assert batch(Split(made, LABELS), slice(None)).shape[0] == 30


LABELS_OF_OTHERS = {  # labels, and how often a call is named
    "floats": (LABELS.astype(float), 2),
    "yes and no": (LABELS > 0, 1),
    "a column": (LABELS[:, None], 2),
    "one-hot": (np.eye(3, dtype=int)[LABELS], 2),
    "one-hot, yes and no": (np.eye(3)[LABELS] > 0, 2),
    "names": (np.array(["a", "b", "c"])[LABELS], 1),
    "objects": (np.array(["a", "b", None], dtype=object)[LABELS], 0),
}


@pytest.mark.parametrize("kind", LABELS_OF_OTHERS)
def test_labels_of_another_form_are_refused_with_what_to_call(kind):
    labels, calls = LABELS_OF_OTHERS[kind]
    with pytest.raises(ValueError, match=r"labels has shape .* and dtype .*; expected whole numbers \(30,\)") as caught:
        Split(X, labels)
    named = re.findall(
        r"(?:labels|numpy)[.\[][^ ,]*(?:\([^ ]*(?:, \w+=\w+)?\))?(?:, None\])?(?:\[1\])?", str(caught.value)
    )
    assert len(named) >= calls
    if calls:
        first = str(caught.value).partition(")" + ": ")[2].split(" for ")[0].split(" numbers ")[0]
        made = eval(first, {"numpy": np, "labels": labels})
        assert np.array_equal(Split(X, made).labels, (LABELS > 0) if kind == "yes and no" else LABELS)


@pytest.mark.parametrize("largest", [1, 2, 9, 16, 63, 100, 127])
def test_small_whole_numbers_as_uint8_are_asked_about(largest):
    small = np.linspace(0, largest, 180).astype(np.uint8).reshape(30, 6)
    with pytest.warns(UserWarning, match=f"inputs has dtype uint8 and no value above {largest}: .*inputs.astype"):
        Split(small, LABELS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert batch(Split(small.astype(np.float32), LABELS), slice(None)).max() == largest


@pytest.mark.parametrize("largest", [0, 128, 200, 255])
def test_pixels_are_taken_for_pixels(largest):
    pixels = np.linspace(0, largest, 180).astype(np.uint8).reshape(30, 6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert batch(Split(pixels, LABELS), slice(None)).max() == pytest.approx(largest / 255)


@pytest.mark.parametrize("loss", [npnet.soft_cross_entropy, partial(npnet.soft_cross_entropy, temperature=2.0)])
def test_soft_labels_are_not_judged_as_a_regression(loss):
    soft = Split(X, np.eye(3)[LABELS] * 0.9 + 0.1 / 3)
    with pytest.raises(ValueError, match="loss is soft_cross_entropy; expected squared_error for 't', with values"):
        learn(soft, loss=loss)
    assert learn(replace(soft, kind="probabilities"), loss=loss)


SPLIT = Split(X, LABELS)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("t", 3, SPLIT, None, SPLIT), "validation of task 't' is None; expected a Split"),
        (("t", 3, X, SPLIT, SPLIT), "train of task 't' is .*; expected a Split"),
        (("t", 3, SPLIT, SPLIT, (X, LABELS)), "test of task 't' is .*; expected a Split"),
        ((3, 3, SPLIT, SPLIT, SPLIT), "name is 3; expected a string"),
        (("t", 3.0, SPLIT, SPLIT, SPLIT), r"outputs of task 't' is 3\.0; expected a whole number"),
        (("t", 0, SPLIT, SPLIT, SPLIT), "outputs of task 't' is 0; expected a whole number, at least 1"),
        (("t", "3", SPLIT, SPLIT, SPLIT), "outputs of task 't' is '3'"),
    ],
)
def test_parts_of_a_task_are_refused_by_name(given, message):
    with pytest.raises(ValueError, match=message):
        Task(*given)


@pytest.mark.parametrize("given", [SPLIT, ("t",), ("t", X), "t"])
def test_evaluations_are_pairs(given):
    run, tasks = Run(mlp((6, 8), {"t": 3}, generator(0)), generator(0)), {"t": Task("t", 3, SPLIT, SPLIT, SPLIT)}
    with pytest.raises(
        ValueError, match=r"evaluations is {'old': .*; expected a dict {a string: \(a string, a Split\)}"
    ):
        list(train(run, tasks, evaluations={"old": given}))


def layer(inputs, outputs, **changes):
    W = np.linspace(-1, 1, inputs * outputs, dtype=np.float32).reshape(inputs, outputs)
    return {"W": W, "b": np.zeros(outputs, np.float32), **changes}


PARTS = {  # hidden layer, head, and what is said
    "a head of another width": (layer(6, 4), layer(9, 3), r"head 't' has W \(9, 3\), b \(3,\); .*the 4 units"),
    "a bias of one": (layer(6, 4, b=np.zeros(1, np.float32)), layer(4, 3), r"trunk layer 1 has W \(6, 4\), b \(1,\)"),
    "a bias as a row": (layer(6, 4, b=np.zeros((1, 4), np.float32)), layer(4, 3), r"trunk layer 1 .* b \(1, 4\)"),
    "Keras": ({"kernel": layer(6, 4)["W"], "bias": layer(6, 4)["b"]}, layer(4, 3), r"kernel \(6, 4\).*expected W"),
    "PyTorch": ({"weight": layer(6, 4)["W"].T, "bias": layer(6, 4)["b"]}, layer(4, 3), r"weight \(4, 6\).*expected W"),
    "one name too many": (layer(6, 4, c=np.zeros(4, np.float32)), layer(4, 3), "trunk layer 1 has .*c .*expected W"),
    "no bias": ({"W": layer(6, 4)["W"]}, layer(4, 3), "trunk layer 1 has .*expected W"),
    "lists": ({k: w.tolist() for k, w in layer(6, 4).items()}, layer(4, 3), r"list for 'W'.*numpy.asarray\(W\)"),
    "masked": (layer(6, 4, W=np.ma.array(np.ones((6, 4)))), layer(4, 3), "MaskedArray for 'W'.*filled"),
    "two precisions": (
        layer(6, 4),
        {k: w.astype(float) for k, w in layer(4, 3).items()},
        "head 't' .*float64; .*float32",
    ),
    "whole numbers": (layer(6, 4, W=np.ones((6, 4), int)), layer(4, 3), "trunk layer 1 has 'W' of dtype int64"),
    "outputs first": (layer(6, 4, W=layer(4, 6)["W"]), layer(4, 3), r"trunk layer 1 .*W\.T\.copy\(\), where outputs"),
    "a view of outputs first": (layer(6, 4, W=layer(4, 6)["W"].T), layer(4, 3), r"layer 1 has 'W', .*C-cont.*W\.copy"),
    "read-only": (layer(6, 4), layer(4, 3, b=np.frombuffer(bytes(12), np.float32)), "head 't' has 'b', which is read"),
    "a pair": ((layer(6, 4)["W"], layer(6, 4)["b"]), layer(4, 3), "trunk layer 1 is .*expected parameters"),
    "an empty head": (layer(6, 4), {}, "head 't' is {}; expected parameters"),
}


@pytest.mark.parametrize("name", PARTS)
def test_parts_of_a_network_are_refused_by_the_name_of_their_layer(name):
    hidden, head, message = PARTS[name]
    with pytest.raises(ValueError, match=message):
        Network([hidden], {"t": head})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"trunk": [], "heads": {}}, r"trunk is \[\]; expected a list"),
        ({"trunk": layer(6, 4)}, "trunk is {.*; expected a list"),
        ({"trunk": [layer(6, 4), layer(5, 3)]}, r"trunk has layers of W \(6, 4\), b \(4,\); W \(5, 3\)"),
        ({"heads": [layer(4, 3)]}, "heads is .*; expected {name: parameters}"),
        ({"heads": {0: layer(4, 3)}}, "heads is .*; expected {name: parameters}"),
        ({"activation": "swish"}, "activation is 'swish'; expected one of relu, identity"),
        ({"activation": 3}, "activation is 3; expected one of relu, identity"),
        ({"dropout": "0.5"}, "dropout is '0.5'; expected one rate"),
        ({"dropout": 1.0}, "dropout is 1.0; expected one rate, 0 <= rate < 1"),
        ({"dropout": (0.5, 0.5)}, r"dropout is \(0.5, 0.5\); expected 1 entries"),
        ({"dropout": None}, "dropout is None; expected one rate"),
    ],
)
def test_networks_are_refused_by_the_name_of_the_argument(given, message):
    with pytest.raises(ValueError, match=message):
        Network(**{"trunk": [layer(6, 4)], "heads": {"t": layer(4, 3)}, **given})


def test_one_dropout_rate_is_that_of_every_hidden_layer(tmp_path):
    for rate in (0.5, np.float32(0.5), 0):
        network = mlp((6, 8, 8), {"t": 3}, generator(0), dropout=rate)
        assert network.dropout == (rate, rate)
        network.save(tmp_path / "n.npz")
        assert Network.load(tmp_path / "n.npz").dropout == (rate, rate)
    assert mlp((6, 8, 8), {}, generator(0), dropout=[0.1, 0.2]).dropout == (0.1, 0.2)


def test_a_network_of_half_precision_or_of_one_imaginary_part_is_one():
    assert mlp((6, 8), {"t": 3}, generator(0), dtype=np.float16).dtype == np.float16
    stepped = layer(6, 4)
    stepped["W"] = stepped["W"] + np.complex64(1e-20j)
    assert Network([stepped], {"t": layer(4, 3)}).logits(X, "t").dtype == np.complex64


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"widths": 6}, "widths is 6; expected"),
        ({"widths": "68"}, "widths is '68'; expected"),
        ({"widths": ()}, r"widths is \[\]|widths is \(\)"),
        ({"widths": (6, 8.0)}, r"widths is \(6, 8\.0\)"),
        ({"heads": 3}, "heads is 3; expected"),
        ({"heads": {"t": 3.0}}, "heads is {'t': 3.0}; expected a dict {a string: a whole number}"),
        ({"rng": 0}, "rng is 0; expected a generator"),
        ({"dtype": "single precision"}, "dtype is 'single precision'; expected one of floats"),
        ({"dtype": int}, "dtype is int; expected one of floats"),
        ({"patches": "2"}, "patches is '2'; expected"),
        ({"patches": 4}, "patches is 4; expected a number that divides 6"),
    ],
)
def test_a_new_network_is_refused_by_the_name_of_the_argument(given, message):
    with pytest.raises(ValueError, match=message):
        mlp(**{"widths": (6, 8), "heads": {"t": 3}, "rng": generator(0), **given})
