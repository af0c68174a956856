"""Learning a new task without the old one's data: what each method loses of the old task, and what it gains on the new.

Learning without Forgetting asks that the old head go on saying of the new inputs what it said before. Beside it, tuning
everything, the top layer or the head alone; a new layer and head on the frozen features (feature extraction); Gradual
Tuning, with and without it; and training on both tasks at once, which has the old data and bounds what can be had.

Source: Li and Hoiem 2016, the table as the lecture of 2018 shows it, from ImageNet to other images: the method's own
numbers, and what the others have over them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from experiments.frame.grids import Grid
from experiments.frame.jobs import Result
from experiments.frame.long_form import Findings
from experiments.frame.method_grid import Methods, MethodsByTargets, Targets
from experiments.frame.pictures import picture
from experiments.frame.source_and_target import TARGET, begin_target, measurements_of
from experiments.frame.statistics import interval, mean_sd
from experiments.frame.task_specs import TaskSpec
from experiments.frame.text import difference, spread
from experiments.frame.training import TrainingFunction
from experiments.frame.workspace import Workspace
from npnet import GradualTuning, HeadOnly, Method, TopLayers, TrainingJob, error, growing
from npnet import without_forgetting as keeping

__all__ = ["WithoutForgetting"]

LWF, FINE, JOINT = "LwF", "fine tuning", "joint training"
BOTH = "gradual + LwF"


def _gradual_keeping() -> Method:
    return Method("gradual", policy=GradualTuning()) + keeping()


def begin_beside(
    workspace: Workspace,
    spec: TaskSpec,
    learned: TaskSpec,
    hidden: tuple[int, ...],
    seed: int,
    source: str,
    method: Callable[[], Method],
    setting: str,
    label: str,
) -> TrainingJob:
    """Return the source network at its start on the target; JOINT has the old task's training set too.

    Both tasks then count for when to stop, by their mean error; an epoch goes through both, and so has more updates.
    """
    target = begin_target(workspace, spec, hidden, seed, source, method)
    if label != JOINT:
        return target
    old = learned.load(seed)
    longer = max(1, len(old.train) / len(target.tasks[TARGET].train))  # epochs of so many times as many updates
    epochs, patience = (max(1, round(n / longer)) for n in (target.settings.max_epochs, target.settings.patience or 1))
    settings = replace(target.settings, together="mean", max_epochs=epochs, patience=patience)
    return TrainingJob(target.run, {**target.tasks, old.name: old}, settings)


def end_beside(
    workspace: Workspace,
    training: TrainingJob,
    seconds: float,
    learned: TaskSpec,
    seed: int,
    setting: str,
    label: str,
    **_: Any,
) -> Result:
    """Measure the test errors on the new task and on the old one."""
    network = training.run.network
    found = {
        "error": error(network, TARGET, training.tasks[TARGET].test),
        "old": error(network, learned.task, learned.load(seed).test),
    }
    return measurements_of(training, seconds, setting, label, seed, found)


@dataclass(frozen=True)
class WithoutForgetting(MethodsByTargets):
    """Learn a new task when the old data are gone.

    Eight methods, Learning without Forgetting among them, are compared by their errors on both tasks."""

    name: ClassVar[str] = "without_forgetting"
    targets: ClassVar[Targets] = {
        "mnist04 → mnist59": ("digits", TaskSpec("mnist59", train=5_000, updates=20_000, patience=4_000)),
        "mnist04 → fashion59": ("digits", TaskSpec("fashion59", train=5_000, updates=20_000, patience=4_000)),
        "acl → ac": ("lines", TaskSpec("ac", train=10_000, updates=35_000, patience=5_000)),
        "acl → sbl": ("lines", TaskSpec("sbl", train=10_000, updates=35_000, patience=5_000)),
    }
    methods: ClassVar[Methods] = {
        LWF: keeping,
        FINE: partial(Method, "fine"),
        "top layer": partial(Method, "top", policy=TopLayers(1)),
        "head only": partial(Method, "head", policy=HeadOnly()),
        "feature extraction": partial(growing, deeper=200, normalised=False, trained=0),
        "gradual": partial(Method, "gradual", policy=GradualTuning()),
        BOTH: _gradual_keeping,
        JOINT: partial(Method, "joint"),
    }
    training: ClassVar[TrainingFunction] = TrainingFunction(begin_beside, end_beside)
    remembers: ClassVar[bool] = True

    @classmethod
    def tables(cls, found: Findings) -> list[Grid]:
        """Return old and new errors, and the source's table: what each method has over LwF, paired by seed."""
        return [_errors(found), _beside(found)]

    @classmethod
    def draw(cls, found: Findings, out: Path) -> dict[str, str]:
        """Draw the old error against the new one."""
        _draw(found, out / "old_and_new.png")
        words = (
            "Test error on the old task against the new one's: means and 95 % intervals over seeds. Best is the lower "
            "left; the dashed line is the old error before the new task."
        )
        return {"old_and_new.png": words}


