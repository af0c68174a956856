"""Training: epochs over one task or several, an update mask for each epoch, early stopping by the validation error.

`train` is a generator that yields one record an epoch. Between two records the run is whole: an epoch that fails or is
interrupted is undone, so a run never holds half an epoch.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import takewhile
from operator import itemgetter
from typing import Any

import numpy as np

from npnet.arrays import Array, array_module
from npnet.blas import advise
from npnet.features import Features
from npnet.hyperparameters import Hyperparameters
from npnet.joint import JointUpdate
from npnet.network import Network
from npnet.run import Record, Replicate, Run
from npnet.tasks.data import Split, Task
from npnet.terms import Batch, Labelled, Term
from npnet.trees import copy_tree
from npnet.update import NotFiniteError, Rule, Update

__all__ = ["advance", "batches", "book", "epochs_without_minimum", "measure", "orders", "train"]


def train(
    run: Run,
    tasks: Mapping[str, Task],
    hyperparameters: Hyperparameters | None = None,
    evaluations: Mapping[str, tuple[str, Split]] | None = None,
) -> Iterator[Record]:
    """Train until the run has finished, yielding the record of each epoch.

    tasks: {head: task}; batches of several tasks take turns in this order. evaluations: {name: (head, split)}, measured
    after every epoch beside the tasks' own validation errors. Between two records `run` is whole: save it there.
    Raises ValueError where tasks, network and loss do not fit, NotFiniteError as soon as a number is not finite: the
    run then stands as it did after the last good epoch.
    """
    advise()
    replicate = Replicate(run, tasks, hyperparameters or Hyperparameters(), evaluations or {})
    features = Features(run.network, replicate.settings.memory_budget)
    while any(replicate.mask):
        yield advance(replicate, features)


def advance(replicate: Replicate, features: Features) -> Record:
    """Take a run through its next epoch and return the record; where that fails the run stands as it did before."""
    undo = _snapshot(replicate)
    try:
        record = _epoch(replicate, features)
    except BaseException:
        undo()
        raise
    book(replicate, record)
    return record


def _epoch(replicate: Replicate, features: Features) -> Record:
    """Train and evaluate one epoch and return its record."""
    run, tasks, settings, mask = replicate.run, replicate.tasks, replicate.settings, replicate.mask
    rate = settings.rate_at(len(run.history))
    rule = Rule(
        mask,
        rate,
        settings.optimizer,
        settings.regularizers,
        max_norm=settings.max_norm,
        learned_share=settings.learned_share,
    )
    update = _updates(replicate, rule)
    features.freeze(min(each.lowest for each in update.values()))
    inputs = {head: features.of(tasks[head].train, each.start) for head, each in update.items()}
    sources = {head: tasks[head] for head in update}  # of the batches: one, where a batch is for all tasks
    objective, updates = 0.0, 0
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # every update looks for itself at what is not finite
            for head, rows in batches(orders(run, sources), settings.batch_size):
                updates += 1
                X, labels = inputs[head](rows), _labels(replicate, head, rows)
                objective += float(update[head](X, labels, run.buffers, run.rng))
            return measure(replicate, run.network, features, objective, updates)
    except NotFiniteError as error:
        raise NotFiniteError(error.what, error.layer, len(run.history) + 1, updates) from None


def _updates(replicate: Replicate, rule: Rule) -> dict[str, Update]:
    """Return the update that the batches of each task make: {head: update}; one for all where their losses are summed.

    Parameters of terms that are new to the run are drawn here, from its generator.
    """
    run, tasks, settings = replicate.run, replicate.tasks, replicate.settings
    if settings.plain:
        return {head: Update(run.network, head, settings.loss_of(head), rule) for head in tasks}
    fixed = settings.weights if isinstance(settings.weights, Mapping) else {}
    labelled = {
        head: Labelled(head, settings.loss_of(head), fixed.get(head, 1.0), settings.weights == "uncertainty")
        for head in tasks
        if fixed.get(head, 1.0)
    }
    groups = [tuple(tasks)] if settings.schedule == "sum" else [(head,) for head in tasks]
    updates: dict[str, Update] = {}
    for heads in groups:
        terms: list[Term] = [labelled[head] for head in heads if head in labelled]
        terms += [term for term in settings.terms if term.task in heads]
        for term in terms:
            if term.name not in run.learned and (p := term.start(run.network, run.rng)):
                run.learned[term.name] = p
        updates[heads[0]] = JointUpdate(run.network, terms, rule, run.learned)
    return updates


def _labels(replicate: Replicate, head: str, rows: Array) -> Any:
    """Return the labels of a batch, as its update expects them."""
    tasks, settings = replicate.tasks, replicate.settings
    if settings.plain:
        return tasks[head].train.labels[rows]
    heads = tasks if settings.schedule == "sum" else (head,)
    return Batch(rows, {each: tasks[each].train.labels[rows] for each in heads})


def orders(run: Run, tasks: Mapping[str, Task]) -> dict[str, Array]:
    """Draw the order in which each task's training examples are seen in an epoch."""
    xp = array_module(run.network.trunk[0]["W"])
    return {head: xp.asarray(run.rng.permutation(len(task.train))) for head, task in tasks.items()}


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


