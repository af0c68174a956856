"""The snippets of a page: its Python blocks run in order, as one program, and print what stands below them.

A block marked ```python is run; a block marked ```text right after it is what it printed. `not-run` in the first line
of a Python block says that it needs what is not here; such a block is only compiled. `needs=torch` says that it runs
where the package, or the program, of that name is installed. After a change,
`python docs/ext/snippets.py docs/tutorials/first.md` regenerates what a page prints.
"""

import contextlib
import importlib.util
import io
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Snippet", "installed", "play", "snippets"]

BLOCK = re.compile(
    r"^```python(?P<mark>[^\n]*)\n(?P<code>.*?)^```$(?P<gap>\n+)?(?P<output>^```text\n(?P<text>.*?)^```$)?", re.M | re.S
)


@dataclass(frozen=True)
class Snippet:
    """A block of code, the line of the page that it begins in, what the page says it prints, whether it runs.

    needs: the package or program that it needs, "" if it needs none.
    """

    code: str
    line: int
    output: str | None
    runs: bool
    needs: str = ""


def snippets(text: str) -> list[Snippet]:
    """Return the Python blocks of a page."""
    found = []
    for m in BLOCK.finditer(text):
        needs = "".join(re.findall(r"needs=(\S+)", m["mark"]))
        runs = "not-run" not in m["mark"] and (not needs or installed(needs))
        found.append(Snippet(m["code"], text[: m.start("code")].count("\n") + 1, m["text"], runs, needs))
    return found


def installed(name: str) -> bool:
    """Say whether there is a package or a program of this name."""
    return importlib.util.find_spec(name) is not None or shutil.which(name) is not None


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
    remaining = iter(zip(snippets(text), printed, strict=True))

    def replace(m: re.Match[str]) -> str:
        snippet, said = next(remaining)
        block, said = m.group().split("\n```text")[0].rstrip("\n"), said if snippet.runs else snippet.output or ""
        after = f"\n\n```text\n{said}```" if said else (m["gap"] or "") if not m["output"] else ""
        return block + after + ((m["gap"] or "") if said and not m["output"] else "")

    return BLOCK.sub(replace, text)


if __name__ == "__main__":
    for page in map(Path, sys.argv[1:]):
        old = page.read_text("utf-8")
        page.write_text(rewritten(old, play(old, str(page))), "utf-8")
