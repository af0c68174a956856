"""The torch script that table 1's work is measured beside does the same work, to the same errors and weights."""

import numpy as np
import pytest
from test_benchmarks import written

from experiments.benchmarks import job, measured
from npnet import Split, Task, generator


@pytest.fixture
def halves():
    """Two tasks small enough for a test, of which something can be learned."""

    def split(rng, examples):
        labels = rng.integers(0, 3, examples)
        images = rng.integers(0, 120, (examples, 12))
        images[np.arange(examples), labels] += 120
        return Split(images.astype(np.uint8), labels)

    rngs = (generator(seed, "halves") for seed in (0, 1))
    return tuple(Task(f"task{i}", 3, *(split(rng, n) for n in (200, 2500, 20))) for i, rng in enumerate(rngs))


@pytest.mark.parametrize("patience", [20, 4, 1])
def test_the_torch_script_does_the_same_job(halves, patience):
    pytest.importorskip("torch", reason="a peer of the benchmarks: the extra 'peers' brings it")
    ours, theirs = (make(halves, (8, 6), 30, patience) for make in (job.npnet_job, job.torch_job))
    assert list(ours) == list(theirs) == ["first network", "fine tuning", "Gradual Tuning"]
    for name in ours:
        (_, errors, trained, network), (_, others, as_many, script) = ours[name], theirs[name]
        assert trained == as_many
        assert len(errors) == len(trained) <= 30
        np.testing.assert_allclose(others, errors, atol=1e-9)
        head = network.heads["task0" if name == "first network" else "task1"]
        for p, W in zip([*network.trunk, head], script.weights(), strict=True):
            np.testing.assert_allclose(W, p["W"], atol=1e-4)
    assert set(ours["fine tuning"][2]) == {3}
    assert sorted(ours["Gradual Tuning"][2]) == ours["Gradual Tuning"][2]
    assert len(set(ours["Gradual Tuning"][2])) > 1
    if patience == 20:
        assert min(ours["first network"][1]) < ours["first network"][1][0]  # it learns


def test_a_run_of_the_torch_script_ends_by_patience_with_its_best_weights(halves):
    torch = pytest.importorskip("torch", reason="a peer of the benchmarks: the extra 'peers' brings it")
    run = job.first_network(halves[0], (8,))
    script = job.Script(run.network.trunk, run.network.heads["task0"])
    data = [job._tensors(torch, split) for split in (halves[0].train, halves[0].validation)]
    errors = [error for _, error in script.train(*data, generator(0), 1000, patience=2, rate=0.1)]
    assert len(errors) == errors.index(min(errors)) + 3
    assert script.error(data[1]) == min(errors)


def test_the_job_is_measured_where_torch_is_installed(tmp_path, monkeypatch, capsys, halves):
    monkeypatch.setattr(job, "one_core", lambda: "a core")
    path = tmp_path / "job.json"
    if not job.print_missing({"torch": "torch"}, measured.Console(quiet=True)):
        job.main(path, 2, 2, halves, (8, 6))
        assert "nothing was measured" in capsys.readouterr().out
        assert not path.exists()
        return
    job.main(path, 2, 2, halves, (8, 6))
    found = written(path, "job")
    assert [row["case"]["phase"] for row in found["rows"]] == ["first network", *job.METHODS, "whole"]
    assert found["epochs"] == 2
    for row in found["rows"]:
        assert {len(times) for times in row["seconds"].values()} == {2}
        assert {len(each) for each in row["trained"].values()} == {6 if row["case"]["phase"] == "whole" else 2}
    *phases, whole = found["rows"]
    for name, times in whole["seconds"].items():
        assert np.allclose(times, np.sum([row["seconds"][name] for row in phases], 0))
    assert "proportional" in capsys.readouterr().out


def test_the_job_says_how_to_get_mnist(monkeypatch, tmp_path):
    def missing():
        raise ConnectionError("no mirror delivered")

    monkeypatch.setattr(job, "mnist_halves", missing)
    with pytest.raises(ValueError, match=r"NPNET_DATA/mnist"):
        job.halves()
