"""The design of the study of starting points: pairs of tasks, penalties with their grids, sizes, presets."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np

from experiments.frame.study import Preset
from experiments.frame.tasks import Sizes

__all__ = [
    "METHODS",
    "PRESETS",
    "PROXIMAL",
    "RANGES",
    "PenaltyMethod",
    "StartingPointDesign",
    "TaskPair",
    "methods_for",
    "options",
    "starting_point_configuration",
    "starting_point_design",
    "strengths",
]

RANGES = {
    "l2": (3e-4, 0.3),
    "l1": (3e-6, 3e-3),
    "gl": (3e-6, 3e-3),
    "l2_sp": (3e-3, 3.0),
    "l2_sp_fisher": (3e-4, 0.3),
    "l1_sp": (1e-5, 1e-2),
    "gl_sp": (1e-5, 1e-2),
    "gl_sp_fisher": (3e-6, 3e-3),
}
"""From which α to which each penalty's grid runs: three decades, up to where a pull to zero ruins both tasks, a pull to
the start keeps the source task as it was, or the steepest weight of the Fisher information is about to overshoot.
"""

PROXIMAL = ("l2_sp_fisher", "l1_sp", "gl_sp", "gl_sp_fisher")
"""The penalties that are also run with proximal steps: those with a kink at the start, which proximal steps reach, and
the one that is too steep for subgradients before it is strong where it is flat.
"""


@dataclass(frozen=True)
class TaskPair:
    """A source task, the target task that is learned from it, and how many examples the source is trained on."""

    source: str
    target: str
    train: int

    @property
    def name(self) -> str:
        """Both tasks, as jobs and files are named."""
        return f"{self.source}-{self.target}"


@dataclass(frozen=True)
class PenaltyMethod:
    """A penalty ("none" or a key of RANGES), and how the network moves under it.

    method: "fine", by the subgradient; "proximal"; "freeze-n", its first n hidden layers frozen; "surface", as "fine"
    over the finer grid of figure 1.
    """

    penalty: str
    method: str = "fine"

    @property
    def name(self) -> str:
        """The name in tables and figures."""
        return self.penalty + ("" if self.method == "fine" else f", {self.method}")

    @property
    def frozen(self) -> int:
        """How many hidden layers are frozen."""
        return int(self.method.removeprefix("freeze-")) if self.method.startswith("freeze-") else 0


METHODS = (
    PenaltyMethod("none"),
    *map(PenaltyMethod, RANGES),
    *(PenaltyMethod(penalty, "proximal") for penalty in PROXIMAL),
)
"""What is compared on every target, at every size."""


@dataclass(frozen=True)
class StartingPointDesign:
    """How the study is run. Errors are percent misclassified; sizes are images a class.

    source_validation, pool, validation, test: images to stop the source by, to draw a target's few from, to choose by,
    and to test either task with. strengths, betas: the grid of α (so many values, evenly in their logarithm) and β.
    freeze: the sizes at which layers are frozen. surface: the pair (by its place) and size of figure 1; its grid is
    surface_strengths by surface_betas. fisher: source images that the Fisher information is a mean over.
    """

    pairs: tuple[TaskPair, ...]
    hidden: tuple[int, ...] = (500, 500)
    sizes: tuple[int, ...] = (30, 60, 100)
    seeds: int = 5
    source_validation: int = 5_000
    source_epochs: int = 60
    source_patience: int = 20
    pool: int = 5_000
    validation: int = 500
    test: int = 2_000
    iterations: int = 300
    rates: tuple[float, ...] = (0.05, 0.1, 0.2)
    strengths: int = 6
    betas: tuple[float, ...] = (0.01, 0.1)
    freeze: tuple[int, ...] = (60,)
    surface: tuple[int, int] = (0, 60)
    surface_strengths: int = 6
    surface_betas: tuple[float, ...] = (0.001, 0.01, 0.1, 1.0)
    fisher: int = 5_000
    data_seed: int = 0

    def source_sizes(self, pair: TaskPair) -> Sizes:
        """Return the numbers of examples of a pair's source task."""
        return Sizes(train=pair.train, validation=self.source_validation, test=self.test)

    @property
    def target_sizes(self) -> Sizes:
        """Return the numbers of examples of a target task, of whose training images each seed draws a few."""
        return Sizes(train=self.pool, validation=self.validation, test=self.test)


