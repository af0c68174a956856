"""Pages as a reader sees them: in Chromium, at desktop and phone width, in light and dark."""

import itertools
import json
from pathlib import Path

SIZES = {"desktop": (1200, 1000), "phone": (390, 844)}
ALONE = [
    "index.html",
    "search.html",
    "genindex.html",
    "forget.html",
    "tutorials/first.html",
    "source/npnet.layers.html",
]
LOOK = Path(__file__).with_name("look.js").read_text("utf-8")


def test_every_page_reads_well(site, browser):
    """All pages at two widths, in light and dark, without a message.

    The pages of a folder differ in what stands in the middle and in that alone: one is loaded, then the middles of the
    others take turns in it, in a tenth of the time.
    """
    folders, faults = {}, []
    for path in sorted(site.rglob("*.html")):
        if "_static" not in path.parts and path.relative_to(site).as_posix() not in ALONE:
            folders.setdefault(path.parent, []).append(path)
    for page, size, dark in itertools.product(ALONE, SIZES, (False, True)):
        browser.open((site / page).as_uri(), *SIZES[size], dark)
        found = browser.ask(f"{LOOK}; reader.look({SIZES[size][0]})") + browser.messages
        faults += [f"{page} on a {size} in {'dark' if dark else 'light'} {fault}" for fault in found]
    for folder, paths in folders.items():
        browser.open(paths[0].as_uri(), *SIZES["desktop"])
        browser.ask(LOOK + "document.querySelector('.sidebar-tree').replaceChildren()")  # its lines have been seen
        for size, themes in (("desktop", ["light"]), ("phone", ["light", "dark"])):  # no colour moves a line
            browser.show(*SIZES[size])
            for path in paths:
                html = "".join(path.read_text("utf-8").partition('<div class="main">')[1:])
                found = browser.ask(f"reader.lookAt({json.dumps(html)}, {SIZES[size][0]}, {themes})")
                faults += [f"{path.relative_to(site)} on a {size} {fault}" for fault in found]
        faults += [f"a page of {folder.relative_to(site)} said {message}" for message in browser.messages]
    assert not faults, "\n".join(faults)
    assert sum(map(len, folders.values())) > 250


def test_code_stands_beside_what_is_said_and_below_it_on_a_phone(site, browser):
    sides = (
        "[...document.querySelectorAll('#linear > *')].map(e => e.getBoundingClientRect()).map(b => [b.left, b.top])"
    )
    browser.open((site / "source/npnet.layers.html").as_uri(), *SIZES["desktop"])
    (said, top), (code, also) = browser.ask(sides)
    assert (
        browser.ask("document.fonts.check('16px \"Book Math\"') && document.querySelectorAll('article math').length")
        > 5
    )
    assert code > said + 200
    assert abs(top - also) < 2
    browser.open((site / "source/npnet.layers.html").as_uri(), *SIZES["phone"])
    (said, top), (code, below) = browser.ask(sides)
    assert abs(code - said) < 30
    assert below > top


def test_pictures_are_seen(site, browser):
    browser.open((site / "results/table1/README.html").as_uri(), *SIZES["phone"])
    widths = browser.ask("[...document.querySelectorAll('article img')].map(i => [i.naturalWidth, i.width, i.alt])")
    assert widths
    for natural, shown, alt in widths:
        assert natural > 300
        assert 200 < shown <= SIZES["phone"][0]
        assert alt


def test_the_search_finds_pages(site, browser):
    browser.open((site / "search.html").as_uri() + "?q=dropout", *SIZES["desktop"])
    count = "document.querySelectorAll('#search-results li').length"
    found = browser.ask(f"new Promise(go => setInterval(() => {count} > 5 && go({count}), 50))")
    assert found > 5
    assert browser.messages == []
