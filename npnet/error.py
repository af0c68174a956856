"""The error of a network on a split: percent misclassified, percent of labels, or root mean squared error."""

import math
from collections.abc import Sequence

import numpy as np

from npnet.arguments import checked
from npnet.arrays import Array, array_module
from npnet.data import Split, batch
from npnet.layers import Path, forward
from npnet.losses import Loss
from npnet.network import Network

__all__ = ["BLOCK", "error", "error_along", "first_not_finite", "largest", "mean_loss_along"]

BLOCK = 1000  # rows evaluated at once: large enough for fast products, small enough for any memory


@checked
def error(network: Network, head: str, split: Split) -> float:
    """Return the error of a head on a split, without dropout, as `error_along` defines it.

    Raises ValueError for an empty split, for labels that do not fit the head, and where inputs, weights or outputs are
    not finite, which have no largest output: it names the first place.
    """
    split.check(f"the split for head {head!r}", network.head(head)["b"].shape[-1])
    path = network.path(head)
    found = error_along(path, split, network.dtype)
    if not (math.isfinite(found) and all(array_module(w).isfinite(w).all() for _, p in path for w in p.values())):
        raise ValueError(f"{_place(path, head, split, network.dtype)}; expected finite numbers")
    return found


def _place(path: Path, head: str, split: Split, dtype: np.dtype) -> str:
    """Return where numbers are not finite first, for a message: a layer's weights, or what comes out of a link."""
    layer = 0
    for _, p in path:
        layer += bool(p)
        for key, w in p.items():
            if not array_module(w).isfinite(w).all():
                where = f"head {head!r}" if p is path[-1][1] else f"hidden layer {layer}"
                return f"network has a {key!r} in {where} that is not finite"
    for start in range(0, len(split), BLOCK):
        rows = slice(start, start + BLOCK)
        with np.errstate(all="ignore"):
            outputs = forward(path, batch(split, rows, dtype))[0]
        if (place := first_not_finite(path, 0, head, outputs)) != "the loss":
            bad = ~array_module(outputs[0]).isfinite(outputs[0]).all(-1)
            row = f", row {start + int(bad.argmax())}," if bad.any() else ""
            return f"split has {place}{row} not finite" if row else f"network gives numbers not finite in {place}"
    return "split has an error that is not finite"


def largest(Z: Array) -> Array:
    """Return the class of the largest output, (..., K) to (...). Raises ValueError for outputs that are not finite."""
    if not array_module(Z).isfinite(Z).all():
        raise ValueError("network gives outputs that are not finite; expected finite numbers, of which one is largest")
    return Z.argmax(-1)


@np.errstate(under="ignore", over="ignore", invalid="ignore")  # what is not finite is said below
def error_along(path: Path, split: Split, dtype: np.dtype) -> float:
    """Return the error of the outputs Z (N, K) that a path makes of a split's inputs; NaN where not all are finite.

    Classes t (N,): 100/N Σₙ [argmaxₖ zₙₖ ≠ tₙ], percent misclassified (on a tie, the first largest output counts); with
    one output, class 1 is where it is above 0. Probabilities t (N, K): the same, for the classes argmaxₖ tₙₖ.
    Labels t (N, K): 100/(N K) Σₙₖ [[zₙₖ > 0] ≠ tₙₖ], percent of labels.
    Values t (N, K): √(1/(N K) Σₙₖ (zₙₖ − tₙₖ)²), the root mean squared error, in the targets' own units.
    """
    total = 0.0
    for start in range(0, len(split), BLOCK):
        rows = slice(start, start + BLOCK)
        X, t = batch(split, rows, dtype), split.labels[rows]
        Z = forward(path, X)[0][-1]
        if not all(array_module(each).isfinite(each).all() for each in (X, Z)):
            return math.nan  # NaN has no largest output, and would count as class 0
        if split.kind == "values":
            D = Z.astype(np.float64) - t  # in double precision, where no square overflows
            total += float((D * D).sum())
        else:
            said = Z > 0 if split.kind == "labels" else Z[:, 0] > 0 if Z.shape[-1] == 1 else Z.argmax(-1)
            total += int((said != (t.argmax(-1) if split.kind == "probabilities" else t)).sum())
    if split.kind == "values":
        return math.sqrt(total / split.labels.size)
    return 100 * total / (split.labels.size if split.kind == "labels" else len(split))


@np.errstate(under="ignore", over="ignore", invalid="ignore")
def mean_loss_along(path: Path, split: Split, dtype: np.dtype, loss: Loss) -> float:
    """Return the mean loss over the examples of a split, weighted where they have weights, at the end of a path."""
    total, count = 0.0, 0.0
    for start in range(0, len(split), BLOCK):
        rows = slice(start, start + BLOCK)
        n = len(split.labels[rows]) if split.weights is None else float(split.weights[rows].sum())
        if n:  # a block in which nothing counts has no mean
            value, _ = loss(forward(path, batch(split, rows, dtype))[0][-1], split.answers(rows))
            total, count = total + n * float(value), count + n
    return total / count


def first_not_finite(path: Path, start: int, head: str | None, outputs: Sequence[Array]) -> str:
    """Return where the numbers on the way up a path from link `start` are not finite first; "the loss" for nowhere."""
    layer = sum(1 for _, p in path[:start] if p)
    place = f"the activations of hidden layer {layer}" if start else "the inputs"
    for i, Y in enumerate(outputs, start):  # what link i reads
        if not array_module(Y).isfinite(Y).all():
            return place
        if i < len(path) and path[i][1]:
            layer += 1
            place = f"hidden layer {layer}" if head is None or i < len(path) - 1 else f"head {head!r}"
    return "the loss"
