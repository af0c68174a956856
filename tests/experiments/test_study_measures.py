"""What the studies compute from their measurements, on numbers worked by hand."""

from math import isnan

import numpy as np
import pytest
from scipy import stats

from experiments.frame.long_form import Findings
from experiments.frame.measurements import Measurement
from experiments.frame.statistics import holm, interval
from experiments.frame.text import number
from experiments.studies import scenarios
from experiments.studies.columns import measures as columns
from experiments.studies.columns.study import Columns
from experiments.studies.transferability.design import (
    PRESETS,
    UNTRAINED,
    Group,
    freezing_label,
    pair_setting,
    transferability_jobs,
)
from experiments.studies.transferability.measures import asymmetry, gains, shares, symmetry

GROUP = Group("g", ("a", "b"), 10)


def findings(*measurements, **about):
    return Findings(about, [Measurement("x", s, m, "none", seed, metric, v) for s, m, seed, metric, v in measurements])


def test_the_gain_is_relative_to_scratch_of_the_same_seed():
    found = findings(
        (pair_setting("a", "b", (5, 5)), freezing_label(2), 0, "error", 15.0),
        (pair_setting("a", "b", (5, 5)), freezing_label(2), 1, "error", 30.0),
        (pair_setting(UNTRAINED, "b", (5, 5)), freezing_label(0), 0, "error", 20.0),
        (pair_setting(UNTRAINED, "b", (5, 5)), freezing_label(0), 1, "error", 20.0),
        (pair_setting(UNTRAINED, "b", (5, 5)), freezing_label(2), 1, "error", 40.0),
    )
    of = gains(found, GROUP, (5, 5), 2)
    assert of["a", "b"] == {0: 25.0, 1: -50.0}
    assert of[UNTRAINED, "b"] == {1: -100.0}
    assert of["b", "a"] == {}
    beside = gains(found, GROUP, (5, 5), 2, "random")  # the untrained network with two layers held, where it was run
    assert (beside["a", "b"], beside[UNTRAINED, "b"]) == ({1: 25.0}, {1: 0.0})


def test_symmetry_worked_by_hand():
    of = {("a", "b"): {0: 5.0, 1: 9.0}, ("b", "a"): {0: 2.0, 1: 2.0}}  # differences 3 and 7: mean 5, spread 8 over 1
    found = symmetry(of, ("a", "b"))
    assert (found.F, found.between, found.within) == (2 * 25 / 8, 1, 1)
    assert found.p == pytest.approx(stats.ttest_1samp([3, 7], 0).pvalue)  # one pair: F is the square of t
    assert asymmetry(of, ("a", "b"))["a", "b"].difference == 5
    assert isnan(symmetry({("a", "b"): {}, ("b", "a"): {}}, ("a", "b")).F)


def test_symmetry_is_the_test_of_two_models_one_within_the_other(rng):
    """A mean for each pair against none: F of nested linear models, degrees of freedom as ranks of their designs."""
    tasks, seeds = tuple("abc"), 4
    noise = 0.7 + rng.standard_normal((3, 3, seeds))
    of = {(a, b): dict(enumerate(noise[i, j])) for i, a in enumerate(tasks) for j, b in enumerate(tasks)}
    d = np.concatenate([noise[i, j] - noise[j, i] for i, j in ((0, 1), (0, 2), (1, 2))])
    design = np.repeat(np.eye(3), seeds, 0)
    rest = d - design @ np.linalg.lstsq(design, d)[0]
    between, within = np.linalg.matrix_rank(design), len(d) - np.linalg.matrix_rank(design)
    F = (d @ d - rest @ rest) / between / (rest @ rest / within)
    found = symmetry(of, tasks)
    assert (found.between, found.within) == (between, within)
    assert (found.F, found.p) == pytest.approx((F, stats.f.sf(F, between, within)), rel=1e-9)


def test_symmetric_gains_are_seldom_called_asymmetric(rng):
    tasks, alarms = tuple("abcde"), 0
    for _ in range(200):
        noise = rng.standard_normal((5, 5, 3))
        of = {(a, b): dict(enumerate(noise[i, j])) for i, a in enumerate(tasks) for j, b in enumerate(tasks)}
        alarms += symmetry(of, tasks).p < 0.05
    assert 2 <= alarms <= 20  # 10 expected; outside with a probability below 0.002


