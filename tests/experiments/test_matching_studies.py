"""What the studies of matching, sharing and selecting compute by themselves, on numbers worked by hand."""

import numpy as np

from experiments import several_tasks
from experiments.measurements import Measurement
from experiments.survey import Findings
from experiments.tasks import per_class
from npnet import Split


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
