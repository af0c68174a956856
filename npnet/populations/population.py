"""Populations: many runs that train as one, their networks stacked along a leading axis, W (R, D, K).

A network of 500 units at 20 examples a batch leaves a device idle; a hundred of them in one product do not. Runs whose
networks have the same shapes and whose next epoch freezes the same layers go through it as one stack, whatever their
starts, tasks, rates, regularizers and methods. An epoch happens in a copy, of which every run takes its own slice in
the end: its mask, patience, stopping and best weights are its own, bit-identical whichever runs share the stack.

On the host a stack of small networks is 1.2 (350 kB of weights) to 5 (13 kB) times as fast as its networks one by one.
Larger ones would push each other out of the cache, at 0.6 times the speed, so they take turns, an epoch each.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.arrays import array_module, to_host
from npnet.blas import threads
from npnet.data import Split
from npnet.frozen import Kept
from npnet.layers import Parameters
from npnet.network import Network
from npnet.objective import cut, groups_of, loss_along, plain_loss
from npnet.policies import trains
from npnet.populations.reading import SharedKept, read_together
from npnet.populations.stack import (
    Generators,
    RowGroup,
    as_columns,
    move_rows,
    penalise_rows,
    row,
    stacked,
    stacked_form,
    stacked_loss,
)
from npnet.run import Record, TrainingJob
from npnet.step import Move, NotFiniteError, Objective, Penalise, take_step
from npnet.training import advance, batches, conclude, measure, orders
from npnet.undo import note, snapshot

__all__ = ["train_population"]

_CACHE = 2**19  # bytes of a trunk's weights; measured at 16 networks, batch 20, with 2 MB of cache a core


@checked
def train_population(jobs: Sequence[TrainingJob]) -> Iterator[dict[int, Record]]:
    """Train every job until its run has finished, yielding after each epoch {place in the sequence: record}.

    Each goes through what `train` would take it through, to the same numbers within rounding; on the host, to the same
    bits in whatever company. Between two yields every run is whole: save it there. A run that diverges is rolled back
    to the epoch before and has a `failure`; the others go on. Raises TypeError where arrays of different modules are
    among them, and ValueError for no jobs, another objective than the plain loss, masks with a share for each weight,
    and one run given twice.
    """
    if len({id(each.run) for each in jobs}) < len(jobs):
        raise ValueError(f"jobs are {len(jobs)}, some of them of the same run; expected a run for each")
    if not jobs:
        raise ValueError("jobs is []; expected at least one")
    array_module(*(each.run.network.first for each in jobs))
    for place, each in enumerate(jobs):
        if each.settings.objective is not plain_loss or not callable(each.settings.loss):
            raise ValueError(
                f"job {place} has terms or several losses; expected the loss at one head at a time (train it by itself)"
            )
        each.start()
    kept = SharedKept(max(each.settings.memory_budget for each in jobs))
    while going := [place for place, each in enumerate(jobs) if not (each.run.finished or each.failure)]:
        records: dict[int, Record] = {}
        kept.next_epoch()
        for places in _alike(jobs, going):
            members = [jobs[place] for place in places]
            epoch = _one_by_one if _fills_the_cache(members[0].run.network) else _epoch
            for place, record in zip(places, epoch(members, kept), strict=True):
                if record is not None:
                    records[place] = record
        yield records


def _alike(jobs: Sequence[TrainingJob], going: Sequence[int]) -> list[list[int]]:
    """Return the places of those that go through their next epoch as one stack, neighbours as equal as possible."""
    stacks: dict[Hashable, dict[Hashable, list[int]]] = {}
    for place in going:
        stacks.setdefault(_shape(jobs[place]), {}).setdefault(_family(jobs[place]), []).append(place)
    return [[place for family in families.values() for place in family] for families in stacks.values()]


def _shape(job: TrainingJob) -> Hashable:
    """Return what jobs of one stack have in common."""
    network, settings = job.run.network, job.settings
    tasks = [(head, _shapes(network.head(head)), _form(task.train)) for head, task in job.tasks.items()]
    above = tuple(layer if isinstance(layer, Hashable) else id(layer) for layer, p in network.path() if p)
    return (
        tuple(map(_moving, job.run.mask or ())),
        (tuple(map(_shapes, network.trunk)), above, type(network)),
        (network.activations, network.dropout, network.input_dropout, network.dtype, tuple(tasks)),
        (settings.batch_size, settings.order, settings.loss, settings.optimizer, settings.clip, settings.blas_threads),
    )


def _form(split: Split) -> Hashable:
    return len(split), split.kind, split.weights is None


def _shapes(p: Parameters) -> Hashable:
    return tuple((key, w.shape) for key, w in p.items())


def _moving(entry: Any) -> Hashable:
    """Return what of a layer moves. Raises ValueError for a share for each weight, which a stack does not have."""
    if not isinstance(entry, Mapping):
        return trains(entry)
    if any(getattr(share, "shape", ()) for share in entry.values()):
        raise ValueError(f"mask has {entry!r:.80}; expected numbers in a population (train such a run by itself)")
    return tuple(sorted(name for name, share in entry.items() if share))


def _family(job: TrainingJob) -> Hashable:
    """Return what the jobs of one row group share: mask, rate, max-norm, the regularizers but for their arrays."""
    settings, mask = job.settings, repr(job.run.mask)
    terms = tuple(
        (r.penalty, r.strength, r.where, r.biases, r.anchors is None, r.scales is None, r.inherited)
        for r in settings.regularizers
    )
    return mask, settings.rate_at(len(job.run.history)), settings.max_norm, terms


@np.errstate(over="ignore", under="ignore", invalid="ignore")  # what is not finite is looked for
def _epoch(members: Sequence[TrainingJob], kept: Kept) -> list[Record | None]:
    """Take jobs of one shape through an epoch and return their records, None for those that failed."""
    undo, records = [note(each.run) for each in members], list[Record | None]()
    try:
        for i, (each, (network, buffers, record)) in enumerate(zip(members, list(_ends(members, kept)), strict=True)):
            if record is None:
                undo[i]()
                undo[i] = snapshot(each.run)  # by itself it moves its arrays in place
                record = _alone(each, Kept(each.settings.memory_budget))
            else:
                each.run.network, each.run.buffers = network, each.run.buffers | buffers
                conclude(each, record)
            records.append(record)
    except BaseException:
        for restore in undo[len(records) :]:
            restore()
        raise
    return records


def _fills_the_cache(network: Network) -> bool:
    """Report whether a network lives on the host and is too large for the cache to hold many like it."""
    arrays = [w for p in network.trunk for w in p.values()]
    return array_module(network.first) is np and sum(w.nbytes for w in arrays) > _CACHE


def _one_by_one(members: Sequence[TrainingJob], kept: Kept) -> list[Record | None]:
    """Take jobs through an epoch, one after the other."""
    return [_alone(each, kept) for each in members]


def _alone(job: TrainingJob, kept: Kept) -> Record | None:
    """Take a job through its epoch by itself, which says where numbers cease to be finite."""
    try:
        return advance(job, kept)
    except NotFiniteError as error:
        job.failure = error
        return None


def _ends(members: Sequence[TrainingJob], kept: Kept) -> Iterator[tuple[Network, dict[str, Any], Record | None]]:
    """Make the steps of an epoch and yield where each job stands then: network, buffers, record.

    The record is None where numbers are not finite any more.
    """
    settings, heads = members[0].settings, list(members[0].tasks)
    trunk = stacked([each.run.network.trunk for each in members])
    tops = {head: stacked([each.run.network.head(head) for each in members]) for head in heads}
    losses = {head: _loss(members, head, [*trunk, tops[head]], kept) for head in heads}
    buffers = {
        f"{group.name}: {key}": stacked(
            [
                each.run.buffers.get(f"{group.name}: {key}") or settings.optimizer.start(group.parameters[key][i])
                for i, each in enumerate(members)
            ]
        )
        for loss in losses.values()
        for group in loss.groups
        for key in group.shares
    }
    alike = _row_groups(members)
    penalty, move = penalise_rows(alike), move_rows(alike, buffers)
    order, rng = stacked([orders(each, heads) for each in members]), Generators([each.run.rng for each in members])
    total, steps = array_module(*tops[heads[0]].values()).zeros(len(members)), 0
    with threads(settings.blas_threads):
        for head, rows in batches(order, settings.batch_size):
            total += take_step(losses[head], penalty, move, rows, rng, settings.clip)
            steps += 1
        for i, (each, objective) in enumerate(zip(members, to_host(total), strict=True)):
            network = _member(each, trunk, tops, i)
            moved = {
                id(group.parameters): group
                for head in heads
                for group in groups_of(network.path(head), each.run.mask or (), head).values()
            }
            try:
                record = measure(each, network, list(moved.values()), kept, float(objective), steps)
            except NotFiniteError:
                record = None
            yield network, row(buffers, i), record


def _member(job: TrainingJob, trunk: Sequence[Parameters], tops: Mapping[str, Parameters], i: int) -> Network:
    """Return a job's network with row i of the stack in place of what moved; frozen arrays stay the same objects."""
    mine, mask = job.run.network, job.run.mask or ()
    moved = [row(p, i) if trains(entry) else old for p, old, entry in zip(trunk, mine.trunk, mask, strict=False)]
    return replace(mine, trunk=moved, heads=mine.heads | {head: row(p, i) for head, p in tops.items()})


