"""The design of the transferability study: groups of tasks, networks, how many layers are held, the jobs.

From a network that has learned a source task, a target task is learned with the first l hidden layers held and the
others tuned, for every l from 0 (the source is an initialisation) to all (it is a feature extractor). Every ordered
pair of tasks of a group is run, a task onto itself included; "untrained" is one source more, so that l = 0 from it is
training from scratch, and l > 0 shows what random features do.

Source: Fayek, Cavedon and Wu 2018, section 2 ("gradual transfer learning").
"""

from dataclasses import dataclass
from functools import partial
from itertools import product

from experiments.frame.jobs import Job
from experiments.frame.source_and_target import learn_source, learn_target
from experiments.frame.study import Preset
from experiments.frame.task_specs import TaskSpec, network_name
from experiments.frame.tasks import Sizes
from npnet import Freeze, Method
from npnet.tasks import TASKS

__all__ = [
    "PRESETS",
    "UNTRAINED",
    "Group",
    "TransferabilityDesign",
    "freezing",
    "freezing_label",
    "pair_setting",
    "transferability_jobs",
]

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
class TransferabilityDesign(Sizes):
    """All that the numbers depend on. The sizes are those of a target; updates: at the most."""

    groups: tuple[Group, ...]
    networks: tuple[tuple[int, ...], ...] = ((300, 300), (150, 150, 150, 150))
    seeds: int = 3
    source_updates: int = 30_000
    updates: int = 5_000

    def source(self, group: Group, task: str) -> TaskSpec:
        """Return how a source is learned."""
        return TaskSpec(
            task,
            train=group.source_train,
            validation=self.validation,
            test=self.test,
            updates=self.source_updates,
            patience=self.source_updates,
        )

    def target(self, task: str) -> TaskSpec:
        """Return how a target is learned."""
        return TaskSpec(
            task,
            train=self.train,
            validation=self.validation,
            test=self.test,
            updates=self.updates,
            patience=self.updates // 3,
        )


PRESETS: dict[Preset, TransferabilityDesign] = {
    "smoke": TransferabilityDesign(
        (Group("stimuli", ("ac", "cnc", "sbl"), 200),),
        ((24, 16), (12, 12)),
        seeds=2,
        train=100,
        validation=40,
        test=60,
        source_updates=20,
        updates=10,
    ),
    "quick": TransferabilityDesign(
        (
            Group("stimuli", tuple(TASKS), 60_000),
            Group("digits", ("mnist04", "mnist59"), 20_000),
            Group("images", ("mnist", "fashion"), 20_000),
        ),
        train=10_000,
    ),
}


def pair_setting(source: str, target: str, hidden: tuple[int, ...]) -> str:
    """Return what measurements of a pair are called."""
    return f"{source} -> {target} {network_name(hidden)}"


def freezing_label(layers: int) -> str:
    """Return what freezing so many layers is called."""
    return f"held {layers}"


def freezing(layers: int) -> Method:
    """Return the method: the first layers stay as they are, the others and a new head train."""
    return Method(freezing_label(layers), policy=Freeze(layers))


def transferability_jobs(design: TransferabilityDesign) -> list[Job]:
    """Return a source network for each task, network and seed, then every target from every source."""
    sources: list[Job] = []
    targets: list[Job] = []
    for group, hidden, seed in product(design.groups, design.networks, range(design.seeds)):
        for task in group.tasks:
            what = {"spec": design.source(group, task), "hidden": hidden, "seed": seed}
            sources.append(Job(f"source-{task}-{network_name(hidden)}-{seed}", learn_source, what))
        for target, source, layers in product(group.tasks, group.sources, range(len(hidden) + 1)):
            start = None if source == UNTRAINED else f"source-{source}-{network_name(hidden)}-{seed}"
            what = {
                "spec": design.target(target),
                "hidden": hidden,
                "seed": seed,
                "source": start,
                "method": partial(freezing, layers),
                "setting": pair_setting(source, target, hidden),
                "label": freezing_label(layers),
            }
            name = f"{source}-{target}-{network_name(hidden)}-{layers}-{seed}"
            targets.append(Job(name, learn_target, what, (start,) if start else ()))
    return [*sources, *targets]
