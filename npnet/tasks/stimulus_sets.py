"""Sets of stimuli that are drawn when they are read: any slice at any time, the same bits whatever is read first.

A `StimulusSet` holds addresses and nothing else. Drawing an image takes a microsecond or two and a training step on
twenty of them a thousand, so a task can be trained on without ever being stored. Where it should be stored after all:

    in_memory(threads)       all stimuli as arrays
    in_file(path, threads)   all stimuli memory-mapped from a file, which is drawn once, checked by its SHA-256 and put
                             in place whole; its name with .json added holds what it was drawn from
"""

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from npnet.arguments import checked
from npnet.tasks.family import SOURCES
from npnet.tasks.stimuli import Look, Stimuli, appearance_of, draw_at, family_of, labels_at, whole
from npnet.trees import write_atomically

__all__ = ["StimulusSet", "stimulus_set"]

_BLOCK = 10_000  # stimuli drawn into a file at a time: 13 MB


@checked
@dataclass(frozen=True, eq=False)
class StimulusSet:
    """The stimuli of a task and seed at some addresses `indices` (n,) uint64, with an appearance (None: the
    default of its family); drawn when read.

    `set[rows]` draws the stimuli of a slice or an index array of rows, `set[row]` one as Stimuli with n = 1. Raises
    what `draw` raises.
    """

    task: str
    seed: int
    indices: NDArray[np.uint64]
    appearance: Look | None = None

    def __post_init__(self) -> None:
        _ = self[:0]  # refuses now what could not be drawn later

    @property
    def side(self) -> int:
        """Of the images, px."""
        return family_of(self.task).side

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
        """Draw all stimuli: 1 kB each, or a little more."""
        return draw_at(self.task, self.seed, self.indices, self.appearance, threads)

    def in_file(self, path: str | Path, threads: int = 1) -> Stimuli:
        """Return all stimuli, memory-mapped and read-only, from a file that is drawn first where there is none.

        The file is a `.npy` of one record a stimulus, finished atomically: a process killed at any moment leaves no
        file of this name, or a whole one. Of several processes that want the file one draws it and the others wait;
        its pages are in memory once for all of them. Raises ValueError where it holds anything else or is damaged, and
        OSError where it cannot be written.
        """
        path = Path(path)
        about, sidecar = self._about(), path.with_name(path.name + ".json")
        with _turn(path) as alone:
            if not path.exists():
                part = path.with_name(f".{path.name}.part" if alone else f".{path.name}.{os.getpid()}.part")
                self._write(path, sidecar, part, threads)
            elif not sidecar.exists():
                raise ValueError(f"file {path} has no {sidecar.name} in its folder; give another path, or delete it")
        try:
            there = json.loads(sidecar.read_text())
            digest = there.pop("sha256")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"file {sidecar} is damaged ({error!r}); delete both, and {path} is drawn again"
            ) from error
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
        about = {"task": self.task, "seed": self.seed, "stimuli": len(self), "addresses": addresses, "code": SOURCES}
        family = family_of(self.task)
        rule, look = family.tasks[self.task], appearance_of(family, self.appearance)
        return json.loads(json.dumps({**about, "rule": asdict(rule), "appearance": asdict(look)}))

    def _write(self, path: Path, sidecar: Path, part: Path, threads: int) -> None:
        """Draw all stimuli into the file `part` next to `path`, say in the sidecar what it is, and move it there.

        Blocks are written as to any file: on a full disk that is an error, where a write to a map would be a crash.
        """
        digest = hashlib.sha256()
        try:
            with part.open("wb") as file:
                for content in self._content(threads):
                    digest.update(content)
                    file.write(content)
                file.flush()
                os.fsync(file.fileno())
            about = {**self._about(), "sha256": digest.hexdigest()}
            write_atomically(sidecar, (json.dumps(about, indent=1) + "\n").encode())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def _content(self, threads: int) -> Iterator[bytes]:
        """Yield the bytes of a `.npy` file of all stimuli: its header, then a block of records at a time."""
        header, family = BytesIO(), family_of(self.task)
        record = np.dtype([("image", "u1", (family.side, family.side)), ("label", "u1"), ("truth", family.truth)])
        description = {"descr": np.lib.format.dtype_to_descr(record), "fortran_order": False, "shape": (len(self),)}
        np.lib.format.write_array_header_2_0(header, description)
        yield header.getvalue()
        for start in range(0, len(self), _BLOCK):
            drawn = draw_at(self.task, self.seed, self.indices[start : start + _BLOCK], self.appearance, threads)
            records = np.empty(len(drawn.labels), record)
            for field, values in zip(("image", "label", "truth"), drawn, strict=True):
                records[field] = values
            yield records.tobytes()


@checked
def stimulus_set(task: str, seed: int, start: int, stop: int, appearance: Look | None = None) -> StimulusSet:
    """Return the set at the addresses (task, seed, i) for i = start … stop − 1; raises what `draw` raises."""
    start = whole("start", start, 0, 2**63)
    stop = whole("stop", stop, start, 2**63)
    return StimulusSet(task, seed, np.arange(start, stop, dtype=np.uint64), appearance)


@contextmanager
def _turn(path: Path) -> Iterator[bool]:
    """Hold the lock of a file; the system lets go of it when the process ends, however it ends.

    Yields False where the system has no locks, as on some network drives: others may then be drawing the same.
    """
    with path.with_name(f".{path.name}.lock").open("a") as lock:
        yield _lock(lock)


def _lock(file: IO[str]) -> bool:
    """Wait for the lock of an open file; False where there are no locks."""
    try:
        import fcntl
    except ImportError:  # Windows
        return _lock_on_windows(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        return False
    return True


def _lock_on_windows(file: IO[str]) -> bool:
    try:
        import msvcrt
    except ImportError:  # neither, as in a browser
        return False
    file.seek(0)
    while True:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined]
        except OSError as error:
            if error.errno != errno.EDEADLOCK:  # which says that ten seconds of waiting are over
                return False
        else:
            return True


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
