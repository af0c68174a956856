"""The runner: gives cells to workers as soon as what they need is there, and survives whatever stops it.

The parent only hands out work and looks on; workers write every result themselves. So nothing hangs on the parent, and
any `concurrent.futures.Executor` whose workers see the same folder will do (see executors).
"""

import signal
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from experiments.frame.executors import ctrl_c_waits
from experiments.frame.folder import finished
from experiments.frame.jobs import Cell, check_cells
from experiments.frame.progress import Watcher
from experiments.frame.training import Lesson, learn_together
from experiments.frame.workspace import STOP, Desk, Stopped, log

__all__ = ["Outcome", "run_cells"]

_LOOK_EVERY = 0.25  # seconds between two looks at the progress of running cells

Answers = dict[str, str | None]
"""What became of each cell of a piece of work: None where it has finished, or why it failed."""

_STOPPED = "stopped"  # what a worker answers for a cell that was asked to stop


@dataclass
class Outcome:
    """What became of the cells: names of those finished now, skipped because finished before, and failed, with why."""

    finished: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def run_cells(
    cells: Sequence[Cell], study: Path, executor: Executor, watcher: Watcher, module: str | None = None
) -> Outcome:
    """Run the cells that have not finished yet and return what became of all of them.

    module: the array module in which all lessons that are ready train together; None trains each by itself. A cell that
    fails does not stop the others, only those that need it. Ctrl-C asks the running cells to stop after the epoch under
    way and raises KeyboardInterrupt when they have; a second Ctrl-C raises it at once. Raises ValueError for cells that
    do not fit together, and BrokenExecutor when a worker of this machine was killed.
    """
    check_cells(cells)
    outcome = Outcome(skipped=[cell.name for cell in cells if finished(study, cell)])
    waiting = [cell for cell in cells if cell.name not in outcome.skipped]
    running: dict[Future[Answers], list[Cell]] = {}
    watcher.begin(len(cells), len(outcome.skipped))
    with _ctrl_c_asks(study, watcher) as stop:
        while running or (waiting and not stop.exists()):
            if not stop.exists():
                waiting, ready = _ready(waiting, outcome, watcher, study)
                for piece in _pieces(ready, module):
                    with ctrl_c_waits():
                        running[executor.submit(_work, piece, study, module)] = piece
            done, _ = wait(running, _LOOK_EVERY, FIRST_COMPLETED)
            for future in done:
                for name, failure in _answers(future, running.pop(future)).items():
                    _note(name, failure, outcome, watcher, study)
            watcher.look(study, [cell.name for piece in running.values() for cell in piece])
        if stop.exists():
            raise KeyboardInterrupt
    return outcome


@contextmanager
def _ctrl_c_asks(study: Path, watcher: Watcher) -> Iterator[Path]:
    """Yield the file that asks all cells to stop; the first Ctrl-C makes it, the second is as any other Ctrl-C."""
    stop = study / STOP
    stop.unlink(missing_ok=True)

    def ask(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, before)
        stop.touch()
        watcher.console.print("stopping after the epoch under way; Ctrl-C again stops at once")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
        stop.unlink(missing_ok=True)


def _ready(waiting: list[Cell], outcome: Outcome, watcher: Watcher, study: Path) -> tuple[list[Cell], list[Cell]]:
    """Return the cells that have to wait and those that can run; give up those that cannot any more."""
    there = {*outcome.skipped, *outcome.finished}
    later: list[Cell] = []
    ready: list[Cell] = []
    for cell in waiting:
        lost = [name for name in cell.needs if name in outcome.failed]
        if lost:
            _note(cell.name, f"not run, because {' and '.join(lost)} failed", outcome, watcher, study)
        else:
            (ready if there.issuperset(cell.needs) else later).append(cell)
    return later, ready


def _pieces(ready: list[Cell], module: str | None) -> list[list[Cell]]:
    """Return what workers are given: a cell each, or all lessons together."""
    lessons = [cell for cell in ready if module and isinstance(cell.function, Lesson)]
    return ([lessons] if lessons else []) + [[cell] for cell in ready if cell not in lessons]


def _answers(future: Future[Answers], cells: list[Cell]) -> Answers:
    """Return what a worker answered. An answer that never came, as where workers die again and again, is a failure."""
    try:
        return future.result()
    except BrokenExecutor:
        raise
    except Exception as error:
        return {cell.name: f"{type(error).__name__}: {error}" for cell in cells}


def _note(name: str, failure: str | None, outcome: Outcome, watcher: Watcher, study: Path) -> None:
    """Book what became of a cell."""
    if failure is None:
        outcome.finished.append(name)
        watcher.finished(name)
        log(study, f"{name}: finished")
    elif failure != _STOPPED:
        outcome.failed[name] = failure
        watcher.failed(name, failure)
        log(study, f"{name}: failed: {failure}")


def _work(cells: list[Cell], study: Path, module: str | None) -> Answers:
    """Run cells in a worker, several as a population.

    Not every exception can be pickled on its way to the parent, and one that cannot would break the pool: text can.
    """
    try:
        desk = Desk(study, cells[0].name)
        desk.stop_if_asked()
        if module and isinstance(cells[0].function, Lesson):
            return learn_together(cells, study, import_module(module))
        desk.finish(cells[0].function(desk, **cells[0].arguments))
    except Stopped:
        return {cell.name: None if finished(study, cell) else _STOPPED for cell in cells}
    except Exception as error:
        failure = f"{type(error).__name__}: {error}"
        # One may be there all the same: from a worker that was given up for lost, or from the population.
        answers = {cell.name: None if finished(study, cell) else failure for cell in cells}
        if any(answers.values()):
            log(study, f"{', '.join(answers)}: {traceback.format_exc()}")
        return answers
    return {cells[0].name: None}
