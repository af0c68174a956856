#!/usr/bin/env bash
# proxmin 0.6.12: prox_hard with type "relative" is no proximal step of the L0 penalty.
#
# A good guess: type "relative" means, as the docstring says, that the penalty is in units of the function's value. The
# step of the penalty thresh * (number of non-zeros) keeps an entry when x^2 / (2 step) exceeds thresh, so the bound is
# sqrt(2 * thresh * step).
# What happens: the bound is thresh * step, which is right for soft thresholding. Entries between the two bounds are
# kept, though zero has the smaller objective.
# Where: proxmin/operators.py, prox_hard.
# Why it matters: a step and its penalty are a pair, and a wrong scale looks like another choice of thresh. It shows
# when the step changes: the fixed points move with it.
# The reference tries both candidates, x and 0, for every entry: there are no others.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "proxmin==0.6.12" "numpy==2.4.6" "scipy==1.17.1"
"$folder/bin/python" -I - <<'PYTHON'
import numpy as np
from proxmin.operators import prox_hard, prox_soft

THRESH = 0.5
x = np.linspace(-2, 2, 401)


def objective(v, step, penalty):
    return penalty(v) + (v - x) ** 2 / (2 * step)


count = lambda v: THRESH * (v != 0)
for step in (0.25, 1.0):
    given = prox_hard(x.copy(), step, thresh=THRESH, type="relative")
    keep, drop = objective(x, step, count), objective(0 * x, step, count)
    worse = objective(given, step, count) - np.minimum(keep, drop)
    bound = abs(x[given != 0]).min()
    print(f"step {step}: keeps |x| from {bound:.3f}; the penalty's bound is {np.sqrt(2 * THRESH * step):.3f};"
          f" worse than the other candidate at {(worse > 1e-12).sum()} of {x.size} points")
    assert abs(bound - THRESH * step) < 0.011, "the bound changed"
    assert (worse > 1e-12).sum() > 50, "the step is now that of the penalty"

    soft = prox_soft(x.copy(), step, thresh=THRESH, type="relative")
    grid = np.linspace(-2, 2, 4001)[:, None]
    least = (THRESH * abs(grid) + (grid - x) ** 2 / (2 * step)).min(0)
    assert (objective(soft, step, lambda v: THRESH * abs(v)) <= least + 1e-12).all(), "prox_soft changed"
PYTHON
