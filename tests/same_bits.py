"""Train small configurations with two trees of npnet and say whether every number is the same to the last bit.

    python tests/same_bits.py OTHER_TREE                       everything, with OTHER_TREE and with this tree
    python tests/same_bits.py OTHER_TREE --only growing probe  the configurations with one of these words in their names

For a change that moves code and may not move a number. Each tree trains in a process of its own, with this same script,
the same interpreter and one thread. What it came to is written as plain data: weights, terms' own parameters, buffers
of the optimizers, best weights, the state of the generator, and the record of every epoch. Two numbers are the same if
they are equal, and NaN is NaN. One line for each configuration says so, or names the first thing that differs. The exit
status is 1 if anything differs. pytest does not collect this file, and CI does not run it.

The trees may call things by other names. All names are looked up in ELSEWHERE, and all that is made of several
arguments is made in one place, under "What the trees may spell differently": adapt it there.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from itertools import islice, product
from numbers import Real
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

Outcomes = Iterator[tuple[str, Any]]
"""What a configuration came to, by name: runs, networks, arrays, numbers, and dicts and lists of them."""

Results = dict[str, dict[str, np.ndarray | str]]
"""For each configuration: arrays and the text of numbers, by the path that leads to them."""

HERE = Path(__file__).resolve()
SIDE, CLASSES = 4, 3
WIDTHS = (SIDE * SIDE, 16, 12)

# What the trees may spell differently ---------------------------------------------------------------------------------

ELSEWHERE: dict[str, list[tuple[str, str]]] = {
    "Jittered": [("npnet.tasks", "Jittered")],
    "Neighbours": [("npnet.joint_tuning.selection", "Neighbours"), ("npnet.selection", "Neighbours")],
    "Replicate": [("npnet", "TrainingJob"), ("npnet.run", "Replicate")],
    "activations": [("npnet.joint_tuning.selection", "activations"), ("npnet.selection", "activations")],
    "backward_transfer": [("npnet.measures", "backward_transfer"), ("npnet.analysis", "backward_transfer")],
    "batch": [("npnet.tasks", "batch")],
    "describe": [("npnet.joint_tuning.selection", "describe"), ("npnet.selection", "describe")],
    "forgetting_since_best": [("npnet.measures", "forgetting_since_best"), ("npnet.analysis", "forgetting_since_best")],
    "forgetting_since_learned": [
        ("npnet.measures", "forgetting_since_learned"),
        ("npnet.analysis", "forgetting_since_learned"),
    ],
    "forward_transfer": [("npnet.measures", "forward_transfer"), ("npnet.analysis", "forward_transfer")],
    "gabor_bank": [("npnet.joint_tuning.selection", "gabor_bank"), ("npnet.selection", "gabor_bank")],
    "gabor_histograms": [("npnet.joint_tuning.selection", "gabor_histograms"), ("npnet.selection", "gabor_histograms")],
    "in_patches": [("npnet.tasks", "in_patches")],
    "line_task": [("npnet.tasks", "line_task")],
    "line_tasks": [("npnet.tasks", "line_tasks")],
    "r_squared": [("npnet.measures", "r_squared"), ("npnet.analysis", "r_squared")],
    "smoothed": [("npnet.penalties", "smoothed")],
    "softmax": [("npnet.losses", "softmax")],
    "transfer_score": [("npnet.measures", "transfer_score"), ("npnet.analysis", "transfer_score")],
}
"""Where to look for a name that npnet itself does not have: (module, name there), one after the other."""


def find(name: str) -> Any:
    """Return what a tree calls by this name. Raises AttributeError where no place that we know of has it."""
    for module, known_as in [("npnet", name), *ELSEWHERE.get(name, [])]:
        try:
            found = getattr(import_module(module), known_as, None)
        except ModuleNotFoundError:
            continue
        if found is not None and not isinstance(found, ModuleType):
            return found
    raise AttributeError(
        f"npnet has no {name}; expected it there or at one of {ELSEWHERE.get(name, 'no other places')}"
    )


def known(name: str) -> bool:
    """Return whether a tree has something of this name."""
    try:
        find(name)
    except AttributeError:
        return False
    return True


class Library:
    """The library of the tree that trains: `lib.SGD` is `find("SGD")`."""

    def __getattr__(self, name: str) -> Any:
        return find(name)


lib = Library()


def settings(**choices: Any) -> Any:
    """Return hyperparameters: four epochs at a high rate, lower for other optimizers than SGD, but for the choices."""
    usual = {"rate": lib.constant(0.05 if "optimizer" in choices else 0.3), "max_epochs": 4, "patience": None}
    of_terms = {name: choices[name] for name in ("terms", "weights", "schedule", "learned_share") if name in choices}
    if of_terms and known("Terms"):
        choices = {name: choice for name, choice in choices.items() if name not in of_terms}
        choices["objective"] = lib.Terms(**of_terms)
    return lib.Hyperparameters(**{**usual, **choices})


def network(seed: int = 0, heads: Sequence[str] = ("old",), widths: Sequence[int] = WIDTHS, **options: Any) -> Any:
    """Return an untrained network. Biases too are drawn, so that faults in what they do are seen."""
    options = {"initialise": lib.uniform_fan_in, **options}
    return lib.mlp(widths, dict.fromkeys(heads, CLASSES), lib.generator(seed, "network"), **options)


def begun(method: Any, old: Any, task: Any, chosen: Any, seed: int = 1, **options: Any) -> tuple[Any, Any]:
    """Return the run of a method from an old network, and its hyperparameters."""
    return lib.begin(method, old, task, lib.generator(seed, "begin"), chosen, **options)


def trained(run: Any, tasks: Mapping[str, Any], chosen: Any, evaluations: Any = None, epochs: int | None = None) -> Any:
    """Train a run to its end, or for some epochs, and return it."""
    for _ in islice(lib.train(run, tasks, chosen, evaluations), epochs):
        pass
    return run


def job(run: Any, tasks: Mapping[str, Any], chosen: Any, evaluations: Any = None) -> Any:
    """Return a run with all that takes it to its end: one of a population."""
    return lib.Replicate(run, tasks, chosen, evaluations or {})


def populated(jobs: Mapping[str, Any]) -> Outcomes:
    """Train a population and yield each run, and why it failed if it did."""
    for _ in lib.train_population(list(jobs.values())):
        pass
    for name, each in jobs.items():
        yield name, each.run
        yield f"{name}, failure", str(each.failure)


def parts_of_run(run: Any) -> dict[str, Any]:
    """Return all that a run is, by name."""
    best = run.best or {}
    return {
        "network": run.network,
        "learned": run.learned,
        "buffers": run.buffers,
        "best network": {part: best["network"][part] for part in ("trunk", "heads")} if best else None,
        "best learned": best.get("learned") or {},
        "best epoch": best.get("epoch"),
        "record": {f"of epoch {i}": parts_of_record(record) for i, record in enumerate(run.history, 1)},
        "finished": run.finished,
        "generator": json.dumps(run.rng.bit_generator.state),
    }


def parts_of_record(record: Any) -> dict[str, Any]:
    """Return what the record of an epoch says, by name."""
    names = ("epoch", "updates", "mask", "rate", "objective", "error", "validation", "evaluations")
    return {name: record[name] for name in names}


def parts_of_network(net: Any) -> dict[str, Any]:
    """Return all that a network is, by name."""
    return {
        "trunk": {f"layer {i}": p for i, p in enumerate(net.trunk, 1)},
        "heads": net.heads,
        "activation": getattr(net.activation, "name", net.activation),
        "dropout": list(net.dropout),
        "memories": net.memories,
        "columns": {
            f"column {i}": {**parts_of_network(column), "columns": {}}
            for i, column in enumerate(getattr(net, "columns", ()), 1)
        },
        "reads": repr(getattr(net, "reads", ())),
        "patches": net.patches if hasattr(net, "patches") else getattr(net.layers[0], "patches", 1),
    }


# Tasks, and the two ways in which most configurations train -----------------------------------------------------------


@cache
def clusters(name: str, sizes: tuple[int, ...] = (120, 60, 60)) -> Any:
    """Return a task of noisy clusters of pixels, which overlap."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    centres = rng.uniform(60, 195, (CLASSES, SIDE * SIDE))

    def split(n: int) -> Any:
        labels = rng.integers(0, CLASSES, n)
        pixels = centres[labels] + 90 * rng.standard_normal((n, SIDE * SIDE))
        return lib.Split(np.clip(pixels, 0, 255).astype(np.uint8), labels)

    return lib.Task(name, CLASSES, *map(split, sizes))


