"""The annotated source: every line of every file, once and in order; every file, in the order that docstrings give."""

import ast
import re

import pytest
from book import ROOT

from annotated import page_name, reading_order, rows
from quoted import quoted
from reference import class_signature, followed

FILES = reading_order(ROOT / "npnet")


def test_every_file_has_a_place_and_the_readers_come_first():
    assert sorted(FILES) == sorted((ROOT / "npnet").rglob("*.py"))
    names = [page_name(path) for path in FILES]
    said = ast.get_docstring(ast.parse((ROOT / "npnet/__init__.py").read_text("utf-8"))).split("Reading order:")[1]
    wanted = said.split(";")[0].replace("\n", " ").split(",")
    assert names[1 : len(wanted) + 1] == [f"npnet.{name.strip()}" for name in wanted]
    rooms = re.findall(r"\w+", said.split("rooms:")[1].partition(".")[0])
    assert sorted(rooms) == sorted(path.parent.name for path in (ROOT / "npnet").glob("*/__init__.py"))
    places = [names.index(f"npnet.{room}") for room in rooms]
    assert places == sorted(places)


def test_the_page_on_the_code_gives_the_same_order():
    section = (ROOT / "docs" / "code.md").read_text("utf-8").partition("in this order:")[2].partition("\n## ")[0]
    linked = re.findall(r"\]\(\.\./npnet/([\w.]+)(?:/__init__\.py)?\)", section)
    named = [page_name(path).removeprefix("npnet.") for path in FILES[1:] if path.parent == ROOT / "npnet"]
    rooms = [name for name in linked if not name.endswith(".py")]
    core = linked[: linked.index(rooms[0])]
    assert sorted(name.removesuffix(".py") for name in linked if name.endswith(".py")) == sorted(named)
    assert core == [f"{name}.py" for name in named[: len(core)]]
    assert rooms == [path.parent.name for path in FILES if path in set((ROOT / "npnet").glob("*/__init__.py"))]


def test_a_name_is_followed_to_where_it_is_defined_and_in_no_circle():
    assert followed("npnet.mlp", {"npnet.mlp": "npnet.perceptron.mlp"}) == "npnet.perceptron.mlp"
    assert followed("npnet.orders", {"npnet.orders": "npnet.orders"}) == "npnet.orders"
    assert followed("a", {"a": "b", "b": "a"}) in ("a", "b")


def test_the_reference_shows_how_a_class_is_made():
    def shown(source):
        return class_signature(ast.parse(source).body[0])

    fields = "    a: int = 1\n    b: ClassVar[int] = 2\n    c: int = field(init=False)\n    d: str = ''"
    assert shown(f"@dataclass\nclass A:\n{fields}") == "class A(\n    a: int = 1,\n    d: str = ''\n)"
    assert shown(f"@dataclass\nclass A(B):\n{fields}") == "class A(B):\n    a: int = 1\n    d: str = ''"
    assert shown("class A(NamedTuple):\n    a: int") == "class A(NamedTuple):\n    a: int"
    assert shown("class A(B):\n    a: int") == "class A(B)"
    assert shown("class A(B):\n    def __init__(self, a: int=1): ...") == "class A(\n    a: int = 1\n)"


def test_a_new_file_comes_after_those_that_are_named(tmp_path):
    package = tmp_path / "package"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text('"""A package.\n\nReading order: zebra, inner; ape.\n"""\n')
    for name in ("ape.py", "zebra.py", "new.py", "inner/__init__.py", "inner/other.py"):
        (package / name).write_text("")
    found = [path.relative_to(package).as_posix() for path in reading_order(package)]
    assert found == ["__init__.py", "zebra.py", "ape.py", "new.py", "inner/__init__.py", "inner/other.py"]


@pytest.mark.parametrize("path", FILES, ids=page_name)
def test_every_line_is_there_once_and_in_order(path):
    source = path.read_text("utf-8")
    lines = source.splitlines()
    found = rows(source)
    shown = [n for row in found for n in row.lines]
    assert shown == sorted(set(shown))
    said = " ".join(text for row in found for text in row.said).split()
    rest = [line.strip().lstrip("#").replace('"""', " ").split() for i, line in enumerate(lines, 1) if i not in shown]
    assert said == [word for line in rest for word in line]  # what is not shown as code is said, word for word


def test_what_is_said_stands_beside_what_it_is_about():
    value, function = 'A = 1\n"""About A."""', 'def f(x):\n    """About f."""\n    y = x\n    # why\n    return y'
    source = f'"""File."""\n\n{value}\n\n\n@wrap\n{function}'
    found = [(row.said, row.lines, row.names) for row in rows(source)]
    assert found == [
        (["File."], [], []),
        (["About A."], [3, 5, 6], ["A"]),
        (["About f."], [7, 8, 10], ["f"]),
        (["why"], [12], []),
    ]


def test_what_is_quoted_are_lines_of_the_source_without_what_only_guards_them():
    source = (
        '"""File."""\n\n\nclass A:\n    @wrap\n    def f(self, x: int, y: float = 1) -> int:\n        """Say."""\n'
        '        check_x(x)\n        if x < 0:\n            raise ValueError("x")\n        n: int = 1  # one\n'
        "        return x + n\n\n\na = A()\n"
    )
    assert quoted(source, "A.f") == "def f(self, x, y=1):\n    n = 1\n    return x + n"
    assert quoted(source, "a") == "a = A()"
    with pytest.raises(ValueError, match=r"name is 'A.g'; expected"):
        quoted(source, "A.g")
    page = (ROOT / "docs" / "whole.md").read_text("utf-8")
    for file, names in re.findall(r"{beside} (\S+): (.*)", page):
        source = (ROOT / file).read_text("utf-8")
        for name in names.split(", "):
            for line in quoted(source, name).splitlines():
                assert line.lstrip().startswith("def ") or line.strip() in source or line.strip() == "dX = None", line
