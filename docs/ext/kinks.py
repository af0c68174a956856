"""Cases of the conformance set, a row for each framework, out of the page that `experiments conformance` writes.

```{kinks}
relu at 0
maximum of x and 0, at 0
```
"""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from annotated import ROOT

__all__ = ["rows_of", "setup"]

PAGE = ROOT / "docs" / "conformance.md"


def rows_of(text: str, cases: list[str]) -> list[list[str]]:
    """Return a table turned on its side: heads, then x, the answer and each framework's, for these cases of a page.

    Raises ValueError for a case that the page does not have.
    """
    tables = [
        [cell.strip().replace("\x00", "\\|") for cell in line.replace("\\|", "\x00").strip("| ").split(" | ")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    head = next(row for row in tables if row[:3] == ["case", "x", "answer"])
    known = {row[0]: row for row in tables if len(row) == len(head)}
    for case in cases:
        if case.replace("|", "\\|") not in known:
            raise ValueError(f"case is {case!r}; expected one of the points in {PAGE.name}")
    chosen = [known[case.replace("|", "\\|")] for case in cases]
    sides = [[head[i], *(row[i].replace(" ", "\N{NO-BREAK SPACE}") for row in chosen)] for i in range(1, len(head))]
    return [["", *(row[0] for row in chosen)], *sides]


class Kinks(SphinxDirective):
    """The table; its content is a case to a line."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the table's nodes."""
        self.env.note_dependency(str(PAGE))
        head, *rows = rows_of(PAGE.read_text("utf-8"), [line for line in self.content if line.strip()])
        lines = [head, ["---"] * len(head), *rows]
        return self.parse_text_to_nodes("\n".join(f"| {' | '.join(line)} |" for line in lines))


def setup(app) -> dict[str, bool]:  # type: ignore[no-untyped-def]
    """Know the directive."""
    app.add_directive("kinks", Kinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
