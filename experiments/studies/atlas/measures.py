"""What is measured of the runs that have finished, which setting of a method is chosen, and what is computed from both.

Measured of a run, from what it has left (errors in percent):

    new, old                          test errors with the run's own heads
    new validation, old validation    the same on validation examples, by which settings are chosen
    probe, probe validation           of the old task, with a new head on the features
    updates, seconds                  steps up to the end of the run; processor time of these

A measure that a run does not have is listed with the reason. The method BEFORE is the old task's network.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

import numpy as np

from experiments.frame.files import read_json, write_csv, write_json
from experiments.frame.folder import has_jobs, read_about, result_of
from experiments.frame.jobs import Result
from experiments.frame.long_form import Findings
from experiments.frame.measurements import Measurement, read_measurements
from experiments.frame.provenance import distinct
from experiments.studies.atlas.design import AtlasDesign, Pair, design_from
from experiments.studies.atlas.methods import METHODS, Try
from experiments.studies.atlas.runs import atlas_jobs, probe_name, run_name, source_name
from npnet import load_tree

__all__ = ["BEFORE", "Atlas", "Criterion", "Values", "gather", "write"]

BEFORE = "before"

Values = dict[int, float]
"""{seed: value}."""

Criterion = Literal["both", "new"]
"""By which validation error a setting is chosen: the mean of both tasks', or the new task's alone."""


@dataclass(frozen=True)
class Atlas:
    """What the atlas has found so far."""

    about: Mapping[str, Any]
    measurements: list[Measurement]

    @cached_property
    def design(self) -> AtlasDesign:
        """The design that it is of."""
        return design_from(self.about)

    @cached_property
    def _found(self) -> Findings:
        return Findings(self.about, self.measurements)

    def at(self, pair: Pair, method: str, tried: Try | None, metric: str) -> Values:
        """Return a measure of the runs with one setting, or what is computed from several measures.

        forgotten      old − old before, points
        features lost  probe − probe before: what no new head recovers
        mean, mean validation        of new and old
        with a new head, … validation    of new and probe
        """
        get = self._found.values
        label = method if tried is None else _label(method, tried)
        if metric in ("forgotten", "features lost"):
            of = "old" if metric == "forgotten" else "probe"
            now, then = get(pair.name, label, of), get(pair.name, BEFORE, of)
            return {seed: now[seed] - then[seed] for seed in now if seed in then}
        for name, other in (("mean", "old"), ("with a new head", "probe")):
            if metric.startswith(name):
                split = metric.removeprefix(name)
                one, two = get(pair.name, label, "new" + split), get(pair.name, label, other + split)
                return {seed: (one[seed] + two[seed]) / 2 for seed in one if seed in two}
        return get(pair.name, label, metric)

    def chosen(self, pair: Pair, method: str, criterion: Criterion = "both") -> dict[int, Try]:
        """Return the setting that each seed chooses: of least validation error, of equals the first.

        A method without the old task's head is chosen by the new task alone.
        """
        metric = "new validation" if criterion == "new" or METHODS[method].untrained else "mean validation"
        errors = {tried: self.at(pair, method, tried, metric) for tried in pair.tries[method]}
        seeds = sorted(set[int]().union(*errors.values()))
        return {
            seed: min((of[seed], place, tried) for place, (tried, of) in enumerate(errors.items()) if seed in of)[2]
            for seed in seeds
        }

    def values(self, pair: Pair, method: str, metric: str, criterion: Criterion = "both") -> Values:
        """Return a measure of each seed's run with the chosen setting."""
        if method == BEFORE:
            return self.at(pair, method, None, metric)
        found = {
            seed: self.at(pair, method, value, metric) for seed, value in self.chosen(pair, method, criterion).items()
        }
        return {seed: of[seed] for seed, of in found.items() if seed in of}

    def mean(self, pair: Pair, method: str, metric: str, criterion: Criterion = "both") -> float:
        """Return the mean of a measure over seeds, nan where there is none."""
        of = self.values(pair, method, metric, criterion)
        return fmean(of.values()) if of else float("nan")


def _label(method: str, tried: Try) -> str:
    """Return what the measurements of a method with one setting are called."""
    return f"{method} @ {', '.join(f'{number:g}' for number in tried)}"


