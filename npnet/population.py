"""Populations: many runs that train as one, their networks stacked along a leading axis, W (R, D, K).

A network of 500 units at 20 examples a batch leaves a device idle; a hundred of them in one product do not. Runs whose
networks have the same shapes and whose next epoch freezes the same layers go through it as one stack, whatever their
starts, tasks, rates, regularizers and methods. An epoch happens in a copy, of which every run takes its own slice in
the end: its mask, patience, stopping and best weights are its own, and no number of it depends on who else is there.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from types import ModuleType
from typing import Any

import numpy as np

from npnet.arrays import array_module, row, stacked, to_device, to_host
from npnet.blas import advise
from npnet.features import Features, read_together
from npnet.layers import Parameters
from npnet.network import Network
from npnet.regularizers import Regularizer
from npnet.run import Record, Replicate, Run
from npnet.tasks.data import Split, Task
from npnet.training import advance, batches, book, measure, orders
from npnet.update import NotFiniteError, Rule, Update

__all__ = ["move", "train_population"]


def train_population(replicates: Sequence[Replicate]) -> Iterator[dict[int, Record]]:
    """Train every replicate until its run has finished, yielding after each epoch {place in the sequence: record}.

    Each goes through what `train` would take it through, to the same numbers within rounding; on the host, to the same
    bits in whatever company. Between two yields every run is whole: save it there. One whose numbers cease to be finite
    stands as it did before that epoch and has a `failure`; the others go on. Raises TypeError where arrays of
    different modules are among them, or nothing is, and ValueError for an objective with terms, and for one run twice.
    """
    advise()
    if len({id(each.run) for each in replicates}) < len(replicates):
        raise ValueError(f"replicates are {len(replicates)}, some of them of the same run; expected a run for each")
    array_module(*(each.run.network.trunk[0]["W"] for each in replicates))
    for place, each in enumerate(replicates):
        if not each.settings.plain or not callable(each.settings.loss):
            raise ValueError(
                f"replicate {place} has terms, weights, several losses or the schedule 'sum'; expected the loss at one "
                "head at a time (train such runs by themselves)"
            )
    known: list[Features] = []
    while going := [place for place, each in enumerate(replicates) if any(each.mask)]:
        records: dict[int, Record] = {}
        used: list[Features] = []
        for places in _alike(replicates, going):
            members = [replicates[place] for place in places]
            features = [_features(each, known) for each in members]
            used += features
            for place, record in zip(places, _epoch(members, features), strict=True):
                if record is not None:
                    records[place] = record
        known = [each for each in known if any(each is other for other in used)]
        yield records


def move(replicates: Sequence[Replicate], xp: ModuleType) -> list[Replicate]:
    """Return the replicates with all their arrays in xp, numpy or cupy.

    Splits that some of them share they share there too; inputs that were drawn as they were read are arrays then.
    """
    known: dict[int, Split] = {}

    def there(tree: Any) -> Any:
        return to_host(tree) if xp is np else to_device(tree, xp)

    def split(here: Split) -> Split:
        if id(here) not in known:
            known[id(here)] = Split(there(here.inputs[:]), there(here.labels))
        return known[id(here)]

    def task(here: Task) -> Task:
        return replace(here, train=split(here.train), validation=split(here.validation), test=split(here.test))

    def term(here: Regularizer) -> Regularizer:
        return replace(here, anchors=there(here.anchors), scales=there(here.scales))

    return [
        replace(
            each,
            run=Run.from_tree(there(each.run.tree())),
            tasks={head: task(of) for head, of in each.tasks.items()},
            settings=replace(each.settings, regularizers=tuple(map(term, each.settings.regularizers))),
            evaluations={name: (head, split(of)) for name, (head, of) in each.evaluations.items()},
        )
        for each in replicates
    ]


def _alike(replicates: Sequence[Replicate], going: Sequence[int]) -> list[list[int]]:
    """Return the places of those that go through their next epoch as one stack, neighbours as equal as may be."""
    stacks: dict[Hashable, dict[Hashable, list[int]]] = {}
    for place in going:
        each = replicates[place]
        stacks.setdefault(_shape(each), {}).setdefault(_family(each), []).append(place)
    return [[place for family in families.values() for place in family] for families in stacks.values()]


def _shape(each: Replicate) -> Hashable:
    """Return what replicates of one stack have in common."""
    network, settings = each.run.network, each.settings
    tasks = [
        (head, _shapes(network.head(head)), len(task.train), task.train.regression) for head, task in each.tasks.items()
    ]
    return (
        tuple(map(bool, each.mask)),
        (tuple(map(_shapes, network.trunk)), network.reads),
        (network.activation, network.dropout, network.dtype, tuple(tasks)),
        (settings.batch_size, settings.loss, settings.optimizer),
    )


def _shapes(p: Parameters) -> Hashable:
    return tuple((key, w.shape) for key, w in p.items())


def _family(each: Replicate) -> Hashable:
    """Return what replicates of one rule share: mask, rate, max-norm, the regularizers but for their arrays."""
    terms = (
        (term.penalty, term.strength, term.where, term.biases, term.anchors is None, term.scales is None, term.shared)
        for term in each.settings.regularizers
    )
    return each.mask, each.settings.rate_at(len(each.run.history)), each.settings.max_norm, tuple(terms)


def _features(each: Replicate, known: list[Features]) -> Features:
    """Return the features of a replicate's frozen layers: those of another one where the layers are the same."""
    network = each.run.network
    positions = [i for i, p in enumerate(network.parameters()) if p] + [len(network.layers())]
    lowest = next(i for i, share in zip(positions, each.mask, strict=True) if share)
    for features in known:
        if features.serve(network, lowest):
            return features
    features = Features(network, each.settings.memory_budget)
    features.freeze(lowest)
    known.append(features)
    return features


