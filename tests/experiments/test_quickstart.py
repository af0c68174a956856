"""The main job: each network its own digits and start, what the report says, and that it needs no jobs for it."""

import json
from base64 import b64encode

import numpy as np
import pytest
from rich.console import Console
from tinystudy import command, run

from experiments.frame.measurements import Measurement
from experiments.frame.workspace import Workspace
from experiments.studies.quickstart import misread as module
from experiments.studies.quickstart.design import quickstart_design
from experiments.studies.quickstart.misread import find_misread, misread_from
from experiments.studies.quickstart.report import answer, found_grid, sentences
from experiments.studies.quickstart.study import Quickstart
from experiments.studies.tables.results import TableResults
from experiments.studies.tables.transfer import table_jobs
from npnet import generator, mlp

DESIGN = quickstart_design("drawn", "quick")
METRICS = ("task_a_error_before", "task_a_error_after", "task_b_error", "probe_error")


def results(**values):
    """Results in which {method: (before, after, new, probe)} differ by a tenth between seeds."""
    first = [Measurement("quickstart", "", "first", "none", seed, "probe_error", 2.0) for seed in range(5)]
    return TableResults(
        DESIGN,
        {},
        first
        + [
            Measurement("quickstart", "", method, "none", seed, metric, value + 0.1 * seed * (metric == METRICS[1]))
            for method, numbers in values.items()
            for metric, value in zip(METRICS, numbers, strict=True)
            for seed in range(5)
        ],
        [],
    )


def test_every_repetition_has_digits_a_network_and_a_head_of_its_own():
    jobs = table_jobs([DESIGN])
    firsts = [job for job in jobs if not job.needs]
    assert len(firsts) == 2 * 5
    assert sorted({job.arguments["protocol"].data_seed for job in firsts}) == list(range(5))
    assert {job.needs for job in jobs if job.needs} == {(job.name,) for job in firsts}


def test_the_real_digits_are_learned_at_the_papers_size():
    of = quickstart_design("mnist", "quick")
    assert (of.table.first, of.table.second, of.table.hidden) == (("mnist04",), "mnist59", (500, 500))
    p = of.protocol
    assert (p.train, p.validation, p.test, p.batch_size, p.rate, p.patience) == (20_000, 5_000, 5_000, 20, 0.01, 20)
    assert p.seeds == p.networks == 5


def test_it_says_who_forgets_less_and_whether_chance_may_explain_it():
    found = results(fine=(2.0, 9.0, 2.4, 3.0), gradual=(2.0, 3.5, 2.2, 2.5))
    assert answer(found) == (
        "Forgotten. Without regularization fine tuning forgets 7.2 points of the old task and Gradual Tuning 1.7: "
        "5.5 less (95 % interval 5.5 to 5.5)."
    )
    other_way = answer(results(fine=(2.0, 3.5, 2.4, 3.0), gradual=(2.0, 8.0, 2.2, 2.5)))
    assert "Gradual Tuning 6.2: 4.5 more (95 % interval 4.5 to 4.5)" in other_way
    text = "\n".join(sentences(found, None))
    assert "the new task's error is 0.2 points lower under Gradual Tuning" in text
    assert "1.0 points are forgotten with it, 7.2 with the old head" in text
    assert "With dropout fine tuning forgot 6.9 points and Gradual Tuning 3.1." in text
    (fine, gradual, *empty) = found_grid(found).rows
    assert fine[1:] == ["2.4 ± 0.0", "2.0 → 9.2 ± 0.2", "7.2 ± 0.2", "1.0 ± 0.0"]
    assert gradual[0] == "Gradual Tuning, no regularization"
    assert {cell for row in empty for cell in row[1:]} == {"–", "– → –"}  # dropout has not run yet


def test_an_interval_that_covers_zero_is_said_to():
    found = results(fine=(2.0, 3.0, 2.4, 3.0), gradual=(2.0, 2.9, 2.2, 2.5))
    noisy = [
        m._replace(value=m.value + (5 if m.seed == 1 else 0)) if (m.method, m.metric) == ("fine", METRICS[1]) else m
        for m in found.measurements
    ]
    assert "so chance may explain it" in answer(TableResults(DESIGN, {}, noisy, []))


def test_nothing_measured_is_nothing_said():
    assert answer(TableResults(DESIGN, {}, [], [])) == ""
    assert len(sentences(TableResults(DESIGN, {}, [], []), None)) == 2  # what is learned, and the paper's numbers


def test_misread_digits_are_those_that_only_fine_tuning_loses(tmp_path, monkeypatch):
    """Three networks whose readings are given: what is counted and shown follows from them."""
    design = quickstart_design("drawn", "smoke")
    network, names = mlp((784, 3), {"digits04": 5}, generator(0, "network")), ("before", "fine", "gradual")
    for name in names:
        network.save(Workspace(tmp_path, name).path / "network.npz")
    test = module.load_protocol_task("digits04", design.protocol.of(0)).test
    n, wrong = len(test.labels), (test.labels + 1) % 5
    row = np.arange(n)
    readings = iter(
        [
            np.where(row < 90, test.labels, wrong),  # the last ten were never read right
            np.where(row < 60, test.labels, wrong),
            np.where((row < 50) | (row >= 80), test.labels, wrong),
        ]
    )
    monkeypatch.setattr(module, "_readings", lambda *given: next(readings))
    found = misread_from(find_misread(Workspace(tmp_path, "misread"), design, 0, names))
    assert (found.right, found.fine, found.gradual, found.both) == (90, 10, 10, 20)
    assert len(found.digits) == 10
    assert found.digits == sorted(found.digits)
    assert [(digit + 1) % 5 for digit in found.digits] == found.readings
    shown = {image.tobytes() for image in test.inputs[80:90]}
    assert {image.tobytes() for image in found.images} == shown


def test_some_of_each_digit_are_shown():
    labels = np.array([0] * 30 + [3] * 2 + [4] * 30)
    chosen = labels[module._some_of_each(np.arange(62), labels)]
    assert len(chosen) == 15
    assert [int((chosen == digit).sum()) for digit in (0, 3, 4)] == [7, 2, 6]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quickstart") / "out"
    return folder, run(command("quickstart", "--preset", "smoke", "--out", str(folder), "--workers", "1"))


def test_the_whole_job_in_little(smoke, tmp_path):
    folder, printed = smoke
    assert "Learned. Two networks (200-200) learned the digits 0 to 4 from 200 drawn images." in printed
    assert "quickstart.png" in printed
    about = json.loads((folder / "results.json").read_text())
    assert about["experiment"] == "quickstart"
    assert Quickstart.command(about) == "python -m experiments quickstart --preset smoke"
    found = json.loads((folder / "misread.json").read_text())
    assert found["images"] == b64encode(misread_from(found).images.tobytes()).decode()
    for name in ("results.csv", "results.json", "curves.csv", "misread.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    Quickstart.report(tmp_path, tmp_path, Console(quiet=True))  # without any job
    for name in ("table.md", "results.csv", "curves.csv"):
        assert (tmp_path / name).read_text() == (folder / name).read_text()
    assert (tmp_path / "quickstart.png").stat().st_size
