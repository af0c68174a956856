"""Descriptors, neighbours, and joint training on those of the source that are alike."""

import cmath
import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_training import blobs, network, same, states

from npnet.arrays import generator, to_host
from npnet.data import Split
from npnet.hyperparameters import Hyperparameters
from npnet.joint_tuning import joint_tasks, selective_joint_tuning
from npnet.joint_tuning.selection import (
    Neighbours,
    activations,
    describe,
    gabor_bank,
    gabor_histograms,
    nearest,
    neighbours_of,
    responses,
)
from npnet.joint_tuning.tuning import misclassified
from npnet.methods import begin, fine_tuning
from npnet.run import Run
from npnet.schedules import constant
from npnet.tasks import draw, line_tasks
from npnet.training import train
from npnet.trees import load_tree, save_tree


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 4), st.integers(0, 10**6), st.data())
def test_the_nearest_are_those_that_scipy_finds(n, m, d, seed, data):
    from scipy.spatial import KDTree

    rng = generator(seed)
    targets, source = rng.standard_normal((n, d)), rng.standard_normal((m, d))
    k = data.draw(st.integers(1, m))
    distances, rows = KDTree(source).query(targets, k=range(1, k + 1))
    np.testing.assert_array_equal(nearest(targets, source, k), rows)
    np.testing.assert_array_equal(nearest(source, source, 1)[:, 0], np.arange(m))
    away = 1e6 + nearest(targets + 1e6, source + 1e6, k)  # far from zero nothing of them is lost
    np.testing.assert_array_equal(away - 1e6, rows) if distances.std() > 1e-3 else None


def test_of_equally_near_ones_the_first_comes_first(monkeypatch, xp):
    source = xp.asarray(np.array([[1.0], [0], [1], [0], [5]]))
    found = nearest(xp.asarray(np.array([[0.0], [1], [6]])), source, 2)
    np.testing.assert_array_equal(to_host(found), [[1, 3], [0, 2], [4, 0]])
    everyone = nearest(xp.asarray(np.array([[0.0]])), source, 5)
    np.testing.assert_array_equal(to_host(everyone), [[1, 3, 0, 2, 4]])
    pairs = np.random.default_rng(0).integers(0, 2, (51, 2)).astype(float)  # many alike, also at the last place
    for k in range(1, 52):
        order = np.argsort((pairs**2).sum(1), kind="stable")[None, :k]
        np.testing.assert_array_equal(to_host(nearest(xp.zeros((1, 2)), xp.asarray(pairs), k)), order)
    monkeypatch.setattr("npnet.joint_tuning.selection._ENTRIES", 10)  # blocks of two targets
    again = nearest(xp.asarray(np.array([[0.0], [1], [6]])), source, 2)
    np.testing.assert_array_equal(to_host(again), to_host(found))


def test_a_filter_bank():
    bank = gabor_bank(7, 4, (3.0, 6.0), (0.0, 90.0))
    assert bank.shape == (16, 49)
    np.testing.assert_allclose(bank.sum(1), 0, atol=1e-14)
    np.testing.assert_allclose((bank**2).sum(1), 1)
    square = bank.reshape(4, 4, 7, 7)
    np.testing.assert_allclose(square[2, :, :, :], square[0].transpose(0, 2, 1), atol=1e-12)  # 90° on: u is y
    stripes = np.cos(2 * np.pi * np.arange(32) / 6)[None, :].repeat(32, 0).reshape(1, -1)
    energy = (responses(stripes, 32, bank) ** 2).mean((0, 1)).reshape(4, 2, 2).sum(-1)
    assert np.unravel_index(energy.argmax(), energy.shape) == (0, 1)  # along x, of wavelength 6


def test_a_filter_is_its_formula():
    size, angles, wavelengths, phases = 5, 3, (2.5, 4.0), (0.0, 40.0)
    bank = iter(gabor_bank(size, angles, wavelengths, phases))
    for k, wavelength, phase in product(range(angles), wavelengths, phases):
        values = []
        for y, x in product(range(-2, 3), repeat=2):
            along = cmath.rect(1, math.pi * k / angles)
            u, v = (complex(x, y) / along).real, (complex(x, y) / along).imag
            spread = 2 * (wavelength / 2) ** 2
            values.append(
                math.exp(-(u * u + v * v / 4) / spread) * math.cos(2 * math.pi * (u / wavelength + phase / 360))
            )
        values = np.array(values) - np.mean(values)
        np.testing.assert_allclose(next(bank), values / math.hypot(*values), atol=1e-14)
    assert next(bank, None) is None
    gabor_bank(3)  # the smallest


