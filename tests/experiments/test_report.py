"""The published numbers are whole, statistics are right by hand, and tables say what they must."""

import json
from collections import Counter
from dataclasses import asdict, replace
from math import floor, isnan

import pytest
from scipy import stats

from experiments.command import main
from experiments.frame.grids import Grid, markdown
from experiments.frame.measurements import Measurement
from experiments.frame.statistics import mean_sd, paired
from experiments.published import published
from experiments.studies.tables import figures
from experiments.studies.tables.claims import Theirs, claims_grid, claims_of, count, theirs, write_claims
from experiments.studies.tables.design import REGULARIZERS, ROWS, TABLES, TableDesign, protocol
from experiments.studies.tables.report import comparison_grid, lost, table_grid, table_notes
from experiments.studies.tables.results import Point, TableResults, joined_results, read_results, write_results
from experiments.studies.tables.transfer import table_jobs

TABLE3 = TableDesign(TABLES["table3"], protocol(TABLES["table3"], "quick"))


def results_of(errors):
    """errors: {(method, regularizer): [(before, after, b, epochs) for each seed]}."""
    names = ("task_a_error_before", "task_a_error_after", "task_b_error", "epochs")
    measurements = [
        Measurement("table3", "acl->ac 500-500", method, regularizer, seed, metric, value)
        for (method, regularizer), runs in errors.items()
        for seed, values in enumerate(runs)
        for metric, value in zip(names, values, strict=True)
    ]
    return TableResults(TABLE3, {}, measurements, [])


def test_published_numbers_are_whole():
    rows = published()
    assert len(rows) == 96
    assert Counter(row.table for row in rows) == {**dict.fromkeys(range(1, 7), 6), 7: 30, 8: 30}
    assert {row.regularizer for row in rows} == set(ROWS)
    assert {row.method for row in rows} == {"fine", "gradual"}
    for row in rows:
        assert row.network in ("500-500", "1000-1000-1000")
        assert all(0 <= value <= 100 for value in row[7:12])
        assert row.measured_on in row.task_a.split("+")
    assert len({(r.table, r.regularizer, r.method, r.measured_on) for r in rows}) == 96


def test_published_numbers_belong_to_the_tables_that_can_be_repeated():
    for table in TABLES.values():
        found = [row for row in published() if row.table == table.number]
        assert {("+".join(table.first), table.second) for _ in found} == {(row.task_a, row.task_b) for row in found}
        assert {"-".join(map(str, table.hidden))} == {row.network for row in found}


def test_the_paper_preset_is_the_paper():
    for name, table in TABLES.items():
        p, images = protocol(table, "paper"), name in ("table1", "table2")
        assert (p.train, p.validation, p.test) == ((20_000, 5_000, 5_000) if images else (330_000, 10_000, 10_000))
        assert (p.seeds, p.batch_size, p.rate, p.patience) == (5, 20, 0.01, 20)
    assert REGULARIZERS["dropout"].rates(3) == (0.2, 0.5, 0.5)
    (penalty,) = REGULARIZERS["l1"].regularizers()
    assert (penalty.strength, penalty.where, penalty.biases) == (1e-4, "all", False)


def test_mean_and_standard_deviation():
    assert mean_sd([1.0, 2.0, 4.0]) == pytest.approx((7 / 3, (7 / 3) ** 0.5))
    assert isnan(mean_sd([1.0])[1])


def test_pairs_are_compared_by_seed():
    one, other = {0: 3.0, 1: 5.0, 2: 4.5, 3: 9.0}, {2: 2.0, 0: 2.0, 1: 3.0}
    found = paired(one, other)
    expected = stats.ttest_rel([3.0, 5.0, 4.5], [2.0, 3.0, 2.0])
    assert found.n == 3
    assert found.difference == pytest.approx(5.5 / 3)
    assert found.p == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize("values", [{}, {0: 1.0}])
