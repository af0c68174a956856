"""MNIST and its kin as tasks, and MNIST cut by digit into the two halves between which the paper transfers.

Images stay as stored, uint8 (N, 784), 0 background to 255 full ink; labels are int64 (N,).
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npnet.arguments import checked
from npnet.arrays import generator
from npnet.data import Split, Task
from npnet.tasks.arrays import ArrayTask, task_from_arrays
from npnet.tasks.download import fetch
from npnet.tasks.idx import read_idx

__all__ = ["ImageFiles", "fashion_task", "idx_task", "kmnist_task", "load", "mnist_halves", "mnist_task"]

_CLASSES = 10


class ImageFiles(NamedTuple):
    """A set as its four files hold it: images (N, 28, 28) uint8 and labels (N,) uint8, for training and for test."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]


@checked
def load(name: str, folder: Path | None = None) -> ImageFiles:
    """The set "mnist", "fashion-mnist" or "kmnist", from `folder` (default: data_folder()), downloaded where missing.

    Raises ValueError for an unknown name or a wrong file, ConnectionError or ImportError where files are missing and
    cannot be downloaded; the message says which file to put where.
    """
    return ImageFiles(*(read_idx(path) for path in fetch(name, folder).values()))


@checked
def mnist_task(validation: int = 5_000, folder: Path | None = None) -> Task:
    """All ten digits: the last `validation` of the 60,000 training images validate, the 10,000 test images test.

    Raises ValueError for a `validation` that leaves a split empty, and what `load` raises.
    """
    return _whole_set("mnist", validation, folder)


@checked
def fashion_task(validation: int = 5_000, folder: Path | None = None) -> Task:
    """All ten kinds of clothing, split as mnist_task splits the digits; raises the same errors."""
    return _whole_set("fashion-mnist", validation, folder)


@checked
def kmnist_task(validation: int = 5_000, folder: Path | None = None) -> Task:
    """Ten cursive Japanese characters, split as mnist_task splits the digits; raises the same errors."""
    return _whole_set("kmnist", validation, folder)


@checked
def idx_task(
    images: str | Path,
    labels: str | Path,
    test: tuple[str | Path, str | Path] | float = 0.15,
    transposed: bool = False,
    **options: Any,
) -> ArrayTask:
    """The task of IDX files of your own, or of another set in MNIST's format; its classes are the labels in the files.

    images, labels: the files to train on. test: likewise those to test on, or a fraction or count of these. transposed:
    images lie in the files as columns, as EMNIST's do. Of labels with several columns, as QMNIST's, the first one is
    the class; labels may begin at any number, as EMNIST's letters at 1. options: of task_from_arrays. Raises ValueError
    for files that do not fit each other, and what read_idx and task_from_arrays raise.
    """
    own = _pair(*test, transposed) if isinstance(test, tuple) else test
    usual = {"name": Path(images).name.split("-")[0], "test": own}
    return task_from_arrays(*_pair(images, labels, transposed), **(usual | options))


def _pair(images: str | Path, labels: str | Path, transposed: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    X, y = read_idx(images), read_idx(labels)
    if X.ndim != 3 or len(X) != len(y):
        raise ValueError(f"{images} has shape {X.shape}, {labels} {y.shape}; expected (N, rows, columns) and (N,)")
    return X.swapaxes(1, 2) if transposed else X, y if y.ndim == 1 else y[:, 0]


def mnist_halves(
    seed: int = 0,
    train: int = 20_000,
    validation: int = 5_000,
    test: int = 5_000,
    folder: Path | None = None,
) -> tuple[Task, Task]:
    """MNIST-04 (digits 0 to 4) and MNIST-59 (digits 5 to 9, labels digit − 5), five classes each.

    All 70,000 images are pooled and cut by digit into 35,735 and 34,265; the seed shuffles each half, whose first
    images are for training, the next for validation, the next for test; at the default sizes 5,735 and 4,265 are left
    unused. With other sizes the splits begin at other images: what one call trains on, another may test on. Raises
    ValueError for sizes that a half does not hold, a negative seed, and what `load` raises.
    Source: the Gradual Tuning paper, section 4, which gives the sizes; how it drew them it does not say.
    """
    files = load("mnist", folder)
    images = np.concatenate([files.train_images, files.test_images])  # (70000, 28, 28)
    digits = np.concatenate([files.train_labels, files.test_labels])  # (70000,)
    sizes = {"train": train, "validation": validation, "test": test}
    return _half("mnist04", images, digits, 0, seed, sizes), _half("mnist59", images, digits, 5, seed, sizes)


def _half(
    name: str, images: NDArray[np.uint8], digits: NDArray[np.uint8], first: int, seed: int, sizes: dict[str, int]
) -> Task:
    """The task of the five digits from `first` on, shuffled by the generator at the address (seed, name)."""
    rows = np.flatnonzero((digits >= first) & (digits < first + 5))
    if min(sizes.values()) < 1 or sum(sizes.values()) > len(rows):
        raise ValueError(f"sizes are {sizes}; expected at least 1 each, and {len(rows)} in all for {name}")
    generator(seed, name).shuffle(rows)
    splits, start = {}, 0
    for which, size in sizes.items():
        splits[which] = _split(images, digits.astype(np.int64) - first, rows[start : start + size])
        start += size
    return Task(name, 5, **splits)


def _whole_set(name: str, validation: int, folder: Path | None) -> Task:
    """A set with its own test images, and the last `validation` training images set apart."""
    files = load(name, folder)
    n = len(files.train_labels)
    if not 1 <= validation < n:
        raise ValueError(f"validation is {validation}; expected 1 to {n - 1}")
    cut = n - validation
    return Task(
        name,
        _CLASSES,
        _split(files.train_images, files.train_labels, slice(cut)),
        _split(files.train_images, files.train_labels, slice(cut, None)),
        _split(files.test_images, files.test_labels, slice(None)),
    )


def _split(images: NDArray[np.uint8], labels: NDArray[np.integer], rows: NDArray[np.integer] | slice) -> Split:
    """The chosen rows as a Split."""
    chosen = images[rows]
    return Split(chosen.reshape(len(chosen), -1), labels[rows].astype(np.int64))  # (N, 28, 28) → (N, 784)
