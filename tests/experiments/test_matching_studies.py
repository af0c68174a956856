"""What the studies of matching, sharing and selecting compute by themselves, on numbers worked by hand."""

import numpy as np

from experiments.tasks import per_class
from npnet import Split


def test_the_first_examples_of_each_class():
    split = Split(np.arange(7)[:, None], np.array([0, 0, 1, 0, 2, 1, 1]))
    assert per_class(split, 1).inputs[:, 0].tolist() == [0, 2, 4]
    assert per_class(split, 2).inputs[:, 0].tolist() == [0, 1, 2, 4, 5]
    assert per_class(split, 9).labels.tolist() == split.labels.tolist()