def test_responses_are_correlations(xp):
    from scipy.signal import correlate2d

    images = generator(0).random((2, 81))
    bank = gabor_bank(3, 2, (3.0,))
    R = to_host(responses(xp.asarray(images), 9, xp.asarray(bank)))
    for n in range(2):
        for f, w in enumerate(bank):
            expected = correlate2d(images[n].reshape(9, 9), w.reshape(3, 3), "valid")
            np.testing.assert_allclose(R[n, :, f], expected.reshape(-1), atol=1e-12)


def test_histograms_share_their_bins_equally_and_see_orientation(xp):
    images = draw("acl", 0, 0, 60).images.reshape(60, -1)
    split = Split(xp.asarray(images), xp.asarray(np.zeros(60, int)))
    descriptor = gabor_histograms(split, 32, bins=5, bank=xp.asarray(gabor_bank()))
    H = to_host(describe(descriptor, split))
    assert H.shape == (60, 16 * 5)
    np.testing.assert_allclose(H.reshape(60, 16, 5).sum(-1), 1, atol=1e-6)
    assert abs(H.reshape(60, 16, 5).mean(0) - 0.2).max() < 0.05
    if xp is np:
        turned = Split(images.reshape(60, 32, 32).transpose(0, 2, 1).reshape(60, -1), np.zeros(60, int))
        other = describe(gabor_histograms(turned, 32, bins=5), turned).reshape(60, 4, 4, 5)
        np.testing.assert_allclose(other[:, 2], H.reshape(60, 4, 4, 5)[:, 0], atol=3e-3)


def test_activations_describe_too():
    net, task = network(), blobs()
    described = describe(activations(net, (1, 2)), task.train, np.float64)
    X = task.train.inputs[:] / 255
    np.testing.assert_allclose(described, np.concatenate(net.hidden_outputs(X), 1), rtol=1e-12)


def test_neighbours_grow_where_a_target_stays_wrong(xp):
    ranking = xp.asarray(np.array([[3, 1, 0], [3, 2, 1]]))
    neighbours = Neighbours(ranking, xp.asarray(np.array([1, 1])))
    assert to_host(neighbours.rows()).tolist() == [3]
    more = neighbours.grown(xp.asarray(np.array([False, True])), 1)
    assert to_host(more.rows()).tolist() == [2, 3]
    most = more.grown(xp.asarray(np.array([False, True])), 9)
    assert to_host(most.counts).tolist() == [1, 3]
    assert to_host(most.rows()).tolist() == [1, 2, 3]
    assert neighbours.tree()["counts"] is neighbours.counts


SETTINGS = Hyperparameters(rate=constant(0.1), max_epochs=7, patience=None, watch=("b",))


def selective(seed=0):
    source, task = blobs("a", sizes=(200, 40, 40)), blobs("b", noise=2.0)
    old = network()
    descriptors = [describe(activations(old), each.train, np.float64) for each in (task, source)]
    run, settings = begin(fine_tuning, old, task, generator(seed), SETTINGS)
    return run, source, task, neighbours_of(*descriptors, k=1, most=5), settings