def _loss(members: Sequence[TrainingJob], head: str, stack: Sequence[Parameters], kept: Kept) -> Objective:
    """Return the losses of a stack at one head. stack: the parameters of each hidden layer and the head."""
    networks, parameters = [each.run.network for each in members], iter(stack)
    paths = [each.path(head, training=True) for each in networks]
    path = [(layer, next(parameters) if p else {}) for layer, p in paths[0]]
    groups = groups_of(path, members[0].run.mask or (), head)
    start, lowest = cut(path, groups)
    above = {
        i - start: replace(group, weights=frozenset(key for key, w in group.parameters.items() if w.ndim > 2), lead=1)
        for i, group in groups.items()
    }
    dtype, loss = networks[0].dtype, stacked_loss(members[0].settings.loss_of(head))
    seen = [kept.split(each[:start], job.tasks[head].train, dtype) for each, job in zip(paths, members, strict=True)]
    return loss_along(
        stacked_form(path[start:], lowest - start), above, lowest - start, loss, read_together(seen, dtype)
    )


def _row_groups(members: Sequence[TrainingJob]) -> list[RowGroup]:
    """Return the row groups of a stack: one for each family of neighbours that move alike."""
    alike: list[RowGroup] = []
    for _, neighbours in groupby(range(len(members)), key=lambda i: _family(members[i])):
        places = list(neighbours)
        family = [members[i] for i in places]
        terms = zip(*(each.settings.regularizers for each in family), strict=True)
        regularizers = tuple(
            replace(same[0], anchors=_columns([r.anchors for r in same]), scales=_columns([r.scales for r in same]))
            for same in terms
        )
        settings = family[0].settings
        rate, optimizer = settings.rate_at(len(family[0].run.history)), settings.optimizer
        penalise = Penalise(regularizers, optimizer.proximal, strict=False)
        move = Move(optimizer, rate, {}, regularizers, settings.max_norm, strict=False)
        alike.append(RowGroup(slice(places[0], places[-1] + 1), family[0].run.mask or (), penalise, move))
    return alike


def _columns(arrays: Sequence[Any]) -> Any:
    """Return anchors or scales of some replicates as those of a stack, None where there are none."""
    if arrays[0] is None:
        return None
    return [{key: as_columns(w) for key, w in layer.items()} for layer in stacked(arrays)]
