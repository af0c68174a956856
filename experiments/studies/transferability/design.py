"""The design of the transferability study: groups of tasks, networks, how many layers are held, the cells.

From a network that has learned a source task, a target task is learned with the first l hidden layers held and the
others tuned, for every l from 0 (the source is an initialisation) to all (it is a feature extractor). Every ordered
pair of tasks of a group is run, a task onto itself included; "untrained" is one source more, so that l = 0 from it is
training from scratch, and l > 0 shows what random features do.

Source: Fayek, Cavedon and Wu 2018, section 2 ("gradual transfer learning").
"""

from dataclasses import dataclass
from functools import partial
from itertools import product

from experiments.frame.jobs import Cell
from experiments.frame.long_form import Preset
from experiments.frame.task_specs import Course, learn_source, learn_target, named
from npnet import Freeze, Method
from npnet.tasks import TASKS

__all__ = ["PRESETS", "UNTRAINED", "Design", "Group", "cells_of", "held", "holding", "setting"]

UNTRAINED = "untrained"


@dataclass(frozen=True)
class Group:
    """Tasks that have inputs of one size, and with how many examples each is learned as a source."""

    name: str
    tasks: tuple[str, ...]
    source_train: int

    @property
    def sources(self) -> tuple[str, ...]:
        """What the targets are learned from: every task, and nothing."""
        return (*self.tasks, UNTRAINED)


@dataclass(frozen=True)
class Design:
    """All that the numbers depend on. train, validation, test: examples of a target; updates: at the most (courses)."""

    groups: tuple[Group, ...]
    networks: tuple[tuple[int, ...], ...] = ((300, 300), (150, 150, 150, 150))
    seeds: int = 3
    train: int = 10_000
    validation: int = 2_000
    test: int = 4_000
    source_updates: int = 30_000
    updates: int = 5_000

    def source(self, group: Group, task: str) -> Course:
        """Return how a source is learned."""
        return Course(task, group.source_train, self.validation, self.test, self.source_updates, self.source_updates)

    def target(self, task: str) -> Course:
        """Return how a target is learned."""
        return Course(task, self.train, self.validation, self.test, self.updates, self.updates // 3)


PRESETS: dict[Preset, Design] = {
    "smoke": Design(
        (Group("stimuli", ("ac", "cnc", "sbl"), 200),),
        ((24, 16), (12, 12)),
        seeds=2,
        train=100,
        validation=40,
        test=60,
        source_updates=20,
        updates=10,
    ),
    "quick": Design(
        (
            Group("stimuli", tuple(TASKS), 60_000),
            Group("digits", ("mnist04", "mnist59"), 20_000),
            Group("images", ("mnist", "fashion"), 20_000),
        )
    ),
}


def setting(source: str, target: str, hidden: tuple[int, ...]) -> str:
    """Return what measurements of a pair are called."""
    return f"{source} -> {target} {named(hidden)}"


def held(layers: int) -> str:
    """Return what holding so many layers is called."""
    return f"held {layers}"


def holding(layers: int) -> Method:
    """Return the method: the first layers stay as they are, the others and a new head train."""
    return Method(held(layers), policy=Freeze(layers))


def cells_of(design: Design) -> list[Cell]:
    """Return a source network for each task, network and seed, then every target from every source."""
    sources: list[Cell] = []
    targets: list[Cell] = []
    for group, hidden, seed in product(design.groups, design.networks, range(design.seeds)):
        for task in group.tasks:
            what = {"course": design.source(group, task), "hidden": hidden, "seed": seed}
            sources.append(Cell(f"source-{task}-{named(hidden)}-{seed}", learn_source, what))
        for target, source, layers in product(group.tasks, group.sources, range(len(hidden) + 1)):
            start = None if source == UNTRAINED else f"source-{source}-{named(hidden)}-{seed}"
            what = {
                "course": design.target(target),
                "hidden": hidden,
                "seed": seed,
                "source": start,
                "method": partial(holding, layers),
                "setting": setting(source, target, hidden),
                "label": held(layers),
            }
            name = f"{source}-{target}-{named(hidden)}-{layers}-{seed}"
            targets.append(Cell(name, learn_target, what, (start,) if start else ()))
    return [*sources, *targets]
