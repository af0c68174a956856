#!/usr/bin/env bash
# skglm 0.5: the proximal step of WeightedL1GroupL2 takes the weight of feature g for all features of group g.
#
# A good guess: the step of a group minimises the penalty that value() returns, where every feature has its own weight.
# What happens: weights_features is indexed with the number of the group. Group 0 uses the weight of feature 0 for all
# its features, group 1 that of feature 1, which may lie in another group. Weights that are all equal hide it.
# The project has a report of it, and a change that this release does not have.
# Where: skglm/penalties/block_separable.py, WeightedL1GroupL2.prox_1group.
# Why it matters: an index that is valid for two arrays of different lengths raises no error. A test needs weights that
# differ within a group.
# The reference is the documented penalty and its known step: soft thresholding with each feature's own threshold, then
# shrinking of the group's norm. Both points are compared by the objective of the step as well.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "skglm==0.5" "numpy==2.4.6" "scipy==1.17.1" "scikit-learn==1.9.1" "numba==0.68.1"
"$folder/bin/python" -I - <<'PYTHON'
import numpy as np
from skglm.penalties import WeightedL1GroupL2

ALPHA, STEP = 0.7, 0.6
pointers, indices = np.array([0, 2, 5], dtype=np.int32), np.arange(5, dtype=np.int32)
of_groups = np.array([0.5, 0.9])
groups = (slice(0, 2), slice(2, 5))
w = np.array([1.9, -1.4, 2.3, -1.7, 1.2])


def penalty(v, of_features):
    return ALPHA * (sum(s * np.linalg.norm(v[g]) for s, g in zip(of_groups, groups)) + (of_features * abs(v)).sum())


def step(of_features):
    soft = np.sign(w) * np.maximum(abs(w) - STEP * ALPHA * of_features, 0)
    return np.concatenate([
        max(0.0, 1 - STEP * ALPHA * s / np.linalg.norm(soft[g])) * soft[g] for s, g in zip(of_groups, groups)])


for of_features in (np.full(5, 0.6), np.array([0.1, 2.0, 0.4, 1.1, 0.2])):
    skglm = WeightedL1GroupL2(ALPHA, of_groups, of_features, pointers, indices)
    assert np.isclose(skglm.value(w), penalty(w, of_features), rtol=1e-12), "another penalty than the documented one"
    given = np.concatenate([skglm.prox_1group(w[g].copy(), STEP, i) for i, g in enumerate(groups)])
    right = step(of_features)
    objective = lambda v: penalty(v, of_features) + ((v - w) ** 2).sum() / (2 * STEP)
    print(f"weights {of_features}: step {given.round(5)}, objective {objective(given):.5f};"
          f" right step {right.round(5)}, objective {objective(right):.5f}")
    if np.ptp(of_features) == 0:
        assert np.allclose(given, right, rtol=1e-12), "the step changed for equal weights"
    else:
        wrong = step(np.repeat(of_features[:2], (2, 3)))  # feature g's weight in all of group g
        assert np.allclose(given, wrong, rtol=1e-12), "the step changed for weights that differ"
        assert objective(right) < objective(given) - 0.1, "the step is now the minimiser"
PYTHON
