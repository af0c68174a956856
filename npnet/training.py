"""Training: epochs over one task or several, an update mask for each epoch, early stopping by the validation error.

`train` is a generator that yields one record an epoch. Between two records the run is whole: an epoch that fails or is
interrupted is undone, so a run never holds half an epoch.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from itertools import takewhile
from operator import itemgetter
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.arrays import Array, array_module
from npnet.blas import threads
from npnet.data import Split, Task
from npnet.error import error_along, mean_loss_along
from npnet.frozen import Kept
from npnet.hyperparameters import Hyperparameters
from npnet.layers import Path
from npnet.network import Network
from npnet.optimizers import SGD
from npnet.policies import summary, trains, waits
from npnet.readable import check_rows
from npnet.run import Record, Run, TrainingJob
from npnet.step import Group, Move, NotFiniteError, Penalise, take_step
from npnet.trees import copy_tree
from npnet.undo import snapshot

__all__ = ["advance", "batches", "conclude", "epochs_without_minimum", "measure", "orders", "train"]


@checked
def train(
    run: Run,
    tasks: Mapping[str, Task],
    hyperparameters: Hyperparameters | None = None,
    evaluations: Mapping[str, tuple[str, Split]] | None = None,
    progress: bool = False,
) -> Iterator[Record]:
    """Train until the run has finished, yielding the record of each epoch.

    The network's arrays move in place: keep `run.network.copy()` of an epoch, and give each of several runs a copy.
    tasks: {head: task}; batches of several tasks take turns in this order. evaluations: {name: (head, split)}, measured
    after every epoch in addition to the tasks' own validation errors. Between two records `run` is whole; save it then.
    progress: show epochs, errors, masks and the time left, with rich. Raises ValueError where tasks, network and loss
    do not fit and where a run goes on with other hyperparameters than its own, NotFiniteError as soon as a number is
    not finite: the run then stands as after the last good epoch.
    """
    job = TrainingJob(run, tasks, hyperparameters or Hyperparameters(), evaluations or {})
    if progress:  # for people alone
        yield from import_module("npnet.progress").shown(job, train(run, tasks, hyperparameters, evaluations))
        return
    job.start()
    kept = Kept(job.settings.memory_budget)
    while not run.finished:
        kept.next_epoch()
        yield advance(job, kept)


def advance(job: TrainingJob, kept: Kept) -> Record:
    """Take a run through its next epoch and return the record; where that fails the run stands as it did before."""
    undo = snapshot(job.run)
    try:
        try:
            record = _epoch(job, kept)
        except NotFiniteError:
            undo()
            _epoch(job, kept, look=True)  # the same once more, to say at which step and where it began
            raise
        conclude(job, record)
        return record
    except BaseException:
        undo()
        raise


@np.errstate(over="ignore", under="ignore", invalid="ignore")  # what is not finite is looked for at every step
def _epoch(job: TrainingJob, kept: Kept, look: bool = False) -> Record:
    """Make the steps of an epoch, measure, and return its record; look: at every weight after every step."""
    run, settings = job.run, job.settings
    objectives = settings.objective(job, kept)
    optimizer, rate = settings.optimizer, settings.rate_at(len(run.history))
    pull = rate if type(optimizer) is SGD and not settings.clip else 0.0
    penalty = Penalise(settings.regularizers, optimizer.proximal, pull)
    move = Move(optimizer, rate, run.buffers, settings.regularizers, settings.max_norm, look=look)
    total, steps = 0.0, 0
    try:
        with threads(settings.blas_threads):
            for head, rows in batches(orders(job, objectives), settings.batch_size):
                steps += 1
                total += float(take_step(objectives[head], penalty, move, rows, run.rng, settings.clip))
            groups = [group for objective in objectives.values() for group in objective.groups]
            return measure(job, run.network, groups, kept, total, steps)
    except NotFiniteError as error:
        raise NotFiniteError(error.what, error.layer, len(run.history) + 1, steps) from None


def orders(job: TrainingJob, heads: Iterable[str]) -> dict[str, Array]:
    """Return the order in which the training examples of each of some tasks are seen in the next epoch."""
    found = {}
    for head in heads:
        examples = len(job.tasks[head].train)
        rows = job.settings.order(job.run.rng, len(job.run.history), examples)
        check_rows(rows, examples)
        found[head] = array_module(job.run.network.first).asarray(rows)
    return found


def batches(orders: Mapping[str, Array], size: int) -> list[tuple[str, Array]]:
    """Return (head, rows) through every task once, each in its own order.

    The k-th of a task's n batches has its turn at (k − ½) / n: tasks of one size alternate, a smaller one is spread
    evenly among the batches of a larger one. Orders (N,) give rows (size,), those of a population (R, N) give rows
    (R, size); the last ones may be fewer.
    """
    turns: list[tuple[float, str, Array]] = []
    for head, order in orders.items():
        n = -(-order.shape[-1] // size)
        turns += [((k + 0.5) / n, head, order[..., k * size : (k + 1) * size]) for k in range(n)]
    return [(head, rows) for _, head, rows in sorted(turns, key=itemgetter(0))]  # ties: in the tasks' order


def measure(
    job: TrainingJob, network: Network, groups: Sequence[Group], kept: Kept, objective: float, steps: int
) -> Record:
    """Return the record of an epoch of so many steps, whose objectives sum to this, and which ended in this network.

    Raises NotFiniteError where a weight that may have moved or an error is not finite.
    """
    run, settings = job.run, job.settings
    for group in groups:
        for key, w in group.parameters.items():
            if not array_module(w).isfinite(w).all():
                raise NotFiniteError(f"updated {key}", group.name)
    moving = {id(group.parameters) for group in groups}

    def above(head: str, split: Split) -> tuple[Path, Split, np.dtype]:
        path = network.path(head)
        lowest = next((i for i, (_, p) in enumerate(path[:-1]) if id(p) in moving), len(path) - 1)
        return path[lowest:], kept.split(path[:lowest], split, network.dtype), network.dtype

    seen = {head: above(head, job.tasks[head].validation) for head in settings.watch or job.tasks}
    validation = {head: error_along(*of) for head, of in seen.items()}
    evaluated = {name: error_along(*above(*of)) for name, of in job.evaluations.items()}
    by_loss = seen if settings.by == "loss" else {}
    losses = {head: mean_loss_along(*of, settings.loss_of(head)) for head, of in by_loss.items()}
    if not math.isfinite(objective):
        raise NotFiniteError("objective", "the loss")
    for name, measured in [*validation.items(), *evaluated.items(), *losses.items()]:
        if not math.isfinite(measured):
            raise NotFiniteError("error", f"the outputs for {name!r}")
    return {
        "epoch": len(run.history) + 1,
        "updates": steps + (run.history[-1]["updates"] if run.history else 0),
        "mask": summary(run.mask or ()),
        "rate": settings.rate_at(len(run.history)),
        "objective": objective / steps,
        "error": sum(validation.values()) / len(validation),
        "validation": validation,
        "evaluations": evaluated,
        **({"losses": losses} if losses else {}),
    }


def epochs_without_minimum(
    history: Sequence[Record], together: str = "all", restarts: bool = True, by: str = "error", min_delta: float = 0.0
) -> int:
    """Return for how many epochs no new minimum of the validation error, or by "loss" of that, has been made.

    together: "all", the count of whichever task has waited longest, or "mean", that of the tasks' mean error. An error
    of zero can have no new minimum: a task that stands there does not wait, as long as another one does not.
    restarts: the count begins again with the epoch in which the mask last changed. min_delta: by how much more than
    that a new minimum lies below the one before.
    """
    key = "validation" if by == "error" else "losses"
    curves = [[record[key][head] for record in history] for head in history[-1][key]]
    if together == "mean":
        curves = [[sum(values) / len(curves) for values in zip(*curves, strict=True)]]
    waited = _longest_wait(curves, min_delta)
    if restarts:
        under_this_mask = sum(1 for _ in takewhile(lambda r: r["mask"] == history[-1]["mask"], reversed(history)))
        waited = min(waited, under_this_mask)
    return waited


def _longest_wait(curves: Sequence[Sequence[float]], min_delta: float) -> int:
    """Return the epochs since the last minimum of whichever error has waited longest for one."""
    last, sums = len(curves[0]) - 1, [sum(errors) for errors in zip(*curves, strict=True)]
    if len(curves) == 1 or sums[last] == 0:  # all at zero: none of them can do better
        return last - _newest_minimum(sums, min_delta)
    return max(
        last - _newest_minimum(curve, min_delta) if min(curve) else curve[::-1].index(0)  # at zero: since it was there
        for curve in curves
    )


def _newest_minimum(curve: Sequence[float], min_delta: float) -> int:
    """Return the epoch of the last new minimum of a curve."""
    least, at = math.inf, 0
    for epoch, value in enumerate(curve):
        if value < least - min_delta:
            least, at = value, epoch
    return at


def conclude(job: TrainingJob, record: Record) -> None:
    """Add an epoch to its run: keep the weights of a new minimum, ask for the next mask, and finish the run where the
    settings say so, with the weights that they ask for.
    """
    run, settings, history = job.run, job.settings, job.run.history
    history.append(record)
    rule: dict[str, Any] = {"together": settings.together, "by": settings.by, "min_delta": settings.min_delta}
    if epochs_without_minimum(history, **rule, restarts=False) == 0:
        weights = {"trunk": run.network.trunk, "heads": run.network.heads}
        run.best = copy_tree({"epoch": len(history), "network": weights, "learned": run.learned})
    joining = waits(settings.policy) and not all(map(trains, run.mask or ()))
    run.ask(settings.policy)
    joined = settings.patience_restarts and summary(run.mask or ()) != record["mask"]
    if settings.patience is not None and not (joining or joined):
        waited = epochs_without_minimum(history, **rule, restarts=settings.patience_restarts)
        run.finished = run.finished or waited >= settings.patience
    run.finished = run.finished or len(history) >= settings.max_epochs
    if run.finished and settings.keep == "best":
        run.network = replace(run.network, **run.best["network"])
        run.learned = run.best["learned"]