@cache
def values() -> Any:
    """Return a regression on the very inputs of the task "new": three numbers for each example."""
    directions = np.random.default_rng(3).standard_normal((SIDE * SIDE, CLASSES))

    def split(known: Any) -> Any:
        return lib.Split(known.inputs, np.sin(known.inputs / 255 @ directions).astype(np.float32))

    task = clusters("new")
    return lib.Task("values", CLASSES, split(task.train), split(task.validation), split(task.test))


def evaluations() -> dict[str, tuple[str, Any]]:
    return {"old, tested": ("old", clusters("old").test), "new, tested": ("new", clusters("new").test)}


def plain(
    start: Any = None, tasks: Mapping[str, Any] | None = None, evaluations: Any = None, seed: int = 1, **choices: Any
) -> Any:
    """Train a network on its task "old", or on others, without any method."""
    run = lib.Run(start or network(), lib.generator(seed, "run"))
    return trained(run, tasks or {"old": clusters("old")}, settings(**choices), evaluations)


def learn(method: Any, old: Any = None, task: Any = None, evaluations: Any = None, **choices: Any) -> Any:
    """Learn a new task by a method, from a network that has the head "old"."""
    task = task or clusters("new")
    run, chosen = begun(method, old or network(), task, settings(**choices))
    return trained(run, {task.name: task}, chosen, evaluations)


def teacher(widths: Sequence[int] = (16, 14, 10), head: str = "new", **options: Any) -> Any:
    return network(7, (head,), widths, **options)


@cache
def remembering() -> Any:
    """Return a network with the Fisher information of two old tasks."""
    net = network(heads=("old", "older"))
    for head in ("older", "old"):
        net = lib.remember(net, head, lib.fisher_information(net, head, clusters(head).train))
    return net


def one_memory() -> Any:
    net = network()
    return lib.remember(net, "old", lib.fisher_information(net, "old", clusters("old").train))


# Configurations -------------------------------------------------------------------------------------------------------

CONFIGURATIONS: dict[str, Callable[[], Outcomes]] = {}


def configuration(function: Callable[[], Outcomes]) -> Callable[[], Outcomes]:
    """Add a configuration under its function's name."""
    CONFIGURATIONS[function.__name__.replace("_", " ")] = function
    return function


@configuration
def fine_tuning() -> Outcomes:
    yield "float32", learn(lib.fine_tuning, evaluations=evaluations())
    yield "float64", learn(lib.fine_tuning, network(dtype=np.float64))
    yield "tanh", learn(lib.fine_tuning, network(activation="tanh"))
    yield "sigmoid", learn(lib.fine_tuning, network(activation="sigmoid"), rate=lib.constant(1.0))


@configuration
def gradual_tuning() -> Outcomes:
    yield "by the paper", learn(lib.gradual_tuning, evaluations=evaluations(), max_epochs=6)
    tolerant = lib.starting_point("l2", 0.01, policy=lib.GradualTuning(60.0))
    yield "with weight decay", learn(tolerant, max_epochs=6, optimizer=lib.Momentum())


@configuration
def probe() -> Outcomes:
    for layer in (1, 2, None):
        yield f"layer {layer}", learn(lib.probe(layer))
    yield "of a column", learn(lib.probe(1), learn(lib.progressive()).network, clusters("third"))


@configuration
def without_forgetting() -> Outcomes:
    two = network(heads=("old", "older"))
    yield "every old head", learn(lib.without_forgetting(), two, evaluations=evaluations())
    yield "one old head", learn(lib.without_forgetting(0.5, 3.0, ("older",)), two)
    yield "warm-up", learn(lib.without_forgetting(warm_up=2), optimizer=lib.Momentum())
    yield "dropout", learn(lib.without_forgetting(), network(dropout=(0.3, 0.5)))
    yield "gradual", learn(lib.without_forgetting(policy=lib.GradualByEpoch(1)), optimizer=lib.Adam())


@configuration
def distillation() -> Outcomes:
    yield "both labels", learn(lib.distillation(teacher()))
    yield "the teacher alone", learn(lib.distillation(teacher(head="other"), 1.0, 4.0, "other"))
    yield "Adam, dropout", learn(lib.distillation(teacher()), network(dropout=(0.0, 0.5)), optimizer=lib.Adam())
    yield "float64", learn(lib.distillation(teacher(dtype=np.float64)), network(dtype=np.float64))


