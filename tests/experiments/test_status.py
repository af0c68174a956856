"""The status of a folder: what is done, running and left, and the time that the rest will take, by hand."""

import json
from math import isnan

import pytest

from experiments.frame.files import write_json
from experiments.frame.folder import FolderError, lock_folder
from experiments.frame.status import look
from experiments.frame.workspace import Workspace


def folder_of(path, cluster=None):
    """Two seeds of one kind done, in 10 and 20 seconds; a third running for 5; one of another kind left."""
    write_json(path / "plan.json", ["run-0", "run-1", "run-2", "other-0"])
    write_json(path / "starts.json", [{"workers": 2, "cluster": cluster}])
    for seed, seconds in ((0, 10.0), (1, 20.0)):
        Workspace(path, f"run-{seed}").finish({"seconds": seconds})
    workspace = Workspace(path, "run-2")
    (workspace.path / "progress.json").write_text(json.dumps({"epoch": 3, "seconds": 5.0}))
    return path


def test_the_time_left_is_that_of_the_same_kind(tmp_path):
    with lock_folder(folder_of(tmp_path)):
        status = look(tmp_path)
    assert (status.done, status.running, status.left) == (["run-0", "run-1"], ["run-2"], ["other-0"])
    assert status.work == 15 - 5 + 15  # a kind that has not finished once counts as the mean of the others
    assert status.seconds_left == 12.5


def test_a_kind_that_has_not_finished_is_like_its_nearest(tmp_path):
    write_json(tmp_path / "plan.json", ["probe-a-0", "run-a-0", "run-b-0", "probe-b-0", "other-0"])
    write_json(tmp_path / "starts.json", [{"workers": 1, "cluster": None}])
    for name, seconds in (("probe-a-0", 2.0), ("run-a-0", 90.0), ("run-b-0", 100.0)):
        Workspace(tmp_path, name).finish({"seconds": seconds})
    assert look(tmp_path).work == 2 + (2 + 90 + 100) / 3


def test_on_a_cluster_those_that_run_are_the_workers(tmp_path):
    with lock_folder(folder_of(tmp_path, "tcp://somewhere:1")):
        assert look(tmp_path).seconds_left == 25


def test_nothing_runs_where_nobody_holds_the_folder(tmp_path):
    status = look(folder_of(tmp_path))
    assert (status.running, status.left) == ([], ["run-2", "other-0"])


def test_before_anything_has_finished_nobody_knows(tmp_path):
    write_json(tmp_path / "plan.json", ["a"])
    assert isnan(look(tmp_path).seconds_left)


def test_a_folder_that_holds_no_study(tmp_path):
    with pytest.raises(FolderError, match=r"has no plan\.json"):
        look(tmp_path / "nowhere")
