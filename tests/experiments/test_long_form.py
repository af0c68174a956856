"""Studies with next to nothing to learn: every job leaves its measurements, and a report needs nothing but these."""

import json
from itertools import product

import pytest
from tinystudy import command, rows, run

from experiments.command import main
from experiments.frame.long_form import Findings, LongFormStudy
from experiments.frame.measurements import Measurement
from experiments.frame.source_and_target import TARGET, learn_source, learn_target
from experiments.frame.task_specs import TaskSpec, small
from experiments.frame.workspace import Workspace
from experiments.registry import STUDIES
from npnet import Freeze, Method, Network

LONG_FORM = [name for name, study in STUDIES.items() if issubclass(study, LongFormStudy)]


@pytest.fixture(scope="module", params=LONG_FORM)
def studied(request, tmp_path_factory):
    out = tmp_path_factory.mktemp(request.param) / "results"
    printed = run(command(request.param, "--preset", "smoke", "--out", out, "--workers", 2))
    assert f"are in {out}" in printed
    return request.param, out


def report(folder, out):
    assert main(["report", str(folder), "--out", str(out)]) == 0


def test_every_job_is_in_the_results(studied):
    name, out = studied
    about = json.loads((out / "results.json").read_text())
    jobs = json.loads((out / "plan.json").read_text())
    assert about["jobs"] == [len(jobs), len(jobs)]
    assert about["environments"][0]["commit"]
    expected = []
    for job in jobs:
        expected += json.loads((out / "jobs" / job / "result.json").read_text())["measurements"]
    table = rows(out / "results.csv")
    assert [(row["setting"], row["method"], row["metric"], float(row["value"])) for row in table] == [
        (setting, method, metric, value) for setting, method, _, metric, value in expected
    ]
    assert {row["experiment"] for row in table} == {name}
    keys = [(row["setting"], row["method"], row["seed"], row["metric"]) for row in table]
    assert len(set(keys)) == len(keys)  # no two jobs measure the same under one name


def test_a_job_run_again_leaves_the_same_and_a_report_needs_no_jobs(studied, tmp_path):
    name, out = studied
    files = [path.name for path in (*out.glob("*.png"), out / "results.csv", out / "table.md")]
    assert len(files) > 2
    before = {file: (out / file).read_bytes() for file in files}
    last = json.loads((out / "plan.json").read_text())[-1]
    (out / "jobs" / last / "result.json").unlink()
    report(out, tmp_path / "incomplete")
    assert (tmp_path / "incomplete" / "table.md").read_text().startswith("Incomplete")
    run(command(name, "--preset", "smoke", "--out", out, "--workers", 1))
    assert {file: (out / file).read_bytes() for file in files} == before
    report(out, tmp_path / "with")
    report(tmp_path / "with", tmp_path / "without")
    for file in (*files, "results.json"):
        assert (tmp_path / "with" / file).read_bytes() == (tmp_path / "without" / file).read_bytes()
    assert all(before[file].startswith(b"\x89PNG") for file in files if file.endswith(".png"))


@pytest.mark.parametrize(("name", "preset"), list(product(LONG_FORM, ("smoke", "quick"))))
def test_no_two_measurements_are_called_the_same(name, preset):
    jobs = STUDIES[name](preset=preset).plan().jobs
    called = [
        tuple(str(job.arguments[key]) for key in ("setting", "label", "seed"))
        for job in jobs
        if "setting" in job.arguments
    ]
    assert len(set(called)) == len(called)


SPEC = TaskSpec("cnc", train=50, validation=20, test=30, updates=7, patience=4, batch_size=20)


def test_a_course_counts_in_updates():
    settings = SPEC.hyperparameters()  # 50 examples in batches of 20 are three updates an epoch
    assert (settings.max_epochs, settings.patience) == (3, 2)
    assert small(TaskSpec("cnc", train=10_000)).train == 60
    assert small(SPEC).train == 50


def training(tmp_path, job, function, **arguments):
    workspace = Workspace(tmp_path, job)
    result = function(workspace, **arguments)
    workspace.finish(result)
    return result


def test_source_and_target_of_a_seed_are_pairs(tmp_path):
    def holding():
        return Method("held", policy=Freeze(2))

    training(tmp_path, "source", learn_source, spec=SPEC, hidden=(6, 5), seed=1)
    network = Network.load(tmp_path / "jobs" / "source" / "network.npz")
    assert list(network.heads) == ["cnc"]
    common = {"spec": SPEC, "hidden": (6, 5), "seed": 1, "method": holding}
    begun = [
        learn_target.begin(Workspace(tmp_path, "t"), **common, source=source, setting="", label="").run.network
        for source in ("source", None)
    ]
    for key in ("W", "b"):  # the same head, from the source or from an untrained network
        assert (begun[0].heads[TARGET][key] == begun[1].heads[TARGET][key]).all()
    assert (begun[0].trunk[0]["W"] == network.trunk[0]["W"]).all()
    assert (begun[1].trunk[0]["W"] != network.trunk[0]["W"]).any()
    result = training(tmp_path, "target", learn_target, **common, source="source", setting="a", label="b")
    assert {tuple(each[:3]) for each in result["measurements"]} == {("a", "b", 1)}
    named = {metric: value for *_, metric, value in result["measurements"]}
    assert named["epochs"] == len(result["errors"])
    assert named["validation"] == min(result["errors"])
    assert 0 <= named["error"] <= 100


def test_findings_by_name():
    found = Findings({}, [Measurement("x", "s", "m", "none", seed, "error", 2.0 * seed) for seed in (0, 3)])
    assert found.values("s", "m") == {0: 0.0, 3: 6.0}
    assert found.values("s", "m", "epochs") == {}
