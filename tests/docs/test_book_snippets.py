"""Every block of code in the documentation runs and prints what the page says; every command line is a command."""

import re
import shlex
from importlib.util import find_spec

import pytest
from book import ROOT

import experiments.command as command
from experiments.frame.study import Study
from snippets import installed, play, snippets

MADE = {"_build", "source", "reference", "ext"}
PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in sorted((ROOT / "docs").rglob("*.md"))
    if not MADE & set(path.relative_to(ROOT / "docs").parts)
]
TAUGHT = ("docs/index.md", "docs/tutorials/", "docs/derivations/")  # their blocks print nothing that is not shown
PLAYED = [page for page in PAGES if snippets((ROOT / page).read_text("utf-8"))]


def imported(text):
    """The packages that the blocks of a page import."""
    code = "\n".join(snippet.code for snippet in snippets(text) if snippet.runs)
    return sorted(set(re.findall(r"^\s*(?:import|from) (\w+)", code, re.M)))


@pytest.mark.parametrize("page", PLAYED)
def test_the_blocks_of_a_page_print_what_it_shows(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / page).read_text("utf-8")
    if missing := [name for name in imported(text) if find_spec(name) is None]:
        pytest.skip(f"the page shows {', '.join(missing)}: the extra 'peers' brings them")
    for snippet, printed in zip(snippets(text), play(text, page), strict=True):
        if snippet.runs and (snippet.output or page.startswith(TAUGHT)):
            assert printed == (snippet.output or ""), f"{page}, line {snippet.line}"


NEEDS = sorted({(page, s.needs) for page in PLAYED for s in snippets((ROOT / page).read_text("utf-8")) if s.needs})


@pytest.mark.parametrize(("page", "needs"), NEEDS)
def test_what_a_block_needs_is_named_on_its_page(page, needs):
    text = (ROOT / page).read_text("utf-8")
    assert needs in re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    if not installed(needs):
        pytest.skip(f"{needs} is not installed, so the block of {page} that needs it was only compiled")


@pytest.mark.parametrize("page", PAGES)
def test_no_block_is_of_a_kind_that_nobody_runs(page):
    kinds = set(re.findall(r"^```(\w*)[^\n]*$", (ROOT / page).read_text("utf-8"), re.M)) - {""}
    assert kinds <= {"python", "text", "sh"}


def test_the_readme_fits_a_screen_and_its_blocks_print_what_it_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 120
    forgetting, checked = play(text, "README.md")
    assert forgetting == snippets(text)[0].output
    assert checked.startswith("gradient confirmed")
    rest = [float(line.split()[-2]) for line in forgetting.splitlines()[1:]]  # of the old task, in percent
    assert rest[0] > rest[1] + 2, "fine tuning forgets more"


def command_lines():
    """Every `python -m experiments …` in a block of shell commands or an indented one, without its comment."""
    found = {}
    for page in [*PAGES, "README.md"]:
        text = (ROOT / page).read_text("utf-8").replace("\\\n", " ")
        for line in re.findall(r"^(?: {4})?python -m experiments ([^\n#|]*)", text, re.M):
            found.setdefault(line.split("`")[0].strip(), page)
    return found


def test_every_command_line_is_one(monkeypatch):
    asked = []
    monkeypatch.setattr(command, "run", lambda study, console: asked.append(study) or 0)
    for kind in command.COMMANDS.values():
        if not issubclass(kind, Study):
            monkeypatch.setattr(kind, "__call__", lambda self, console: asked.append(self))
    lines = [line for line in command_lines() if "--help" not in line]
    assert len(lines) > 10
    for line in lines:
        assert command.main(shlex.split(line)) == 0, line
    assert len(asked) == len(lines)
