"""One page of all results: every table, picture, configuration and command in a single HTML file that needs no other.

It is made from what reports have left: a folder's table.md and pictures say what was found, its results.json where the
numbers come from. Raw HTML in these files is shown, never run.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Self

from markdown_it import MarkdownIt
from markdown_it.token import Token

from experiments.frame.files import read_json, write_text
from experiments.frame.folder import FolderError
from experiments.registry import STUDIES, study_named

__all__ = ["studies_below", "write_page"]

_STYLE = """
:root { color-scheme: light dark; --text: #1d1d1f; --soft: #5d5d66; --line: #d8d8de; --ground: #fff; --shade: #f4f4f7;
  --link: #0060a8 }
@media (prefers-color-scheme: dark) { :root { --text: #e6e6ea; --soft: #a2a2ad; --line: #3c3c45; --ground: #17171b;
  --shade: #222228; --link: #7cc0f5 } }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 66rem; background: var(--ground); color: var(--text);
  font: 1rem/1.55 system-ui, sans-serif }
h1 { font-size: 1.7rem; line-height: 1.25 } h2 { font-size: 1.3rem; margin-top: 0; line-height: 1.3 }
h3, h4 { font-size: 1.05rem }
section { border-top: 1px solid var(--line); padding-top: 1.75rem; margin-top: 2.5rem }
a { color: var(--link) } nav ul { columns: 18rem; padding-left: 1.2rem }
.scroll { overflow-x: auto } table { border-collapse: collapse; font-size: .86rem; margin: .4rem 0 1.2rem;
  font-variant-numeric: tabular-nums }
th, td { padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top; white-space: nowrap }
thead th { border-bottom: 1px solid var(--line) } tbody tr:hover { background: var(--shade) }
img { display: block; max-width: 100%; height: auto; margin: 1rem 0; background: #fff; border-radius: .25rem }
code, pre { font: .86rem/1.45 ui-monospace, monospace } pre { background: var(--shade); padding: .7rem .9rem;
  overflow-x: auto; border-radius: .25rem }
summary { cursor: pointer } .soft, summary { color: var(--soft); font-size: .9rem }
"""


def studies_below(folder: Path) -> list[Path]:
    """Return the folders at or below this one that hold a study: its jobs, or the results of an earlier report.

    Raises FolderError where there is none.
    """
    found = list(_studies_below(folder))
    if not found:
        raise FolderError(f"folder {folder} holds no results; expected one that a run or a report has written to")
    return found


def _studies_below(folder: Path) -> Iterator[Path]:
    if (folder / "configuration.json").exists() or (folder / "results.json").exists():
        yield folder  # what lies below it are its own reports
    elif folder.is_dir():
        for each in sorted(folder.iterdir()):
            yield from _studies_below(each)


def write_page(folder: Path) -> Path:
    """Write `report.html` into a folder, from all reports at and below it, and return its path."""
    sections = sorted(_Section.read(p, folder) for p in folder.rglob("*.md") if p.name in ("claims.md", "table.md"))
    contents = "".join(f'<li><a href="#{each.anchor}">{escape(each.title)}</a></li>' for each in sections)
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>npnet: results</title>\n<link rel="icon" href="data:,">\n<style>{_STYLE}</style>\n</head>\n<body>\n'
        "<h1>npnet: how networks learn, transfer and forget</h1>\n"
        "<p>Every study whose results were there when this page was made: its tables and pictures, where the numbers "
        "come from, and the command that computes them again.</p>\n"
        f'<nav aria-label="Contents"><ul>{contents}</ul></nav>\n'
        f"<main>\n{''.join(each.html() for each in sections)}</main>\n</body>\n</html>\n"
    )
    path = folder / "report.html"
    write_text(path, page)
    return path


@dataclass(frozen=True, order=True)
class _Section:
    """A report: the place of its study among all, its file, its name on the page, its words, its results.json."""

    place: int
    path: Path
    anchor: str
    text: str = field(compare=False)
    about: Mapping[str, Any] = field(compare=False)

    @classmethod
    def read(cls, path: Path, folder: Path) -> Self:
        about = read_json(path.parent / "results.json") or {}
        anchor = "-".join(path.relative_to(folder).with_suffix("").parts)
        return cls(list(STUDIES.values()).index(study_named(about)), path, anchor, path.read_text("utf-8"), about)

    @property
    def title(self) -> str:
        """The heading of the report, or the name of its study."""
        first = self.text.partition("\n")[0]
        name = str(self.about.get("experiment", self.path.parent.name)).replace("_", " ")
        return first.removeprefix("# ") if first.startswith("# ") else name.capitalize()

    def html(self) -> str:
        """Return what the study is about, what it found, and where that comes from."""
        purpose = (study_named(self.about).__doc__ or "").partition("\n")[0]
        body = self.text.partition("\n")[2] if self.text.startswith("# ") else self.text
        return (
            f'<section id="{escape(self.anchor)}">\n<h2>{escape(self.title)}</h2>\n<p>{escape(purpose)}</p>\n'
            f"{_html(body, self.path.parent)}{_origin(self.about) if self.about else ''}</section>\n"
        )


def _html(text: str, folder: Path) -> str:
    """Return Markdown as HTML with its pictures inside; no HTML of its own comes through."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")

    def image(renderer: Any, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        picture = folder / str(tokens[i].attrs["src"])
        if picture.resolve().parent != folder.resolve() or not picture.is_file():
            raise FolderError(f"picture {picture} is missing; expected it in the folder of the table.md that shows it")
        content = base64.b64encode(picture.read_bytes()).decode()
        return f'<img alt="{escape(tokens[i].content)}" src="data:image/png;base64,{content}">'

    markdown.add_render_rule("image", image)
    markdown.add_render_rule("table_open", lambda *_: '<div class="scroll"><table>\n')
    markdown.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return str(markdown.render(text)).replace("&lt;br&gt;", "<br>")


def _origin(about: Mapping[str, Any]) -> str:
    """Return how to compute results again, what they cost, what computed them, and their configuration."""
    lines = []
    if "examples" in about:
        examples = ", ".join(f"{n:,} {which}" for which, n in about["examples"].items())
        lines.append(f"Examples: {examples}; seeds {', '.join(map(str, about['seeds']))}.")
    if "compute_seconds" in about:
        lines.append(f"{about['compute_seconds'] / 3600:.1f} hours of computation, summed over processes.")
    computed_with = {
        name: ", ".join(dict.fromkeys(each[name] for each in about.get("environments", [])))
        for name in ("commit", "python", "numpy", "cpu")
    }
    lines.append("; ".join(f"{name} {values}" for name, values in computed_with.items() if values) + ".")
    origin = "".join(f'<p class="soft">{escape(line)}</p>\n' for line in lines)
    configuration = escape(json.dumps(about, indent=1, ensure_ascii=False))
    return (
        f"<h3>Compute it again</h3>\n<pre>{escape(study_named(about).command(about))}</pre>\n{origin}"
        f"<details><summary>Configuration</summary><pre>{configuration}</pre></details>\n"
    )
