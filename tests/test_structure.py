"""The structure of npnet: which room may import which, and how short the plain path is. Imports are read with `ast`.

A room is a folder of npnet. "core" stands for the files that lie flat in npnet/, but for `npnet/__init__.py`, which
hands on what the rooms export.
"""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from npnet.compiled import compiler

NPNET = Path(__file__).resolve().parents[1] / "npnet"
ANYTHING = None
FAMILIES = ("columns", "matching", "starting_point", "joint_tuning", "populations")
FACES = ("sklearn", "exchange")  # rooms for other libraries: they import npnet, and nothing else of it imports them


class Rule(NamedTuple):
    """What a room may import of npnet besides itself: these alone, or anything but those."""

    room: str
    only: tuple[str, ...] | None
    never: tuple[str, ...] = ()


RULES = (
    #    room     only         never
    Rule("check", ("arguments", "arrays")),
    Rule("proofs", ANYTHING),
    Rule("core", ANYTHING, ("proofs", *FAMILIES, *FACES)),
    Rule("methods", ANYTHING, ("proofs", *FAMILIES, *FACES)),
    Rule("command", ANYTHING, ("proofs", "check", *FAMILIES)),
    Rule("tasks", ANYTHING, ("proofs", "check", "methods", *FAMILIES, *FACES)),
    *(
        Rule(family, ANYTHING, ("proofs", *FACES, *(other for other in FAMILIES if other != family)))
        for family in FAMILIES
    ),
    *(Rule(face, ANYTHING, ("proofs",)) for face in FACES),
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
    assert not {("proofs",), *((face,) for face in FACES)} & set(of)


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


# The plain path -------------------------------------------------------------------------------------------------------

FUNCTIONS, FILES, LINES, LONGEST = 62, 14, 2637, 230  # lines: what is refused by name, kinds of labels, subnormals
"""The plain path is short: at most so many named functions in so many files of the text are run by the first epoch of a
plain MLP, `import npnet.training` reads so many lines of it, and no file in the root of npnet has more lines than the
longest of the text. Whoever makes it shorter lowers these numbers; whoever needs a higher one says why."""

SUPPORT = {"trees.py", "foreign.py", "describe.py", "compiled.py", "fused.py", "block_threshold.py", "frozen.py"}
SUPPORT |= {"arguments.py", "parts.py", "readable.py", "blas.py", "loops.py", "undo.py"}
"""Files that are not part of the text: plain data and files, compiled loops, kept activations, what is refused."""
SUPPORT_FUNCTIONS, SUPPORT_LINES = 44, 1655  # numba at the first call, BLAS, loops of ReLU and moves, files, undoing

PLAIN_EPOCH = """
import json, sys
import numpy as np
import npnet

rng = npnet.generator(0, "plain")
X, labels = rng.standard_normal((200, 20)).astype(np.float32), rng.integers(0, 3, 200)
splits = (npnet.Split(X[rows], labels[rows]) for rows in (slice(100), slice(100, 150), slice(150, None)))
run = npnet.Run(npnet.mlp((20, 16, 12), {"t": 3}, npnet.generator(0)), npnet.generator(1))
tasks, root, seen = {"t": npnet.Task("t", 3, *splits)}, npnet.__path__[0], set()


def called(frame, event, argument):
    code = frame.f_code
    if event == "call" and code.co_filename.startswith(root) and not code.co_name.startswith("<"):
        seen.add((code.co_filename.removeprefix(root)[1:], code.co_qualname))


sys.setprofile(called)
next(npnet.train(run, tasks))
sys.setprofile(None)
print(json.dumps(sorted(seen)))
"""
"""The functions of npnet that run, without lambdas and comprehensions."""

IMPORT = """
import json, sys, types
from pathlib import Path

package = types.ModuleType("npnet")
package.__path__ = [sys.argv[1]]
sys.modules["npnet"] = package  # so that npnet/__init__.py, which hands on every room, is not run
import npnet.training

files = [Path(module.__file__) for name, module in sys.modules.items() if name.startswith("npnet.")]
names = {file.relative_to(sys.argv[1]).as_posix(): file.read_text("utf-8") for file in files}
print(json.dumps({name: len(text.splitlines()) for name, text in names.items()}))
"""


def told(program, root=NPNET):
    """Return what a program of its own process tells, with npnet of this checkout."""
    done = subprocess.run(
        [sys.executable, "-c", program, str(root)], cwd=root.parent, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(compiler() is None, reason="counts the path with compiled loops: pip install numba")
def test_the_first_epoch_of_a_plain_network_runs_few_functions_in_few_files():
    run = told(PLAIN_EPOCH)
    seen = [each for each in run if each[0] not in SUPPORT]
    files = {file for file, _ in seen}
    assert len(run) - len(seen) <= SUPPORT_FUNCTIONS, "\n".join(f"{file} {name}" for file, name in run)
    assert {"training.py", "step.py", "objective.py", "layers.py"} <= files
    assert ["step.py", "take_step"] in seen
    assert not {file.split("/")[0] for file in files if "/" in file}, "a room is on the plain path"
    assert len(seen) <= FUNCTIONS, "\n".join(f"{file} {name}" for file, name in seen)
    assert len(files) <= FILES, sorted(files)


def test_training_is_imported_with_few_lines():
    lines = told(IMPORT)
    assert "training.py" in lines
    assert not {file for file in lines if "/" in file}, "training imports a room"
    assert sum(n for file, n in lines.items() if file not in SUPPORT) <= LINES, lines
    assert sum(n for file, n in lines.items() if file in SUPPORT) <= SUPPORT_LINES, lines


def test_no_file_in_the_root_is_long():
    lines = {path.name: len(path.read_text("utf-8").splitlines()) for path in files("core")}
    assert {name: n for name, n in lines.items() if n > LONGEST and name not in SUPPORT} == {}
