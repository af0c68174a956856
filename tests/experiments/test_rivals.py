"""Gradual Tuning among its rivals: the controls are what they say, and probes measure what they say."""

import json
from itertools import product

import pytest
from tinystudy import command, rows, run

from experiments.frame.measurements import Measurement
from experiments.frame.statistics import holm, paired
from experiments.studies.rivals import METHODS, Rivals, rivals_comparison, rivals_design, rivals_jobs
from experiments.studies.sensitivity.study import Sensitivity
from experiments.studies.tables.design import TrainingProtocol
from experiments.studies.tables.report import forgetting, lost
from experiments.studies.tables.results import TableResults
from experiments.studies.tables.transfer import method_of
from npnet import generator, gradual_tuning
from npnet.tasks import load


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    try:
        load("mnist")
    except (ConnectionError, ImportError) as error:
        pytest.skip(str(error))
    out = tmp_path_factory.mktemp("rivals") / "results"
    assert "Rival − Gradual Tuning" in run(command("rivals", "--preset", "smoke", "--out", out))
    return out


def test_every_rival_and_probe_is_there(studied):
    table = rows(studied / "results.csv")
    for method in METHODS:
        metrics = {row["metric"] for row in table if row["method"] == method}
        assert {"task_a_error_after", "task_b_error", "probe_error", "r_squared_1", "r_squared_2"} <= metrics
    assert {row["metric"] for row in table if row["method"] == "first"} >= {"probe_error", "task_a_error_before"}


def test_the_budget_is_that_of_the_paired_gradual_run(studied):
    def epochs(method):
        return len(json.loads((studied / "jobs" / f"rivals-none-{method}-0" / "result.json").read_text())["history"])

    assert epochs("budget") == epochs("gradual")
    needs = {job.name: job.needs for job in rivals_jobs(rivals_design("quick"))}
    assert "rivals-l1-gradual-1" in needs["rivals-l1-budget-1"]


def test_what_was_not_touched_explains_itself_whole(studied):
    table = rows(studied / "results.csv")
    first = {
        row["metric"]: float(row["value"]) for row in table if row["method"] == "first" and row["regularizer"] == "l1"
    }
    assert first["r_squared_1"] == first["r_squared_2"] == 1


def test_a_report_needs_no_jobs(studied, tmp_path):
    run(command("report", studied, "--out", tmp_path / "with"))
    run(command("report", tmp_path / "with", "--out", tmp_path / "without"))
    for name in ("results.csv", "curves.csv", "results.json", "table.md", "rivals.png"):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()


def test_loss_of_features_is_measured_against_the_probe_of_the_first_network():
    def number(method, metric, value):
        return Measurement("rivals", "", method, "none", 0, metric, value)

    found = TableResults(
        rivals_design("quick"),
        {},
        [
            number("first", "probe_error", 1.5),
            number("fine", "probe_error", 2.0),
            number("fine", "task_a_error_before", 1.0),
            number("fine", "task_a_error_after", 9.0),
        ],
        [],
    )
    assert lost(found, "probe_error", "fine", "none") == {0: 0.5}
    assert forgetting(found, "fine", "none") == {0: 8.0}
    assert lost(found, "probe_error", "gradual", "none") == {}


def test_p_values_are_adjusted_for_how_many_rivals_there_are():
    rng = generator(0, "p values")
    of = rivals_design("quick")
    found = [
        Measurement("rivals", "", method, row, seed, metric, 1.0 + rng.random())
        for method, row, seed in product(of.methods, of.regularizers, range(3))
        for metric in ("task_a_error_before", "task_a_error_after", "task_b_error")
    ]
    results = TableResults(of, {}, found, [])
    table = rivals_comparison(results).rows
    assert len(table) == 6 * 3
    for column, of_run in ((3, forgetting), (5, lambda r, *which: r.values("task_b_error", *which))):
        ps = [paired(of_run(results, row[0], row[1]), of_run(results, "gradual", row[1])).p for row in table]
        assert [row[column] for row in table] == [f"{p:.2g}" for p in holm(ps)]
        assert holm(ps) != ps


def test_methods_by_name():
    protocol = TrainingProtocol(train=50, validation=20, test=20)
    assert method_of("gradual", protocol) == gradual_tuning
    assert method_of("budget", protocol, 7).policy.epochs == 7
    both = method_of("gradual+l2_sp", protocol)
    assert both.policy == gradual_tuning.policy
    assert both.objective is not gradual_tuning.objective
    with pytest.raises(KeyError):
        method_of("magic", protocol)


def test_repetitions_may_begin_with_networks_of_their_own():
    of = rivals_design("paper", networks=5)
    assert {of.first_job("none", seed) for seed in range(5)} < {job.name for job in rivals_jobs(of)}
    assert [of.cluster(seed) for seed in range(5)] == [0, 1, 2, 3, 4]
    assert rivals_design("paper").cluster is None
    for study in (Rivals(preset="paper", networks=5), Sensitivity(preset="paper", networks=5, only="batch-100")):
        assert all(each["protocol"]["networks"] == 5 for each in study.plan().configuration["studies"].values())
