"""An objective of several terms: one walk up through the trunk to all heads, one way down that they all join.

What terms share is computed once: each says what gradients it has at which place (see terms), and these join the way
down there. How layers are penalised and moved is the step's business.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from npnet.arrays import Array, array_module
from npnet.data import Split, Task
from npnet.frozen import Kept, Read
from npnet.fused import dense, factored
from npnet.hyperparameters import Hyperparameters
from npnet.layers import Back, Parameters, Path, backward, forward
from npnet.matching.terms import Batch, Passed, Place, SupervisedLoss, Term, TermInputs, TermOutput
from npnet.network import Network
from npnet.objective import cut, first_not_finite, group_of, groups_of, plain_loss
from npnet.policies import Mask, trains
from npnet.step import Group, NotFiniteError, Objective, WayDown

__all__ = ["SumOfTerms", "Terms", "add_terms"]


@dataclass(frozen=True)
class Terms:
    """The objective of a run with terms in addition to the losses on labels.

    terms          what is minimised besides; each has its task, and sees that task's batches
    weights        {task: weight} of the loss on labels, 1 where none is named, left out where it is 0; or
                   "uncertainty", to learn them
    schedule       "alternate": batches of several tasks take turns, those of a smaller task spread evenly among those
                   of a larger one; "sum": every batch has the sum of their losses, for tasks that share their inputs
    learned_share  terms' own parameters, learned weights among them, move at this multiple of the heads' rate

    Raises ValueError for values out of range or of another kind, naming them.
    """

    terms: tuple[Term, ...] = ()
    weights: Mapping[str, float] | Literal["uncertainty"] = field(default_factory=dict)
    schedule: Literal["alternate", "sum"] = "alternate"
    learned_share: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", tuple(self.terms) if isinstance(self.terms, list) else self.terms)
        if not isinstance(self.terms, tuple) or not all(hasattr(each, "acts") for each in self.terms):
            raise ValueError(f"terms is {self.terms!r}; expected a tuple of terms")
        if not self.learned_share >= 0:
            raise ValueError(f"learned_share is {self.learned_share}; expected zero or more")
        if self.schedule not in ("alternate", "sum"):
            raise ValueError(f"schedule is {self.schedule!r}; expected one of ('alternate', 'sum')")
        fixed = self.weights.values() if isinstance(self.weights, Mapping) else ()
        if (not isinstance(self.weights, Mapping) and self.weights != "uncertainty") or not all(w >= 0 for w in fixed):
            raise ValueError(f"weights is {self.weights!r}; expected {{head: zero or more}}, or 'uncertainty'")

    def check(self, job: Any) -> None:
        """Raise ValueError where terms or weights are those of other tasks, names are taken or inputs not shared."""
        weighed = self.weights if isinstance(self.weights, Mapping) else ()
        for what, heads in {"terms": [term.task for term in self.terms], "weights": weighed}.items():
            for head in heads:
                if head not in job.tasks:
                    raise ValueError(f"{what} has the task {head!r}; expected one of {', '.join(map(repr, job.tasks))}")
        names = [term.name for term in self.terms]
        if len(set(names)) < len(names):
            raise ValueError(f"terms have the names {names}; expected another one for each")
        for term in self.terms:
            term.check(job.run.network, len(job.tasks[term.task].train))
        first = next(iter(job.tasks.values())).train.inputs
        if self.schedule == "sum" and not all(task.train.inputs is first for task in job.tasks.values()):
            given = ", ".join(map(repr, job.tasks))
            raise ValueError(f"schedule is 'sum'; expected {given} to share one array of inputs")

    def __call__(self, job: Any, kept: Kept) -> dict[str, Objective]:
        """Return the objective of each task's batches, {head: objective}; one for all where their losses are summed.

        Parameters of terms that are new to the run are drawn here, from its generator.
        """
        if not self.terms and not self.weights and self.schedule == "alternate":
            return plain_loss(job, kept)
        self.check(job)
        run, fixed = job.run, self.weights if isinstance(self.weights, Mapping) else {}
        objectives: dict[str, Objective] = {}
        for heads in [tuple(job.tasks)] if self.schedule == "sum" else [(head,) for head in job.tasks]:
            terms: list[Term] = [
                SupervisedLoss(head, job.settings.loss_of(head), fixed.get(head, 1.0), self.weights == "uncertainty")
                for head in heads
                if fixed.get(head, 1.0)
            ]
            terms += [term for term in self.terms if term.task in heads]
            for term in terms:
                if term.name not in run.learned and (p := term.start(run.network, run.rng)):
                    run.learned[term.name] = p
            read = _reader({head: job.tasks[head].train for head in heads}, kept, run.network.dtype)
            step = SumOfTerms(run.network, terms, run.mask, read, run.learned, self.learned_share)
            objectives[heads[0]] = Objective(step.groups, step.descent)
        return objectives


def _reader(splits: Mapping[str, Split], kept: Kept, dtype: np.dtype) -> Callable[[Path], Read]:
    """Return `kept.read` of splits that share their inputs, with a Batch of all their labels."""

    def above(below: Path) -> Read:
        read = kept.read(next(iter(splits.values())), dtype, below)
        return lambda rows: (read(rows)[0], Batch(rows, {head: each.labels[rows] for head, each in splits.items()}))

    return above


def add_terms(settings: Hyperparameters, task: Task, terms: Sequence[Term], labels: float = 1.0) -> Hyperparameters:
    """Return settings whose objective has more terms; labels: the factor on the weight of the task's own loss.

    Raises ValueError beside an objective that takes no terms, and for a factor on weights that are learned.
    """
    given = Terms() if settings.objective is plain_loss else settings.objective
    if not isinstance(given, Terms):
        raise ValueError(f"objective is {given!r}; expected plain_loss or Terms, to which terms can be added")
    if labels != 1 and not isinstance(given.weights, Mapping):
        raise ValueError(f"weights is {given.weights!r}; expected numbers, which this method scales by {labels}")
    if labels != 1 and isinstance(given.weights, Mapping):
        given = replace(given, weights={**given.weights, task.name: labels * given.weights.get(task.name, 1.0)})
    return replace(settings, objective=replace(given, terms=(*given.terms, *terms)))


class SumOfTerms:
    """The sum of terms on the batches of one task, or of tasks that share their inputs.

    read: from the frozen links below to the function that reads a batch, X and a `Batch`. learned: the terms' own
    parameters by name, which train at `share` of the heads' share of the rate and under no regularizer. Every head that
    a term reads trains as the mask's last entry says. Terms without a gradient under the mask are left out. Raises
    ValueError for a term that does not fit the network.
    """

    def __init__(
        self,
        network: Network,
        terms: Sequence[Term],
        mask: Mask,
        read: Callable[[Path], Read],
        learned: Mapping[str, Parameters] | None = None,
        share: float = 1.0,
    ) -> None:
        for term in terms:
            term.check(network)
        acting = [term for term in terms if term.acts(mask)]
        self.network, self.terms = network, [(term, (learned or {}).get(term.name, {})) for term in acting]
        self._lay_trunk(network, mask, any(term.needs_inputs for term in acting))
        self._lay_heads(network, mask, share)
        self.groups = (*self.at_head.values(), *self.at_term.values(), *self.at_link.values())
        self.trains = tuple(map(trains, mask))
        self.read = read(self.below)

    def _lay_trunk(self, network: Network, mask: Mask, needs_inputs: bool) -> None:
        """Cut the trunk where it first trains, drops out, or is needed, and find its groups and places."""
        path = network.path(training=True)
        groups = groups_of(path, mask)
        start, lowest = cut(path, groups)
        start = 0 if needs_inputs else start
        self.below, self.links, self.lowest = path[:start], path[start:], lowest - start
        self.path, self.place = factored(self.links, self.lowest), partial(first_not_finite, path, start, None)
        self.at_link = {i - start: group for i, group in groups.items()}
        linear = [i for i, (_, p) in enumerate(path) if p] if network.plain else []
        self.activation_of = {layer: i + 1 - start for layer, i in enumerate(linear, 1) if i >= start}

    def _lay_heads(self, network: Network, mask: Mask, share: float) -> None:
        """Find the heads that the terms read, and the groups of heads and terms."""
        heads = dict.fromkeys(head for term, _ in self.terms for head in term.heads)
        goes_on = -1 if self.at_link else 0  # whether something below a head trains
        self.heads = {head: factored(network.path(head)[-1:], goes_on)[0] for head in heads}
        top, depth = mask[-1], network.depth
        groups = {head: group_of(f"head {head!r}", p, top, depth, depth) for head, (_, p) in self.heads.items()}
        self.at_head = {head: group for head, group in groups.items() if group.shares}
        self.at_term: dict[int, Group] = {}
        if trains(top):
            own = share * top if isinstance(top, float) else share
            for k, (term, p) in enumerate(self.terms):
                if p:
                    self.at_term[k] = group_of(term.name, p, own, depth + 1, depth)

    def descent(self, rows: Array, rng: np.random.Generator | None) -> tuple[Array, WayDown]:
        """Return the sum of the terms on a batch, 0 where none acts, and the way down."""
        X, batch = self.read(rows)
        outputs, backs = forward(self.path, X, rng)
        at: dict[Place, Array] = {layer: outputs[i + 1] for layer, i in self.activation_of.items()}
        ends: dict[str, Back] = {}
        for head, (layer, p) in self.heads.items():
            at[head], ends[head] = layer(p, outputs[-1])
        above = {layer: self._above(i, outputs, backs) for layer, i in self.activation_of.items()}
        given = TermInputs(batch, at, self.network, above, self.trains)
        made = [term(p, given) for term, p in self.terms]
        value = sum((each.value for each in made), array_module(X).zeros((), X.dtype))
        if not math.isfinite(value.real):
            raise NotFiniteError("objective", self.place(outputs))
        return value, self._way_down(backs, ends, made)

    def _above(self, i: int, outputs: list[Array], backs: list[Back]) -> list[Passed]:
        """Return the activation at link i and the dropout above it, if any."""
        end = next((j for j in range(i + 1, len(self.links)) if self.links[j][1]), len(self.links))
        return [Passed(self.links[j][0], outputs[j], outputs[j + 1], backs[j]) for j in range(i, end)]

    def _way_down(self, backs: list[Back], ends: dict[str, Back], made: list[TermOutput]) -> WayDown:
        sent = _added(each.at for each in made)
        dY: Any = None
        for head, back in ends.items():
            dX, gradients = back(sent[head]) if head in sent else (None, None)
            dY = dX if dY is None else dY if dX is None else dY + dX
            if head in self.at_head:
                yield self._complete(self.at_head[head], gradients, head, made)
        for k, group in self.at_term.items():
            yield group, dict(made[k].own)
        at = {} if dY is None else {len(backs) - 1: dY}
        inner = _added(each.below for each in made)
        for layer, i in self.activation_of.items():
            for position, gradient in ((i, sent.get(layer)), (i - 1, inner.get(layer))):
                if gradient is not None:
                    at[position] = at[position] + gradient if position in at else gradient
        layer_at = {i - 1: layer for layer, i in self.activation_of.items()}
        for i, _, gradients in backward(backs, at, self.lowest):
            if i in self.at_link:
                yield self._complete(self.at_link[i], gradients, layer_at.get(i), made)

    def _complete(
        self, group: Group, gradients: Parameters | None, place: Place | None, made: list[TermOutput]
    ) -> tuple[Group, Parameters]:
        """Add the gradients of W that do not come by the way down. No gradient at all is zero."""
        if gradients is None:
            gradients = {key: array_module(w).zeros_like(w) for key, w in group.parameters.items()}
        for each in made:
            if place is not None and place in each.weights:
                gradients["W"] = dense(gradients["W"]) + dense(each.weights[place])  # real + complex is complex
        return group, gradients


def _added(parts: Any) -> dict[Any, Array]:
    """Return the sum of several maps from places to arrays."""
    total: dict[Any, Array] = {}
    for part in parts:
        for place, array in part.items():
            total[place] = total[place] + array if place in total else array
    return total
