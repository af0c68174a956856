"""Docstrings and comments as the nodes of a page: paragraphs, formulae, tables, as their authors laid them out.

The house writes plain text: indented lines are formulae or signatures, lines with gaps of three spaces and more are
tables, `names` stand in backticks, and formulae within a sentence are Unicode. Nothing else is markup.
"""

import re
from html import escape
from pathlib import Path

from docutils import nodes

from formulas import mathml, runs

__all__ = ["first_sentence", "prose", "setup"]

LABELS = re.compile(r"(?<=[.;)]) (?=Raises |Sources?: )")
GAP = re.compile(r"\s{2,}(?=\S)")


def prose(text: str) -> list[nodes.Node]:
    """Return the nodes of a docstring or comment, whose common indentation is gone already."""
    found: list[nodes.Node] = []
    for block in _blocks(text):
        if all(line.startswith("    ") for line in block):
            found.append(_formulae([line[4:] for line in block]))
        elif any(re.search(r"\S\s{3,}\S", line) for line in block):
            found.append(_formulae(block))
        else:
            for part in LABELS.split(" ".join(line.strip() for line in block)):
                label = re.match(r"Raises|Sources?", part)
                paragraph = nodes.paragraph("", "", *_inline(part))
                paragraph["classes"] += ["label-" + label.group().rstrip("s").lower()] if label else []
                found.append(paragraph)
    return found


def first_sentence(text: str) -> list[nodes.Node]:
    """Return the inline nodes of the first sentence."""
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return _inline(re.split(r"(?<=[^A-Z]\.)\s+(?=[A-Z])", paragraph)[0])


def _blocks(text: str) -> list[list[str]]:
    """Cut text into blocks of lines: at blank lines, and where indentation by four begins or ends."""
    blocks: list[list[str]] = []
    fresh = True
    table = False
    for line in text.splitlines():
        if not line.strip():
            fresh, table = True, False
            continue
        indented = line.startswith("    ") and not table
        if fresh or (blocks[-1][0].startswith("    ") != indented and not table):
            blocks.append([])
            table = not indented and bool(re.search(r"\S\s{3,}\S", line))
        elif not indented and not table and re.search(r"\S\s{3,}\S", line):
            blocks.append([])
            table = True
        blocks[-1].append(line)
        fresh = False
    return blocks


def _inline(text: str) -> list[nodes.Node]:
    """Return the nodes of running text: code in backticks, formulae, words."""
    found: list[nodes.Node] = []
    for i, part in enumerate(re.split(r"`([^`]+)`", text)):
        if i % 2:
            found.append(nodes.literal(part, part))
            continue
        for piece, formula in runs(part):
            if formula:
                found.append(nodes.raw(piece, formula, format="html"))
            else:
                found.append(nodes.Text(piece))
    return found


def _formulae(lines: list[str]) -> nodes.raw:
    """Return indented lines as rows: what stands apart in a line is apart, what is surely a formula is set as one."""
    rows: list[list[str]] = []
    for line in lines:
        if line.startswith(" ") and rows:  # a line that goes on with the last cell above it
            rows[-1][-1] += " " + line.strip()
        else:
            rows.append(GAP.split(line.strip()))
    if len({len(row) for row in rows}) > 1 or len(rows) == 1 or len(rows[0]) == 1:
        lines = ("".join(f"<span>{_cell(cell)}</span>" for cell in row) for row in rows)
        body = "".join(f'<div class="formula-line">{line}</div>' for line in lines)
        return nodes.raw("", f'<div class="formula">{body}</div>', format="html")
    body = "".join("<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return nodes.raw("", f'<div class="formula"><table role="presentation">{body}</table></div>', format="html")


def _cell(text: str) -> str:
    """Set one cell: a formula, code, or words."""
    core = text.rstrip(",.:;")
    formula = mathml(core) if re.search(r"[=←√Σ·+]", core) and "rng=" not in core else None
    if formula:
        return formula + escape(text[len(core) :])
    if re.search(r"\w\(.*\)|->|\w+/\w+\.", text):
        return f"<code>{escape(text)}</code>"
    return "".join(m or escape(p) for p, m in runs(text))


def _set_chapter(app, doctree: nodes.document) -> None:  # type: ignore[no-untyped-def]
    """Set what is surely a formula in a chapter that is written in Unicode, blocks of nothing else and running text."""
    if "/" in app.env.docname or "$" in Path(app.env.doc2path(app.env.docname)).read_text("utf-8"):
        return
    for block in list(doctree.findall(nodes.literal_block)):
        lines = block.astext().splitlines()
        cells = [cell.rstrip(",.") for line in lines for cell in GAP.split(line.strip())]
        if not block.get("classes") and all(map(mathml, cells)):
            block.replace_self(_formulae(lines))
    for text in list(doctree.findall(nodes.Text)):
        if isinstance(text.parent, nodes.paragraph):
            text.parent.replace(text, _inline(text.astext().replace("\n", " ")))


def setup(app) -> dict[str, bool]:  # type: ignore[no-untyped-def]
    """Set the chapters as they are read."""
    app.connect("doctree-read", _set_chapter)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
