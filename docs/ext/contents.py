"""The contents of the book, found by looking: pages that nobody lists, and the results that studies leave."""

import re
from pathlib import Path

__all__ = ["setup"]


def _complete(app, docname: str, content: list[str]) -> None:  # type: ignore[no-untyped-def]
    """Give the first page its further entries, and a page of docs/results its title and entries."""
    if docname == "index":
        content[0] = re.sub(
            r"^((?:\w+/)?)\*$", lambda m: _unlisted(Path(app.srcdir), m[1], content[0]), content[0], flags=re.M
        )
    if docname.startswith("results/"):
        path = Path(app.srcdir) / (docname + ".md")
        if not content[0].startswith("# "):
            content[0] = f"# {path.parent.name}: {path.stem} as the command writes it\n\n" + content[0]
        if path.stem == "README":
            content[0] += _below(path)


def _unlisted(root: Path, folder: str, listed: str) -> str:
    """Return the pages of a folder, "" or "tutorials/", that the first page does not list by name."""
    names = [folder + path.stem for path in sorted((root / folder).glob("*.md"))]
    return "\n".join(name for name in names if name != "index" and not re.search(rf"^{name}$", listed, re.M))


def _below(path: Path) -> str:
    """Return the entries of the pages below and beside a study's own."""
    below = sorted(each.relative_to(path.parent).with_suffix("").as_posix() for each in path.parent.glob("*/README.md"))
    beside = sorted(each.stem for each in path.parent.glob("*.md") if each != path)
    entries = "\n".join(below + beside)
    return f"\n\n```{{toctree}}\n:hidden:\n\n{entries}\n```\n" if entries else ""


def setup(app) -> dict[str, bool]:  # type: ignore[no-untyped-def]
    """Complete the pages as they are read."""
    app.connect("source-read", _complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
