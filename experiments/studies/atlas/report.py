"""The tables of the atlas."""

from math import isnan

from experiments.frame.grids import Grid
from experiments.frame.statistics import holm, paired
from experiments.frame.text import difference, number, spread
from experiments.studies.atlas.design import Pair
from experiments.studies.atlas.measures import BEFORE, Atlas
from experiments.studies.atlas.methods import FINE, METHODS

__all__ = ["against_fine_grid", "errors_grid", "notes", "overview_grid"]


def overview_grid(found: Atlas) -> Grid:
    """Return both errors of every method on every pair, and over pairs how much larger they are than fine tuning's."""
    pairs = found.design.pairs

    def both(method: str) -> dict[int, float]:
        means = {place: found.mean(pair, method, "mean") for place, pair in enumerate(pairs)}
        return {place: value for place, value in means.items() if not isnan(value)}

    others = [method for method in METHODS if method != FINE]
    ps = dict(zip(others, holm([paired(both(method), both(FINE)).p for method in others]), strict=True))
    rows = []
    for method in METHODS:
        errors = [[found.mean(pair, method, metric) for metric in ("new", "forgotten")] for pair in pairs]
        over = [difference(both(method), both(FINE), 2)[0], _p(ps[method])] if method != FINE else ["–", "–"]
        rows.append([method, *(", ".join(number(value, 1) for value in each) for each in errors), *over])
    header = ["", *(pair.title for pair in pairs), "both − fine tuning's (95 %)", "p of all"]
    title = "New task's test error in percent, points forgotten; over pairs, the mean of both errors less fine tuning's"
    return Grid(title, header, rows)


def _p(p: float) -> str:
    return "–" if isnan(p) else f"{p:.2g}"


def errors_grid(found: Atlas, pair: Pair) -> Grid:
    """Return all methods on a pair, each with the settings that its seeds have chosen."""

    def row(method: str, chosen: str) -> list[str]:
        def of(metric: str, digits: int = 2) -> str:
            return spread(list(found.values(pair, method, metric).values()), digits)

        columns = [of("new"), of("old"), of("forgotten"), of("features lost"), of("updates", 0), of("seconds", 1)]
        alone = [
            spread(list(found.values(pair, method, metric, "new").values()), 2) if method != BEFORE else "–"
            for metric in ("new", "forgotten")
        ]
        return [method, chosen, *columns, *alone]

    rows = [row(BEFORE, "")]
    rows += [row(method, _settings(found, pair, method)) for method in METHODS]
    header = [
        "",
        "chosen",
        "new task",
        "old task",
        "forgotten",
        "with a new head",
        "updates",
        "seconds",
        "by new alone:\nnew task",
        "forgotten",
    ]
    return Grid(f"{pair.title}: test errors in percent, points forgotten; mean ± standard deviation", header, rows)


def _settings(found: Atlas, pair: Pair, method: str) -> str:
    """Return which rates and strengths the seeds have chosen, the smallest first, and how often."""
    chosen = list(found.chosen(pair, method).values())
    names = ["rate", *filter(None, [METHODS[method].strength])]
    return "; ".join(
        f"{name} {_counted([tried[place] for tried in chosen])}" for place, name in enumerate(names) if chosen
    )


def _counted(values: list[float]) -> str:
    several = len(set(values)) > 1
    return ", ".join(f"{value:g}" + f" ({values.count(value)})" * several for value in sorted(set(values)))


def against_fine_grid(found: Atlas, pair: Pair) -> Grid:
    """Return what each method forgets more than fine tuning, and by how much it is worse at the new task."""
    methods = [method for method in METHODS if method != FINE]
    rows = [[method] for method in methods]
    for metric in ("forgotten", "new"):
        fine = found.values(pair, FINE, metric)
        theirs = [found.values(pair, method, metric) for method in methods]
        ps = holm([paired(each, fine).p for each in theirs])
        for row, each, p in zip(rows, theirs, ps, strict=True):
            row += [difference(each, fine, 2)[0], _p(p)]
    header = ["", "forgets more (95 %)", "p of all", "new task: worse by (95 %)", "p of all"]
    title = f"{pair.title}: method − fine tuning, points, paired by seed; p of the t-tests, adjusted (Holm)"
    return Grid(title, header, rows)


def notes(found: Atlas) -> list[str]:
    """Return what the numbers mean, what is missing and what is undefined."""
    lines = [
        f"{found.design.seeds} seeds, each with a first network, new head, order and examples (or split of the image "
        "files) of its own. Intervals are over these. Each seed chooses a method's setting for itself, among those "
        "tried, by the mean of the two tasks' validation errors (by new alone: by the new task's).",
        "with a new head: by how many points the old task's error, read from the features by a new head that is "
        "trained on the old data, is above that of such a head before.",
        "seconds: of the processor, for one run.",
    ]
    done, of = found.about["jobs"]
    if done < of:
        lines.insert(0, f"Incomplete: {done} of {of} jobs have finished.")
    undefined: dict[tuple[str, str], set[str]] = {}
    for _, label, metric, why, _ in found.about["undefined"]:
        undefined.setdefault((label.partition(" @ ")[0], why), set()).add(metric)
    for (method, why), metrics in undefined.items():
        lines.append(f"Undefined, {method}: {', '.join(sorted(metrics))}, because {why}.")
    return lines
