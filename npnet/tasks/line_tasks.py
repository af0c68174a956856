"""Line-and-angle tasks as networks learn them: three splits of stimuli, and what is asked about each of them.

The truth that comes with the stimuli makes regressions of the same images.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from npnet.arguments import checked
from npnet.arrays import shown
from npnet.data import Split, Task
from npnet.tasks.appearance import CALIBRATED, Appearance
from npnet.tasks.rules import APART, CROSSING, SIDE, TASKS, Rule
from npnet.tasks.splits import REGIONS, Store, classes_of, flat, split_of
from npnet.tasks.stimuli import labels_at, whole
from npnet.tasks.stimulus_sets import StimulusSet

__all__ = ["TARGETS", "line_task", "line_tasks", "targets"]

Target = Literal["label", "angle", "fractions", "lengths"]

TARGETS = {
    "label": "the class: 0 or 1, a classification",
    "angle": "the angle of the angle, the acute one of the crossing, the triangle's largest, over 180 degrees: (N, 1)",
    "fractions": "where two segments cross, as fractions of each from its nearer end, the smaller first: (N, 2)",
    "lengths": "the shortest and the longest segment of the figure, over the 32 px of the image: (N, 2)",
}
"""What a task can ask about a stimulus."""


@checked
def line_task(
    name: str,
    seed: int,
    train: int = 330_000,
    validation: int = 10_000,
    test: int = 10_000,
    appearance: Appearance = CALIBRATED,
    threads: int = 1,
    target: Target = "label",
    store: Store = "memory",
) -> Task:
    """Return a line-and-angle task with `train`, `validation` and `test` examples: inputs (N, 1024) uint8.

    target: what is asked about a stimulus, one of TARGETS; with "label" the task is a classification with labels (N,)
    int64, else a regression with labels (N, K) float32. A task asks only about stimuli that have an answer: "fractions"
    needs a crossing, "angle" two segments that meet. store: whether images are kept in "memory", drawn whenever they
    are read ("nowhere"), or memory-mapped from files in a folder. The default sizes are the paper's (section 4).

    Raises ValueError for an unknown name, target or store, a task without such a target, a bad seed or number of
    threads, or a split without examples.
    """
    threads = whole("threads", threads, 1, 1024)
    kinds = [figure.kind for figure in (_rule_of(name).class_0, _rule_of(name).class_1)]
    if target not in TARGETS:
        raise ValueError(f"target is {target!r}; expected one of {', '.join(TARGETS)}")
    asked = [label for label, kind in enumerate(kinds) if _answers(target, kind)]
    if not asked:
        raise ValueError(f"target is {target!r}; expected one that stimuli of {name!r} have: they do not cross")
    answers = classes_of if target == "label" else lambda drawn: targets(drawn.truth, target)
    splits = {}
    for which, size in (("train", train), ("validation", validation), ("test", test)):
        stimuli = _first(name, seed, REGIONS[which], whole(which, size, 1, 2**40), asked, appearance)
        splits[which] = split_of(stimuli, store, threads, answers)
    return Task(name, splits["train"].labels.shape[1] if target != "label" else 2, **splits)


@checked
def line_tasks(
    name: str,
    seed: int,
    asked: Sequence[Target] = ("label", "angle", "lengths"),
    train: int = 330_000,
    validation: int = 10_000,
    test: int = 10_000,
    appearance: Appearance = CALIBRATED,
    threads: int = 1,
) -> dict[str, Task]:
    """Return several tasks about the same stimuli, {target: task}: they share each split's inputs, held in memory.

    Stimuli are those that answer everything asked. Raises ValueError as `line_task` does, for the same target twice,
    and where "label" is asked together with what only stimuli of one class have.
    """
    threads = whole("threads", threads, 1, 1024)
    kinds = [figure.kind for figure in (_rule_of(name).class_0, _rule_of(name).class_1)]
    if not asked or not set(asked) <= set(TARGETS) or len(set(asked)) < len(asked):
        raise ValueError(f"asked is {tuple(asked)}; expected some of {', '.join(TARGETS)}, each once")
    classes = [label for label, kind in enumerate(kinds) if all(_answers(target, kind) for target in asked)]
    if not classes or (len(classes) == 1 and "label" in asked):
        raise ValueError(f"asked is {tuple(asked)}; expected what stimuli of both classes of {name!r} have")
    splits: dict[Target, dict[str, Split]] = {target: {} for target in asked}
    for which, size in (("train", train), ("validation", validation), ("test", test)):
        stimuli = _first(name, seed, REGIONS[which], whole(which, size, 1, 2**40), classes, appearance)
        drawn = stimuli.in_memory(threads)
        inputs = flat(drawn.images)
        for target in asked:
            labels = classes_of(drawn) if target == "label" else targets(drawn.truth, target)
            splits[target][which] = Split(inputs, labels)
    outputs = {target: 2 if target == "label" else splits[target]["train"].labels.shape[1] for target in asked}
    return {target: Task(target, outputs[target], **splits[target]) for target in asked}


@checked
def targets(truth: NDArray[np.void], target: Target) -> NDArray[np.float32]:
    """Return what a target is for some truth records (n,): (n, K) float32, NaN where a stimulus has no such thing.

    Raises ValueError for the label, which is no part of the truth, and for an unknown target.
    """
    if truth.dtype.names is None:
        raise ValueError(f"truth is {shown(truth)}; expected records, as Stimuli have them")
    if target == "angle":
        crossing = np.minimum(truth["crossing_angle"], 180 - truth["crossing_angle"])  # which end is first is not seen
        answers = np.where(np.isnan(truth["angle"]), crossing, truth["angle"])[:, None] / 180
    elif target == "fractions":
        answers = np.sort(np.minimum(truth["fractions"], 1 - truth["fractions"]), axis=1)
    elif target == "lengths":
        ends = truth["segments"].reshape(-1, 4, 2, 2)  # (n, 4, 4) → (n, segment, end, x or y)
        lengths = np.linalg.norm(ends[:, :, 1] - ends[:, :, 0], axis=-1)  # (n, 4)
        lengths[np.arange(4) >= (truth["segment_count"] - truth["distractors"])[:, None]] = np.nan
        answers = np.stack([np.nanmin(lengths, axis=1), np.nanmax(lengths, axis=1)], axis=1) / SIDE
    else:
        raise ValueError(f"target is {target!r}; expected one of angle, fractions, lengths")
    return answers.astype(np.float32)


def _rule_of(name: str) -> Rule:
    """Return the rule of a task; ValueError that names the known ones where there is none."""
    if name not in TASKS:
        raise ValueError(f"name is {name!r}; expected one of {', '.join(TASKS)}")
    return TASKS[name]


def _answers(target: Target, kind: int) -> bool:
    """Whether a figure has what a target asks."""
    return target in ("label", "lengths") or (kind == CROSSING if target == "fractions" else kind != APART)


def _first(task: str, seed: int, start: int, size: int, asked: list[int], appearance: Appearance) -> StimulusSet:
    """Return the set of the first `size` stimuli from an address on whose labels are among those asked about."""
    found = np.empty(0, np.uint64)
    while len(found) < size:
        block = np.arange(start, start + (size - len(found)) * 2 // len(asked) + 1, dtype=np.uint64)
        start += len(block)
        found = np.concatenate([found, block[np.isin(labels_at(task, seed, block), asked)]])
    return StimulusSet(task, seed, found[:size], appearance)
