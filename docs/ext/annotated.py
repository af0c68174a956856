"""The annotated source: every file of the library as a page, what is said on one side and the code on the other.

Pages are made from the files that are there when the site is built. Docstrings and comments on lines of their own go to
the left, all other lines to the right, each line exactly once and in order. The order of the files is the reading order
that the packages' own docstrings give; what they do not name comes after it.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from inspect import cleandoc
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from prose import first_sentence, prose

__all__ = ["Row", "page_name", "reading_order", "rows", "setup"]

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Row:
    """A row of a page: what is said, the numbers of the lines of code beside it, the names that they define."""

    said: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def reading_order(package: Path) -> list[Path]:
    """Return the source files of a package: itself, what its docstring names, what else there is, folders last.

    Names count from the words "Reading order" on, or in the whole docstring where it has none.
    """
    said = (ast.get_docstring(ast.parse((package / "__init__.py").read_text("utf-8"))) or "").partition("Reading order")
    words = re.findall(r"[a-z_]\w*", said[2] or said[0])

    def rank(path: Path) -> tuple[bool, int, str]:
        place = words.index(path.stem) if path.stem in words else len(words)
        return path.is_dir(), place, path.name

    found = [package / "__init__.py"]
    for path in sorted((p for p in package.iterdir() if p.name != "__init__.py"), key=rank):
        if path.suffix == ".py":
            found.append(path)
        elif (path / "__init__.py").exists():
            found += reading_order(path)
    return found


def page_name(path: Path) -> str:
    """Return the name of a file's page: npnet/tasks/rules.py is npnet.tasks.rules."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def rows(source: str) -> list[Row]:
    """Cut a source file into rows; every line of code is in exactly one of them."""
    texts: dict[int, list[str]] = {}  # by the line at which a row begins, what is said beside it
    names: dict[int, list[str]] = {}
    silent: set[int] = set()  # the lines that are said, not shown
    for begin, first, last, text in _docstrings(ast.parse(source)):
        texts.setdefault(begin, []).append(text)
        silent.update(range(first, last + 1))
    for first, block in _comments(source):
        texts.setdefault(first, []).append("\n".join(block))
        silent.update(range(first, first + len(block)))
    for begin, name in _definitions(ast.parse(source)):
        names.setdefault(begin, []).append(name)
        texts.setdefault(begin, [])
    found = [Row()]
    for number, line in enumerate(source.splitlines(), 1):
        if number in texts:
            found.append(Row(texts[number], [], names.get(number, [])))
        if number not in silent and (line.strip() or found[-1].lines):
            found[-1].lines.append(number)
    return [row for row in found if row.said or row.lines]


def _docstrings(tree: ast.Module) -> Iterator[tuple[int, int, int, str]]:
    """Yield (the line of what it is about, first line, last line, text) of every docstring, those of values as well."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        for i, statement in enumerate(body):
            if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
                continue
            text, first, last = statement.value.value, statement.lineno, statement.end_lineno or statement.lineno
            if not isinstance(text, str):
                continue
            if i == 0 and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                begin = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            else:
                begin = body[i - 1].lineno if i else first
            yield begin, first, last, cleandoc(text)


def _comments(source: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (first line, lines of text) of every block of comments that have their lines to themselves."""
    first, block = 0, []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not token.line[: token.start[1]].strip():
            if block and token.start[0] != first + len(block):
                yield first, block
                block = []
            first = first if block else token.start[0]
            block.append(token.string.lstrip("#").strip())
    if block:
        yield first, block


