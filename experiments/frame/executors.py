"""Where jobs run: in processes of this machine, or on the workers of a Dask cluster. Either is an `Executor`."""

import importlib.util
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import uuid4

from tyro.conf import arg

from experiments.frame.folder import FolderError
from experiments.frame.provenance import CHECKOUT, environment
from experiments.frame.threads import use_one_thread
from experiments.frame.workspace import log

__all__ = ["Resources", "check_worker", "cluster", "ctrl_c_waits", "pool"]

_CONNECT = 10.0  # seconds in which a cluster has to answer


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Resources:
    """The options that say where jobs run, and how.

    Attributes:
        workers: how many processes work at the same time. Results have the same bits with any number.
        cluster: address of a Dask scheduler; its workers then do the work.
        population: train all networks that are ready as one stacked network, in one process.
        device: "gpu" trains them as one stacked network on a CUDA device, with CuPy.
    """

    workers: int = field(default_factory=lambda: cores())
    cluster: Annotated[str | None, arg(metavar="ADDRESS", help_behavior_hint="(default: none)")] = None
    population: bool = False
    device: Literal["cpu", "gpu"] = "cpu"

    def check(self) -> None:
        """Raise ValueError for too few workers, or a device that is not available."""
        if self.workers < 1:
            raise ValueError(f"workers is {self.workers}; expected at least one")
        if self.device == "gpu" and importlib.util.find_spec("cupy") is None:
            raise ValueError("device is 'gpu'; expected 'cpu' where CuPy is not installed: pip install the extra 'gpu'")

    @property
    def module(self) -> str | None:
        """The array module in which populations train; None where every network trains by itself."""
        return "cupy" if self.device == "gpu" else "numpy" if self.population else None

    def executor(self, folder: Path) -> AbstractContextManager[Executor]:
        """Return the executor for a study in this folder."""
        return cluster(self.cluster, folder) if self.cluster else pool(self.workers)

    def describe(self) -> str:
        """Return these options in words."""
        workers = f"cluster {self.cluster}" if self.cluster else f"{self.workers} workers"
        return f"{workers}, as a population on the {self.device}" if self.module else workers


@contextmanager
def pool(workers: int) -> Iterator[Executor]:
    """Yield an executor of worker processes; whatever ends the block early ends the workers at once.

    The workers are spawned, with one BLAS thread set in their environment before they import numpy. Killing them is
    safe: every file of a job is moved into place whole.
    """
    use_one_thread()
    others = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_start_worker)
    try:
        yield executor
    except BaseException:
        for worker in set(multiprocessing.active_children()) - others:
            worker.terminate()
        executor.shutdown(wait=True, cancel_futures=True)
        raise
    executor.shutdown()


@contextmanager
def cluster(address: str, folder: Path) -> Iterator[Executor]:
    """Yield an executor of a Dask cluster's workers, which must see the study's folder and a checkout of this commit.

    A worker that sees this process's own checkout uses that one; any other must be started in a checkout, or with one
    in its PYTHONPATH. A job whose worker dies is given to another worker, and resumes there from its checkpoint. Raises
    FolderError where no cluster answers, it has no workers, or they have another folder, version, or commit.
    """
    try:
        from distributed import Client
    except ImportError:
        raise FolderError(
            "--cluster needs Dask: pip install the extra 'cluster' here and where the workers run"
        ) from None
    try:
        client = Client(address, timeout=_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise FolderError(f"no cluster answers at {address} ({error}); start one, or give its address") from None
    with client:
        _share_checkout(client, str(CHECKOUT))
        _check_workers(client, address, folder)
        yield client.get_executor(pure=False)


def _share_checkout(client: Any, root: str) -> None:
    """Let the scheduler and all workers, those that join later too, import this checkout where they see it.

    The wheel holds npnet alone, so a worker would not find experiments otherwise. What is sent is local to this
    function, because that alone is pickled by its code and not by the name of a module that is not found yet.
    """
    from distributed import WorkerPlugin

    def use_checkout() -> None:
        import os
        import sys

        if root not in sys.path and os.path.isdir(os.path.join(root, "experiments")):
            sys.path.insert(0, root)

    class UseCheckout(WorkerPlugin):
        name = "npnet-checkout"

        def setup(self, worker: Any) -> None:
            use_checkout()

    client.run_on_scheduler(use_checkout)
    client.register_plugin(UseCheckout())


def _check_workers(client: Any, address: str, folder: Path) -> None:
    """Raise FolderError for a cluster without workers, or with some that cannot run the study."""
    token = folder / f"seen-{uuid4().hex}"
    token.touch()
    try:
        workers = client.run(_look, token)
    except Exception as error:  # Dask wraps what a worker raises into a plain Exception
        if "No module named" not in str(error):
            raise
        raise FolderError(
            f"a worker cannot import this code ({error}); start the workers in a checkout, or where {CHECKOUT} is seen"
        ) from error
    finally:
        token.unlink()
    if not workers:
        raise FolderError(f"the cluster at {address} has no workers; start some")
    for worker, (sees, there) in workers.items():
        check_worker(worker, sees, there, folder)


def check_worker(worker: str, sees: bool, there: dict[str, str], folder: Path) -> None:
    """Raise FolderError for a worker that does not see the study's folder, or has another npnet.

    A worker with other libraries or another CPU is noted in the log: its results may differ in the last bits.
    """
    here = environment()
    if not sees:
        raise FolderError(f"worker {worker} does not see folder {folder}; give --out on a file system that all share")
    for name in ("npnet", "commit"):
        if there[name] != here[name]:
            raise FolderError(f"worker {worker} has {name} {there[name]}; expected {here[name]}, as here")
    differs = [f"{name} {there[name]} (here {here[name]})" for name in here if there[name] != here[name]]
    if differs:
        log(folder, f"worker {worker} has {', '.join(differs)}: last bits may differ")


def _look(token: Path) -> tuple[bool, dict[str, str]]:
    """Return whether this process sees a file, and its environment."""
    return token.exists(), environment()


@contextmanager
def ctrl_c_waits() -> Iterator[None]:
    """Delay Ctrl-C to the end of the block. A worker that starts in the block inherits this and ignores Ctrl-C."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _start_worker() -> None:
    """Let this worker end with its parent, or it would go on in a folder that another run may take over."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait_for([sentinel])
    os._exit(1)
