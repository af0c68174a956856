"""A planted fault: right code, wrong code, and everything between the two, with the checks that should tell them apart.

At strength 1 the wrong code runs as somebody would write it, at 0 the right code, and between them what the code
computes is right + strength · (wrong − right): the smallest strength that a check still sees is what it is worth.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from npnet.check import Report, check_convex, check_gradient, check_hessian, check_kinks
from npnet.layers import Layer
from npnet.trees import Tree, leaves, map_tree

__all__ = ["Fault", "altered", "between", "gradient_fault", "layer_fault", "mixed"]

Function = Callable[..., tuple[Any, Any]]
Trial = tuple[Function, tuple[Tree, ...]]
"""A function that returns value and gradient (or way back), and its arguments."""


@dataclass(frozen=True)
class Fault:
    """A fault by name. reports(strength, seed): what each check reports.

    trial(strength, seed): a function and arguments that other people's gradient checks can be given too; None where it
    is no gradient that is wrong. kinked: whether arguments are at kinks.
    """

    area: str
    name: str
    reports: Callable[[float, int], Mapping[str, Report]]
    trial: Callable[[float, int], Trial] | None = None
    kinked: bool = False


def between(right: Any, wrong: Any, strength: float) -> Any:
    """Return right + strength · (wrong − right) of trees; the one or the other itself at 0 and 1."""
    if strength in (0.0, 1.0):
        return wrong if strength else right
    others = iter([leaf for _, leaf in leaves(wrong)])
    return map_tree(lambda leaf: leaf + strength * (next(others) - leaf), right)


def mixed(right: Function, wrong: Function, strength: float) -> Function:
    """Return the function between a right and a wrong one, in values and gradients."""
    if strength in (0.0, 1.0):
        return wrong if strength else right

    def f(*arguments: Tree) -> tuple[Any, Any]:
        (value, one), (other_value, other) = right(*arguments), wrong(*arguments)
        value = value + strength * (other_value - value)
        if callable(one):
            return value, lambda dY: between(one(dY), other(dY), strength)
        return value, between(one, other, strength)

    return f


def gradient_fault(
    area: str,
    name: str,
    make: Callable[[np.random.Generator], tuple[Function, Function, tuple[Tree, ...]]],
    kinked: bool = False,
    convex: bool = False,
) -> Fault:
    """Return the fault of a gradient: make(rng) gives the right function, the wrong one, and arguments for both."""

    def trial(strength: float, seed: int) -> Trial:
        right, wrong, arguments = make(np.random.default_rng(seed))
        return mixed(right, wrong, strength), arguments

    def reports(strength: float, seed: int) -> dict[str, Report]:
        f, arguments = trial(strength, seed)
        found = {"gradient": check_gradient(f, *arguments), "symmetry": check_hessian(f, *arguments)}
        if found["gradient"].complaints:  # said of how it behaves, before any number is compared
            found["behaviour"] = found["gradient"]
        if kinked:
            found["kinks"] = check_kinks(f, *arguments)
        if convex:
            found["convexity"] = check_convex(f, *arguments)
        return found

    return Fault(area, name, reports, trial, kinked)


def altered(layer: Layer, change: Callable[..., Any]) -> Layer:
    """Return a layer whose gradients are what change(dX, dp, dY, p, X) makes of the right ones."""

    def wrong(p: Any, X: Any, rng: Any = None) -> tuple[Any, Any]:
        Y, back = layer(p, X, rng)
        return Y, lambda dY: change(*back(dY), dY, p, X)

    return wrong


def layer_fault(
    name: str,
    right: Layer,
    wrong: Layer,
    arguments: Callable[[np.random.Generator], tuple[Any, Any]],
    drop: bool = False,
    kinked: bool = False,
) -> Fault:
    """Return the fault of a layer as a function of X and p, which arguments(rng) gives; drop: it is random."""

    def make(rng: np.random.Generator) -> tuple[Function, Function, tuple[Tree, ...]]:
        seed = int(rng.integers(1000))

        def function(layer: Layer) -> Function:
            return lambda X, p: layer(p, X, np.random.default_rng(seed) if drop else None)

        return function(right), function(wrong), arguments(rng)

    return gradient_fault("layers", name, make, kinked)
