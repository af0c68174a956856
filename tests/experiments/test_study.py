"""A whole study: its files, the same bits with any number of workers, and going on after every way of being stopped."""

import importlib.util
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import time
from math import inf

import numpy as np
import pytest
import tinystudy
from tinystudy import LONG, command, environment, rows, run, start, table3, until, whole

from experiments.frame.workspace import Workspace
from experiments.studies.tables.results import design_from
from experiments.studies.tables.study import Tables
from experiments.studies.tables.transfer import begin_second
from npnet import Network, load_tree
from npnet.trees import leaves


def test_results_in_long_form(finished):
    table = rows(finished / "table3" / "results.csv")
    assert list(table[0]) == ["experiment", "setting", "method", "regularizer", "seed", "metric", "value"]
    assert {row["experiment"] for row in table} == {"table3"}
    assert {row["setting"] for row in table} == {"acl->ac 500-500"}
    for regularizer in ("none", "l1", "dropout"):
        for method in ("fine", "gradual"):
            found = {
                r["metric"]: float(r["value"])
                for r in table
                if (r["regularizer"], r["method"]) == (regularizer, method)
            }
            assert found["epochs"] == 3
            assert found["updates"] == 9
            assert 0 <= found["task_b_error"] <= 100
            assert {"task_a_error_before", "task_a_error_after", "kept_epoch"} <= set(found)
            joined = [found.get(f"joined_hidden_{layer}", inf) for layer in (1, 2)]
            assert joined == [1, 1] if method == "fine" else joined == sorted(joined, reverse=True) and joined[1] > 1


def test_results_say_where_they_come_from(finished):
    about = json.loads((finished / "table3" / "results.json").read_text())
    assert about["examples"] == {"train": 60, "validation": 40, "test": 40}
    assert about["configuration"]["protocol"]["batch_size"] == 20
    assert about["seeds"] == [0]
    assert about["starts"][0]["workers"] == 2
    (environment,) = about["environments"]
    assert set(environment) >= {"npnet", "commit", "python", "numpy", "numba", "blas", "blas_settings", "cpu"}
    assert "OPENBLAS_NUM_THREADS=1" in environment["blas_settings"]


def test_both_methods_start_from_the_same_head_and_network(finished, tmp_path):
    first = Network.load(finished / "jobs" / "first-acl-500-500-none" / "network.npz")
    assert set(first.heads) == {"acl"}
    for method in ("fine", "gradual"):
        after = Network.load(finished / "jobs" / f"table3-none-{method}-0" / "network.npz")
        assert set(after.heads) == {"acl", "ac"}
        assert (after.heads["acl"]["W"] == first.heads["acl"]["W"]).all()  # the old head never moves
    shutil.copytree(finished / "jobs", tmp_path / "jobs")
    (design,) = Tables(preset="smoke", only="3").plan().configuration["studies"].values()
    starts = [
        begin_second(Workspace(tmp_path, "start"), design_from(design), "none", method, 0).run.network
        for method in ("fine", "gradual")
    ]
    for (path, w), (_, v) in zip(leaves(starts[0].tree()), leaves(starts[1].tree()), strict=True):
        assert np.array_equal(w, v), path
    assert (starts[0].trunk[0]["W"] == first.trunk[0]["W"]).all()
    dropout = Network.load(finished / "jobs" / "table3-dropout-fine-0" / "network.npz")
    assert dropout.dropout == (0.2, 0.5)


def test_one_worker_gives_the_bits_of_two(finished, tmp_path):
    printed = run(table3(tmp_path, "--workers", 1))
    assert "OPENBLAS_NUM_THREADS=1" in printed
    assert f"are in {tmp_path}" in printed
    assert whole(tmp_path) == whole(finished)


