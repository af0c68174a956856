"""Splits of stimuli: where each split's addresses begin, and where its images are kept until a batch reads them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from npnet.data import Split
from npnet.tasks.stimuli import Stimuli
from npnet.tasks.stimulus_sets import StimulusSet

__all__ = ["REGIONS", "Store", "classes_of", "flat", "split_of"]

Store = Literal["memory", "nowhere"] | Path
"""Whether images are kept in "memory", drawn whenever they are read ("nowhere"), or memory-mapped from a folder."""

REGIONS = {"train": 0, "validation": 2**61, "test": 2**62}
"""Where each split's addresses begin: validation and test sets are the same whatever the amount of training data."""

_BLOCK = 10_000  # stimuli drawn at a time for their truth alone


def classes_of(drawn: Stimuli) -> NDArray[np.int64]:
    """Return the labels of a classification (n,)."""
    return drawn.labels.astype(np.int64)


def flat(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images as rows of pixels: (n, side, side) → (n, side²)."""
    return images.reshape(len(images), images.shape[1] * images.shape[2])


def split_of(
    stimuli: StimulusSet, store: Store, threads: int, answers: Callable[[Stimuli], NDArray[Any]] = classes_of
) -> Split:
    """Return a split whose images are kept as `store` says and whose labels are what `answers` finds in the stimuli.

    Raises ValueError for an unknown store.
    """
    if store == "nowhere":
        if answers is classes_of:  # which need no drawing
            return Split(_Pixels(stimuli), stimuli.labels().astype(np.int64))
        return Split(_Pixels(stimuli), np.concatenate([answers(part) for part in stimuli.batches(_BLOCK)]))
    if store == "memory":
        drawn = stimuli.in_memory(threads)
    elif isinstance(store, Path):
        store.mkdir(parents=True, exist_ok=True)
        drawn = stimuli.in_file(store / stimuli.file_name(), threads)
    else:
        raise ValueError(f"store is {store!r}; expected 'memory', 'nowhere' or the Path of a folder")
    return Split(flat(drawn.images), answers(drawn))


@dataclass(frozen=True, eq=False)
class _Pixels:
    """The images of a set as inputs (n, side²) of a Split: rows are drawn when a batch asks for them."""

    stimuli: StimulusSet
    dtype = np.dtype(np.uint8)
    ndim = 2

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.stimuli), self.stimuli.side**2

    def __len__(self) -> int:
        return len(self.stimuli)

    def __getitem__(self, rows: Any) -> NDArray[np.uint8]:
        return flat(self.stimuli[rows].images)