def test_too_few_pairs_have_no_interval(values):
    found = paired(values, values)
    assert found.n == len(values)
    assert isnan(found.low)
    assert isnan(found.p)


def test_equal_differences_have_no_p():
    assert isnan(paired({0: 1.5, 1: 2.5}, {0: 1.0, 1: 2.0}).p)


def test_runs_that_begin_with_one_network_count_once():
    """Three networks that differ by whole points, and four heads on each by hundredths: n is 3, not 12."""
    fine = {seed: 10.0 + (seed % 3) + 0.01 * (seed // 3) for seed in range(12)}
    found, alone = (
        paired(fine, dict.fromkeys(fine, 10.0), lambda seed: seed % 3),
        paired(fine, dict.fromkeys(fine, 10.0)),
    )
    means = [0.015, 1.015, 2.015]
    low, high = stats.t.interval(0.95, 2, 1.015, stats.sem(means))
    assert found.n == 3
    assert (found.difference, found.low, found.high) == pytest.approx((1.015, low, high))
    assert found.p == pytest.approx(stats.ttest_1samp(means, 0).pvalue)
    assert alone.n == 12
    assert alone.p < 0.01 < found.p


def test_repetitions_take_turns_at_the_first_networks():
    how = replace(protocol(TABLES["table1"], "smoke"), seeds=5, networks=2)
    design = TableDesign(TABLES["table1"], how, ("none",))
    jobs = {job.name: job for job in table_jobs([design])}
    firsts = [name for name in jobs if name.startswith("first")]
    assert firsts == ["first-mnist04-500-500-none", "first-mnist04-500-500-none-1"]
    assert [jobs[name].arguments["protocol"].data_seed for name in firsts] == [0, 1]
    for seed in range(5):
        for method in design.methods:
            assert jobs[design.second_job("none", method, seed)].needs == (firsts[seed % 2],)
        assert how.of(seed).data_seed == seed % 2
    assert design.cluster(3) == design.cluster(1) == 1
    assert replace(design, protocol=replace(how, networks=1)).cluster is None
    values = {("first", 0): 1.0, ("first", 1): 5.0} | {("fine", seed): 10.0 + seed for seed in range(5)}
    names = {"first": "probe_error", "fine": "probe_error"}
    found = [Measurement("table1", "", m, "none", seed, names[m], v) for (m, seed), v in values.items()]
    assert lost(TableResults(design, {}, found, []), "probe_error", "fine", "none") == {
        0: 9.0,
        1: 6.0,
        2: 11.0,
        3: 8.0,
        4: 13.0,
    }


def test_the_table_has_ours_beside_the_papers():
    grid = table_grid(
        results_of({("fine", "none"): [(9, 20, 3, 40), (9, 22, 4, 44)], ("gradual", "none"): [(9, 15, 3, 90)]})
    )
    ours, theirs, *others = grid.rows
    assert ours[0] == "none"
    assert ours[1] == f"here {TABLE3.protocol.train:,} × 2, 1"
    assert ours[2:5] == ["3.50 ± 0.71", "9.00 → 21.00 ± 1.41", "42 ± 3"]
    assert ours[5:] == ["3.00", "9.00 → 15.00", "90"]
    assert theirs[1:5] == ["paper 330,000 × 5", "2.50 ± 0.01", "9 → 18.8 ± 0.3", "47 ± 5"]
    assert [row[0] for row in others] == ["l1", "", "dropout", ""]
    assert others[0][1] == f"here {TABLE3.protocol.train:,} × 0"
    assert others[0][2:] == ["–", "– → –", "–"] * 2


def test_the_comparison_is_of_forgetting():
    runs = {("fine", "none"): [(9, 20, 3, 40), (9, 22, 4, 44)], ("gradual", "none"): [(9, 15, 3, 90), (9, 16, 3, 9)]}
    row = comparison_grid(results_of(runs)).rows[0]
    assert row[:3] == ["none", "12.00", "6.50"]
    assert row[3] == "+5.50 (−0.85 … +11.85)"
    assert row[-1] == "2, from 1 network"


def test_notes_tell_amounts_and_what_is_missing():
    results = results_of({("fine", "none"): [(9, 20, 3, TABLE3.protocol.max_epochs_b)]})
    text = "\n".join(table_notes(results))
    assert f"{TABLE3.protocol.train:,} / " in text
    assert "330,000 / 10,000 / 10,000 stimuli" in text
    assert "Incomplete: 1 of 18 runs" in text
    assert "1 of 1 runs on the second task ended at the cap" in text
    assert "glorot initialisation, best weights" in text
    other = replace(TABLE3, protocol=replace(TABLE3.protocol, initialise_head="normal"))
    assert "glorot initialisation (normal for the new head), best" in table_notes(replace(results, design=other))[0]


def test_markdown_has_a_line_for_each_row():
    text = markdown(Grid("A title", ["", "x"], [["a", "1\n2"], ["b", "3"]]))
    assert text == "**A title**\n\n|  | x |\n| --- | --- |\n| a | 1<br>2 |\n| b | 3 |\n"


def as_published(table, less_gradual=0.0, train=100):
    """Return results that say what the paper says, each method's seeds around its mean, paired."""
    design = TableDesign(table, protocol(table, "paper"))
    measurements = []
    for row in (row for row in published() if row.table == table.number):
        name = f":{row.measured_on}" if len(table.first) > 1 else ""
        for seed, shift in enumerate((-0.01, 0.0, 0.01)):
            after = row.task_a_error_after + shift + (less_gradual if row.method == "gradual" else 0.0)
            for metric, value in (
                (f"task_a_error_before{name}", row.task_a_error_before),
                (f"task_a_error_after{name}", after + shift * (row.method == "fine")),
                ("task_b_error", row.task_b_error),
            ):
                found = Measurement(table.name, table.setting, row.method, row.regularizer, seed, metric, value)
                measurements += [found] if found not in measurements else []
    return TableResults(design, {}, measurements, [])


def test_all_claims_hold_in_the_papers_own_numbers():
    claims = claims_of([as_published(table) for table in TABLES.values()])
    assert len(claims) == 24
    assert {claim.verdict for claim in claims} == {"holds"}
    for claim in claims:
        assert claim.difference.difference == pytest.approx(claim.theirs.fine - claim.theirs.gradual, abs=1e-9)
    assert count(claims) == (
        "24 of 24 pairs are measured: the paper's claim holds in 24, is reversed in 0, and is undecided in 0. The mean "
        "difference has the paper's sign in 24. In 19 of the measured pairs the paper's own intervals do not overlap; "
        "the claim holds in 19 of these."
    )
    assert "–" not in [job for row in claims_grid(claims).rows for job in row]


def test_another_reading_of_a_row_is_counted_in_its_place():
    results = as_published(TABLES["table1"])
    read = [m._replace(regularizer="l1_twentieth") for m in results.measurements if m.regularizer == "l1"]
    design = replace(results.design, regularizers=("none", "l1_twentieth"))
    claims = claims_of([replace(results, design=design, measurements=[*results.measurements, *read])])
    assert [claim.regularizer for claim in claims] == ["none", "l1_twentieth"]
    assert claims[1].theirs == theirs(1, "l1")
    first, other = count(claims).split("\n\n")
    assert first.startswith("1 of 24 pairs are measured: the paper's claim holds in 1, is reversed in 0")
    assert other.startswith("With L1, λ/20 in its row, 2 of 24 pairs are measured: the paper's claim holds in 2")
    assert len(claims_grid(claims).rows) == 25
    assert len(claims_grid(claims[:1]).rows) == 24
    (_, _, ours, paper) = table_grid(replace(results, design=design, measurements=read)).rows
    assert ours[0] == "l1_twentieth"
    assert "1.2 → 3.5 ± 0.6" in paper


def test_of_several_scales_the_largest_counts(tmp_path):
    small = as_published(TABLES["table1"], less_gradual=10.0)
    small = replace(small, design=replace(small.design, protocol=replace(small.design.protocol, train=2_000)))
    large = rows_of(as_published(TABLES["table1"]), "none")
    claims = claims_of([large, small])
    assert [(claim.regularizer, claim.train) for claim in claims] == [
        *((row, 2_000) for row in ROWS),
        ("none", 20_000),
    ]
    assert count(claims) == count([claims[3], claims[1], claims[2]])
    sizes = [row[4] for row in claims_grid(claims).rows[:3]]
    assert sizes == ["2,000 × 3 heads", "20,000 × 3 heads", "2,000 × 3 heads"]
    assert len(claims_grid(claims).rows) == 25
    once = replace(large, measurements=[m for m in large.measurements if m.seed == 0])
    assert count(claims_of([once, small])) == count(claims_of([small]))
    assert count(claims_of([once])).startswith("1 of 24 pairs are measured")
    for name, results in (("table1", large), ("table1_tenth", small)):
        write_results(replace(results, about=rows_of(results, *results.design.regularizers).about), tmp_path / name)
    write_claims(tmp_path)
    assert (tmp_path / "claims.md").read_text().count("20,000 × 3") == 1


def rows_of(results, *regularizers):
    """Return what a run of some rows alone would have left."""
    design = replace(results.design, regularizers=regularizers)
    about = {
        "experiment": design.name,
        "configuration": asdict(design),
        "seeds": list(range(design.protocol.seeds)),
        "environments": [{"commit": regularizers[0]}, {"commit": "of all"}],
        "compute_seconds": 1.5,
        "peak_memory_mb": len(regularizers),
        "probes": "none" in regularizers,
        "starts": [{"started": regularizers[0]}],
    }
    points = [Point("fine", regularizer, 0, 0, 0, 0, "mnist04", 1.0) for regularizer in regularizers]
    return TableResults(design, about, [m for m in results.measurements if m.regularizer in regularizers], points)


def test_rows_that_were_run_apart_are_joined(tmp_path, capsys):
    whole = rows_of(as_published(TABLES["table1"]), "none", "l1", "dropout")
    apart = [rows_of(whole, "l1"), rows_of(whole, "none", "dropout")]
    together = joined_results(apart)
    assert together.design == whole.design
    assert together.measurements == sorted(whole.measurements, key=lambda m: list(ROWS).index(m.regularizer))
    assert [point.regularizer for point in together.curves] == ["none", "l1", "dropout"]
    assert together.about == whole.about | {
        "environments": [{"commit": name} for name in ("l1", "of all", "none")],
        "compute_seconds": 3.0,
        "peak_memory_mb": 2,
        "starts": [{"started": "l1"}, {"started": "none"}],
    }
    for name, each in zip(("one", "other"), apart, strict=True):
        write_results(replace(each, curves=[]), tmp_path / name)
    assert main(["join", str(tmp_path / "one"), str(tmp_path / "other"), "--out", str(tmp_path / "both")]) == 0
    both = read_results(tmp_path / "both")
    assert (both.design, both.measurements) == (together.design, together.measurements)
    assert both.about == json.loads(json.dumps(together.about))
    assert "| dropout | here" in (tmp_path / "both" / "table.md").read_text()
    for folders, why in ((("one", "one"), "row 'l1' of table1 is there twice"), (("one", "no"), "has no results.json")):
        paths = [str(tmp_path / name) for name in folders]
        assert main(["join", *paths, "--out", str(tmp_path / "refused")]) == 2
        assert why in capsys.readouterr().err
    assert not (tmp_path / "refused").exists()


def test_rows_of_other_tables_or_protocols_are_not_joined():
    results = rows_of(as_published(TABLES["table1"]), "none", "l1", "dropout")
    mine, rate = rows_of(results, "l1"), replace(results.design.protocol, rate=0.02)
    for other in (
        rows_of(replace(results, design=replace(results.design, protocol=rate)), "none"),
        rows_of(as_published(TABLES["table2"]), "none"),
    ):
        with pytest.raises(ValueError, match="expected rows of"):
            joined_results([mine, other])


@pytest.mark.parametrize("order", [1, -1])
def test_joined_rows_may_have_more_repetitions_than_others(order):
    results = rows_of(as_published(TABLES["table1"]), "none", "l1", "dropout")
    two = replace(results.design, protocol=replace(results.design.protocol, seeds=2))
    fewer = rows_of(replace(results, design=two), "none")
    fewer = replace(fewer, measurements=[m for m in fewer.measurements if m.seed < 2])
    together = joined_results([rows_of(results, "l1"), fewer][::order])
    assert together.design == replace(results.design, regularizers=("none", "l1"))
    assert together.about["seeds"] == [0, 1, 2, 3, 4]
    assert [len(together.values("task_b_error", "fine", row)) for row in ("none", "l1")] == [2, 3]


def test_pairs_are_the_seeds_that_both_methods_have():
    results = as_published(TABLES["table1"])
    late = [m for m in results.measurements if (m.method, m.seed) != ("gradual", 2)]
    (row, *_) = comparison_grid(TableResults(results.design, {}, late, [])).rows
    assert row[-1] == "2, from 1 network"
    fine = [m.value for m in late if (m.metric, m.method, m.regularizer) == ("task_a_error_after", "fine", "none")]
    assert float(row[1]) == pytest.approx((fine[0] + fine[1]) / 2 - 1.2, abs=0.005)


def test_differences_without_spread_decide_nothing():
    results = as_published(TABLES["table1"])
    alike = [m._replace(value=floor(m.value + 0.25)) for m in results.measurements]
    (none, *_) = claims_of([TableResults(results.design, {}, alike, [])])
    assert none.difference.low == none.difference.high > 0
    assert none.verdict == "undecided"


def test_claims_are_reversed_or_undecided_where_they_are():
    (none, *_) = claims_of([as_published(TABLES["table1"], less_gradual=10.0)])
    assert none.verdict == "reversed"
    assert not none.same_sign
    assert none.theirs == Theirs(pytest.approx(3.3), pytest.approx(0.63), True)
    exactly = none.theirs.fine - none.theirs.gradual
    (none, *_) = claims_of([as_published(TABLES["table1"], less_gradual=exactly)])
    assert none.verdict == "undecided"
    (_, _, dropout) = claims_of([as_published(TABLES["table5"])])  # there the paper itself finds the reverse
    assert dropout.theirs.gradual > dropout.theirs.fine
    assert dropout.verdict == "holds"
    assert not theirs(5, "l1").apart
    assert [row[4] for row in claims_grid([none]).rows].count("–") == 23


def test_curves_of_several_first_tasks_are_drawn_as_their_mean(tmp_path):
    design = TableDesign(TABLES["table7"], protocol(TABLES["table7"], "smoke"), ("none",), ("fine",))
    errors = {"acl": 10.0, "sb2l": 20.0, "sbl": 30.0, "sbt": 40.0, "cnc": 55.0, "ac": 3.0}
    points = [
        Point("fine", "none", seed, epoch, epoch * 10, 4, task, error - epoch + seed)
        for seed in (0, 1)
        for epoch in (0, 1)
        for task, error in errors.items()
    ]
    kept = [Measurement("table7", "", "fine", "none", seed, "kept_epoch", 1.0) for seed in (0, 1)]
    results = TableResults(design, {}, kept, points)
    runs = figures.runs_of(results, "none", "fine", design.table.first)
    assert {seed: [p.error for p in run] for seed, run in runs.items()} == {0: [31.0, 30.0], 1: [32.0, 31.0]}
    assert [p.error for p in figures.runs_of(results, "none", "fine", ("ac",))[1]] == [4.0, 3.0]
    figures.draw_curves(results, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size
    assert figures.caption(results).endswith("Of several first tasks the mean is drawn.")
