"""Old digits that the old head misreads after fine tuning, and still reads right after Gradual Tuning."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.frame.jobs import Job, Result
from experiments.frame.provenance import environment
from experiments.frame.workspace import Workspace
from experiments.studies.tables.design import TableDesign
from experiments.studies.tables.transfer import load_protocol_task
from npnet import Network, Split
from npnet.tasks import batch

__all__ = ["Misread", "find_misread", "misread_from", "misread_job"]

_SHOWN = 15  # digits kept with their images


@dataclass(frozen=True)
class Misread:
    """What became of the old test digits that the first network of a seed reads right.

    Attributes:
        right: how many these are.
        fine: how many of them fine tuning alone misreads; those that are shown come from here.
        gradual: how many of them Gradual Tuning alone misreads.
        both: how many both misread.
        images: some of those that fine tuning alone misreads, (n, 784).
        digits: what they are, (n,).
        readings: what the old head takes them for after fine tuning, (n,).
    """

    right: int
    fine: int
    gradual: int
    both: int
    images: NDArray[np.uint8]
    digits: Sequence[int]
    readings: Sequence[int]


def misread_job(design: TableDesign, regularizer: str, seed: int = 0) -> Job:
    """Return the job that finds the misread digits of one repetition."""
    needs = [design.first_job(regularizer, seed)]
    needs += [design.second_job(regularizer, method, seed) for method in ("fine", "gradual")]
    what = {"design": design, "seed": seed, "networks": tuple(needs)}
    return Job(f"misread-{regularizer}-{seed}", find_misread, what, tuple(needs))


def find_misread(workspace: Workspace, design: TableDesign, seed: int, networks: tuple[str, str, str]) -> Result:
    """Read the old test digits with the networks before, after fine tuning and after Gradual Tuning."""
    (old,) = design.table.first
    test = load_protocol_task(old, design.protocol.of(seed)).test
    before, fine, gradual = (
        _readings(Network.load(workspace.needed(name) / "network.npz"), old, test) for name in networks
    )
    knew = before == test.labels
    wrong_fine, wrong_gradual = knew & (fine != test.labels), knew & (gradual != test.labels)
    alone = np.flatnonzero(wrong_fine & ~wrong_gradual)
    chosen = _some_of_each(alone, test.labels[alone])
    return {
        "right": int(knew.sum()),
        "fine": len(alone),
        "gradual": int((wrong_gradual & ~wrong_fine).sum()),
        "both": int((wrong_fine & wrong_gradual).sum()),
        "images": b64encode(test.inputs[chosen].tobytes()).decode(),
        "digits": test.labels[chosen].tolist(),
        "readings": fine[chosen].tolist(),
        "seconds": 0.0,
        "environment": environment(),
    }


def misread_from(result: Result) -> Misread:
    """Return what the job found, or what a report has written of it."""
    counts = {name: result[name] for name in ("right", "fine", "gradual", "both", "digits", "readings")}
    pixels = np.frombuffer(b64decode(result["images"]), np.uint8)
    return Misread(images=pixels.reshape(len(result["digits"]), -1), **counts)


def _readings(network: Network, head: str, split: Split) -> NDArray[np.int64]:
    """Return the class that a head gives each example, (n,)."""
    parts = [slice(start, start + 1000) for start in range(0, len(split), 1000)]
    return np.concatenate([network.logits(batch(split, part), head).argmax(axis=1) for part in parts])


def _some_of_each(rows: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return at most _SHOWN rows, the first ones of each class in turn, ordered by class."""
    place = np.zeros(len(rows), np.int64)  # how many of its class come before each
    for label in np.unique(labels):
        place[labels == label] = np.arange((labels == label).sum())
    chosen = np.lexsort((labels, place))[:_SHOWN]
    return rows[chosen[np.argsort(labels[chosen], kind="stable")]]
