"""What makes the build quick and changes nothing in the book: the sidebar is made once, and each word is stemmed once.

The theme asks Sphinx for the tree of all pages on each page, three quarters of the time of a build, though only two
things differ between pages: where the links lead from there, and which entries are marked as current. Here the theme's
own tree is made once and cut at its links and lists; a page gets its links and its marks.
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from furo.navigation import get_navigation_tree
from sphinx.search.en import SearchEnglish
from sphinx.util.osutil import relative_uri

__all__ = ["Tree", "setup"]

STEMS: dict[str, str] = {}
CUT = re.compile(r"(<ul[^>]*>|</ul>|<li[^>]*>|</li>|<a [^>]*>|<input [^>]*>)")
WHOLE = {"collapse": False, "titles_only": True, "maxdepth": -1, "includehidden": True}  # what the theme asks for


@dataclass
class Tree:
    """The theme's tree in pieces, the address of each link, and, by address, the pieces around each of its entries."""

    pieces: list[str]
    links: dict[int, str]
    around: dict[str, list[list[int]]]

    @classmethod
    def read(cls, html: str, here: str) -> "Tree":
        """Cut up the tree that Sphinx made for the page at the address `here`."""
        html = re.sub(r' class="current"|(?<=class=")current |(?<=\d) current(?=")', "", html)
        tree, opened = cls(CUT.split(get_navigation_tree(html)), {}, {}), list[int]()
        for i, piece in enumerate(tree.pieces):
            if piece.startswith(("<ul", "<li")):
                opened.append(i)
            elif piece in ("</ul>", "</li>"):
                opened.pop()
            elif piece.startswith("<a "):
                (link,) = re.findall(r'href="([^"]*)"', piece)
                tree.links[i] = here if link == "#" else urljoin(here, link)
                tree.around.setdefault(tree.links[i], []).append([*opened, i])
        return tree

    def at(self, here: str) -> str:
        """Return the tree as it stands on the page at an address."""
        pieces, lines = list(self.pieces), self.around.get(here, [])
        for i, address in self.links.items():
            link = "#" if address == here else relative_uri(here, address)
            pieces[i] = re.sub(r'href="[^"]*"', lambda _, link=link: f'href="{link}"', pieces[i])
        for i in {i for line in lines for i in line}:
            if pieces[i].startswith("<a "):
                pieces[i] = pieces[i].replace('class="', 'class="current ', 1)
            elif pieces[i].startswith("<ul"):
                pieces[i] = '<ul class="current">'
            else:
                pieces[i] = re.sub(r"(toctree-l\d+)", r"\1 current", pieces[i])
                box = next(k for k in range(i + 1, len(pieces)) if pieces[k].startswith(("<input", "<li", "</li")))
                pieces[box] = pieces[box].replace(" class=", ' checked="" class=', pieces[box].startswith("<input"))
        if lines:
            last = max(i for line in lines for i in line if pieces[i].startswith("<li"))
            pieces[last] = pieces[last].replace('">', ' current-page">')
        return "".join(pieces)


class English(SearchEnglish):
    """Sphinx's index of English words, which looks each word up that it had before, also on an earlier page."""

    def stem(self, word: str) -> str:
        """Return the stem of a word."""
        if word not in STEMS:
            STEMS[word] = super().stem(word)
        return STEMS[word]


def setup(app: Any) -> dict[str, bool]:
    """Let Sphinx index with `English`; keep its tree from the theme, and hand the theme the finished one afterwards."""
    made: list[Tree] = []

    def before(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
        context["whole_tree"] = context.pop("toctree")

    def after(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
        context["toctree"] = context.pop("whole_tree")
        here = app.builder.get_target_uri(page)
        if not made:
            made.append(Tree.read(context["toctree"](**WHOLE), here))
        context["furo_navigation_tree"] = made[0].at(here)

    app.add_search_language(English)
    app.connect("html-page-context", before, priority=100)  # the theme comes at 500
    app.connect("html-page-context", after, priority=900)
    return {"parallel_read_safe": True}
