"""What could spare the old head's threshold: table 3 in little, under one change at a time.

With a tenth of the stimuli and a tenth of the epochs little of the shift is seen: the first network knows too little.
So it learns from 200,000 stimuli at five times the rate, and then at the rate, in as many steps as 24 epochs of 33,000.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from itertools import product
from pathlib import Path
from re import sub
from statistics import fmean
from typing import ClassVar

import numpy as np

from experiments.frame.grids import Grid
from experiments.frame.jobs import Job, Result
from experiments.frame.long_form import Findings, LongFormStudy
from experiments.frame.pictures import picture
from experiments.frame.provenance import environment
from experiments.frame.statistics import mean_sd
from experiments.frame.study import Plan, Preset
from experiments.frame.tasks import Sizes
from experiments.frame.text import number, spread
from experiments.frame.training import TrainingFunction
from experiments.frame.workspace import Workspace
from experiments.studies.tables.probes import refitted
from experiments.studies.threshold.variants import BASE, LOSSES, VARIANTS, Variant, load, mixed, order_of
from npnet import (
    GradualTuning,
    Hyperparameters,
    Method,
    Network,
    Run,
    Split,
    Task,
    TrainingJob,
    begin,
    constant,
    error,
    fine_tuning,
    generator,
    mlp,
    step,
)
from npnet.data import part
from npnet.initialisers import INITIALISERS
from npnet.policies import Mask

__all__ = ["Scale", "Threshold", "begin_first", "begin_second", "learn_first", "learn_second"]

FIRST, SECOND, CLASSES = "acl", "ac", ("angles", "crossings")
METHODS = ("fine", "gradual")
LEANS = ("acl before", "ac before", "acl after 1 epoch", "acl kept")
EARLY = 8  # epochs of the second task over which the old task's error is averaged


@dataclass(frozen=True)
class Scale(Sizes):
    """The sizes of the study; train: stimuli of the first task.

    Attributes:
        seen: training stimuli of the second task, and of an epoch of both.
        hidden: widths of the hidden layers.
        fast, slow: epochs of the first task at five times the rate, which spares hours, and then at the rate.
        fine, gradual: epochs of the second task under each method; all are run through.
    """

    seen: int
    hidden: tuple[int, ...]
    fast: int
    slow: int
    fine: int
    gradual: int


PRESETS = {
    "smoke": Scale(train=100, validation=40, test=50, seen=60, hidden=(6, 5), fast=1, slow=1, fine=2, gradual=3),
    "quick": Scale(
        train=200_000,
        validation=5_000,
        test=5_000,
        seen=33_000,
        hidden=(500, 500),
        fast=18,
        slow=6,
        fine=8,
        gradual=14,
    ),
    "paper": Scale(
        train=330_000,
        validation=10_000,
        test=10_000,
        seen=330_000,
        hidden=(500, 500),
        fast=4,
        slow=30,
        fine=40,
        gradual=60,
    ),
}
QUICK = 19
"""So many of the variants, the first, are run where none is named."""

SMOKE = (BASE, "blocks of 200 of a class", "fresh float32 noise")
"""The variants that the preset "smoke" has."""


@lru_cache(maxsize=4)
def _task(name: str, variant: str, scale: Scale, seed: int) -> Task:
    train = scale.train if name == FIRST else scale.seen
    return load(name, VARIANTS[variant], replace(scale.sizes, train=train), seed)


def _hyperparameters(
    variant: Variant, task: Task, seen: int, rate: Callable[[int], float], epochs: int
) -> Hyperparameters:
    return Hyperparameters(
        batch_size=variant.batch_size,
        order=order_of(variant, task, seen),
        rate=rate,
        loss=LOSSES[variant.loss],
        patience=None,
        max_epochs=epochs,
    )


def _biases_faster(history: Sequence[float], depth: int, times: float) -> Mask:
    return (1.0,) * depth + ({"W": 1.0, "b": times},)


def _method(name: str, variant: Variant) -> Method:
    if name == "gradual":
        return Method("gradual", policy=GradualTuning())
    if variant.bias_rate != 1:
        return Method("fine", policy=partial(_biases_faster, times=variant.bias_rate))
    return fine_tuning


def _by_class(name: str, head: str, split: Split) -> dict[str, tuple[str, Split]]:
    """Return what is evaluated of a head: a split's angles and its crossings, each alone."""
    return {
        f"{name}_{each}": (head, part(split, np.flatnonzero(split.labels == label)))
        for label, each in enumerate(CLASSES)
    }


