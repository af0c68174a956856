"""A whole study: its files, the same bits with any number of workers, and going on after every way of being stopped."""

import json
import random
import signal
import subprocess
import time

import pytest
import tinystudy
from tinystudy import command, environment, rows, run, table3, whole

from npnet import Network

LONG = {"train": 600, "max_epochs_a": 6, "max_epochs_b": 8}  # long enough to be stopped in the middle


def test_results_in_long_form(finished):
    table = rows(finished / "results.csv")
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
            assert ("joined_hidden_1" in found) or method == "gradual"


def test_results_say_where_they_come_from(finished):
    about = json.loads((finished / "results.json").read_text())
    assert about["examples"] == {"train": 60, "validation": 40, "test": 40}
    assert about["configuration"]["protocol"]["batch_size"] == 20
    assert about["seeds"] == [0]
    assert about["starts"][0]["workers"] == 2
    (environment,) = about["environments"]
    assert set(environment) >= {"npnet", "commit", "python", "numpy", "numba", "blas", "blas_settings", "cpu"}
    assert "OPENBLAS_NUM_THREADS=1" in environment["blas_settings"]


def test_both_methods_start_from_the_same_head_and_network(finished):
    first = Network.load(finished / "cells" / "none-first" / "network.npz")
    assert set(first.heads) == {"acl"}
    for method in ("fine", "gradual"):
        after = Network.load(finished / "cells" / f"none-{method}-0" / "network.npz")
        assert set(after.heads) == {"acl", "ac"}
        assert (after.heads["acl"]["W"] == first.heads["acl"]["W"]).all()  # the old head never moves
    dropout = Network.load(finished / "cells" / "dropout-fine-0" / "network.npz")
    assert dropout.dropout == (0.2, 0.5)


def test_one_worker_gives_the_bits_of_two(finished, tmp_path):
    printed = run(table3(tmp_path, "--workers", 1))
    assert "OPENBLAS_NUM_THREADS=1" in printed
    assert f"are in {tmp_path}" in printed
    assert whole(tmp_path) == whole(finished)


def test_a_report_needs_no_cells(finished, tmp_path):
    run(command("report", finished, "--out", tmp_path / "with"))
    run(command("report", tmp_path / "with", "--out", tmp_path / "without"))
    for name in ("results.csv", "curves.csv", "results.json", "table.md", "table.txt", "curves.png"):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()
    assert (tmp_path / "with" / "curves.png").read_bytes() == (finished / "curves.png").read_bytes()


def test_another_configuration_in_the_same_folder(finished):
    before = (finished / "results.csv").read_bytes()
    assert "protocol.batch_size is 20 there and 50 here" in run(table3(finished, "--batch-size", 50), code=2)
    assert (finished / "results.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "nowhere"], "nowhere has no results.json"),
        (["table3", "--out", "x", "--workers", "0"], "workers is 0; expected at least one"),
        (["table3", "--out", "x", "--seeds", "0"], "seeds is 0; expected at least 1"),
    ],
)
def test_errors_say_what_was_expected(arguments, message, tmp_path):
    done = subprocess.run(command(*arguments), capture_output=True, text=True, env=environment())
    assert done.returncode == 2
    assert message in done.stderr


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    out = tmp_path_factory.mktemp("long") / "results"
    run(table3(out, "--workers", 2, **LONG))
    return whole(out)


def start(out):
    process = subprocess.Popen(
        table3(out, "--workers", 2, **LONG),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
    )
    deadline = time.monotonic() + 60
    while process.poll() is None and not list(out.glob("cells/*/checkpoint.npz")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


def test_killed_at_any_moment_it_goes_on_to_the_same_bits(uninterrupted, tmp_path):
    for _ in range(2):
        process = start(tmp_path)
        time.sleep(random.uniform(0, 1))  # not from a seed: any moment will do
        process.kill()
        process.communicate()  # ends only when the workers, who write to the same pipe, have ended too
    run(table3(tmp_path, "--workers", 2, **LONG))
    assert "goes on after epoch" in (tmp_path / "log.txt").read_text()
    assert whole(tmp_path) == uninterrupted


def test_ctrl_c_stops_at_once_and_loses_nothing(uninterrupted, tmp_path):
    process = start(tmp_path)
    refused = run(table3(tmp_path, **LONG), code=2)
    assert "in use by another run" in refused
    process.send_signal(signal.SIGINT)
    stopped = time.monotonic()
    printed, _ = process.communicate(timeout=30)
    assert time.monotonic() - stopped < 5
    assert process.returncode == 130, printed
    assert "the same command goes on" in printed
    assert "Traceback" not in printed
    run(table3(tmp_path, "--workers", 1, **LONG))
    assert whole(tmp_path) == uninterrupted


def test_a_damaged_checkpoint_begins_its_cell_again(finished, tmp_path):
    cell = tmp_path / "cells" / "none-first"
    cell.mkdir(parents=True)
    (cell / "checkpoint.npz").write_bytes(b"PK not really")
    run(table3(tmp_path))
    assert "none-first: checkpoint is damaged, the cell begins again" in (tmp_path / "log.txt").read_text()
    assert whole(tmp_path) == whole(finished)


def test_a_diverging_cell_is_reported_and_the_others_go_on(tmp_path):
    printed = run(table3(tmp_path, "--rate", "1e30"), code=1)
    assert "none-first failed: NotFiniteError" in printed
    assert "9 of 9 cells failed" in printed
    assert tinystudy.rows(tmp_path / "results.csv") == []
