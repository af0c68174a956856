#!/usr/bin/env bash
# ModOpt 1.7.2: the cost of OrderedWeightedL1Norm gives the largest weight to the smallest entry.
#
# A good guess: cost is the ordered weighted L1 norm of the cited paper: magnitudes in falling order times weights in
# falling order. op is its proximal step, and no point has a smaller objective than op's.
# What happens: the magnitudes are reversed before they are sorted and not after, so they rise while the weights fall.
# op is right, and cost is no norm. The example on the page of the class prints 50, where the norm is 150.
# Where: modopt/opt/proximity.py, OrderedWeightedL1Norm._cost_method.
# Why it matters: a descent that is right may then show a cost that rises. Value and step have to be checked as a pair.
# The reference is the paper's formula, which is also the largest sum over all pairings of weights and magnitudes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "modopt==1.7.2" "numpy==2.4.6" "scipy==1.17.1" "scikit-learn==1.9.1"
"$folder/bin/python" -I - <<'PYTHON'
from itertools import permutations

import numpy as np
from modopt.opt.proximity import OrderedWeightedL1Norm

weights = np.array([1.6, 0.9, 0.3])
w, step = np.array([0.9, -2.6, 1.7]), 0.5


def norm(v):
    return float(weights @ np.sort(abs(v))[::-1])


# The norm is the largest of the sums over all pairings of weights and magnitudes: no sorting needed.
largest = max(float(np.array(p) @ abs(w)) for p in permutations(weights))
smallest = min(float(np.array(p) @ abs(w)) for p in permutations(weights))
assert np.isclose(norm(w), largest), "the reference is wrong"

owl = OrderedWeightedL1Norm(weights)
given = owl.cost(w)
print(f"cost {given:.6f}; norm {largest:.6f}; the smallest of all pairings {smallest:.6f}")
assert np.isclose(given, smallest), "the cost changed"
assert not np.isclose(given, largest), "the cost is now the norm"

point = owl.op(w, extra_factor=step)
objective = lambda cost, v: cost(v) + ((v - w) ** 2).sum() / (2 * step)
other = np.sign(w) * np.maximum(abs(w) - step * np.array([1.6, 0.3, 0.9]), 0)  # weights in the order that cost has
print(f"step {point}: objective by the norm {objective(norm, point):.6f}, by cost {objective(owl.cost, point):.6f};"
      f" another point {other}: by the norm {objective(norm, other):.6f}, by cost {objective(owl.cost, other):.6f}")
assert objective(norm, point) < objective(norm, other), "op is no longer the step of the norm"
assert objective(owl.cost, other) < objective(owl.cost, point), "op is now the step of cost"
PYTHON
