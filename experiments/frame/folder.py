"""A study's folder: one configuration, one run at a time, and no file that a killed process could leave half written.

configuration.json   what the folder holds; another configuration is refused, never mixed in
plan.json            the names of its jobs
lock                 locked while a run works here; the system unlocks it when the process ends, however it ends
jobs/, log.txt      what the jobs leave (see workspace)

The next run removes what a killed process may have left besides these.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from experiments.frame.files import read_json, write_json
from experiments.frame.jobs import Job, Result

__all__ = [
    "Configuration",
    "FolderError",
    "check_configuration",
    "finished",
    "has_jobs",
    "in_use",
    "lock_folder",
    "read_about",
    "remove_leftovers",
    "result_of",
]

Configuration = Mapping[str, Any]
"""The configuration of a folder, or of one of its studies, as JSON holds it."""

_PATIENCE = 0.5  # seconds in which whoever only looks at the lock has let go of it


class FolderError(RuntimeError):
    """A folder is in use, or holds something else than it should; the message says what to do."""


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Make the folder and lock it. Raises FolderError where another run has locked it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("a")
    except OSError as error:
        raise FolderError(f"folder {folder} cannot be written to ({error}); give another one with --out") from error
    with lock:
        deadline = time.monotonic() + _PATIENCE
        while not _taken(lock):
            if time.monotonic() > deadline:
                raise FolderError(
                    f"folder {folder} is in use by another run; wait for that one, or give another folder with --out"
                )
            time.sleep(0.05)
        yield


def in_use(folder: Path) -> bool:
    """Return whether a run works in a folder now."""
    try:
        lock = (folder / "lock").open("a")
    except OSError:
        return False
    with lock:
        return not _taken(lock)


def _taken(lock: TextIO) -> bool:
    """Try to take a lock, and return whether it was free."""
    try:
        import fcntl
    except ImportError:  # Windows, where nothing keeps a second run out of the folder
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes have left. The run that has locked the folder calls it before any job runs.

    Leftovers are progress files of jobs that no longer run, checkpoints of finished jobs, and half-written files, which
    npnet names like results.csv.0123456789abcdef.part.
    """
    leftovers = [*folder.glob("jobs/*/progress.*")]
    leftovers += [result.with_name("checkpoint.npz") for result in folder.glob("jobs/*/result.json")]
    for place in (".", "*", "jobs/*"):
        leftovers += folder.glob(f"{place}/*.*.????????????????.part")
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)


def check_configuration(
    folder: Path,
    configuration: Configuration,
    check_studies: Callable[[Configuration], None] | None = None,
    grown: Callable[[Configuration, Configuration], Configuration] = lambda there, here: here,
) -> dict[str, Any]:
    """Write the configuration, or compare it with the one in the folder; return that of the whole folder.

    A folder may get more studies: of "studies", those that only the folder has stay, and new ones are added. A study
    that both have becomes `grown(there, here)`, from its configurations in the folder and in this run. Raises
    FolderError where anything else differs, and where check_studies raises ValueError for all of them together.
    """
    there = read_json(folder / "configuration.json") or configuration
    kept, new = there.get("studies", {}), configuration.get("studies", {})
    both = kept.keys() & new.keys()
    whole, before = dict(configuration), there
    if new:
        whole["studies"] = {**kept, **new, **{name: grown(kept[name], new[name]) for name in both}}
        before = {**there, "studies": {**new, **kept, **{name: grown(new[name], kept[name]) for name in both}}}
    differences = [
        f"{name} is {_get(before, name)!r} there and {_get(whole, name)!r} here"
        for name in dict.fromkeys([*_names(before), *_names(whole)])
        if _get(before, name) != _get(whole, name)
    ]
    if differences:
        raise FolderError(
            f"folder {folder} holds results of another configuration: {'; '.join(differences)}. Give another folder "
            "with --out, or the configuration it was begun with"
        )
    try:
        if check_studies and new:
            check_studies(whole["studies"])
    except ValueError as error:
        raise FolderError(f"folder {folder} cannot hold this study too: {error}. Give another --out") from error
    write_json(folder / "configuration.json", whole)
    return whole


def has_jobs(folder: Path) -> bool:
    """Return whether a run works or has worked in this folder; if not, it holds at most what a report has written."""
    return (folder / "configuration.json").exists() and (folder / "jobs").is_dir()


def read_about(folder: Path) -> dict[str, Any]:
    """Return the results.json that a report has written. Raises FolderError where there is none."""
    about = read_json(folder / "results.json")
    if about is None:
        raise FolderError(f"folder {folder} has no results.json; expected a folder given to --out before")
    return about


def result_of(folder: Path, job: str) -> Result | None:
    """Return the result of a job; None where it has not finished."""
    return read_json(folder / "jobs" / job / "result.json")


def finished(folder: Path, job: Job) -> bool:
    """Return whether a job has finished."""
    return (folder / "jobs" / job.name / "result.json").exists()


def _names(tree: Mapping[str, Any], path: str = "") -> list[str]:
    """Return the paths of all leaves of nested mappings, as in "protocol.batch_size"."""
    names: list[str] = []
    for key, branch in tree.items():
        names += _names(branch, f"{path}{key}.") if isinstance(branch, Mapping) else [path + key]
    return names


def _get(tree: Any, name: str) -> Any:
    for key in name.split("."):
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree
