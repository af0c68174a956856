"""The structure of npnet: which room may import which. Read from the source with `ast`, nothing is imported.

A room is a folder of npnet. "core" stands for the files that lie flat in npnet/, but for `npnet/__init__.py`, which
hands on what the rooms export.
"""

import ast
from pathlib import Path
from typing import NamedTuple

import pytest

NPNET = Path(__file__).resolve().parents[1] / "npnet"
ANYTHING = None
FAMILIES = ("columns", "matching", "starting_point", "joint_tuning", "populations")


class Rule(NamedTuple):
    """What a room may import of npnet besides itself: these alone, or anything but those."""

    room: str
    only: tuple[str, ...] | None
    never: tuple[str, ...] = ()


RULES = (
    #    room     only         never
    Rule("check", ("arrays",)),
    Rule("proofs", ANYTHING),
    Rule("core", ANYTHING, ("proofs", *FAMILIES)),
    Rule("methods", ANYTHING, ("proofs", *FAMILIES)),
    Rule("tasks", ANYTHING, ("proofs", "check", "methods", *FAMILIES)),
    *(Rule(family, ANYTHING, ("proofs", *(other for other in FAMILIES if other != family))) for family in FAMILIES),
)


def is_room(name, root=NPNET):
    """A family that is still a flat file belongs to the core and has no rule of its own."""
    return name == "core" or (root / name / "__init__.py").exists()


def files(room, root=NPNET):
    if room == "core":
        return [path for path in sorted(root.glob("*.py")) if path.name != "__init__.py"]
    return sorted((root / room).rglob("*.py"))


def imported(source, package):
    """Yield (line, parts) for everything of npnet that a file of a package imports: ("check", "gradient"), or ()."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from ((node.lineno, tuple(name.split("."))[1:]) for name in names if name.split(".")[0] == "npnet")


def breaches(rule, root=NPNET):
    """Return "file:line imports npnet.x" for every import that the rule forbids."""
    found = []
    for path in files(rule.room, root):
        package = ("npnet", *path.relative_to(root).parent.parts)
        for line, parts in imported(path.read_text("utf-8"), package):
            of = parts[0] if parts else "__init__"
            known = (root / of).is_dir() or (root / f"{of}.py").exists()
            of = of if known else "__init__"  # a name that npnet/__init__.py hands on: of every room there is
            forbidden = of in rule.never and is_room(of, root)
            forbidden |= of == "__init__" and bool(rule.only or rule.never)
            forbidden |= rule.only is not None and of not in rule.only
            if forbidden and of != rule.room:
                found.append(f"{path.relative_to(root)}:{line} imports npnet.{'.'.join(parts)}")
    return found


@pytest.mark.parametrize("rule", [rule for rule in RULES if is_room(rule.room)], ids=lambda rule: rule.room)
def test_a_room_imports_what_it_may(rule):
    assert files(rule.room)
    assert breaches(rule) == []


def test_every_room_has_a_rule():
    rooms = {path.parent.name for path in NPNET.glob("*/__init__.py")}
    assert rooms <= {rule.room for rule in RULES}
    assert {"check", "proofs"} <= rooms


def test_the_first_file_hands_on_nothing_of_the_proofs():
    of = [parts[:1] for _, parts in imported((NPNET / "__init__.py").read_text("utf-8"), ("npnet",))]
    assert ("arrays",) in of
    assert ("proofs",) not in of


@pytest.mark.parametrize(
    ("room", "line", "found"),
    [
        ("check", "from npnet.arrays import Array", []),
        ("check", "from npnet.check.report import Line", []),
        ("check", "import numpy", []),
        ("check", "from npnet.trees import leaves", ["npnet.trees.leaves"]),
        ("check", "import npnet.layers as layers", ["npnet.layers"]),
        ("check", "def f():\n    from npnet.proofs.catalogue import cases", ["npnet.proofs.catalogue.cases"]),
        ("check", "from npnet import layers", ["npnet.layers"]),
        ("check", "from npnet import mlp", ["npnet.mlp"]),
        ("check", "import npnet", ["npnet."]),
        ("check", "from ..trees import leaves", ["npnet.trees.leaves"]),
        ("check", "from .report import Line", []),
        ("check", "from .. import trees", ["npnet.trees"]),
        ("proofs", "from npnet.columns.laterals import joined", []),
        ("core", "from npnet.trees import leaves", []),
        ("core", "from npnet.columns.laterals import joined", ["npnet.columns.laterals.joined"]),
        ("core", "from .columns import joined", ["npnet.columns.joined"]),
        ("core", "from npnet.proofs import planting", ["npnet.proofs.planting"]),
        ("core", "from npnet import progressive", ["npnet.progressive"]),
        ("core", "from npnet.matching import unit", []),
        ("columns", "from npnet.columns.laterals import joined", []),
        ("columns", "from npnet.populations import stack", ["npnet.populations.stack"]),
        ("populations", "from npnet.columns import joined", ["npnet.columns.joined"]),
        ("tasks", "from npnet.check import check_gradient", ["npnet.check.check_gradient"]),
    ],
)
def test_a_forbidden_import_is_found(tmp_path, room, line, found):
    for name in ("check", "proofs", "columns", "populations", "tasks"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
    for name in ("arrays", "trees", "layers", "matching"):
        (tmp_path / f"{name}.py").write_text("")
    folder = tmp_path if room == "core" else tmp_path / room
    (folder / "planted.py").write_text(line)
    (rule,) = (rule for rule in RULES if rule.room == room)
    assert [each.partition(" imports ")[2] for each in breaches(rule, tmp_path)] == found
