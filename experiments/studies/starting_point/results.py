"""What the runs of the study came to, and which strengths each penalty is judged with.

    results.csv    experiment, setting, method, regularizer, seed, metric, value: the runs with the chosen strengths
    sweep.csv      every run: where it was, α and β, its errors, and how many weights and units it left exactly in place
    results.json   the configuration, the source networks, the rates, and where the numbers come from

Tables and figures are made from these three files alone. The errors of a run that diverged are empty in sweep.csv, and
NaN here.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import isfinite, nan
from pathlib import Path
from typing import Any, NamedTuple

from experiments.frame.files import read_csv, read_json, write_csv, write_json
from experiments.frame.folder import read_about, result_of
from experiments.frame.jobs import Result
from experiments.frame.measurements import Measurement, read_measurements
from experiments.frame.provenance import distinct
from experiments.studies.starting_point.design import (
    PenaltyMethod,
    StartingPointDesign,
    TaskPair,
    methods_for,
    starting_point_design,
)
from experiments.studies.starting_point.runs import run_name

__all__ = [
    "Chosen",
    "RunEnd",
    "StartingPointResults",
    "choose",
    "collect_runs",
    "mean",
    "read_starting_point",
    "write_starting_point",
]

Option = tuple[float, float]
Place = tuple[str, int, PenaltyMethod]
"""A pair's name, a size, a method."""

_SPREAD = ("mean", "25", "50", "75")


class RunEnd(NamedTuple):
    """The end of one run: errors in percent; weights and units exactly where they began, in all hidden layers."""

    pair: str
    size: int
    penalty: str
    method: str
    seed: int
    alpha: float
    beta: float
    validation: float
    test: float
    source: float
    weights: float
    units: float

    @property
    def place(self) -> Place:
        """What was run."""
        return self.pair, self.size, PenaltyMethod(self.penalty, self.method)


class Chosen(NamedTuple):
    """The strengths that a penalty is judged with, and their mean validation error."""

    alpha: float
    beta: float
    validation: float


@dataclass(frozen=True)
class StartingPointResults:
    """All that tables and figures are made from."""

    protocol: StartingPointDesign
    about: dict[str, Any]
    measurements: list[Measurement]
    ends: list[RunEnd]

    def values(self, pair: TaskPair, size: int, method: PenaltyMethod, metric: str) -> dict[int, float]:
        """Return a metric of the runs with the chosen strengths, for each seed."""
        return self._index.get((_setting(pair, size), method.method, method.penalty, metric), {})

    @cached_property
    def _index(self) -> dict[tuple[str, str, str, str], dict[int, float]]:
        index: dict[tuple[str, str, str, str], dict[int, float]] = defaultdict(dict)
        for m in self.measurements:
            index[m.setting, m.method, m.regularizer, m.metric][m.seed] = m.value
        return index

    def runs(self, pair: TaskPair, size: int, method: PenaltyMethod) -> dict[Option, list[RunEnd]]:
        """Return the ends of all runs of one method by their strengths."""
        found: dict[Option, list[RunEnd]] = defaultdict(list)
        for end in self.ends:
            if end.place == (pair.name, size, method):
                found[end.alpha, end.beta].append(end)
        return dict(found)


def choose(validation: Mapping[Option, Sequence[float]]) -> Chosen | None:
    """Return the strengths (α, β) of least mean validation error over the seeds; of equals those that come first.

    validation: for each (α, β) the errors of all seeds. Nothing else is looked at. Strengths with which a run diverged
    are out; None where none is left.
    """
    means = {option: mean(errors) for option, errors in validation.items() if errors and all(map(isfinite, errors))}
    best = min(means, key=lambda option: means[option], default=None)
    return None if best is None else Chosen(*best, means[best])


def mean(values: Sequence[float]) -> float:
    """Return the mean, NaN of nothing."""
    return sum(values) / len(values) if values else nan


