"""Formulae of docstrings: set where they are surely formulae, never changed, left alone elsewhere."""

import ast
import html
import re
import unicodedata

import pytest
from book import ROOT

from formulas import SUBSCRIPTS, SUPERSCRIPTS, mathml, runs

RUNS = []
for path in sorted((ROOT / "npnet").rglob("*.py")):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" in node.value:
            RUNS += [piece for piece in runs(" ".join(node.value.split())) if piece[1]]


def characters(text):
    """The characters of a formula, or of its MathML, without spaces and whatever only says how they are set."""
    text = html.unescape(re.sub(r"<[^>]*>", "", text))
    text = "".join({**SUPERSCRIPTS, **SUBSCRIPTS}.get(c, c) for c in unicodedata.normalize("NFD", text))
    text = text.replace("‾", "\u0304").replace("^", "\u0302").replace("\u0302{", "{")
    return sorted(c for c in text if c not in " \n_{}()√\u0302\u0304")


def test_there_are_formulae():
    assert len(RUNS) > 50


@pytest.mark.parametrize(("text", "set_as"), RUNS)
def test_no_character_is_lost_or_added(text, set_as):
    assert characters(set_as) == characters(text)


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("dX = dY Wᵀ", "<msup><mi>W</mi><mrow><mi>T</mi></mrow></msup>"),
        ("w ← w − m̂ / (√v̂ + ε)", '<msqrt><mover accent="true"><mi>v</mi>'),
        ("n = (Σ s_j δ_j²)^½", "<msubsup><mi>δ</mi><mi>j</mi><mrow><mn>2</mn></mrow></msubsup>"),
        ("y = √(a + b)", "<msqrt><mi>a</mi><mo"),
        ("v = β₁m + c", "<msub><mi>β</mi><mrow><mn>1</mn></mrow></msub>"),
        ("a = Σ_{j∈g} x", "<msub><mo"),
    ],
)
def test_scripts_and_roots_are_set(text, piece):
    assert piece in mathml(text)


@pytest.mark.parametrize(
    "text",
    [
        "rng=None",
        "back(dY, inputs=False) -> dX",
        "x = (a + b",
        "x = a) + b",
        "value = other_name",
        "a = 'b'",
        "n =",
        "",
    ],
)
def test_what_is_not_surely_a_formula_is_left_alone(text):
    assert mathml(text) is None


def test_a_run_ends_where_words_begin():
    text = "Y = X W + b on the last axis, where X > 0 and a = number of, slope 1 − Y² and a ‖w‖, for tanh s = 1 − h²."
    wanted = ["Y = X W + b", "X > 0", "1 − Y²", "‖w‖", "s = 1 − h²"]
    assert [piece for piece, found in runs(text) if found] == wanted
    assert "".join(piece for piece, _ in runs(text)) == text


def test_a_long_formula_comes_in_pieces_and_a_script_holds_its_bracket_together():
    long = mathml("c = ½ [2 a + (b − c) t + (2 d − 5 e + 4 f − g) t² + h t³]")
    assert long.count("<math ") > 3
    assert '<mrow><mo form="infix" stretchy="false">+</mo>' in long
    assert mathml("y = a + b").count("<math ") == 1
    assert mathml("y = (a + b + c + d + e + f + g + h + i)²").count("<math ") == 2  # at the relation alone
