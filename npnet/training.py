"""Training: epochs over one task or several, an update mask for each epoch, early stopping by the validation error.

`train` is a generator that yields one record an epoch. Between two records the run is whole: an epoch that fails or is
interrupted is undone, so a run never holds half an epoch.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import merge
from itertools import takewhile
from operator import itemgetter

import numpy as np

from npnet.arrays import Array, array_module
from npnet.data import Split, Task
from npnet.error import error_along
from npnet.frozen import Kept
from npnet.hyperparameters import Hyperparameters
from npnet.layers import Parameters
from npnet.network import Network
from npnet.policies import summary, trains, waits
from npnet.run import Record, Run, TrainingJob
from npnet.step import Group, Move, NotFiniteError, Objective, Penalise, take_step
from npnet.trees import copy_tree

__all__ = ["advance", "batches", "conclude", "epochs_without_minimum", "measure", "orders", "train"]


def train(
    run: Run,
    tasks: Mapping[str, Task],
    hyperparameters: Hyperparameters | None = None,
    evaluations: Mapping[str, tuple[str, Split]] | None = None,
) -> Iterator[Record]:
    """Train until the run has finished, yielding the record of each epoch; the network's arrays move in place.

    tasks: {head: task}; batches of several tasks take turns in this order. evaluations: {name: (head, split)}, measured
    after every epoch in addition to the tasks' own validation errors. Between two records `run` is whole; save it then.
    Raises ValueError where tasks, network and loss do not fit and where a run goes on with other hyperparameters than
    its own, NotFiniteError as soon as a number is not finite: the run then stands as after the last good epoch.
    """
    job = TrainingJob(run, tasks, hyperparameters or Hyperparameters(), evaluations or {})
    job.start()
    kept = Kept(job.settings.memory_budget)
    while job.going:
        yield advance(job, kept)


def advance(job: TrainingJob, kept: Kept) -> Record:
    """Take a run through its next epoch and return the record; where that fails the run stands as it did before."""
    run, undo = job.run, [_restore_state(job.run)]
    kept.next_epoch()
    try:
        objectives = job.settings.objective(job, kept)
        undo.append(_restore_weights(objectives))
        record = _epoch(job, objectives, kept)
    except BaseException:
        for restore in undo:
            restore()
        raise
    run.history.append(record)
    conclude(job)
    return record


def _epoch(job: TrainingJob, objectives: Mapping[str, Objective], kept: Kept) -> Record:
    """Make the steps of an epoch, measure, and return its record."""
    run, settings = job.run, job.settings
    optimizer, rate = settings.optimizer, settings.rate_at(len(run.history))
    penalty = Penalise(settings.regularizers, optimizer.proximal)
    move = Move(optimizer, rate, run.buffers, settings.regularizers, settings.max_norm)
    total, steps = 0.0, 0
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is looked for at every step
            order = orders(run, {head: len(job.tasks[head].train) for head in objectives})
            for head, rows in batches(order, settings.batch_size):
                steps += 1
                total += float(take_step(objectives[head], penalty, move, rows, run.rng))
            groups = [group for objective in objectives.values() for group in objective.groups]
            return measure(job, run.network, groups, kept, total, steps)
    except NotFiniteError as error:
        raise NotFiniteError(error.what, error.layer, len(run.history) + 1, steps) from None


def orders(run: Run, examples: Mapping[str, int]) -> dict[str, Array]:
    """Draw the order in which each task's training examples are seen in an epoch."""
    xp = array_module(*run.network.trunk[0].values())
    return {head: xp.asarray(run.rng.permutation(n)) for head, n in examples.items()}


def batches(orders: Mapping[str, Array], size: int) -> Iterator[tuple[str, Array]]:
    """Yield (head, rows) through every task once, each in its own order.

    The k-th of a task's n batches has its turn at (k − ½) / n: tasks of one size alternate, a smaller one is spread
    evenly among the batches of a larger one. Orders (N,) give rows (size,), those of a population (R, N) give rows
    (R, size); the last ones may be fewer.
    """

    def turns(head: str, order: Array) -> Iterator[tuple[float, str, Array]]:
        n = -(-order.shape[-1] // size)
        for k in range(n):
            yield (k + 0.5) / n, head, order[..., k * size : (k + 1) * size]

    for _, head, rows in merge(*(turns(*each) for each in orders.items()), key=itemgetter(0)):  # ties: in their order
        yield head, rows


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

    def error(head: str, split: Split) -> float:
        path, seen = kept.above(network.path(head), moving, split, network.dtype)
        return error_along(path, seen, network.dtype)

    watched = settings.watch or tuple(job.tasks)
    validation = {head: error(head, job.tasks[head].validation) for head in watched}
    evaluated = {name: error(*of) for name, of in job.evaluations.items()}
    if not math.isfinite(objective):
        raise NotFiniteError("objective", "the loss")
    for name, measured in [*validation.items(), *evaluated.items()]:
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
    }


def epochs_without_minimum(history: Sequence[Record], together: str = "all", restarts: bool = True) -> int:
    """Return for how many epochs no new minimum of the validation error has been made.

    together: "all", the count of whichever task has waited longest, or "mean", that of the tasks' mean error.
    restarts: the count begins again with the epoch in which the mask last changed.
    """
    if together == "mean":
        curves = [[record["error"] for record in history]]
    else:
        curves = [[record["validation"][head] for record in history] for head in history[-1]["validation"]]
    waited = max(len(curve) - 1 - curve.index(min(curve)) for curve in curves)
    if restarts:
        under_this_mask = sum(1 for _ in takewhile(lambda r: r["mask"] == history[-1]["mask"], reversed(history)))
        waited = min(waited, under_this_mask)
    return waited


def conclude(job: TrainingJob) -> None:
    """Conclude an epoch: keep the weights of a new minimum, ask for the next mask, and finish the run where the
    settings say so, with the weights that they ask for.
    """
    run, settings, history = job.run, job.settings, job.run.history
    if epochs_without_minimum(history, settings.together, restarts=False) == 0:
        now = {"trunk": run.network.trunk, "heads": run.network.heads}
        run.best = {"epoch": len(history), "network": copy_tree(now)}
        if run.learned:
            run.best["learned"] = copy_tree(run.learned)
    mask, following = run.mask or (), run.ask(settings)
    waited = epochs_without_minimum(history, settings.together, settings.patience_restarts)
    if settings.patience_restarts and summary(following) != history[-1]["mask"]:
        waited = 0
    joining = waits(settings.policy) and not all(map(trains, mask))
    impatient = settings.patience is not None and waited >= settings.patience and not joining
    run.finished = impatient or len(history) >= settings.max_epochs or not any(map(trains, following))
    if run.finished and settings.keep == "best":
        run.network = replace(run.network, **run.best["network"])
        run.learned = run.best.get("learned", {})


def _restore_state(run: Run) -> Callable[[], None]:
    """Return the function that puts back the generator, the buffers and the learned parameters as they are now."""
    state, buffers, learned = run.rng.bit_generator.state, copy_tree(run.buffers), copy_tree(run.learned)

    def restore() -> None:
        run.rng.bit_generator.state = state
        run.buffers, run.learned = buffers, learned

    return restore


def _restore_weights(objectives: Mapping[str, Objective]) -> Callable[[], None]:
    """Return the function that puts back, in place, the weights of all layers that train."""
    moving: list[Parameters] = [group.parameters for each in objectives.values() for group in each.groups]
    copies = copy_tree(moving)

    def restore() -> None:
        for p, copy in zip(moving, copies, strict=True):
            for key, w in p.items():
                w[...] = copy[key]

    return restore
