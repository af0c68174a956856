"""The conformance set: npnet and every framework are held to it, and its files are what the index says."""

import importlib.metadata
import importlib.util
import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from npnet.check.__main__ import main as check
from npnet.check.conformance import FOLDERS, examples
from npnet.check.conformance.__main__ import main
from npnet.check.conformance.make import SETS, answered, write
from npnet.check.conformance.run import ADAPTERS, CONVENTION, adapter, between, compare, results

FOLDER, POINTS = FOLDERS
EXAMPLES, ALL = list(examples(FOLDER)), list(examples())
NAMES = [e.name for e in EXAMPLES]
KNOWN = json.loads((Path(__file__).parents[1] / "docs" / "conformance.json").read_text("utf-8"))


@pytest.mark.parametrize("e", EXAMPLES, ids=NAMES)
def test_npnet_is_as_the_set_says(e):
    result = compare(adapter("npnet"), e)
    assert result.verdict == "ok"
    assert result.value_units <= 8
    assert result.gap < 1e-14


@pytest.mark.parametrize(
    ("e", "error"),
    [(e, error) for e in EXAMPLES for error in (1e-4, -1e-4, 1e-9) if error > 0 or not e.kink],
    ids=lambda each: str(getattr(each, "name", each)),
)
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
    fresh = [e for drawn_of in SETS.values() for e in drawn_of()]
    assert [e.name for e in fresh] == [e.name for e in ALL]
    assert len({e.name for e in ALL}) == len(ALL)
    for kept, new in zip(ALL, fresh, strict=True):
        assert np.array_equal(kept.X, new.X)
        assert (kept.condition, kept.kink) == (new.condition, new.kink)
    assert sum(path.stat().st_size for folder in FOLDERS for path in folder.iterdir()) < 300_000


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="long double has fewer than 63 bits of fraction here")
@pytest.mark.parametrize("e", [e for e in ALL if e.X.size < 20 or e.name == "cross_entropy, far logits"], ids=str)
def test_the_answers_are_those_of_the_formulas(e):
    again = answered(e)
    np.testing.assert_allclose(again.value, e.value, rtol=3e-16)
    for path, g in e.gradients.items():
        np.testing.assert_allclose(again.gradients[path], g, rtol=3e-16, err_msg=path)


def test_examples_can_be_written_and_read_again(tmp_path):
    def some():
        return iter(EXAMPLES[-2:])

    if np.finfo(np.longdouble).nmant < 63:
        with pytest.raises(ValueError, match="bits of fraction"):
            write(tmp_path, some)
        return
    write(tmp_path, some)
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
    del index["cases"][0]["loss"]
    (folder / "index.json").write_text(json.dumps(index))
    first.write_bytes((FOLDER / first.name).read_bytes())
    with pytest.raises(ValueError, match="case 'relu' has no field 'loss'"):
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
    assert re.search(r"\n[3-5]\d of 54 as they should be, \d+ not supported\n", printed)
    assert "not supported: dropout" in printed
    assert "expected one of npnet, torch, jax, autograd" in printed


def test_the_template_is_an_adapter_to_begin_with(tmp_path, monkeypatch, capsys):
    assert main(["--template"]) == 0
    (tmp_path / "begun.py").write_text(capsys.readouterr().out, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["--against", "begun:evaluate"]) == 0
    printed = capsys.readouterr().out
    assert "4 of 54 as they should be, 50 not supported" in printed
    assert "not supported: no cross_entropy" in printed


def test_no_adapter_is_longer_than_sixty_lines():
    folder = Path(sys.modules["npnet.check.conformance.adapters"].__file__).parent
    assert {path.name: n for path in folder.glob("*.py") if (n := len(path.read_text("utf-8").splitlines())) > 60} == {}
    assert {path.stem.removesuffix("_adapter") for path in folder.glob("*_adapter.py")} == {*ADAPTERS} - {"npnet"}


def _point(name):
    return next(e for e in ALL if e.name == name)


@pytest.mark.parametrize(
    ("name", "gradient", "verdict"),
    [
        ("|x| at 0", [-1, 0, 1], "ok"),
        ("|x| at 0", [-1, 0.7, 1], CONVENTION),
        ("|x| at 0", [-1, 1.01, 1], "WRONG"),
        ("|x| at 0", [-1, 1, 0.9], "WRONG"),
        ("|x| at 0", [-1, np.nan, 1], "WRONG"),
        ("clip to 0 … 1, at 1", [1, 1, 0], CONVENTION),  # concave there
        ("clip to 0 … 1, at 1", [1, -0.1, 0], "WRONG"),
        ("maximum of two equal numbers", [1, 0], CONVENTION),
        ("maximum of two equal numbers", [1, 1], "WRONG"),  # each is between, both together are not
        ("norm of zeros", [0.5, 0.5, -0.5], CONVENTION),
        ("norm of zeros", [0.9, 0.9, 0.0], "WRONG"),
        ("product with one zero", [0, 6.0001, 0], "WRONG"),
        ("sigmoid at 40", [0], "WRONG"),
    ],
)
def test_another_subgradient_is_a_convention_and_no_fault(name, gradient, verdict):
    e = _point(name)
    assert compare(lambda e: (e.value, {"X": np.array([gradient], dtype=float)}), e).verdict == verdict


def test_no_gradient_is_right_where_the_value_jumps():
    e = next(e for e in EXAMPLES if e.name == "kink: normalise")
    assert not between(e, {path: 2 * g for path, g in e.gradients.items()})
    kinked = next(e for e in EXAMPLES if e.name == "kink: relu")
    assert between(kinked, dict(kinked.gradients))


def test_answers_of_another_form_are_refused_by_case_and_field():
    e = EXAMPLES[0]
    right = dict(e.gradients)
    forms = {
        "case 'relu': gradients have keys \\[\\]; expected": (0.0, {}),
        "case 'relu': gradients have keys tuple; expected": (0.0, ()),
        "case 'relu': value is a ndarray; expected a number": (np.zeros(2), right),
        "case 'relu': gradient 0/W has shape \\(1,\\); expected \\(4, 3\\)": (0.0, {**right, "0/W": np.zeros(1)}),
        "case 'relu': gradient X is a str; expected an array of floats": (0.0, {**right, "X": "no"}),
    }
    for words, answer in forms.items():
        with pytest.raises(ValueError, match=words):
            compare(lambda e, answer=answer: answer, e)

    def raises(e):
        raise RuntimeError("no device")

    assert compare(raises, e).verdict == "raises RuntimeError: no device"
    wrong = compare(lambda e: (np.nan, {path: g * np.nan for path, g in e.gradients.items()}), EXAMPLES[0])
    assert (wrong.verdict, wrong.gap) == ("WRONG", float("inf"))
    same = replace(EXAMPLES[0], kink=True)
    assert compare(lambda e: (e.value, dict(e.gradients)), same).gradient_units == 0


@pytest.mark.parametrize("framework", [name for name in ADAPTERS if name != "npnet"])
@pytest.mark.filterwarnings("ignore")
def test_every_framework_that_is_installed_does_what_the_page_says(framework):
    if importlib.util.find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed")
    found = {r.name: r.verdict for r in results(framework)}
    wrong = {name for name, verdict in found.items() if verdict == "WRONG"}
    assert len(wrong) < len(found) / 2 or framework == "mlx"  # single precision inside
    version = importlib.metadata.version(framework).partition("+")[0]
    if KNOWN[framework]["version"] == version:
        assert found == {name: case["verdict"] for name, case in KNOWN[framework]["cases"].items()}
