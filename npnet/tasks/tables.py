"""Tasks from files: tables of comma-separated values, and .npz archives of arrays, as MedMNIST has them.

task, columns = csv_task("flowers.csv", target="species")
task = npz_task("pathmnist.npz")
"""

import csv
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.foreign import kind_of_file
from npnet.tasks.arrays import ArrayTask, task_from_arrays

__all__ = ["Table", "csv_task", "npz_task", "read_csv"]


@dataclass(frozen=True)
class Table:
    """Columns of a file by name: floats where every entry is a number, else words. target: the name of the answers'."""

    columns: dict[str, np.ndarray]
    target: str

    def answers(self) -> np.ndarray:
        """Return the target column (N,): whole numbers where all are, else floats, else words."""
        y = self.columns[self.target]
        return y.astype(np.int64) if y.dtype.kind == "f" and (y == np.round(y)).all() and (abs(y) < 2**53).all() else y

    def words(self) -> dict[str, tuple[str, ...]]:
        """Return the words of each column of inputs that holds words, in sorted order."""
        return {
            name: tuple(np.unique(column).tolist())
            for name, column in self.columns.items()
            if name != self.target and column.dtype.kind == "U"
        }

    def inputs(self, words: dict[str, tuple[str, ...]] | None = None) -> np.ndarray:
        """Return the other columns as inputs (N, D), in order: a number as it is, a word as zeros and a one.

        words: those of each column of words, by default the table's own. Raises ValueError for a word not among them.
        """
        known, parts = self.words() if words is None else words, []
        for name, column in self.columns.items():
            if name == self.target:
                continue
            if name not in known:
                if column.dtype.kind != "f":
                    raise ValueError(f"column {name!r} holds words, as {column[0]!r}; expected numbers")
                parts.append(column[:, None])
                continue
            onehot = column.astype(str)[:, None] == np.array(known[name])  # (N, words)
            if not onehot.any(1).all():
                row = int(onehot.any(1).argmin())
                raise ValueError(f"column {name!r} has {column[row]!r} in row {row + 1}; expected one of {known[name]}")
            parts.append(onehot.astype(np.float64))
        return np.concatenate(parts, 1)


@checked
def read_csv(path: str | PathLike[str], target: str | int = -1) -> Table:
    """Return the table of a file of values apart by commas, semicolons or tabs, in UTF-8.

    target: the column of the answers by its name, or its number from 0, or from the end. A first line that holds a word
    where the second has a number, or words alone, gives the names; else the columns are called 0, 1, ...
    Raises ValueError, naming row and column, for rows of another length and for empty entries, for a column that is not
    there, and for a file that holds no table.
    """
    path = Path(path)
    with path.open("rb") as file:
        kind = kind_of_file(file)
    if not kind.startswith("text"):
        raise ValueError(f"{path} is {kind or 'an archive of npnet'}; expected text, values apart by commas")
    with path.open(newline="", encoding="utf-8-sig") as lines:
        first = lines.readline()
        lines.seek(0)
        rows = [row for row in csv.reader(lines, delimiter=max(",;\t", key=first.count)) if row]
    if not rows or len(rows[0]) < 2:
        raise ValueError(f"{path} has {len(rows)} rows of one column; expected inputs and a target, apart by commas")
    below = rows[1] if len(rows) > 1 else rows[0]
    named = not any(map(_is_number, rows[0])) or any(
        _is_number(cell) and not _is_number(name) for name, cell in zip(rows[0], below, strict=False)
    )
    names = [cell.strip() for cell in rows[0]] if named else [str(i) for i in range(len(rows[0]))]
    rows = rows[1:] if named else rows
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{path} has two columns named {twice!r}; expected another name for each")
    for i, row in enumerate(rows, 1):
        if len(row) != len(names):
            raise ValueError(f"{path} has {len(row)} values in row {i}; expected {len(names)}, one a column")
        if not all(cell.strip() for cell in row):
            column = next(name for name, cell in zip(names, row, strict=True) if not cell.strip())
            raise ValueError(f"{path} has no value in row {i}, column {column!r}; expected one, or the row left out")
    chosen = names[target] if isinstance(target, int) and -len(names) <= target < len(names) else target
    if chosen not in names:
        raise ValueError(f"target is {target!r}; expected a column of {path}: {', '.join(names[:20])}")
    columns = {name: _column([row[i].strip() for row in rows]) for i, name in enumerate(names)}
    return Table(columns, str(chosen))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _column(cells: list[str]) -> np.ndarray:
    try:
        return np.array(list(map(float, cells)))
    except ValueError:
        return np.array(cells)


@checked
def csv_task(path: str | PathLike[str], target: str | int = -1, **options: Any) -> tuple[ArrayTask, Table]:
    """Return the task of a table, and the table: see `read_csv` and, for the options, `task_from_arrays`.

    Whole numbers and words in the target column are classes, other numbers values to predict.
    """
    table = read_csv(path, target)
    return task_from_arrays(table.inputs(), table.answers(), **{"name": Path(path).stem, **options}), table


_PARTS = {"train": ("train", ""), "validation": ("val", "validation", "valid"), "test": ("test",)}
_INPUTS, _ANSWERS = ("images", "x", "X", "data", "inputs"), ("labels", "y", "Y", "targets", "target")


@checked
def npz_task(path: str | PathLike[str], **options: Any) -> ArrayTask:
    """Return the task of an .npz archive with arrays of inputs and answers.

    Read are `train_images`, `train_labels`, `val_images`, ... as in MedMNIST, `x_train`, `y_train`, `x_test`, ... as in
    Keras's files, and `X`, `y` or `images`, `labels` alone. Examples for what has no arrays of its own are chosen from
    those to train on. options: of `task_from_arrays`. Raises ValueError for an archive without such arrays; nothing is
    unpickled.
    """
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files if _is_wanted(name)}
        held = ", ".join(archive.files)
    found = {part: _pair(arrays, names) for part, names in _PARTS.items()}
    if found["train"] is None:
        raise ValueError(f"{path} has the arrays {held}; expected train_images and train_labels, or X and y")
    given = {part: pair for part, pair in found.items() if pair is not None and part != "train"}
    return task_from_arrays(*found["train"], **{"name": Path(path).stem, **given, **options})


def _is_wanted(name: str) -> bool:
    return any(each in name for each in (*_INPUTS, *_ANSWERS))


def _pair(arrays: dict[str, np.ndarray], parts: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the inputs and answers of a part of a set, by any of the names that programs give them."""
    for part in parts:
        found = [
            next(
                (
                    arrays[name]
                    for each in kinds
                    for name in (f"{part}_{each}", f"{each}_{part}", each * (not part))
                    if name in arrays
                ),
                None,
            )
            for kinds in (_INPUTS, _ANSWERS)
        ]
        if found[0] is not None and found[1] is not None:
            return found[0], found[1]
    return None
