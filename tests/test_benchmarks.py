"""The benchmarks run, count what they say they count, and leave measurements that say where they come from."""

import json
import subprocess
import sys
from dataclasses import replace
from statistics import median

import numpy as np
import pytest

from experiments.benchmarks import (
    estimator,
    frozen,
    jacobian,
    measured,
    parts,
    peers,
    population,
    process,
    step,
    stimuli,
    timing,
    variants,
)
from experiments.command import main as command
from npnet import Split, Task, generator, mlp
from npnet.blas import kernels
from npnet.tasks import draw


def test_operations_of_a_step():
    # forward 2·20·(4·3 + 3·2), dW the same, dX of the upper layer alone
    assert step.operations((4, 3, 2), 20) == 2 * 20 * (18 + 18 + 6)


def test_contenders_take_turns():
    order = []
    seconds = timing.in_turn(
        {"a": lambda steps: order.append(("a", steps)), "b": lambda steps: order.append("b")}, 7, 2
    )
    assert order == [("a", 7), "b", ("a", 7), "b", ("a", 7), "b"]  # the first turn of each is not counted
    assert {name: len(times) for name, times in seconds.items()} == {"a": 2, "b": 2}
    assert timing.ratio([2.0, 6.0, 9.0], [1.0, 2.0, 9.0]) == 2.0


SMALL = (8, 6, 2)


@pytest.fixture
def batch():
    return generator(0).random((20, 8), dtype=np.float32), generator(1).integers(0, 2, 20)


@pytest.mark.parametrize("module", ["torch", "jax"])
def test_peers_make_the_same_steps(module, batch):
    pytest.importorskip(module, reason="a peer of the benchmarks: the extra 'peers' brings it")
    ours, theirs = (make(SMALL, *batch)(30) for make in (step.npnet_step, peers.PEERS[module][1]))
    start = step.npnet_step(SMALL, *batch)(0)
    assert len(ours) == len(theirs) == 4
    for w, other, before in zip(ours, theirs, start, strict=True):
        assert abs(w - before).max() > 0.01
        np.testing.assert_allclose(np.asarray(other), w, atol=1e-5)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("name", ["plain", "L1", "L2", "momentum", "Adam"])
def test_torch_makes_the_same_steps_of_each_variant(name, fused, batch):
    pytest.importorskip("torch", reason="a peer of the benchmarks: the extra 'peers' brings it")
    strong = {each: 0.1 for each in ("l1", "l2") if getattr(variants.VARIANTS[name], each)}
    variant = replace(variants.VARIANTS[name], **strong)
    ours = variants.npnet_variant(variant, SMALL, *batch)(20)
    theirs = variants.torch_variant(variant, SMALL, *batch, fused=fused)(20)
    plain = variants.npnet_variant(variants.Variant(rate=variant.rate), SMALL, *batch)(20)
    assert len(ours) == len(theirs) == 4
    for w, other, without in zip(ours, theirs, plain, strict=True):
        np.testing.assert_allclose(other.numpy(), w, atol=3e-6)
        assert name == "plain" or abs(w - without).max() > 1e-5


def test_both_drop_out_units_while_they_train(batch):
    pytest.importorskip("torch", reason="a peer of the benchmarks: the extra 'peers' brings it")
    for make in (variants.npnet_variant, variants.torch_variant):
        dropped, plain = (make(variants.VARIANTS[name], SMALL, *batch)(5)[0] for name in ("dropout", "plain"))
        assert abs(np.asarray(dropped) - np.asarray(plain)).max() > 1e-4


def test_variants_are_measured_with_or_without_torch(tmp_path, monkeypatch):
    monkeypatch.setattr(variants, "one_core", lambda: "a core")
    variants.main(tmp_path / "variants.json", networks=[SMALL], rounds=2)
    found = written(tmp_path / "variants.json", "variants")
    assert [row["case"]["step"] for row in found["rows"]] == list(variants.VARIANTS)
    for row in found["rows"]:
        assert set(row["seconds"]) == {"npnet", *(("torch", "torch fused") if found["peers"] else ())}
        assert {len(times) for times in row["seconds"].values()} == {2}
    monkeypatch.setattr(variants, "find_spec", lambda module: None)
    assert list(variants.contenders_of(variants.Variant(), SMALL, np.zeros((2, 8), np.float32), np.zeros(2, int))) == [
        "npnet"
    ]


