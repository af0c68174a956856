"""Run the core suite: the tests that need NumPy, pytest and hypothesis alone, without numba too.

    python tests/core.py [options of pytest]

These are all tests of npnet itself; what needs more is named below.
"""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
NEEDS_MORE = {
    "test_benchmarks.py": "the experiments and their packages",
}


def core_files() -> list[str]:
    """Return the test files of npnet itself."""
    files = [*HERE.glob("test_*.py"), *(HERE / "tasks").glob("test_*.py")]
    return [str(path) for path in sorted(files) if path.name not in NEEDS_MORE]


if __name__ == "__main__":
    sys.exit(pytest.main([*core_files(), *sys.argv[1:]]))
