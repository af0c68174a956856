"""Arrays that never mix, generators with addresses, and trees that survive a disk."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import strictarrays
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npnet.arrays import array_module, generator, sum_to, to_device, to_host, uniform
from npnet.fused import descend
from npnet.trees import leaves, load_tree, map_tree, save_tree, write_atomically


def test_the_array_module_is_where_the_arrays_live(xp):
    x = xp.asarray([1.0])
    assert array_module(x, x + 1) is xp
    if xp is not np:
        with pytest.raises(TypeError, match="device arrays alone"):
            array_module(x, np.ones(1))
        with pytest.raises(TypeError):
            np.asarray(x)
        with pytest.raises(TypeError):
            x + np.ones(1)
    for stranger in ([1.0], 1.0, None):
        with pytest.raises(TypeError, match="expected numpy arrays"):
            array_module(stranger)
    with pytest.raises(TypeError, match="nothing"):
        array_module()


def test_trees_move_and_come_back(xp):
    tree = {"a": [np.ones(2), 3, None], "b": "text"}
    there = to_device(tree, xp)
    assert array_module(there["a"][0]) is xp
    back = to_host(there)
    assert np.array_equal(back["a"][0], tree["a"][0])
    assert back["a"][1:] == [3, None]
    assert back["b"] == "text"


def test_generators_have_addresses():
    draws = [
        generator(*address).random()
        for address in ((1,), (1, 0), (1, "a"), (1, "b"), (2, "a"), (1, "a", 2), (1, 2, "a"), (1, "ab"))
    ]
    assert len(set(draws)) == len(draws)
    assert draws[2] == generator(1, "a").random()
    with pytest.raises(ValueError, match=r"\(-1,\)"):
        generator(-1)
    with pytest.raises(ValueError, match=r"\(1, 'a', -2\)"):
        generator(1, "a", -2)
    with pytest.raises(ValueError, match=r"\(0, 4294967296\); expected .* numbers below 2\*\*32"):
        generator(0, 2**32)  # would be (0, 0, 1)
    for seed in ("a", 0.5, None):
        with pytest.raises(ValueError, match="expected a seed from 0"):
            generator(seed)
    assert generator(np.int64(1), "a").random() == draws[2]


def test_uniform_draws_the_same_bits_everywhere(xp):
    here = uniform(generator(5), np.zeros((3, 4)))
    assert np.array_equal(to_host(uniform(generator(5), xp.asarray(np.zeros((3, 4))))), here)
    assert here.dtype == np.float32


@given(hnp.broadcastable_shapes((2, 3, 4), min_dims=0), st.just((2, 3, 4)))
def test_sum_to_is_the_adjoint_of_broadcasting(small, large):
    large = np.broadcast_shapes(small, large)
    x, Y = np.random.default_rng(0).standard_normal(small), np.random.default_rng(1).standard_normal(large)
    summed = sum_to(small, Y)
    assert summed.shape == small
    np.testing.assert_allclose((np.broadcast_to(x, large) * Y).sum(), (x * summed).sum())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("view", [lambda w: w, lambda w: w[:, ::2], lambda w: w.T])
def test_descend_on_any_array(xp, dtype, view):
    w = view(np.linspace(-1, 1, 24, dtype=dtype).reshape(4, 6))
    d = np.cos(w)
    expected = w - dtype(0.1) * d
    there = xp.asarray(w) if xp is not np else w
    assert descend(there, xp.asarray(d), 0.1)
    np.testing.assert_allclose(to_host(there), expected, rtol=2 * np.finfo(dtype).eps)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("where", [0, 7, 63])
def test_descend_sees_on_the_host_what_is_not_finite(bad, where):
    w, d = np.zeros(64, np.float32), np.zeros(64, np.float32)
    assert descend(w.copy(), d, 1.0)
    d[where] = bad
    assert not descend(w.copy(), d, 1.0)
    d[where] = 3e38
    w[where] = -3e38
    with np.errstate(over="ignore"):
        assert not descend(w.copy(), d, 1.0)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
arrays = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_]), hnp.array_shapes(min_dims=0, min_side=0)
)
trees = st.recursive(
    scalars | arrays,
    lambda t: st.lists(t, max_size=3) | st.dictionaries(st.text(max_size=5), t, max_size=3),
    max_leaves=8,
)


@given(trees)
def test_what_is_saved_is_what_is_loaded(tmp_path, tree):
    path = tmp_path / "tree.npz"
    save_tree(path, tree)
    loaded = load_tree(path)
    assert repr(map_tree(lambda leaf: 0, loaded)) == repr(map_tree(lambda leaf: 0, tree))
    for (_, a), (_, b) in zip(leaves(tree), leaves(loaded), strict=True):
        assert type(a) is type(b)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype
            assert a.shape == b.shape
            assert a.tobytes() == b.tobytes()
        else:
            assert a == b or (a != a and b != b)
    assert sorted(os.listdir(tmp_path)) == ["tree.npz"]


def test_a_generator_state_survives(tmp_path):
    rng = generator(1)
    rng.random(7)
    save_tree(tmp_path / "g.npz", rng.bit_generator.state)
    other = generator(0)
    other.bit_generator.state = load_tree(tmp_path / "g.npz")
    assert np.array_equal(rng.random(9), other.random(9))


def test_damaged_files_are_refused_with_the_reason(tmp_path, rng):
    path = tmp_path / "tree.npz"
    w, refused = rng.standard_normal(50), 0
    save_tree(path, {"w": w, "n": 3})
    whole = path.read_bytes()
    for cut in range(0, len(whole) - 1, 37):
        path.write_bytes(whole[:cut])
        with pytest.raises(ValueError, match="not a whole saved tree"):
            load_tree(path)
    for place in range(0, len(whole), 11):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            tree = load_tree(path)
        except ValueError:
            refused += 1
        else:  # a byte of the archive that carries nothing
            assert np.array_equal(tree["w"], w)
            assert tree["n"] == 3
    assert refused > len(whole) / 11 / 2
    np.savez(path, x=np.ones(3))
    with pytest.raises(ValueError, match="not a whole saved tree"):
        load_tree(path)
    with pytest.raises(FileNotFoundError):
        load_tree(tmp_path / "none.npz")


def test_an_edited_file_is_refused(tmp_path):
    path = tmp_path / "tree.npz"
    save_tree(path, {"w": np.arange(3.0), "epoch": 3})
    members = dict(np.load(path))
    for name, edited in {"0": np.array([0, 1, 9.0]), "structure.json": members["structure.json"][::-1]}.items():
        np.savez(path, **{**members, name: edited})
        with pytest.raises(ValueError, match="its SHA-256 is another one"):
            load_tree(path)
    np.savez(path, **members)
    assert load_tree(path)["epoch"] == 3


def test_nothing_is_unpickled(tmp_path):
    path = tmp_path / "evil.npz"
    structure = np.frombuffer(json.dumps({"w": "array:0"}).encode(), np.uint8)
    np.savez(path, **{"0": np.array([print], dtype=object), "structure.json": structure})
    with pytest.raises(ValueError, match="evil"):
        load_tree(path)


def test_leaves_that_are_not_data_are_refused(tmp_path):
    with pytest.raises(TypeError, match="leaf /a/1 is a ndarray"):
        save_tree(tmp_path / "x.npz", {"a": [1, strictarrays.asarray([1.0])]})
    with pytest.raises(TypeError, match="keys at /a"):
        save_tree(tmp_path / "x.npz", {"a": {1: 2}})
    assert os.listdir(tmp_path) == []


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "f"
    write_atomically(path, b"old")

    def full(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


def test_importing_npnet_imports_no_plotting_statistics_or_network_client():
    heavy = ("matplotlib", "scipy.linalg", "scipy.stats", "pooch", "tyro", "rich", "requests")
    code = f"import npnet, npnet.tasks, sys; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_importing_npnet_imports_no_room_that_training_does_not_need():
    later = ("npnet.check", "npnet.plot", "npnet.tasks")
    code = f"import npnet, sys; print([m for m in {later} if m in sys.modules], 'check_gradient' in dir(npnet))"
    code += "; print(npnet.check_gradient is npnet.check.check_gradient)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] True\nTrue\n"