def measure(replicate: Replicate, network: Network, features: Features, objective: float, updates: int) -> Record:
    """Return the record of an epoch of so many updates, whose objectives sum to this, and which ended in this network.

    Raises NotFiniteError where a weight that may have moved or an error is not finite.
    """
    run, settings, mask = replicate.run, replicate.settings, replicate.mask
    moved = [(f"hidden layer {i + 1}", p) for i, p in enumerate(network.trunk) if mask[i]]
    moved += [(f"head {head!r}", network.head(head)) for head in replicate.heads if mask[-1]]
    moved += list(run.learned.items())
    for name, p in moved:
        for key, w in p.items():
            if not array_module(w).isfinite(w).all():
                raise NotFiniteError(f"updated {key}", name)
    watched = settings.watch or tuple(replicate.tasks)
    validation = {head: features.error(network, head, replicate.tasks[head].validation) for head in watched}
    evaluated = {name: features.error(network, *of) for name, of in replicate.evaluations.items()}
    if not math.isfinite(objective):
        raise NotFiniteError("objective", "the loss")
    for name, measured in [*validation.items(), *evaluated.items()]:
        if not math.isfinite(measured):
            raise NotFiniteError("error", f"the outputs for {name!r}")
    return {
        "epoch": len(run.history) + 1,
        "updates": updates + (run.history[-1]["updates"] if run.history else 0),
        "mask": list(mask),
        "rate": settings.rate_at(len(run.history)),
        "objective": objective / updates,
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


def book(replicate: Replicate, record: Record) -> None:
    """Add an epoch to its run: keep the weights of a new minimum, and where the rules say so finish the run with the
    weights they ask for.
    """
    run, settings, mask = replicate.run, replicate.settings, tuple(record["mask"])
    run.history.append(record)
    if epochs_without_minimum(run.history, settings.together, restarts=False) == 0:
        run.best = {"epoch": len(run.history), "network": copy_tree(run.network.tree())}
        if run.learned:
            run.best["learned"] = copy_tree(run.learned)
    following = replicate.mask
    waited = epochs_without_minimum(run.history, settings.together, settings.patience_restarts)
    joining = settings.policy.gradual and not settings.patience_cuts_short and not all(mask)
    if settings.patience_restarts and following != mask:
        waited = 0
    impatient = settings.patience is not None and waited >= settings.patience and not joining
    run.finished = impatient or len(run.history) >= settings.max_epochs or not any(following)
    if run.finished and settings.keep == "best":
        run.network = Network.from_tree(run.best["network"])
        run.learned = run.best.get("learned", {})


def _snapshot(replicate: Replicate) -> Callable[[], None]:
    """Copy what an epoch may change and return the function that puts it all back."""
    run, mask = replicate.run, replicate.mask
    state = run.rng.bit_generator.state
    buffers = copy_tree(run.buffers)
    moving = [p for p, share in zip(run.network.trunk, mask, strict=False) if share]
    moving += [run.network.head(head) for head in replicate.heads]
    copies, learned = copy_tree(moving), copy_tree(run.learned)

    def restore() -> None:
        run.rng.bit_generator.state = state
        run.buffers, run.learned = buffers, learned
        for p, copy in zip(moving, copies, strict=True):
            for key, w in p.items():
                w[...] = copy[key]

    return restore
