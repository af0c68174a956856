"""Means with their spread, and paired differences of methods that share seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np

__all__ = ["Paired", "holm", "interval", "mean_sd", "paired"]


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
    """A mean difference over n pairs, its 95 % confidence interval, and the two-sided p of the paired t-test.

    Interval and p are nan for fewer than two pairs; p is nan too where all differences are the same.
    """

    n: int
    difference: float
    low: float
    high: float
    p: float


def paired(one: Mapping[int, float], other: Mapping[int, float]) -> Paired:
    """Compare one − other over the seeds that both have.

    With d the differences, s their standard deviation and t the 97.5 % point of Student's t with n − 1 degrees of
    freedom, the interval is mean(d) ± t s / √n.
    """
    from scipy import stats

    seeds = sorted(one.keys() & other.keys())
    a, b = np.array([one[seed] for seed in seeds]), np.array([other[seed] for seed in seeds])
    mean, sd = mean_sd(a - b)
    if len(seeds) < 2:
        return Paired(len(seeds), mean, nan, nan, nan)
    half = interval(a - b)
    p = float(stats.ttest_rel(a, b).pvalue) if sd > 1e-12 else nan
    return Paired(len(seeds), mean, mean - half, mean + half, p)
