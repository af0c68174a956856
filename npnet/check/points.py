"""The points that the answer of a proximal step is compared with: it must not be worse than any of them."""

from collections.abc import Callable, Iterator

import numpy as np

from npnet.arrays import Array
from npnet.check.rounding import factor, length, peak

__all__ = ["ENTRIES", "TOLERANCE", "candidates", "others", "tolerated", "within_rounding"]

DISTANCES = 10.0 ** np.arange(-8, 1.01, 0.5)  # of a moved entry, as parts of the largest one
SHARES = np.linspace(-1, 1, 17)  # of an entry of w, or of v
ENTRIES = 40  # the most entries that are moved one by one; of a larger array so many are drawn
ANSWERS = 24  # other arguments that are answered
TOLERANCE = 1e-4  # of the largest entry: a set that goes on for longer is no tolerant one, it is larger


def others(w: Array, rng: np.random.Generator) -> Iterator[Array]:
    """Yield other arguments, near and far."""
    size = peak(w) or 1.0
    yield from (0 * w, -w, 2 * w, w / 2, w[::-1].copy() if w.ndim else w)
    for i in range(ANSWERS - 5):
        yield w + size * 10.0 ** (i % 6 - 4) * rng.standard_normal(w.shape)


def within_rounding(v: Array, w: Array, answers: list[Array], rng: np.random.Generator) -> Iterator[Array]:
    """Yield v, and points that rounding cannot tell from it: with zeros for zeros, and moved a little."""
    rho = factor(v.size, np.dtype(float)) * max(peak(v), peak(w))
    yield v
    yield np.where(abs(v) <= rho, 0.0, v)
    for target in (*answers, v - w, w - v, *(rng.standard_normal(v.shape) for _ in range(4))):
        away = target - v
        longest = peak(away)
        for part in (2.0**-6, 0.1, 0.5, 1.0) if longest > 0 else ():
            yield v + part * rho / longest * away


def candidates(v: Array, w: Array, answers: list[Array], rng: np.random.Generator) -> Iterator[Array]:
    """Yield points that would be better than v if it were wrong."""
    size, shape = max(peak(v), peak(w)) or 1.0, v.shape
    flat, goal = v.reshape(-1), w.reshape(-1)

    def with_entries(changes: dict[int, float]) -> Array:
        u = flat.copy()
        for i, value in changes.items():
            u[i] = value
        return u.reshape(shape)

    yield from (w, 0 * w)
    some = np.arange(v.size) if v.size <= ENTRIES else rng.choice(v.size, ENTRIES, replace=False)
    for target in (w, 0 * w, *answers):
        yield target
        yield from (v + share * (target - v) for share in (*SHARES[9:-1], *DISTANCES[:-3], *-DISTANCES[:-3]))
    yield from (share * target for target in (v, w) for share in SHARES)
    for i in some:
        yield from (with_entries({i: flat[i] + sign * size * d}) for d in DISTANCES for sign in (-1, 1))
        yield from (with_entries({i: share * goal[i]}) for share in SHARES)
    for _ in range(2 * ENTRIES if v.size > 1 else 0):
        i, j = rng.choice(v.size, 2, replace=False)
        sign = rng.choice([-1.0, 1.0])
        yield from (with_entries({i: flat[i] + size * d, j: flat[j] - sign * size * d}) for d in DISTANCES)
        yield with_entries({i: 0.0, j: flat[j] + flat[i]})
    for d in DISTANCES:
        yield v + size * d * rng.standard_normal(shape)


def tolerated(penalty: Callable[[Array], float], v: Array, u: Array) -> float:
    """Return how far a set goes on from v through u, 0 if it ends at v or goes on for long.

    An indicator with a tolerance lets points pass that are a little outside of its set.
    """
    away, longest = (u - v) / (peak(u - v) or 1.0), TOLERANCE * (peak(v) or peak(u))
    within = [t for t in longest * 10.0 ** np.arange(-13, 0.3, 0.25) if np.isfinite(penalty(v + t * away))]
    last = max(within, default=0.0)
    return last * length(away) if last <= longest else 0.0
