"""Formulae as MathML, which browsers set by themselves: from TeX in the chapters, from plain Unicode in docstrings.

The chapters' TeX goes through latex2mathml. The docstrings' formulae are read by `mathml`, which knows a small grammar
and returns None for whatever it is not sure of: then the text stays as it was written. It only sets what it reads, a
script as a script and a root as a root, and never rearranges: the characters of its output are those of the source.
"""

import re
import unicodedata
from html import escape
from importlib.util import find_spec
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert

__all__ = ["mathml", "runs", "setup"]

SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀᵗˣ", "0123456789+−Ttx", strict=True))
SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₙₜ", "0123456789ijknt", strict=True))
GREEK = "αβγδεζηθκλμπρστφχψωΓΔΘΛΠΦΨΩℓ"
FUNCTIONS = {
    *("softmax", "max", "min", "log", "exp", "sign", "tanh", "relu", "sigmoid", "prox", "argmin", "argmax", "onehot"),
    *("sin", "cos", "cot", "mod", "CE"),
}
NAMES = {
    *("rate", "step", "slope", "keep", "scale", "anchor", "momentum", "factor", "decay", "penalty", "loss", "strength"),
    *("lateral", "value", "gradient"),
}
RELATIONS = set("=←≤≥<>≠∈≈")
STRONG = {*"√Σ‖½∂_", *SUPERSCRIPTS, *SUBSCRIPTS}  # nobody writes these outside of formulae
WORD = re.compile(
    rf"^([aAI]|relu|tanh|sigmoid|{'|'.join(sorted(NAMES))}) (?![=←·+−/<>≤≥])| [aAI]$"
)  # that is no name of a number here
BREAK, LONG = "\u2028", 25  # where a line may end; characters of a formula that may need it
OPERATORS = RELATIONS | set("+−·/×±,;→∂ΣΠ√|‖()[]{}⌊⌋⟨⟩…′")
TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>\d+(?:\.\d+)?(?:e[-−]\d+)?|[½¼¾])"
    rf"|(?P<word>[A-Za-z{GREEK}][\u0300-\u036f]?(?:[A-Za-z{GREEK}]*))"
    rf"|(?P<up>[{''.join(SUPERSCRIPTS)}]+)|(?P<down>[{''.join(SUBSCRIPTS)}]+)|(?P<script>[_^])|(?P<sign>.)"
)


class _UnsureError(Exception):
    """What stands there is not of the grammar."""


def _identifier(word: str) -> str:
    """Set a name: one letter, a differential such as dW, letters of the Greek, or a function or name that is known."""
    base = unicodedata.normalize("NFD", word)
    if len(base) == 2 and unicodedata.combining(base[1]):
        accent = {"\u0302": "^", "\u0304": "‾"}.get(base[1])
        if accent is None:
            raise _UnsureError(word)
        return f'<mover accent="true"><mi>{base[0]}</mi><mo stretchy="false">{accent}</mo></mover>'
    if len(word) == 1 or word in FUNCTIONS | NAMES:
        return f"<mi>{word}</mi>"
    if len(word) == 2 and (word[0] == "d" or word[0] in GREEK or word[1] in GREEK):
        return f"<mrow><mi>{word[0]}</mi><mi>{word[1]}</mi></mrow>"
    raise _UnsureError(word)


