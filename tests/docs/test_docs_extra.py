"""The extra `docs` installs what builds the book; where it is not installed, this says why the book is not tested."""

import re
import tomllib

import pytest
from book import NEEDED, ROOT, missing


def test_the_extra_installs_what_the_tests_of_the_book_need():
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]["docs"]
    assert sorted(re.match(r"[\w-]+", each)[0].replace("-", "_") for each in extra) == sorted(NEEDED)
    if missing():
        pytest.skip(f"{', '.join(missing())} not installed: pip install the extra 'docs'")
