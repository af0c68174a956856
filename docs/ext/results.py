"""The results as they are: pages that studies leave in docs/results, found by looking, each with its place here."""

from pathlib import Path

__all__ = ["setup"]


def _complete(app, docname: str, content: list[str]) -> None:  # type: ignore[no-untyped-def]
    """Give a page of docs/results a title where it has none, and its entries in the contents."""
    if not docname.startswith("results/"):
        return
    path = Path(app.srcdir) / (docname + ".md")
    if not content[0].startswith("# "):
        content[0] = f"# {path.parent.name}: {path.stem} as the command writes it\n\n" + content[0]
    if path.stem == "README":
        beside = sorted(each.stem for each in path.parent.glob("*.md") if each != path)
        below = sorted(
            each.relative_to(path.parent).with_suffix("").as_posix() for each in path.parent.glob("*/README.md")
        )
        entries = "\n".join(below + beside)
        content[0] += f"\n\n```{{toctree}}\n:hidden:\n\n{entries}\n```\n" if entries else ""


def setup(app) -> dict[str, bool]:  # type: ignore[no-untyped-def]
    """Complete the pages as they are read."""
    app.connect("source-read", _complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
