"""The points at which frameworks differ most: kinks and ties, far ends, zeros and very large numbers.

Each is one function of a few numbers, and the value is the sum of what it returns, so that the gradient shows the
slopes themselves.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from npnet.check.conformance import Example

__all__ = ["points"]

AT_KINKS: dict[str, tuple[str, list[list[float]]]] = {
    "relu at 0": ("relu", [[-1.0, 0.0, 2.0]]),
    "maximum of x and 0, at 0": ("maximum", [[-1.0, 0.0, 2.0]]),
    "|x| at 0": ("absolute", [[-1.0, 0.0, 2.0]]),
    "clip to 0 … 1, at 0": ("clip", [[-1.0, 0.0, 0.5]]),
    "clip to 0 … 1, at 1": ("clip", [[0.5, 1.0, 2.0]]),
    "maximum of two equal numbers": ("larger", [[3.0, 3.0]]),
    "largest of a row, two ties": ("largest", [[2.0, 1.0, 2.0]]),
    "largest of a row, three ties": ("largest", [[2.0, 2.0, 2.0]]),
    "norm of zeros": ("norm", [[0.0, 0.0, 0.0]]),
    "root of a sum of squares of zeros": ("root_of_squares", [[0.0, 0.0, 0.0]]),
    "standard deviation of equal numbers": ("deviation", [[2.0, 2.0, 2.0]]),
}
"""Functions at points where they have several slopes. The answer is the subgradient of smallest norm."""

SMOOTH: dict[str, tuple[str, list[list[float]]]] = {
    "product with one zero": ("product", [[2.0, 0.0, 3.0]]),
    "product with two zeros": ("product", [[0.0, 0.0, 3.0]]),
    "cumulative product with a zero": ("cumulative_product", [[2.0, 0.0, 3.0]]),
    "x to the power 0, at 0": ("power_zero", [[0.0]]),
    "root where x > 0, below 0": ("guarded_root", [[-1.0, 4.0]]),
    "elu at 0": ("elu", [[-1.0, 0.0, 1.0]]),
    "erf at 0": ("erf", [[0.0]]),
    "softplus far out": ("softplus", [[-800.0, 800.0]]),
    "sigmoid at 40": ("sigmoid", [[40.0]]),
    "sigmoid at −40": ("sigmoid", [[-40.0]]),
    "sigmoid at −800": ("sigmoid", [[-800.0]]),
    "sigmoid at −800, written out": ("written_sigmoid", [[-800.0]]),
    "norm of large numbers": ("norm", [[3e200, 4e200]]),
    "norm of small numbers": ("norm", [[3e-9, 4e-9]]),
}
"""Functions at points where they have one slope only."""


def points() -> Iterator[Example]:
    """Yield every point without its answers."""
    for kink, group in ((True, AT_KINKS), (False, SMOOTH)):
        for name, (kind, X) in group.items():
            yield _point(name, [kind], X, kink=kink)
    far, confident = [[1000.0, -1000.0, 0.0]], [[40.0, 0.0]]
    yield _point("cross_entropy, logits 1000, −1000, 0", [], far, "cross_entropy", np.array([1]))
    yield _point("cross_entropy, one confident example", [], confident, "cross_entropy", np.array([0]))


def _point(
    name: str, layers: list[str], X: list[list[float]], loss: str = "sum", targets: Any = None, kink: bool = False
) -> Example:
    t = np.zeros(0) if targets is None else targets
    return Example(name, layers, loss, np.array(X), t, [{} for _ in layers], kink=kink)
