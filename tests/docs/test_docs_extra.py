"""Says why the book is not tested, where what builds it is not installed."""

import pytest
from book import missing


def test_what_builds_the_book_is_installed():
    if missing():
        pytest.skip(f"{', '.join(missing())} not installed: pip install the extra 'docs'")
