"""What the study says beyond the paper: the new task for a budget of forgetting, proximal steps, what never moves."""

from itertools import product
from math import isfinite
from statistics import fmean

from experiments.frame.grids import Grid
from experiments.frame.text import spread
from experiments.studies.starting_point.design import METHODS, PROXIMAL, PenaltyMethod, TaskPair
from experiments.studies.starting_point.results import RunEnd, StartingPointResults, choose

__all__ = ["BUDGET", "budget_grid", "exact_grid", "proximal_grid"]

BUDGET = 2.0
"""Points of error on the old task, mean over seeds, that a strength may cost in the table of the budget."""


def budget_grid(found: StartingPointResults) -> Grid:
    """Return the test error on the target with the strengths of least validation error among those within the budget.

    The budget is looked at on the old task's test images, as someone may who still has that task's data.
    """
    p = found.protocol
    rows = []
    for method in METHODS:
        row = [method.name]
        for pair, size in product(p.pairs, p.sizes):
            kept = {
                option: ends
                for option, ends in found.runs(pair, size, method).items()
                if fmean(end.source for end in ends) - _before(found, pair) <= BUDGET
            }
            best = choose({option: [end.validation for end in ends] for option, ends in kept.items()})
            row.append("–" if best is None else spread([end.test for end in kept[best.alpha, best.beta]], 1))
        rows.append(row)
    header = ["", *(f"{pair.target} {size}" for pair, size in product(p.pairs, p.sizes))]
    return Grid(
        f"Test error on the target among strengths that cost the source at most {BUDGET:g} points", header, rows
    )


def proximal_grid(found: StartingPointResults) -> Grid:
    """Return what proximal steps change: proximal − subgradient at equal strengths, over grid and sizes."""
    rows = []
    for penalty in PROXIMAL:
        row = [penalty]
        for pair in found.protocol.pairs:
            differences = list(_differences(found, pair, penalty))
            row += [spread([d[i] for d in differences], 2) for i in (0, 1)]
        rows.append(row)
    header = ["", *(task for pair in found.protocol.pairs for task in (f"error on {pair.target}", f"on {pair.source}"))]
    return Grid("Proximal − subgradient step at the same strengths, points, mean ± sd over all runs", header, rows)


def _differences(found: StartingPointResults, pair: TaskPair, penalty: str) -> list[tuple[float, float]]:
    """Return the differences of test errors on target and source, one for each run that ended well both ways."""
    differences = []
    for size in found.protocol.sizes:
        here, there = (found.runs(pair, size, PenaltyMethod(penalty, method)) for method in ("fine", "proximal"))
        proximal: dict[tuple[float, float, int], RunEnd] = {
            (end.alpha, end.beta, end.seed): end for ends in there.values() for end in ends
        }
        for end in (end for ends in here.values() for end in ends):
            other = proximal.get((end.alpha, end.beta, end.seed))
            if other is not None and isfinite(end.test) and isfinite(other.test):
                differences.append((other.test - end.test, other.source - end.source))
    return differences


def _before(found: StartingPointResults, pair: TaskPair) -> float:
    """Return the source's test error before the target was learned."""
    return found.about["sources"][pair.name]["error"]


def exact_grid(found: StartingPointResults) -> Grid:
    """Return which part of weights and of units is exactly where it began, layer by layer, at the middle size."""
    size, depth = found.protocol.sizes[len(found.protocol.sizes) // 2], len(found.protocol.hidden)
    parts = [(name, layer) for name in ("weights", "units") for layer in range(1, depth + 1)]
    rows = []
    for pair, method in product(found.protocol.pairs, METHODS):
        row = [f"{pair.source} → {pair.target}", method.name]
        for name, layer in parts:
            counts = list(found.values(pair, size, method, f"{name}_at_start_{layer}").values())
            total = found.about["sources"][pair.name][name][layer - 1] if counts else 1
            row.append(spread([100 * count / total for count in counts], 1))
        rows.append(row)
    header = ["", "", *(f"{name}, hidden layer {layer}" for name, layer in parts)]
    return Grid(f"Exactly where they began, percent, {size} images a class, chosen strengths", header, rows)