@configuration
def activation_matching() -> Outcomes:
    alike, other = teacher(WIDTHS), teacher()
    yield "equal widths", learn(lib.activation_matching(alike))
    yield "with a regressor where needed", learn(lib.activation_matching(other, 0.5, [(1, 1), (2, 2)]))
    yield "with a regressor", learn(lib.activation_matching(alike, regressor=True), optimizer=lib.Momentum())
    yield "no labels", learn(lib.activation_matching(other, labels=0.0), learned_share=0.5)
    yield "dropout", learn(lib.activation_matching(alike), network(dropout=(0.3, 0.5)))


@configuration
def attention_of_units() -> Outcomes:
    alike = teacher(WIDTHS)
    yield "distance", learn(lib.attention_transfer(alike))
    yield "squared, both layers", learn(lib.attention_transfer(alike, squared=True, layers=[(1, 1), (2, 2)]))
    yield "cubes", learn(lib.attention_transfer(alike, p=3.0, beta=10.0))


@configuration
def attention_of_channels() -> Outcomes:
    widths, task = (16, 5, 12), lib.in_patches(clusters("new"), SIDE, 2)
    of = teacher(widths, patches=4)
    yield "distance", learn(lib.attention_transfer(of, "channels"), network(widths=widths, patches=4), task)
    more = lib.attention_transfer(of, "channels", squared=True) + lib.attention_transfer(of, "units")
    yield "and units", learn(more, network(widths=widths, patches=4), task)


@configuration
def attention_at_the_input() -> Outcomes:
    for activation in ("relu", "tanh"):
        old = network(activation=activation)
        yield activation, learn(lib.attention_transfer(teacher(), "input"), old)
        yield f"{activation}, squares", learn(lib.attention_transfer(teacher(), "input", p=2.0, squared=True), old)


def jacobians(activation: str) -> Outcomes:
    for of in ("largest", "label", "all"):
        matching = lib.jacobian_matching(teacher(activation="tanh"), of)
        yield of, learn(matching, network(activation=activation))
        yield f"{of}, dropout", learn(matching, network(activation=activation, dropout=(0.3, 0.5)))


@configuration
def jacobian_matching_with_relu() -> Outcomes:
    yield from jacobians("relu")
    frozen = lib.jacobian_matching(teacher(), policy=lib.Freeze(1))
    yield "a frozen layer", learn(frozen)
    yield "another branch", learn(lib.jacobian_matching(teacher(), branch="old", labels=0.5))


@configuration
def jacobian_matching_with_tanh() -> Outcomes:
    yield from jacobians("tanh")
    old = network(activation="tanh", dtype=np.float64)
    yield "float64", learn(lib.jacobian_matching(teacher(dtype=np.float64), "all"), old)


@configuration
def jacobian_matching_with_sigmoid() -> Outcomes:
    yield from jacobians("sigmoid")


@configuration
def progressive() -> Outcomes:
    for lateral in ("linear", "adapter"):
        second = learn(lib.progressive(lateral), evaluations=evaluations())
        yield lateral, second
        yield f"{lateral}, a third column", learn(lib.progressive(lateral), second.network, clusters("third"))
    yield "other widths, dropout", learn(lib.progressive("linear", (9, 8, 7)), network(dropout=(0.3, 0.5)))
    yield "layer by layer", learn(lib.progressive(policy=lib.GradualByEpoch(1)), optimizer=lib.Adam())


@configuration
def modular() -> Outcomes:
    yield "side by side", learn(lib.modular())
    yield "stitched", learn(lib.modular(None))
    yield "stitched, other widths", learn(lib.modular((1,), (9, 7)), optimizer=lib.Momentum())


@configuration
def growing_wider() -> Outcomes:
    yield "everything trains", learn(lib.growing(wider=3))
    yield "the new part trains", learn(lib.growing(wider=3, trained=0), evaluations=evaluations())
    yield "not normalised", learn(lib.growing(wider=3, normalised=False, trained=1))
    yield "copies with noise", learn(lib.growing(wider=4, noise=0.1))
    yield "dropout", learn(lib.growing(wider=3), network(dropout=(0.3, 0.5)))


@configuration
def growing_deeper() -> Outcomes:
    yield "everything trains", learn(lib.growing(deeper=8), optimizer=lib.Momentum())
    yield "the new part trains", learn(lib.growing(deeper=8, trained=0))
    yield "not normalised", learn(lib.growing(deeper=8, normalised=False, trained=1))


@configuration
def growing_wider_and_deeper() -> Outcomes:
    yield "everything trains", learn(lib.growing(wider=3, deeper=8))
    yield "one old layer trains", learn(lib.growing(wider=3, deeper=8, trained=1, noise=0.2))
    both = learn(lib.growing(wider=3, deeper=8, trained=0))
    yield "the new part trains", both
    merged = lib.merged(both.network)
    yield "merged", merged
    yield "merged, trained on", plain(merged, {"new": clusters("new")})


def recipes(names: Sequence[str], old: Any = None, **choices: Any) -> Outcomes:
    for name in names:
        yield name, learn(lib.starting_point(name, 0.05, 0.01), old, **choices)


@configuration
def starting_point_around_zero() -> Outcomes:
    yield from recipes(("l2", "l1", "gl"))


@configuration
def starting_point_around_the_start() -> Outcomes:
    yield from recipes(("l2_sp", "l1_sp", "gl_sp"))


@configuration
def starting_point_by_fisher() -> Outcomes:
    names = ("l2_fisher", "l1_fisher", "gl_fisher", "l2_sp_fisher", "l1_sp_fisher", "gl_sp_fisher")
    yield from recipes(names, remembering())


@configuration
def starting_point_by_proximal_steps() -> Outcomes:
    names = [f"{form}{centre}{scale}" for scale in ("", "_fisher") for centre in ("", "_sp") for form in ("l1", "gl")]
    yield from recipes(names, one_memory(), optimizer=lib.ProximalSGD())
    yield from recipes(("l2", "l2_sp", "l2_fisher", "l2_sp_fisher"), remembering(), optimizer=lib.ProximalSGD())


