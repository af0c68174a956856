"""A case: a function of another package, with what is known of it, and how a check judges it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from npnet.check import Report, check_gradient, check_prox

__all__ = ["Case", "draw", "elementwise", "gradient", "jacobian", "outcome", "prox"]


@dataclass(frozen=True)
class Case:
    """A function of a package and the derivative or proximal step that the package has for it.

    Attributes:
        name: the function, as the package calls it.
        f: returns (value, gradient) or (Y, back); for a proximal step, the penalty.
        arguments: where it is checked; for a proximal step, w and the step.
        fault: what is wrong with it, in words, "" if it is right. The referee must agree (see `referee`).
        reason: why the referee is overruled, for a fault that is too small for it, or a right answer that it doubts.
        step: the proximal step on trial, None for a gradient.
        options: of the check.
    """

    name: str
    f: Callable[..., Any]
    arguments: tuple[Any, ...]
    fault: str = ""
    reason: str = ""
    step: Callable[..., Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> Report:
        """Run npnet's check."""
        if self.step is not None:
            w, size = self.arguments
            return check_prox(self.f, self.step, w, size, **self.options)
        return check_gradient(self.f, *self.arguments, **self.options)


def draw(*shape: int, seed: int = 0) -> Any:
    """Draw standard normal numbers; the same for the same shape and seed."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def gradient(
    name: str, value: Callable[..., Any], slope: Callable[..., Any], *x: Any, fault: str = "", reason: str = ""
) -> Case:
    """Return the case of a function and its gradient, each with the same arguments."""
    return Case(name, lambda *x: (value(*x), slope(*x)), tuple(np.asarray(a, float) for a in x), fault, reason)


elementwise = gradient
"""The case of a function of each number and its slope: an array of values is a stack of independent ones."""


def jacobian(
    name: str, value: Callable[[Any], Any], matrix: Callable[[Any], Any], x: Any, fault: str = "", reason: str = ""
) -> Case:
    """Return the case of a function of several outputs and its Jacobian, outputs first. A Hessian is one too."""

    def f(x: Any) -> Any:
        Y, J = np.asarray(value(x)), np.asarray(matrix(x))
        return Y, lambda dY: np.tensordot(dY, J.reshape(*Y.shape, *x.shape), Y.ndim)

    return Case(name, f, (np.asarray(x, float),), fault, reason)


def prox(
    name: str,
    penalty: Callable[[Any], Any],
    step: Callable[[Any, float], Any],
    w: Any,
    size: float = 0.5,
    fault: str = "",
    reason: str = "",
    **options: Any,
) -> Case:
    """Return the case of a proximal step: step(w, size) should minimise ½‖v − w‖² + size · penalty(v)."""
    return Case(name, penalty, (np.asarray(w, float), size), fault, reason, step, options)


def outcome(case: Case, report: Report) -> str:
    """Return what a report comes to: confirmed or alarmed, rightly or falsely, or undecided."""
    unseen = all(line.unseen for line in report.lines if line.checked != "empty")
    vague = not any(line.wrong for line in report.lines) and all("cannot be decided" in c for c in report.complaints)
    if (report and unseen) or (not report and vague):
        return "undecided"
    if report:
        return "false confirmation" if case.fault else "confirmed rightly"
    return "alarmed rightly" if case.fault else "false alarm"