def _error(said: Mapping[str, Any]) -> float:
    return 100 * float(np.mean(said["said"] != said["labels"]))


def _from_predictions(task: str, split: str) -> Callable[[Mapping[str, Any], Result, Result], float | str]:
    def measure(predictions: Mapping[str, Any], run: Result, probe: Result) -> float | str:
        return (
            _error(predictions[task][split]) if task in predictions else f"its network has no head for the {task} task"
        )

    return measure


def _from_probe(split: str) -> Callable[[Mapping[str, Any], Result, Result], float | str]:
    return lambda predictions, run, probe: probe["probe"][split] if "probe" in probe else probe["failed"]


def _seconds(predictions: Mapping[str, Any], run: Result, probe: Result) -> float | str:
    seconds = run.get("cpu_seconds")
    return "it was stopped and went on, or its network is from before" if seconds is None else float(seconds)


def _updates(predictions: Mapping[str, Any], run: Result, probe: Result) -> float | str:
    return float(run["updates"]) if "updates" in run else "its network is from before"


METRICS: Mapping[str, Callable[[Mapping[str, Any], Result, Result], float | str]] = {
    "new": _from_predictions("new", "test"),
    "old": _from_predictions("old", "test"),
    "new validation": _from_predictions("new", "validation"),
    "old validation": _from_predictions("old", "validation"),
    "probe": _from_probe("test"),
    "probe validation": _from_probe("validation"),
    "updates": _updates,
    "seconds": _seconds,
}
"""Each measure: from a run's predictions, its result and its probe's result to a number, or why there is none."""


def gather(folder: Path) -> Atlas:
    """Measure what the jobs of a folder have left so far, or read what an earlier report wrote."""
    if not has_jobs(folder):
        return Atlas(read_about(folder), read_measurements(folder / "results.csv"))
    configuration = read_json(folder / "configuration.json")
    design = design_from(configuration)
    names = [job.name for job in atlas_jobs(design)]
    results = {name: result for name in names if (result := result_of(folder, name)) is not None}
    measurements, undefined = list[Measurement](), dict[tuple[str, ...], list[int]]()
    for pair, method, seed, tried, name in _networks(design):
        if name not in results:
            continue
        label = method if tried is None else _label(method, tried)
        for metric, found in _measured(folder, results, name):
            if isinstance(found, str):
                undefined.setdefault((pair.name, label, metric, found), []).append(seed)
            else:
                measurements.append(Measurement("atlas", pair.name, label, "none", seed, metric, found))
    about = {
        **configuration,
        "jobs": [len(results), len(names)],
        "compute_seconds": round(sum(result["seconds"] for result in results.values())),
        "undefined": [[*what, seeds] for what, seeds in undefined.items()],
        "environments": distinct(result["environment"] for result in results.values()),
    }
    return Atlas(about, measurements)


def _networks(design: AtlasDesign) -> Iterator[tuple[Pair, str, int, Try | None, str]]:
    """Yield (pair, method, seed, setting, job) of every network."""
    for pair in design.pairs:
        for seed in range(design.seeds):
            yield pair, BEFORE, seed, None, source_name(pair, seed)
            for method, tries in pair.tries.items():
                for tried in tries:
                    yield pair, method, seed, tried, run_name(pair, method, tried, seed)


def _measured(folder: Path, results: Mapping[str, Result], name: str) -> Iterator[tuple[str, float | str]]:
    """Yield each measure of a network, or why it has none."""
    run, probe = results[name], results.get(probe_name(name))
    if "failed" in run:
        yield from ((metric, f"the run did not end well: {run['failed']}") for metric in METRICS)
        return
    predictions = load_tree(folder / "jobs" / name / "predictions.npz")
    for metric, measure in METRICS.items():
        if probe is not None or not metric.startswith("probe"):
            yield metric, measure(predictions, run, probe or {})


def write(found: Atlas, out: Path) -> None:
    """Write the measurements and what they are of."""
    out.mkdir(parents=True, exist_ok=True)
    write_csv(out / "results.csv", Measurement._fields, found.measurements)
    write_json(out / "results.json", found.about)
