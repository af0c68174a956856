"""The atlas: every method with next to nothing to learn, and what is chosen and decided from known numbers."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from experiments.frame.files import write_json
from experiments.frame.measurements import Measurement
from experiments.frame.task_specs import TaskSpec
from experiments.frame.workspace import STOP, Stopped, Workspace
from experiments.studies.atlas import decision, measures, report
from experiments.studies.atlas.design import PAIRS, PRESETS, AtlasDesign, Pair, design_from, grown
from experiments.studies.atlas.measures import BEFORE, Atlas, gather
from experiments.studies.atlas.methods import FINE, JOINT, METHODS, SCRATCH, tries
from experiments.studies.atlas.runs import atlas_jobs, learn_new, probe_name, run_name, source_name
from experiments.studies.atlas.study import EveryMethod
from npnet import Network, error, load_tree
from npnet.trees import leaves

QUIET = Console(quiet=True)


def run_jobs(design, folder):
    """Run all jobs in this process, one after the other."""
    write_json(folder / "configuration.json", design.configuration())
    for job in atlas_jobs(design):
        if not (folder / "jobs" / job.name / "result.json").exists():
            workspace = Workspace(folder, job.name)
            workspace.finish(job.function(workspace, **job.arguments))


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("atlas")
    (pair,) = PRESETS["smoke"].pairs
    two = {method: (of[0], of[-1]) for method, of in pair.tries.items()}  # for the time that it takes
    pair = replace(pair, source=replace(pair.source, test=30), tries=two)
    run_jobs(replace(PRESETS["smoke"], pairs=(pair,)), folder)
    return folder


def network(folder, job):
    return Network.load(folder / "jobs" / job / "network.npz")


def test_every_method_has_as_many_tries():
    for name, method in METHODS.items():
        six, four = (tries(name, count) for count in (6, 4))
        assert (len(set(six)), len(set(four))) == (6, 4), name
        assert set(four) < set(six)
        assert {len(tried) for tried in six} == {2 if method.strength else 1}
        assert all(method.make(tried[-1]).name for tried in six)
    with pytest.raises(ValueError, match="count is 5; expected 4 or 6"):
        tries(FINE, 5)


def test_measures_are_those_of_the_networks_left(done):
    found = gather(done)
    (pair,) = found.design.pairs
    jobs = len(atlas_jobs(found.design))
    assert found.about["jobs"] == [jobs, jobs]
    for method in METHODS:
        tried = pair.tries[method][-1]
        after = network(done, run_name(pair, method, tried, 1))
        new, old = pair.new(1), pair.old(1)
        assert found.at(pair, method, tried, "new")[1] == pytest.approx(error(after, "target", new.test))
        if method == SCRATCH:
            assert found.at(pair, method, tried, "old") == {}
        else:
            assert found.at(pair, method, tried, "old")[1] == pytest.approx(error(after, old.name, old.test))
        assert found.at(pair, method, tried, "seconds").keys() == {0, 1}
    assert {(label.partition(" @ ")[0], metric) for _, label, metric, *_ in found.about["undefined"]} == {
        *((BEFORE, metric) for metric in ("new", "new validation", "updates", "seconds")),
        *((SCRATCH, metric) for metric in ("old", "old validation")),
    }
    assert any("no head for the old task" in why for *_, why, _ in found.about["undefined"])


def test_methods_differ_in_what_they_keep(done):
    found = gather(done)
    (pair,) = found.design.pairs
    before = network(done, source_name(pair, 0))
    for method in ("head only", "progressive columns", "module"):  # every old weight is where it was
        for metric in ("forgotten", "features lost"):
            assert set(found.values(pair, method, metric).values()) == {0.0}
    firsts = {
        m: network(done, run_name(pair, m, pair.tries[m][-1], 0)).trunk[0]["W"] for m in (FINE, "freeze 1", SCRATCH)
    }
    assert np.array_equal(firsts["freeze 1"], before.trunk[0]["W"])
    assert not np.array_equal(firsts[FINE], before.trunk[0]["W"])
    assert found.values(pair, JOINT, "updates")[0] == 2 * found.values(pair, FINE, "updates")[0]
    heads = [network(done, run_name(pair, m, pair.tries[m][0], 0)).heads["digits04"]["W"] for m in (FINE, "LwF")]
    assert np.array_equal(heads[0], before.heads["digits04"]["W"])
    assert not np.array_equal(heads[1], heads[0])


def test_a_report_needs_no_jobs_and_a_new_measure_no_training(done, tmp_path, monkeypatch):
    EveryMethod.report(done, tmp_path / "with", QUIET)
    EveryMethod.report(tmp_path / "with", tmp_path / "without", QUIET)
    for name in ("results.csv", "results.json", "table.md", "atlas.png", "decision.png"):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()
    assert "Undefined, from scratch: old, old validation, because" in (tmp_path / "with" / "table.md").read_text()
    sizes = {"examples": lambda predictions, *_: float(sum(len(of["test"]["said"]) for of in predictions.values()))}
    monkeypatch.setattr(measures, "METRICS", {**measures.METRICS, **sizes})
    found = gather(done)
    (pair,) = found.design.pairs
    assert set(found.values(pair, FINE, "examples").values()) == {float(pair.target.test + pair.source.test)}
    with (tmp_path / "with" / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len({(row["method"], row["seed"], row["metric"]) for row in rows}) == len(rows)
    assert {(row["experiment"], row["setting"]) for row in rows} == {("atlas", "digits")}


def test_stopped_after_any_epoch_a_run_goes_on_to_the_same_bits(done, tmp_path, monkeypatch):
    (pair,) = gather(done).design.pairs
    name = run_name(pair, JOINT, (0.4,), 0)
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / source_name(pair, 0)).symlink_to(done / "jobs" / source_name(pair, 0))
    what = {"pair": pair, "hidden": (12, 10), "seed": 0, "method": JOINT, "tried": (0.4,)}
    (tmp_path / STOP).touch()
    with pytest.raises(Stopped):
        learn_new(Workspace(tmp_path, name), **what)
    (tmp_path / STOP).unlink()
    assert (tmp_path / "jobs" / name / "checkpoint.npz").exists()
    result = learn_new(Workspace(tmp_path, name), **what)
    assert result["cpu_seconds"] is None
    for file in ("network.npz", "predictions.npz"):
        one, other = (dict(leaves(load_tree(folder / "jobs" / name / file))) for folder in (tmp_path, done))
        assert one.keys() == other.keys()
        assert all(np.array_equal(one[key], other[key]) for key in one), file


def test_a_run_that_diverges_is_undefined_and_not_chosen(done, tmp_path):
    (pair,) = gather(done).design.pairs
    pair = replace(pair, tries={FINE: ((1e30,), (0.05,))})
    (tmp_path / "jobs").mkdir()
    for job in (source_name(pair, 0), probe_name(source_name(pair, 0))):
        (tmp_path / "jobs" / job).symlink_to(done / "jobs" / job)
    run_jobs(AtlasDesign((pair,), (12, 10), seeds=1), tmp_path)
    found = gather(tmp_path)
    assert found.chosen(pair, FINE) == {0: (0.05,)}
    whys = [why for _, label, _, why, _ in found.about["undefined"] if label == "fine tuning @ 1e+30"]
    assert len(whys) == len(measures.METRICS)
    assert all(why.startswith("the run did not end well: ") and "not finite" in why for why in whys)


def test_a_few_images_are_so_many_of_each_class():
    few = TaskSpec("digits59", train=15, validation=10, test=10)
    pair = Pair("few", "", replace(few, task="digits04"), few, images=3)
    assert np.bincount(pair.new(0).train.labels).tolist() == [3] * 5
    for each in PAIRS.values():
        assert each.images is None or each.target.train % each.images == 0


def test_a_folder_grows_by_pairs_and_by_tries():
    quick, full = (PRESETS[preset].configuration() for preset in ("quick", "full"))
    there, here = quick["studies"]["digits"], full["studies"]["digits"]
    there, here = json.loads(json.dumps([there, here]))
    assert grown(there, here) == grown(here, there) == here
    assert {job.name for job in atlas_jobs(PRESETS["quick"])} < {job.name for job in atlas_jobs(PRESETS["full"])}
    assert design_from(json.loads(json.dumps(full))) == PRESETS["full"]
    for options, command in {
        (("preset", "quick"),): "--preset quick",
        (("preset", "smoke"),): "--preset smoke",
        (("preset", "quick"), ("pairs", "mnist,digits")): "--preset quick --pairs mnist,digits",
        (("pairs", "acl-ac"),): "--preset full --pairs acl-ac",
        (): "--preset full",
    }.items():
        about = json.loads(json.dumps(EveryMethod(**dict(options)).plan().configuration))
        assert EveryMethod.command(about) == f"python -m experiments atlas {command}"
    with pytest.raises(ValueError, match="pairs is 'digts'; expected some of digits, mnist, "):
        EveryMethod(pairs="digts").plan()


# From known numbers. Two rates of fine tuning: the new task alone chooses the second, both tasks the first.

PAIR = replace(PAIRS["digits"], tries=dict.fromkeys(METHODS, ((0.1,), (0.2,))))
FINE_ERRORS = {0.1: (6.0, 3.0), 0.2: (4.0, 9.0)}


def known(errors, seeds=5):
    """Return the atlas of {method: {rate: (new, old)}}, the same for validation, test and probe."""
    rows = []

    def add(label, seed, **metrics):
        rows.extend(
            Measurement("atlas", "digits", label, "none", seed, name.replace("_", " "), value)
            for name, value in metrics.items()
        )

    for seed in range(seeds):
        add(BEFORE, seed, old=2.0, probe=2.0)
        for method, rates in errors.items():
            for place, (rate, (new, old)) in enumerate(rates.items()):
                new, old = new + 0.1 * seed, old + 0.01 * seed * (place + 1)
                add(f"{method} @ {rate:g}", seed, new=new, old=old, probe=old, new_validation=new, old_validation=old)
                add(f"{method} @ {rate:g}", seed, probe_validation=old)
    about = {**AtlasDesign((PAIR,), seeds=seeds).configuration(), "jobs": [1, 2], "undefined": []}
    return Atlas(about, rows)


def test_a_setting_is_chosen_by_both_tasks_or_by_the_new_one():
    found = known({FINE: FINE_ERRORS})
    assert set(found.chosen(PAIR, FINE).values()) == {(0.1,)}
    assert set(found.chosen(PAIR, FINE, "new").values()) == {(0.2,)}
    assert found.values(PAIR, FINE, "forgotten")[0] == pytest.approx(1.0)
    assert found.values(PAIR, FINE, "forgotten", "new")[0] == pytest.approx(7.0)
    assert found.values(PAIR, FINE, "mean")[0] == pytest.approx(4.5)
    assert found.values(PAIR, "LwF", "new") == {}
    equals = known({FINE: {0.1: (3.0, 3.0), 0.2: (3.0, 3.0)}}, seeds=1)
    assert equals.chosen(PAIR, FINE) == {0: (0.1,)}


def test_every_answer_is_the_best_of_what_it_allows():
    found = known(
        {
            FINE: FINE_ERRORS,
            "LwF": {0.1: (5.0, 2.2), 0.2: (5.0, 2.1)},
            "Gradual Tuning": {0.1: (5.0, 2.2), 0.2: (9.0, 2.0)},
            "module": {0.1: (7.0, 2.0), 0.2: (8.0, 2.0)},
            JOINT: {0.1: (4.5, 1.9), 0.2: (4.6, 1.9)},
        }
    )
    choices = [decision.choose(found, PAIR, of) for of in decision.ANSWERS]
    assert [choice.method for choice in choices] == [JOINT, FINE, "module", "LwF", "LwF"]
    assert choices[1].new == pytest.approx(4.2)
    assert choices[-1].forgotten == pytest.approx(0.1 + 0.02 * 2)
    row = decision.decision_grid(found).rows[-1]
    assert row[1].startswith("LwF: new 5.2 %, forgotten 0.1")
    assert FINE not in choices[-1].level  # it is worse in every seed


def test_over_pairs_a_method_is_compared_by_both_errors():
    one = known({FINE: {0.1: (6.0, 3.0)}, "LwF": {0.1: (5.0, 2.2)}})
    other = replace(PAIR, name="mnist", title="MNIST")
    again = [
        row._replace(setting="mnist", value=row.value + 0.1 * row.method.startswith("LwF")) for row in one.measurements
    ]
    about = {**AtlasDesign((PAIR, other), seeds=5).configuration(), "jobs": [1, 2], "undefined": []}
    grid = report.overview_grid(Atlas(about, [*one.measurements, *again]))
    rows = {row[0]: row[1:] for row in grid.rows}
    assert rows[FINE] == ["6.2, 1.0", "6.2, 1.0", "–", "–"]
    assert rows["LwF"][:2] == ["5.2, 0.2", "5.3, 0.3"]
    assert rows["LwF"][2].startswith("−0.85 (−1.49 … −0.21")  # (5 + 2.2 − 6 − 3) / 2, and 0.1 more on the other pair
    assert rows["l2"] == ["–, –", "–, –", "–", "–"]


def test_methods_are_level_where_no_difference_is_clear():
    of = decision.ANSWERS[-1]
    rows = known({FINE: {0.1: (5.0, 3.0)}, "LwF": {0.1: (5.0, 3.0)}}).measurements
    noise = [0.3, -0.4, 0.2, 0.4, -0.3]
    moved = [
        row._replace(value=row.value + noise[row.seed] + 0.01) if row.method.startswith("LwF") else row for row in rows
    ]
    found = Atlas(known({}).about, moved)
    assert decision.choose(found, PAIR, of).level == ("LwF",)
    assert decision.choose(known({}), PAIR, of) is None