def collect_runs(folder: Path, configuration: dict[str, Any]) -> StartingPointResults:
    """Gather what the jobs have left so far, and choose the strengths."""
    p = starting_point_design(configuration)
    ends: list[RunEnd] = []
    whole: dict[Place, dict[tuple[Option, int], Result]] = defaultdict(dict)
    sources: dict[str, Any] = {}
    rates: dict[str, Any] = {}
    environments = []
    seconds, expected, finished = 0.0, 0, 0
    for pair in p.pairs:
        results = [(sources, pair.name, result_of(folder, f"{pair.name}-source"))]
        results += [(rates, f"{pair.name}-{size}", result_of(folder, f"{pair.name}-{size}-rate")) for size in p.sizes]
        for into, name, result in results:
            if result is not None:
                into[name] = {key: value for key, value in result.items() if key != "environment"}
                seconds += result["seconds"]
        for size, seed in product(p.sizes, range(p.seeds)):
            for method in methods_for(p, pair, size):
                expected += 1
                result = result_of(folder, run_name(pair, size, method, seed))
                if result is None or pair.name not in sources:
                    continue
                finished += 1
                seconds += result["seconds"]
                environments.append(result["environment"])
                for run in result["runs"]:
                    ends.append(_end(pair, size, method, seed, run))
                    whole[pair.name, size, method][(run["alpha"], run["beta"]), seed] = run
    measurements = [
        Measurement("starting_point", _setting(pair, size), method.method, method.penalty, seed, *number)
        for pair, size in product(p.pairs, p.sizes)
        for method in methods_for(p, pair, size)
        for seed, run in _chosen_runs(whole.get((pair.name, size, method), {}))
        for number in _metrics(run, sources[pair.name])
    ]
    about = {
        **configuration,
        "sources": sources,
        "rates": rates,
        "jobs": {"finished": finished, "expected": expected},
        "environments": distinct(environments),
        "compute_seconds": round(seconds, 1),
        "starts": read_json(folder / "starts.json") or [],
    }
    return StartingPointResults(p, about, measurements, ends)


def _end(pair: TaskPair, size: int, method: PenaltyMethod, seed: int, run: Result) -> RunEnd:
    """Return one run as a line of sweep.csv."""
    errors = (run.get(name, nan) for name in ("validation", "test", "source"))
    left = (float(sum(run[name])) if name in run else nan for name in ("weights", "units"))
    return RunEnd(pair.name, size, method.penalty, method.method, seed, run["alpha"], run["beta"], *errors, *left)


def _chosen_runs(runs: Mapping[tuple[Option, int], Result]) -> Iterator[tuple[int, Result]]:
    """Yield (seed, run) with the chosen strengths."""
    validation: dict[Option, list[float]] = defaultdict(list)
    for (option, _), run in runs.items():
        validation[option].append(run.get("validation", nan))
    best = choose(validation)
    for (option, seed), run in runs.items():
        if best is not None and option == (best.alpha, best.beta):
            yield seed, run


def _metrics(run: Result, source: Result) -> Iterator[tuple[str, float]]:
    """Yield (metric, value) for one run with the chosen strengths; layers count from the bottom."""
    yield "alpha", run["alpha"]
    yield "beta", run["beta"]
    yield "validation_error", run["validation"]
    yield "task_b_error", run["test"]
    yield "task_a_error_before", source["error"]
    yield "task_a_error_after", run["source"]
    for name in ("weights", "units"):
        for layer, count in enumerate(run[name], 1):
            yield f"{name}_at_start_{layer}", float(count)
    for layer, spread in enumerate(run["r_squared"], 1):
        for which, value in zip(_SPREAD, spread or (), strict=False):
            yield f"r_squared_{layer}_{which}", value


def write_starting_point(found: StartingPointResults, out: Path) -> None:
    """Write results.csv, sweep.csv and results.json."""
    out.mkdir(parents=True, exist_ok=True)
    write_csv(out / "results.csv", Measurement._fields, found.measurements)
    lines = [["" if isinstance(v, float) and not isfinite(v) else v for v in end] for end in found.ends]
    write_csv(out / "sweep.csv", RunEnd._fields, lines)
    write_json(out / "results.json", found.about)


def read_starting_point(folder: Path) -> StartingPointResults:
    """Read what `write_found` wrote. Raises FolderError where it is not there."""
    about = read_about(folder)
    measurements = read_measurements(folder / "results.csv")
    ends = [
        RunEnd(pair, int(size), penalty, method, int(seed), *(float(value or "nan") for value in numbers))
        for pair, size, penalty, method, seed, *numbers in read_csv(folder / "sweep.csv")
    ]
    return StartingPointResults(starting_point_design(about), about, measurements, ends)


def _setting(pair: TaskPair, size: int) -> str:
    return f"{pair.source}->{pair.target} {size}"
