"""Checks what is not a gradient and can be wrong too: steps, masks, resuming and random draws."""

from collections.abc import Callable
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.arrays import Array, shown
from npnet.check.jacobian import compare_trees
from npnet.check.pytree import Tree, copy_tree, leaves
from npnet.check.report import Line, Report
from npnet.check.rounding import factor

__all__ = ["check_equal", "check_frozen", "check_mean", "check_resumed"]


@checked
def check_equal(found: Tree, wanted: Tree, terms: int = 64, what: str = "law") -> Report:
    """Check that two computations of the same numbers agree to rounding.

    terms: the number of terms in the sums that were computed.

    Use it for a step with a closed form, or to compare a fast sum with a slow one. Raises ValueError if shapes differ.
    """
    shapes = [[(path, np.shape(leaf)) for path, leaf in leaves(tree)] for tree in (found, wanted)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"found has leaves {shapes[0]}; expected {shapes[1]}, as wanted")
    return Report(compare_trees(found, wanted, factor(terms, np.dtype(float)), "found"), None, what=what)


@checked
def check_frozen(move: Callable[[], Any], frozen: Tree, moving: Tree = ()) -> Report:
    """Check that move() changes no bit of `frozen`, and changes every array of `moving`."""
    for name, tree in (("frozen", frozen), ("moving", moving)):
        if not all(np.asarray(leaf).dtype.kind in "biufc" for _, leaf in leaves(tree)):
            raise ValueError(f"{name} is {shown(tree)}; expected arrays of numbers, or a tree of these")
    before, started = copy_tree(frozen), copy_tree(moving)
    move()
    complaints = [
        f"frozen {path or 'array'} was moved, by {float(np.abs(new - old).max()):.3g}"
        for (path, old), (_, new) in zip(leaves(before), leaves(frozen), strict=True)
        if not np.array_equal(old, new, equal_nan=True)
    ]
    complaints += [
        f"{path or 'array'} was not moved"
        for (path, old), (_, new) in zip(leaves(started), leaves(moving), strict=True)
        if np.array_equal(old, new)
    ]
    return Report((), None, tuple(complaints), what="freezing")


@checked
def check_resumed(begin: Callable[[], Any], go_on: Callable[[Any], Any], save: Callable[[Any], Any]) -> Report:
    """Check that a run that is stopped, saved and resumed gives the same bits as one that never stopped.

    begin: begin() returns a run.
    go_on: go_on(run) takes it one step, and returns a tree of everything that must agree.
    save: save(run) returns the run that a file would give back.
    """
    whole, stopped = begin(), begin()
    go_on(whole)
    go_on(stopped)
    one, other = go_on(whole), go_on(save(stopped))
    complaints = [
        f"{path or 'the state'} has other bits after stopping and going on"
        for (path, a), (_, b) in zip(leaves(one), leaves(other), strict=True)
        if not np.array_equal(np.asarray(a), np.asarray(b))
    ]
    return Report((), None, tuple(complaints), what="resuming")


@checked
def check_mean(draw: Callable[[int], Array], mean: Array, draws: int = 2000, deviations: float = 7.0) -> Report:
    """Check that draw(0), draw(1), … have this mean, entry by entry, within `deviations` standard errors.

    By chance an entry is more than seven standard errors away once in 4e11. This is the only check here that is not
    exact: it finds an error larger than `deviations`/√draws of a draw's standard deviation.
    """
    if draws < 2:
        raise ValueError(f"draws is {draws}; expected at least 2")
    drawn = np.stack([draw(i) for i in range(draws)])
    if drawn.shape[1:] != mean.shape:
        raise ValueError(f"mean has shape {mean.shape}; expected {drawn.shape[1:]}, as what is drawn")
    centre, spread = drawn.mean(0), drawn.std(0) / draws**0.5
    allowed = deviations * spread + factor(draws, np.dtype(float)) * abs(mean)
    excess = abs(centre - mean) / (allowed + 1e-300)
    at = tuple(int(i) for i in np.unravel_index(int(np.argmax(excess)), excess.shape))
    error = float(abs(centre - mean)[at] / max(abs(mean[at]), 1e-300))
    values = float(centre[at]), float(mean[at]), error, float(allowed[at]), bool(excess[at] > 1)
    line = Line("mean", centre.shape, f"{draws} draws", at, *values, "", names=("mean of the draws", "wanted"))
    return Report((line,), None, what="mean")