@configuration
def starting_point_conventions_and_smoothing() -> Outcomes:
    for convention in ("ewc", "tllib", "avalanche"):
        for name in ("l2_sp", "l1_sp_fisher"):
            method = lib.starting_point(name, 0.05, 0.01, convention=convention)
            yield f"{convention}, {name}", learn(method, remembering())
    for name in ("l1_sp", "gl_sp_fisher"):
        yield f"{name}, smoothed", learn(lib.starting_point(name, 0.05, smoothing=1e-2), remembering())


@configuration
def sums_of_methods() -> Outcomes:
    three = lib.gradual_tuning + lib.starting_point("l2_sp", 0.3, 0.1) + lib.without_forgetting(2.0)
    yield "gradual, starting point, old heads", learn(three, max_epochs=6)
    yield "distilled into a column", learn(lib.progressive() + lib.distillation(teacher()))
    matching = lib.activation_matching(teacher(), layers=[(1, 1)]) + lib.jacobian_matching(teacher(), "all")
    yield "activations and Jacobians", learn(matching, network(activation="tanh"), optimizer=lib.Adam())
    yield (
        "proximal, old heads",
        learn(lib.starting_point("gl_sp", 0.05, 0.01) + lib.without_forgetting(), optimizer=lib.ProximalSGD()),
    )


@configuration
def joint_tasks() -> Outcomes:
    source, task = clusters("old"), clusters("new")
    for name, rows in {"whole": None, "some rows": np.arange(0, 120, 3)}.items():
        run, chosen = begun(lib.fine_tuning, network(), task, settings())
        yield name, trained(run, lib.joint_tasks(source, task, rows), chosen, evaluations())


@configuration
def selective_joint_tuning() -> Outcomes:
    source, task = clusters("old"), clusters("new")
    descriptors = {
        "activations": lib.activations(network(), (1, 2)),
        "Gabor histograms": lib.gabor_histograms(source.train, SIDE, 5, lib.gabor_bank(3)),
    }
    for name, descriptor in descriptors.items():
        of = [lib.describe(descriptor, split) for split in (task.train, source.train)]
        neighbours = lib.neighbours_of(*of, k=1, most=6)
        run, chosen = begun(lib.fine_tuning, network(), task, settings(watch=("new",), max_epochs=6))
        rounds = lib.selective_joint_tuning(run, source, task, neighbours, chosen, every=2, step=2)
        *_, (_, grown) = rounds
        yield name, [run, *of, neighbours.ranking, grown.counts]


@configuration
def optimizers() -> Outcomes:
    each = {
        "SGD": lib.SGD(),
        "proximal SGD": lib.ProximalSGD(),
        "momentum": lib.Momentum(0.8),
        "Adam": lib.Adam(0.8, 0.99, 1e-6),
    }
    for name, optimizer in each.items():
        rate = lib.constant(0.01 if name == "Adam" else 0.1)
        yield name, plain(optimizer=optimizer, rate=rate)
        yield f"{name}, float64", plain(network(dtype=np.float64), optimizer=optimizer, rate=rate)
        layers = lib.Discriminative(0.5, lib.GradualByEpoch(1))
        yield f"{name}, layer by layer", plain(optimizer=optimizer, rate=rate, policy=layers)


def penalties(**choices: Any) -> Outcomes:
    for name in ("l2", "l1", "group_lasso"):
        for where in ("all", "trunk", "head"):
            for biases in (False, True):
                regularizer = lib.Regularizer(getattr(lib, name), 0.02, where, biases)
                said = f"{name} on {where}{', biases too' * biases}"
                yield said, plain(regularizers=(regularizer,), max_epochs=3, **choices)


@configuration
def penalties_by_their_gradient() -> Outcomes:
    yield from penalties()
    smooth = (lib.Regularizer(lib.smoothed(lib.l1, 0.01), 0.02), lib.Regularizer(lib.l2, 0.1, "head"))
    yield "a sum, smoothed", plain(network(dtype=np.float64), regularizers=smooth)


@configuration
def penalties_by_proximal_steps() -> Outcomes:
    yield from penalties(optimizer=lib.ProximalSGD())
    for name in ("l1", "group_lasso"):
        both = (lib.Regularizer(getattr(lib, name), 0.02), lib.Regularizer(lib.l2, 0.1, biases=True))
        yield f"{name} and l2", plain(regularizers=both, optimizer=lib.ProximalSGD())


@configuration
def schedules() -> Outcomes:
    yield "constant", plain(rate=lib.constant(0.05))
    yield "step", plain(rate=lib.step(0.2, 2, 0.3), max_epochs=5)
    yield "cosine", plain(rate=lib.cosine(0.2, 4), max_epochs=6, optimizer=lib.Momentum())


@configuration
def policies() -> Outcomes:
    each = {
        "fine tuning": lib.FineTuning(),
        "gradual": lib.GradualTuning(2.0),
        "gradual by improvement": lib.GradualTuning(5.0, "improvement"),
        "gradual by epoch": lib.GradualByEpoch(2),
        "freeze": lib.Freeze(1),
        "top layers": lib.TopLayers(1),
        "head only": lib.HeadOnly(),
        "discriminative": lib.Discriminative(),
        "discriminative, gradual": lib.Discriminative(0.5, lib.GradualTuning(60.0)),
        "equal budget": lib.EqualBudget(3, lib.GradualByEpoch(1)),
        "warm-up": lib.WarmUp(2, lib.Freeze(1)),
    }
    for name, policy in each.items():
        yield name, plain(policy=policy, max_epochs=6)
        yield (
            f"{name}, momentum and decay",
            plain(policy=policy, max_epochs=6, optimizer=lib.Momentum(), regularizers=(lib.Regularizer(lib.l2, 0.01),)),
        )


@configuration
def dropout() -> Outcomes:
    for rates in ((0.3, 0.5), (0.0, 0.5), (0.4, 0.0)):
        yield f"{rates}", plain(network(dropout=rates))
        yield f"{rates}, gradual", plain(network(dropout=rates), policy=lib.GradualByEpoch(1), optimizer=lib.Momentum())
    yield "float64", plain(network(dropout=(0.2, 0.5), dtype=np.float64))


@configuration
def max_norm() -> Outcomes:
    yield "alone", plain(max_norm=0.7)
    yield "with dropout", plain(network(dropout=(0.2, 0.5)), max_norm=0.7, optimizer=lib.Momentum())
    yield (
        "proximal",
        plain(
            max_norm=0.7,
            optimizer=lib.ProximalSGD(),
            regularizers=(lib.Regularizer(lib.l1, 0.01),),
            policy=lib.TopLayers(1),
        ),
    )


