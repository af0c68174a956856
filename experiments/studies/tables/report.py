"""A table as the paper prints it, our numbers with the published ones, and what the methods differ by."""

from collections.abc import Collection, Sequence
from io import StringIO
from itertools import product
from pathlib import Path
from statistics import fmean

from rich.console import Console

from experiments.frame.files import write_text
from experiments.frame.grids import Grid, markdown, show
from experiments.frame.statistics import mean_sd
from experiments.frame.text import difference, number, spread
from experiments.published import REPETITIONS, Published, published
from experiments.studies.tables.design import TrainingProtocol, protocol, row_of
from experiments.studies.tables.figures import caption, draw_curves
from experiments.studies.tables.results import TableResults

__all__ = [
    "comparison_grid",
    "forgetting",
    "intervals_note",
    "lost",
    "remains_grid",
    "table_grid",
    "table_notes",
    "write_table_report",
]

_ALL_JOINED = ("joined_hidden_1", "gradual")
_WIDE = 132  # columns, enough for the whole table side by side


def table_grid(results: TableResults, methods: Sequence[str] = ()) -> Grid:
    """Return the paper's table with ours in it: two lines for each regularizer, methods side by side."""
    table, p = results.design.table, results.design.protocol
    methods = methods or results.design.methods
    old = "+".join(table.first) + " before → after"
    header = ["", f"{_unit(results)} × repetitions"]
    header += [column for m in methods for column in (f"{m}: {table.second}", old, "epochs")]
    rows = []
    for regularizer in results.design.regularizers:
        runs = [str(len(results.values("task_b_error", method, regularizer))) for method in methods]
        rows.append([regularizer, f"here {p.train:,} × {', '.join(dict.fromkeys(runs))}"])
        rows.append(["", f"paper {_paper(results).train:,} × {REPETITIONS}"])
        for method in methods:
            rows[-2] += _ours(results, method, regularizer)
            rows[-1] += _theirs(results, method, regularizer)
    title = f"Table {table.number}: {table.setting.replace('->', ' → ')}, test errors in percent, mean ± sd"
    return Grid(title, header, rows)


def comparison_grid(results: TableResults) -> Grid:
    """Return the paired comparison: fine tuning minus Gradual Tuning, in forgetting and in error on the new task."""
    rows = []
    for regularizer in results.design.regularizers:
        fine, gradual = (forgetting(results, method, regularizer) for method in ("fine", "gradual"))
        new, other = (results.values("task_b_error", method, regularizer) for method in ("fine", "gradual"))
        pairs = fine.keys() & gradual.keys()
        forgot = [number(mean_sd([each[seed] for seed in sorted(pairs)])[0], 2) for each in (fine, gradual)]
        compared = [difference(*pair, 2, results.design.cluster) for pair in ((fine, gradual), (new, other))]
        rows.append([regularizer, *forgot, *compared[0], *compared[1], _pairs(results, pairs)])
    old, second = "+".join(results.design.table.first), results.design.table.second
    header = ["", "forgotten: fine", "gradual", "difference (95 %)", "p", "new task: difference (95 %)", "p", "pairs"]
    title = (
        f"Error on {old} after − before, and error on {second}: fine − gradual in points, paired by seed, with t-test"
    )
    return Grid(title, header, rows)


def _pairs(results: TableResults, seeds: Collection[int]) -> str:
    """Return how many pairs of runs there are, and with how many first networks they begin."""
    networks = len({results.design.protocol.network_of(seed) for seed in seeds})
    return f"{len(seeds)}, from {networks} network{'s' * (networks != 1)}"


def intervals_note(results: TableResults) -> str:
    """Return what the intervals are about: new heads on one first network, or new first networks too."""
    if results.design.cluster is None:
        return (
            "All runs of a row begin with one first network. Intervals and p values are about new heads on that "
            "network; another first network may differ by more."
        )
    return "Intervals and p values are about new first networks: each network's runs count as one pair, their mean."


def remains_grid(results: TableResults) -> Grid:
    """Return what each method leaves of the old task, read in three ways, and how far the old units are still there."""
    old, depth = "+".join(results.design.table.first), len(results.design.table.hidden)
    rows = []
    for regularizer, method in product(results.design.regularizers, results.design.methods):
        own, biases, new = (
            lost(results, metric, method, regularizer)
            for metric in ("task_a_error_after", "refitted_error", "probe_error")
        )
        kept = [_mean_over_tasks(results, f"r_squared_{n}", method, regularizer) for n in range(1, depth + 1)]
        rows.append([regularizer, method, *(spread(list(each.values()), 2) for each in (own, biases, new, *kept))])
    header = ["", "", "own head", "its biases fitted again", "a new head"]
    header += [f"R², layer {n}" for n in range(1, depth + 1)]
    title = f"Error on {old} after − before, points, by three heads; how much the old units explain of the new"
    return Grid(title, header, rows)