def test_a_report_needs_no_jobs(finished, tmp_path):
    run(command("report", finished, "--out", tmp_path / "with"))
    run(command("report", tmp_path / "with" / "table3", "--out", tmp_path / "without"))
    for name in ("results.csv", "curves.csv", "results.json", "table.md", "table.txt", "curves.png"):
        assert (tmp_path / "with" / "table3" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()
    assert (tmp_path / "with" / "table3" / "curves.png").read_bytes() == (
        finished / "table3" / "curves.png"
    ).read_bytes()


def test_tables_share_their_first_networks(tmp_path):
    small = ("--preset", "smoke", "--train", 40, "--seeds", 1, "--max-epochs-a", 1, "--max-epochs-b", 1)
    run(command("tables", "--only", "3", "--out", tmp_path, *small))
    printed = run(command("tables", "--only", "5,3", "--out", tmp_path, *small))
    assert "9 of 15 jobs had finished before" in printed
    assert rows(tmp_path / "table5" / "results.csv")[0]["setting"] == "acl->atl 500-500"
    assert (tmp_path / "table3" / "curves.png").exists()
    run(command("report", tmp_path, "--out", tmp_path / "again"))
    assert "6 of 24 pairs are measured" in (tmp_path / "claims.md").read_text()
    for name in ("table3/results.csv", "table5/table.md", "claims.md", "claims.png"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_a_folder_may_get_more_rows_and_repetitions(tmp_path):
    small = ("--preset", "smoke", "--train", 40, "--max-epochs-a", 1, "--max-epochs-b", 1)
    more = (*small, "--regularizers", "dropout,none", "--seeds", 2)
    run(command("tables", "--only", "3", "--out", tmp_path / "grown", *small, "--regularizers", "none", "--seeds", 1))
    about = json.loads((tmp_path / "grown" / "configuration.json").read_text())
    del about["studies"]["table3"]["protocol"]["together"]  # as an earlier version would have left it
    (tmp_path / "grown" / "configuration.json").write_text(json.dumps(about))
    printed = run(command("tables", "--only", "3", "--out", tmp_path / "grown", *more))
    assert "3 of 10 jobs had finished before" in printed
    printed = run(command("tables", "--only", "5", "--out", tmp_path / "grown", *small, "--seeds", 1))
    assert "2 of 9 jobs had finished before" in printed  # the first networks of two rows, whatever their repetitions
    run(command("tables", "--only", "3", "--out", tmp_path / "once", *more))
    grown, once = (rows(tmp_path / name / "table3" / "results.csv") for name in ("grown", "once"))
    by_value = lambda row: sorted(row.items())  # noqa: E731
    assert sorted(grown, key=by_value) == sorted(once, key=by_value)


def test_tables_that_share_a_first_network_share_its_protocol(tmp_path):
    small = ("--preset", "smoke", "--seeds", 1, "--max-epochs-a", 1, "--max-epochs-b", 1)
    run(command("tables", "--only", "3", "--out", tmp_path, "--train", 40, *small))
    before = (tmp_path / "configuration.json").read_bytes()
    refused = run(command("tables", "--only", "5", "--out", tmp_path, "--train", 60, *small), code=2)
    assert "cannot hold this study too: table5 has TrainingProtocol(train=60" in refused
    assert (tmp_path / "configuration.json").read_bytes() == before


def test_a_report_without_jobs_keeps_the_results(finished, tmp_path):
    folder = tmp_path / "whole"
    shutil.copytree(finished, folder)
    kept = (folder / "table3" / "results.csv").read_bytes()
    shutil.rmtree(folder / "jobs")
    run(command("report", folder))
    assert (folder / "table3" / "results.csv").read_bytes() == kept


def test_every_table_can_be_run(tmp_path):
    small = ("--train", 20, "--validation", 20, "--test", 20, "--seeds", 1, "--max-epochs-a", 1, "--max-epochs-b", 1)
    run(command("tables", "--only", "7,8", "--preset", "smoke", "--out", tmp_path, *small))
    for number, new in ((7, "ac"), (8, "atl")):
        table = rows(tmp_path / f"table{number}" / "results.csv")
        assert {row["setting"] for row in table} == {f"acl+sb2l+sbl+sbt+cnc->{new} 1000-1000-1000"}
        assert {f"task_a_error_after:{old}" for old in ("acl", "sb2l", "sbl", "sbt", "cnc")} <= {
            row["metric"] for row in table
        }


def test_another_configuration_in_the_same_folder(finished):
    before = (finished / "table3" / "results.csv").read_bytes()
    assert "studies.table3.protocol.batch_size is 20 there and 50 here" in run(
        table3(finished, "--batch-size", 50), code=2
    )
    assert (finished / "table3" / "results.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "nowhere"], "nowhere holds no results"),
        (["tables", "--out", "x", "--workers", "0"], "workers is 0; expected at least one"),
        (["tables", "--out", "x", "--seeds", "0"], "seeds is 0; expected at least 1"),
        (["tables", "--out", "x", "--rate", "inf"], "rate is inf; expected a finite number above zero"),
        (["tables", "--out", "x", "--l1-scale", "nan"], "l1_scale is nan; expected a finite number"),
        (["tables", "--out", "x", "--l1-scale", "-1"], "l1_scale is -1.0; expected a finite number"),
    ],
)
def test_errors_say_what_was_expected(arguments, message, tmp_path):
    done = subprocess.run(command(*arguments), capture_output=True, text=True, env=environment())
    assert done.returncode == 2
    assert message in done.stderr


def test_killed_at_any_moment_it_goes_on_to_the_same_bits(uninterrupted, tmp_path):
    for _ in range(2):
        process = start(tmp_path)
        time.sleep(random.uniform(0, 1))  # not from a seed: any moment will do
        process.kill()
        process.communicate()  # ends only when the workers, who write to the same pipe, have ended too
    run(table3(tmp_path, "--workers", 2, **LONG))
    assert "resumes after epoch" in (tmp_path / "log.txt").read_text()
    assert whole(tmp_path) == uninterrupted


def test_what_a_kill_leaves_of_a_finished_job_is_swept_away(finished, tmp_path):
    """The moment after the result, before the rest is cleared away, is seldom met by chance."""
    folder = tmp_path / "whole"
    shutil.copytree(finished, folder)
    job = folder / "jobs" / "table3-none-fine-0"
    (folder / "download.part").touch()  # whose it is, who knows
    there = sorted(folder.rglob("*"))
    halves = [
        file.with_name(f"{file.name}.0123456789abcdef.part")
        for file in there
        if file.suffix in (".json", ".npz", ".csv")
    ]
    for left in (job / "checkpoint.npz", job / "progress.json", job / "progress.draft", *halves):
        left.write_bytes(b"half")
    refused = run(table3(folder, "--batch-size", 50), code=2)
    assert "holds results of another configuration" in refused
    assert (job / "checkpoint.npz").exists()  # whoever may not run here sweeps nothing
    assert "9 of 9 jobs had finished before" in run(table3(folder))
    assert sorted(folder.rglob("*")) == there
    assert whole(folder) == whole(finished)


def test_ctrl_c_ends_with_the_epoch_and_loses_nothing(uninterrupted, tmp_path):
    process = start(tmp_path)
    refused = run(table3(tmp_path, **LONG), code=2)
    assert "in use by another run" in refused
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 130, printed
    assert "stopping after the epoch under way" in printed
    assert "the same command resumes" in printed
    assert "Traceback" not in printed
    assert not (tmp_path / "stop").exists()
    log = (tmp_path / "log.txt").read_text()
    assert "started with 2 workers" in log
    assert "stopped by Ctrl-C" in log
    assert "nothing runs here now" in run(command("status", tmp_path))
    run(table3(tmp_path, "--workers", 1, **LONG))
    assert whole(tmp_path) == uninterrupted
    assert "9 of 9 jobs done" in run(command("status", tmp_path))


def test_the_first_ctrl_c_saves_every_epoch_and_the_second_stops_at_once(tmp_path):
    long = {**LONG, "max_epochs_a": 1000, "patience": 1000, "train": 3000}
    process = subprocess.Popen(
        table3(tmp_path, "--workers", 1, **long), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=environment(NPNET_CHECKPOINT_SECONDS="1000"),
    )  # fmt: skip
    show = tmp_path / "jobs" / "first-acl-500-500-none" / "progress.json"
    until(lambda: show.exists() and json.loads(show.read_text()).get("epoch", 0) >= 2)
    assert "1 running" in run(command("status", tmp_path))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=300)
    saved = load_tree(tmp_path / "jobs" / "first-acl-500-500-none" / "checkpoint.npz")
    assert len(saved["run"]["history"]) >= 2

    process = start(tmp_path / "other", wait=False, **{**long, "train": 60_000})
    until(lambda: (tmp_path / "other" / "jobs" / "first-acl-500-500-none" / "progress.json").exists())
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 130, printed
    assert "Traceback" not in printed