@configuration
def shared_first_layer() -> Outcomes:
    widths = (16, 5, 12)
    task, new = (lib.in_patches(clusters(name), SIDE, 2) for name in ("old", "new"))
    yield "plain", plain(network(widths=widths, patches=4), {"old": task})
    yield (
        "dropout, Adam",
        plain(
            network(widths=widths, patches=4, dropout=(0.3, 0.5)),
            {"old": task},
            optimizer=lib.Adam(),
            rate=lib.constant(0.01),
        ),
    )
    of = network(4, ("new",), widths, patches=4)
    yield (
        "distilled, Jacobians",
        learn(lib.distillation(of) + lib.jacobian_matching(of), network(widths=widths, patches=4), new),
    )


@configuration
def regression() -> Outcomes:
    tasks = {"values": values()}
    for dtype in (np.float32, np.float64):
        start = network(heads=("values",), dtype=dtype)
        yield np.dtype(dtype).name, plain(start, tasks, loss=lib.squared_error)
    method = lib.gradual_tuning + lib.starting_point("l2_sp", 0.01)
    yield "gradual", learn(method, task=values(), loss=lib.squared_error, max_epochs=6)
    of = teacher(head="values")
    yield "activations matched", learn(lib.activation_matching(of), task=values(), loss=lib.squared_error)


def two_heads(**options: Any) -> Any:
    return network(heads=("new", "values"), **options)


def two_tasks() -> dict[str, Any]:
    return {"new": clusters("new"), "values": values()}


def two_losses() -> dict[str, Any]:
    return {"new": lib.cross_entropy, "values": lib.squared_error}


@configuration
def several_tasks_in_turn() -> Outcomes:
    yield "two losses", plain(two_heads(), two_tasks(), loss=two_losses())
    yield "weights", plain(two_heads(), two_tasks(), loss=two_losses(), weights={"values": 0.3})
    yield "uncertainty", plain(two_heads(), two_tasks(), loss=two_losses(), weights="uncertainty")
    three = {"small": clusters("small", (50, 40, 40)), "old": clusters("old"), "new": clusters("new")}
    start = partial(network, heads=tuple(three))
    yield "a smaller one", plain(start(), three, optimizer=lib.Momentum())
    yield "one weighs nothing", plain(start(), three, weights={"old": 0.0})
    yield "layer by layer, dropout", plain(start(dropout=(0.3, 0.5)), three, policy=lib.GradualByEpoch(1))


@configuration
def several_tasks_summed() -> Outcomes:
    each: dict[str, dict[str, Any]] = {
        "equal weights": {},
        "weights": {"weights": {"new": 2.0, "values": 0.3}},
        "uncertainty": {"weights": "uncertainty", "learned_share": 0.3},
        "Adam, gradual": {"optimizer": lib.Adam(), "policy": lib.GradualByEpoch(1)},
        "decay": {
            "regularizers": (lib.Regularizer(lib.l2, 0.02, "head", True), lib.Regularizer(lib.l1, 0.01, "trunk"))
        },
    }
    for name, choices in each.items():
        yield name, plain(two_heads(), two_tasks(), loss=two_losses(), schedule="sum", **choices)
    yield "dropout", plain(two_heads(dropout=(0.3, 0.5)), two_tasks(), loss=two_losses(), schedule="sum")


@configuration
def stopping_with_several_tasks() -> Outcomes:
    for together, watch, rate in product(("all", "mean"), ((), ("new",)), (0.1, 0.3)):
        rules = {"together": together, "watch": watch, "patience": 2, "max_epochs": 12, "rate": lib.constant(rate)}
        yield f"{together}, watching {watch}, {rate}", plain(two_heads(), two_tasks(), loss=two_losses(), **rules)


@configuration
def terms() -> Outcomes:
    """Matches of a layer, of a layer through a regressor, and of a head, given by hand."""
    X, of = lib.batch(clusters("old").train, slice(None)), teacher()
    hidden = of.hidden_outputs(X)
    given = (
        lib.Match("first", "old", 1, lib.squared_error, hidden[0], 0.3, 14),
        lib.Match("second", "old", 2, lib.squared_error, teacher(WIDTHS).hidden_outputs(X)[1], 0.2),
        lib.Match("said", "old", "old", lib.soft_cross_entropy, lib.softmax(of.logits(X, "new")), 0.5),
    )
    yield "all", plain(terms=given)
    yield "momentum, no labels", plain(terms=given, optimizer=lib.Momentum(), weights={"old": 0.0}, learned_share=2.0)
    yield "layer by layer", plain(network(dropout=(0.3, 0.5)), terms=given, policy=lib.GradualByEpoch(1))


@configuration
def losses_of_ones_own() -> Outcomes:
    def halved(Z: Any, labels: Any) -> tuple[Any, Any]:
        value, dZ = lib.cross_entropy(Z, labels)
        return value / 2, dZ / 2

    yield "halved", plain(loss=halved)
    yield "class weights", plain(loss=partial(lib.cross_entropy, class_weights=np.array([1.0, 2.0, 0.5])))


@configuration
def keep() -> Outcomes:
    for which in ("best", "last"):
        yield which, plain(keep=which, rate=lib.constant(0.3), max_epochs=8, optimizer=lib.Momentum())
        yield (
            f"{which}, a term's parameters",
            learn(lib.activation_matching(teacher()), keep=which, rate=lib.constant(0.3), max_epochs=6),
        )


@configuration
def patience() -> Outcomes:
    """At a rate of nothing the first epoch is the only minimum; layers join after so many epochs."""
    for every, epochs in ((9, 2), (3, 5)):
        for restarts in (True, False):
            rules = {"patience": epochs, "patience_restarts": restarts}
            name, policy = f"every {every}, patience {epochs}, restarts {restarts}", lib.GradualByEpoch(every)
            yield name, plain(policy=policy, rate=lib.constant(1e-9), max_epochs=25, **rules)
    yield "fine tuning", plain(patience=1, max_epochs=20, rate=lib.constant(0.5))


@configuration
def batch_sizes() -> Outcomes:
    for size in (1, 7, 120, 500):
        yield f"{size}", plain(batch_size=size, max_epochs=2)


