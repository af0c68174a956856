"""The page of what frameworks make of the conformance set is made from the numbers that were measured."""

import json
from pathlib import Path

from experiments.command import main
from experiments.conformance import BEGIN, END, page
from npnet.check.conformance import examples
from npnet.check.conformance.run import ADAPTERS

DOCS = Path(__file__).parents[2] / "docs"
KNOWN = json.loads((DOCS / "conformance.json").read_text("utf-8"))


def test_the_page_shows_what_was_measured():
    text = (DOCS / "conformance.md").read_text("utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0].strip() == page(KNOWN)


def test_every_framework_and_every_case_is_on_it():
    assert [*KNOWN] == [*ADAPTERS]
    names = [e.name for e in examples()]
    for name, about in KNOWN.items():
        assert [*about["cases"]] == names
        assert about["version"] or name == "npnet"


def test_a_run_measures_what_is_asked_for_and_keeps_the_rest(tmp_path, capsys):
    others = {**KNOWN, "npnet": {**KNOWN["npnet"], "cases": {}}}
    (tmp_path / "conformance.json").write_text(json.dumps(others), "utf-8")
    (tmp_path / "conformance.md").write_text((DOCS / "conformance.md").read_text("utf-8"), "utf-8")
    assert main(["conformance", "--out", str(tmp_path), "--only", "npnet"]) == 0
    assert "npnet" in capsys.readouterr().out
    found = json.loads((tmp_path / "conformance.json").read_text("utf-8"))
    assert found["torch"] == KNOWN["torch"]
    for name, case in found["npnet"]["cases"].items():
        known = KNOWN["npnet"]["cases"][name]["verdict"]
        assert case["verdict"] == "ok" if known == "ok" else case["verdict"] in (known, "ok")


def test_what_cannot_be_measured_is_said(tmp_path, capsys):
    (tmp_path / "conformance.md").write_text(f"{BEGIN}\n{END}\n", "utf-8")
    assert main(["conformance", "--out", str(tmp_path), "--only", "nothing"]) == 2
    told = capsys.readouterr()
    assert "nothing: ValueError: against is 'nothing'" in told.out
    assert "1 frameworks could not be measured" in told.err
