"""Options stand once: those of all studies in the frame, those of a protocol in the protocol, with their meanings."""

from dataclasses import fields, make_dataclass
from pathlib import Path

import pytest

from experiments.command import main
from experiments.frame.options import changes_of, given, meanings
from experiments.frame.study import Study
from experiments.frame.tasks import Sizes
from experiments.registry import STUDIES
from experiments.studies.growing import Growing
from experiments.studies.tables.design import TABLES, TrainingProtocol, protocol
from experiments.studies.tables.study import Changes, Tables


def test_every_field_of_a_protocol_is_an_option_with_a_meaning():
    names = [each.name for each in fields(TrainingProtocol)]
    assert [each.name for each in fields(Changes)] == names
    assert set(meanings(TrainingProtocol)) == set(names) > {each.name for each in fields(Sizes)}
    assert all(meanings(TrainingProtocol).values())
    assert given(Changes()) == {}
    assert given(Changes(rate=0.5, l1_biases=False)) == {"rate": 0.5, "l1_biases": False}


def test_a_meaning_may_have_several_lines_and_be_inherited():
    assert meanings(Growing)["out"].startswith("folder for results.")
    assert meanings(Growing)["preset"].endswith('"paper" has the published size.')
    with pytest.raises(KeyError, match="undocumented"):
        changes_of(make_dataclass("Bare", [("undocumented", int)]))


def test_what_is_changed_is_changed_and_nothing_else():
    (design,) = Tables(only="3", changes=Changes(train=50, keep="last")).plan().configuration["studies"].values()
    quick = protocol(TABLES["table3"], "quick")
    differing = {name for name, value in design["protocol"].items() if value != getattr(quick, name)}
    assert differing == {"train", "keep"}


def test_the_studies_share_their_options():
    shared = {each.name for each in fields(Study)}
    assert shared == {"preset", "out", "resources"}
    for study in STUDIES.values():
        own = set(vars(study).get("__annotations__", {})) - {"name", "presets", "targets", "methods", "training"}
        assert not own & shared or study.name in ("difficulty", "atlas")  # whose preset is another by default


def test_results_go_below_results_by_name():
    assert Growing().folder == Path("results/growing")
    assert Growing(out=Path("x")).folder == Path("x")


def test_a_preset_that_a_study_does_not_have_is_refused(capsys):
    with pytest.raises(ValueError, match="preset is 'paper'; expected one of smoke, quick for growing"):
        Growing(preset="paper")
    with pytest.raises(SystemExit, match="2"):
        main(["growing", "--preset", "paper"])
    assert "expected one of smoke, quick for" in capsys.readouterr().err