def test_shares_of_variance_worked_by_hand():
    def of(x, y):  # pair 1, pair 2
        return {("a", "b"): {0: x}, ("b", "a"): {0: y}}

    pairs = [("a", "b"), ("b", "a")]
    assert shares([of(0.0, 2.0), of(0.0, 2.0)], pairs).pair == 1
    assert shares([of(0.0, 0.0), of(2.0, 2.0)], pairs).network == 1
    assert shares([of(0.0, 2.0), of(2.0, 0.0)], pairs).together == 1
    both = [{("a", "b"): {0: 1.0, 1: -1.0}, ("b", "a"): {0: 1.0, 1: -1.0}}] * 2
    assert shares(both, pairs).seed == 1
    assert shares([of(0.0, 2.0)], pairs) is None
    assert shares([of(0.0, 2.0), {("a", "b"): {0: 1.0}, ("b", "a"): {}}], pairs) is None


def test_shares_sum_to_one(rng):
    pairs = [("a", "b"), ("b", "a"), ("a", "c")]
    networks = [{pair: dict(enumerate(rng.standard_normal(4))) for pair in pairs} for _ in range(2)]
    found = shares(networks, pairs)
    assert found.pair + found.network + found.together + found.seed == pytest.approx(1)


def test_every_pair_and_number_of_layers_is_run():
    design = PRESETS["quick"]
    jobs = [job for job in transferability_jobs(design) if "setting" in job.arguments]
    expected = sum((len(g.tasks) + 1) * len(g.tasks) for g in design.groups)
    assert len(jobs) == expected * design.seeds * sum(len(hidden) + 1 for hidden in design.networks)


def test_holm_worked_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])  # 3 · 0.01, 2 · 0.03, 1 · 0.04 not below it
    assert holm([0.6, 0.9]) == [1, 1]
    adjusted = holm([float("nan"), 0.02])
    assert isnan(adjusted[0])
    assert adjusted[1] == 0.02


def test_the_interval_is_that_of_the_t_distribution():
    values = [1.0, 2.0, 4.0]
    low, high = stats.t.interval(0.95, 2, loc=np.mean(values), scale=stats.sem(values))
    assert interval(values) == pytest.approx((high - low) / 2)
    assert isnan(interval([1.0]))


def test_what_rounds_to_zero_has_no_sign():
    assert (number(-0.4, 0), number(-0.6, 0), number(0.04, 1, "+")) == ("0", "−1", "0.0")


def test_the_lower_layer_is_chosen_by_validation():
    place, lower = "lines, small, different", scenarios.PROBES[1:]
    found = findings(
        (place, lower[0], 0, "validation", 10.0),
        (place, lower[1], 0, "validation", 9.0),
        (place, lower[0], 0, "error", 1.0),
        (place, lower[1], 0, "error", 2.0),
        (place, lower[0], 1, "validation", 5.0),
        (place, lower[1], 1, "validation", 5.0),
        (place, lower[0], 1, "error", 3.0),
        (place, lower[1], 1, "error", 4.0),
    )
    assert scenarios._values(found, "lines", ("small", "different"), scenarios.LOWER) == {0: 2.0, 1: 3.0}


def test_a_sequence_worked_by_hand():
    tasks = [{"task": task} for task in ("p", "q", "r")]
    found = findings(
        *(
            (f"source {task} 5-5", "scratch", 0, "error", value)
            for task, value in (("p", 10.0), ("q", 20.0), ("r", 50.0))
        ),
        ("f after q", "w", 0, "error on p", 8.0),
        ("f after q", "w", 0, "error on q", 12.0),
        ("f after r", "w", 0, "error on p", 11.0),
        ("f after r", "w", 0, "error on q", 16.0),
        ("f after r", "w", 0, "error on r", 40.0),
        ("f: q before", columns.FIRST, 0, "error", 25.0),
        ("f: q before", columns.UNTRAINED, 0, "error", 35.0),
        ("f: r before", "w", 0, "error", 45.0),
        ("f: r before", columns.UNTRAINED, 0, "error", 47.0),
        hidden=[5, 5],
        sequences={"f": tasks},
        methods=["w"],
    )
    (E,) = columns.error_matrices(found, "f", "w").values()
    np.testing.assert_array_equal(E, [[10, np.nan, np.nan], [8, 12, np.nan], [11, 16, 40]])
    assert columns.transfer_scores(found, "f", "w") == {0: [88 / 80, 60 / 50]}
    assert columns.forward_transfers(found, "f", "w") == [(10 + 2) / 2]
    row = Columns.tables(found)[0].rows[1]
    assert row[:6] == ["w", "22.33", "2.50", "3.50", "−2.50", "6.00"]
