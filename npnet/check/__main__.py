"""`python -m npnet.check`: the gradient of every layer, loss, penalty and whole network of the library, proved.

One line a case: its name, the worst relative error of all parameters, and the smallest relative error planted in one
entry of each parameter's gradient that the check still caught. Exits with 1 if any error is above 1e-11 or a planted
one of 1e-4 is missed.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from npnet.arrays import generator
from npnet.check import check_gradient
from npnet.check.catalogue import Case, cases
from npnet.trees import Tree, leaves, map_tree

TOLERANCE = 1e-11
REQUIRED = 1e-4
PLANTED = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)


def plant(f: Callable[..., tuple[Any, Any]], parameter: int, error: float, seed: int) -> Callable[..., tuple[Any, Any]]:
    """Return f with a relative error planted in one entry of one of the gradients that it returns.

    The entry is drawn among those above 1e-9 of the gradient's largest: one part in 10⁴ of less is less than the
    rounding error of the others, and no check can tell it from that.
    """

    def spoil(gradients: Tree) -> Tree:
        arrays = [leaf for _, leaf in leaves(gradients)]
        spoilt = arrays[parameter].copy()
        entries = np.flatnonzero(abs(spoilt) > 1e-9 * abs(spoilt).max(initial=0.0))
        if entries.size:
            spoilt.reshape(-1)[generator(seed, "plant").choice(entries)] *= 1 + error
        order = iter(range(len(arrays)))
        return map_tree(lambda leaf: spoilt if next(order) == parameter else leaf, gradients)

    def faulty(*arguments: Tree) -> tuple[Any, Any]:
        value, gradients = f(*arguments)
        return value, (lambda dY: spoil(gradients(dY))) if callable(gradients) else spoil(gradients)

    return faulty


def smallest_caught(case: Case) -> float:
    """Return the smallest of the planted errors that is caught in the gradient of every parameter."""
    caught = float("inf")
    parameters = len(list(leaves(case.arguments)))
    for error in PLANTED:
        for parameter in range(parameters):
            report = check_gradient(plant(case.f, parameter, error, parameter), *case.arguments, tolerance=TOLERANCE)
            if report and np.any(_gradient(case, parameter)):
                return caught
        caught = error
    return caught


def _gradient(case: Case, parameter: int) -> Any:
    value, gradients = case.f(*case.arguments)
    if callable(gradients):
        gradients = gradients(np.ones_like(value))
    return [leaf for _, leaf in leaves(gradients)][parameter]


def main() -> int:
    """Check every case, print the table and return the exit status."""
    failed = []
    print(f"{'case':44} {'worst error':>12} {'planted, caught':>16}")
    for case in cases():
        report = check_gradient(case.f, *case.arguments, tolerance=TOLERANCE)
        caught = smallest_caught(case)
        right = bool(report) and caught <= REQUIRED
        print(f"{case.name:44} {report.error:12.1e} {caught:16.0e}{'' if right else '   WRONG'}", flush=True)
        if not right:
            failed.append(report)
    for report in failed:
        print(report, file=sys.stderr)
    print(f"{len(failed)} wrong" if failed else "every gradient confirmed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