@configuration
def jittered_inputs() -> Outcomes:
    def jittered(name: str) -> Any:
        task = clusters(name)
        return replace(task, train=lib.Split(lib.Jittered(task.train.inputs, 1, seed=5), task.train.labels))

    yield "plain", plain(tasks={"old": jittered("old")})
    yield "a frozen layer", plain(tasks={"old": jittered("old")}, policy=lib.Freeze(1))
    yield "distilled", learn(lib.distillation(teacher()), task=jittered("new"))


@configuration
def stimuli() -> Outcomes:
    start = partial(lib.mlp, (1024, 12, 10), {"acl": 2}, initialise=lib.he)
    for store in ("memory", "nowhere"):
        task = lib.line_task("acl", 0, 100, 60, 60, store=store)
        yield store, plain(start(lib.generator(0)), {"acl": task}, max_epochs=2, rate=lib.constant(0.02))
        yield f"{store}, inputs", task.train.inputs[:20]
    three = lib.line_tasks("acl", 1, train=100, validation=60, test=60)
    net = lib.mlp((1024, 12), {name: task.outputs for name, task in three.items()}, lib.generator(0))
    loss = {name: lib.cross_entropy if name == "label" else lib.squared_error for name in three}
    yield "three about the same", plain(net, three, loss=loss, schedule="sum", max_epochs=2, rate=lib.constant(0.02))


@configuration
def memory_budget_of_nothing() -> Outcomes:
    for budget in (2**30, 0):
        for name, policy in {"head": lib.HeadOnly(), "top": lib.TopLayers(1), "later": lib.GradualByEpoch(2)}.items():
            start, tested = network(dropout=(0.0, 0.5)), {"tested": ("old", clusters("old").test)}
            yield f"{name}, {budget}", plain(start, None, tested, policy=policy, memory_budget=budget)
        yield f"columns, {budget}", learn(lib.progressive(), memory_budget=budget)


@configuration
def population_of_methods() -> Outcomes:
    methods = {
        "fine": lib.fine_tuning,
        "gradual": lib.gradual_tuning,
        "l2_sp": lib.starting_point("l2_sp", 0.05, 0.01),
        "l1_sp": lib.starting_point("l1_sp", 0.05, 0.01),
        "fisher": lib.starting_point("l2_sp_fisher", 0.05, 0.01),
        "head": lib.starting_point("l2", 0.05, policy=lib.HeadOnly()),
        "probe": lib.probe(1),
        "fine again": lib.fine_tuning,
    }
    yield from populated({name: member(method, seed) for seed, (name, method) in enumerate(methods.items())})


def member(method: Any, seed: int = 0, old: Any = None, **choices: Any) -> Any:
    """Return one of a population, which learns the task "new" by a method."""
    run, chosen = begun(method, old or one_memory(), clusters("new"), settings(**choices), seed)
    return job(run, {"new": clusters("new")}, chosen, {"tested": ("new", clusters("new").test)})


@configuration
def population_of_rates_and_regularizers() -> Outcomes:
    jobs = {}
    penalties = {"l1": (lib.l1,), "l2": (lib.l2,), "both": (lib.group_lasso, lib.l2), "none": ()}
    for seed, (name, some) in enumerate(penalties.items()):
        for rate in (0.02, 0.2):
            choices = {
                "rate": lib.step(rate, 2),
                "regularizers": tuple(lib.Regularizer(penalty, 0.01, biases=seed == 1) for penalty in some),
                "keep": ("best", "last")[seed % 2],
                "patience": (None, 1)[seed % 2],
            }
            jobs[f"{name}, {rate}"] = member(lib.fine_tuning, seed, network(seed), **choices)
    yield from populated(jobs)


@configuration
def population_of_optimizers() -> Outcomes:
    jobs = {}
    for name in ("SGD", "ProximalSGD", "Momentum", "Adam"):
        for seed in (0, 1):
            choices = {"optimizer": getattr(lib, name)(), "rate": lib.constant(0.02), "max_norm": (None, 0.7)[seed]}
            decay = (lib.Regularizer(lib.l1, 0.01),)
            jobs[f"{name}, {seed}"] = member(lib.fine_tuning, seed, network(seed), regularizers=decay, **choices)
    yield from populated(jobs)


@configuration
def population_with_dropout() -> Outcomes:
    jobs = {}
    for seed, rates in enumerate([(0.3, 0.5), (0.3, 0.5), (), (0.0, 0.5), (0.0, 0.5)]):
        method = (lib.fine_tuning, lib.gradual_tuning)[seed % 2]
        jobs[f"{seed}, {rates}"] = member(method, seed, network(seed, dropout=rates), optimizer=lib.Momentum())
    yield from populated(jobs)


@configuration
def population_with_columns() -> Outcomes:
    methods = {
        "linear": lib.progressive(),
        "linear again": lib.progressive(),
        "adapter": lib.progressive("adapter"),
        "modular": lib.modular(None),
        "wider": lib.growing(wider=3, trained=0),
        "grown": lib.growing(wider=3, deeper=8),
    }
    yield from populated({name: member(method, seed, network()) for seed, (name, method) in enumerate(methods.items())})


@configuration
def population_of_several_tasks() -> Outcomes:
    def several(seed: int, **choices: Any) -> Any:
        tasks = {"old": clusters("old"), "small": clusters("small", (50, 40, 40))}
        run = lib.Run(network(seed, tuple(tasks)), lib.generator(seed, "run"))
        return job(run, tasks, settings(**choices))

    def regressing(seed: int) -> Any:
        run = lib.Run(network(seed, ("values",), dtype=np.float64), lib.generator(seed, "run"))
        return job(run, {"values": values()}, settings(loss=lib.squared_error))

    jobs = {f"{seed}": several(seed, policy=lib.GradualByEpoch(1 + seed % 2)) for seed in range(4)}
    yield from populated(jobs | {f"values, {seed}": regressing(seed) for seed in range(2)})


@configuration
def population_with_a_failure() -> Outcomes:
    jobs = {f"{rate}": member(lib.fine_tuning, 1, network(), rate=lib.constant(rate)) for rate in (0.1, 1e30, 0.3)}
    yield from populated(jobs)


@configuration
def a_run_that_diverges() -> Outcomes:
    run = lib.Run(network(), lib.generator(1, "run"))
    try:
        trained(run, {"old": clusters("old")}, settings(rate=lambda epoch: 0.3 if epoch < 2 else 1e30))
    except FloatingPointError as error:
        yield "why", str(error)
    yield "the run", run


