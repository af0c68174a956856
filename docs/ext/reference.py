"""The reference: every public name of the library with its signature and what its docstring says of it.

A page for each package, a section for each file in reading order, an entry for each name of the file's `__all__`. It is
read off the source, nothing is imported. Names in backticks that begin with "npnet." link here from every page.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from html import escape
from inspect import cleandoc
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive

from annotated import ROOT, page_name, reading_order, write
from prose import first_sentence, prose

__all__ = ["class_signature", "exported", "places", "setup"]


def exported(tree: ast.Module) -> list[str]:
    """Return the `__all__` of a file, in the order in which the file defines them; () where it has none."""
    names: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            names = ast.literal_eval(node.value)
    order = {name: node.lineno for node in tree.body for name in _defines(node)}
    return sorted(names, key=lambda name: order.get(name, 0))


def _defines(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [each.id for target in node.targets for each in ast.walk(target) if isinstance(each, ast.Name)]
    return [node.target.id] if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) else []


def packages() -> dict[Path, list[Path]]:
    """Return the files of every package in reading order, those alone that export something which they define."""
    found: dict[Path, list[Path]] = {}
    for path in reading_order(ROOT / "npnet"):
        tree = ast.parse(path.read_text("utf-8"))
        if any(name in _defines(node) for name in exported(tree) for node in tree.body):
            found.setdefault(path.parent, []).append(path)
    return found


@cache
def places() -> dict[str, str]:
    """Return where every public name is described, page#id, under the names by which it can be imported."""
    found, origin = {}, {}
    for path in reading_order(ROOT / "npnet"):
        tree, package = ast.parse(path.read_text("utf-8")), page_name(path.parent / "__init__.py")
        for name in exported(tree):
            if any(name in _defines(node) for node in tree.body):
                found[f"{page_name(path)}.{name}"] = f"reference/{package}#{page_name(path)}.{name}"
        for node in _at_the_top(tree):  # and what a file hands on from others
            for alias in node.names if isinstance(node, ast.ImportFrom) else ():
                origin[f"{page_name(path)}.{alias.asname or alias.name}"] = f"{node.module}.{alias.name}"
    for name in origin:
        target = followed(name, origin)
        inside = next((each for each in found if each.startswith(f"{target}.")), "")  # a module's place: its first name
        if target in found or inside:
            found[name] = found.get(target) or found[inside]
    return found


def _at_the_top(tree: ast.Module) -> list[ast.stmt]:
    """Return the statements of a module, with those that stand under an `if`, as imports for the type checker do."""
    return [each for node in tree.body for each in (node.body if isinstance(node, ast.If) else [node])]


def followed(name: str, origin: dict[str, str]) -> str:
    """Return where a name comes from in the end; a package that imports a module of its own leads back to itself."""
    seen = set()
    while name in origin and name not in seen:
        seen.add(name)
        name = origin[name]
    return name


def _signature(node: ast.FunctionDef) -> str:
    returns = f" → {ast.unparse(node.returns)}" if node.returns else ""
    arguments = _spaced(ast.unparse(node.args))
    return (
        f"{node.name}({arguments.removeprefix('self, ').removeprefix('cls, ') if arguments != 'self' else ''}){returns}"
    )


def _spaced(text: str) -> str:
    """Return unparsed arguments with spaces around the defaults of those that are annotated."""
    return re.sub(r"(: [^=]*?)=(?!=)", r"\1 = ", text)


def class_signature(node: ast.ClassDef) -> str:
    """Return how a class is made: its fields as arguments, or as a body where its bases may have more."""
    bases = ", ".join(map(ast.unparse, node.bases))
    fields = [ast.unparse(each) for each in node.body if _is_field(each)] if _has_fields(node) else []
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and each.name == "__init__":
            fields = [_spaced(ast.unparse(each.args)).removeprefix("self").removeprefix(", ")]
            bases = ""
    if not fields:
        return f"class {node.name}" + (f"({bases})" if bases else "")
    if bases:
        return f"class {node.name}({bases}):\n    " + "\n    ".join(fields)
    return f"class {node.name}(\n    " + ",\n    ".join(fields) + "\n)"


def _has_fields(node: ast.ClassDef) -> bool:
    marks = [ast.unparse(each) for each in (*node.decorator_list, *node.bases)]
    return any("dataclass" in mark or mark == "NamedTuple" for mark in marks)