def _measured(name: str, network: Network, head: str, split: Split) -> Iterator[tuple[str, float]]:
    """Yield the error of a head on a split, and that on the angles and on the crossings."""
    yield name, error(network, head, split)
    for metric, of in _by_class(name, head, split).items():
        yield metric, error(network, *of)


def begin_first(workspace: Workspace, name: str, scale: Scale, seed: int) -> TrainingJob:
    """Return a new network at its start on acl; the start and its data are the seed's."""
    variant, (first, second) = VARIANTS[name], (_task(each, name, scale, seed) for each in (FIRST, SECOND))
    rng = generator(seed, "first", FIRST)
    widths = (first.train.inputs.shape[-1], *scale.hidden)
    network = mlp(widths, {FIRST: variant.outputs}, rng, INITIALISERS[variant.initialise])
    rate = step(5 * variant.rate, factor=0.2, every=scale.fast)
    settings = _hyperparameters(variant, first, scale.seen, rate, scale.fast + scale.slow)
    learned = mixed(first, second) if variant.mixed else first
    return TrainingJob(Run(network, rng), {FIRST: learned}, settings)


def end_first(
    workspace: Workspace, training: TrainingJob, seconds: float, name: str, scale: Scale, seed: int
) -> Result:
    """Leave the network, and measure how it reads both tasks with the old head."""
    network = training.run.network
    network.save(workspace.path / "network.npz")
    first, second = (_task(each, name, scale, seed) for each in (FIRST, SECOND))
    again = refitted(network, FIRST, first.validation, LOSSES[VARIANTS[name].loss])
    found = {
        **dict(_measured("old", network, FIRST, first.test)),
        **dict(_measured("old_on_new", network, FIRST, second.test)),
        "refitted": error(again, FIRST, first.test),
        "kept_epoch": float(training.run.best["epoch"]),
    }
    return _result(training, seconds, name, "first", seed, found)


def begin_second(workspace: Workspace, name: str, method: str, scale: Scale, seed: int) -> TrainingJob:
    """Return the first network at its start on ac: both methods have the same head and order."""
    variant, (first, second) = VARIANTS[name], (_task(each, name, scale, seed) for each in (FIRST, SECOND))
    network = Network.load(workspace.needed(job_name(name, "first", seed)) / "network.npz")
    epochs = scale.gradual if method == "gradual" else scale.fine
    settings = _hyperparameters(variant, second, scale.seen, constant(variant.rate), epochs)
    rng, initialise = generator(seed, "second", SECOND), INITIALISERS[variant.initialise]
    run, settings = begin(_method(method, variant), network, second, rng, settings, initialise)
    watched = {**_by_class("old", FIRST, first.validation), "new_on_old": (SECOND, first.validation)}
    return TrainingJob(run, {SECOND: second}, settings, watched)


def end_second(
    workspace: Workspace, training: TrainingJob, seconds: float, name: str, method: str, scale: Scale, seed: int
) -> Result:
    """Measure what the second task did to the first, with the kept weights and, on validation examples, by epoch."""
    run, (first, second) = training.run, (_task(each, name, scale, seed) for each in (FIRST, SECOND))
    again = refitted(run.network, FIRST, first.validation, LOSSES[VARIANTS[name].loss])
    shares = [float((first.validation.labels == label).mean()) for label in (0, 1)]
    old = [
        sum(share * record["evaluations"][f"old_{each}"] for share, each in zip(shares, CLASSES, strict=True))
        for record in run.history
    ]
    both = [record["error"] + record["evaluations"]["new_on_old"] for record in run.history]
    found = {
        **dict(_measured("old", run.network, FIRST, first.test)),
        "new": error(run.network, SECOND, second.test),
        "refitted": error(again, FIRST, first.test),
        "kept_epoch": float(run.best["epoch"]),
        "old_at_best": old[run.best["epoch"] - 1],
        "old_at_best_of_both": old[int(np.argmin(both))],
        "old_at_last": old[-1],
        "old_early": fmean(old[:EARLY]),
        **{f"old_epoch_{epoch}": value for epoch, value in enumerate(old, 1)},
        **{f"new_epoch_{record['epoch']}": record["error"] for record in run.history},
        **{
            f"old_{each}_epoch_{record['epoch']}": record["evaluations"][f"old_{each}"]
            for record, each in product(run.history, CLASSES)
        },
    }
    return _result(training, seconds, name, method, seed, found)


