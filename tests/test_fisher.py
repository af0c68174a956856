"""The Fisher information against loops over examples and classes, and what a network remembers of its old tasks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npnet import Network, Split, Task, begin, generator, growing, mlp, modular, probe, progressive
from npnet.arrays import to_device, to_host
from npnet.layers import chain
from npnet.losses import softmax
from npnet.starting_point import fisher_information, remember

MODES = ("exact", "sampled", "argmax", "empirical", "batched")


def problem(N=23, widths=(6, 5, 4), classes=3, activation="relu", seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    network = mlp(widths, {"old": classes}, generator(seed), activation=activation, dtype=dtype)
    for p in network.trunk:
        p["b"] += rng.normal(size=p["b"].shape)
    split = Split(rng.normal(size=(N, widths[0])), rng.integers(0, classes, N))
    return network, split


def log_share(network, parameters, x, k):
    """log f_k(x), written with complex numbers in mind."""
    Z = chain(*(layer for layer, _ in network.path("old")))(parameters, x)[0][0]
    top = Z.real.max()
    return Z[k] - top - np.log(np.exp(Z - top).sum())


def score(network, x, k, h=1e-30):
    """∂ log f_k(x)/∂w for every parameter of the trunk, one entry at a time by the complex step."""
    gradients = []
    for layer, p in enumerate(network.trunk):
        found = {}
        for name, w in p.items():
            found[name] = np.empty(w.shape)
            for entry in np.ndindex(w.shape):
                shifted = Network(
                    [{key: v.astype(complex) for key, v in q.items()} for q in network.trunk],
                    {"old": {key: v.astype(complex) for key, v in network.heads["old"].items()}},
                    network.activation,
                )
                shifted.trunk[layer][name][entry] += 1j * h
                found[name][entry] = (
                    log_share(shifted, [p for _, p in shifted.path("old")], x.astype(complex), k).imag / h
                )
        gradients.append(found)
    return gradients


def expected(network, split, weights):
    """Σᵢ Σₖ weights[i, k] (∂ log f_k(xᵢ))² / m, one example and class after the other."""
    total = [{name: np.zeros(w.shape) for name, w in p.items()} for p in network.trunk]
    for x, row in zip(split.inputs, weights, strict=True):
        for k, weight in enumerate(row):
            if weight:
                for into, gradients in zip(total, score(network, x[None], k), strict=True):
                    for name, g in gradients.items():
                        into[name] += weight * g**2 / len(split)
    return total


def close(ours, theirs, tolerance=1e-12):
    for a, b in zip(ours, theirs, strict=True):
        assert a.keys() == b.keys() == {"W", "b"}
        for name in a:
            assert np.allclose(a[name], b[name], rtol=tolerance, atol=tolerance * abs(b[name]).max()), name


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("mode", ["exact", "argmax", "empirical"])
def test_against_a_loop_over_examples_and_classes(mode, activation):
    network, split = problem(N=7, activation=activation)
    f = softmax(network.logits(split.inputs, "old"))
    chosen = {"exact": f, "argmax": np.eye(3)[f.argmax(1)], "empirical": np.eye(3)[split.labels]}[mode]
    close(fisher_information(network, "old", split, mode), expected(network, split, chosen))


def test_the_sampled_mode_is_the_exact_one_in_the_mean():
    network, split = problem(N=4)
    many = Split(np.repeat(split.inputs, 20_000, axis=0), np.repeat(split.labels, 20_000))
    sampled = fisher_information(network, "old", many, "sampled", generator(1))
    for ours, exact in zip(sampled, fisher_information(network, "old", split), strict=True):
        for name in exact:
            assert np.allclose(ours[name], exact[name], rtol=0.1, atol=0.02 * exact[name].max())
    again = fisher_information(network, "old", many, "sampled", generator(1))
    assert np.array_equal(again[0]["W"], sampled[0]["W"])
    other = fisher_information(network, "old", many, "sampled", generator(2))
    assert not np.array_equal(other[0]["W"], sampled[0]["W"])


def test_the_batched_mode_squares_the_mean_gradient_of_each_batch():
    network, split = problem(N=12)
    layers, parameters = zip(*network.path("old"), strict=True)
    total = [{name: np.zeros(w.shape) for name, w in p.items()} for p in network.trunk]
    for start in (0, 5, 10):
        rows = slice(start, start + 5)
        Z, back = chain(*layers)(parameters, split.inputs[rows])
        f = softmax(Z)
        gradients = [dp for dp in back((f - np.eye(3)[split.labels[rows]]) / len(Z))[1] if dp][:-1]
        for into, dp in zip(total, gradients, strict=True):
            for name, g in dp.items():
                into[name] += g**2 / 3
    close(fisher_information(network, "old", split, "batched", batch_size=5), total)


@pytest.mark.parametrize("size", [16, 64])
def test_the_batched_mode_is_too_small_by_the_size_of_its_batches(size):
    """Where labels are drawn from f, scores gᵢ are independent of mean zero: E (Σᵢ gᵢ / n)² = Σᵢ E gᵢ² / n² = F / n."""
    network, split = problem(N=64_000, widths=(6, 30), seed=3)
    passed = softmax(network.logits(split.inputs, "old")).cumsum(1) < generator(3).random((len(split), 1))
    drawn = Split(split.inputs, passed.sum(1))
    exact = fisher_information(network, "old", drawn)[0]["W"].sum()
    batched = fisher_information(network, "old", drawn, "batched", batch_size=size)[0]["W"].sum()
    assert batched / exact == pytest.approx(1 / size, rel=0.05)  # 1,000 batches or more: a standard error of 1 %


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 12), st.integers(1, 4), st.integers(0, 10))
def test_a_batch_of_one_example_is_the_empirical_mode(N, hidden, seed):
    network, split = problem(N, (3, hidden), seed=seed)
    close(fisher_information(network, "old", split, "batched", batch_size=1),
          fisher_information(network, "old", split, "empirical"))  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_blocks_dropout_and_labels_that_do_not_matter(mode):
    network, split = problem(N=2_307, widths=(4, 6, 5))
    whole = fisher_information(network, "old", split, mode, generator(0))
    assert all((p["W"] >= 0).all() and (p["W"] > 0).any() and np.isfinite(p["W"]).all() for p in whole)
    network.dropout = (0.2, 0.5)
    close(fisher_information(network, "old", split, mode, generator(0)), whole, 0)
    others = Split(split.inputs, (split.labels + 1) % 3)
    same = np.array_equal(fisher_information(network, "old", others, mode, generator(0))[0]["W"], whole[0]["W"])
    assert same == (mode in ("exact", "sampled", "argmax"))
    if mode != "batched":
        parts = [
            Split(split.inputs[s], split.labels[s]) for s in (slice(0, 1000), slice(1000, 2000), slice(2000, None))
        ]
        rng = generator(0)
        sums = [fisher_information(network, "old", part, mode, rng)[1]["W"] * len(part) for part in parts]
        assert np.allclose(sum(sums) / len(split), whole[1]["W"], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("mode", MODES)
def test_on_the_device(mode, xp):
    network, split = problem(N=50, dtype=np.float32)
    moved = Split(*(to_device(each, xp) for each in (split.inputs, split.labels)))
    ours = to_host(fisher_information(network.to(xp), "old", moved, mode, generator(4)))
    host = fisher_information(network, "old", split, mode, generator(4))
    for a, b in zip(ours, host, strict=True):
        for name in a:
            assert a[name].dtype == np.float32
            assert np.allclose(a[name], b[name], rtol=1e-4, atol=1e-5 * b[name].max())


def test_a_stack_of_networks_is_no_network():
    """Populations stack networks for an epoch; the information is that of one network at a time."""
    networks = [problem(seed=seed)[0] for seed in (0, 1)]
    stack = [{n: np.stack([q.trunk[i][n] for q in networks]) for n in ("W", "b")} for i in range(2)]
    with pytest.raises(ValueError, match=r"W \(2, 6, 5\)"):
        Network(stack)


def test_memories_are_kept_apart_or_merged_and_saved(tmp_path):
    network, split = problem()
    first = fisher_information(network, "old", split)
    one = remember(network, "old", first)
    assert network.memories == {}
    one.trunk[0]["W"][...] += 1.0
    assert np.array_equal(one.memories["old"]["anchor"][0]["W"] + 1.0, one.trunk[0]["W"])
    second = fisher_information(one, "old", split)
    apart = remember(one, "newer", second)
    assert list(apart.memories) == ["old", "newer"]
    close(apart.memories["newer"]["fisher"], second, 0)
    merged = remember(one, "both", second, merge="old", decay=0.5)
    assert list(merged.memories) == ["both"]
    close(merged.memories["both"]["fisher"],
          [{n: 0.5 * a[n] + b[n] for n in a} for a, b in zip(first, second, strict=True)], 1e-15)  # fmt: skip
    close(merged.memories["both"]["anchor"], one.trunk, 0)
    apart.save(tmp_path / "network.npz")
    loaded = Network.load(tmp_path / "network.npz")
    assert list(loaded.memories) == ["old", "newer"]
    for name, memory in apart.memories.items():
        close(loaded.memories[name]["fisher"], memory["fisher"], 0)
        close(loaded.memories[name]["anchor"], memory["anchor"], 0)
    copy = apart.copy()
    copy.memories["old"]["fisher"][0]["W"][...] = 0
    assert apart.memories["old"]["fisher"][0]["W"].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "right"}, "mode is 'right'; expected one of 'exact', 'sampled'"),
        ({"mode": "sampled"}, "rng is None; expected a generator"),
        ({"mode": "batched", "batch_size": 0}, "batch_size is 0"),
        ({"head": "new"}, "head is 'new'"),
        ({"split": Split(np.zeros((0, 6)), np.zeros(0, int))}, "empty"),
        ({"split": Split(np.zeros((2, 6)), np.array([0, 3]))}, "0 to 2"),
        ({"split": Split(np.zeros((2, 6)), np.zeros((2, 3)))}, "split has values for 3 outputs; expected classes"),
    ],
)
def test_information_says_what_was_wrong(change, message):
    network, split = problem()
    with pytest.raises(ValueError, match=message):
        fisher_information(**{"network": network, "head": "old", "split": split, **change})


@pytest.mark.parametrize("method", [growing(deeper=4, normalised=False, trained=0), progressive(), modular()])
def test_networks_with_columns_are_refused(method):
    """Even where all layers below the head are plain linear ones, for these are the column's, not the network's own."""
    network, split = problem()
    task = Task("new", 3, split, split, split)
    grown = begin(method, network, task, generator(0))[0].network
    lower = begin(probe(1), grown, replace(task, name="probe"), generator(0))[0].network
    for each, head in ((grown, "old"), (grown, "new"), (lower, "probe")):
        with pytest.raises(ValueError, match=f"below head '{head}'; expected linear ones alone, and no columns"):
            fisher_information(each, head, split)


def test_remember_says_what_was_wrong():
    network, split = problem()
    information = fisher_information(network, "old", split)
    with pytest.raises(ValueError, match="decay is 2"):
        remember(network, "old", information, decay=2)
    with pytest.raises(ValueError, match=r"merge is 'x'; expected one of \(no memories yet\)"):
        remember(network, "old", information, merge="x")
    for other in (None, split, [{}], information[:1]):
        with pytest.raises(ValueError, match=r"information is .*; expected (what fisher_information returns|a list)"):
            remember(network, "old", other)
    once = remember(network, "old", information)
    with pytest.raises(ValueError, match="name is 'old'"):
        remember(once, "old", information)
    with pytest.raises(ValueError, match="merge is 'x'; expected one of old"):
        remember(once, "new", information, merge="x")
