"""The site, built once for all processes that test it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from book import ROOT, missing
from browser import Browser, found


def pytest_ignore_collect(collection_path):
    """Without the extra there is nothing to import; one test says so."""
    here = collection_path.parent == Path(__file__).parent and collection_path.name.startswith("test_book_")
    return True if here and missing() else None


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """One browser for all tests of a process."""
    if not found():
        pytest.skip("no chromium, chromium-browser or google-chrome on the path")
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the built site: the first process to come builds it, the others wait."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder, lock, done = shared / "site", shared / "site.lock", shared / "site.done"
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        deadline = time.monotonic() + 300
        while not done.exists():
            assert time.monotonic() < deadline, "another process has not built the site"
            time.sleep(0.1)
        assert done.read_text() == "", done.read_text()
        return folder
    options = [
        "-W",
        "--keep-going",
        "-q",
        "-b",
        "html",
        str(ROOT / "docs"),
        str(folder),
        "-d",
        str(shared / "doctrees"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", *map(str, options)], capture_output=True, text=True, env=environment
    )
    done.write_text("" if built.returncode == 0 else built.stdout + built.stderr)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder
