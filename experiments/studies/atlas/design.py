"""The pairs of tasks of the atlas, their sizes and budgets, and its presets."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from experiments.frame.study import Preset
from experiments.frame.task_specs import TaskSpec, small
from experiments.frame.tasks import Sizes, load_task, per_class
from experiments.studies.atlas.methods import METHODS, Try, tries
from npnet import Task

__all__ = ["PAIRS", "PRESETS", "USUAL", "AtlasDesign", "Pair", "design_from", "grown"]


@dataclass(frozen=True)
class Pair:
    """An old task, a new one, and the settings of each method that are tried.

    images: of each class of the new task, for training; None for as many as come.
    """

    name: str
    title: str
    source: TaskSpec
    target: TaskSpec
    images: int | None = None
    tries: Mapping[str, tuple[Try, ...]] = field(default_factory=dict)

    def old(self, seed: int) -> Task:
        """Return the old task as the seed draws it."""
        return self.source.load(seed)

    def new(self, seed: int) -> Task:
        """Return the new task as the seed draws it."""
        if self.images is None:
            return self.target.load(seed)
        sizes = Sizes(train=4 * self.target.train, validation=self.target.validation, test=self.target.test)
        task = load_task(self.target.task, seed, sizes)
        return replace(task, train=per_class(task.train, self.images))

    def described(self) -> dict[str, Any]:
        """Return the pair as JSON holds it, without its name."""
        return {key: value for key, value in asdict(self).items() if key != "name"}


def _pair(title: str, source: TaskSpec, target: TaskSpec, images: int | None = None) -> dict[str, Any]:
    return {"title": title, "source": source, "target": target, "images": images}


_BATCH: dict[str, Any] = {"batch_size": 50, "rate": 0.1}  # the rate is that of the old task
_IMAGES: dict[str, Any] = {"train": 10_000, "updates": 6_000, "patience": 6_000, **_BATCH}
_STIMULI = TaskSpec("acl", train=60_000, updates=12_000, patience=12_000, **_BATCH)


def _images(task: str) -> TaskSpec:
    return TaskSpec(task, train=5_000, updates=3_000, patience=1_000, **_BATCH)


def _stimuli(task: str) -> TaskSpec:
    return TaskSpec(task, train=10_000, updates=5_000, patience=1_000, **_BATCH)


def _few(task: str, classes: int) -> TaskSpec:
    return TaskSpec(task, train=100 * classes, updates=1_000, patience=300, **_BATCH)


PAIRS: Mapping[str, Pair] = {
    name: Pair(name, **of)
    for name, of in {
        "digits": _pair("drawn digits 0–4 → 5–9", TaskSpec("digits04", **_IMAGES), _images("digits59")),
        "mnist": _pair("MNIST 0–4 → 5–9", TaskSpec("mnist04", **_IMAGES), _images("mnist59")),
        "mnist-few": _pair(
            "MNIST 0–4 → 5–9, 100 a class", TaskSpec("mnist04", **_IMAGES), _few("mnist59", 5), images=100
        ),
        "mnist-fashion": _pair("MNIST → Fashion", TaskSpec("mnist", **_IMAGES), _images("fashion")),
        "fashion-mnist": _pair("Fashion → MNIST", TaskSpec("fashion", **_IMAGES), _images("mnist")),
        "acl-ac": _pair("acl → ac", _STIMULI, _stimuli("ac")),
        "acl-atl": _pair("acl → atl", _STIMULI, _stimuli("atl")),
        "acl-atl-few": _pair("acl → atl, 100 a class", _STIMULI, _few("atl", 2), images=100),
    }.items()
}
"""The columns of the atlas, by the names that `--pairs` takes."""


@dataclass(frozen=True)
class AtlasDesign:
    """All that the numbers depend on."""

    pairs: tuple[Pair, ...]
    hidden: tuple[int, ...] = (100, 100)
    seeds: int = 5

    def configuration(self) -> dict[str, Any]:
        """Return it as JSON holds it; a folder may get more pairs, and more tries of a pair."""
        pairs = {pair.name: pair.described() for pair in self.pairs}
        return {"experiment": "atlas", "hidden": list(self.hidden), "seeds": self.seeds, "studies": pairs}


def _with(pair: Pair, count: int) -> Pair:
    return replace(pair, tries={method: tries(method, count) for method in METHODS})


def _tiny(pair: Pair) -> Pair:
    return replace(_with(pair, 4), source=small(pair.source), target=small(pair.target))


PRESETS: Mapping[Preset, AtlasDesign] = {
    "smoke": AtlasDesign((_tiny(PAIRS["digits"]),), hidden=(12, 10), seeds=2),
    "quick": AtlasDesign(tuple(_with(pair, 4) for pair in PAIRS.values())),
    "full": AtlasDesign(tuple(_with(pair, 6) for pair in PAIRS.values())),
}
"""full: six tries of each method. quick: four of these."""

USUAL: Mapping[Preset, tuple[str, ...]] = {"smoke": ("digits",), "quick": ("digits",), "full": tuple(PAIRS)}
"""The pairs that a preset has where none are asked for."""


def design_from(configuration: Mapping[str, Any]) -> AtlasDesign:
    """Return the design that a configuration.json or results.json describes."""
    pairs = []
    for name, of in configuration["studies"].items():
        specs = {which: TaskSpec(**of[which]) for which in ("source", "target")}
        tried = {method: tuple(map(tuple, each)) for method, each in of["tries"].items()}
        pairs.append(Pair(name, of["title"], **specs, images=of["images"], tries=tried))
    return AtlasDesign(tuple(pairs), tuple(configuration["hidden"]), configuration["seeds"])


def grown(there: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, Any]:
    """Return a pair's configuration with the tries of both folder and run, in the order in which methods have them."""

    def both(method: str) -> list[Try]:
        known = {tuple(each) for where in (there, here) for each in where["tries"].get(method, ())}
        return [each for each in tries(method, 6) if each in known]

    return {**here, "tries": {method: list(map(list, both(method))) for method in METHODS}}
