"""From finished jobs to files that anyone can read: results.csv in long form, curves.csv, results.json.

    results.csv    experiment, setting, method, regularizer, seed, metric, value: one number a line, for the runs' ends
    curves.csv     method, regularizer, seed, epoch, updates, layers, task, error: validation errors, percent
    results.json   the configuration, where the numbers come from, and how long they took

Tables and figures are made from these three files alone, so a folder may be kept without its jobs. Method "first" is
the network before the second task; epoch 0 of a curve is where the second task begins.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

from experiments.frame.files import read_csv, read_json, write_csv, write_json
from experiments.frame.folder import read_about, result_of
from experiments.frame.jobs import Result
from experiments.frame.measurements import Measurement, read_measurements
from experiments.frame.provenance import distinct
from experiments.studies.tables.design import REGULARIZERS, Table, TableDesign, TrainingProtocol
from experiments.studies.tables.probes import probe_job, probed
from npnet.run import Record

__all__ = [
    "Point",
    "TableResults",
    "collect_table",
    "design_from",
    "grown",
    "joined_results",
    "merged",
    "read_results",
    "write_results",
]


class Point(NamedTuple):
    """One task's validation error (percent) after one epoch of a run; `layers` counts those that trained in it."""

    method: str
    regularizer: str
    seed: int
    epoch: int
    updates: int
    layers: int
    task: str
    error: float


@dataclass(frozen=True)
class TableResults:
    """All that tables and figures are made from."""

    design: TableDesign
    about: dict[str, Any]
    measurements: list[Measurement]
    curves: list[Point]

    def values(self, metric: str, method: str, regularizer: str) -> dict[int, float]:
        """Return a metric's value for each seed."""
        return {
            m.seed: m.value
            for m in self.measurements
            if (m.metric, m.method, m.regularizer) == (metric, method, regularizer)
        }


def design_from(configuration: Mapping[str, Any]) -> TableDesign:
    """Return the study that a configuration.json or results.json describes. Raises ValueError for anything else."""
    try:
        table = configuration["table"]
        return TableDesign(
            Table(table["number"], tuple(table["first"]), table["second"], tuple(table["hidden"])),
            TrainingProtocol(**configuration["protocol"]),
            tuple(configuration["regularizers"]),
            tuple(configuration["methods"]),
            configuration.get("variant", ""),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"configuration describes no table ({error!r}); expected what a run wrote") from error


def grown(there: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, Any]:
    """Return a study's configuration with the rows and the repetitions of both, all else as it is here.

    Options that are newer than a folder have their defaults in it.
    """
    old, new = design_from(there), design_from(here)
    rows = tuple(name for name in REGULARIZERS if name in old.regularizers + new.regularizers)
    protocol = replace(new.protocol, seeds=max(old.protocol.seeds, new.protocol.seeds))
    return asdict(replace(new, regularizers=rows, protocol=protocol))


def collect_table(folder: Path, design: TableDesign) -> TableResults:
    """Gather what the jobs of a study have left so far."""
    measurements: list[Measurement] = []
    curves: list[Point] = []
    environments = []
    seconds, memory = 0.0, 0
    for regularizer in design.regularizers:
        p = design.protocol
        runs = [("first", network, design.first_job(regularizer, network)) for network in p.first_networks] + [
            (method, seed, design.second_job(regularizer, method, seed))
            for seed in range(p.seeds)
            for method in design.methods
        ]
        for method, seed, job in runs:
            first, result = result_of(folder, design.first_job(regularizer, seed)), result_of(folder, job)
            if first is None or result is None:
                continue
            probes = {task: result_of(folder, probe_job(task, job)) for task in design.table.first}
            found = {task: probe for task, probe in probes.items() if probe is not None}
            readings = (each for task, probe in found.items() for each in probed(design, task, probe))
            for metric, value in (*_metrics(design, result), *readings):
                measurements.append(
                    Measurement(design.name, design.table.setting, method, regularizer, seed, metric, float(value))
                )
            curves += _curves(design, method, regularizer, seed, result, first)
            for each in (result, *found.values()):
                seconds += each["seconds"]
                memory = max(memory, each.get("peak_memory_mb", 0))
                environments.append(each["environment"])
    about = {
        "experiment": design.name,
        "setting": design.table.setting,
        "configuration": asdict(design),
        "seeds": list(range(design.protocol.seeds)),
        "examples": {which: getattr(design.protocol, which) for which in ("train", "validation", "test")},
        "environments": distinct(environments),
        "compute_seconds": round(seconds, 1),
        "peak_memory_mb": memory,
        "probes": any(m.metric.startswith("probe_error") for m in measurements),
        "starts": read_json(folder / "starts.json") or [],
    }
    return TableResults(design, about, measurements, curves)


