"""The runner: gives cells to workers as soon as what they need is there, and survives whatever stops it.

The parent only hands out work and looks on; workers write every result themselves. So nothing hangs on the parent, and
any `concurrent.futures.Executor` whose workers see the same folder will do, a cluster's as well as `pool`.
"""

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import wait as wait_for
from pathlib import Path

from experiments import blas
from experiments.cells import Cell, check_cells
from experiments.desk import Desk, log
from experiments.folder import finished
from experiments.progress import Watcher

__all__ = ["Outcome", "pool", "run_cells"]

_LOOK_EVERY = 0.25  # seconds between two looks at the progress of running cells


@dataclass
class Outcome:
    """What became of the cells: names of those finished now, skipped because finished before, and failed, with why."""

    finished: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


@contextmanager
def pool(workers: int) -> Iterator[Executor]:
    """Yield an executor of worker processes; whatever ends the block early ends the workers at once.

    The workers are spawned, with BLAS settled in their environment before they import numpy. Killing them is safe:
    every file of a cell is moved into place whole. Raises ValueError for less than one worker.
    """
    if workers < 1:
        raise ValueError(f"workers is {workers}; expected at least one")
    blas.settle()
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


def run_cells(cells: Sequence[Cell], study: Path, executor: Executor, watcher: Watcher) -> Outcome:
    """Run the cells that have not finished yet and return what became of all of them.

    A cell that fails does not stop the others, only those that need it. Raises ValueError for cells that do not fit
    together, and BrokenProcessPool when a worker was killed.
    """
    check_cells(cells)
    outcome = Outcome(skipped=[cell.name for cell in cells if finished(study, cell)])
    waiting = [cell for cell in cells if cell.name not in outcome.skipped]
    for cell in waiting:
        (study / "cells" / cell.name / "progress.json").unlink(missing_ok=True)
    running: dict[Future[str | None], Cell] = {}
    watcher.begin(len(cells), len(outcome.skipped))
    while waiting or running:
        waiting = _hand_out(waiting, running, study, executor, outcome, watcher)
        done, _ = wait(running, _LOOK_EVERY, FIRST_COMPLETED)
        for future in done:
            cell = running.pop(future)
            _note(cell.name, future.result(), outcome, watcher, study)
        watcher.look(study, [cell.name for cell in running.values()])
    return outcome


def _hand_out(
    waiting: list[Cell],
    running: dict[Future[str | None], Cell],
    study: Path,
    executor: Executor,
    outcome: Outcome,
    watcher: Watcher,
) -> list[Cell]:
    """Submit the cells that can run, give up those that cannot any more, and return the others."""
    ready, later = {*outcome.skipped, *outcome.finished}, []
    for cell in waiting:
        lost = [name for name in cell.needs if name in outcome.failed]
        if lost:
            _note(cell.name, f"not run, because {' and '.join(lost)} failed", outcome, watcher, study)
        elif ready.issuperset(cell.needs):
            with _ctrl_c_waits():
                running[executor.submit(_work, cell, study)] = cell
        else:
            later.append(cell)
    return later


def _note(name: str, failure: str | None, outcome: Outcome, watcher: Watcher, study: Path) -> None:
    """Book what became of a cell."""
    if failure is None:
        outcome.finished.append(name)
        watcher.finished(name)
    else:
        outcome.failed[name] = failure
        watcher.failed(name, failure)
        log(study, f"{name}: failed: {failure}")


def _work(cell: Cell, study: Path) -> str | None:
    """Run one cell in a worker; return None, or why it failed.

    Not every exception can be pickled on its way to the parent, and one that cannot would break the pool: text can.
    """
    desk = Desk(study, cell.name)
    try:
        desk.finish(cell.function(desk, **cell.arguments))
    except Exception as error:
        desk.log(traceback.format_exc())
        return f"{type(error).__name__}: {error}"
    return None


@contextmanager
def _ctrl_c_waits() -> Iterator[None]:
    """Let Ctrl-C wait until the block is over; a worker that starts in it inherits that, and leaves Ctrl-C to us."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _start_worker() -> None:
    """End with the parent: a worker that outlived it would go on in a folder that another run may take over."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait_for([sentinel])
    os._exit(1)
