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
    return Grid("Test errors in percent, forgotten in points: mean ± standard deviation over seeds", header, rows)


def sentences(results: TableResults, misread: Misread | None) -> list[str]:
    """Return what there is to say, a sentence or two in a line."""
    lines = [_learned(results), answer(results), _cost(results), _left(results), _paper(results)]
    if misread is not None:
        lines.append(
            f"In one of the {_count(results)} pairs fine tuning alone made the old head misread {misread.fine:,} of "
            f"the {misread.right:,} test digits that it had read right, Gradual Tuning alone {misread.gradual:,}, "
            f"both {misread.both:,}."
        )
    return [line for line in lines if line]


def answer(results: TableResults) -> str:
    """Return how much less Gradual Tuning forgets, with its interval, under each regularizer."""
    parts = []
    for regularizer in results.design.regularizers:
        fine, gradual = (forgetting(results, method, regularizer) for method in ("fine", "gradual"))
        both = paired(fine, gradual)
        if both.n < 2:
            continue
        pairs = fine.keys() & gradual.keys()
        means = [number(fmean(each[seed] for seed in pairs), 1) for each in (fine, gradual)]
        parts.append(
            f"{TITLES[regularizer]}: fine tuning forgets {means[0]} points, Gradual Tuning {means[1]}; {_points(both)}"
        )
    return "Forgotten. " + ". ".join(_upper(part) for part in parts) + "." if parts else ""


def _learned(results: TableResults) -> str:
    p, table = results.design.protocol, results.design.table
    kind = "MNIST" if table.second.startswith("mnist") else "drawn"
    return (
        f"Learned. {_count(results).capitalize()} networks ({table.network}) learned the digits 0 to 4 from "
        f"{p.train:,} {kind} images. Each got a new head and learned 5 to 9, once by fine tuning (all layers at once) "
        "and once by Gradual Tuning (the head first, then one layer more whenever the error settles)."
    )


def _cost(results: TableResults) -> str:
    """Return what not forgetting costs on the new task."""
    parts = []
    for regularizer in results.design.regularizers:
        fine, gradual = (results.values("task_b_error", method, regularizer) for method in ("fine", "gradual"))
        both = paired(gradual, fine)
        if both.n < 2:
            continue
        worse = "higher" if both.difference > 0 else "lower"
        verdict = "; zero lies in it" if both.low < 0 < both.high else ""
        parts.append(
            f"{TITLES[regularizer]}: {number(abs(both.difference), 2)} points {worse} "
            f"(95 % interval {_interval(both, 2)}{verdict})"
        )
    return (
        "The cost. The new task's error under Gradual Tuning, against fine tuning, is " + ", ".join(parts) + "."
        if parts
        else ""
    )


def _left(results: TableResults) -> str:
    """Return what a new head still finds."""
    parts = []
    for regularizer in results.design.regularizers:
        own, new = (lost(results, metric, "fine", regularizer) for metric in ("task_a_error_after", "probe_error"))
        if own and new:
            share = 100 * (1 - fmean(new.values()) / fmean(own.values()))
            parts.append(
                f"{TITLES[regularizer]}: {number(fmean(new.values()), 1)} of {number(fmean(own.values()), 1)} points"
                + (f", so {share:.0f} % was only misread" if 0 < share < 100 else "")
            )
    return (
        "What is left. A new head for 0 to 4, trained on the features that fine tuning left, still misses "
        + "; ".join(parts)
        + "."
        if parts
        else ""
    )


def _paper(results: TableResults) -> str:
    """Return the paper's numbers."""
    rows = {(r.regularizer, r.method): r for r in published() if r.table == results.design.table.number}
    parts = []
    for regularizer in results.design.regularizers:
        forgot = {m: rows[regularizer, m].task_a_error_after - rows[regularizer, m].task_a_error_before for m in NAMES}
        parts.append(f"{TITLES[regularizer]} {number(forgot['fine'], 1)} and {number(forgot['gradual'], 1)} points")
    return "The paper (MNIST, 20,000 images, table 1): fine and Gradual Tuning forgot, with " + ", ".join(parts) + "."


def _points(both: Paired) -> str:
    """Return a difference with its interval, and whether chance alone may have made it."""
    chance = ", which chance may explain" if both.low < 0 < both.high else ""
    return f"that is {number(both.difference, 1)} more (95 % interval {_interval(both, 1)}){chance}"


def _interval(both: Paired, digits: int) -> str:
    return f"{number(both.low, digits)} to {number(both.high, digits)}"


def _count(results: TableResults) -> str:
    """Return how many networks there are, in words."""
    seeds = results.design.protocol.seeds
    return {2: "two", 3: "three", 4: "four", 5: "five"}.get(seeds, str(seeds))


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