@configuration
def stopped_and_gone_on() -> Outcomes:
    """Saved after two epochs, loaded, and trained to the end."""
    methods = {
        "gradual": lib.gradual_tuning,
        "without forgetting": lib.without_forgetting(),
        "matching": lib.activation_matching(teacher()),
        "progressive": lib.progressive("adapter"),
        "fisher": lib.starting_point("l2_sp_fisher", 0.05, 0.01),
    }
    for name, method in methods.items():
        run, chosen = begun(method, one_memory(), clusters("new"), settings(optimizer=lib.Momentum(), max_epochs=5))
        trained(run, {"new": clusters("new")}, chosen, epochs=2)
        with tempfile.TemporaryDirectory() as folder:
            lib.save_tree(Path(folder) / "run.npz", run.tree())
            run = lib.Run.from_tree(lib.load_tree(Path(folder) / "run.npz"))
        yield name, trained(run, {"new": clusters("new")}, chosen)


@configuration
def a_network_saved_and_loaded() -> Outcomes:
    for name, net in {"plain": remembering(), "columns": learn(lib.progressive()).network}.items():
        with tempfile.TemporaryDirectory() as folder:
            net.save(Path(folder) / "network.npz")
            yield name, lib.Network.load(Path(folder) / "network.npz")


@configuration
def fisher_information() -> Outcomes:
    net, split = network(), clusters("old").train
    for mode in ("exact", "sampled", "argmax", "empirical", "batched"):
        rng = lib.generator(0) if mode == "sampled" else None
        yield mode, lib.fisher_information(net, "old", split, mode, rng)
    double = network(activation="tanh", dtype=np.float64)
    yield "float64", lib.fisher_information(double, "old", split)
    yield "merged", lib.remember(one_memory(), "both", lib.fisher_information(net, "old", split), "old", 0.5)


@configuration
def jacobian() -> Outcomes:
    split = clusters("old").test
    for activation in ("relu", "tanh", "sigmoid"):
        net = network(activation=activation)
        X = lib.batch(split, slice(None), net.dtype)
        for of in ("logit", "logits", "loss"):
            classes = None if of == "logits" else split.labels
            yield f"{activation}, {of}", lib.jacobian(net, "old", X, of, classes)


@configuration
def measures() -> Outcomes:
    """Errors, forgetting and R squared, along a sequence of three tasks."""
    names = ("old", "new", "third")
    networks = [plain().network]
    for name in names[1:]:
        networks.append(learn(lib.fine_tuning, networks[-1], clusters(name)).network)
    E = np.array(
        [
            [lib.error(each, name, clusters(name).test) if name in each.heads else np.nan for name in names]
            for each in networks
        ]
    )
    yield "errors", E
    yield "forgetting", [lib.forgetting_since_learned(E), lib.forgetting_since_best(E), lib.backward_transfer(E)]
    yield "forgetting of one", lib.forgetting(E[0, 0], E[2, 0])
    shared = np.arange(9.0).reshape(3, 3)
    yield "forward transfer", lib.forward_transfer(shared, np.full(3, 66.0))
    yield "transfer score", lib.transfer_score(float(E[1, 1]), 40.0)
    yield "r squared", lib.r_squared(networks[0], networks[-1], clusters("old").test)
    squares = plain(network(heads=("values",)), {"values": values()}, loss=lib.squared_error).network
    yield "error of a regression", lib.error(squares, "values", values().test)
    yield "said", networks[-1].logits(lib.batch(clusters("new").test, slice(None)), "new")
    yield "hidden", networks[-1].hidden_outputs(lib.batch(clusters("new").test, slice(None)))


@configuration
def initialisers() -> Outcomes:
    for name in ("glorot", "he", "uniform_fan_in", "normal"):
        initialise = getattr(lib, name)
        for dtype in (np.float32, np.float64):
            yield f"{name}, {np.dtype(dtype).name}", network(initialise=initialise, dtype=dtype)
        run, _ = begun(lib.progressive("adapter"), network(), clusters("new"), settings(), initialise=initialise)
        yield f"{name}, a column", run


@configuration
def layers_losses_and_penalties_alone() -> Outcomes:
    for dtype in (np.float32, np.float64):
        rng, said = np.random.default_rng(11), np.dtype(dtype).name
        X, dY, Z = (rng.standard_normal(shape).astype(dtype) for shape in ((9, 6), (9, 4), (9, 4)))
        p = {"W": rng.standard_normal((6, 4)).astype(dtype), "b": rng.standard_normal(4).astype(dtype)}
        for name in ("relu", "tanh", "sigmoid"):
            dropout = (lib.Dropout if known("Dropout") else lib.dropout)(0.3)
            Y, back = lib.chain(lib.linear, getattr(lib, name), dropout)([p, {}, {}], X, lib.generator(1))
            yield f"{name}, {said}", [Y, back(dY)]
        Y, back = lib.normalise({"gamma": np.ones(6, dtype)}, X)
        yield f"normalise, {said}", [Y, back(X)]
        Y, back = (lib.Shared if known("Shared") else lib.shared)(3)({"W": p["W"][:2], "b": p["b"]}, X)
        yield f"shared, {said}", [Y, back(Y)]
        Y, back = lib.joined({"W": p["W"][:4], "b": p["b"], "L": p["W"][4:]}, X)
        yield f"joined, {said}", [Y, back(dY)]
        slope = (X[:, :6] > 0).astype(dtype)
        J, back = lib.input_gradient([p["W"].T, p["W"]], [slope], dY)
        factors, *others = back(Z)
        pairs = [tuple(pair) if isinstance(pair, tuple) else (pair.A.T, pair.B) for pair in factors]
        yield f"input gradient, {said}", [J, pairs, others]
        P = lib.softmax(rng.standard_normal((9, 4)).astype(dtype))
        yield f"cross-entropy, {said}", lib.cross_entropy(Z, np.arange(9) % 4)
        yield f"soft cross-entropy, {said}", lib.soft_cross_entropy(Z, P, 2.0)
        yield f"squared error, {said}", lib.squared_error(Z, P)
        w, anchor, scale = p["W"], rng.standard_normal((6, 4)).astype(dtype), rng.random((6, 4)).astype(dtype)
        for name in ("l2", "l1", "group_lasso"):
            penalty, dw = getattr(lib, name), np.zeros_like(w)
            added = penalty.add(dw, 0.3, w, anchor, scale)
            yield f"{name}, {said}", [penalty(w, anchor, scale), penalty.prox(w, 0.1, anchor, scale), added, dw]


