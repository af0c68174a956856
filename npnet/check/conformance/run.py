"""Compares a framework's values and gradients with the answers of the conformance set, and prints a table.

An adapter is a function `evaluate(example) -> (value, gradients)`. gradients is a dict with the keys of the answers
("X", "0/W", …), in float64. The adapter raises NotImplementedError for what the framework cannot do.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from npnet.check.conformance import Example, examples
from npnet.check.report import units_apart
from npnet.check.rounding import factor, peak

__all__ = ["ADAPTERS", "Result", "adapter", "compare", "hold"]

Adapter = Callable[[Example], tuple[Any, dict[str, Any]]]
ADAPTERS = {
    "npnet": "npnet.proofs.conformance:evaluate",
    "torch": "npnet.check.conformance.adapters.torch_adapter:evaluate",
    "jax": "npnet.check.conformance.adapters.jax_adapter:evaluate",
    "autograd": "npnet.check.conformance.adapters.autograd_adapter:evaluate",
}
"""Where each adapter is. It is imported when it is used, so a framework that is not used need not be installed."""


@dataclass(frozen=True)
class Result:
    """The result of one example.

    value_units, gradient_units: the distances of the value and of the worst gradient from the answers, in units in the
        last place.
    where: the place of the worst gradient.
    gap: its distance from the answer as a part of that array's largest entry.
    verdict: "ok", "WRONG", or the reason why the framework has no result.
    """

    name: str
    value_units: float
    where: str
    gap: float
    gradient_units: float
    verdict: str


def adapter(name: str) -> Adapter:
    """Return the adapter of that name, or "your.module:function". Raises ValueError if it does not exist."""
    module, _, function = ADAPTERS.get(name, name).partition(":")
    if not function:
        raise ValueError(f"against is {name!r}; expected one of {', '.join(ADAPTERS)}, or your.module:function")
    try:
        found: Adapter = getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"against is {name!r}, which cannot be imported ({error}); expected an installed one"
        ) from error
    return found


def compare(evaluate: Adapter, e: Example) -> Result:
    """Return how far a framework's value and gradients are from the answers of an example.

    Allowed is what rounding explains: λ√n·u·condition times the size of the entry plus its array's largest (see
    `npnet.check.rounding`).
    """
    try:
        value, gradients = evaluate(e)
    except NotImplementedError as error:
        return Result(e.name, float("nan"), "", float("nan"), float("nan"), f"not supported: {error}")
    if gradients.keys() != e.gradients.keys():
        raise ValueError(f"gradients of {e.name!r} have keys {sorted(gradients)}; expected {sorted(e.gradients)}")
    rounding = factor(sum(g.size for g in e.gradients.values()), np.dtype(float)) * e.condition
    right = abs(float(value) - e.value) <= rounding * (abs(e.value) + 1)
    worst = (-1.0, "", 0.0, 0.0)
    for path, wanted in e.gradients.items():
        found = np.asarray(gradients[path], dtype=np.float64)
        if found.shape != wanted.shape:
            raise ValueError(f"gradient {path} of {e.name!r} has shape {found.shape}; expected {wanted.shape}")
        allowed = rounding * (abs(wanted) + peak(wanted)) + 1e-300
        excess = np.where(np.isfinite(found), abs(found - wanted) / allowed, np.inf)
        at = np.unravel_index(int(excess.argmax()), excess.shape)
        if float(excess[at]) > worst[0]:
            gap = abs(float(found[at]) - float(wanted[at])) / max(peak(wanted), 1e-300)
            gap = gap if gap == gap else float("inf")
            place = f"{path} {tuple(map(int, at))}"
            worst = (float(excess[at]), place, gap, units_apart(float(found[at]), float(wanted[at])))
    verdict = "ok" if right and worst[0] <= 1 else "WRONG"
    return Result(e.name, units_apart(float(value), e.value), worst[1], worst[2], worst[3], verdict)


def results(name: str) -> Iterator[Result]:
    """Yield the result of every example for a framework."""
    evaluate = adapter(name)
    for e in examples():
        yield compare(evaluate, e)


def hold(name: str) -> int:
    """Print the table of a framework and return the exit status: 1 where anything is wrong, 2 where it is missing."""
    try:
        found = list(results(name))
    except ValueError as error:
        print(f"error: {error}")
        return 2
    print(f"{name}, distances to the conformance set in units in the last place (gap: in parts of the array's largest)")
    print(f"{'case':38} {'value':>8} {'gradient':>9} {'gap':>8}  worst at")
    for r in found:
        verdict = "" if r.verdict == "ok" else f"   {r.verdict}"
        print(f"{r.name:38} {r.value_units:8.3g} {r.gradient_units:9.3g} {r.gap:8.1e}  {r.where}{verdict}")
    wrong = [r.name for r in found if r.verdict == "WRONG"]
    missing = sum(r.verdict not in ("ok", "WRONG") for r in found)
    print(
        f"{len(found) - len(wrong) - missing} of {len(found)} as they should be"
        + (f", {len(wrong)} wrong: {'; '.join(wrong)}" if wrong else "")
        + (f", {missing} not supported" if missing else "")
    )
    return 1 if wrong else 0