def _metrics(design: TableDesign, result: Result) -> Iterator[tuple[str, float]]:
    """Yield (metric, value) for one run; several first tasks have their names behind the metric."""
    errors = result["errors"]
    for when in ("before", "after"):
        for task, value in errors.get(when, {}).items():
            yield f"task_a_error_{when}" + (f":{task}" if len(design.table.first) > 1 else ""), value
    if "second" in errors:
        yield "task_b_error", errors["second"]
    history = result["history"]
    yield "epochs", len(history)
    yield "updates", history[-1]["updates"]
    yield "kept_epoch", result["kept_epoch"]
    for layer in range(len(design.table.hidden)):
        joined = next((record["epoch"] for record in history if record["mask"][layer]), None)
        if joined is not None:  # a layer of a gradual run that ended early may never have joined
            yield f"joined_hidden_{layer + 1}", joined


def _curves(
    design: TableDesign, method: str, regularizer: str, seed: int, result: Result, first: Result
) -> Iterator[Point]:
    """Yield the points of one run's curves."""
    if method != "first":
        start = first["history"][first["kept_epoch"] - 1]
        for task in design.table.first:
            yield Point(method, regularizer, seed, 0, 0, 0, task, start["validation"][task])
    for record in result["history"]:
        for task, error in _errors(record).items():
            layers = sum(map(bool, record["mask"]))
            yield Point(method, regularizer, seed, record["epoch"], record["updates"], layers, task, error)


def _errors(record: Record) -> dict[str, float]:
    return {**record["evaluations"], **record["validation"]}


def write_results(results: TableResults, folder: Path) -> None:
    """Write results.csv, curves.csv and results.json."""
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "results.csv", Measurement._fields, results.measurements)
    write_csv(folder / "curves.csv", Point._fields, results.curves)
    write_json(folder / "results.json", results.about)


def read_results(folder: Path) -> TableResults:
    """Read what `write_results` wrote. Raises FolderError where it is not there."""
    about = read_about(folder)
    measurements = read_measurements(folder / "results.csv")
    curves = [
        Point(method, regularizer, int(seed), int(epoch), int(updates), int(layers), task, float(error))
        for method, regularizer, seed, epoch, updates, layers, task, error in read_csv(folder / "curves.csv")
    ]
    return TableResults(design_from(about["configuration"]), about, measurements, curves)


def joined_results(found: Sequence[TableResults]) -> TableResults:
    """Return the results of one table whose rows were run apart, with as many repetitions each as there are.

    Raises ValueError where they are of several tables or protocols, and where a row is there twice.
    """
    configurations = [asdict(each.design) for each in found]
    whole = reduce(lambda so_far, each: grown(each, so_far), configurations)
    for each in configurations:
        if grown(whole, each) != whole:  # something else than rows and repetitions differs
            raise ValueError(
                f"results are of {design_from(each)}; expected rows of {design_from(whole)}, as before them"
            )
    design = design_from(whole)
    rows = [regularizer for each in found for regularizer in each.design.regularizers]
    for regularizer in rows:
        if rows.count(regularizer) > 1:
            raise ValueError(f"row {regularizer!r} of {design.name} is there twice; expected every row once")
    about = {**found[0].about, "configuration": whole, "seeds": list(range(design.protocol.seeds))}
    about |= merged([each.about for each in found])
    about["probes"] = any(each.about.get("probes") for each in found)
    order = design.regularizers.index
    measurements = sorted((m for each in found for m in each.measurements), key=lambda m: order(m.regularizer))
    curves = sorted((point for each in found for point in each.curves), key=lambda point: order(point.regularizer))
    return TableResults(design, about, measurements, curves)


def merged(abouts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return where numbers come from that were made in parts: every environment and start once, the time of all."""
    starts: list[dict[str, Any]] = []
    for about in abouts:
        starts += [each for each in about["starts"] if each not in starts]
    return {
        "environments": distinct(each for about in abouts for each in about["environments"]),
        "compute_seconds": round(sum(about["compute_seconds"] for about in abouts), 1),
        "peak_memory_mb": max(about.get("peak_memory_mb", 0) for about in abouts),
        "starts": starts,
    }