# Train with one tree --------------------------------------------------------------------------------------------------


def opened(path: str, thing: Any) -> Iterator[tuple[str, np.ndarray | str]]:
    """Yield all that a thing is made of with the path to it: arrays, and the text of anything else."""
    if hasattr(thing, "trunk"):
        thing = parts_of_network(thing)
    elif hasattr(thing, "history"):
        thing = parts_of_run(thing)
    if isinstance(thing, Mapping):
        for name, part in thing.items():
            yield from opened(f"{path} / {name}", part)
    elif isinstance(thing, list | tuple):
        for i, part in enumerate(thing, 1):
            yield from opened(f"{path} / {i}", part)
    elif isinstance(thing, np.ndarray):
        yield path, thing.copy()  # what has been yielded may be trained on
    else:
        yield path, repr(float(thing)) if isinstance(thing, Real) else str(thing)


def write(folder: Path, chosen: Sequence[str]) -> None:
    """Train configurations with the npnet that is imported, and write what they came to."""
    arrays: dict[str, np.ndarray] = {}
    texts: dict[str, dict[str, str]] = {}
    for name in chosen:
        texts[name] = {}
        try:
            for outcome, thing in CONFIGURATIONS[name]():
                for path, leaf in opened(outcome, thing):
                    if isinstance(leaf, np.ndarray):
                        arrays[f"{name}: {path}"] = leaf
                    else:
                        texts[name][path] = leaf
        except Exception as error:  # an outcome as any other, which the other tree must share
            texts[name]["raises"] = f"{type(error).__name__}: {error}"
    np.savez(folder / "arrays.npz", allow_pickle=False, **arrays)
    (folder / "texts.json").write_text(json.dumps(texts))


def results_of(tree: Path, chosen: Sequence[str]) -> Results:
    """Train configurations with a tree, in a process of its own, and return what they came to.

    Compiled code is kept in a folder of that process alone: kept beside the sources it may be that of an older tree.
    Raises SystemExit where that process fails, or imports another npnet than the tree's.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, environment = Path(name), dict(os.environ)
        threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        environment |= threads | {"PYTHONPATH": str(tree), "NUMBA_CACHE_DIR": str(folder / "numba")}
        environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore"}
        command = [sys.executable, "-P", str(HERE), str(tree), "--write", name, "--only", *chosen]
        if subprocess.run(command, cwd=tree, env=environment).returncode:
            raise SystemExit(f"training with {tree} failed; expected it to write its results")
        texts: Results = json.loads((folder / "texts.json").read_text())
        with np.load(folder / "arrays.npz", allow_pickle=False) as archive:
            for key in archive.files:
                configuration, _, path = key.partition(": ")
                texts[configuration][path] = archive[key]
    return texts


# Compare --------------------------------------------------------------------------------------------------------------


def difference(mine: np.ndarray | str | None, theirs: np.ndarray | str | None) -> str:
    """Return in words how two leaves differ, "" where they are the same."""
    if mine is None or theirs is None:
        there, leaf = ("the other", theirs) if mine is None else ("this", mine)
        return f"is only in {there} tree{f': {leaf:.160}' if isinstance(leaf, str) else ''}"
    if isinstance(mine, str) and isinstance(theirs, str):
        return "" if mine == theirs else f"is {mine:.80}; the other tree has {theirs:.80}"
    if isinstance(mine, str) or isinstance(theirs, str):
        return "is an array in one tree alone"
    if (mine.shape, mine.dtype) != (theirs.shape, theirs.dtype):
        return f"is {mine.dtype} {mine.shape}; the other tree has {theirs.dtype} {theirs.shape}"
    if np.array_equal(mine, theirs, equal_nan=mine.dtype.kind in "fc"):
        return ""
    with np.errstate(all="ignore"):
        return f"differs by up to {np.nanmax(abs(mine.astype(float) - theirs.astype(float))):.3g}"


def differences(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    """Return the first thing that differs between what two trees came to, and how many do; "" where nothing does."""
    paths = list(dict.fromkeys(["raises", *mine, *theirs]) if "raises" in {*mine, *theirs} else {**mine, **theirs})
    found = [f"{path} {how}" for path in paths if (how := difference(mine.get(path), theirs.get(path)))]
    return f"{found[0]} ({len(found)} of {len(paths)} differ)" if found else ""


def compare(here: Results, there: Results) -> bool:
    """Print a line for each configuration and say whether everything is the same."""
    width, same = max(map(len, here)), 0
    print(f"{'configuration':{width}}  arrays")
    for name, mine in here.items():
        how = differences(mine, there[name])
        same += not how
        raises = f", and raises {mine['raises']}" if "raises" in mine else ""
        arrays = sum(isinstance(leaf, np.ndarray) for leaf in mine.values())
        print(f"{name:{width}}  {arrays:6}  {how or 'same' + raises}")
    print(f"{same} of {len(here)} the same")
    return same == len(here)


def main() -> int:
    """Read the command line, train with both trees, compare, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, metavar="OTHER_TREE", help="the root of another checkout")
    parser.add_argument(
        "--only", nargs="+", default=[""], metavar="WORD", help="configurations with a word in their names"
    )
    parser.add_argument("--write", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)  # the process of one tree
    given = parser.parse_args()
    if given.write:
        home = Path(import_module("npnet").__file__ or "").resolve()
        if not home.is_relative_to(given.other.resolve()):
            raise SystemExit(f"npnet is {home}; expected that of {given.other}")
        write(given.write, given.only)
        return 0
    chosen = [name for name in CONFIGURATIONS if any(word in name for word in given.only)]
    if not chosen:
        parser.error(f"--only is {given.only}; expected a word in one of {', '.join(CONFIGURATIONS)}")
    if not (given.other / "npnet").is_dir():
        parser.error(f"OTHER_TREE is {given.other}; expected a folder with npnet in it")
    start = time.perf_counter()
    there, here = (results_of(tree.resolve(), chosen) for tree in (given.other, HERE.parent.parent))
    same = compare(here, there)
    print(f"in {time.perf_counter() - start:.0f} s")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
