"""What the studies of matching, sharing and selecting compute by themselves, on numbers worked by hand."""

import numpy as np
import pytest

from experiments.frame.long_form import Findings
from experiments.frame.measurements import Measurement
from experiments.frame.source_and_target import learn_source
from experiments.frame.task_specs import TaskSpec
from experiments.frame.tasks import joined_tasks, per_class
from experiments.frame.workspace import Stopped, Workspace
from experiments.studies.distillation import design as distillation
from experiments.studies.image_prior import restoring, study
from experiments.studies.selection.design import CHOICES, HIDDEN, SELECTIVE, alike, learn_joint
from experiments.studies.several_tasks import study as several_tasks
from npnet import Split, Task, check_gradient, plain_loss
from npnet.joint_tuning.selection import Neighbours
from npnet.layers import backward, forward
from npnet.trees import leaves


def test_the_first_examples_of_each_class():
    split = Split(np.arange(7.0)[:, None], np.array([0, 0, 1, 0, 2, 1, 1]))
    assert per_class(split, 1).inputs[:, 0].tolist() == [0, 2, 4]
    assert per_class(split, 2).inputs[:, 0].tolist() == [0, 1, 2, 4, 5]
    assert per_class(split, 9).labels.tolist() == split.labels.tolist()


def test_the_grid_search_looks_at_validation_errors_relative_to_those_alone():
    def of(way, seed, *errors):
        tasks = zip(("label", "angle", "lengths"), errors, strict=True)
        return [Measurement("x", "ac", way, "none", seed, f"{task} validation", value) for task, value in tasks]

    alone = {task: 10.0 ** (1 + i) for i, task in enumerate(several_tasks.UNITS)}
    known = [
        Measurement("x", "ac", f"{task} alone", "none", seed, f"{task} validation", value)
        for task, value in alone.items()
        for seed in (0, 1)
    ]
    known += [*of("1 : 1 : 1", 0, 9.0, 110.0, 1000.0), *of("1 : 1 : 10", 0, 11.0, 100.0, 800.0)]  # 3.0 and 2.9 in all
    known += [*of("1 : 1 : 1", 1, 9.0, 100.0, 1000.0), *of("1 : 1 : 10", 1, 9.0, 100.0, 1100.0)]  # 2.9 and 3.0
    known += [Measurement("x", "ac", "1 : 1 : 10", "none", 0, "angle", 7.0)]
    known += [Measurement("x", "ac", "1 : 1 : 1", "none", 1, "angle", 8.0)]
    found = Findings({"spec": {"task": "ac"}, "factors": [1, 10]}, known)
    assert several_tasks.chosen(found) == {0: "1 : 1 : 10", 1: "1 : 1 : 1"}
    assert several_tasks._values(found, several_tasks.SEARCHED, "angle") == {0: 7.0, 1: 8.0}


def test_two_tasks_as_one_have_the_classes_of_both():
    splits = [Split(np.full((3, 2), value), np.array([0, 1, 1])) for value in (7.0, 8.0)]
    one, two = (Task(name, 2, split, split, split) for name, split in zip("ab", splits, strict=True))
    both = joined_tasks("a+b", [one, two])
    assert (both.outputs, both.train.labels.tolist()) == (4, [0, 1, 1, 2, 3, 3])
    assert both.test.inputs[:, 0].tolist() == [7, 7, 7, 8, 8, 8]


def test_the_share_of_neighbours_that_are_alike_counts_those_that_count():
    near = Neighbours(np.array([[0, 1, 2], [2, 3, 0]]), np.array([2, 3]))
    source, target = np.array([0, 1, 1, 7]), np.array([0, 1])
    assert alike("lines", near, source, target) == 2 / 5  # 0 of (0, 1) for 0; 1 of (1, 7, 0) for 1
    assert alike("images", near, source, target) == 4 / 5  # all but the 7


def until_done(tmp_path, function, **what):
    """Take a job through as many pieces of one epoch as it has, and return its result and how many there were."""
    (tmp_path / "stop").touch()
    for pieces in range(99):
        try:
            return function(Workspace(tmp_path, "cut"), **what), pieces
        except Stopped:
            pass
    raise AssertionError("the job never ended")


ANEW = "joint: random source, new each epoch"


@pytest.mark.parametrize("label", [SELECTIVE, ANEW])
def test_a_joint_run_that_stops_goes_on_to_the_same_result(tmp_path, label):
    spec = TaskSpec("ac", train=20, validation=30, test=30, updates=12, patience=12, batch_size=10)
    learned = TaskSpec("acl", train=40, validation=30, test=30, updates=9, patience=9)
    source = Workspace(tmp_path, "source")
    source.finish(learn_source(source, spec=learned, hidden=HIDDEN, seed=0))
    what = {"family": "lines", "spec": spec, "learned": learned, "seed": 0, "source": "source"}
    what |= {"choice": CHOICES[label], "setting": "lines", "label": label}
    whole = learn_joint(Workspace(tmp_path, "whole"), **what)
    again, pieces = until_done(tmp_path, learn_joint, **what)
    assert pieces == len(whole["errors"]) == 6
    assert again["measurements"] == whole["measurements"]


def test_the_peak_signal_to_noise_ratio_worked_by_hand():
    assert restoring.psnr(np.array([0.5, 0.7]), np.array([0.4, 0.8])) == pytest.approx(20)  # mean square 0.01
    assert restoring.psnr(np.array([0.5, 0.7]), np.array([0.5, 0.5])) == pytest.approx(10 * np.log10(50))  # 0.02


