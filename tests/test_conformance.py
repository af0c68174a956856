"""The conformance set: npnet is held to it, its answers are made by two ways, its files are what the index says."""

import importlib.util
import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest

from npnet.check.__main__ import main as check
from npnet.check.conformance import FOLDER, examples
from npnet.check.conformance.__main__ import main
from npnet.check.conformance.make import answered, drawn, write
from npnet.check.conformance.run import adapter, compare, results

EXAMPLES = list(examples())
NAMES = [e.name for e in EXAMPLES]
CONVENTIONS = {  # what a framework makes of kinks otherwise; measured, and no test of ours
    "torch": {"kink: normalise"},
    "jax": {"kink: l1", "kink: group_lasso", "kink: normalise"},
    "autograd": {"kink: group_lasso", "kink: normalise"},
}


@pytest.mark.parametrize("e", EXAMPLES, ids=NAMES)
def test_npnet_is_as_the_set_says(e):
    result = compare(adapter("npnet"), e)
    assert result.verdict == "ok"
    assert result.value_units <= 8
    assert result.gap < 1e-14


@pytest.mark.parametrize("error", [1e-4, -1e-4, 1e-9])
@pytest.mark.parametrize("e", EXAMPLES, ids=NAMES)
def test_an_error_planted_in_the_value_or_in_any_one_gradient_is_seen(e, error):
    value, gradients = adapter("npnet")(e)
    assert compare(lambda e: (value * (1 + error), gradients), e).verdict == "WRONG"
    for path, g in gradients.items():
        at = np.unravel_index(abs(g).argmax(), g.shape)
        assert g[at]  # there is something to be wrong by one part in so many
        wrong = g.copy()
        wrong[at] *= 1 + error
        found = compare(lambda e, path=path, wrong=wrong: (value, {**gradients, path: wrong}), e)
        assert found.verdict == "WRONG"
        assert found.where == f"{path} {tuple(map(int, at))}"
        assert found.gap == pytest.approx(abs(error), rel=1e-4)


def test_the_files_are_those_that_were_drawn_and_small():
    assert [e.name for e in drawn()] == NAMES
    for kept, fresh in zip(EXAMPLES, drawn(), strict=True):
        assert np.array_equal(kept.X, fresh.X)
        assert kept.condition == fresh.condition
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 300_000
    if np.finfo(np.longdouble).nmant >= 63:
        again = answered(EXAMPLES[0])
        np.testing.assert_allclose(again.value, EXAMPLES[0].value, rtol=3e-16)


def test_examples_can_be_written_and_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr("npnet.check.conformance.make.drawn", lambda: iter(EXAMPLES[-2:]))
    if np.finfo(np.longdouble).nmant < 63:
        with pytest.raises(ValueError, match="bits of fraction"):
            write(tmp_path)
        return
    write(tmp_path)
    for old, new in zip(EXAMPLES[-2:], examples(tmp_path), strict=True):
        assert new.name == old.name
        np.testing.assert_allclose(new.gradients["X"], old.gradients["X"], rtol=1e-15)


def test_damaged_files_and_other_versions_are_refused(tmp_path):
    folder = tmp_path / "set"
    shutil.copytree(FOLDER, folder)
    first = sorted(folder.glob("*.npz"))[0]
    first.write_bytes(first.read_bytes()[:-1])
    with pytest.raises(ValueError, match="has SHA-256"):
        list(examples(folder))
    index = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps({**index, "version": 2}))
    with pytest.raises(ValueError, match="expected 1"):
        list(examples(folder))


def mine(e):
    if "dropout" in e.layers:
        raise NotImplementedError("dropout")
    return adapter("npnet")(e)


def test_the_command_prints_a_table_for_anybodys_adapter(capsys):
    sys.modules["their_adapter"] = sys.modules[__name__]
    try:
        assert main(["--against", "their_adapter:mine"]) == 0
        assert main(["--against", "their_adapter:nothing"]) == 2
    finally:
        del sys.modules["their_adapter"]
    assert check(["conformance", "--against", "no such framework"]) == 2
    printed = capsys.readouterr().out
    assert "25 of 27 as they should be, 2 not supported" in printed
    assert "not supported: dropout" in printed
    assert "expected one of npnet, torch, jax, autograd" in printed


def test_answers_of_another_form_are_refused():
    with pytest.raises(ValueError, match="have keys"):
        compare(lambda e: (0.0, {}), EXAMPLES[0])
    with pytest.raises(ValueError, match="has shape"):
        compare(lambda e: (0.0, {path: np.zeros(1) for path in e.gradients}), EXAMPLES[0])
    wrong = compare(lambda e: (np.nan, {path: g * np.nan for path, g in e.gradients.items()}), EXAMPLES[0])
    assert (wrong.verdict, wrong.gap) == ("WRONG", float("inf"))
    right = replace(EXAMPLES[0], kink=True)
    assert compare(lambda e: (e.value, dict(e.gradients)), right).gradient_units == 0


@pytest.mark.parametrize("framework", ["torch", "jax", "autograd"])
@pytest.mark.filterwarnings("ignore")
def test_every_framework_that_is_installed_differs_at_kinks_alone(framework):
    if importlib.util.find_spec(framework) is None:
        pytest.skip(f"{framework} is a peer: the extra 'peers' brings it")
    wrong = {r.name for r in results(framework) if r.verdict != "ok"}
    assert wrong <= {e.name for e in EXAMPLES if e.kink}
    assert wrong == CONVENTIONS[framework]