learn_first = TrainingFunction(begin_first, end_first)
learn_second = TrainingFunction(begin_second, end_second)


def _result(
    training: TrainingJob, seconds: float, name: str, method: str, seed: int, found: dict[str, float]
) -> Result:
    return {
        "measurements": [[name, method, seed, metric, value] for metric, value in found.items()],
        "history": training.run.history,
        "seconds": seconds,
        "environment": environment(),
    }


def job_name(name: str, what: str, seed: int) -> str:
    """Return the name of a variant's job: what is "first", for the network that its second task begins with, or a
    method.
    """
    variant = (VARIANTS[name].begins or name) if what == "first" else name
    return sub(r"[^\w]+", "-", f"{variant} {what} {seed}")


@dataclass(frozen=True)
class Threshold(LongFormStudy):
    """Find what moves the old head's threshold in table 3.

    A network learns acl, then ac, in a tenth of the epochs, under one change of the protocol at a time.

    Attributes:
        only: which variants, with commas between; else the preset's. A folder can get more of them later.
        networks: first networks, each with data of its own.
    """

    name: ClassVar[str] = "threshold"
    presets: ClassVar[tuple[Preset, ...]] = ("smoke", "quick", "paper")

    only: str = ""
    networks: int = 2

    def plan(self) -> Plan:
        """Return what to run: the variants one after another, each with every seed."""
        scale, names = PRESETS[self.preset], SMOKE if self.preset == "smoke" else tuple(VARIANTS)[:QUICK]
        if self.only:
            names = tuple(name.strip() for name in self.only.split(","))
            if not set(names) <= set(VARIANTS):
                raise ValueError(f"only is {self.only!r}; expected some of {', '.join(VARIANTS)}, with commas between")
        jobs: dict[str, Job] = {}
        for name, seed in product(names, range(self.networks)):
            begins, first = VARIANTS[name].begins or name, job_name(name, "first", seed)
            what = {"scale": scale, "seed": seed}
            jobs.setdefault(first, Job(first, learn_first, {**what, "name": begins}))
            for method in METHODS if VARIANTS[name].gradual else ("fine",):
                job = job_name(name, method, seed)
                jobs[job] = Job(job, learn_second, {**what, "name": name, "method": method}, (first,))
        configuration = {
            "experiment": self.name,
            "scale": asdict(scale),
            "studies": {name: asdict(VARIANTS[name]) for name in names},
        }
        return Plan(f"{len(names)} variants, {len(jobs)} networks", configuration, list(jobs.values()))

    @classmethod
    def tables(cls, found: Findings) -> list[Grid]:
        """Return what each variant forgets, and where."""
        return [_forgotten(found), _classes(found), _chosen(found)]

    @classmethod
    def draw(cls, found: Findings, out: Path) -> dict[str, str]:
        """Draw the old task's errors, and to which class its head leans."""
        _draw(found, out / "threshold.png")
        return {"threshold.png": "What is wrong of acl before and after ac, and to which class the old head leans"}


def _values(found: Findings, name: str, method: str, metric: str) -> list[float]:
    return list(found.values(name, method, metric).values())


def _begins(found: Findings, name: str) -> str:
    return found.about["studies"][name]["begins"] or name


def _runs(found: Findings) -> list[tuple[str, str]]:
    """Return the variants and methods of which some run has finished."""
    pairs = product(found.about["studies"], METHODS)
    return [pair for pair in pairs if found.values(*pair, "new")]


def _called(name: str, method: str) -> str:
    return name if method == "fine" else f"{name}, gradual"


def _forgotten(found: Findings) -> Grid:
    rows = []
    for name, method in _runs(found):
        before, after = found.values(_begins(found, name), "first", "old"), found.values(name, method, "old")
        again = found.values(name, method, "refitted"), found.values(_begins(found, name), "first", "refitted")
        rows.append(
            [
                _called(name, method),
                spread([before[seed] for seed in after], 1),
                *(spread(_values(found, name, method, metric), 1) for metric in ("old_epoch_1", "old_early", "old")),
                number(fmean(after[seed] - before[seed] for seed in after), 1, "+"),
                number(fmean(again[0][seed] - again[1][seed] for seed in after), 1, "+"),
                spread(_values(found, name, method, "new"), 1),
            ]
        )
    header = ["", "before", "after 1 epoch", f"epochs 1–{EARLY}", "kept", "forgotten", "biases fitted again", "ac"]
    return Grid("Errors on acl with its own head, percent; forgotten, points", header, rows)


