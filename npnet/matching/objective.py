"""The objective of a run with terms: which terms and weights, and whether tasks take turns or are summed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from npnet.arguments import checked
from npnet.data import Split, Task
from npnet.frozen import Kept, Read
from npnet.hyperparameters import Hyperparameters
from npnet.layers import Path
from npnet.matching.match import SupervisedLoss
from npnet.matching.several import SumOfTerms
from npnet.matching.terms import Batch, Term
from npnet.objective import plain_loss
from npnet.step import Objective

__all__ = ["Terms", "add_terms"]


@checked
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
        return lambda rows: (read(rows)[0], Batch(rows, {head: each.answers(rows) for head, each in splits.items()}))

    return above


@checked
def add_terms(settings: Hyperparameters, task: Task, terms: Sequence[Term], labels: float = 1.0) -> Hyperparameters:
    """Return settings whose objective has more terms; labels: the factor on the weight of the task's own loss.

    Raises ValueError for an objective that takes no terms, and for a factor on weights that are learned.
    """
    given = Terms() if settings.objective is plain_loss else settings.objective
    if not isinstance(given, Terms):
        raise ValueError(f"objective is {given!r}; expected plain_loss or Terms, to which terms can be added")
    if not labels >= 0:
        raise ValueError(f"labels is {labels}; expected a weight, zero or more")
    if labels != 1 and not isinstance(given.weights, Mapping):
        raise ValueError(f"weights is {given.weights!r}; expected numbers, which this method scales by {labels}")
    if labels != 1 and isinstance(given.weights, Mapping):
        given = replace(given, weights={**given.weights, task.name: labels * given.weights.get(task.name, 1.0)})
    return replace(settings, objective=replace(given, terms=(*given.terms, *terms)))
