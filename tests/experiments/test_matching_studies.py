"""What the studies of matching, sharing and selecting compute by themselves, on numbers worked by hand."""

import numpy as np

from experiments import several_tasks
from experiments.courses import Course
from experiments.desk import Desk, Stopped
from experiments.measurements import Measurement
from experiments.selection import HIDDEN, SELECTIVE, WAYS, alike, learn_joint, learn_source
from experiments.survey import Findings
from experiments.tasks import joined, per_class
from npnet import Split, Task
from npnet.selection import Neighbours


def test_the_first_examples_of_each_class():
    split = Split(np.arange(7)[:, None], np.array([0, 0, 1, 0, 2, 1, 1]))
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
    found = Findings({"course": {"task": "ac"}, "factors": [1, 10]}, known)
    assert several_tasks.chosen(found) == {0: "1 : 1 : 10", 1: "1 : 1 : 1"}
    assert several_tasks._values(found, several_tasks.SEARCHED, "angle") == {0: 7.0, 1: 8.0}


def test_two_tasks_as_one_have_the_classes_of_both():
    splits = [Split(np.full((3, 2), value), np.array([0, 1, 1])) for value in (7, 8)]
    one, two = (Task(name, 2, split, split, split) for name, split in zip("ab", splits, strict=True))
    both = joined("a+b", [one, two])
    assert (both.outputs, both.train.labels.tolist()) == (4, [0, 1, 1, 2, 3, 3])
    assert both.test.inputs[:, 0].tolist() == [7, 7, 7, 8, 8, 8]


def test_the_share_of_neighbours_that_are_alike_counts_those_that_count():
    near = Neighbours(np.array([[0, 1, 2], [2, 3, 0]]), np.array([2, 3]))
    source, target = np.array([0, 1, 1, 7]), np.array([0, 1])
    assert alike("lines", near, source, target) == 2 / 5  # 0 of (0, 1) for 0; 1 of (1, 7, 0) for 1
    assert alike("images", near, source, target) == 4 / 5  # all but the 7


def test_a_selective_run_that_stops_goes_on_to_the_same_result(tmp_path):
    course = Course("ac", 20, 30, 30, updates=12, patience=12, batch_size=10)
    learned = Course("acl", 40, 30, 30, updates=9, patience=9)
    source = Desk(tmp_path, "source")
    source.finish(learn_source(source, course=learned, hidden=HIDDEN, seed=0))
    what = {"family": "lines", "course": course, "learned": learned, "seed": 0, "source": "source"}
    what |= {"way": WAYS[SELECTIVE], "setting": "lines", "label": SELECTIVE}
    whole = learn_joint(Desk(tmp_path, "whole"), **what)
    (tmp_path / "stop").touch()
    stopped = 0
    while True:  # every call goes one epoch further
        try:
            again = learn_joint(Desk(tmp_path, "cut"), **what)
            break
        except Stopped:
            stopped += 1
    assert stopped == len(whole["errors"]) == 6
    assert again["measurements"] == whole["measurements"]
