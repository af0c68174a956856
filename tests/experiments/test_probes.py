"""What is left of an old task: biases fitted again undo a shift and nothing else, probes may be asked for later."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tinystudy import command, rows, run, table3

from experiments.frame.measurements import Measurement
from experiments.frame.workspace import Workspace
from experiments.studies.tables.design import TABLES, TableDesign, protocol
from experiments.studies.tables.probes import begin_probe, end_probe, probe_job, probe_jobs, refitted
from experiments.studies.tables.report import lost, remains_grid
from experiments.studies.tables.results import TableResults
from experiments.studies.tables.transfer import load_protocol_task, table_jobs
from npnet import Split, cross_entropy, error, generator, he, mlp


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_biases_fitted_again_undo_a_shift(classes):
    rng = generator(0, "shift")
    network = mlp((6, 8), {"old": classes, "new": 2}, rng)
    X = rng.standard_normal((2500, 6)).astype(np.float32)
    Z = network.logits(X, "old")
    noise = rng.gumbel(size=Z.shape)  # classes drawn with the network's own probabilities: its biases are the best ones
    split = Split(X, (Z + noise).argmax(1))
    shift = rng.normal(0, 5, classes).astype(np.float32)
    old = network.heads["old"]
    shifted = replace(network, heads={**network.heads, "old": {**old, "b": old["b"] + shift}})
    fitted = refitted(shifted, "old", split)
    _, dZ = cross_entropy(fitted.logits(X, "old").astype(np.float64), split.labels)
    assert np.abs(dZ.sum(0)).max() < 1e-4
    assert error(fitted, "old", split) < error(shifted, "old", split)
    once = refitted(network, "old", split)
    a, b = (n.heads["old"]["b"] - n.heads["old"]["b"].mean() for n in (fitted, once))  # a common constant says nothing
    assert np.abs(a - b).max() < 1e-3
    assert np.array_equal(fitted.heads["old"]["W"], old["W"])
    assert np.array_equal(fitted.logits(X, "new"), network.logits(X, "new"))
    assert np.array_equal(shifted.heads["old"]["b"], old["b"] + shift)


def test_every_network_is_probed_for_every_old_task():
    small = protocol(TABLES["table7"], "smoke")
    designs = [TableDesign(TABLES[name], small, ("none", "dropout")) for name in ("table7", "table8")]
    networks, names = [job.name for job in table_jobs(designs)], {job.name for job in probe_jobs(designs)}
    assert names == {probe_job(task, name) for name in networks for task in TABLES["table7"].first}
    assert len(probe_jobs(designs)) == len(names) == 2 * 5 * (1 + 2 * 2 * 2)  # the first networks of both tables once


def test_a_probe_reads_the_network_after_and_not_the_one_before(tmp_path):
    small = protocol(TABLES["table3"], "smoke")
    acl, networks = load_protocol_task("acl", small), {}
    for name in ("before", "after"):
        networks[name] = mlp((1024, 20), {"acl": 2}, generator(0, name), he)
        workspace = Workspace(tmp_path, name)
        networks[name].save(workspace.path / "network.npz")
        workspace.finish({})
    workspace = Workspace(tmp_path, "probe")
    found = end_probe(
        workspace, begin_probe(workspace, small, "before", "after", "acl"), 0.0, small, "before", "after", "acl"
    )
    errors = [error(refitted(each, "acl", acl.validation), "acl", acl.test) for each in networks.values()]
    assert found["refitted_error"] == errors[1] != errors[0]
    assert 0 < found["r_squared"][0] < 1


def test_what_is_lost_is_measured_against_the_same_reading_before():
    of = TableDesign(TABLES["table7"], protocol(TABLES["table7"], "smoke"), ("none",))
    acl = {"first": 1.0, "gradual": 3.0}
    found = [
        Measurement("table7", "", method, "none", 0, f"{metric}:{task}", acl[method] if task == "acl" else 2.0)
        for method in acl
        for metric in ("probe_error", "refitted_error", "r_squared_1")
        for task in of.table.first
    ]
    results = TableResults(of, {"probes": True}, found, [])
    assert lost(results, "probe_error", "gradual", "none") == {0: pytest.approx(0.4)}
    assert lost(results, "probe_error", "fine", "none") == {}
    fine, gradual = remains_grid(results).rows
    assert gradual == ["none", "gradual", "–", "0.40", "0.40", "2.20", "–", "–"]
    assert set(fine[2:]) == {"–"}


def test_a_seed_counts_once_every_old_task_is_measured():
    of = TableDesign(TABLES["table7"], protocol(TABLES["table7"], "smoke"), ("none",))
    seeds = {task: (0, 1, 2) if task == "acl" else (2, 1) for task in of.table.first}
    found = [
        Measurement("table7", "", "fine", "none", seed, f"probe_error:{task}", 3.0)
        for task in of.table.first
        for seed in seeds[task]
    ]
    before = [Measurement("table7", "", "first", "none", 0, f"probe_error:{task}", 1.0) for task in of.table.first]
    assert lost(TableResults(of, {}, found + before, []), "probe_error", "fine", "none") == {1: 2.0, 2: 2.0}


def test_probes_may_be_asked_for_later(tmp_path):
    run(table3(tmp_path / "later", "--regularizers", "none"))
    assert "a new head" not in (tmp_path / "later" / "table3" / "table.md").read_text()
    printed = run(table3(tmp_path / "later", "--regularizers", "none", "--probes"))
    assert "3 of 6 jobs had finished before" in printed
    run(table3(tmp_path / "once", "--regularizers", "none", "--probes"))
    later, once = (rows(tmp_path / name / "table3" / "results.csv") for name in ("later", "once"))
    assert later == once
    found = {(row["method"], row["metric"]): float(row["value"]) for row in once}
    assert found["first", "r_squared_1"] == found["first", "r_squared_2"] == 1
    about = json.loads((tmp_path / "once" / "table3" / "results.json").read_text())
    assert {("fine", "probe_error"), ("gradual", "refitted_error"), ("gradual", "r_squared_2")} <= found.keys()
    assert "| none | gradual |" in (tmp_path / "once" / "table3" / "table.md").read_text()
    assert about["probes"]
    run(command("report", tmp_path / "once" / "table3", "--out", tmp_path / "without"))
    for name in ("results.csv", "table.md"):
        assert (tmp_path / "without" / name).read_bytes() == (tmp_path / "once" / "table3" / name).read_bytes()
    assert "--probes" in (tmp_path / "without" / "report.html").read_text()
