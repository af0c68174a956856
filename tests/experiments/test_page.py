"""The page of all results: it needs no other file, shows what is there, and says how to compute it again."""

import base64
import json
import shlex
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import tyro
from tinystudy import command, run
from tyro.conf import OmitSubcommandPrefixes

from experiments.command import main
from experiments.frame.folder import FolderError
from experiments.page import studies_below, write_page
from experiments.registry import STUDIES, study_named
from experiments.studies.tables.study import Changes, Tables


class Seen(HTMLParser):
    """What a browser would find on a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def reported(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of reports: a tiny table of the paper from its jobs."""
    out = tmp_path_factory.mktemp("page")
    assert main(["report", str(finished), "--out", str(out)]) == 0
    return out


def test_the_page_holds_every_picture_and_asks_for_nothing(reported: Path) -> None:
    seen = Seen((reported / "report.html").read_text())
    pictures = [attrs["src"] or "" for tag, attrs in seen.tags if tag == "img"]
    contents = {base64.b64decode(src.removeprefix("data:image/png;base64,")) for src in pictures}
    assert contents == {path.read_bytes() for path in reported.rglob("*.png")}
    assert all(attrs["alt"] for tag, attrs in seen.tags if tag == "img")
    assert not {tag for tag, _ in seen.tags} & {"script", "iframe", "object", "embed", "base"}
    for tag, attrs in seen.tags:
        for name in {"src", "href", "srcset", "action", "data", "poster"} & attrs.keys():
            assert (attrs[name] or "").startswith(("#", "data:")), (tag, attrs)
    assert "url(" not in "".join(seen.words)


def test_results_without_cells_make_the_same_page(reported: Path, tmp_path: Path) -> None:
    assert main(["report", str(reported), "--out", str(tmp_path)]) == 0
    assert (tmp_path / "report.html").read_bytes() == (reported / "report.html").read_bytes()


def test_every_link_of_the_contents_leads_to_a_section(reported: Path) -> None:
    seen = Seen((reported / "report.html").read_text())
    links = [(attrs["href"] or "").removeprefix("#") for tag, attrs in seen.tags if tag == "a"]
    assert links == [attrs["id"] for tag, attrs in seen.tags if tag == "section"]
    assert len(set(links)) == 2  # the claims and the table


def test_the_command_on_the_page_computes_the_same_study(reported: Path) -> None:
    about = json.loads((reported / "table3" / "results.json").read_text())
    words = shlex.split(study_named(about).command(about))
    assert words[:4] == ["python", "-m", "experiments", "tables"]
    again = tyro.cli(Tables, args=words[4:], config=(OmitSubcommandPrefixes,))
    assert json.loads(json.dumps(again.plan().configuration["studies"]["table3"])) == about["configuration"]
    assert " ".join(words) in "".join(Seen((reported / "report.html").read_text()).words)


@pytest.mark.parametrize("name", sorted(STUDIES.keys() - {"tables"}))
def test_every_preset_is_recognised(name: str) -> None:
    study: Any = STUDIES[name]
    for preset in study.presets:
        about = {**json.loads(json.dumps(study(preset=preset).plan().configuration)), "environments": []}
        assert study_named(about) is study
        assert study.command(about) == f"python -m experiments {name} --preset {preset}"


def test_options_that_differ_from_the_preset_are_in_the_command() -> None:
    options = Changes(train=33_000, keep="last", patience_restarts=False)
    study = Tables(only="4", preset="paper", changes=options).plan().configuration["studies"]["table4"]
    said = Tables.command({"configuration": json.loads(json.dumps(study))})
    assert said == (
        "python -m experiments tables --only 4 --preset paper --train 33000 --keep last --patience-restarts False"
    )
    again = tyro.cli(Tables, args=said.split()[4:], config=(OmitSubcommandPrefixes,))
    assert again.plan().configuration["studies"]["table4"] == study


def test_rows_other_than_the_papers_are_in_the_command() -> None:
    study = Tables(only="1", preset="paper", regularizers="l1_twentieth,none").plan().configuration["studies"]["table1"]
    said = Tables.command({"configuration": json.loads(json.dumps(study))})
    assert said == "python -m experiments tables --only 1 --preset paper --regularizers l1_twentieth,none"
    with pytest.raises(ValueError, match="regularizers is 'l1,l2'; expected some of none, l1, l1_twentieth, dropout"):
        Tables(regularizers="l1,l2").plan()


def test_html_in_a_report_is_shown_and_not_run(tmp_path: Path) -> None:
    (tmp_path / "table.md").write_text("# <b>x</b>\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1))\n")
    seen = Seen(write_page(tmp_path).read_text())
    assert "<script>alert(1)</script>" in "".join(seen.words)
    assert "<b>x</b>" in seen.words
    assert not {"script", "b"} & {tag for tag, _ in seen.tags}
    assert not any("javascript" in (attrs.get("href") or "") for _, attrs in seen.tags)


@pytest.mark.parametrize("picture", ["missing.png", "../table.png"])
def test_a_picture_that_is_not_beside_its_table_is_named(tmp_path: Path, picture: str) -> None:
    (tmp_path / "table.png").write_bytes(b"")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "table.md").write_text(f"![x]({picture})\n")
    with pytest.raises(FolderError, match=r"picture .*png is missing; expected it in the folder of the table\.md"):
        write_page(tmp_path)


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"holds no results; expected one that a run or a report has written to"):
        studies_below(tmp_path / "nowhere")
    assert "holds no results" in run(command("report", tmp_path), code=2)


def test_studies_are_found_below_and_their_own_reports_are_not_studies(reported: Path, finished: Path) -> None:
    assert studies_below(finished) == [finished]
    assert studies_below(reported) == [reported / "table3"]