def test_killed_between_two_unfreezings_it_goes_on_to_the_same_bits(uninterrupted, tmp_path):
    process = start(tmp_path)
    gradual = tmp_path / "jobs" / "table3-none-gradual-0"

    def unfreezing():
        try:
            layers = [sum(map(bool, r["mask"])) for r in load_tree(gradual / "checkpoint.npz")["run"]["history"]]
        except FileNotFoundError:
            return False
        return layers[-1:] == [2]

    until(lambda: unfreezing() or (gradual / "result.json").exists() or process.poll() is not None)
    process.kill()
    process.communicate()
    found = unfreezing()
    run(table3(tmp_path, "--workers", 2, **LONG))
    assert whole(tmp_path) == uninterrupted
    if not found:
        pytest.skip("the run was past that stage before it could be killed; everything else held")


def test_without_room_for_a_file_jobs_fail_and_go_on_when_there_is(uninterrupted, tmp_path):
    """A limit on the size of files: what the system says then is what it says on a full disk, at the same places."""

    def no_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    full = subprocess.run(
        table3(tmp_path, "--workers", 2, **LONG), capture_output=True, text=True, env=environment(), preexec_fn=no_room
    )
    assert full.returncode == 1
    assert "first-acl-500-500-none failed: OSError: [Errno 27] File too large" in full.stdout
    assert "table3-none-fine-0 failed: not run, because first-acl-500-500-none failed" in full.stdout
    assert not list(tmp_path.glob("jobs/*/checkpoint.npz"))
    run(table3(tmp_path, "--workers", 2, **LONG))
    assert whole(tmp_path) == uninterrupted


