"""Data sets of stimuli that are drawn when they are read: any slice at any time, the same bits whatever is read first.

A `StimulusSet` holds addresses and nothing else. Drawing an image takes a microsecond or two and a training step on
twenty of them a thousand, so a task can be trained on without ever being stored. Where it should be stored after all:

    in_memory(threads)       all stimuli as arrays
    in_file(path, threads)   all stimuli memory-mapped from a file, which is drawn once, checked by its SHA-256 and put
                             in place whole; its name with .json added holds what it was drawn from

`line_task` makes the three splits of a task of such sets, and of the truth that comes with the stimuli the targets of
regression tasks. Each split has a region of the addresses to itself, so the validation and test sets are the same
whatever the amount of training data.
"""

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from npnet.tasks.appearance import CALIBRATED, Appearance
from npnet.tasks.data import Split, Task
from npnet.tasks.rules import APART, CROSSING, SIDE, TASKS
from npnet.tasks.stimuli import TRUTH, Stimuli, draw_at, labels_at, rule_of, whole
from npnet.trees import write_atomically

__all__ = ["TARGETS", "StimulusSet", "line_task", "stimulus_set", "targets"]

Target = Literal["label", "angle", "fractions", "lengths"]

TARGETS = {
    "label": "the class: 0 or 1, a classification",
    "angle": "the angle of the angle, of the crossing, or the largest of the triangle, over 180 degrees: (N, 1)",
    "fractions": "where two segments cross, as fractions of each from its nearer end, the smaller first: (N, 2)",
    "lengths": "the shortest and the longest segment of the figure, over the 32 px of the image: (N, 2)",
}
"""What a task can ask about a stimulus."""

_REGIONS = {"train": 0, "validation": 2**61, "test": 2**62}  # where each split's addresses begin
_RECORD = np.dtype([("image", "u1", (SIDE, SIDE)), ("label", "u1"), ("truth", TRUTH)])  # one stimulus in a file
_BLOCK = 10_000  # stimuli drawn into a file at a time: 13 MB


@dataclass(frozen=True, eq=False)
class StimulusSet:
    """The stimuli of a task and seed at some addresses `indices` (n,) uint64, with an appearance; drawn when read.

    `set[rows]` draws the stimuli of a slice or an index array of rows, `set[row]` one as Stimuli with n = 1. Raises
    what `draw` raises.
    """

    task: str
    seed: int
    indices: NDArray[np.uint64]
    appearance: Appearance = CALIBRATED

    def __post_init__(self) -> None:
        draw_at(
            self.task, self.seed, self.indices[:0], self.appearance
        )  # refuses what cannot be drawn, and does it now

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, rows: Any) -> Stimuli:
        return draw_at(self.task, self.seed, np.atleast_1d(self.indices[rows]), self.appearance)

    def batches(self, size: int) -> Iterator[Stimuli]:
        """Yield all stimuli in their order, `size` at a time (fewer in the last batch)."""
        size = whole("size", size, 1, 2**40)
        for start in range(0, len(self), size):
            yield self[start : start + size]

    def labels(self) -> NDArray[np.uint8]:
        """Return the labels (n,) without drawing the images."""
        return labels_at(self.task, self.seed, self.indices)

    def in_memory(self, threads: int = 1) -> Stimuli:
        """Draw all stimuli: 1.3 kB each."""
        return draw_at(self.task, self.seed, self.indices, self.appearance, threads)

    def in_file(self, path: str | Path, threads: int = 1) -> Stimuli:
        """Return all stimuli, memory-mapped and read-only, from a file that is drawn first where there is none.

        The file is a `.npy` of one record a stimulus, finished atomically: a process killed at any moment leaves no
        file of this name, or a whole one. Of several processes that want the file one draws it and the others wait;
        its pages are in memory once for all of them. Raises ValueError where it holds other stimuli, or is damaged.
        """
        path = Path(path)
        about, sidecar = self._about(), path.with_name(path.name + ".json")
        with _turn(path):
            if not (path.exists() and sidecar.exists()):
                digest = self._write(path, threads)
                write_atomically(sidecar, (json.dumps({**about, "sha256": digest}, indent=1) + "\n").encode())
        try:
            there = json.loads(sidecar.read_text())
            digest = there.pop("sha256")
        except (ValueError, KeyError, AttributeError) as error:
            raise ValueError(f"file {sidecar} is damaged ({error!r}); delete it, and {path} is drawn again") from error
        if there != about:
            raise ValueError(f"file {path} holds stimuli of {there}; expected {about}: give another path, or delete it")
        if _sha256(path) != digest:
            raise ValueError(f"file {path} is damaged: its SHA-256 is not {digest}; delete it, and it is drawn again")
        records = np.load(path, mmap_mode="r", allow_pickle=False)
        return Stimuli(records["image"], records["label"], records["truth"])

    def file_name(self) -> str:
        """Return a file name of its own for what the stimuli are drawn from, as in acl-0-10000-1f0b5c9a44d2.npy."""
        key = hashlib.sha256(json.dumps(self._about()).encode()).hexdigest()[:12]
        return f"{self.task}-{self.seed}-{len(self)}-{key}.npy"

    def _about(self) -> dict[str, Any]:
        """What the stimuli are drawn from, as JSON holds it."""
        addresses = hashlib.sha256(np.ascontiguousarray(self.indices).tobytes()).hexdigest()
        about = {"task": self.task, "seed": self.seed, "stimuli": len(self), "addresses": addresses}
        return json.loads(
            json.dumps({**about, "rule": asdict(TASKS[self.task]), "appearance": asdict(self.appearance)})
        )

    def _write(self, path: Path, threads: int) -> str:
        """Draw all stimuli into a file beside `path`, move it there, and return its SHA-256."""
        part = path.with_name(f".{path.name}.part")
        records = np.lib.format.open_memmap(part, "w+", _RECORD, (len(self),))
        for start in range(0, len(self), _BLOCK):
            block = slice(start, start + _BLOCK)
            drawn = draw_at(self.task, self.seed, self.indices[block], self.appearance, threads)
            for field, values in zip(("image", "label", "truth"), drawn, strict=True):
                records[field][block] = values
        records.flush()
        digest = _sha256(part)
        part.replace(path)
        return digest


