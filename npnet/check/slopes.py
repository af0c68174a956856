"""Faults in the slopes of activations, and of functions that parameters go through: the chain rule, and its place."""

from collections.abc import Callable
from typing import Any

import numpy as np

from npnet.check.hypotheses import Hypotheses

__all__ = ["activations", "inner"]

SLOPES: dict[str, Callable[[Any], Any]] = {
    "tanh: 1 − Y²": lambda Y: 1 - Y * Y,
    "sigmoid: Y(1 − Y)": lambda Y: Y * (1 - Y),
    "relu: Y > 0": lambda Y: 1.0 * (Y > 0),
    "softplus: 1 − exp(−Y)": lambda Y: 1 - np.exp(-Y),
    "exp: Y": lambda Y: Y,
}
"""The slopes of activations, computed from their outputs."""

OUTPUTS: dict[str, Callable[[Any], Any]] = {
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "exp": np.exp,
}

INPUTS: dict[str, Callable[[Any], Any]] = {
    "tanh": np.arctanh,
    "sigmoid": lambda Y: np.log(Y) - np.log1p(-Y),
    "softplus": lambda Y: np.log(np.expm1(Y)),
    "exp": np.log,
}
"""The inputs of activations, computed from their outputs. Not finite where that is no output of this activation."""

INNER: dict[str, Callable[[Any], Any]] = {
    "exp x": np.exp,
    "sin x": np.cos,
    "cos x": lambda x: -np.sin(x),
    "x²": lambda x: 2 * x,
    "√x": lambda x: 0.5 / np.sqrt(x),
    "1/x": lambda x: -1 / (x * x),
    "√(1 + x²)": lambda x: x / np.sqrt(1 + x * x),
    "tanh x": lambda x: 1 - np.tanh(x) ** 2,
    "sigmoid x": lambda x: SLOPES["sigmoid: Y(1 − Y)"](OUTPUTS["sigmoid"](x)),
    "softplus x": OUTPUTS["sigmoid"],
}
"""The slopes of functions by which parameters are often transformed. Those of log x and its inverse are in `parts`."""


def activations(G: Any, x: Any, dY: Any, Y: Any, through: Callable[[Any], Any] | None) -> Hypotheses:
    """Yield a derivative of an activation that is missing, taken twice, at the wrong place, or that of another one.

    The way back is asked for dY times that derivative. Without a way back, activations of the argument are tried.
    """
    with np.errstate(all="ignore"):
        if through is None or Y is None:
            for name, slope in SLOPES.items():
                kind = name.partition(":")[0]
                yield f"the derivative of the activation is missing ({kind})", G * slope(OUTPUTS[kind](x))
            yield from _misplaced(x, {kind: phi(x) for kind, phi in OUTPUTS.items()}, lambda s: G * s)
            return
        slopes = {name: slope(Y) for name, slope in SLOPES.items()}
        for name, slope in slopes.items():
            yield f"the derivative of the activation is missing ({name})", through(slope)
        if Y.ndim and (Y > 0).all() and (dY != 0).all():
            share = Y * (dY - (Y * dY).sum(-1, keepdims=True)) / dY
            yield (
                "the derivative of the softmax is missing: right below a cross-entropy that includes it",
                through(share),
            )
        for name, slope in slopes.items():
            if (slope != 0).all():
                yield f"the derivative of the activation is taken twice ({name})", through(1 / slope)
                for other, right in slopes.items():
                    if other != name:
                        yield (
                            f"the derivative of another activation ({name} where {other} belongs)",
                            through(right / slope),
                        )
        yield from _misplaced(None, dict.fromkeys(OUTPUTS, Y), through)


def _misplaced(x: Any, outputs: dict[str, Any], through: Callable[[Any], Any]) -> Hypotheses:
    """Yield the slope of an activation, a formula in its output, that is taken at its input or at φ of its output.

    x: the inputs, None where they must be computed from the outputs.
    """
    for name, slope in SLOPES.items():
        kind = name.partition(":")[0]
        if kind in INPUTS:
            Y = outputs[kind]
            for place, at in (
                ("input where its output", INPUTS[kind](Y) if x is None else x),
                ("output where its input", OUTPUTS[kind](Y)),
            ):
                share = slope(Y) / slope(at)
                if np.isfinite(share).all():
                    yield f"the derivative of the activation is taken at its {place} belongs ({name})", through(share)


def inner(G: Any, x: Any) -> Hypotheses:
    """Yield the chain rule forgotten, or taken twice, for a function of the argument alone: a transformed parameter."""
    with np.errstate(all="ignore"):
        for name, slope in INNER.items():
            s = slope(x)
            if np.isfinite(s).all() and (s != 0).all():
                yield f"the derivative of an inner function is missing: {name} for each x of the argument", G * s
                yield f"the derivative of an inner function is superfluous: {name} for each x of the argument", G / s