class _Reader:
    """A formula, read once from left to right."""

    def __init__(self, text: str) -> None:
        self.tokens = [(m.lastgroup, m.group()) for m in TOKEN.finditer(unicodedata.normalize("NFD", text))]
        self.at = 0

    def peek(self) -> tuple[str | None, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else (None, "")

    def next(self) -> tuple[str | None, str]:
        token = self.peek()
        self.at += 1
        return token

    def row(self, closing: str = "") -> str:
        """Read up to a closing bracket, or to the end."""
        parts: list[str] = []
        operand = bracket = False  # what came last
        while True:
            kind, text = self.peek()
            if kind is None or (closing and text == closing):
                if (kind is None) != (not closing):
                    raise _UnsureError("a bracket is open")
                self.at += bool(closing)
                return "".join(parts)
            if kind == "space":
                self.at += 1
                if operand and (self.peek()[0] in ("word", "number") or self.peek()[1] in ("(", "‖", "√", "Σ", "⟨")):
                    parts.append('<mspace width="0.25em"></mspace>')  # a space in the source is a product
                continue
            if (operand or bracket) and text in RELATIONS | set("+−"):
                parts.append(BREAK)
            parts.append(self.scripted())
            bracket = text in "([{⌊⟨"
            operand = kind in ("word", "number", "up", "down") or text in (")", "‖", "⟩", "]", "}", "√")

    def scripted(self) -> str:
        """Read an atom and its scripts."""
        base, down, up = self.atom(), "", ""
        while self.peek()[0] in ("up", "down", "script"):
            kind, text = self.next()
            if kind == "up" or text == "^":
                if up:
                    raise _UnsureError("two superscripts")
                up = self._plain("".join(SUPERSCRIPTS[c] for c in text)) if kind == "up" else self.script()
            else:
                if down:
                    raise _UnsureError("two subscripts")
                down = self._plain("".join(SUBSCRIPTS[c] for c in text)) if kind == "down" else self.script()
        if down or up:
            base = f"<mrow>{whole(base)}</mrow>" if BREAK in base else base
        if down and up:
            return f"<msubsup>{base}{down}{up}</msubsup>"
        return f"<msub>{base}{down}</msub>" if down else f"<msup>{base}{up}</msup>" if up else base

    def script(self) -> str:
        """Read what follows _ or ^: a bracket or an atom."""
        kind, text = self.peek()
        if text in ("{", "("):
            self.at += 1
            inside = whole(self.row("}" if text == "{" else ")"))
            return f"<mrow>{inside}</mrow>" if text == "{" else f"<mrow><mo>(</mo>{inside}<mo>)</mo></mrow>"
        if kind == "word" and len(text) > 1:
            raise _UnsureError(text)
        return self.atom()

    def atom(self) -> str:
        kind, text = self.next()
        if kind == "number":
            return f"<mn>{text}</mn>"
        if kind == "word":
            return _identifier(text)
        if text == "√":
            if self.peek()[1] == "(":
                self.at += 1
                return f"<msqrt>{whole(self.row(')'))}</msqrt>"
            if self.peek()[0] not in ("word", "number"):
                raise _UnsureError("a root of nothing")
            return f"<msqrt>{whole(self.scripted())}</msqrt>"
        if kind == "sign" and text in OPERATORS:
            if text in "([{⌊⟨":
                closing = dict(zip("([{⌊⟨", ")]}⌋⟩", strict=True))[text]
                begin, inside = self.at, self.row(closing)
                length = sum(len(text) for _, text in self.tokens[begin : self.at])
                end = f'<mo stretchy="false">{closing}</mo>'
                if BREAK in inside and length > LONG:  # a line may end within
                    return f'<mo stretchy="false">{text}</mo>{inside}{end}'
                return f'<mrow><mo stretchy="false">{text}</mo>{whole(inside)}{end}</mrow>'
            if text in ")]}⌋⟩":
                raise _UnsureError("a bracket was not open")
            large = ' largeop="false"' if text in "ΣΠ" else ""
            return f'<mo stretchy="false"{large}>{escape(text)}</mo>'
        raise _UnsureError(text)

    @staticmethod
    def _plain(text: str) -> str:
        """Set the characters of a script: digits, letters, signs."""
        parts = re.findall(r"\d+|.", text)
        tags = ["mn" if p[0].isdigit() else "mi" if p.isalpha() else "mo" for p in parts]
        inside = "".join(f"<{tag}>{p}</{tag}>" for tag, p in zip(tags, parts, strict=True))
        return f"<mrow>{inside}</mrow>"


def whole(inside: str) -> str:
    """Return what was read as one piece, in which no line may end."""
    return inside.replace(BREAK, "")


def mathml(text: str) -> str | None:
    """Return a formula of plain Unicode as MathML, or None where it is not surely one.

    A long one comes in pieces, before each of which a line may end: browsers break no line within one.
    """
    text = text.strip()
    if not text or text[-1] in "+−·/=←≤≥<>≠∈×√Σ∂,;" or text[0] in "+·/=←≤≥<>≠∈×,;)":
        return None
    try:
        inside = _Reader(text).row()
    except _UnsureError:
        return None
    pieces = [whole(inside)] if len(text) < LONG else inside.split(BREAK)
    pieces[1:] = [piece.replace("<mo ", '<mo form="infix" ', 1) for piece in pieces[1:]]
    return "".join(f'<math display="inline"><mrow>{piece}</mrow></math>' for piece in pieces)


def runs(prose: str) -> list[tuple[str, str | None]]:
    """Cut prose into pieces, each with its MathML or None: the longest runs of words that surely are formulae.

    A run has a relation (=, ←, ≤ …) with something on both sides, or a sign that only formulae have. It ends where a
    comma, colon or full stop is followed by a space outside of brackets, and at any word that is not of the grammar.
    """
    pieces: list[tuple[str, str | None]] = []
    start = 0
    words = list(re.finditer(r"\S+", prose))
    i = 0
    while i < len(words):
        stop, found = _longest(prose, words, i)
        if found:
            begin, end = words[i].start(), words[stop].end()
            end -= len(words[stop].group()) - len(words[stop].group().rstrip(",.:;"))
            pieces += [(prose[start:begin], None), (prose[begin:end], found)]
            start = end
        i = stop + 1
    return [piece for piece in [*pieces, (prose[start:], None)] if piece[0]]


def _longest(prose: str, words: list[re.Match[str]], i: int) -> tuple[int, str | None]:
    """Return the last word of the longest formula that begins with word i, and its MathML; (i, None) for none."""
    best: tuple[int, str | None] = (i, None)
    depth = 0
    for j in range(i, len(words)):
        word = words[j].group()
        depth += sum(map(word.count, "([{")) - sum(map(word.count, ")]}"))
        core = word.rstrip(",.:;") if depth <= 0 else word
        if depth < 0 or not _could_be(core):
            break
        text = prose[words[i].start() : words[j].start() + len(core)]
        goes_on = core == word and j + 1 < len(words) and words[j + 1].group()[0] in "+−·/=←×"
        surely = (RELATIONS & set(text) and j > i) or STRONG & set(text)
        if depth == 0 and surely and not goes_on and not WORD.search(text):
            found = mathml(text)
            best = (j, found) if found else best
        if depth == 0 and core != word:
            break
    return best


def _could_be(word: str) -> bool:
    """Say whether every name in a word is of the grammar."""
    for match in TOKEN.finditer(unicodedata.normalize("NFD", word)):
        if match.lastgroup == "word":
            try:
                _identifier(match.group())
            except _UnsureError:
                return False
        elif match.lastgroup == "sign" and match.group() not in OPERATORS:
            return False
    return True


def _tex(latex: str, display: str) -> str:
    found = convert(latex, display=display)
    if "\\" in found or "<mi>&</mi>" in found:
        raise ValueError(f"formula is {latex!r}; expected TeX that latex2mathml knows")
    # Operators with names need less room than signs, and the bars of an absolute value none.
    found = re.sub(r"<m[io]>([A-Za-z]{2,})</m[io]>", r'<mo lspace="0.17em" rspace="0.17em">\1</mo>', found)
    return re.sub(r"<mo[^>]*>(&#x0007C;|\|)</mo>", r'<mo stretchy="false" lspace="0" rspace="0">|</mo>', found)


def _visit_inline(self, node: nodes.math) -> None:  # type: ignore[no-untyped-def]
    self.body.append(_tex(node.astext(), "inline"))
    raise nodes.SkipNode


def _visit_block(self, node: nodes.math_block) -> None:  # type: ignore[no-untyped-def]
    """Set a formula that may go on in the next line where its TeX says \\qquad or \\allowbreak."""
    first, *rest = re.split(r"(\\qquad|\\allowbreak)", node.astext())
    pieces = [_tex(first, "block")]
    for mark, piece in zip(rest[::2], rest[1::2], strict=True):
        place = "apart" if mark == "\\qquad" else "on"
        pieces.append(_tex(piece, "block").replace("<math ", f'<math class="{place}" ', 1))
    self.body.append(f'<div class="equation">{"".join(pieces)}</div>\n')
    raise nodes.SkipNode


def _font(app) -> None:  # type: ignore[no-untyped-def]
    """Ship STIX Two Math (SIL Open Font License) with the pages: brackets and roots grow only with a font that can."""
    font = Path(find_spec("ziamath").origin).parent / "fonts" / "STIXTwoMath-Regular.ttf"
    target = Path(app.outdir) / "_static" / "math.ttf"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(font.read_bytes())


def setup(app) -> dict[str, bool]:  # type: ignore[no-untyped-def]
    """Make the chapters' mathematics MathML."""
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    app.connect("builder-inited", _font)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
