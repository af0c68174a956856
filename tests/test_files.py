"""Files: what is saved comes back or is refused before anything is lost, and what is no file of ours is named."""

import gzip
import json
import os
import pickle
import stat
import threading
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import npnet
from npnet import Hyperparameters, Network, Run, Split, Task, generator, load_tree, mlp, save_tree, train
from npnet.trees import leaves

plain = hnp.scalar_dtypes()
records = hnp.array_dtypes() | hnp.nested_dtypes()


@given(st.data(), plain | records)
def test_an_array_of_any_dtype_comes_back_or_the_old_file_stays(tmp_path, data, dtype):
    array = data.draw(hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0)))
    comes_back_or_is_refused(tmp_path / "tree.npz", array, refused=dtype.names is not None)


def comes_back_or_is_refused(path, value, refused):
    save_tree(path, {"weights": "good"})
    if refused:
        with pytest.raises(TypeError, match=r"leaf /weights is .*expected"):
            save_tree(path, {"weights": value})
        assert load_tree(path) == {"weights": "good"}
    else:
        save_tree(path, {"weights": value})
        found = load_tree(path)["weights"]
        assert type(found) is np.ndarray
        assert (found.dtype, found.shape, found.tobytes()) == (value.dtype, value.shape, value.tobytes())


class Own(np.ndarray):
    """A subclass, as those with units are."""


@pytest.mark.parametrize(
    ("make", "save"),
    [
        (lambda a: np.ma.array(a, mask=[[True, False], [False, False]]), "its data and its mask"),
        (lambda a: np.ma.array(a), "its data and its mask"),
        (lambda a: np.matrix(a), "numpy.asarray of it"),
        (lambda a: a.view(Own), "numpy.asarray of it"),
        (lambda a: a.view([("x", "f8")]).view(np.recarray), "numpy.asarray of it"),
        (lambda a: a.view([("x", "f8")]), "each field by its name"),
        (lambda a: np.zeros(2, np.dtype([("a", "u1"), ("b", "f8")], align=True)), "each field by its name"),
        (lambda a: a.astype(object), "numpy.float32"),
        (lambda a: a.view("V8"), "numpy.float32"),
    ],
)
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of np.matrix
def test_arrays_that_would_not_come_back_are_refused_with_what_to_save(make, save, tmp_path):
    value = make(np.ones((2, 2)))
    comes_back_or_is_refused(tmp_path / "t.npz", value, refused=True)
    with pytest.raises(TypeError, match=f"leaf /weights is .*save .*{save}"):
        save_tree(tmp_path / "t.npz", {"weights": value})


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "int4"])
def test_dtypes_of_other_packages_are_refused(name, tmp_path):
    dtypes = pytest.importorskip("ml_dtypes")
    comes_back_or_is_refused(tmp_path / "t.npz", np.ones(3, getattr(dtypes, name)), refused=True)


def test_a_mapped_array_is_saved_as_what_it_holds(tmp_path):
    mapped = np.memmap(tmp_path / "raw", np.float32, "w+", shape=(3,))
    mapped[:] = 1, 2, 3
    save_tree(tmp_path / "t.npz", {"a": mapped})
    assert load_tree(tmp_path / "t.npz")["a"].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "value", [np.float16(0.1), np.float32(0.1), np.float64(0.1), np.int8(-3), np.uint64(2**64 - 1)]
)
def test_numpy_scalars_come_back_as_plain_numbers(value, tmp_path):
    save_tree(tmp_path / "t.npz", {"a": [value, {"b": value}]})
    found = load_tree(tmp_path / "t.npz")["a"]
    assert found == [value, {"b": value}]
    assert type(found[0]) is (int if isinstance(value, np.integer) else float)


