"""Tasks from arrays and files of one's own: every usual form is read, split and scaled, and others are refused."""

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npnet
from npnet.arrays import generator
from npnet.data import Task
from npnet.tasks.forms import answers_of
from npnet.tasks.tables import csv_task, npz_task, read_csv


def blobs(n=300, seed=0):
    rng = generator(seed, "own")
    y = rng.integers(0, 3, n)
    return (np.eye(3)[y] @ (3 * np.eye(3, 5)) + rng.standard_normal((n, 5))).astype(np.float32), y


def trained(task, **options):
    network = npnet.mlp((task.train.inputs.shape[-1], 16), {task.name: task.outputs}, generator(0))
    run = npnet.Run(network, generator(1))
    list(npnet.train(run, {task.name: task}, npnet.Hyperparameters(max_epochs=15, rate=0.1, **options)))
    return run.network


FORMS = {
    "whole numbers": lambda y: 10 * y - 7,
    "a column": lambda y: y[:, None],
    "words": lambda y: np.array(["ant", "bee", "cat"])[y],
    "objects": lambda y: np.array(["ant", "bee", "cat"], object)[y],
    "objects that are numbers": lambda y: (y + 4).astype(object),
    "a list": lambda y: [["ant", "bee", "cat"][i] for i in y],
    "one-hot": lambda y: np.eye(3)[y],
    "one-hot, true or false": lambda y: np.eye(3)[y] > 0,
}


@pytest.mark.parametrize("form", FORMS)
def test_classes_of_every_form_are_learned_and_predicted_in_their_own_terms(form):
    X, y = blobs()
    given_y = FORMS[form](y)
    task = Task.from_arrays(X, given_y, seed=3)
    assert [len(split) for split in (task.train, task.validation, task.test)] == [210, 45, 45]
    assert task.train.kind == "classes"
    assert (" from one-hot rows" in repr(task)) == ("hot" in form)
    said = task.predict(trained(task), X)
    expected = y if "hot" in form else np.asarray(given_y).reshape(-1)
    assert (said == expected).mean() > 0.85
    assert set(said.tolist()) <= set(expected.tolist())


def test_other_kinds_are_values_several_labels_and_probabilities():
    X, y = blobs()
    values = Task.from_arrays(X, X[:, 0] * 2.0)
    assert (values.train.kind, values.outputs) == ("values", 1)
    network = trained(values, loss=npnet.squared_error)
    assert np.abs(values.predict(network, X)[:, 0] - 2 * X[:, 0]).mean() < 0.5
    several = Task.from_arrays(X, np.stack([y == 0, y != 1], 1))
    assert (several.train.kind, several.outputs) == ("labels", 2)
    said = several.predict(trained(several, loss=npnet.sigmoid_cross_entropy), X)
    assert (said == np.stack([y == 0, y != 1], 1)).mean() > 0.85
    soft = Task.from_arrays(X, 0.8 * np.eye(3)[y] + 0.2 / 3, kind="probabilities")
    assert (soft.predict(trained(soft, loss=npnet.soft_cross_entropy), X) == y).mean() > 0.85
    assert Task.from_arrays(X, y.astype(float), kind="classes").classes == (0.0, 1.0, 2.0)
    assert Task.from_arrays(X, y, kind="values").train.kind == "values"


@given(st.integers(0, 2**32), st.integers(30, 120), st.floats(0.1, 0.3), st.booleans())
def test_splits_are_disjoint_whole_and_give_each_class_its_share(seed, n, share, stratify):
    rng = generator(seed)
    y, X = rng.choice(3, n, p=(0.6, 0.3, 0.1)), np.arange(n, dtype=float)[:, None]
    y[:9] = np.arange(9) % 3
    task = Task.from_arrays(X, y, validation=share, test=share, seed=seed % 100, stratify=stratify, scale="none")
    parts = [split.inputs[:, 0].astype(int) for split in (task.train, task.validation, task.test)]
    assert sorted(np.concatenate(parts).tolist()) == list(range(n))
    assert len(parts[1]) == len(parts[2]) == max(1, round(share * n))
    codes = answers_of(y, n).codes
    for rows, split in zip(parts, (task.train, task.validation, task.test), strict=True):
        assert (split.labels == codes[rows]).all()
    if stratify:
        for k in range(codes.max() + 1):
            assert abs((codes[parts[2]] == k).sum() - share * (codes == k).sum()) <= 2
    again = Task.from_arrays(X, y, validation=share, test=share, seed=seed % 100, stratify=stratify, scale="none")
    assert (again.train.inputs == task.train.inputs).all()


