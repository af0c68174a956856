"""The study of open choices: every variant differs from the default as it says, and the report measures as it says."""

import json
from dataclasses import asdict
from math import isnan, log2

import pytest
from tinystudy import command, rows, run

from experiments.command import main
from experiments.frame.files import write_csv, write_json
from experiments.frame.measurements import Measurement
from experiments.frame.workspace import Workspace
from experiments.published import published
from experiments.studies.sensitivity.report import (
    SensitivityResults,
    claims_by_variant,
    distance,
    forgetting_grid,
    read_sensitivity,
)
from experiments.studies.sensitivity.study import Sensitivity
from experiments.studies.sensitivity.variants import VARIANTS, variant_designs, without_l1
from experiments.studies.tables.design import REGULARIZERS, TABLES, TableDesign, TrainingProtocol
from experiments.studies.tables.transfer import (
    begin_first,
    begin_second,
    hyperparameters,
    load_protocol_task,
    method_of,
)
from npnet.initialisers import INITIALISERS
from npnet.tasks import load


def test_every_variant_differs_from_the_default_in_what_it_says():
    default, *others = variant_designs("paper")
    assert default.variant == "default"
    for design in others:
        before, after = asdict(default.protocol), asdict(design.protocol)
        assert {name: after[name] for name in after if after[name] != before[name]} == VARIANTS[design.variant]
        assert without_l1(design.variant) in VARIANTS
    assert len({tuple(sorted(changes.items())) for changes in VARIANTS.values()}) == len(VARIANTS)
    assert [design.protocol.seeds for design in variant_designs("quick")] == [2] * len(VARIANTS)


def test_options_reach_the_training():
    protocol = TrainingProtocol(
        train=50,
        validation=20,
        test=20,
        batch_size=7,
        keep="last",
        patience=3,
        patience_restarts=False,
        l1_scale=0.05,
        together="mean",
    )
    settings = hyperparameters(protocol, REGULARIZERS["l1"], 9)
    (penalty,) = settings.regularizers
    assert (settings.batch_size, settings.keep, settings.patience, settings.patience_restarts) == (7, "last", 3, False)
    assert settings.together == "mean"
    with pytest.raises(ValueError, match="together is 'any'"):
        TrainingProtocol(train=50, validation=20, test=20, together="any")
    assert penalty.strength == pytest.approx(5e-6)
    assert not penalty.biases
    (penalty,) = hyperparameters(
        TrainingProtocol(train=50, validation=20, test=20, l1_biases=True), REGULARIZERS["l1"], 9
    ).regularizers
    assert penalty.biases
    assert (
        method_of(
            "gradual", TrainingProtocol(train=50, validation=20, test=20, difference="improvement")
        ).policy.difference
        == "improvement"
    )
    assert {p.initialise for p in (design.protocol for design in variant_designs("paper"))} == set(INITIALISERS)


@pytest.mark.parametrize("initialise", INITIALISERS)
@pytest.mark.parametrize("initialise_head", [None, "uniform_fan_in", "normal"])
def test_networks_and_new_heads_begin_as_they_are_asked_to(initialise, initialise_head, tmp_path):
    def deviation(name, fan_in, fan_out):
        squares = {
            "glorot": 2 / (fan_in + fan_out),
            "he": 2 / fan_in,
            "uniform_fan_in": 1 / (3 * fan_in),
            "normal": 1e-4,
        }
        return squares[name] ** 0.5

    protocol = TrainingProtocol(
        train=50, validation=20, test=20, initialise=initialise, initialise_head=initialise_head
    )
    design = TableDesign(TABLES["table3"], protocol)
    workspace = Workspace(tmp_path, design.first_job("none"))
    first = begin_first(workspace, ("acl",), (300, 200), protocol, "none").run.network
    first.save(workspace.path / "network.npz")
    assert first.trunk[1]["W"].std() == pytest.approx(deviation(initialise, 300, 200), rel=0.02)
    second = begin_second(Workspace(tmp_path, "second"), design, "none", "fine", 0).run.network
    assert second.heads["ac"]["W"].std() == pytest.approx(deviation(initialise_head or initialise, 200, 2), rel=0.15)
    with pytest.raises(ValueError, match="initialise_head is 'zero'"):
        TrainingProtocol(train=50, validation=20, test=20, initialise_head="zero")


@pytest.mark.parametrize(("pixels", "low", "high"), [("unit", 0, 1), ("centred", -1, 1), ("standard", -9, 9)])
def test_pixels_are_on_the_scale_that_is_asked_for(pixels, low, high):
    task = load_protocol_task("ac", TrainingProtocol(train=60, validation=20, test=20, pixels=pixels))
    X = task.train.inputs[:] / (255 if pixels == "unit" else 1)
    assert X.min() >= low
    assert X.max() <= high
    if pixels == "standard":
        assert abs(X.mean()) < 1e-5
        assert X.std() == pytest.approx(1, abs=1e-4)
        assert task.test.inputs.dtype == "float32"
    if pixels == "centred":
        plain = load_protocol_task("ac", TrainingProtocol(train=60, validation=20, test=20))
        assert abs(X - (plain.train.inputs[:] / 127.5 - 1)).max() < 1e-6


