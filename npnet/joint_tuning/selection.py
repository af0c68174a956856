"""Which source images are like a target image: low-level descriptors, and the nearest of them by matrix products.

A descriptor takes images X (N, D) to (N, d). Two kinds: the histograms of Gabor filters' responses, whose bins are
chosen so that each holds an equal share of the source's responses; and the activations of a network's lowest layers.
A target's neighbours are ranked once; how many of them count may grow for targets that stay misclassified.

Source: Ge and Yu 2017, section 3.2 and 3.3.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.arrays import Array, array_module
from npnet.data import Split, batch
from npnet.network import Network
from npnet.trees import Tree

__all__ = [
    "Descriptor",
    "Neighbours",
    "activations",
    "describe",
    "gabor_bank",
    "gabor_histograms",
    "nearest",
    "neighbours_of",
    "responses",
]

Descriptor = Callable[[Array], Array]

_BLOCK = 200  # images whose responses are in memory at once
_ENTRIES = 2**25  # distances that are


def gabor_bank(
    size: int = 7,
    orientations: int = 4,
    wavelengths: Sequence[float] = (3.0, 6.0),
    phases: Sequence[float] = (0.0, 90.0),
) -> Array:
    """Return Gabor filters (F, size²): e^{−(u² + v²/4)/(2σ²)} cos(2π u/λ + φ), u along the orientation, v across.

    One for each of `orientations` angles evenly over 180°, wavelengths λ in pixels and phases φ in degrees, σ = λ/2;
    each of mean zero and unit length. Raises ValueError for an even or small size, for wavelengths that are not above
    zero, and for no filters.
    """
    if size < 3 or size % 2 == 0 or orientations < 1 or not wavelengths or min(wavelengths) <= 0 or not phases:
        raise ValueError(
            f"size is {size}, {orientations} orientations, wavelengths {wavelengths}, phases {phases}; "
            "expected an odd size from 3, wavelengths above zero, and at least one of each"
        )
    y, x = np.mgrid[:size, :size] - size // 2
    filters = []
    for k in range(orientations):
        angle = math.pi * k / orientations
        u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
        for wavelength in wavelengths:
            envelope = np.exp(-(u**2 + v**2 / 4) / (2 * (wavelength / 2) ** 2))
            for phase in phases:
                wave = (envelope * np.cos(2 * math.pi * u / wavelength + math.radians(phase))).reshape(-1)
                wave -= wave.mean()
                filters.append(wave / np.linalg.norm(wave))
    return np.array(filters)


def responses(X: Array, side: int, bank: Array) -> Array:
    """Return the response of each filter (F, size²) at every place where it fits in square images X (N, side²).

    (N, P, F) for P = (side − size + 1)² places: one product with all windows of an image. Raises ValueError for images
    that are not of that side, or smaller than a filter.
    """
    xp, size = array_module(X, bank), math.isqrt(bank.shape[-1])
    if X.shape[-1] != side * side or side < size:
        raise ValueError(f"X has shape {X.shape}; expected (N, {side * side}), at least {size} pixels to a side")
    pixels = np.arange(side * side).reshape(side, side)
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (size, size)).reshape(-1, size * size)
    return X[:, xp.asarray(windows)] @ bank.T.astype(X.dtype)  # (N, P, size²) → (N, P, F)


def gabor_histograms(reference: Split, side: int, bins: int = 10, bank: Array | None = None) -> Descriptor:
    """Return the descriptor X (N, side²) → (N, F · bins): for each filter the shares of its responses in each bin.

    A filter's bins are bounded by the quantiles of its responses on the reference, up to 200 images from its start.
    bank: by default `gabor_bank()`. Raises ValueError for fewer than two bins.
    """
    if bins < 2:
        raise ValueError(f"bins is {bins}; expected at least 2")
    first = batch(reference, slice(0, _BLOCK))
    xp = array_module(first)
    filters = xp.asarray(gabor_bank()) if bank is None else bank
    known = responses(first, side, filters)
    known = xp.ascontiguousarray(known.reshape(-1, known.shape[-1]).T)  # (N, P, F) → (F, N·P)
    shares = [k / bins for k in range(1, bins)]
    edges = xp.quantile(known, xp.asarray(shares), axis=-1).T  # (F, bins − 1)
    return partial(_blockwise, partial(_shares, side=side, filters=filters, edges=edges), size=_BLOCK)


def _shares(X: Array, side: int, filters: Array, edges: Array) -> Array:
    """Return the shares of each filter's responses between its edges (F, bins − 1): (N, F · bins)."""
    xp, R = array_module(X), responses(X, side, filters)
    above = xp.stack([(edges[:, k] < R).mean(1) for k in range(edges.shape[1])], -1)  # (N, F, bins − 1), falling
    whole, none = xp.ones_like(above[..., :1]), xp.zeros_like(above[..., :1])
    counts = xp.concatenate([whole, above], -1) - xp.concatenate([above, none], -1)
    return counts.reshape(len(X), -1)


