"""A job: the smallest piece of a study that runs by itself, once the jobs that it needs have finished.

A study is a list of jobs. A job's result is a pure function of its arguments and of the jobs it needs, so it
does not depend on the number of workers, on their order, or on stops and restarts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Job", "Result", "check_jobs"]

Result = dict[str, Any]
"""What a job's function returns: numbers, strings, lists and dicts, as JSON holds them."""


@dataclass(frozen=True)
class Job:
    """One node in the graph of a study's work.

    Attributes:
        name: the name of its folder.
        function: called as function(workspace, **arguments) in a worker, so both must pickle.
        arguments: what the function is called with.
        needs: the names of the jobs whose results it reads, which therefore run first.
    """

    name: str
    function: Callable[..., Result]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name or set(self.name) & set("/\\\0") or self.name.startswith("."):
            raise ValueError(f"name is {self.name!r}; expected the name of a folder, without slashes or leading dots")


def check_jobs(jobs: Sequence[Job]) -> None:
    """Raise ValueError where a name is taken twice, or a job needs one that does not come before it."""
    seen: set[str] = set()
    for job in jobs:
        if job.name in seen:
            raise ValueError(f"job {job.name!r} is there twice; expected every name once")
        for name in job.needs:
            if name not in seen:
                raise ValueError(f"job {job.name!r} needs {name!r}; expected the name of a job before it")
        seen.add(job.name)
