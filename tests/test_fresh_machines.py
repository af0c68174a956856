"""Machines that are not the developers': no numba, no place for its cache, a damaged cache, another system.

What is run there is run in a process of its own. `npnet.compiled` is the one file that knows numba.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import npnet
from npnet import compiled
from npnet.tasks import TASKS, addresses, backgrounds, draw, raster, stimulus_set, stimulus_sets

ROOT = Path(npnet.__file__).resolve().parent.parent
needs_numba = pytest.mark.skipif(compiled.compiler() is None, reason="needs numba: pip install numba")

TRAINING = """
import npnet, numpy as np
split = npnet.Split(np.eye(3, dtype=np.float32)[np.arange(30) % 3], np.arange(30) % 3)
run = npnet.Run(npnet.mlp((3, 4), {"t": 3}, npnet.generator(0)), npnet.generator(0))
tasks, penalties = {"t": npnet.Task("t", 3, split, split, split)}, (npnet.l2, npnet.l1)
settings = npnet.Hyperparameters(max_epochs=2, regularizers=tuple(npnet.Regularizer(p, 0.01) for p in penalties))
print(*[f"{record['objective']:.5f}" for record in npnet.train(run, tasks, settings)])
"""
DRAWING = """
import npnet.tasks, zlib
for task in (*npnet.tasks.TASKS, *npnet.tasks.ALPHABETS):
    print(task, *[zlib.crc32(part.tobytes()) for part in npnet.tasks.draw(task, 3, 0, 6)])
