"""A study on a real cluster of separate processes: the bits of one machine, with a worker killed in the middle too."""

import os
import signal
import subprocess
import sys
import sysconfig
from contextlib import contextmanager

import pytest
from tinystudy import LONG, environment, run, start, table3, until, whole

from experiments.frame import executors, provenance
from experiments.frame.executors import check_worker
from experiments.frame.folder import FolderError
from experiments.frame.threads import use_one_thread

pytest.importorskip("distributed", reason="Dask is not installed: pip install the extra 'cluster'")


def serve(*arguments, log):
    """Start a program outside the checkout, which is not on its path: -S leaves out what is installed as editable."""
    settings = environment(PYTHONPATH=os.pathsep.join({sysconfig.get_path(name) for name in ("purelib", "platlib")}))
    use_one_thread(settings)  # as the workers of this machine are started
    command = [sys.executable, "-S", "-m", *map(str, arguments)]
    with log.open("a") as file:
        return subprocess.Popen(command, stdout=file, stderr=file, env=settings, cwd=log.parent)


@contextmanager
def running_cluster(tmp_path, workers):
    """Yield the address of a scheduler and its worker processes."""
    file, log = tmp_path / "scheduler.json", tmp_path / "cluster.log"
    common = ("--scheduler-file", file, "--no-dashboard")
    scheduler = serve("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", 0, *common, log=log)
    alone = ("--nthreads", 1, "--no-nanny", "--local-directory", tmp_path)
    processes = [serve("distributed.cli.dask_worker", *common, *alone, log=log) for _ in range(workers)]
    try:
        until(lambda: file.exists() and file.read_text().strip().endswith("}"))
        from distributed import Client

        with Client(scheduler_file=str(file), set_as_default=False) as client:
            if workers:
                client.wait_for_workers(workers, timeout=300)
            address = client.scheduler.address
        yield address, processes
    finally:
        for process in (*processes, scheduler):
            process.kill()
            process.wait()


def test_a_cluster_that_loses_a_worker_gives_the_bits_of_one_machine(uninterrupted, tmp_path):
    with running_cluster(tmp_path, workers=2) as (address, processes):
        out = tmp_path / "results"
        process = start(out, "--cluster", address)
        assert not list(out.glob("jobs/*-0/result.json"))  # both are at work on the three first networks
        processes[0].kill()
        printed, _ = process.communicate(timeout=300)
        assert process.returncode == 0, printed
        assert f"cluster {address}" in printed
    assert whole(out) == uninterrupted


def test_a_cluster_is_stopped_by_ctrl_c_and_another_run_goes_on(uninterrupted, tmp_path):
    out = tmp_path / "results"
    with running_cluster(tmp_path, workers=1) as (address, _):
        process = start(out, "--cluster", address)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=300)
        assert process.returncode == 130, printed
    run(table3(out, "--workers", 2, **LONG))
    assert whole(out) == uninterrupted


def test_what_is_no_fit_cluster_is_refused(tmp_path):
    assert "no cluster answers at tcp://127.0.0.1:1" in run(table3(tmp_path, "--cluster", "tcp://127.0.0.1:1"), code=2)
    with running_cluster(tmp_path, workers=0) as (address, _):
        assert f"the cluster at {address} has no workers" in run(table3(tmp_path, "--cluster", address), code=2)


def test_workers_that_see_no_checkout_are_refused(tmp_path):
    from distributed import Client

    with running_cluster(tmp_path, workers=1) as (address, _), Client(address, set_as_default=False) as client:
        with pytest.raises(FolderError, match="start the workers in a checkout"):
            executors._check_workers(client, address, tmp_path)
        executors._share_checkout(client, str(provenance.CHECKOUT))
        executors._check_workers(client, address, tmp_path)


def test_workers_that_are_not_fit_are_refused(tmp_path):
    here = provenance.environment()
    check_worker("w", True, here, tmp_path)
    with pytest.raises(FolderError, match="worker w does not see folder"):
        check_worker("w", False, here, tmp_path)
    with pytest.raises(FolderError, match="worker w has commit 0"):
        check_worker("w", True, {**here, "commit": "0"}, tmp_path)