def _lean(found: Findings, name: str, method: str, when: str) -> list[float]:
    """Return for each seed half of what is wrong of the angles less what is wrong of the crossings, points.

    Above zero the old head takes too much for crossings, below zero for angles.
    """
    where, what = {
        "acl before": ((_begins(found, name), "first"), "old_{}"),
        "ac before": ((_begins(found, name), "first"), "old_on_new_{}"),
        "acl after 1 epoch": ((name, method), "old_{}_epoch_1"),
        "acl kept": ((name, method), "old_{}"),
    }[when]
    angles, crossings = (found.values(*where, what.format(each)) for each in CLASSES)
    return [(angles[seed] - crossings[seed]) / 2 for seed in found.values(name, method, "new")]


def _classes(found: Findings) -> Grid:
    rows = []
    for name, method in _runs(found):
        before, other, early, kept = (_lean(found, name, method, when) for when in LEANS)
        moves = [[b - a for a, b in zip(before, after, strict=True)] for after in (other, early, kept)]
        first = _begins(found, name), "first"
        wrong = [(first, "old_on_new_{}"), (first, "old_{}"), ((name, method), "old_{}_epoch_1")]
        shown = [[mean_sd(_values(found, *of, what.format(each)))[0] for each in CLASSES] for of, what in wrong]
        pairs = [" / ".join(number(value, 0) for value in pair) for pair in shown]
        rows.append([_called(name, method), *pairs, *(number(fmean(move), 1, "+") for move in moves)])
    header = ["", "ac, before", "acl, before", "acl, after 1 epoch", "without the line", "after 1 epoch", "kept"]
    title = "What the old head has wrong of angles / of crossings, percent; how far that moves its lean, points"
    return Grid(title, header, rows)


def _chosen(found: Findings) -> Grid:
    metrics = ("old_at_best", "old_at_best_of_both", "old_at_last")
    rows = [
        [_called(*pair), *(spread(_values(found, *pair, metric), 1) for metric in metrics)] for pair in _runs(found)
    ]
    header = ["", "best on ac", "best on ac and acl", "last epoch"]
    return Grid("Error on acl by the epoch that is kept, validation examples, percent", header, rows)


def _draw(found: Findings, path: Path) -> None:
    """Draw each variant's errors on acl on the left, on the right to which class the old head leans."""
    runs = _runs(found)[::-1]
    orange, blue, grey = "#D55E00", "#0072B2", "0.45"
    with picture(path, (10.4, 1.5 + 0.24 * len(runs)), (0, 0, 1, 1 - 0.35 / (1.5 + 0.24 * len(runs)))) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        for row, (name, method) in enumerate(runs):
            errors = [
                (_values(found, _begins(found, name), "first", "old"), "|", "black", "acl before"),
                (_values(found, name, method, "old_epoch_1"), "o", orange, "acl after one epoch of ac"),
                (_values(found, name, method, "old"), "o", blue, "acl at the best epoch of ac"),
            ]
            leans = [
                (_lean(found, name, method, "acl before"), "|", "black", None),
                (_lean(found, name, method, "ac before"), "s", grey, "ac before, read by the same head"),
                (_lean(found, name, method, "acl after 1 epoch"), "o", orange, None),
            ]
            for panel, points in ((left, errors), (right, leans)):
                for values, marker, colour, label in points:
                    panel.plot(values, [row] * len(values), ".", color=colour, alpha=0.35, markersize=4)
                    panel.plot(fmean(values), row, marker, color=colour, markersize=6, label=None if row else label)
        left.set_yticks(range(len(runs)), [_called(*pair) for pair in runs])
        left.set_ylim(-0.7, len(runs) - 0.3)
        for panel in (left, right):
            panel.grid(color="0.92", linewidth=0.7)
        left.set(xlabel="error on acl, its own head (%)")
        right.set(xlabel="(angles wrong − crossings wrong) / 2, points\n← leans to angles        leans to crossings →")
        right.axvline(0, color="0.6", linewidth=0.8)
        figure.legend(loc="upper right", ncols=4, frameon=False)