def activations(network: Network, layers: Sequence[int] = (1,)) -> Descriptor:
    """Return the descriptor that is the outputs of some hidden layers, from 1: (N, d). Raises for layers not there."""
    for layer in layers:
        if not 1 <= layer <= network.depth:
            raise ValueError(f"layers is {tuple(layers)}; expected numbers from 1 to {network.depth}")
    return partial(_outputs, network=network, layers=tuple(layers))


def _outputs(X: Array, network: Network, layers: Sequence[int]) -> Array:
    hidden = network.hidden_outputs(X)
    return array_module(X).concatenate([hidden[layer - 1] for layer in layers], -1)


def describe(descriptor: Descriptor, split: Split, dtype: Any = np.float32) -> Array:
    """Return the descriptors of a split's inputs, (N, d)."""
    blocks = [descriptor(batch(split, slice(at, at + 1000), dtype)) for at in range(0, len(split), 1000)]
    return array_module(blocks[0]).concatenate(blocks)


def _blockwise(f: Callable[[Array], Array], X: Array, size: int) -> Array:
    return array_module(X).concatenate([f(X[at : at + size]) for at in range(0, len(X), size)])


def nearest(targets: Array, source: Array, k: int) -> Array:
    """Return the k rows of `source` (M, d) that are nearest to each row of `targets` (N, d), nearest first: (N, k).

    ‖t − s‖² = ‖t‖² − 2 t·s + ‖s‖², all t·s of a block in one product, in double precision; blocks only bound memory. Of
    equally near ones the first comes first. Raises ValueError unless 1 ≤ k ≤ M and the widths are equal.
    """
    xp = array_module(targets, source)
    if not 1 <= k <= len(source) or not targets.ndim == source.ndim == 2 or targets.shape[1] != source.shape[1]:
        raise ValueError(
            f"k is {k}, targets {targets.shape}, source {source.shape}; expected 1 <= k <= {len(source)}, equal widths"
        )
    middle = source.astype(np.float64).mean(0)  # distances do not change, and less is lost where they are small
    S, T = source.astype(np.float64) - middle, targets.astype(np.float64) - middle
    squares = (S * S).sum(-1)

    def ranked(block: Array) -> Array:
        distances = squares - 2 * (block @ S.T)  # (n, M), but for ‖t‖²
        found = xp.sort(xp.argpartition(distances, k - 1, axis=-1)[:, :k], axis=-1)
        kth = xp.take_along_axis(distances, found, -1).max(-1, keepdims=True)
        shared = (distances <= kth).sum(-1) > k  # others are as near as the last: which of them came in is chance
        if shared.any():
            nearer, as_near = distances[shared] < kth[shared], distances[shared] == kth[shared]
            chosen = nearer | (as_near & (as_near.cumsum(-1) <= k - nearer.sum(-1, keepdims=True)))
            found[shared] = xp.nonzero(chosen)[1].reshape(-1, k)
        order = xp.argsort(xp.take_along_axis(distances, found, -1), axis=-1, kind="stable")
        return xp.take_along_axis(found, order, -1)

    return _blockwise(ranked, T, max(1, _ENTRIES // len(S)))


@dataclass(frozen=True)
class Neighbours:
    """The source rows nearest to each target, (N, K), nearest first, and how many of them count, (N,)."""

    ranking: Array
    counts: Array

    def rows(self) -> Array:
        """Return every source row that counts as some target's neighbour, once, in order."""
        xp = array_module(self.ranking)
        return xp.unique(self.ranking[xp.arange(self.ranking.shape[-1]) < self.counts[:, None]])

    def grown(self, wrong: Array, step: int) -> "Neighbours":
        """Return them with `step` more neighbours for each target that is wrong (N,), as far as they are ranked."""
        if wrong.shape != self.counts.shape or step < 0:
            raise ValueError(f"wrong has shape {wrong.shape}, step {step}; expected {self.counts.shape}, zero or more")
        xp = array_module(self.counts)
        return replace(self, counts=xp.minimum(self.counts + step * wrong, self.ranking.shape[-1]))

    def tree(self) -> Tree:
        """Return them as a plain tree."""
        return {"ranking": self.ranking, "counts": self.counts}


@checked
def neighbours_of(targets: Array, source: Array, k: int, most: int | None = None) -> Neighbours:
    """Return the neighbours of targets (N, d) in a source (M, d): k of each count, `most` (by default k) are ranked.

    Raises ValueError unless 1 ≤ k ≤ most, and as `nearest` does.
    """
    ranked = k if most is None else most
    if not 1 <= k <= ranked:
        raise ValueError(f"k is {k}, most {most}; expected 1 <= k <= most")
    ranking = nearest(targets, source, ranked)
    return Neighbours(ranking, array_module(ranking).full(len(ranking), k))