def test_other_scalars_keep_their_meaning_or_are_refused(tmp_path):
    save_tree(tmp_path / "t.npz", [np.bool(True), np.str_("text"), np.float32("inf")])
    assert load_tree(tmp_path / "t.npz") == [True, "text", np.inf]
    assert load_tree(tmp_path / "t.npz")[0] is True
    for value in (np.complex64(1j), np.datetime64("2020"), b"bytes", 1j, {1}, np.longdouble(0.1)):
        with pytest.raises(TypeError, match=r"leaf /1 is a \w+ of \w+; expected .* number"):
            save_tree(tmp_path / "t.npz", [0, value])
    assert load_tree(tmp_path / "t.npz")[0] is True


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("mask", [0o077, 0o027, 0o002])
def test_files_have_the_permissions_of_the_umask_and_it_is_left_alone(mask, tmp_path, monkeypatch):
    before = os.umask(mask)

    def changed(value):
        raise AssertionError("the umask belongs to all threads: while one changes it, files of others are open to all")

    monkeypatch.setattr(os, "umask", changed)
    try:
        threads = [threading.Thread(target=save_tree, args=(tmp_path / f"{i}.npz", {"i": i})) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        monkeypatch.undo()
        found = os.umask(before)
    assert found == mask
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o666 & ~mask}
    assert [load_tree(tmp_path / f"{i}.npz")["i"] for i in range(8)] == list(range(8))


def test_many_threads_may_save_one_file(tmp_path):
    path = tmp_path / "t.npz"
    threads = [threading.Thread(target=save_tree, args=(path, {"a": np.full(1000, i)})) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(load_tree(path)["a"].tolist())) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["t.npz"]


def zipped(**members):
    def write(path):
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)

    return write


FOREIGN = {
    "safetensors": (b'\x0f\0\0\0\0\0\0\0{"W": {"a": 1}}', "a safetensors file"),
    "onnx": (b"\x08\x09\x12\x07example:", "an ONNX model"),
    "csv": (b"a,b\n1,2\n", "text"),
    "json": (json.dumps({"kind": "Network"}).encode(), "text"),
    "utf8": ("ä,ö\n1,2\n".encode(), "text"),
    "idx": (b"\0\0\x08\x01\0\0\0\x02ab", "an IDX file.*npnet.tasks.read_idx"),
    "idx.gz": (gzip.compress(b"\0\0\x08\x01\0\0\0\x02ab"), "compressed by gzip"),
    "npy": (np.save, "a .npy file of one array"),
    "npz": (np.savez, "an .npz archive of another program, with the arrays arr_0"),
    "compressed.npz": (lambda path, a: np.savez_compressed(path, W=a, b=a), "with the arrays W, b"),
    "h5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file"),
    "keras": (zipped(config_dot_json="{}", model_dot_weights_dot_h5=b"1"), "a model of Keras"),
    "zip": (zipped(readme="text", data="1"), "a zip archive of another program, with readme, data"),
    "empty": (b"", "empty"),
    "noise": (bytes(range(200, 256)), "of an unknown format"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(9), "a PNG image"),
    "mat": (b"MATLAB 5.0 MAT-file, Platform: GLNXA64", "a file of MATLAB"),
}
PICKLES = {
    **{f"protocol {n}.pkl": (pickle.dumps({"W": [1.0]}, n), "pickle") for n in (2, 3, 4, 5)},
    "pt": (zipped(model__data_dot_pkl=pickle.dumps(1)), "PyTorch"),
}


@pytest.mark.parametrize("load", [load_tree, Network.load])
@pytest.mark.parametrize("kind", [*FOREIGN, *PICKLES])
def test_a_file_of_another_program_is_called_what_it_is(kind, load, tmp_path):
    content, named = {**FOREIGN, **PICKLES}[kind]
    path = tmp_path / f"model.{kind}"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content in (np.save, np.savez) or kind == "compressed.npz":
        content(path, np.zeros((3, 2)))
    else:
        content(path)
    with pytest.raises(
        ValueError, match=f"model.{kind} is not a whole saved tree .*{named}.*written by npnet"
    ) as caught:
        load(path)
    assert ("pickle" in str(caught.value)) == ("pkl" in kind)
    assert not any(word in str(caught.value) for word in ("Error", "dictionary", "NoneType"))