"""
WITHOUT = "import sys; sys.modules['numba'] = None\n"
BROKEN = """
import importlib.abc, sys
class Broken(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "numba":
            raise SystemError("initialization of _internal failed")
sys.meta_path.insert(0, Broken())
"""
NOWHERE = """
from numba.core import caching
def refuse(self):
    raise PermissionError("read-only file system")
caching._CacheLocator.ensure_cache_path = refuse
"""


def python(code, *options, **variables):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    command = [sys.executable, *options, "-c", code]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)


def said(code, *options, **variables):
    done = python(code, *options, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def outputs():
    return {code: said(code, "-W", "ignore") for code in (TRAINING, DRAWING)}


@pytest.mark.parametrize("before", [WITHOUT, BROKEN], ids=["none", "broken"])
@pytest.mark.parametrize("code", [TRAINING, DRAWING], ids=["training", "drawing"])
def test_without_numba_the_numbers_are_the_same_and_it_is_said_once(code, before, outputs):
    done = python(before + code)
    assert done.returncode == 0, done.stderr
    assert done.stdout == outputs[code]
    assert len(re.findall(r"RuntimeWarning: numba cannot be imported \(.*slower; pip install numba", done.stderr)) == 1


@needs_numba
@pytest.mark.parametrize("code", [TRAINING, DRAWING], ids=["training", "drawing"])
def test_with_the_compiler_switched_off_nothing_is_said(code, outputs):
    done = python(code, "-W", "error", NUMBA_DISABLE_JIT="1")
    assert done.returncode == 0, done.stderr
    assert done.stdout == outputs[code]


@pytest.mark.parametrize(
    "code",
    [
        "import npnet",
        "import npnet.tasks",
        "import npnet; npnet.mlp((3, 4), {'t': 3}, npnet.generator(0))",
        "import numpy as np, npnet.check as c; assert c.check_gradient(lambda x: ((x * x).sum(), 2 * x), np.ones(3))",
    ],
)
def test_numba_is_imported_when_a_loop_is_first_compiled(code):
    assert said(f"{code}\nimport sys; print('numba' in sys.modules)", "-W", "error") == "False\n"


def test_one_file_knows_numba():
    knows = [
        path.name
        for path in (ROOT / "npnet").rglob("*.py")
        if re.search(r"^ *(import|from) numba", path.read_text("utf-8"), re.M)
    ]
    assert knows == ["compiled.py"]


@needs_numba
@pytest.mark.parametrize("code", [TRAINING, DRAWING], ids=["training", "drawing"])
def test_where_nothing_can_be_written_loops_are_compiled_in_memory(code, outputs):
    assert said(NOWHERE + code, "-W", "error") == outputs[code]


@needs_numba
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("left", [0, 1, 100, "zeros", "noise"])
def test_a_damaged_cache_costs_one_compilation(suffix, left, tmp_path, outputs):
    assert said(TRAINING, NUMBA_CACHE_DIR=str(tmp_path)) == outputs[TRAINING]
    files = list(tmp_path.rglob(f"*.{suffix}"))
    assert files
    whole = {path: path.stat().st_size for path in files}
    for path in files:
        content = path.read_bytes()
        filled = {"zeros": bytes(len(content)), "noise": b"\xff" * len(content)}
        path.write_bytes(filled[left] if isinstance(left, str) else content[:left])
    for _ in range(2):  # the second process fills the cache again
        assert said(TRAINING, NUMBA_CACHE_DIR=str(tmp_path)) == outputs[TRAINING]
    assert {path: path.stat().st_size > 100 for path in whole} == dict.fromkeys(whole, True)


@needs_numba
def test_an_error_of_a_loop_is_the_loops_own():
    with pytest.raises(RuntimeError, match="no place found"):
        draw("sb2l", 0, 0, 2_000, npnet.tasks.Appearance(width=3.0, gap=5.0))


@pytest.mark.parametrize("part", ["fill_bits", "fill_background", "cover", "compose", "paint"])
def test_plain_loops_are_the_compiled_ones_to_the_bit(part):
    loop = next(getattr(module, part) for module in (addresses, backgrounds, raster) if hasattr(module, part))
    for trial in range(40):
        pair = [_arguments(part, np.random.default_rng(trial)) for _ in range(2)]
        loop(*pair[0])
        np.errstate(over="ignore")(loop.plain)(*pair[1])
        for one, other in zip(*pair, strict=True):
            assert not isinstance(one, np.ndarray) or np.array_equal(one, other), trial


def _arguments(part, rng):
    floats = lambda: rng.uniform(-1, 1, 1024).astype(np.float32)  # noqa: E731
    state = rng.integers(0, 2**63, 1, dtype=np.uint64)
    if part == "fill_bits":
        return state, np.zeros(int(rng.integers(1, 128)), np.uint64)
    if part == "fill_background":
        square = np.zeros((32, 32), np.float32), np.zeros((32, 32), np.float32)
        return state, int(rng.integers(4)), np.zeros(128, np.uint64), *square
    if part == "cover":
        return abs(floats()).reshape(32, 32), tuple(rng.uniform(0, 31, 4).tolist()), float(rng.uniform(1, 3))
    if part == "paint":
        return np.zeros(1024, np.uint8), abs(floats())
    speckle = rng.integers(0, 256, 1024).astype(np.uint8)
    levels = 0.2, 0.1, 0.03, 0.7
    return np.zeros(1024, np.uint8), floats(), speckle, abs(floats()), levels, bool(rng.integers(2))


def test_every_task_is_drawn():
    assert all(len(draw(task, 0, 0, 2).labels) == 2 for task in TASKS)


@pytest.mark.parametrize("missing", [("fcntl",), ("fcntl", "msvcrt")])
def test_stimulus_files_without_the_locks_of_posix(missing, tmp_path, monkeypatch):
    for module in missing:
        monkeypatch.setitem(sys.modules, module, None)
    locked = []
    if "msvcrt" not in missing:
        windows = type(sys)("msvcrt")
        windows.LK_LOCK, windows.locking = 1, lambda *given: locked.append(given)
        monkeypatch.setitem(sys.modules, "msvcrt", windows)
    drawn = stimulus_set("cnc", 0, 0, 10).in_file(tmp_path / "set.npy")
    assert np.array_equal(drawn.images, stimulus_set("cnc", 0, 0, 10).in_memory().images)
    assert len(locked) == ("msvcrt" not in missing)
    assert not list(tmp_path.glob(".*.part"))


def test_stimulus_files_on_a_drive_without_locks(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refuse(*given):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with stimulus_sets._turn(tmp_path / "set.npy") as alone:
        assert not alone
    assert len(stimulus_set("cnc", 0, 0, 10).in_file(tmp_path / "set.npy").labels) == 10
