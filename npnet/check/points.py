"""The points that the answer of a proximal step is compared with: it must not be worse than any of them."""

from collections.abc import Callable, Iterator

import numpy as np

from npnet.arrays import Array
from npnet.check.rounding import factor, length, peak

__all__ = ["ENTRIES", "TOLERANCE", "candidates", "others", "tolerated", "within_rounding"]

DISTANCES = 10.0 ** np.arange(-8, 1.01, 0.5)  # of a moved entry, as parts of the largest one
SHARES = np.linspace(-1, 1, 17)  # of an entry of w, or of v
ENTRIES = 40  # the most entries that are moved one by one; of a larger array so many are drawn
LARGEST = 12  # so many of the largest entries, rows or singular values are kept at most
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
    yield from alike(v, w)
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
        yield with_entries({i: flat[j], j: flat[i]})
    for d in DISTANCES:
        yield v + size * d * rng.standard_normal(shape)


def alike(v: Array, w: Array) -> Iterator[Array]:
    """Yield points made of v or w that keep what sets and penalties often look at, and are as near to w as that allows.

    A set may fix the length, the magnitudes, the number of entries or rows that are not zero, or the singular values.
    """
    size, product = peak(w), float((v * w).sum())
    if v.any() and w.any():
        yield v * (product / float((v * v).sum()))
        yield w * (length(v) / length(w))
    yield np.where(w < 0, -abs(v), abs(v))
    for level in (float(w.mean()) if w.size else 0.0, size, -size):
        yield np.full(w.shape, level)
    yield _in_the_order_of(abs(w), abs(v)) * np.sign(w)
    yield _in_the_order_of(w, v)
    yield from (w * kept for kept in _largest(abs(w)))
    if w.ndim == 2:
        yield from _matrices(v, w)


def _matrices(v: Array, w: Array) -> Iterator[Array]:
    """Yield matrices with rows or columns of w alone, with singular pairs of w, and with eigenvectors of it."""
    for axis in (0, 1):
        lengths = np.sqrt((w * w).sum(1 - axis, keepdims=True))
        yield from (
            w * kept for kept in (*_largest(lengths), *(lengths == each for each in np.unique(lengths)[-LARGEST:]))
        )
    U, s, V = np.linalg.svd(w, full_matrices=False)
    yield (U * np.linalg.svd(v, compute_uv=False)) @ V
    yield from ((U * (s * kept)) @ V for kept in (*_largest(s), *np.eye(s.size)[:LARGEST]))
    if w.shape[0] == w.shape[1]:
        values, vectors = np.linalg.eigh((w + w.T) / 2)
        own = np.linalg.eigvalsh((v + v.T) / 2)
        yield from ((vectors * each) @ vectors.T for each in (values, np.maximum(values, 0), own))


def _largest(sizes: Array) -> Iterator[Array]:
    """Yield masks of the largest one, of the two largest, and so on."""
    rank = np.argsort(np.argsort(-sizes, axis=None, kind="stable")).reshape(sizes.shape)
    yield from (rank < count for count in range(1, min(sizes.size, LARGEST) + 1))


def _in_the_order_of(w: Array, v: Array) -> Array:
    """Return the entries of v in another order: the largest where w is largest, and so on."""
    rank = np.argsort(np.argsort(w, axis=None)).reshape(w.shape)
    ordered: Array = np.sort(v, axis=None)[rank]
    return ordered


def tolerated(penalty: Callable[[Array], float], v: Array, u: Array) -> float:
    """Return how far a set goes on from v through u, 0 if it ends at v or goes on for long.

    An indicator with a tolerance lets points pass that are a little outside of its set.
    """
    away, longest = (u - v) / (peak(u - v) or 1.0), TOLERANCE * (peak(v) or peak(u))
    within = [t for t in longest * 10.0 ** np.arange(-13, 0.3, 0.25) if np.isfinite(penalty(v + t * away))]
    last = max(within, default=0.0)
    return last * length(away) if last <= longest else 0.0
