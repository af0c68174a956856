"""Intervals and differences that studies publish, each by its definition."""

from math import isnan, nan, sqrt

import numpy as np
import pytest
from scipy import stats

from experiments.frame.statistics import Moments, holm, interval, mean_sd, paired, welch
from experiments.frame.text import difference, number


@pytest.mark.parametrize("n", [2, 3, 5, 12])
def test_an_interval_covers_the_mean_in_19_of_20_samples(n):
    draws = np.random.default_rng(n).normal(3, 2, (1_000, n))
    covered = sum(abs(draw.mean() - 3) <= interval(list(draw)) for draw in draws)
    assert abs(covered / 1_000 - 0.95) < 4.5 * sqrt(0.95 * 0.05 / 1_000)


def test_an_interval_is_that_long():
    quantile = {2: 12.7062047, 3: 4.3026527, 5: 2.7764451, 10: 2.2621572}  # Student's t, 97.5 %
    for n, t in quantile.items():
        values = list(np.arange(n, dtype=float))
        assert interval(values) == pytest.approx(t * np.std(values, ddof=1) / sqrt(n), rel=1e-7)
    found = paired({0: 1.0, 1: 2.0, 2: 4.0}, {0: 0.0, 1: 3.0, 2: 1.0, 7: 9.0})
    half = quantile[3] * np.std([1.0, -1.0, 3.0], ddof=1) / sqrt(3)
    assert (found.low, found.high) == pytest.approx((1 - half, 1 + half))


def test_a_difference_of_zero():
    same = {seed: 0.1 * seed for seed in range(5)}
    found = paired(same, dict(same))
    assert (found.difference, found.low, found.high) == (0, 0, 0)
    assert isnan(found.p)
    shifted = paired({seed: value + 0.3 for seed, value in same.items()}, same)  # but for rounding the same everywhere
    assert isnan(shifted.p)
    assert difference(same, same, 2) == ["0.00 (0.00 … 0.00)", "–"]
    assert number(-0.004, 2, "+") == number(0.004, 2, "+") == "0.00"
    for value in (0.0, -0.0, -0.004, 0.004):
        assert number(value, 2) == "0.00"
    assert number(-0.006, 2) == "−0.01"


def test_what_is_no_number_is_no_comparison():
    assert holm([0.01, float("nan"), 0.04])[::2] == pytest.approx([0.02, 0.04])


def test_welch_of_two_tables_is_scipys_test_of_their_samples():
    rng = np.random.default_rng(0)
    one, other = rng.normal(98.6, 0.5, 10), rng.normal(97.7, 0.9, 12)
    of = stats.ttest_ind(one, other, equal_var=False)
    found = welch(*(Moments(*mean_sd(list(sample)), len(sample)) for sample in (one, other)))
    assert found.p == pytest.approx(of.pvalue, rel=1e-9)
    assert found.difference == pytest.approx(one.mean() - other.mean())
    assert (found.low, found.high) == pytest.approx(tuple(of.confidence_interval()))
    for few in (Moments(1.0, nan, 1), Moments(1.0, 0.0, 5)):
        assert isnan(welch(few, few).p)
