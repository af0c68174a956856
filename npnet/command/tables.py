"""What must be remembered of a table so that a network can read another one like it: written beside the network."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from npnet.tasks.arrays import ArrayTask, task_from_arrays
from npnet.tasks.scale import Scale
from npnet.tasks.tables import Table, read_csv

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """How a network reads a table.

    columns: the names of its inputs in order. words: those of each column of words. head, target, seed: as they were
    given. shift and factor: of each input (see npnet.tasks.scale).
    """

    head: str
    target: str
    seed: int
    columns: list[str]
    words: dict[str, list[str]]
    scale: str
    shift: list[float]
    factor: list[float]

    @classmethod
    def of(cls, task: ArrayTask, table: Table, seed: int) -> "Recipe":
        """Return that of a task made of a table."""
        D = task.train.inputs.shape[-1]
        shift, factor = (np.broadcast_to(each, D).tolist() for each in (task.scale.shift, task.scale.factor))
        columns = [name for name in table.columns if name != table.target]
        words = {name: list(each) for name, each in table.words().items()}
        return cls(task.name, table.target, seed, columns, words, task.scale.said, shift, factor)

    def task(self, path: str | Path, target: str | int, seed: int, name: str) -> tuple[ArrayTask, Table]:
        """Return the task of another table, read and scaled as this one. Raises ValueError for columns it lacks."""
        table = read_csv(path, target)
        if missing := [each for each in self.columns if each not in table.columns or each == table.target]:
            raise ValueError(f"{path} has no column {missing[0]!r} among its inputs; expected those of the old network")
        columns = {each: table.columns[each] for each in (*self.columns, table.target)}
        table = Table(columns, table.target)
        words = {each: tuple(of) for each, of in self.words.items()}
        scale = Scale(f"{self.scale} as in the old table", np.array(self.shift), np.array(self.factor))
        task = task_from_arrays(scale(table.inputs(words)), table.answers(), seed=seed, scale="none", name=name)
        return replace(task, scale=scale), table

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Recipe":
        """Read what `save` wrote. Raises ValueError for a file that is missing or another one."""
        try:
            held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return cls(**held)
        except (OSError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path} does not say how the old network reads a table ({error}); expected what `train` wrote"
            ) from error
