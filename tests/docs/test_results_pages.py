"""Pages of results: a page that prints deviations or intervals says what they are taken over."""

import re

import pytest
from book import ROOT

PAGES = sorted(path.parent.name for path in (ROOT / "docs" / "results").glob("*/README.md"))
SPREAD = re.compile(r"\d ± \d|95 %")  # a deviation or an interval


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_prints_a_spread_says_over_what_it_is_taken(page):
    text = (ROOT / "docs" / "results" / page / "README.md").read_text("utf-8")
    if SPREAD.search(text):
        (said,) = re.findall(r"^\*\*What the intervals cover\.\*\* (.+?)\n\n", text, re.M | re.S)
        assert re.search(r"seed|run|repetition|stimuli", said, re.I), "what is repeated"
        assert re.search(r"network|generator|teacher|start", said), "which networks"


def test_pages_with_a_spread_are_most_of_them():
    read = [(ROOT / "docs" / "results" / page / "README.md").read_text("utf-8") for page in PAGES]
    assert sum(bool(SPREAD.search(text)) for text in read) > 20