def test_scikit_learn_makes_as_many_steps(batch):
    pytest.importorskip("sklearn", reason="a peer of the benchmarks: the extra 'peers' brings it")
    make = peers.scikit_learn(SMALL, *batch)
    first = make(1).loss_
    model = make(200)
    assert model.t_ == 201 * 20  # examples seen
    assert [W.shape for W in model.coefs_] == [(8, 6), (6, 1)]  # one logistic output for two classes
    assert model.loss_ < first


def written(path, benchmark):
    """Return what a benchmark wrote, after a look at what all of them have in common."""
    found = json.loads(path.read_text())
    assert found["benchmark"] == benchmark
    assert found["environment"]["npnet"]
    assert found["environment"]["kernels"] == kernels()
    assert found["environment"]["settings"] == {}  # a test is no process of a benchmark
    assert all(isinstance(number, str) for number in found["peers"].values())
    for row in found["rows"]:
        assert set(row) >= {"case", "seconds", "ratios"}
        assert set(row["seconds"]) == set(row["ratios"])
        assert all(time > 0 for times in row["seconds"].values() for time in times)
    return found


@pytest.mark.parametrize("solver", estimator.SOLVERS)
def test_both_estimators_make_the_same_fit(solver):
    kinds = [pytest.importorskip(module, reason="the extra 'sklearn' brings it") for module in KINDS]
    rng = np.random.default_rng(0)
    data = rng.standard_normal((60, 5)), rng.integers(0, 3, 60)
    settings = {"hidden_layer_sizes": (4,), "solver": solver, "batch_size": 20}
    one, other = (estimator.fitting(each.MLPClassifier, data, **settings)(3) for each in kinds)
    assert one.n_iter_ == other.n_iter_ == 3
    assert np.allclose(one.coefs_[0], other.coefs_[0], rtol=1e-9)


def test_estimator_writes_speeds_and_errors(tmp_path, monkeypatch, capsys):
    pytest.importorskip("sklearn", reason="the extra 'sklearn' brings it")
    rng = np.random.default_rng(0)
    data = rng.standard_normal((40, 5)), rng.integers(0, 3, 40)
    monkeypatch.setattr(estimator, "one_core", lambda: "a core")
    monkeypatch.setattr(estimator, "problems", lambda examples: {"5-4-3": (data, (4,))})
    monkeypatch.setattr(estimator, "DATA", ("iris",))
    estimator.main(tmp_path / "estimator.json", rounds=2, seeds=2)
    found = written(tmp_path / "estimator.json", "estimator")
    assert [row["case"]["batch"] for row in found["rows"]] == [20, 200, 20, 200]
    assert {name: len(each) for name, each in found["errors"]["iris"].items()} == {"npnet": 2, "sklearn": 2}
    assert "times as fast" in capsys.readouterr().out


KINDS = ("npnet.sklearn", "sklearn.neural_network")


