"""Code of the library quoted beside its mathematics: what a function does, read off its source when the book is built.

    ```{beside} npnet/layers.py: linear
    $Y = X W + b$
    ```

Docstrings, comments, type hints, decorators and refusals of bad input are left out; all else stands as in its file.
"""

import ast
import io
import textwrap
import tokenize

from docutils import nodes
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from sphinx.util.docutils import SphinxDirective

from annotated import ROOT, block, page_name

__all__ = ["quoted", "setup"]


def quoted(source: str, name: str) -> str:
    """Return what the function, method or value of a name does, `outer.inner` for one inside another.

    Raises ValueError where the source defines no such name.
    """
    body: list[ast.stmt] = ast.parse(source).body
    for part in name.split("."):
        found = next((each for each in body if part in _names(each)), None)
        if found is None:
            raise ValueError(f"name is {name!r}; expected a function, method or value that the source defines")
        body = getattr(found, "body", [])
    assert found is not None
    lines = dict(enumerate(source.splitlines(), 1))
    shown = {n: lines[n] for n in range(found.lineno, (found.end_lineno or found.lineno) + 1)}
    for node in ast.walk(found):
        if isinstance(node, ast.FunctionDef):
            indent = lines[node.lineno][: node.col_offset]
            _replace(shown, node.lineno, node.body[0].lineno - 1, f"{indent}def {node.name}({_arguments(node)}):")
        if isinstance(node, ast.stmt) and _silent(node):
            _replace(shown, node.lineno, node.end_lineno or node.lineno)
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            plain = f"{ast.unparse(node.target)} = {ast.get_source_segment(source, node.value)}"
            _replace(shown, node.lineno, node.end_lineno or node.lineno, lines[node.lineno][: node.col_offset] + plain)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and shown.get(token.start[0]) == token.line.rstrip("\n"):
            shown[token.start[0]] = token.line[: token.start[1]].rstrip()
    return textwrap.dedent("\n".join(line for line in shown.values() if line.strip()))


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    return [each.id for each in node.targets if isinstance(each, ast.Name)] if isinstance(node, ast.Assign) else []


def _arguments(node: ast.FunctionDef) -> str:
    """Return the arguments of a function without their types."""
    for each in ast.walk(node.args):
        if isinstance(each, ast.arg):
            each.annotation = None
    return ast.unparse(node.args)


def _silent(node: ast.stmt) -> bool:
    """Report whether a statement is a docstring, or refuses bad input and does nothing else."""
    if isinstance(node, ast.If):
        return not node.orelse and all(isinstance(each, ast.Raise) for each in node.body)
    if not isinstance(node, ast.Expr):
        return False
    called = node.value.func if isinstance(node.value, ast.Call) else None
    return isinstance(node.value, ast.Constant) or (isinstance(called, ast.Name) and called.id.startswith("check_"))


def _replace(shown: dict[int, str], first: int, last: int, by: str = "") -> None:
    for n in range(first, last + 1):
        shown[n] = by if n == first else ""


class Beside(SphinxDirective):
    """What is said on one side, the code that it is about on the other: `beside:: npnet/layers.py: linear, forward`."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return a row of the kind that the annotated source has."""
        file, _, names = self.arguments[0].partition(":")
        path = ROOT / file
        self.env.note_dependency(str(path))
        row, said = nodes.container(classes=["row"]), nodes.container(classes=["said"])
        said += self.parse_content_to_nodes()
        page, code = page_name(path), []
        for name in map(str.strip, names.split(",")):
            text = quoted(path.read_text("utf-8"), name)
            code += highlight(text, PythonLexer(), HtmlFormatter(nowrap=True)).splitlines()
            link = nodes.reference("", "", nodes.literal("", name), refuri=f"source/{page}.html#{name.split('.')[0]}")
            said += nodes.paragraph("", "", nodes.Text("from "), link, classes=["origin"])
        row += [said, block(code)]
        return [nodes.container("", row, classes=["annotated", "whole"])]


def setup(app) -> dict[str, bool]:  # type: ignore[no-untyped-def]
    """Know the directive."""
    app.add_directive("beside", Beside)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