@dataclass(frozen=True, eq=False)
class _Pixels:
    """The images of a set as inputs (n, 1024) of a Split: rows are drawn when a batch asks for them."""

    stimuli: StimulusSet
    dtype = np.dtype(np.uint8)
    ndim = 2

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.stimuli), SIDE * SIDE

    def __len__(self) -> int:
        return len(self.stimuli)

    def __getitem__(self, rows: Any) -> NDArray[np.uint8]:
        return _flat(self.stimuli[rows].images)


def stimulus_set(task: str, seed: int, start: int, stop: int, appearance: Appearance = CALIBRATED) -> StimulusSet:
    """Return the set at the addresses (task, seed, i) for i = start … stop − 1; raises what `draw` raises."""
    start = whole("start", start, 0, 2**63)
    stop = whole("stop", stop, start, 2**63)
    return StimulusSet(task, seed, np.arange(start, stop, dtype=np.uint64), appearance)


def line_task(
    name: str,
    seed: int,
    train: int = 330_000,
    validation: int = 10_000,
    test: int = 10_000,
    appearance: Appearance = CALIBRATED,
    threads: int = 1,
    target: Target = "label",
    store: Literal["memory", "nowhere"] | Path = "memory",
) -> Task:
    """Return a line-and-angle task with `train`, `validation` and `test` examples: inputs (N, 1024) uint8.

    target: what is asked about a stimulus, one of TARGETS; with "label" the task is a classification with labels (N,)
    int64, else a regression with labels (N, K) float32. A task asks only about stimuli that have an answer: "fractions"
    needs a crossing, "angle" two segments that meet. store: whether images are kept in "memory", drawn whenever they
    are read ("nowhere"), or memory-mapped from files in a folder. The default sizes are the paper's (section 4).

    Raises ValueError for an unknown name, target or store, a task without such a target, a bad seed, or a split without
    examples.
    """
    kinds = [figure.kind for figure in (rule_of(name).class_0, rule_of(name).class_1)]
    if target not in TARGETS:
        raise ValueError(f"target is {target!r}; expected one of {', '.join(TARGETS)}")
    asked = [label for label, kind in enumerate(kinds) if _answers(target, kind)]
    if not asked:
        raise ValueError(f"target is {target!r}; expected one that stimuli of {name!r} have: they do not cross")
    splits = {}
    for which, size in (("train", train), ("validation", validation), ("test", test)):
        stimuli = _first(name, seed, _REGIONS[which], whole(which, size, 1, 2**40), asked, appearance)
        splits[which] = _split(stimuli, target, store, threads)
    return Task(name, splits["train"].labels.shape[1] if target != "label" else 2, **splits)


def targets(truth: NDArray[np.void], target: Target) -> NDArray[np.float32]:
    """Return what a target is for some truth records (n,): (n, K) float32, NaN where a stimulus has no such thing."""
    if target == "angle":
        answers = np.where(np.isnan(truth["angle"]), truth["crossing_angle"], truth["angle"])[:, None] / 180
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


def _split(stimuli: StimulusSet, target: Target, store: Any, threads: int) -> Split:
    """Return a split whose inputs are kept as `store` says."""
    if store == "nowhere":
        if target == "label":
            return Split(_Pixels(stimuli), stimuli.labels().astype(np.int64))
        answers = [targets(part.truth, target) for part in stimuli.batches(_BLOCK)]
        return Split(_Pixels(stimuli), np.concatenate(answers))
    if store == "memory":
        drawn = stimuli.in_memory(threads)
    elif isinstance(store, Path):
        store.mkdir(parents=True, exist_ok=True)
        drawn = stimuli.in_file(store / stimuli.file_name(), threads)
    else:
        raise ValueError(f"store is {store!r}; expected 'memory', 'nowhere' or the Path of a folder")
    labels = drawn.labels.astype(np.int64) if target == "label" else targets(drawn.truth, target)
    return Split(_flat(drawn.images), labels)


def _flat(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images as rows of pixels: (n, 32, 32) → (n, 1024)."""
    return images.reshape(len(images), SIDE * SIDE)


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Hold the lock of a file; the system lets go of it when the process ends, however it ends."""
    with path.with_name(f".{path.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
