"""What the study of starting points found: tables 2 and 3 as in the paper, every penalty, figures."""

from collections.abc import Callable
from itertools import product
from math import isnan
from pathlib import Path

from rich.console import Console

from experiments.frame.files import read_json, write_text
from experiments.frame.folder import has_jobs
from experiments.frame.grids import Grid, markdown, show
from experiments.frame.text import difference, number, spread
from experiments.published import PublishedTransfer, published_transfers
from experiments.studies.starting_point.beyond import budget_grid, exact_grid, proximal_grid
from experiments.studies.starting_point.design import METHODS, RANGES, PenaltyMethod, TaskPair, strengths
from experiments.studies.starting_point.figures import CAPTIONS, draw_starting_point
from experiments.studies.starting_point.results import (
    StartingPointResults,
    collect_runs,
    read_starting_point,
    write_starting_point,
)

__all__ = ["penalties_grid", "starting_point_notes", "table2", "table3", "write_starting_point_report"]

_COMPARED = ("l2", "l2_sp", "l2_sp_fisher")
_HEADER = ["", *_COMPARED, "l2_sp − l2 (95 %)", "p", "fisher − l2_sp (95 %)", "p"]

Accuracy = Callable[[TaskPair, int, PenaltyMethod], dict[int, float]]


def write_starting_point_report(folder: Path, out: Path, console: Console) -> None:
    """Print tables 2 and 3 of what has finished in `folder`, and write results, all tables and figures to `out`.

    The folder is one that a run works in, or one that holds the files that an earlier report wrote.
    """
    if has_jobs(folder):
        found = collect_runs(folder, read_json(folder / "configuration.json"))
    else:
        found = read_starting_point(folder)
    write_starting_point(found, out)
    draw_starting_point(found, out)
    grids, lines = [table2(found), table3(found)], starting_point_notes(found)
    more = [penalties_grid(found, pair) for pair in found.protocol.pairs]
    more += [budget_grid(found), proximal_grid(found), exact_grid(found)]
    pictures = [f"![{name.removesuffix('.png')}]({name})\n\n{text}\n" for name, text in CAPTIONS.items()]
    parts = [
        "# starting_point\n",
        *map(markdown, grids),
        *(f"{line}\n" for line in lines),
        *map(markdown, more),
        *pictures,
    ]
    write_text(out / "table.md", "\n".join(parts))
    for grid in grids:
        show(grid, console)
    for line in lines:
        console.print(line, markup=False, highlight=False)


def table2(found: StartingPointResults) -> Grid:
    """Return the paper's table 2: accuracy on the target, with paired differences; its own numbers beneath."""

    def accuracy(pair: TaskPair, size: int, method: PenaltyMethod) -> dict[int, float]:
        return {seed: 100 - error for seed, error in found.values(pair, size, method, "task_b_error").items()}

    rows = _compare(found, accuracy) + _theirs("target_accuracy")
    return Grid("Li et al., table 2: test accuracy on the target, percent, mean ± sd, paired by seed", _HEADER, rows)


def table3(found: StartingPointResults) -> Grid:
    """Return the paper's table 3: what the source task's accuracy loses, with the source's own head."""

    def drop(pair: TaskPair, size: int, method: PenaltyMethod) -> dict[int, float]:
        before, after = (found.values(pair, size, method, f"task_a_error_{when}") for when in ("before", "after"))
        return {seed: before[seed] - after[seed] for seed in after}

    rows = _compare(found, drop) + _theirs("source_accuracy_drop")
    return Grid("Li et al., table 3: accuracy on the source after − before, in points, mean ± sd", _HEADER, rows)


def _compare(found: StartingPointResults, accuracy: Accuracy) -> list[list[str]]:
    """Return a row for each pair and size."""
    rows = []
    for pair, size in product(found.protocol.pairs, found.protocol.sizes):
        l2, l2_sp, fisher = values = [accuracy(pair, size, PenaltyMethod(penalty)) for penalty in _COMPARED]
        cells = [spread(list(each.values()), 1) for each in values]
        rows.append([_setting(pair, size), *cells, *difference(l2_sp, l2, 1), *difference(fisher, l2_sp, 1)])
    return rows


