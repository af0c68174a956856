"""The study of starting points with next to nothing: its files, going on, what is chosen by what, and its tasks."""

import json
from dataclasses import asdict, replace
from math import nan

import numpy as np
import pytest
from tinystudy import command, rows, run

from experiments.published import published_transfers
from experiments.studies.starting_point.design import (
    METHODS,
    PRESETS,
    RANGES,
    PenaltyMethod,
    TaskPair,
    methods_for,
    options,
    starting_point_configuration,
    starting_point_design,
)
from experiments.studies.starting_point.report import table2, table3
from experiments.studies.starting_point.results import Chosen, choose, collect_runs, read_starting_point
from experiments.studies.starting_point.runs import starting_point_jobs
from experiments.studies.starting_point.tasks import few_of, load_pair
from npnet import save_tree
from npnet.tasks import download

PICTURES = ("surface.png", "penalties.png", "freezing.png", "r_squared.png", "pareto.png")
FILES = ("results.csv", "sweep.csv", "results.json", "table.md", *PICTURES)
SMOKE = PRESETS["smoke"]
(PAIR,) = SMOKE.pairs


def study(out, workers):
    return run(command("starting_point", "--preset", "smoke", "--out", out, "--workers", workers))


def whole(folder):
    """What must not depend on how it was run: bytes, and results without their times."""
    content = {name: (folder / name).read_bytes() for name in FILES if name != "results.json"}
    for path in sorted((folder / "jobs").glob("*/result.json")):
        content[path.parent.name] = json.loads(path.read_text()) | {"seconds": 0, "environment": 0, "peak_memory_mb": 0}
    return content


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    out = tmp_path_factory.mktemp("starting_point") / "results"
    printed = study(out, 2)
    assert "Li et al., table 2" in printed
    assert "stanford-dogs-120" in printed
    assert f"are in {out}" in printed
    return out


def test_every_file_is_there(studied):
    for name in PICTURES:
        assert (studied / name).read_bytes().startswith(b"\x89PNG")
    text = (studied / "table.md").read_text()
    assert all(f"]({name})" in text for name in PICTURES)
    assert "Li et al., table 3" in text
    about = json.loads((studied / "results.json").read_text())
    assert about["jobs"] == {
        "finished": len(starting_point_jobs("smoke")) - 3,
        "expected": len(starting_point_jobs("smoke")) - 3,
    }
    assert about["environments"][0]["commit"]
    assert set(about["rates"]) == {f"{PAIR.name}-{size}" for size in SMOKE.sizes}


def test_every_run_is_there(studied):
    sweep = rows(studied / "sweep.csv")
    expected = [
        (str(size), method.penalty, method.method, str(seed), str(alpha), str(beta))
        for size in SMOKE.sizes
        for method in methods_for(SMOKE, PAIR, size)
        for seed in range(SMOKE.seeds)
        for alpha, beta in options(SMOKE, method)
    ]
    found = [tuple(row[key] for key in ("size", "penalty", "method", "seed", "alpha", "beta")) for row in sweep]
    assert sorted(found) == sorted(expected)
    for row in sweep:
        assert all(0 <= float(row[name]) <= 100 for name in ("validation", "test", "source"))
    table = rows(studied / "results.csv")
    assert {(r["setting"], r["regularizer"], r["method"], r["seed"]) for r in table} == {
        (f"acl->atl {size}", penalty, method, seed) for size, penalty, method, seed, *_ in expected
    }
    names = {f"r_squared_{layer}_{which}" for layer in (1, 2) for which in ("mean", "25", "50", "75")}
    names |= {f"{what}_at_start_{layer}" for layer in (1, 2) for what in ("weights", "units")}
    names |= {"alpha", "beta", "validation_error", "task_b_error", "task_a_error_before", "task_a_error_after"}
    assert {row["metric"] for row in table} == names


def test_proximal_steps_and_frozen_layers_leave_weights_exactly_in_place(studied):
    counts = {}
    strongest = {penalty: str(top) for penalty, (_, top) in RANGES.items()}
    for row in rows(studied / "sweep.csv"):
        if row["alpha"] == strongest.get(row["penalty"]) and row["weights"]:
            counts.setdefault((row["penalty"], row["method"]), []).append(float(row["weights"]))
    for penalty in ("l1_sp", "gl_sp"):
        assert min(counts[penalty, "proximal"]) > max(counts[penalty, "fine"])
    assert min(counts["l2", "freeze-1"]) >= 1024 * SMOKE.hidden[0]


