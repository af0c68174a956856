"""Run the core suite: the tests that need NumPy, pytest, hypothesis and SciPy alone, without numba too.

    python tests/core.py [options of pytest]

These are all tests of npnet itself; what needs more is named below. Without numba a stimulus takes a millisecond, not
two thousandths of one: there `test_fresh_machines.py` draws some of every task, and tests that draw thousands rest.
"""

import importlib.util
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
NEEDS_MORE = {
    "test_benchmark_job.py": "the experiments and their packages",
    "test_benchmarks.py": "the experiments and their packages",
}
DRAW_FEW = ("test_idx.py", "test_mnist.py", "test_jitter.py", "test_geometry.py")


def core_files() -> list[str]:
    """Return the test files of npnet itself."""
    compiles = importlib.util.find_spec("numba") is not None
    of_tasks = [path for path in (HERE / "tasks").glob("test_*.py") if compiles or path.name in DRAW_FEW]
    files = [*HERE.glob("test_*.py"), *of_tasks]
    return [str(path) for path in sorted(files) if path.name not in NEEDS_MORE]


if __name__ == "__main__":
    sys.exit(pytest.main([*core_files(), *sys.argv[1:]]))
