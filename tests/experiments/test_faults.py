"""The checks are graded: every planted fault is seen, and a millionth of it; right code raises no alarm."""

import json
from pathlib import Path

import numpy as np
import pytest

from experiments.command import main
from experiments.faults import page, table
from experiments.faults.anchors import ANCHORS, available
from experiments.faults.deceptions import deceptions
from experiments.faults.fault import between, mixed
from experiments.faults.steps import curves, measured_errors
from npnet.check import check_gradient

FAULTS = table.catalogue()
NAMES = [fault.name for fault in FAULTS]


def test_there_are_faults_of_every_kind():
    assert len(set(NAMES)) == len(NAMES) >= 30
    areas = {fault.area for fault in FAULTS}
    assert {"layers", "losses", "penalties", "objectives", "optimizers", "masks", "training"} <= areas


@pytest.mark.parametrize("fault", FAULTS, ids=NAMES)
def test_every_fault_is_seen_and_right_code_is_not(fault):
    for seed in (11, 12):
        assert table.caught_by(fault, 1.0, seed)
        assert table.caught_by(fault, 1e-6, seed)
        assert not table.caught_by(fault, 0.0, seed)


def test_which_check_sees_what_no_gradient_shows():
    seen = {fault.name: table.caught_by(fault, 1.0, 0) for fault in FAULTS}
    assert seen["relu: slope 1 at the kink"] == ["kinks"]
    assert "convexity" not in seen["l1: slope 1 at the kink"]  # a subgradient, and not the one of smallest norm
    assert "convexity" in seen["l1: slope 2 at the kink"]
    assert seen["dropout: never rescaled"] == ["mean", "law"]
    assert "behaviour" in seen["chain: a way back that the next call replaces"]
    assert seen["momentum goes on in a frozen layer"] == ["freezing"]


def test_between_right_and_wrong():
    def right(x):
        return x.sum(), np.ones(2)

    def wrong(x):
        return 3 * x.sum(), [0.0, 4.0] * np.ones(2)

    assert mixed(right, wrong, 1.0) is wrong
    assert mixed(right, wrong, 0.0) is right
    value, gradient = mixed(right, wrong, 0.5)(np.ones(2))
    assert value == 4
    assert gradient.tolist() == [0.5, 2.5]
    assert between([1.0, {"a": 2.0}], [3.0, {"a": 2.0}], 0.25) == [1.5, {"a": 2.0}]


def test_the_smallest_strength_is_that_without_a_gap():
    assert table.smallest(lambda s: s > 5e-4) == pytest.approx(1e-3)
    assert table.smallest(lambda s: s > 0 and (s > 0.05 or s < 1e-5)) == pytest.approx(0.1)
    assert table.smallest(lambda s: False) is None
    assert table.smallest(lambda s: True) == "false"
    assert [table.power(s) for s in (1.0, 1e-3, None, "false", 10.0)] == ["1", "1e-03", "–", "false", "–"]


@pytest.mark.parametrize("name", [*ANCHORS])
def test_every_rule_that_is_installed_sees_a_coarse_fault_and_lets_right_code_pass(name):
    rule = available().get(name)
    if rule is None:
        pytest.skip(f"{name} is a peer: the extra 'peers' brings it")
    fault = FAULTS[NAMES.index("cross-entropy: no 1/N")]
    assert rule(*fault.trial(1.0, 0))
    assert not rule(*fault.trial(0.0, 0))
    assert not check_gradient(*_unpacked(fault.trial(1.0, 0)))


def _unpacked(trial):
    f, arguments = trial
    return f, *arguments


@pytest.mark.parametrize("deception", deceptions(), ids=lambda d: f"{d.kind}: {d.name}")
def test_no_deception_is_confirmed_and_its_right_twin_is(deception):
    (found,) = table.deceived(table.own_rule, [deception])
    assert (found["wrong"], found["right"]) == (False, True)


def test_the_page_has_the_table_of_what_was_measured():
    docs = Path(__file__).parents[2] / "docs"
    measured = json.loads((docs / "checking-faults.json").read_text("utf-8"))
    text = (docs / "checking.md").read_text("utf-8")
    assert text.partition(page.BEGIN)[2].partition(page.END)[0].strip() == page.markdown(measured)
    assert {row["fault"] for row in measured["rows"]} == {*NAMES}
    assert [d["name"] for d in measured["deceptions"]["npnet"]] == [d.name for d in deceptions()]
    assert not any(d["wrong"] for d in measured["deceptions"]["npnet"])


def test_a_rule_that_fails_confirms_nothing():
    def fails(f, arguments):
        raise RuntimeError

    for rule, confirmed in ((fails, False), (lambda f, arguments: False, True), (lambda f, arguments: True, False)):
        for found in table.deceived(rule, deceptions()[:2]):
            assert (found["wrong"], found["right"]) == (confirmed, confirmed)


def test_the_command_prints_and_writes_what_it_measured(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(table, "SETS", (lambda: iter([FAULTS[0], FAULTS[NAMES.index("schedule: one epoch early")]]),))
    monkeypatch.setattr(table, "available", lambda: {"nobody's": lambda f, arguments: False})
    path = tmp_path / "faults.json"
    assert main(["faults", "--json", str(path), "--runs", "4", "--anchor-runs", "2"]) == 0
    found = json.loads(path.read_text())
    assert [row["checks"] for row in found["rows"]] == [["gradient", "symmetry"], ["law"]]
    assert found["rows"][0]["smallest"]["npnet"] < 1e-9
    assert found["rows"][0]["smallest"]["nobody's"] is None
    assert found["rows"][1]["smallest"].keys() == {"npnet"}
    assert found["deceptions"]["npnet"][0]["wrong"] is False
    assert found["deceptions"]["nobody's"][0]["wrong"] is True
    assert found["false_alarms"]["npnet"] == {"smooth": [0, 4], "kinked": [0, 0]}
    printed = capsys.readouterr().out
    assert "0 in 4" in printed
    assert "not run" in printed
    assert "34 of 34" in printed


def test_false_alarms_are_counted_by_place():
    counts = table.false_alarms(FAULTS, 2 * len(FAULTS), lambda fault, seed: fault.kinked and seed == 1001)
    kinked = sum(fault.kinked for fault in FAULTS)
    assert counts == {"smooth": [0, 2 * (len(FAULTS) - kinked)], "kinked": [kinked, 2 * kinked]}


def test_the_picture_of_steps_is_the_classic_one(tmp_path):
    found = measured_errors(np.logspace(-20, -1, 39))
    best = {name: errors.min() for name, errors in found.items()}
    assert best["one-sided difference"] > 1e-10 > best["central difference"] > 1e-13
    assert best["complex step"] < 3e-16
    assert found["complex step"][:20].max() < 1e-15
    assert found["central difference"][0] == 1.0
    assert best.keys() == curves.keys()
    assert main(["steps", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "checking-steps.png").stat().st_size > 10_000
