"""The command line in other people's surroundings: terminals that lack letters, folders with brackets in their name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def experiments(*arguments, **variables):
    environment = {**os.environ, **variables}
    return subprocess.run(
        [sys.executable, "-m", "experiments", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_letter_that_the_terminal_lacks_ends_nothing(encoding):
    done = experiments("tables", "--help", PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr[-500:]
    assert "--preset" in done.stdout


@pytest.mark.parametrize("name", ["[exp]", "[", "[/bold]"])
def test_brackets_in_a_folders_name_are_no_markup(name, tmp_path):
    pytest.importorskip("matplotlib")
    done = experiments("steps", "--out", str(tmp_path / name / "exp]o"))
    assert done.returncode == 0, done.stderr[-500:]
    assert str(tmp_path / name / "exp]o") in done.stdout.replace("\n", "")
