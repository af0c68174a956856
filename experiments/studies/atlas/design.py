"""The pairs of tasks of the atlas, their sizes and budgets, and its presets."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from experiments.frame.study import Preset
from experiments.frame.task_specs import TaskSpec, small
from experiments.frame.tasks import Sizes, load_task, per_class
from experiments.studies.atlas.methods import METHODS, tries
from npnet import Task

__all__ = ["PAIRS", "PRESETS", "USUAL", "AtlasDesign", "Pair", "design_from", "grown"]


@dataclass(frozen=True)
class Pair:
    """An old task, a new one, and the values of each method's knob that are tried.

    images: of each class of the new task, for training; None for as many as come.
    """

    name: str
    title: str
    source: TaskSpec
    target: TaskSpec
    images: int | None = None
    values: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

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


_IMAGES: dict[str, Any] = {"train": 10_000, "updates": 15_000, "patience": 15_000}
_STIMULI = TaskSpec("acl", train=60_000, updates=24_000, patience=24_000)


def _images(task: str) -> TaskSpec:
    return TaskSpec(task, train=5_000, updates=7_500, patience=2_500)


def _stimuli(task: str) -> TaskSpec:
    return TaskSpec(task, train=10_000, updates=10_000, patience=2_500)


def _few(task: str, classes: int) -> TaskSpec:
    return TaskSpec(task, train=100 * classes, updates=2_500, patience=750)


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
        """Return it as JSON holds it; a folder may get more pairs, and more values of a pair's knobs."""
        pairs = {pair.name: pair.described() for pair in self.pairs}
        return {"experiment": "atlas", "hidden": list(self.hidden), "seeds": self.seeds, "studies": pairs}


def _with(pair: Pair, count: int) -> Pair:
    return replace(pair, values={method: tries(method, count) for method in METHODS})


def _tiny(pair: Pair) -> Pair:
    return replace(_with(pair, 2), source=small(pair.source), target=small(pair.target))


PRESETS: Mapping[Preset, AtlasDesign] = {
    "smoke": AtlasDesign((_tiny(PAIRS["digits"]),), hidden=(12, 10), seeds=2),
    "quick": AtlasDesign(tuple(_with(pair, 3) for pair in PAIRS.values())),
    "full": AtlasDesign(tuple(_with(pair, 5) for pair in PAIRS.values())),
}
"""full: five values of each knob. quick: three of these, the two ends among them."""

USUAL: Mapping[Preset, tuple[str, ...]] = {"smoke": ("digits",), "quick": ("digits",), "full": tuple(PAIRS)}
"""The pairs that a preset has where none are asked for."""


def design_from(configuration: Mapping[str, Any]) -> AtlasDesign:
    """Return the design that a configuration.json or results.json describes."""
    pairs = []
    for name, of in configuration["studies"].items():
        specs = {which: TaskSpec(**of[which]) for which in ("source", "target")}
        values = {method: tuple(each) for method, each in of["values"].items()}
        pairs.append(Pair(name, of["title"], **specs, images=of["images"], values=values))
    return AtlasDesign(tuple(pairs), tuple(configuration["hidden"]), configuration["seeds"])


def grown(there: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, Any]:
    """Return a pair's configuration with the values of both folder and run, in the order in which methods have them."""

    def both(method: str) -> Sequence[float]:
        known = {*there["values"].get(method, ()), *here["values"].get(method, ())}
        return [value for value in METHODS[method].values if value in known]

    return {**here, "values": {method: both(method) for method in METHODS}}