def _is_field(node: ast.stmt) -> bool:
    """Report whether a line of a class is a field that whoever makes an object can give."""
    if not isinstance(node, ast.AnnAssign):
        return False
    return not ast.unparse(node.annotation).startswith("ClassVar") and "init=False" not in ast.unparse(node)


class Reference(Directive):
    """The entries of one file: `reference:: npnet/layers.py`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a section with an entry for each public name."""
        path = ROOT / self.arguments[0]
        self.state.document.settings.env.note_dependency(str(path))
        tree, module = ast.parse(path.read_text("utf-8")), page_name(path)
        section = nodes.section(ids=["file-" + module], names=[module])
        section += nodes.title("", "", nodes.literal("", module))
        section += nodes.paragraph("", "", *first_sentence(ast.get_docstring(tree) or ""))
        for name in exported(tree):
            place = next((i for i, node in enumerate(tree.body) if name in _defines(node)), None)
            if place is None:
                continue  # made elsewhere, and described there
            entry = nodes.section(ids=[f"{module}.{name}"], names=[f"{module}.{name}"], classes=["entry"])
            entry += nodes.title("", "", nodes.literal("", name))
            entry.extend(_entry(module, name, tree.body, place))
            section += entry
        return [section]


def _entry(module: str, name: str, body: list[ast.stmt], i: int) -> Iterator[nodes.Node]:
    node = body[i]
    if isinstance(node, ast.FunctionDef):
        yield _shown(_signature(node), module, name)
        yield from prose(cleandoc(ast.get_docstring(node) or ""))
    elif isinstance(node, ast.ClassDef):
        yield from _class(module, node)
    else:
        yield _shown(_value(node), module, name)
        following = body[i + 1] if i + 1 < len(body) else None
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            yield from prose(cleandoc(str(following.value.value)))


def _class(module: str, node: ast.ClassDef) -> Iterator[nodes.Node]:
    yield _shown(class_signature(node), module, node.name)
    yield from prose(cleandoc(ast.get_docstring(node) or ""))
    for each in (each for each in node.body if isinstance(each, ast.FunctionDef)):
        said = ast.get_docstring(each)
        if said and (not each.name.startswith("_") or each.name == "__call__"):
            decorated = "".join(f"@{ast.unparse(d)} " for d in each.decorator_list)
            method = nodes.container(classes=["method"], ids=[f"{module}.{node.name}.{each.name}"])
            method += _shown(decorated + _signature(each), module, f"{node.name}.{each.name}")
            method.extend(prose(cleandoc(said)))
            yield method


def _value(node: ast.stmt) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 200 else text[:199] + "…"


def _shown(text: str, module: str, name: str) -> nodes.raw:
    link = f'<a class="source" href="../source/{module}.html#{name}" aria-label="source of {name}">source</a>'
    return nodes.raw("", f'<div class="signature"><code tabindex="0">{escape(text)}</code>{link}</div>', format="html")


def _generate(app) -> None:  # type: ignore[no-untyped-def]
    """Write the stub of every package's page into docs/reference/, and the index."""
    wanted, entries = {}, []
    for package, files in packages().items():
        name = page_name(package / "__init__.py")
        parts = "".join(f"```{{reference}} {path.relative_to(ROOT).as_posix()}\n```\n\n" for path in files)
        wanted[name + ".md"] = f"# {name}\n\n{parts}"
        entries.append(name)
    toctree = "```{toctree}\n" + "\n".join(entries) + "\n```\n"
    said = (Path(__file__).parent / "reference.md").read_text("utf-8")
    wanted["index.md"] = f"# Reference\n\n{said}\n{toctree}"
    write(Path(app.srcdir) / "reference", wanted)


def _link(app, doctree: nodes.document, docname: str) -> None:  # type: ignore[no-untyped-def]
    """Make names in backticks that begin with "npnet." links to their entries."""
    known = places()
    for literal in list(doctree.findall(nodes.literal)):
        page, _, anchor = known.get(literal.astext().removesuffix("()"), "").partition("#")
        if page and not isinstance(literal.parent, nodes.reference | nodes.title):
            uri = app.builder.get_relative_uri(docname, page) + "#" + anchor
            literal.replace_self(nodes.reference("", "", literal.deepcopy(), refuri=uri, internal=True))


def setup(app) -> dict[str, bool]:  # type: ignore[no-untyped-def]
    """Make the pages before anything is read, and the links when all of it is."""
    app.add_directive("reference", Reference)
    app.connect("builder-inited", _generate)
    app.connect("doctree-resolved", _link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
