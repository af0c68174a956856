"""Means with their spread, and paired differences of methods that share seeds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan, sqrt
from statistics import fmean
from typing import NamedTuple

import numpy as np

__all__ = ["Moments", "Paired", "Welch", "holm", "interval", "mean_sd", "paired", "welch"]


def mean_sd(values: Sequence[float]) -> tuple[float, float]:
    """Return mean and standard deviation, Σ(x − mean)² over n − 1; nan where there are too few values."""
    mean = float(np.mean(values)) if len(values) else nan
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else nan
    return mean, sd


def interval(values: Sequence[float]) -> float:
    """Return half the width of the 95 % confidence interval of a mean, t s / √n; nan for fewer than two values."""
    from scipy import stats  # a second BLAS library: not in the workers

    n = len(values)
    return float(stats.t.ppf(0.975, n - 1)) * mean_sd(values)[1] / sqrt(n) if n > 1 else nan


def holm(ps: Sequence[float]) -> list[float]:
    """Return p values adjusted for how many there are: the k-th smallest of m is multiplied by m − k + 1, in order.

    Rejecting where the adjusted value is below a level keeps the chance of any false alarm below it. NaN is not
    counted, and stays. Source: Holm 1979.
    """
    adjusted, worst = [nan] * len(ps), 0.0
    order = sorted((i for i, p in enumerate(ps) if p == p), key=lambda i: ps[i])
    for k, i in enumerate(order):
        worst = max(worst, min(1.0, (len(order) - k) * ps[i]))
        adjusted[i] = worst
    return adjusted


@dataclass(frozen=True)
class Paired:
    """A mean difference over n independent pairs, its 95 % confidence interval, and the two-sided p of the t-test.

    Interval and p are nan for fewer than two pairs; p is nan too where all differences are the same.
    """

    n: int
    difference: float
    low: float
    high: float
    p: float


def paired(one: Mapping[int, float], other: Mapping[int, float], cluster: Callable[[int], int] | None = None) -> Paired:
    """Compare one − other over the seeds that both have.

    With d the differences, s their standard deviation and t the 97.5 % point of Student's t with n − 1 degrees of
    freedom, the interval is mean(d) ± t s / √n.

    cluster: from a seed to what it shares with other seeds, such as the network that their runs begin with. Runs of one
    cluster are not independent: d are then the means of clusters, and n their number. Where all clusters have as many
    runs this is the interval of the mixed model with a random effect of the cluster.
    Source: Donner and Klar 2000, on the analysis of cluster means.
    """
    from scipy import stats

    clusters: dict[int, list[float]] = {}
    for seed in sorted(one.keys() & other.keys()):
        clusters.setdefault(cluster(seed) if cluster else seed, []).append(one[seed] - other[seed])
    d = [fmean(each) for each in clusters.values()]
    mean, sd = mean_sd(d)
    if len(d) < 2:
        return Paired(len(d), mean, nan, nan, nan)
    half = interval(d)
    p = float(stats.ttest_1samp(d, 0.0).pvalue) if sd > 1e-12 else nan
    return Paired(len(d), mean, mean - half, mean + half, p)


class Moments(NamedTuple):
    """What is known of runs of which only a table is left: mean, standard deviation (over n − 1), their number."""

    mean: float
    sd: float
    n: int


class Welch(NamedTuple):
    """A difference of two means with its 95 % confidence interval and the two-sided p of Welch's t-test."""

    difference: float
    low: float
    high: float
    p: float


def welch(one: Moments, other: Moments) -> Welch:
    """Compare the means one − other of independent runs, which need not have one standard deviation.

    The interval is d ± t e with e² = s₁²/n₁ + s₂²/n₂ and the degrees of freedom of Welch and Satterthwaite,
    e⁴ / Σ (sᵢ²/nᵢ)²/(nᵢ − 1). Both need two runs, and not both a deviation of zero: else interval and p are nan.
    Source: Welch 1947.
    """
    from scipy import stats

    d = one.mean - other.mean
    parts = [each.sd**2 / each.n for each in (one, other)]
    if min(one.n, other.n) < 2 or not sum(parts) > 0:
        return Welch(d, nan, nan, nan)
    error = sqrt(sum(parts))
    freedom = sum(parts) ** 2 / sum(part**2 / (each.n - 1) for part, each in zip(parts, (one, other), strict=True))
    half = float(stats.t.ppf(0.975, freedom)) * error
    return Welch(d, d - half, d + half, float(2 * stats.t.sf(abs(d) / error, freedom)))