def test_one_worker_gives_the_bits_of_two_and_goes_on(studied, tmp_path):
    study(tmp_path, 1)
    assert whole(tmp_path) == whole(studied)
    (tmp_path / "jobs" / f"{PAIR.name}-6-l2_sp-fine-1" / "result.json").unlink()
    half = tmp_path / "jobs" / f"{PAIR.name}-6-l1_sp-proximal-0"
    runs = json.loads((half / "result.json").read_text())["runs"]
    save_tree(half / "checkpoint.npz", {"runs": runs[:3], "seconds": 1000.0})
    (half / "result.json").unlink()
    printed = study(tmp_path, 2)
    assert json.loads((half / "result.json").read_text())["seconds"] > 1000  # it went on from the checkpoint
    assert (
        f"{len(starting_point_jobs('smoke')) - 2} of {len(starting_point_jobs('smoke'))} jobs had finished before"
        in printed
    )
    assert whole(tmp_path) == whole(studied)


def test_a_report_needs_no_jobs(studied, tmp_path):
    run(command("report", studied, "--out", tmp_path / "with"))
    run(command("report", tmp_path / "with", "--out", tmp_path / "without"))
    for name in FILES:
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()


def test_the_choice_is_by_validation_alone():
    assert choose({(1.0, 0.1): [5.0, 7.0], (2.0, 0.1): [6.0, 5.0], (3.0, 0.1): [4.0, nan]}) == Chosen(2.0, 0.1, 5.5)
    assert choose({(1.0, 0.1): [5.0, 7.0], (2.0, 0.1): [7.0, 5.0]}) == Chosen(1.0, 0.1, 6.0)  # of equals the first
    assert choose({(1.0, 0.1): [nan]}) is choose({}) is None


def test_test_errors_do_not_move_the_choice(studied, tmp_path):
    def strengths(folder):
        found = collect_runs(folder, starting_point_configuration("smoke"))
        return [
            (m.setting, m.method, m.regularizer, m.seed, m.value)
            for m in found.measurements
            if m.metric in ("alpha", "beta")
        ]

    before = strengths(studied)
    for path in (studied / "jobs").glob("*/result.json"):
        result = json.loads(path.read_text())
        for number, each in enumerate(result.get("runs", ())):
            each.update(test=float(number * 37 % 100), source=float(number * 53 % 100))
        copy = tmp_path / "jobs" / path.parent.name
        copy.mkdir(parents=True)
        (copy / "result.json").write_text(json.dumps(result))
    assert strengths(tmp_path) == before


def test_few_images_of_each_class_and_the_same_rest_for_every_seed():
    source, target = load_pair(PAIR, SMOKE)
    assert (source.name, target.name) == (PAIR.source, PAIR.target)
    few = [few_of(target, 6, seed) for seed in (0, 0, 1)]
    assert [np.bincount(task.train.labels).tolist() for task in few] == [[6, 6]] * 3
    assert (few[0].train.inputs == few[1].train.inputs).all()
    assert (few[0].train.inputs != few[2].train.inputs).any()
    assert all(task.validation is target.validation and task.test is target.test for task in few)
    images = [{row.tobytes() for row in split.inputs} for split in (few[0].train, target.validation, target.test)]
    assert not images[0] & images[1]
    assert not images[0] & images[2]
    assert not images[1] & images[2]
    with pytest.raises(ValueError, match="size is 90; expected no more than each class of 'atl' has"):
        few_of(target, 90, 0)


@pytest.mark.parametrize(("source", "target"), [("mnist04", "mnist59"), ("fashion04", "fashion59")])
def test_image_files_that_are_missing_are_named(source, target, tmp_path, monkeypatch):
    monkeypatch.setenv("NPNET_DATA", str(tmp_path))
    monkeypatch.setattr(download, "MIRRORS", {"mnist": (), "fashion-mnist": ()})
    with pytest.raises((ConnectionError, ImportError), match="train-images"):
        load_pair(TaskPair(source, target, 20_000), SMOKE)


def test_every_penalty_has_the_same_budget():
    for protocol in PRESETS.values():
        budgets = {len(options(protocol, method)) for method in METHODS if method != PenaltyMethod("none")}
        assert budgets == {protocol.strengths * len(protocol.betas)}
        assert set(RANGES) | {"none"} == {method.penalty for method in METHODS}
        assert protocol.surface[1] in protocol.sizes
        assert set(protocol.freeze) <= set(protocol.sizes)


def test_the_default_has_what_was_asked_for():
    quick = PRESETS["quick"]
    assert (quick.sizes, quick.seeds, quick.hidden) == ((30, 60, 100), 5, (500, 500))
    assert [pair.name for pair in quick.pairs] == ["mnist04-mnist59", "fashion04-fashion59", "acl-atl"]
    assert starting_point_design(json.loads(json.dumps(starting_point_configuration("quick")))) == quick
    assert asdict(replace(quick, seeds=1)) != asdict(quick)


def test_the_papers_numbers_stand_beneath(studied):
    assert len(published_transfers()) == 24
    found = read_starting_point(studied)
    assert table2(found).rows[-1][:4] == ["paper: imagenet → caltech-256-60", "88.2 ± 0.2", "89.6 ± 0.1", "89.6 ± 0.1"]
    assert table3(found).rows[-1][:4] == ["paper: places365 → mit-indoors-67", "−24.1", "−5.3", "−4.9"]