def test_inputs_are_scaled_as_the_task_says():
    rng = generator(1)
    pixels = rng.integers(0, 256, (60, 7, 4)).astype(np.uint8)
    y = np.arange(60) % 2
    task = Task.from_arrays(pixels, y)
    assert (str(task.scale), task.train.inputs.dtype, task.shape) == ("pixels divided by 255", np.uint8, (7, 4))
    assert task.inputs(pixels).max() <= 1
    bitmaps = Task.from_arrays((pixels > 127).astype(np.uint8), y)  # as semeion's: 0 and 1, not 0 and 1/255
    assert (str(bitmaps.scale), bitmaps.train.inputs.max()) == ("as they are, 0 to 1", 1)
    sixteen = Task.from_arrays(pixels // 16, y)
    assert (str(sixteen.scale), sixteen.train.inputs.max()) == ("as they are, 0 to 15", 15)
    assert Task.from_arrays(pixels // 16, y, scale=16).train.inputs.max() == 15 / 16
    with pytest.warns(UserWarning, match="X has floats from 0 to 255, taken as they are: scale=255 divides pixels"):
        Task.from_arrays(pixels.astype(float), y)
    with pytest.warns(UserWarning, match="X has whole numbers from 0 to 255"):
        Task.from_arrays(pixels.astype(int), y)
    wide = rng.standard_normal((60, 3)) * [1, 100, 0] + [0, 5, 7]
    task = Task.from_arrays(wide, y, scale="standard")
    np.testing.assert_allclose(task.train.inputs.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(task.train.inputs.std(0), [1, 1, 0], atol=1e-5)
    np.testing.assert_allclose(task.inputs(wide).mean(0), 0, atol=0.5)


def test_splits_and_weights_of_ones_own_are_taken():
    X, y = blobs()
    words = np.array(["ant", "bee", "cat"])[y]
    task = Task.from_arrays(
        X, words, validation=(X[:9], words[:9]), test=(X[9:20], words[9:20], np.ones(11)), weights=np.arange(300)
    )
    assert [len(split) for split in (task.train, task.validation, task.test)] == [300, 9, 11]
    assert task.train.weights.tolist() == list(range(300))
    assert task.validation.weights is None
    assert task.validation.labels.tolist() == y[:9].tolist()
    assert "with weights" in repr(task)
    with pytest.raises(ValueError, match="y of test has the class 'dog'; expected one of 'ant', 'bee', 'cat'"):
        Task.from_arrays(X, words, test=(X[:1], ["dog"]))
    with pytest.raises(ValueError, match=r"X of test has inputs of shape \(4,\); expected \(5,\), as in X"):
        Task.from_arrays(X, words, test=(X[:1, :4], ["ant"]))


class Sparse:
    nnz = 3
    shape = (2, 2)

    def toarray(self):
        return np.zeros((2, 2))


def test_what_is_not_read_is_refused_with_what_to_call():
    X, y = blobs(30)
    bad = X.copy()
    bad[3, 2] = np.nan
    answers = y.astype(float)
    answers[4] = np.nan
    for made, message in (
        (lambda: Task.from_arrays(Sparse(), y), r"X is a sparse matrix .*; call X.toarray\(\)"),
        (lambda: Task.from_arrays(np.ma.masked_array(X, X > 0), y), r"X is a masked array.*call X.filled\(...\)"),
        (lambda: Task.from_arrays(X + 1j, y), r"X is complex; call numpy.abs\(X\)"),
        (lambda: Task.from_arrays(bad, y), "X has nan in row 3, column 2; expected finite numbers"),
        (lambda: Task.from_arrays(X, answers), "y has nan in row 4; expected an answer for every input"),
        (lambda: Task.from_arrays(X, ["a", None] * 15), "y has None in row 1; expected an answer"),
        (lambda: Task.from_arrays(X[:, 0], y), r"X has shape \(30,\); expected \(N, D\)"),
        (lambda: Task.from_arrays(X, y[:-1]), r"y has shape \(29,\); expected \(30,\)"),
        (lambda: Task.from_arrays(X.astype(str), y), "X has dtype <U32; expected numbers"),
        (lambda: Task.from_arrays(X, y, test=0), "test is 0; expected a fraction, a count, or a pair"),
        (
            lambda: Task.from_arrays(X, y, test=29),
            "validation is 0.15, 4 of 1 examples left; expected some",
        ),
        (lambda: Task.from_arrays(X, y, scale="unit"), "scale is 'unit'; expected a number to divide by"),
        (lambda: Task.from_arrays(X, y, kind="class"), "kind is 'class'; expected 'classes'"),
        (lambda: Task.from_arrays(X, y, weights=[1.0]), r"weights is an array \(1,\) of float64; expected \(30,\)"),
        (lambda: Task.from_arrays([[1, 2], [3]], [0, 1]), "X is a builtins list that is no array"),
    ):
        with pytest.raises(ValueError, match=message):
            made()
    task = Task.from_arrays(X, y)
    with pytest.raises(ValueError, match=r"X has inputs of shape \(4,\); expected \(5,\)"):
        task.inputs(X[:, :4])


def test_tables_of_pandas_are_converted():
    pandas = pytest.importorskip("pandas")
    X, y = blobs(60)
    table = pandas.DataFrame(X, columns=list("abcde"))
    task = Task.from_arrays(table, pandas.Series(np.array(["ant", "bee", "cat"])[y], dtype="category"))
    assert task.classes == ("ant", "bee", "cat")
    assert Task.from_arrays(table, pandas.get_dummies(pandas.Series(y)).rename(columns=str)).classes == ("0", "1", "2")
    with pytest.raises(ValueError, match=r"X has columns that are no numbers, f; call pandas.get_dummies\(X\)"):
        Task.from_arrays(table.assign(f="word"), y)
    assert Task.from_arrays(table.assign(f=1), y).train.inputs.shape[1] == 6


def test_tensors_of_torch_are_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"X is a tensor of PyTorch; call X.detach\(\).cpu\(\).numpy\(\)"):
        Task.from_arrays(torch.zeros(3, 2), [0, 1, 0])


# Files ----------------------------------------------------------------------------------------------------------------


def table(path, n=90, delimiter=",", header=True, target="kind"):
    X, y = blobs(n)
    rows = [
        [*map(str, x), ("red", "blue")[i % 2], ("ant", "bee", "cat")[k]]
        for i, (x, k) in enumerate(zip(X, y, strict=True))
    ]
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        if header:
            writer.writerow([*"abcde", "colour", target])
        writer.writerows(rows)
    return X, y


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("header", [True, False])
def test_a_table_becomes_a_task(tmp_path, delimiter, header):
    X, y = table(tmp_path / "t.csv", delimiter=delimiter, header=header)
    task, read = csv_task(tmp_path / "t.csv", "kind" if header else -1)
    assert task.classes == ("ant", "bee", "cat")
    assert task.train.inputs.shape[1] == 7  # five numbers, and a colour of two words
    inputs = read.inputs()
    np.testing.assert_allclose(inputs[:, :5], X)
    assert inputs[:2, 5:].tolist() == [[0, 1], [1, 0]]  # blue, red
    assert read.answers().tolist() == np.array(["ant", "bee", "cat"])[y].tolist()


def test_whole_numbers_are_classes_and_others_values(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(20)))
    assert csv_task(tmp_path / "t.csv", "y")[0].train.kind == "classes"
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{i},{i / 3}\n" for i in range(20)))
    assert csv_task(tmp_path / "t.csv", "y")[0].train.kind == "values"


def test_what_is_no_table_is_named(tmp_path):
    path = tmp_path / "t.csv"
    for text, message in (
        ("a,b\n1,2\n3\n", "has 1 values in row 2; expected 2"),
        ("a,b\n1,\n", "has no value in row 1, column 'b'"),
        ("a,a\n1,2\n", "has two columns named 'a'"),
        ("a\n1\n", "rows of one column"),
        ("a,b\n1,2\n", "target is 'c'; expected a column of .*: a, b"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            read_csv(path, "c" if "target" in message else -1)
    np.savez(path.with_suffix(".npz"), a=np.ones(2))
    with pytest.raises(ValueError, match="expected text, values apart by commas"):
        read_csv(path.with_suffix(".npz"))


@pytest.mark.parametrize("names", ["medmnist", "keras", "alone"])
def test_an_archive_becomes_a_task(tmp_path, names):
    rng = generator(0)
    images, labels = rng.integers(0, 256, (90, 4, 4)).astype(np.uint8), rng.integers(0, 3, (90, 1)).astype(np.uint8)
    labels[:3, 0] = range(3)
    arrays = {
        "medmnist": {
            f"{part}_{kind}": of[rows]
            for part, rows in (("train", slice(60)), ("val", slice(60, 70)), ("test", slice(70, 90)))
            for kind, of in (("images", images), ("labels", labels))
        },
        "keras": {"x_train": images[:60], "y_train": labels[:60, 0], "x_test": images[60:], "y_test": labels[60:, 0]},
        "alone": {"X": images, "y": labels},
    }[names]
    np.savez(tmp_path / "set.npz", **arrays)
    task = npz_task(tmp_path / "set.npz", seed=1)
    sizes = {"medmnist": [60, 10, 20], "keras": [51, 9, 30], "alone": [62, 14, 14]}[names]
    assert [len(split) for split in (task.train, task.validation, task.test)] == sizes
    assert (task.name, task.classes, str(task.scale)) == ("set", (0, 1, 2), "pixels divided by 255")
    np.savez(tmp_path / "set.npz", pictures=images)
    with pytest.raises(ValueError, match="has the arrays pictures; expected train_images and train_labels, or X and y"):
        npz_task(tmp_path / "set.npz")
