"""The snippets of a page: its Python blocks run in order, as one program, and print what stands below them.

A block marked ```python is run; a block marked ```text right after it is what it printed. `not-run` in the first line
of a Python block says that it needs what is not here; such a block is only compiled. After a change,
`python docs/ext/snippets.py docs/tutorials/first.md` regenerates what a page prints.
"""

import contextlib
import io
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Snippet", "play", "snippets"]

BLOCK = re.compile(
    r"^```python(?P<mark>[^\n]*)\n(?P<code>.*?)^```$(?P<gap>\n+)?(?P<output>^```text\n(?P<text>.*?)^```$)?", re.M | re.S
)


@dataclass(frozen=True)
class Snippet:
    """A block of code, the line of the page that it begins in, what the page says it prints, whether it runs."""

    code: str
    line: int
    output: str | None
    runs: bool


def snippets(text: str) -> list[Snippet]:
    """Return the Python blocks of a page."""
    return [
        Snippet(m["code"], text[: m.start("code")].count("\n") + 1, m["text"], "not-run" not in m["mark"])
        for m in BLOCK.finditer(text)
    ]


def play(text: str, name: str, space: dict[str, Any] | None = None) -> list[str]:
    """Run a page's blocks, one after the other, and return what each printed; `space` gets their names."""
    space = {} if space is None else space
    space["__name__"] = "__main__"
    printed = []
    for snippet in snippets(text):
        program = compile("\n" * (snippet.line - 1) + snippet.code, name, "exec")
        with contextlib.redirect_stdout(io.StringIO()) as out:
            if snippet.runs:
                exec(program, space)
        printed.append(out.getvalue())
    return printed


def rewritten(text: str, printed: list[str]) -> str:
    """Return a page with what its blocks printed below them."""
    remaining = iter(printed)

    def replace(m: re.Match[str]) -> str:
        block, said = m.group().split("\n```text")[0].rstrip("\n"), next(remaining)
        after = f"\n\n```text\n{said}```" if said else (m["gap"] or "") if not m["output"] else ""
        return block + after + ((m["gap"] or "") if said and not m["output"] else "")

    return BLOCK.sub(replace, text)


if __name__ == "__main__":
    for page in map(Path, sys.argv[1:]):
        old = page.read_text("utf-8")
        page.write_text(rewritten(old, play(old, str(page))), "utf-8")