def _theirs(quantity: str) -> list[list[str]]:
    """Return the paper's rows: what each penalty came to, without differences, for which it gives no pairs."""
    published = [row for row in published_transfers() if row.quantity == quantity]
    rows = []
    for place in dict.fromkeys((row.source, row.target) for row in published):
        values = {row.method.replace("-", "_"): row for row in published if (row.source, row.target) == place}
        cells = [_published(values[name]) for name in _COMPARED]
        rows.append([f"paper: {place[0]} → {place[1]}", *cells, *[""] * 4])
    return rows


def _published(row: PublishedTransfer) -> str:
    return number(row.value, 1) + ("" if isnan(row.sd) else f" ± {row.sd:.1f}")


def penalties_grid(found: StartingPointResults, pair: TaskPair) -> Grid:
    """Return every penalty on one target: test error, what the source forgot, the strengths that validation chose."""
    rows = []
    for method in METHODS:
        row = [method.name]
        for size in found.protocol.sizes:
            error, before, after, alpha, beta = (
                list(found.values(pair, size, method, metric).values())
                for metric in ("task_b_error", "task_a_error_before", "task_a_error_after", "alpha", "beta")
            )
            forgotten = [now - then for now, then in zip(after, before, strict=True)]
            chosen = f"{alpha[0]:g}, {beta[0]:g}" if alpha and method.penalty != "none" else "–"
            row += [spread(error, 1), spread(forgotten, 1), chosen]
        rows.append(row)
    columns = (("test error", "forgotten", "α, β") for _ in found.protocol.sizes)
    names = [f"{size}: {name}" for size, each in zip(found.protocol.sizes, columns, strict=True) for name in each]
    return Grid(f"{pair.source} → {pair.target}: every penalty, percent and points, mean ± sd", ["", *names], rows)


def starting_point_notes(found: StartingPointResults) -> list[str]:
    """Return what a reader must know: amounts, rates, how strengths were chosen, what is missing or at an edge."""
    p, about = found.protocol, found.about
    lines = [
        f"Here: {_hidden(found)} networks, {p.seeds} seeds, batches of 20 for {p.iterations} steps without "
        "momentum, the rate divided by 10 after two thirds. Strengths are chosen by the mean validation error of all "
        f"seeds ({p.validation} images that are neither trained on nor tested on), from {p.strengths} α × "
        f"{len(p.betas)} β for every penalty. {p.test:,} test images.",
        "All runs of a pair begin with one source network. Intervals and p values are about new heads and new target "
        "examples on that network; another source network may differ by more.",
    ]
    for pair in p.pairs:
        source = about["sources"].get(pair.name)
        if source is not None:
            rates = ", ".join(
                f"{about['rates'][f'{pair.name}-{n}']['rate']:g}"
                for n in p.sizes
                if f"{pair.name}-{n}" in about["rates"]
            )
            lines.append(
                f"{pair.source}: {pair.train:,} training examples, {source['epochs']} epochs, test error "
                f"{source['error']:.2f} %; mean Fisher information {source['fisher_mean']:.3g}, the largest "
                f"{source['fisher_largest'] / source['fisher_mean']:.0f} times that. Rates on {pair.target}: {rates}."
            )
    jobs = about["jobs"]
    if jobs["finished"] < jobs["expected"]:
        lines.append(f"Incomplete: {jobs['finished']} of {jobs['expected']} jobs of runs have finished.")
    diverged = [end for end in found.ends if isnan(end.validation)]
    if diverged:
        which = ", ".join(dict.fromkeys(end.place[2].name for end in diverged))
        lines.append(f"{len(diverged)} of {len(found.ends)} runs diverged and count for nothing: {which}.")
    edges = [name for name in (_at_edge(found, *place) for place in product(p.pairs, p.sizes, METHODS)) if name]
    if edges:
        lines.append(f"Chosen α at the upper end of its grid: {'; '.join(edges)}.")
    return lines


def _at_edge(found: StartingPointResults, pair: TaskPair, size: int, method: PenaltyMethod) -> str:
    """Return where a chosen α is the strongest that was tried, or nothing."""
    chosen = set(found.values(pair, size, method, "alpha").values())
    at_edge = method.penalty in RANGES and chosen == {strengths(method.penalty, found.protocol.strengths)[-1]}
    return f"{method.name} on {pair.target} {size}" if at_edge else ""


def _hidden(found: StartingPointResults) -> str:
    return "-".join(map(str, found.protocol.hidden))


def _setting(pair: TaskPair, size: int) -> str:
    return f"{pair.source} → {pair.target}, {size}"