def _epoch(members: Sequence[Replicate], features: Sequence[Features]) -> list[Record | None]:
    """Take replicates of one shape through an epoch and return their records, None for those that failed."""
    states = [each.run.rng.bit_generator.state for each in members]
    try:
        ends = list(_ends(members, features))
    except BaseException:
        for each, state in zip(members, states, strict=True):
            each.run.rng.bit_generator.state = state
        raise
    records: list[Record | None] = []
    for each, state, sources, (network, buffers, record) in zip(members, states, features, ends, strict=True):
        if record is not None:
            each.run.network = network
            each.run.buffers |= buffers
            book(each, record)
        else:
            each.run.rng.bit_generator.state = state
            record = _alone(each, sources)
        records.append(record)
    return records


def _alone(each: Replicate, features: Features) -> Record | None:
    """Take a replicate whose numbers ceased to be finite through its epoch once more by itself, which says where."""
    try:
        return advance(each, features)
    except NotFiniteError as error:
        each.failure = error
        return None


def _ends(
    members: Sequence[Replicate], features: Sequence[Features]
) -> Iterator[tuple[Network, dict[str, Any], Record | None]]:
    """Make the steps of an epoch and yield where each replicate stands then: network, buffers, record.

    The record is None where numbers are not finite any more.
    """
    settings, heads = members[0].settings, list(members[0].tasks)
    stack = replace(
        members[0].run.network,  # of whose columns nothing is used: what they make of the inputs has been computed
        trunk=stacked([each.run.network.trunk for each in members]),
        heads={head: stacked([each.run.network.head(head) for each in members]) for head in heads},
        memories={},
    )
    rules = _rules(members)
    updates = {head: Update(stack, head, settings.loss_of(head), *rules) for head in heads}
    buffers = {
        place: stacked(
            [each.run.buffers.get(place) or settings.optimizer.start(w[i]) for i, each in enumerate(members)]
        )
        for update in updates.values()
        for place, w in update.moving()
    }
    splits = {head: [each.tasks[head].train for each in members] for head in heads}
    read = {head: read_together(features, splits[head], update.start) for head, update in updates.items()}
    order = stacked([orders(each.run, each.tasks) for each in members])
    rng: Any = _Generators([each.run.rng for each in members])
    total, steps = array_module(stack.trunk[0]["W"]).zeros(len(members)), 0
    with np.errstate(over="ignore", invalid="ignore"):
        for head, rows in batches(order, settings.batch_size):
            total += updates[head](*read[head](rows), buffers, rng)
            steps += 1
        for i, (each, objective) in enumerate(zip(members, to_host(total), strict=True)):
            mine = each.run.network
            trunk = [
                row(p, i) if share else old for p, old, share in zip(stack.trunk, mine.trunk, each.mask, strict=False)
            ]
            network = replace(mine, trunk=trunk, heads=mine.heads | row(stack.heads, i))
            try:
                record = measure(each, network, features[i], float(objective), steps)
            except NotFiniteError:
                record = None
            yield network, row(buffers, i), record


def _rules(members: Sequence[Replicate]) -> list[Rule]:
    """Return the rules of a stack: one for each family of neighbours that move alike."""
    rules: list[Rule] = []
    for _, neighbours in groupby(range(len(members)), key=lambda i: _family(members[i])):
        places = list(neighbours)
        family = [members[i] for i in places]
        terms = zip(*(each.settings.regularizers for each in family), strict=True)
        regularizers = tuple(
            replace(
                same[0],
                anchors=None if same[0].anchors is None else stacked([term.anchors for term in same]),
                scales=None if same[0].scales is None else stacked([term.scales for term in same]),
            )
            for same in terms
        )
        rate, optimizer = family[0].settings.rate_at(len(family[0].run.history)), family[0].settings.optimizer
        rows, bound = slice(places[0], places[-1] + 1), family[0].settings.max_norm
        rules.append(Rule(family[0].mask, rate, optimizer, regularizers, rows, bound))
    return rules


class _Generators:
    """A generator for each replicate, which draws that one's slice of an array: the numbers it would draw alone."""

    def __init__(self, each: Sequence[np.random.Generator]) -> None:
        self.each = each

    def random(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """Return numbers uniform on [0, 1) of shape (R, ...)."""
        return np.stack([rng.random(shape[1:], dtype=dtype) for rng in self.each])