def test_the_mean_of_known_pixels_worked_by_hand():
    image = np.array([[1.0, 9.0, 0.0, 0.0], [3.0, 0.0, 0.0, 0.0], [0.0] * 4, [0.0, 0.0, 0.0, 8.0]])
    known = np.array(
        [[True, False, False, False], [True, False, False, False], [False] * 4, [False, False, False, True]]
    )
    mean = restoring.mean_filter(image, known)
    assert mean[0, 0] == mean[1, 1] == 2  # of 1 and 3: the 9 is not known
    assert mean[2, 0] == 3
    assert mean[2, 2] == mean[3, 3] == 8
    assert mean[0, 3] == 4  # nothing known nearby: the mean of 1, 3 and 8


def test_the_error_of_known_pixels_has_its_gradient(rng):
    Z, targets, known = rng.standard_normal((2, 5)), rng.standard_normal((2, 5)), rng.random((2, 5)) < 0.6
    assert check_gradient(lambda Z: restoring.squared_error_where(Z, targets, known), Z)
    value, dZ = restoring.squared_error_where(np.array([[1.0, 5.0]]), np.zeros((1, 2)), np.array([[True, False]]))
    assert (value, dZ.tolist()) == (0.5, [[1.0, 0.0]])


@pytest.mark.parametrize("prior", restoring.PRIORS)
def test_a_restoration_that_stops_goes_on_to_the_same_result(tmp_path, prior):
    design = restoring.ImagePriorDesign(7, 1, hidden={"code": (6,), "positions": (6,)}, features=8)
    what = {"design": design, "corruption": "missing", "prior": prior, "seed": 0, "setting": "missing", "label": prior}
    whole = restoring.restore(Workspace(tmp_path, "whole"), **what)
    again, pieces = until_done(tmp_path, restoring.restore, **what)
    assert pieces == 7
    assert again["measurements"] == whole["measurements"]
    named = {metric: value for *_, metric, value in whole["measurements"]}
    assert [f"after {n}" in named for n in range(1, 8)] == [True, True, False, False, True, False, True]
    assert named["best"] >= max(named[f"after {n}"] for n in design.looks)


@pytest.mark.parametrize("prior", restoring.PRIORS)
def test_neighbouring_pixels_move_together_where_positions_are_known(prior):
    """Why the one restores and the other does not: the cosine of the gradients of two neighbouring pixels' levels."""
    design = restoring.PRESETS["quick"]
    _, left, known = restoring.corrupted(design, "noise", 0)
    run, _, X, _ = restoring.begin_prior(design, prior, left, known, 0)
    path = run.network.path(restoring.IMAGE)

    def level(pixel):
        one = np.eye(1, restoring.SIDE**2, pixel, np.float32)
        row, target = (X, one) if prior == "code" else (X[pixel : pixel + 1], np.ones((1, 1), np.float32))
        _, backs = forward(path, row)
        gradients = [dp for _, _, dp in backward(backs, {len(backs) - 1: target})]
        return np.concatenate([array.ravel() for _, array in leaves(gradients)])

    cosines = []
    for pixel in range(0, restoring.SIDE**2, 34):  # and the next one in its row
        g, h = level(pixel), level(pixel + 1)
        cosines.append(g @ h / np.linalg.norm(g) / np.linalg.norm(h))
    assert abs(np.mean(cosines)) < 0.05 if prior == "code" else np.mean(cosines) > 0.7


def test_the_iteration_for_all_has_the_greatest_mean():
    values = {1: (1.0, 1.0), 2: (9.0, 2.0), 4: (5.0, 5.0)}
    known = [
        Measurement("x", "noise", "code", "none", seed, f"after {n}", value)
        for n, pair in values.items()
        for seed, value in enumerate(pair)
    ]
    about = {"design": {"iterations": 4, "hidden": {"code": [3]}}}
    assert study.common(Findings(about, known), "noise", "code") == 2
    assert study.common(Findings(about, []), "noise", "code") is None


def test_students_of_a_seed_begin_alike_and_the_teacher_is_held(tmp_path):
    spec = TaskSpec("ac", train=30, validation=20, test=20, updates=4, patience=4)
    workspace = Workspace(tmp_path, "teacher-0")
    teacher = distillation.begin_teacher(workspace, spec, (6, 5), 0)
    assert (teacher.settings.max_norm, teacher.run.network.dropout) == (3.0, (0.5, 0.5))
    stored = spec.load(0).train.inputs
    assert (teacher.tasks["ac"].train.inputs[:] != stored).any()
    teacher.run.network.save(workspace.path / "network.npz")
    begun = [
        distillation.begin_student(Workspace(tmp_path, f"{t}"), spec, (4, 3), 0, "teacher-0", t)
        for t in (None, 1.0, 20.0)
    ]
    for other in begun[1:]:
        assert np.array_equal(other.run.network.heads["ac"]["W"], begun[0].run.network.heads["ac"]["W"])
        assert np.array_equal(other.run.network.trunk[0]["W"], begun[0].run.network.trunk[0]["W"])
    assert begun[0].settings.objective is plain_loss
    assert [len(each.settings.objective.terms) for each in begun[1:]] == [1, 1]
    assert begun[0].run.network.dropout == ()