def test_a_folder_that_cannot_be_written_to():
    assert "cannot be written to" in run(table3("/proc/npnet"), code=2)


def test_a_folder_that_becomes_read_only(finished, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("whoever is root may write everywhere")
    folder = tmp_path / "results"
    shutil.copytree(finished, folder)
    folder.chmod(0o555)
    assert "error: [Errno 13] Permission denied" in run(table3(folder), code=2)


def test_a_population_comes_to_what_the_runs_come_to_by_themselves(finished, tmp_path):
    printed = run(table3(tmp_path, "--population"))
    assert "as a population on the cpu" in printed
    assert [{**row, "value": ""} for row in rows(tmp_path / "table3" / "results.csv")] == [
        {**row, "value": ""} for row in rows(finished / "table3" / "results.csv")
    ]
    for job in sorted((finished / "jobs").iterdir()):
        alone, together = (Network.load(path / "network.npz") for path in (job, tmp_path / "jobs" / job.name))
        for (path, w), (_, v) in zip(leaves(alone.tree()), leaves(together.tree()), strict=True):
            if isinstance(w, np.ndarray):
                np.testing.assert_allclose(v, w, rtol=1e-3, atol=1e-5, err_msg=f"{job.name} {path}")


def test_a_population_that_was_killed_goes_on(tmp_path):
    run(table3(tmp_path / "whole", "--population", **LONG))
    process = start(tmp_path / "killed", "--population")
    time.sleep(random.uniform(0, 1))
    process.kill()
    process.communicate()
    run(table3(tmp_path / "killed", "--population", **LONG))
    assert whole(tmp_path / "killed") == whole(tmp_path / "whole")


def test_a_device_that_is_not_there():
    if importlib.util.find_spec("cupy"):
        pytest.skip("CuPy is installed")
    assert "device is 'gpu'; expected 'cpu' where CuPy is not installed" in run(table3("x", "--device", "gpu"), code=2)


def test_a_damaged_checkpoint_begins_its_job_again(finished, tmp_path):
    job = tmp_path / "jobs" / "first-acl-500-500-none"
    job.mkdir(parents=True)
    (job / "checkpoint.npz").write_bytes(b"PK not really")
    run(table3(tmp_path))
    assert "first-acl-500-500-none: checkpoint is damaged, the job starts again" in (tmp_path / "log.txt").read_text()
    assert whole(tmp_path) == whole(finished)


def test_a_diverging_job_is_reported_and_the_others_go_on(tmp_path):
    printed = run(table3(tmp_path, "--rate", "1e30"), code=1)
    assert "first-acl-500-500-none failed: NotFiniteError" in printed
    assert "9 of 9 jobs failed" in printed
    assert tinystudy.rows(tmp_path / "table3" / "results.csv") == []