def _definitions(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, name) of every function, class, method and named value, decorators included."""

    def inside(body: list[ast.stmt], prefix: str) -> Iterator[tuple[int, str]]:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield min([node.lineno, *(each.lineno for each in node.decorator_list)]), prefix + node.name
                if isinstance(node, ast.ClassDef):
                    yield from inside(node.body, prefix + node.name + ".")
            elif not prefix and isinstance(node, ast.Assign | ast.AnnAssign):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    for each in ast.walk(target):
                        if isinstance(each, ast.Name) and not each.id.startswith("__"):
                            yield node.lineno, each.id

    return inside(tree.body, "")


def block(lines: list[str]) -> nodes.raw:
    """Return lines of highlighted code as a block; a line too long for the page goes on below, further to the right."""
    shown = "".join(
        f'<span class="line" style="--at: {_indent(line)}ch">{line}</span>'
        if _indent(line)
        else f'<span class="line">{line}</span>'
        for line in lines
    )
    return nodes.raw(
        "", f'<div class="code highlight"><pre>{shown}</pre></div>' if lines else "<div></div>", format="html"
    )


def _indent(line: str) -> int:
    text = re.sub(r"<[^>]*>", "", line)
    return len(text) - len(text.lstrip())


class Annotated(Directive):
    """The page of one source file: `annotated:: npnet/layers.py`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a container for each row: what is said, then the code."""
        path = ROOT / self.arguments[0]
        self.state.document.settings.env.note_dependency(str(path))
        source = path.read_text("utf-8")
        html = highlight(source, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)).split("\n")
        whole = nodes.container(classes=["annotated"])
        for row in rows(source):
            node = nodes.container(classes=["row"], ids=row.names)
            said = nodes.container(classes=["said"])
            for text in row.said:
                said += prose(text)
            node += said
            while row.lines and not source.splitlines()[row.lines[-1] - 1].strip():
                row.lines.pop()
            node += block([html[n - 1] for n in row.lines])
            whole += node
        return [whole]


class Contents(Directive):
    """A table of source files with the first sentence of each: `contents-of:: npnet/a.py npnet/b.py …`."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return a definition list."""
        found = nodes.definition_list(classes=["files"])
        for name in self.arguments[0].split():
            path = ROOT / name
            text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
            link = nodes.reference("", "", nodes.literal("", name), refuri=page_name(path) + ".html", internal=True)
            said = nodes.paragraph("", "", *first_sentence(text))
            found += nodes.definition_list_item("", nodes.term("", "", link), nodes.definition("", said))
        return [found]


def _generate(app) -> None:  # type: ignore[no-untyped-def]
    """Write the stub of every page into docs/source/, and the index with the reading order."""
    folder = Path(app.srcdir) / "source"
    files = reading_order(ROOT / "npnet")
    wanted = {"index.md": _index(files)}
    for path in files:
        title = path.relative_to(ROOT).as_posix()
        wanted[page_name(path) + ".md"] = f"---\nhide-toc: true\n---\n# {title}\n\n```{{annotated}} {title}\n```\n"
    write(folder, wanted)


def write(folder: Path, wanted: dict[str, str]) -> None:
    """Make a folder hold these files and no others; what has not changed is not touched."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.md"):
        if old.name not in wanted:
            old.unlink()
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def _index(files: list[Path]) -> str:
    parts = ["# The annotated source\n", (Path(__file__).parent / "source.md").read_text("utf-8")]
    for package in dict.fromkeys(path.parent for path in files):
        mine = [path for path in files if path.parent == package]
        title = "The core, in reading order" if package == ROOT / "npnet" else page_name(package)
        names = " ".join(path.relative_to(ROOT).as_posix() for path in mine)
        entries = "\n".join(f"{path.relative_to(ROOT / 'npnet').as_posix()} <{page_name(path)}>" for path in mine)
        toctree = f"```{{toctree}}\n:hidden:\n:caption: {title}\n\n{entries}\n```"
        parts.append(f"## {title}\n\n```{{contents-of}} {names}\n```\n\n{toctree}\n")
    return "\n".join(parts)


def _to_pages(app, docname: str, content: list[str]) -> None:  # type: ignore[no-untyped-def]
    """Make links to files and folders of the library links to their pages."""

    def page(match: re.Match[str]) -> str:
        path = ROOT / match[1]
        path = path / "__init__.py" if path.is_dir() else path
        return f"](/source/{page_name(path)}.md)" if path.exists() and path.suffix == ".py" else match[0]

    content[0] = re.sub(r"\]\((?:\.\./)+(npnet(?:/[\w./]+)?)\)", page, content[0])


def setup(app) -> dict[str, bool]:  # type: ignore[no-untyped-def]
    """Make the pages before anything is read."""
    app.add_directive("annotated", Annotated)
    app.add_directive("contents-of", Contents)
    app.connect("builder-inited", _generate)
    app.connect("source-read", _to_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
