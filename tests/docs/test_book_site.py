"""The built site: every link and picture is there, nothing comes from elsewhere, every file and name has its place."""

import ast
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from os.path import normpath
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from book import ROOT

import npnet
from annotated import page_name, reading_order
from kinks import rows_of
from reference import exported, places

FETCHED = {("script", "src"), ("img", "src"), ("source", "src"), ("iframe", "src"), ("video", "src"), ("link", "href")}


class Page(HTMLParser):
    """What a page refers to, its anchors, its pictures without words, its formulae."""

    def __init__(self, path, sidebar=True):
        super().__init__()
        self.path, self.references, self.anchors, self.images, self.formulae = path, [], {""}, [], 0
        text = path.read_text("utf-8")
        if not sidebar:
            head, mark, rest = text.partition('<div class="sidebar-tree">')
            text = head + mark + rest[rest.find("</aside>") :]
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found[key] for key in ("id", "name") if found.get(key)}
        self.references += [(tag, key, found[key]) for key in ("href", "src", "data") if found.get(key)]
        self.images += [found] if tag == "img" else []
        self.formulae += tag == "math" and found.get("class") not in ("apart", "on")  # which go on with the one before


@pytest.fixture(scope="session")
def pages(site):
    """Every page; of a folder's the first with the sidebar, whose links are the same on the others."""
    paths = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]
    firsts = {path.parent: path for path in reversed(paths)}
    return {path: Page(path, sidebar=firsts[path.parent] == path) for path in paths}


def test_every_link_and_picture_of_the_site_is_there(site, pages):
    broken, checked = [], 0
    for path, page in pages.items():
        for tag, key, reference in page.references:
            parts = urlsplit(reference)
            if parts.scheme in ("http", "https", "mailto", "data"):
                continue
            checked += 1
            target = Path(normpath(path.parent / unquote(parts.path))) if parts.path else path
            known = pages[target].anchors if target in pages else {parts.fragment}
            if not target.exists() or (parts.fragment and unquote(parts.fragment) not in known):
                broken.append(f"{path.relative_to(site)}: <{tag} {key}={reference!r}>")
    assert not broken, "\n".join(broken)
    assert checked > 2000


def test_nothing_comes_from_elsewhere(site, pages):
    for path, page in pages.items():
        for tag, key, reference in page.references:
            fetched = (tag, key) in FETCHED
            assert not (fetched and urlsplit(reference).scheme in ("http", "https")), f"{path}: {reference}"
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*['\"]?(https?:)?//", sheet.read_text("utf-8")), sheet


def test_every_picture_has_words(pages):
    pictures = [(path, image) for path, page in pages.items() for image in page.images]
    assert len(pictures) > 10
    for path, image in pictures:
        words = image.get("alt", "")
        assert len(words) > 3, f"{path}: {image}"
        assert not re.fullmatch(r"[\w/.-]+\.(png|svg|jpe?g)", words), f"{path}: {words} is the name of a file"


def test_every_source_file_has_a_page_and_a_next_one(site, pages):
    names = [page_name(path) for path in reading_order(ROOT / "npnet")]
    for this, following in pairwise(names):
        text = (site / "source" / f"{this}.html").read_text("utf-8")
        assert re.search(rf'<link rel="next"[^>]*href="{re.escape(following)}\.html"', text), this


def test_every_public_name_is_in_the_reference(site, pages):
    described, files = places(), reading_order(ROOT / "npnet")
    assert set(npnet.__all__) <= set(exported(ast.parse(Path(npnet.__file__).read_text("utf-8"))))
    names = [f"{page_name(path)}.{name}" for path in files for name in exported(ast.parse(path.read_text("utf-8")))]
    assert len(names) > 150
    for name in names:
        assert name in described, f"{name} is nowhere defined"
        page, _, anchor = described[name].partition("#")
        assert anchor in pages[site / f"{page}.html"].anchors, name


def test_every_results_page_is_in_the_book(site, pages):
    for path in (ROOT / "docs" / "results").rglob("*.md"):
        page = site / path.relative_to(ROOT / "docs").with_suffix(".html")
        assert page in pages
        shown = re.findall(r"!\[[^\]]*\]\([^)]+\)", path.read_text("utf-8"))
        assert len(pages[page].images) >= len(shown), path


def test_formulae_are_mathematics(site, pages):
    for chapter in (ROOT / "docs" / "derivations").glob("*.md"):
        text = re.sub(r"```.*?```", "", chapter.read_text("utf-8"), flags=re.S)
        written = len(re.findall(r"\$\$.+?\$\$|(?<!\$)\$[^$]+\$(?!\$)", text, re.S))
        assert pages[site / "derivations" / f"{chapter.stem}.html"].formulae == written
    assert pages[site / "source" / "npnet.layers.html"].formulae > 10


def test_the_sidebar_leads_everywhere_from_everywhere_and_knows_where_it_is(site, pages):
    trees = {}
    for path in pages:
        html = path.read_text("utf-8").partition('class="sidebar-tree"')[2].partition("</aside>")[0]
        here = re.findall(r'current-page"><a class="current reference internal" href="#"', html)
        listed = path.parent != site or path.stem not in ("index", "search", "genindex", "forget")
        assert len(here) == listed, path
        targets = [
            normpath(path.parent / link) if link != "#" else str(path) for link in re.findall('href="([^"#]+|#)"', html)
        ]
        trees[path] = targets
        ancestors = re.findall(r'<li class="[^"]*\bcurrent\b', html)
        assert html.count('checked=""') == len(ancestors) - (
            ' current-page"' in html and "has-children current-page" not in html
        )
    first, *others = (tree for path, tree in trees.items() if tree)
    assert len(first) > 250
    assert all(tree == first for tree in others)


def test_every_derivation_ends_with_a_figure_that_can_be_drawn_again():
    pytest.importorskip("matplotlib")
    from figures import FIGURES

    chapters = sorted((ROOT / "docs" / "derivations").glob("*.md"))
    assert [chapter.stem for chapter in chapters] == sorted(FIGURES)
    for chapter in chapters:
        last = chapter.read_text("utf-8").rstrip().splitlines()[-1]
        assert re.fullmatch(rf"!\[.+\]\({chapter.stem}\.png\)", last), chapter


def test_frameworks_at_kinks_are_read_off_the_page_that_was_measured():
    head, xs, answers, *frameworks = rows_of((ROOT / "docs" / "conformance.md").read_text("utf-8"), ["|x| at 0"])
    measured = json.loads((ROOT / "docs" / "conformance.json").read_text("utf-8"))
    assert (head, xs, answers) == (["", "\\|x\\| at 0"], ["x", "−1\xa00\xa02"], ["answer", "−1\xa00\xa01"])
    assert len(frameworks) == len(measured)
    for (title, cell), about in zip(frameworks, measured.values(), strict=True):
        case = about["cases"]["|x| at 0"]
        assert title.endswith(about["version"])
        if "gradient" in case:
            assert [float(x.replace("−", "-")) for x in cell.strip("*").split("\xa0")] == list(
                map(float, case["gradient"])
            )
    with pytest.raises(ValueError, match="case is 'x'; expected"):
        rows_of((ROOT / "docs" / "conformance.md").read_text("utf-8"), ["x"])