def test_selective_joint_tuning_grows_its_source_and_goes_on_to_the_same_bits(tmp_path):
    run, source, task, neighbours, settings = selective()
    old = run.network.heads["a"]["W"].copy()
    rounds = list(selective_joint_tuning(run, source, task, neighbours, settings, every=2, step=2))
    sizes = [len(each.rows()) for _, each in rounds]
    assert len(rounds) == 7
    assert sizes[0] == sizes[1] == len(neighbours.rows())
    assert sizes[2] > sizes[1]
    assert sizes[3] == sizes[2]
    assert (run.network.heads["a"]["W"] != old).any()
    assert run.history[0]["updates"] == -(-70 // 20) + -(-sizes[0] // 20)
    assert run.history[-1]["validation"].keys() == {"b"}
    for cut in (2, 3, 4):
        stopped, _, _, begun, _ = selective()
        for _, (_, now) in zip(
            range(cut), selective_joint_tuning(stopped, source, task, begun, settings, 2, 2), strict=False
        ):
            save_tree(tmp_path / "run.npz", {"run": stopped.tree(), "neighbours": now.tree()})
        tree = load_tree(tmp_path / "run.npz")
        resumed = Run.from_tree(tree["run"])
        for _ in selective_joint_tuning(resumed, source, task, Neighbours(**tree["neighbours"]), settings, 2, 2):
            pass
        assert same(states(run), states(resumed))


def test_misclassified_is_the_error():
    run, source, task, _, settings = selective()
    list(train(run, joint_tasks(source, task), settings))
    wrong = misclassified(run.network, "b", task.validation)
    assert 100 * wrong.mean() == pytest.approx(min(r["error"] for r in run.history))
    Z = run.network.logits(task.validation.inputs[:] / 255, "b")
    np.testing.assert_array_equal(wrong, Z.argmax(1) != task.validation.labels)


def test_several_questions_about_the_same_stimuli():
    tasks = line_tasks("acl", 3, ("label", "angle", "lengths"), train=40, validation=10, test=10)
    assert list(tasks) == ["label", "angle", "lengths"]
    assert [task.outputs for task in tasks.values()] == [2, 1, 2]
    for which in ("train", "validation", "test"):
        inputs = [getattr(task, which).inputs for task in tasks.values()]
        assert inputs[0] is inputs[1] is inputs[2]
    from npnet.tasks import line_task

    for target, task in tasks.items():
        alone = line_task("acl", 3, 40, 10, 10, target=target)
        np.testing.assert_array_equal(task.train.inputs[:], alone.train.inputs[:])
        np.testing.assert_array_equal(task.train.labels, alone.train.labels)
    crossings = line_tasks("acl", 3, ("fractions", "angle"), train=10, validation=5, test=5)
    assert crossings["fractions"].train.labels.shape == (10, 2)


def test_bad_input_is_named():
    run, source, task, neighbours, settings = selective()
    X = np.zeros((3, 2))
    wrong = np.zeros(3, bool)
    for f, words in (
        (lambda: nearest(X, X, 4), "k is 4"),
        (lambda: nearest(X, X[:, :1], 1), "equal widths"),
        (lambda: neighbours_of(X, X, 2, most=1), "k is 2, most 1"),
        (lambda: neighbours_of(X, X, -1, most=2), "k is -1, most 2"),
        (lambda: neighbours.grown(wrong, 1), r"wrong has shape \(3,\)"),
        (lambda: gabor_bank(4), "size is 4"),
        (lambda: gabor_bank(wavelengths=(3.0, 0.0)), "wavelengths above zero"),
        (lambda: gabor_histograms(task.train, 2, bins=1), "bins is 1"),
        (lambda: gabor_bank(1), "size is 1"),
        (lambda: gabor_bank(5, 0), "0 orientations"),
        (lambda: responses(X, 3, gabor_bank(3)), r"X has shape \(3, 2\)"),
        (lambda: activations(network(), (3,)), r"layers is \(3,\)"),
        (lambda: joint_tasks(task, task), "are both 'b'"),
        (lambda: joint_tasks(source, task, np.array([], int)), "is empty"),
        (lambda: misclassified(run.network, "b", Split(X, X)), "has values; expected classes"),
        (lambda: next(selective_joint_tuning(run, source, task, neighbours, settings, every=0)), "every is 0"),
        (lambda: next(selective_joint_tuning(run, source, task, neighbours, settings, step=-1)), "step is -1"),
        (lambda: next(selective_joint_tuning(run, source, source, neighbours, settings)), "neighbours are of"),
        (lambda: next(selective_joint_tuning(run, task, task, neighbours, settings)), "up to source image"),
        (lambda: line_tasks("acl", 0, ("label", "fractions"), 5, 5, 5), "both classes of 'acl'"),
        (lambda: line_tasks("acl", 0, ("label", "label"), 5, 5, 5), "each once"),
        (lambda: line_tasks("acl", 0, ("colour",), 5, 5, 5), "asked is"),
    ):
        with pytest.raises(ValueError, match=words):
            f()
    some = Neighbours(np.array([[0, 2]]), np.array([2]))  # rows of the source that stay as they are
    assert next(selective_joint_tuning(run, source, task, some, settings, step=0))[1] is some
    with pytest.raises(ValueError, match="neighbours are of 1 images"):
        next(selective_joint_tuning(run, source, task, some, settings, step=1))
    assert replace(neighbours, counts=neighbours.counts).rows().size
