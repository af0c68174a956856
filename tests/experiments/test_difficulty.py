"""The study of difficulty with next to no stimuli: its files, going on, and its report from either kind of folder."""

import json

import numpy as np
import pytest
from tinystudy import command, rows, run

from experiments.frame.training import train_together
from experiments.frame.workspace import Workspace
from experiments.studies.difficulty.trials import APPEARANCES, PRESETS, difficulty_jobs
from npnet import Network
from npnet.tasks import CALIBRATED

FILES = ("results.csv", "curves.csv", "results.json", "table.md", "difficulty.png")


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    out = tmp_path_factory.mktemp("difficulty") / "results"
    printed = run(command("difficulty", "--preset", "smoke", "--out", out, "--workers", 2))
    assert "calibrated" in printed
    assert f"are in {out}" in printed
    return out


def test_every_trial_is_there(studied):
    table = rows(studied / "results.csv")
    trials, _ = PRESETS["smoke"]
    expected = {(f"acl 500-500 {trial.train} {trial.appearance}", trial.regularizer) for trial in trials}
    assert {(row["setting"], row["regularizer"]) for row in table} == expected
    assert {row["metric"] for row in table} == {"test_error", "train_error", "epochs", "kept_epoch"}
    assert all(0 <= float(row["value"]) <= 100 for row in table)
    assert len(rows(studied / "curves.csv")) == 3 * len(trials) - 1  # one has a cap of its own
    about = json.loads((studied / "results.json").read_text())
    assert about["appearances"]["calibrated"]["width"] == CALIBRATED.width
    assert about["environments"][0]["commit"]
    assert (studied / "difficulty.png").read_bytes().startswith(b"\x89PNG")
    assert len({row["value"] for row in table if row["metric"] == "test_error"}) > 2  # appearances make a difference


def test_the_same_command_goes_on(studied):
    before = (studied / "results.csv").read_bytes()
    (studied / "jobs" / "thin-200-none" / "result.json").unlink()
    run(command("difficulty", "--preset", "smoke", "--out", studied, "--workers", 1))
    assert (studied / "results.csv").read_bytes() == before


def test_a_report_needs_no_jobs(studied, tmp_path):
    run(command("report", studied, "--out", tmp_path / "with"))
    run(command("report", tmp_path / "with", "--out", tmp_path / "without"))
    for name in FILES:
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()


def test_one_parameter_is_varied_at_a_time():
    changes = {"contrast": {"ground", "contrast", "amplitude"}, "background": {"amplitude", "noise"}}
    for name, look in APPEARANCES.items():
        changed = {field for field, value in vars(look).items() if value != getattr(CALIBRATED, field)}
        assert (name == "calibrated") == (not changed)
        assert len(changed) <= 1 or changed in changes.values(), name


def test_trials_that_train_together_leave_the_networks_that_they_leave_alone(tmp_path):
    jobs = difficulty_jobs("smoke")[:2]
    places = {name: [Workspace(tmp_path / name, job.name) for job in jobs] for name in ("alone", "together")}
    for job, workspace in zip(jobs, places["alone"], strict=True):
        workspace.finish(job.function(workspace, **job.arguments))
    assert train_together(jobs, tmp_path / "together", np) == {job.name: None for job in jobs}
    for one, other in zip(*places.values(), strict=True):
        networks = [Network.load(each.path / "network.npz") for each in (one, other)]
        for p, q in zip(*(network.trunk for network in networks), strict=True):
            np.testing.assert_allclose(p["W"], q["W"], rtol=1e-4, atol=1e-6)
        assert [(each.path / "result.json").exists() for each in (one, other)] == [True, True]