def test_our_own_files_of_something_else_are_called_what_they_hold(tmp_path):
    run = Run(mlp((3, 4), {"a": 2}, generator(0)), generator(0))
    save_tree(tmp_path / "run.npz", run.tree())
    save_tree(tmp_path / "list.npz", [1, 2])
    with pytest.raises(ValueError, match=r"run.npz is no network: .* the keys 'network', .*its 'network' is one"):
        Network.load(tmp_path / "run.npz")
    with pytest.raises(ValueError, match=r"list.npz is no network: tree has no network, but \[1, 2\]; expected"):
        Network.load(tmp_path / "list.npz")
    run.network.save(tmp_path / "network.npz")
    with pytest.raises(ValueError, match=r"tree is not that of a run, but has the keys 'kind', .*; expected"):
        Run.from_tree(load_tree(tmp_path / "network.npz"))
    with pytest.raises(ValueError, match=r"tree is not that of a run, but is \[1, 2\]; expected"):
        Run.from_tree([1, 2])


def test_files_saved_under_numpy_2_0_and_2_1_are_loaded(tmp_path):
    save_tree(tmp_path / "t.npz", {"a": np.arange(3.0), "b": [1, "two", None]})
    members = dict(np.load(tmp_path / "t.npz"))
    np.savez(tmp_path / "t.npz", **members)
    with zipfile.ZipFile(tmp_path / "t.npz", "a") as archive, archive.open("allow_pickle.npy", "w") as member:
        np.lib.format.write_array(member, np.array(False))
    assert load_tree(tmp_path / "t.npz")["a"].tolist() == [0, 1, 2]


BITS = {kind.__name__: kind for kind in (np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox)}
BITS["SFC64"] = np.random.SFC64
X, LABELS = np.random.default_rng(1).standard_normal((24, 5)).astype(np.float32), np.arange(24) % 3


@pytest.mark.parametrize("kind", BITS)
def test_a_run_on_any_bit_generator_goes_on_to_the_same_bits(kind, tmp_path):
    split, settings = Split(X, LABELS), Hyperparameters(max_epochs=4, patience=None)
    tasks = {"t": Task("t", 3, split, split, split)}
    run = Run(mlp((5, 6), {"t": 3}, generator(0), dropout=(0.5,)), np.random.Generator(BITS[kind](7)))
    other = None
    for record in train(run, tasks, settings):
        if record["epoch"] == 2:
            run.rng.random(3, np.float32)  # half a word is left over
            save_tree(tmp_path / "run.npz", run.tree())
            other = Run.from_tree(load_tree(tmp_path / "run.npz"))
    list(train(other, tasks, settings))
    assert type(other.rng.bit_generator) is BITS[kind]
    for (place, a), (_, b) in zip(leaves(run.tree()), leaves(other.tree()), strict=True):
        assert np.array_equal(a, b), place


def test_another_bit_generator_is_refused_when_the_run_is_made():
    class Mine(np.random.PCG64):
        """One of somebody's own."""

    with pytest.raises(ValueError, match=r"rng draws from test_files.Mine, .*; expected one of NumPy's own, PCG64"):
        Run(mlp((5, 6), {"t": 3}, generator(0)), np.random.Generator(Mine(0)))
    with pytest.raises(ValueError, match="rng is RandomState"):
        Run(mlp((5, 6), {"t": 3}, generator(0)), np.random.RandomState(0))


def test_saved_scalars_let_a_run_go_on(tmp_path):
    network = npnet.mlp((5, 6), {"t": 3}, generator(0), dropout=(np.float32(0.5),))
    save_tree(
        tmp_path / "run.npz",
        Run(network, generator(0), history=[{"error": np.float64(1), "epoch": np.int64(1)}]).tree(),
    )
    assert Run.from_tree(load_tree(tmp_path / "run.npz")).history == [{"error": 1.0, "epoch": 1}]
