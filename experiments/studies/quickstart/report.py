"""What the main job found, in some ten lines: learned, forgotten, what it cost, what a new head still finds."""

from statistics import fmean

from experiments.frame.grids import Grid
from experiments.frame.statistics import Paired, paired
from experiments.frame.text import number, spread
from experiments.published import published
from experiments.studies.quickstart.misread import Misread
from experiments.studies.tables.figures import NAMES, TITLES
from experiments.studies.tables.report import forgetting, lost
from experiments.studies.tables.results import TableResults

__all__ = ["answer", "found_grid", "sentences"]

_WITH = {"none": "without regularization", "dropout": "with dropout"}
_NUMBERS = {2: "Two", 3: "Three", 4: "Four", 5: "Five"}


def found_grid(results: TableResults) -> Grid:
    """Return errors on the new task and the old one, and what was forgotten, by the old head and by a new one."""
    rows = []
    for regularizer in results.design.regularizers:
        for method in results.design.methods:
            before, after, new = (
                list(results.values(metric, method, regularizer).values())
                for metric in ("task_a_error_before", "task_a_error_after", "task_b_error")
            )
            forgotten, probe = (
                list(lost(results, metric, method, regularizer).values())
                for metric in ("task_a_error_after", "probe_error")
            )
            old = f"{number(fmean(before), 1) if before else '–'} → {spread(after, 1)}"
            row = [f"{NAMES[method]}, {TITLES[regularizer]}", spread(new, 1), old]
            rows.append([*row, spread(forgotten, 1), spread(probe, 1)])
    header = ["", "new task: 5 to 9", "old task: 0 to 4", "forgotten", "forgotten, new head"]
    return Grid("Test errors in percent, forgotten in points: mean ± standard deviation over networks", header, rows)


def sentences(results: TableResults, misread: Misread | None) -> list[str]:
    """Return what there is to say, one thing a line; what has not been measured yet is left out."""
    lines = [_learned(results), answer(results), _cost(results), _left(results), _paper(results)]
    if misread is not None:
        lines.append(
            f"The picture shows some of the {misread.fine:,} old test digits (of {misread.right:,}) that one network "
            f"misreads after fine tuning alone. After Gradual Tuning alone it misreads {misread.gradual:,}, after "
            f"both {misread.both:,}."
        )
    return [line for line in lines if line]


def answer(results: TableResults) -> str:
    """Return how much each method forgets, and the difference with its interval, under each regularizer."""
    parts = []
    for regularizer in results.design.regularizers:
        fine, gradual = (forgetting(results, method, regularizer) for method in ("fine", "gradual"))
        both = paired(fine, gradual, results.design.cluster)
        if both.n < 2:
            continue
        pairs = fine.keys() & gradual.keys()
        means = [number(fmean(each[seed] for seed in pairs), 1) for each in (fine, gradual)]
        less = "less" if both.difference > 0 else "more"
        parts.append(
            f"{_WITH[regularizer]} fine tuning forgets {means[0]} points of the old task and Gradual Tuning "
            f"{means[1]}: {number(abs(both.difference), 1)} {less} ({_interval(both)})"
        )
    return _said("Forgotten.", parts)


def _learned(results: TableResults) -> str:
    p, table = results.design.protocol, results.design.table
    kind = "MNIST" if table.second.startswith("mnist") else "drawn"
    return (
        f"Learned. {_NUMBERS.get(p.seeds, str(p.seeds))} networks ({table.network}) learned the digits 0 to 4 from "
        f"{p.train:,} {kind} images. Each got a new head and learned 5 to 9, once by fine tuning (all layers at once) "
        "and once by Gradual Tuning (the head first, then one layer more whenever the error settles)."
    )


def _cost(results: TableResults) -> str:
    """Return what not forgetting costs on the new task."""
    parts = []
    for regularizer in results.design.regularizers:
        fine, gradual = (results.values("task_b_error", method, regularizer) for method in ("fine", "gradual"))
        both = paired(gradual, fine, results.design.cluster)
        if both.n >= 2:
            parts.append(
                f"{_WITH[regularizer]} the new task's error is {number(abs(both.difference), 1)} points "
                f"{'higher' if both.difference > 0 else 'lower'} under Gradual Tuning ({_interval(both)})"
            )
    return _said("The cost.", parts)


def _left(results: TableResults) -> str:
    """Return what a new head still finds."""
    parts = []
    for regularizer in results.design.regularizers:
        own, new = (lost(results, metric, "fine", regularizer) for metric in ("task_a_error_after", "probe_error"))
        if own and new:
            parts.append(
                f"{_WITH[regularizer]} {number(fmean(new.values()), 1)} points are forgotten with it, "
                f"{number(fmean(own.values()), 1)} with the old head"
            )
    return _said("What is left. A new head for 0 to 4 was trained on the features that fine tuning left.", parts)


def _paper(results: TableResults) -> str:
    """Return the paper's numbers."""
    rows = {(r.regularizer, r.method): r for r in published() if r.table == results.design.table.number}
    parts = []
    for regularizer in results.design.regularizers:
        forgot = {m: rows[regularizer, m].task_a_error_after - rows[regularizer, m].task_a_error_before for m in NAMES}
        parts.append(
            f"{_WITH[regularizer]} fine tuning forgot {number(forgot['fine'], 1)} points and Gradual Tuning "
            f"{number(forgot['gradual'], 1)}"
        )
    return _said("The paper (500-500, 20,000 images of MNIST).", parts)


def _said(subject: str, parts: list[str]) -> str:
    """Return a subject with its parts as sentences, or nothing."""
    return " ".join([subject, *(f"{part[:1].upper()}{part[1:]}." for part in parts)]) if parts else ""


def _interval(both: Paired) -> str:
    """Return the interval of a difference's size, and whether chance may explain it."""
    low, high = sorted((both.low, both.high)) if both.difference > 0 else sorted((-both.low, -both.high))
    chance = ", so chance may explain it" if low < 0 < high else ""
    return f"95 % interval {number(low, 1)} to {number(high, 1)}{chance}"
