"""Pages as a reader sees them: in Chromium, at desktop and phone width, in light and dark."""

import pytest
from browser import Browser, found

PAGES = [
    "index.html",
    "tutorials/first.html",
    "derivations/penalties.html",
    "derivations/jacobians.html",
    "source/npnet.layers.html",
    "source/npnet.optimizers.html",
    "results/table1/README.html",
    "reference/npnet.html",
    "search.html",
]
SIZES = {"desktop": (1300, 1000), "phone": (390, 844)}

# The least contrast (WCAG: from 1 to 21) of any text in the article against the first ground behind it.
CONTRAST = """(() => {
  const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = c => { const [r, g, b] = c.map(v => linear(v / 255)); return .2126 * r + .7152 * g + .0722 * b };
  const rgba = s => { const v = s.match(/[\\d.]+/g).map(Number); return [v.slice(0, 3), v.length > 3 ? v[3] : 1] };
  const ground = e => { for (; e; e = e.parentElement) { const [c, a] = rgba(getComputedStyle(e).backgroundColor);
    if (a > .9) return c } return [255, 255, 255] };
  let worst = [21, ''];
  const walker = document.createTreeWalker(document.querySelector('article'), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement, box = e.getBoundingClientRect();
    if (!walker.currentNode.textContent.trim() || !box.width || e.closest('.headerlink, script, style')) continue;
    const style = getComputedStyle(e);
    if (style.visibility == 'hidden' || !Number(style.opacity)) continue;
    const [a, b] = [light(rgba(style.color)[0]), light(ground(e))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < worst[0]) worst = [ratio, walker.currentNode.textContent.trim().slice(0, 60)];
  }
  return worst;
})()"""
FLAT = """[...document.querySelectorAll('article math')].filter(m => {
  const b = m.getBoundingClientRect(); return b.height < 6 || b.width < 3 }).map(m => m.textContent)"""
NAMELESS = """[...document.querySelectorAll('article img, a, button, input, label')].filter(e =>
  e.getBoundingClientRect().width && !(e.alt || e.textContent.trim() || e.ariaLabel || e.title || e.placeholder
  || e.querySelector('img[alt], svg, title'))).map(e => e.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if not found():
        pytest.skip("no chromium, chromium-browser or google-chrome on the path")
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_reads_well(site, browser, page):
    for width, height in SIZES.values():
        for dark in (False, True):
            browser.open((site / page).as_uri(), width, height, dark)
            assert browser.messages == []
            where = f"{page} at {width} px, {'dark' if dark else 'light'}"
            contrast, text = browser.ask(CONTRAST)
            assert contrast > 4, f"{where}: {text!r} has contrast {contrast:.1f}"
        assert browser.ask("document.documentElement.scrollWidth") <= width, f"{page} is wider than {width} px"
        assert browser.ask(FLAT) == [], page
        assert browser.ask(NAMELESS) == [], page
    if "derivations" in page or "source" in page:
        assert browser.ask("document.querySelectorAll('article math').length") > 5
        assert browser.ask("document.fonts.check('16px \\'Book Math\\'')")


def test_code_stands_beside_what_is_said_and_below_it_on_a_phone(site, browser):
    sides = (
        "[...document.querySelectorAll('#linear > *')].map(e => e.getBoundingClientRect()).map(b => [b.left, b.top])"
    )
    browser.open((site / "source/npnet.layers.html").as_uri(), *SIZES["desktop"])
    (said, top), (code, also) = browser.ask(sides)
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
