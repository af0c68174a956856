"""Which method? The questions of a practitioner, and for each answer the method that validation examples choose."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isnan

from experiments.frame.grids import Grid
from experiments.frame.statistics import holm, paired
from experiments.frame.text import number
from experiments.studies.atlas.design import Pair
from experiments.studies.atlas.measures import Atlas, Criterion
from experiments.studies.atlas.methods import JOINT, METHODS, SCRATCH

__all__ = ["ANSWERS", "Answer", "Choice", "choose", "decision_grid"]


@dataclass(frozen=True)
class Answer:
    """An end of the chart: the question that leads to it, the answer, the methods that are allowed then.

    judged: the error that shall be small; the method is chosen by that on validation examples, the mean over seeds.
    criterion: by what each method's setting is chosen.
    """

    question: str
    answer: str
    allowed: Callable[[str], bool]
    judged: str = "mean"
    criterion: Criterion = "both"


def _alone(method: str) -> bool:
    return not METHODS[method].old_data


def _keeps(method: str) -> bool:
    """Return whether a method leaves every old weight as it is."""
    return method == "head only" or METHODS[method].family == "growing"


def _moves(method: str) -> bool:
    """Return whether a method changes old weights, without old data, and adds none but a head."""
    return _alone(method) and method != SCRATCH and not _keeps(method)


def _stays(method: str) -> bool:
    """Return whether a method adds nothing but a head to the old network, without old data."""
    return method == "head only" or _moves(method)


ANSWERS = (
    Answer("Are the old data still there?", "yes", lambda method: method == JOINT),
    Answer("Is the old task still needed?", "no", _alone, "new", "new"),
    Answer("May the network grow, its old part frozen?", "yes", _keeps),
    Answer("May the old task get a new head?", "yes", _stays, "with a new head"),
    Answer("Old data gone, the old head must still work, no growth", "then", _moves),
)
"""The chart from above: who does not give an answer goes on to the next question. Without it, the last one."""


@dataclass(frozen=True)
class Choice:
    """What an answer comes to in a pair: the method, its errors, and the others that are not clearly worse."""

    method: str
    new: float
    forgotten: float
    features: float
    level: tuple[str, ...]


def choose(found: Atlas, pair: Pair, of: Answer) -> Choice | None:
    """Return what is chosen in a pair; None where nothing is measured.

    level: methods of which the test error that is judged is not larger with p < 0.05 (paired t-tests, Holm).
    """
    errors: Mapping[str, float] = {
        method: found.mean(pair, method, f"{of.judged} validation", of.criterion)
        for method in METHODS
        if of.allowed(method)
    }
    known = {method: value for method, value in errors.items() if not isnan(value)}
    if not known:
        return None
    best = min(known, key=lambda method: known[method])
    others = [method for method in known if method != best]
    judged = {method: found.values(pair, method, of.judged, of.criterion) for method in known}
    tests = [paired(judged[other], judged[best]) for other in others]
    ps = holm([test.p for test in tests])
    level = [other for other, test, p in zip(others, tests, ps, strict=True) if not (p < 0.05 and test.difference > 0)]
    new, forgotten, features = (
        found.mean(pair, best, metric, of.criterion) for metric in ("new", "forgotten", "features lost")
    )
    return Choice(best, new, forgotten, features, tuple(level))


def decision_grid(found: Atlas) -> Grid:
    """Return the chart as a table, with the methods that are level with the chosen one."""
    rows = []
    for of in ANSWERS:
        row = [f"{of.question} {of.answer.capitalize()}." if of.answer != "then" else f"{of.question}."]
        for pair in found.design.pairs:
            choice = choose(found, pair, of)
            row.append("–" if choice is None else cell(of, choice))
        rows.append(row)
    header = ["", *(pair.title for pair in found.design.pairs)]
    title = "Which method? Chosen by validation errors; test errors, points forgotten; level: not clearly worse"
    return Grid(title, header, rows)


def numbers(of: Answer, choice: Choice) -> str:
    """Return the numbers of a choice: the new task's error, and what is lost of the old one."""
    lost = choice.features if of.judged == "with a new head" else choice.forgotten
    what = "lost with new head" if of.judged == "with a new head" else "forgotten"
    return f"new {number(choice.new, 1)} %" + ("" if isnan(lost) else f", {what} {number(lost, 1)}")


def cell(of: Answer, choice: Choice) -> str:
    """Return a choice in words."""
    level = f"\nlevel: {', '.join(choice.level)}" if choice.level else ""
    return f"{choice.method}: {numbers(of, choice)}{level}"
