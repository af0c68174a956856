#!/usr/bin/env bash
# continuum 1.2.7: forgetting and backward transfer leave out pairs of tasks, and forward transfer looks back.
#
# A good guess: with R[i, j] the accuracy on task j after training task i, the three metrics are those of the papers
# that their docstrings cite. After two tasks with R[1, 0] = 0 and R[0, 0] = 1 all is forgotten: forgetting is 1,
# backward transfer is -1. Forward transfer takes accuracies on tasks before they are trained.
# What happens: for two tasks forgetting and backward transfer are 0, whatever the accuracies. For more, the loops end
# one task early and the divisors do not. Forward transfer is the mean accuracy on the tasks trained before, so it is
# high where nothing is forgotten, and what happened to a task before its training does not enter.
# Where: continuum/metrics/metrics.py, forgetting, backward_transfer, forward_transfer (that of forgetting is reported).
# Why it matters: a study of two tasks reads that nothing is forgotten.
# The reference is the papers' sums over the table of accuracies: for backward transfer the one over all pairs of tasks,
# whose divisor continuum has; for two tasks all definitions agree. The file of metrics needs nothing but NumPy, so it
# is opened without the package around it, which would need torchvision.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "numpy==2.4.6"
"$folder/bin/pip" install -q --no-deps "continuum==1.2.7"
"$folder/bin/python" -I -W ignore - <<'PYTHON'
import sys
from importlib.util import find_spec

sys.path.append(f"{find_spec('continuum').submodule_search_locations[0]}/metrics")
import metrics
import numpy as np


def outcomes(R, N=100):
    """Return predictions, labels and tasks after each training so that the accuracies are those of the table R."""
    tasks = np.repeat(np.arange(len(R)), N)
    labels = np.ones(len(tasks), dtype=int)
    predictions = [(np.tile(np.arange(N), len(R)) < np.repeat(np.round(N * row), N)).astype(int) for row in R]
    return predictions, [labels] * len(R), [tasks] * len(R)


def papers(R):
    T = len(R)
    forgetting = np.mean([R[: T - 1, j].max() - R[T - 1, j] for j in range(T - 1)])
    backward = np.mean([R[i, j] - R[j, j] for i in range(1, T) for j in range(i)])
    return forgetting, backward


def given(R):
    parts = outcomes(R)
    return metrics.forgetting(*parts), metrics.backward_transfer(*parts), metrics.forward_transfer(*parts)


two = np.array([[1.0, 0.5], [0.0, 1.0]])
three = np.array([[0.9, 0.5, 0.5], [0.6, 0.9, 0.5], [0.3, 0.5, 0.9]])
for R in (two, three):
    (forgetting, backward), (f, b, forward) = papers(R), given(R)
    print(f"{len(R)} tasks: forgetting {f:.3f}, the paper's {forgetting:.3f}; backward {b:.3f}, the paper's"
          f" {backward:.3f}; forward {forward:.3f}")
    past = np.mean([R[i, j] for i in range(len(R)) for j in range(i)])
    assert np.isclose(forward, past), "forward transfer changed"
    assert not np.isclose(f, forgetting) and not np.isclose(b, backward), "forgetting or backward transfer changed"
assert given(two)[:2] == (0, 0), "two tasks now have a forgetting or a backward transfer"
f, b, _ = given(three)
assert np.isclose(f, (0.9 - 0.3) / 2) and np.isclose(b, (0.3 - 0.9) / 3), "the terms that are left changed"

# Another accuracy before the training changes no metric.
ahead = two.copy()
ahead[0, 1] = 0.9
assert given(ahead) == given(two), "accuracies ahead of training now enter"
PYTHON