def table_notes(results: TableResults) -> list[str]:
    """Return what a reader must know to read the table: amounts, what was chosen, what is missing or was cut short."""
    design, unit = results.design, _unit(results)
    p, paper = design.protocol, _paper(results)
    ours, theirs = _amounts(p), _amounts(paper)
    head = f" ({p.initialise_head} for the new head)" if p.initialise_head else ""
    lines = [
        f"Here: {ours} {unit} for training, validation and test; batch {p.batch_size}, rate {p.rate:g}, "
        f"patience {p.patience}, {p.initialise} initialisation{head}, {p.keep} weights kept. "
        f"Paper: {theirs} {unit}, patience 20.",
    ]
    lines.append(intervals_note(results))
    expected = len(design.regularizers) * len(design.methods) * p.seeds
    ends = [m for m in results.measurements if m.metric == "epochs"]
    second = [m for m in ends if m.method != "first"]
    if len(second) < expected:
        lines.append(f"Incomplete: {len(second)} of {expected} runs have finished.")
    capped = sum(m.value >= p.max_epochs_b for m in second)
    if capped:
        lines.append(f"{capped} of {len(second)} runs on the second task ended at the cap of {p.max_epochs_b} epochs.")
    whole = {(m.regularizer, m.seed) for m in results.measurements if (m.metric, m.method) == _ALL_JOINED}
    gradual = {(m.regularizer, m.seed) for m in second if m.method == "gradual"}
    if gradual - whole:
        lines.append(
            f"{len(gradual - whole)} of {len(gradual)} gradual runs ended before their lowest layer had joined."
        )
    short = sum(m.value >= p.max_epochs_a for m in ends if m.method == "first")
    if short:
        lines.append(
            f"{short} of {len(ends) - len(second)} first networks ended at the cap of {p.max_epochs_a} epochs."
        )
    return lines


def write_table_report(results: TableResults, folder: Path, console: Console) -> None:
    """Print the tables, and write table.md, table.txt and the figure."""
    grids, lines = [table_grid(results), comparison_grid(results), *_remains(results)], table_notes(results)
    draw_curves(results, folder / "curves.png")
    table, amount = results.design.table, f"{results.design.protocol.train:,} {_unit(results)}"
    text = f"# {table.name}: {table.setting.replace('->', ' → ')}, {amount}\n\n"
    text += "\n".join([markdown(grids[0]), *(f"{line}\n" for line in lines), *map(markdown, grids[1:])])
    text += f"\n![Validation errors while the second task is learned](curves.png)\n\n{caption(results)}\n"
    write_text(folder / "table.md", text)
    plain = StringIO()
    _print(results, Console(file=plain, width=_WIDE))
    write_text(folder / "table.txt", plain.getvalue())
    _print(results, console)


def _print(results: TableResults, console: Console) -> None:
    """Print table, notes and comparison; in a narrow window each method's half of the table by itself."""
    halves = [()] if console.width >= _WIDE else [(method,) for method in results.design.methods]
    for methods in halves:
        show(table_grid(results, methods), console)
    for line in table_notes(results):
        console.print(line, markup=False, highlight=False)
    console.print()
    for grid in (comparison_grid(results), *_remains(results)):
        show(grid, console)


def _remains(results: TableResults) -> list[Grid]:
    """Return the grid of what remains where anything was probed."""
    return [remains_grid(results)] if results.about.get("probes") else []


def _unit(results: TableResults) -> str:
    return "images" if results.design.table.of_digits else "stimuli"


def _paper(results: TableResults) -> TrainingProtocol:
    return protocol(results.design.table, "paper")


def _amounts(protocol: TrainingProtocol) -> str:
    return " / ".join(f"{n:,}" for n in (protocol.train, protocol.validation, protocol.test))


def _ours(results: TableResults, method: str, regularizer: str) -> list[str]:
    """Return task B, task A and epochs of our runs."""

    def values(metric: str) -> list[float]:
        return list(results.values(metric, method, regularizer).values())

    old = []
    for task in results.design.table.first:
        name = f":{task}" if len(results.design.table.first) > 1 else ""
        before = mean_sd(values(f"task_a_error_before{name}"))[0]
        old.append(f"{number(before, 2)} → {spread(values(f'task_a_error_after{name}'), 2)}")
    return [spread(values("task_b_error"), 2), "\n".join(old), spread(values("epochs"), 0)]


def _theirs(results: TableResults, method: str, regularizer: str) -> list[str]:
    """Return the same of the paper."""
    rows: list[Published] = [
        row
        for row in published()
        if (row.table, row.method, row.regularizer) == (results.design.table.number, method, row_of(regularizer))
    ]
    if not rows:
        return ["–"] * 3
    old = [f"{row.task_a_error_before:g} → {row.task_a_error_after:g} ± {row.task_a_error_after_sd:g}" for row in rows]
    return [
        f"{rows[0].task_b_error:.2f} ± {rows[0].task_b_error_sd:.2f}",
        "\n".join(old),
        f"{rows[0].epochs:g} ± {rows[0].epochs_sd:g}",
    ]


def forgetting(results: TableResults, method: str, regularizer: str) -> dict[int, float]:
    """Return after − before for each seed, the mean over the first tasks where there are several."""
    return lost(results, "task_a_error_after", method, regularizer)


def lost(results: TableResults, metric: str, method: str, regularizer: str) -> dict[int, float]:
    """Return by how much an error of the old tasks rose, for each seed: as the metric has it after the run and before.

    metric: task_a_error_after, or an error that the first network has under the same name. {} where that is missing.
    """
    after = _mean_over_tasks(results, metric, method, regularizer)
    if metric == "task_a_error_after":
        before = _mean_over_tasks(results, "task_a_error_before", method, regularizer)
    else:
        first = _mean_over_tasks(results, metric, "first", regularizer)
        starts = {seed: results.design.protocol.network_of(seed) for seed in after}
        before = {seed: first[start] for seed, start in starts.items() if start in first}
    return {seed: value - before[seed] for seed, value in after.items() if seed in before}


def _mean_over_tasks(results: TableResults, metric: str, method: str, regularizer: str) -> dict[int, float]:
    """Return a metric for each seed, the mean over the first tasks where there are several, once all have it."""
    first = results.design.table.first
    found = [results.values(f"{metric}:{task}" if len(first) > 1 else metric, method, regularizer) for task in first]
    whole = set.intersection(*(set(each) for each in found))
    return {seed: fmean(each[seed] for each in found) for seed in sorted(whole)}
