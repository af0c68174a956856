"""The study of other packages' gradients, on functions of its own: the referee, the outcomes, what is not installed."""

import numpy as np
import pytest
from rich.console import Console

from experiments.frame.files import read_json, write_json
from experiments.studies.wild.case import draw, gradient, jacobian, outcome, prox
from experiments.studies.wild.referee import judge
from experiments.studies.wild.running import PACKAGES, _row, examine
from experiments.studies.wild.study import CheckedInTheWild

W = draw(5)


def _soft(w, t):
    return np.sign(w) * np.maximum(abs(w) - t, 0)


def _cases(wrong):
    fault = "planted" if wrong != 1.0 else ""
    yield gradient("sine", lambda x: np.sin(x).sum(), lambda x: wrong * np.cos(x), W, fault=fault)
    yield gradient("sine of each", np.sin, lambda x: wrong * np.cos(x), W, fault=fault)
    yield jacobian("square", lambda x: x * x, lambda x: wrong * np.diag(2 * x), W, fault)
    yield prox("magnitudes", lambda v: abs(v).sum(), lambda w, t: _soft(w, wrong * t), W, 0.5, fault)


@pytest.mark.parametrize("wrong", [1.0, 1.01])
def test_referee_and_check_agree(wrong):
    for case in _cases(wrong):
        assert judge(case)[0] == ("right" if wrong == 1.0 else "wrong")
        assert outcome(case, case.check()) == ("confirmed rightly" if wrong == 1.0 else "alarmed rightly")


def test_what_is_declared_falsely_is_counted_and_disputed():
    declared = gradient("sine", np.sin, np.cos, W, fault="none")
    assert _row(declared)["outcome"] == "false confirmation"
    assert _row(declared)["disputed"]
    hidden = gradient("sine", np.sin, lambda x: 1.01 * np.cos(x), W)
    assert _row(hidden)["outcome"] == "false alarm"
    assert _row(hidden)["disputed"]
    assert _row(gradient("nothing", np.zeros_like, np.zeros_like, W))["outcome"] == "undecided"
    assert _row(gradient("raises", lambda x: 1 / 0, np.cos, W))["outcome"] == "undecided"


def test_a_package_that_is_not_installed_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(PACKAGES, "copt", "no-such-package")
    result = examine(None, "copt")
    assert "no-such-package" in result["missing"]
    assert result["rows"] == []


def test_the_report_counts_every_outcome(tmp_path, capsys):
    study = CheckedInTheWild(out=tmp_path)
    write_json(tmp_path / "configuration.json", study.plan().configuration)
    rows = [_row(case) for wrong in (1.0, 1.01) for case in _cases(wrong)]
    for name in PACKAGES:
        missing = "" if name == "scipy" else "not there"
        result = {
            "package": name,
            "version": "1",
            "missing": missing,
            "rows": [] if missing else rows,
            "environment": {},
        }
        (tmp_path / "jobs" / name).mkdir(parents=True)
        write_json(tmp_path / "jobs" / name / "result.json", result)
    study.report(tmp_path, tmp_path / "out", Console(width=200))
    assert "not installed: astropy, " in capsys.readouterr().out
    table = (tmp_path / "out" / "table.md").read_text()
    assert "| scipy 1 | 8 | 4 | 4 | 0 | 0 | 0 |" in table
    assert "| planted | the referee | alarmed rightly | a better point was found |" in table
    before = read_json(tmp_path / "out" / "results.json")
    study.report(tmp_path / "out", tmp_path / "again", Console(quiet=True))
    assert read_json(tmp_path / "again" / "results.json") == before
