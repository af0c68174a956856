"""The results that several tests look at."""

from pathlib import Path

import pytest
import tinystudy


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny study, run by two workers."""
    out = tmp_path_factory.mktemp("study") / "results"
    tinystudy.run(tinystudy.table3(out, "--workers", 2))
    return out


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Everything that a study long enough to be stopped comes to when nothing stops it."""
    out = tmp_path_factory.mktemp("long") / "results"
    tinystudy.run(tinystudy.table3(out, "--workers", 2, **tinystudy.LONG))
    return tinystudy.whole(out)
