"""What a population reads: what frozen layers of several runs have in common is computed and read once."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np

from npnet.arrays import Array, array_module
from npnet.data import Split, batch
from npnet.frozen import Kept, Read, is_kept, name_of_path
from npnet.layers import Path
from npnet.losses import Weighted

__all__ = ["SharedKept", "read_together"]


@dataclass
class SharedKept(Kept):
    """Kept activations for many networks: frozen paths that make the same of an input, to the bit, are kept once."""

    known: dict[Hashable, Path] = field(default_factory=dict)

    def next_epoch(self) -> None:
        """Drop what has not been read since this was called last."""
        super().next_epoch()
        self.known = {}

    def split(self, below: Path, split: Split, dtype: np.dtype) -> Split:
        """Return `Kept.split` of the first path that was kept with the same numbers."""
        if not below:
            return split
        key = name_of_path(below)
        if key not in self.known:
            paths = [path for path, *_ in self.splits.values()]
            self.known[key] = next((path for path in paths if _same(path, below)), below)
        return super().split(self.known[key], split, dtype)


def _same(one: Path, other: Path) -> bool:
    """Report whether two paths make the same of the same inputs, to the bit."""
    return len(one) == len(other) and all(
        f == g and p.keys() == q.keys() and all(p[key] is q[key] or _equal(p[key], q[key]) for key in p)
        for (f, p), (g, q) in zip(one, other, strict=True)
    )


def _equal(a: Array, b: Array) -> bool:
    return a.shape == b.shape and bool((a == b).all())


def read_together(splits: Sequence[Split], dtype: np.dtype) -> Read:
    """Return the function from rows (R, n) of R splits to inputs (R, n, D) and labels, (R, n) or (R, n, K).

    Neighbours with one split read it at once. But what is drawn or computed as it is read is made for each by itself:
    draws must not depend on the company, and products of more rows may round otherwise.
    """
    pieces: list[tuple[slice, Split]] = []
    for _, neighbours in groupby(range(len(splits)), key=lambda i: (id(splits[i]), 0 if _at_once(splits[i]) else i)):
        first, *others = neighbours
        pieces.append((slice(first, first + 1 + len(others)), splits[first]))

    def read(rows: Array) -> tuple[Array, Any]:
        parts = []
        for which, split in pieces:
            mine = rows[which]
            flat = mine.reshape(-1)  # (r · n,)
            read = (batch(split, flat, dtype), *_answers(split, flat))
            parts.append([each.reshape(*mine.shape, *each.shape[1:]) for each in read])
        xp = array_module(parts[0][0])
        X, labels, *weights = (of[0] if len(of) == 1 else xp.concatenate(of) for of in zip(*parts, strict=True))
        return X, Weighted(labels, *weights) if weights else labels

    return read


def _answers(split: Split, rows: Array) -> tuple[Array, ...]:
    """Return the labels of some rows, and their weights where there are any."""
    answers = split.answers(rows)
    return answers if isinstance(answers, Weighted) else (answers,)


def _at_once(split: Split) -> bool:
    return is_kept(split) and not split.varies