def _before(found: Findings, setting: str) -> dict[int, float]:
    """Return the old task's error before the new one was learned."""
    spec = found.about["sources"][_family(setting)]
    hidden = "-".join(map(str, found.about["hidden"]))
    return found.values(f"source {spec['task']} {hidden}", "scratch")


def _family(setting: str) -> str:
    return WithoutForgetting.targets[setting][0]


def _pair(found: Findings, setting: str, method: str) -> tuple[dict[int, float], dict[int, float]]:
    return found.values(setting, method, "old"), found.values(setting, method)


def _header(found: Findings) -> list[str]:
    return ["", *(f"{setting}:\n{which}" for setting in found.about["targets"] for which in ("old", "new"))]


def _errors(found: Findings) -> Grid:
    before: list[str] = ["before"]
    for setting in found.about["targets"]:
        before += [spread(list(_before(found, setting).values()), 2), "–"]
    rows = [before]
    for method in found.about["methods"]:
        pairs = [values for setting in found.about["targets"] for values in _pair(found, setting, method)]
        rows.append([method, *(spread(list(values.values()), 2) for values in pairs)])
    return Grid("Test errors in percent on the old and on the new task", _header(found), rows)


def _beside(found: Findings) -> Grid:
    """Return the source's table: accuracies of LwF, and by how many points the others are better, paired by seed."""
    first, rows = [LWF], []
    for setting in found.about["targets"]:
        first += [spread([100 - e for e in values.values()], 1) for values in _pair(found, setting, LWF)]
    for method in found.about["methods"]:
        if method != LWF:
            row = [method]
            for setting in found.about["targets"]:
                for of, other in zip(_pair(found, setting, LWF), _pair(found, setting, method), strict=True):
                    row.append(difference(of, other, 1)[0])
            rows.append(row)
    return Grid(
        "Accuracy of LwF in percent, and what others have over it, points (95 %)", _header(found), [first, *rows]
    )


def _draw(found: Findings, path: Path) -> None:
    settings, methods = list(found.about["targets"]), list(found.about["methods"])
    width = 1.8 + 3.2 * len(settings)
    with picture(path, (width, 3.4), (0, 0, 1 - 1.6 / width, 1)) as figure:
        panels = figure.subplots(1, len(settings), squeeze=False)[0]
        for panel, setting in zip(panels, settings, strict=True):
            for i, method in enumerate(methods):
                old, new = (list(values.values()) for values in _pair(found, setting, method))
                if old and new:
                    bars = np.nan_to_num([interval(new)]), np.nan_to_num([interval(old)])
                    marker = "s" if method == JOINT else "D" if method in (LWF, BOTH) else "o"
                    style: Mapping[str, Any] = {"color": f"C{i}", "marker": marker, "elinewidth": 0.8}
                    panel.errorbar(
                        mean_sd(new)[0], mean_sd(old)[0], bars[1], bars[0], linestyle="", label=method, **style
                    )
            panel.axhline(
                mean_sd(list(_before(found, setting).values()))[0], color="0.6", linestyle="--", linewidth=0.8
            )
            panel.set(xlabel="new task, error (%)")
            panel.set_title(setting, loc="left", weight="bold")
        panels[0].set_ylabel("old task, error (%)")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="center right", frameon=False)