def of_the_paper(factor=1.0, variant="default"):
    measurements = [
        Measurement("sensitivity", variant, row.method, row.regularizer, seed, metric, value)
        for row in published()
        if row.table == 1
        for seed in (0, 1)
        for metric, value in (
            ("task_a_error_before", row.task_a_error_before),
            ("task_a_error_after", row.task_a_error_after * factor),
        )
    ]
    return SensitivityResults({}, measurements)


def test_the_distance_is_in_factors_of_two():
    assert distance(of_the_paper(), "default") == 0
    assert distance(of_the_paper(2.0), "default") == pytest.approx(1)
    assert distance(of_the_paper(0.5), "default") == pytest.approx(1)
    assert distance(of_the_paper(3.0), "default") == pytest.approx(log2(3))
    assert isnan(distance(of_the_paper(), "last"))


def test_a_variant_of_l1_shares_its_other_rows():
    found = of_the_paper()
    l1 = [m._replace(setting="l1-biases") for m in found.measurements if m.regularizer == "l1"]
    assert distance(SensitivityResults({}, found.measurements + l1), "l1-biases") == 0


def test_grids_say_what_the_paper_says():
    grid = forgetting_grid(of_the_paper())
    assert grid.rows[0][:3] == ["paper", "1.2 → 4.5", "1.2 → 1.8"]
    assert grid.rows[1][1] == "1.2 → 4.5 ± 0.0"
    assert claims_by_variant(of_the_paper()).rows == [["default", "2.7 ± 0.0", "1.5 ± 0.0", "3.8 ± 0.0"]]


def left_by_a_run(path, *variants, commit="1"):
    """Write what a report of some variants writes; the others' first networks are there too."""
    path.mkdir()
    of = {design.name: json.loads(json.dumps(asdict(design))) for design in variant_designs("quick")}
    if commit == "1":
        del of["default"]["protocol"]["together"]  # as a version wrote that did not know of it
    about = {"experiment": "sensitivity", "studies": of, "environments": [{"commit": commit}], "compute_seconds": 1.0}
    found = [m for name in variants for m in of_the_paper(variant=name).measurements]
    before = [m for m in of_the_paper(variant="last").measurements if m.metric == "task_a_error_before"]
    write_csv(path / "results.csv", Measurement._fields, found if "last" in variants else found + before)
    write_json(path / "results.json", {**about, "starts": [{"started": commit}]})
    return path


def test_variants_that_were_run_apart_are_joined(tmp_path, capsys):
    one = left_by_a_run(tmp_path / "one", "last", "batch-32")
    other = left_by_a_run(tmp_path / "other", "default", commit="2")
    assert main(["join", str(one), str(other), "--out", str(tmp_path / "both")]) == 0
    both = read_sensitivity(tmp_path / "both")
    assert both.variants == ["default", "batch-32", "last"]
    assert [distance(both, name) for name in both.variants] == [0, 0, 0]
    assert len(both.measurements) == 3 * len(of_the_paper().measurements)
    assert both.about["environments"] == [{"commit": "1"}, {"commit": "2"}]
    assert both.about["starts"] == [{"started": "1"}, {"started": "2"}]
    assert both.about["compute_seconds"] == 2
    assert set(both.about["studies"]) == set(VARIANTS)
    assert main(["join", str(one), str(one), "--out", str(tmp_path / "refused")]) == 2
    assert "variant 'last' is there twice" in capsys.readouterr().err
    about = read_sensitivity(other).about
    about["studies"]["he"]["protocol"]["seeds"] = 5
    write_json(other / "results.json", about)
    assert main(["join", str(one), str(other), "--out", str(tmp_path / "refused")]) == 2
    assert "variant 'he' is" in capsys.readouterr().err


def test_some_variants_alone_are_run():
    job = Sensitivity(only="batch-100, last").plan()
    assert set(job.configuration["studies"]) == {"batch-100", "last"}
    assert len(job.jobs) == 2 * (3 + 12)
    assert len(Sensitivity().plan().jobs) == 285
    with pytest.raises(ValueError, match="only is 'first'; expected some of default, l1-per-batch"):
        Sensitivity(only="first").plan()


def test_a_whole_study(tmp_path):
    try:
        load("mnist")
    except (ConnectionError, ImportError) as error:
        pytest.skip(str(error))
    out = tmp_path / "results"
    some = ("default", "l1-per-batch", "l1-biases", "batch-100", "last", "normal-head", "centred", "improvement")
    said = run(command("sensitivity", "--preset", "smoke", "--only", ",".join(some), "--out", out))
    assert "Table 1 under every open choice" in said
    table = rows(out / "results.csv")
    assert {row["setting"] for row in table} == set(some)
    assert {row["regularizer"] for row in table if row["setting"] == "l1-biases"} == {"l1"}
    run(command("report", out, "--out", tmp_path / "with"))
    run(command("report", tmp_path / "with", "--out", tmp_path / "without"))
    for name in ("results.csv", "results.json", "table.md", "sensitivity.png"):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()
    about = json.loads((out / "results.json").read_text())
    assert about["environments"][0]["commit"]
