"""Compares a framework's values and gradients with the answers of the conformance set, and prints a table.

What an adapter must do is said in `npnet.check.conformance.adapters`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.arrays import generator
from npnet.check.conformance import Example, examples
from npnet.check.conformance.formulas import value_of
from npnet.check.conformance.reference import FUNCTIONS
from npnet.check.function import quiet
from npnet.check.report import units_apart
from npnet.check.rounding import factor, peak

__all__ = ["ADAPTERS", "CONVENTION", "Result", "adapter", "compare", "hold"]

Adapter = Callable[[Example], tuple[Any, dict[str, Any]]]
FOREIGN = ["torch", "jax", "autograd", "tensorflow", "paddle", "mlx", "tinygrad", "mygrad", "pytensor", "casadi"]
ADAPTERS = {
    "npnet": "npnet.proofs.conformance:evaluate",
    **{name: f"npnet.check.conformance.adapters.{name}_adapter:evaluate" for name in FOREIGN},
}
"""Where each adapter is. It is imported when it is used, so a framework that is not used need not be installed."""

CONVENTION = "another convention"
PRECISION = 1e-6  # a smaller difference is no other convention
DIRECTIONS = 20  # along so many a gradient at a kink must be no steeper than the function
NEAR = 2.0**-30  # from the kink: as far away slopes are found


@checked
@dataclass(frozen=True)
class Result:
    """The result of one example.

    value_units, gradient_units: the distances of the value and of the worst gradient from the answers, in units in the
        last place.
    where: the place of the worst gradient.
    gap: its distance from the answer as a part of that array's largest entry.
    verdict: "ok", CONVENTION at a kink where the gradient is another subgradient, "WRONG", or the reason why the
        framework has no result: "not supported: …" or "raises …".
    value, gradients: what the framework returned.
    """

    name: str
    value_units: float
    where: str
    gap: float
    gradient_units: float
    verdict: str
    value: float = float("nan")
    gradients: dict[str, Any] = field(default_factory=dict, repr=False)


@checked
def adapter(against: str) -> Adapter:
    """Return the adapter of that name, or "your.module:function". Raises ValueError if it does not exist."""
    module, _, function = ADAPTERS.get(against, against).partition(":")
    if not function:
        raise ValueError(f"against is {against!r}; expected one of {', '.join(ADAPTERS)}, or your.module:function")
    try:
        found: Adapter = getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"against is {against!r}, which cannot be imported ({error}); expected an installed one"
        ) from error
    return found


def answers(evaluate: Adapter, e: Example) -> tuple[float, dict[str, Any]]:
    """Return what an adapter computes, as a float and arrays of NumPy in float64.

    Raises ValueError that names the case and the field, for an answer of another form, and what the adapter raises.
    """
    with quiet():
        value, gradients = evaluate(e)
    try:
        value = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"case {e.name!r}: value is a {type(value).__name__}; expected a number") from error
    if not hasattr(gradients, "keys") or gradients.keys() != e.gradients.keys():
        keys = sorted(gradients) if hasattr(gradients, "keys") else type(gradients).__name__
        raise ValueError(f"case {e.name!r}: gradients have keys {keys}; expected {sorted(e.gradients)}")
    arrays = {}
    for path, wanted in e.gradients.items():
        try:
            arrays[path] = np.asarray(gradients[path], dtype=np.float64)
        except (TypeError, ValueError) as error:
            kind = type(gradients[path]).__name__
            raise ValueError(f"case {e.name!r}: gradient {path} is a {kind}; expected an array of floats") from error
        if arrays[path].shape != wanted.shape:
            shape = arrays[path].shape
            raise ValueError(f"case {e.name!r}: gradient {path} has shape {shape}; expected {wanted.shape}")
    return value, arrays


@checked
def compare(evaluate: Adapter, e: Example) -> Result:
    """Return how far a framework's value and gradients are from the answers of an example.

    Allowed is what rounding explains: λ√n·u·condition times the size of the entry plus its array's largest (see
    `npnet.check.rounding`). Raises ValueError for an answer of another form.
    """
    try:
        value, gradients = answers(evaluate, e)
    except Exception as error:  # the framework may raise anything
        if str(error).startswith(f"case {e.name!r}: "):
            raise
        told = f"{type(error).__name__}: {error}".partition("\n")[0]
        verdict = f"not supported: {error}" if isinstance(error, NotImplementedError) else f"raises {told}"
        return Result(e.name, float("nan"), "", float("nan"), float("nan"), verdict)
    rounding = factor(sum(g.size for g in e.gradients.values()), np.dtype(float)) * e.condition
    right = abs(value - e.value) <= rounding * abs(e.value)
    worst = (-1.0, "", 0.0, 0.0)
    for path, wanted in e.gradients.items():
        found = gradients[path]
        allowed = rounding * (abs(wanted) + peak(wanted)) + 1e-300
        excess = np.where(np.isfinite(found), abs(found - wanted) / allowed, np.inf)
        at = np.unravel_index(int(excess.argmax()), excess.shape)
        if float(excess[at]) > worst[0]:
            gap = abs(float(found[at]) - float(wanted[at])) / max(peak(wanted), 1e-300)
            gap = gap if gap == gap else float("inf")
            place = f"{path} {tuple(map(int, at))}"
            worst = (float(excess[at]), place, gap, units_apart(float(found[at]), float(wanted[at])))
    verdict = "ok" if right and worst[0] <= 1 else "WRONG"
    if right and worst[2] > PRECISION and e.kink and between(e, gradients):
        verdict = CONVENTION
    return Result(e.name, units_apart(value, e.value), worst[1], worst[2], worst[3], verdict, value, gradients)


def between(e: Example, gradients: dict[str, Any]) -> bool:
    """Say whether gradients are subgradients (Clarke 1975): ⟨g, u⟩ is at most the steepest slope along u near the kink.

    That is tried for entries that are not the answer's, and for random u. Where a value jumps, there is no subgradient.
    """
    rng, inputs = generator(0, "directions", e.name), {path: w.astype(np.longdouble) for path, w in e.inputs.items()}
    entries = [(path, index) for path, w in inputs.items() for index in np.ndindex(*w.shape)]

    def value(v: dict[str, Any], t: complex, u: dict[str, Any], h: complex = 0.0) -> Any:
        moved = {path: w + t * v[path] + h * u[path] for path, w in inputs.items()}
        return value_of(e, FUNCTIONS, moved, lambda a: a.astype(np.longdouble))

    def drawn() -> dict[str, Any]:
        return {path: rng.standard_normal(w.shape) for path, w in inputs.items()}

    def steepest(u: dict[str, Any]) -> float:
        """Return the steepest slope along u at points near the kink: random ones, then better ones entry by entry."""

        def slope(v: dict[str, Any]) -> float:
            return float(value(v, NEAR, u, 1e-30j).imag / 1e-30)

        v = max((u, *(drawn() for _ in range(DIRECTIONS))), key=slope)
        best = slope(v)
        for path, index in entries:
            turned = {**v, path: v[path].copy()}
            turned[path][index] *= -1
            if turned[path][index] and slope(turned) > best:
                v, best = turned, slope(turned)
        return best

    def units() -> Iterator[dict[str, Any]]:
        for path, index in entries:
            if gradients[path][index] != e.gradients[path][index]:  # the answer is a subgradient
                one = {other: np.zeros(w.shape) for other, w in inputs.items()}
                one[path][index] = 1.0
                yield one

    for u in (*units(), *(drawn() for _ in range(DIRECTIONS))):
        if abs(value(u, NEAR, u) - value(u, 0.0, u)) > 1e-3:
            return False
        for side in (u, {path: -each for path, each in u.items()}):
            most = steepest(side)
            if not sum(float((gradients[path] * side[path]).sum()) for path in side) <= most + 1e-7 * (1 + abs(most)):
                return False
    return True


def results(against: str) -> Iterator[Result]:
    """Yield the result of every example for a framework."""
    evaluate = adapter(against)
    for e in examples():
        yield compare(evaluate, e)


@checked
def hold(against: str) -> int:
    """Print the table of a framework and return the exit status: 1 where anything is wrong, 2 where it is missing."""
    try:
        found = list(results(against))
    except ValueError as error:
        print(f"error: {error}")
        return 2
    print(
        f"{against}, distances to the conformance set in units in the last place (gap: in parts of the array's largest)"
    )
    print(f"{'case':40} {'value':>8} {'gradient':>9} {'gap':>8}  worst at")
    for r in found:
        verdict = "" if r.verdict == "ok" else f"   {r.verdict}"
        print(f"{r.name:40} {r.value_units:8.3g} {r.gradient_units:9.3g} {r.gap:8.1e}  {r.where}{verdict}")
    verdicts = [r.verdict for r in found]
    wrong = [r.name for r in found if r.verdict == "WRONG" or r.verdict.startswith("raises")]
    other = verdicts.count(CONVENTION)
    missing = len(found) - verdicts.count("ok") - other - len(wrong)
    print(
        f"{verdicts.count('ok')} of {len(found)} as they should be"
        + (f", {other} by {CONVENTION}" if other else "")
        + (f", {len(wrong)} wrong: {'; '.join(wrong)}" if wrong else "")
        + (f", {missing} not supported" if missing else "")
    )
    return 1 if wrong else 0