_IMAGES = (TaskPair("mnist04", "mnist59", 20_000), TaskPair("fashion04", "fashion59", 25_000))

PRESETS: dict[Preset, StartingPointDesign] = {
    "smoke": StartingPointDesign(
        (TaskPair("acl", "atl", 400),),
        hidden=(24, 16),
        sizes=(6, 10),
        seeds=2,
        source_validation=100,
        source_epochs=3,
        pool=100,
        validation=60,
        test=60,
        iterations=6,
        rates=(0.05, 0.1),
        strengths=2,
        freeze=(6,),
        surface=(0, 6),
        surface_strengths=2,
        surface_betas=(0.01, 0.1),
        fisher=100,
    ),
    "quick": StartingPointDesign((*_IMAGES, TaskPair("acl", "atl", 80_000))),
    "paper": StartingPointDesign(
        (*_IMAGES, TaskPair("acl", "atl", 330_000)),
        source_epochs=1000,
        test=5_000,
        iterations=1_000,
        strengths=8,
        betas=(0.001, 0.01, 0.1),
        freeze=(30, 60, 100),
        surface_strengths=8,
        surface_betas=(0.0001, 0.001, 0.01, 0.1, 1.0),
    ),
}
"""quick: all pairs, sizes, penalties and seeds; 80,000 of the 330,000 stimuli for the source acl, and a coarser grid.
paper: every stimulus, the source until its patience ends, more steps and a finer grid: for a night.
smoke: stimuli alone, just enough to see that all parts work.
"""


def methods_for(protocol: StartingPointDesign, pair: TaskPair, size: int) -> Iterator[PenaltyMethod]:
    """Yield all that is run for a pair at a size."""
    yield from METHODS
    if size in protocol.freeze:
        for n in range(1, len(protocol.hidden)):
            yield from (PenaltyMethod(penalty, f"freeze-{n}") for penalty in ("l2", "l2_sp"))
        yield PenaltyMethod("none", f"freeze-{len(protocol.hidden)}")
    if (protocol.pairs.index(pair), size) == protocol.surface:
        yield PenaltyMethod("l2_sp", "surface")


def strengths(penalty: str, values: int) -> list[float]:
    """Return a penalty's grid of α, evenly spaced in its logarithm."""
    return [float(f"{alpha:.3g}") for alpha in np.geomspace(*RANGES[penalty], values)]


def options(protocol: StartingPointDesign, method: PenaltyMethod) -> list[tuple[float, float]]:
    """Return every (α, β) that is tried, the weaker first.

    Without a penalty there is nothing to try; where the whole trunk is frozen, β alone.
    """
    if method.penalty == "none":
        return [(0.0, beta) for beta in protocol.betas] if method.frozen else [(0.0, 0.0)]
    if method.method == "surface":
        return list(product(strengths(method.penalty, protocol.surface_strengths), protocol.surface_betas))
    return list(product(strengths(method.penalty, protocol.strengths), protocol.betas))


def starting_point_configuration(preset: Preset) -> dict[str, Any]:
    """Return what a results folder is computed from."""
    return {"experiment": "starting_point", "preset": preset, "protocol": asdict(PRESETS[preset]), "ranges": RANGES}


def starting_point_design(configuration: dict[str, Any]) -> StartingPointDesign:
    """Return the protocol that a configuration.json or results.json describes."""
    given: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in configuration["protocol"].items()
    }
    given["pairs"] = tuple(TaskPair(**pair) for pair in given["pairs"])
    return StartingPointDesign(**given)