def test_step_and_frozen_write_what_they_measured(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(step, "one_core", lambda: "a core")
    monkeypatch.setattr(frozen, "one_core", lambda: "a core")
    monkeypatch.setattr(step, "PEERS", {})
    monkeypatch.setattr(step, "sgemm_rate", lambda: 1e9)
    step.main(tmp_path / "step.json", networks=[(8, 4, 2)], batches=[20, 128], rounds=2)
    printed = capsys.readouterr().out
    assert f"with {kernels() or 'unknown'} kernels" in printed
    assert f"numpy {np.__version__}" in printed
    found = written(tmp_path / "step.json", "step")
    assert [row["case"] for row in found["rows"]] == [{"network": [8, 4, 2], "batch": batch} for batch in (20, 128)]
    assert found["sgemm_flops"] == 1e9
    for row in found["rows"]:
        assert row["ratios"] == {"npnet": 1.0}
        assert row["floor"] == step.operations((8, 4, 2), row["case"]["batch"]) / 1e9
        assert row["over_floor"] == median(row["seconds"]["npnet"]) / row["floor"]
        assert len(row["seconds"]["npnet"]) == 2
    frozen.main(tmp_path / "frozen.json", images=200)
    (row,) = written(tmp_path / "frozen.json", "frozen")["rows"]
    seconds = row["seconds"]
    assert [len(times) for times in seconds.values()] == [3, 1, 5]
    assert row["ratios"]["head, later"] == min(seconds["all layers"]) / min(seconds["head, later"])
    assert row["ratios"]["head, later"] > 1


def test_a_process_of_a_benchmark_has_one_thread_and_lets_blas_choose():
    outside = {"HOME": "/", "OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "512", "OMP_NUM_THREADS": "8"}
    inside = process.environment_of("all", outside)
    assert not {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"} & set(inside)
    assert inside["HOME"] == "/"
    assert {inside[name] for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")} == {"1"}
    chosen = json.loads(inside[process.SETTINGS])
    assert chosen["OPENBLAS_CORETYPE"] is chosen["OPENBLAS_L2_SIZE"] is None
    assert chosen["OMP_NUM_THREADS"] == "1"
    assert "HOME" not in chosen
    narrow = process.environment_of("avx2", outside)
    assert narrow["OPENBLAS_CORETYPE"] == "Haswell"
    assert "OPENBLAS_L2_SIZE" not in narrow


def test_what_was_set_for_a_process_is_printed(monkeypatch, capsys):
    inside = process.environment_of("all", {"OPENBLAS_CORETYPE": "Haswell"})
    monkeypatch.setenv(process.SETTINGS, inside[process.SETTINGS])
    measured.print_origin(measured.Console(width=200))
    printed = capsys.readouterr().out
    assert "OPENBLAS_CORETYPE unset" in printed
    assert "OMP_NUM_THREADS=1" in printed


def test_the_command_starts_a_process_with_its_options(monkeypatch, tmp_path):
    started = []
    monkeypatch.setattr("experiments.command.start", lambda *given: started.append(given))
    path = str(tmp_path / "a.json")
    assert command(["bench", "job", "--json", path, "--epochs", "2"]) == 0
    assert command(["bench", "step", "--instructions", "avx2"]) == 0
    assert started == [("job", {"json": path, "epochs": 2}, "all"), ("step", {"json": None}, "avx2")]
    assert command(["bench", "step", "--epochs", "2"]) == 2


def test_a_process_measures_and_ends_with_its_exit_code(tmp_path):
    def run(name, options):
        begun = f"from experiments.benchmarks.process import start; start({name!r}, {options!r})"
        return subprocess.run([sys.executable, "-c", begun], capture_output=True, text=True, check=False)

    path = tmp_path / "a.json"
    done = run("jacobian", {"json": str(path), "networks": [[8, 4, 2]], "rounds": 1})
    assert done.returncode == 0
    assert f"measurements are in {path}" in done.stdout
    found = json.loads(path.read_text())
    assert found["environment"]["settings"]["OMP_NUM_THREADS"] == "1"
    assert "OPENBLAS_CORETYPE" not in found["environment"]["blas_settings"]
    failed = run("frozen", {"images": 0})
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: ")


def test_the_kernels_are_named_where_numpy_brings_openblas():
    name = kernels()
    built = np.__config__.CONFIG["Build Dependencies"]["blas"]["name"]
    assert (name and name.isprintable()) or "openblas" not in built


def test_the_parts_of_a_step_are_measured_and_add_up(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "one_core", lambda: "a core")
    monkeypatch.setattr(parts, "sgemm_rate", lambda: 1e9)
    parts.main(tmp_path / "parts.json", [(8, 5, 4, 2)], batch=3, rounds=3)
    (found,) = written(tmp_path / "parts.json", "parts")["rows"]
    names = ("X W", "W dYᵀ", "W − rate Xᵀ dY", "Python")
    for whole, *each in zip(
        found["seconds"]["step"], found["rest"], *(found["seconds"][n] for n in names), strict=True
    ):
        assert sum(each) == pytest.approx(whole)
    counts = found["operations"]
    assert counts["X W"] + counts["W dYᵀ"] + counts["W − rate Xᵀ dY"] == counts["step"] == 6 * (3 * 68 - 40)


def test_traffic_of_a_step():
    # 4·3 + 3 parameters below, 3·2 + 2 above: read, gradient written, both read, written; above also read going back
    assert population.traffic((4, 3, 2)) == 4 * (5 * 15 + 6 * 8)


def test_populations_of_every_size_are_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(population, "_device", lambda: (np, "a core"))
    monkeypatch.setattr(population, "copy_rate", lambda xp: 1e9)
    population.main(tmp_path / "population.json", (1, 3), [(8, 4, 2)], rounds=2)
    found = written(tmp_path / "population.json", "population")
    assert [row["case"]["replicates"] for row in found["rows"]] == [1, 3]
    for row in found["rows"]:
        assert row["ratios"]["population"] == 1
        assert {"population", "one by one"} <= set(row["rates"])
        assert row["rates"]["population"] == row["case"]["replicates"] * population.STEPS / median(
            row["seconds"]["population"]
        )
        assert row["bytes"] == row["rates"]["population"] * population.traffic((8, 4, 2))


def test_a_population_and_its_runs_one_by_one_train_the_same_networks():
    together, alone = (make(np, 2, (8, 4, 2))(2) for make in (population.stacked, population.one_by_one))
    for one, other in zip(together, alone, strict=True):
        assert len(one.run.history) == len(other.run.history) == 2
        assert one.run.history[-1]["updates"] == 2 * population.STEPS
        np.testing.assert_allclose(one.run.network.trunk[0]["W"], other.run.network.trunk[0]["W"], rtol=1e-4, atol=1e-6)
    assert (together[0].run.network.trunk[0]["W"] != together[1].run.network.trunk[0]["W"]).any()


LINES = [[(1.0, 2.0, 20.5, 9.25)], [(3.0, 3.0, 3.0, 28.0), (14.0, 20.0, 30.0, 20.0)]]


@pytest.mark.parametrize("module", list(stimuli.PEERS))
def test_every_peer_that_is_installed_draws_the_lines(module):
    pytest.importorskip(module, reason="a peer of the benchmarks: the extra 'peers' brings it")
    for make in stimuli.PEERS[module][1].values():
        image = np.asarray(make(LINES)(2))  # the last one: a line down and a line across
        assert image.shape == (stimuli.SIDE, stimuli.SIDE)
        for lit in (image[4:28, 2:5].max(1), image[19:22, 15:30].max(0)):
            assert lit.min() > 100
        assert image[:, 6:9].max() == image[23:, 10:].max() == image[:17, 10:].max() == 0


def test_the_lines_given_to_peers_are_the_truths():
    truth = draw("acl", 0, 0, stimuli.BLOCK).truth
    lines = stimuli.lines_of("acl")
    assert np.array_equal(lines, truth["segments"][:, :3])
    assert {type(number) for line in lines[0] for number in line} == {float}


def test_drawing_is_measured_beside_peers_in_sets_and_from_the_first_start(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(stimuli, "one_core", lambda: "a core")
    monkeypatch.setattr(stimuli, "PEERS", {"no_such_module": ("Nobody", {})})
    monkeypatch.setattr(stimuli, "BLOCK", 10)
    stimuli.main(tmp_path / "stimuli.json", tasks=["ac", "sb2l"], blocks=1, rounds=2, images=50, starts=0)
    found = written(tmp_path / "stimuli.json", "stimuli")
    assert [(row["case"]["task"], row["case"]["segments"], row["ratios"]) for row in found["rows"]] == [
        ("ac", 2, {"npnet": 1.0}),
        ("sb2l", 4, {"npnet": 1.0}),
    ]
    assert {len(row["seconds"]["npnet"]) for row in found["rows"]} == {2}
    assert stimuli.npnet_drawing("ac")(2).images.shape == (10, 32, 32)
    assert found["sets"]["images"] == 50
    assert found["peers"] == {}
    assert "not installed: Nobody" in capsys.readouterr().out


def test_what_matching_costs_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(jacobian, "one_core", lambda: "a core")
    jacobian.main(tmp_path / "jacobian.json", networks=[(8, 4, 2)], batches=[20], rounds=2)
    found = written(tmp_path / "jacobian.json", "jacobian")
    assert [row["case"]["activation"] for row in found["rows"]] == ["relu", "tanh"]
    for row in found["rows"]:
        assert row["ratios"]["plain"] == 1
        assert set(row["ratios"]) > {"Jacobian, one logit", "Jacobian, all logits", "input attention"}
        assert {len(times) for times in row["seconds"].values()} == {2}
        # plain: 3·40 − 32 products of a batch, and three more with each of the 40 weights
        assert row["operations"] == (3 * 40 - 32 + 3 * 40) / (3 * 40 - 32)


def test_every_term_that_is_measured_moves_the_network(batch):
    task = Task("task", 2, *(Split(*batch) for _ in range(3)))
    teacher = mlp(SMALL[:-1], {"task": 2}, generator(3), activation="tanh")
    ends = [
        jacobian.with_terms(SMALL, method, "tanh", task)(3).trunk[0]["W"]
        for method in jacobian.methods(teacher).values()
    ]
    assert all(np.isfinite(W).all() for W in ends)
    for i, W in enumerate(ends):
        assert all((other != W).any() for other in ends[:i])
