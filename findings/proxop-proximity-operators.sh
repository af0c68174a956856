#!/usr/bin/env bash
# ProxOp 1.0.6: the proximity operators of several functions are not at the minimum.
#
# A good guess: prox(x, gamma) minimises gamma f(u) + (u - x)²/2, as the pages of the package and its website say.
# What happens: Power(3) leaves out the division by 6 gamma, Power(3/2) has 2 gamma where gamma² belongs,
# Power(4/3) has square roots too many, PRelu scales positive numbers too, LogisticLoss keeps x divided by gamma, and
# EntropyLogSum returns NaN for negative numbers. Power(2), Power(4), Log and Huber are right.
# Where: proxop/scalar/Power.py, PRelu.py and LogisticLoss.py, proxop/nonconvex/EntropyLogSum.py.
# Why it matters: a proximal step needs no gradient and looks plausible, for it shrinks. What defines it is easy to
# check: no other point has a smaller objective.
# The reference is a search on a fine grid, one number at a time.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "proxop==1.0.6" "numpy==2.4.6" "scipy==1.17.1"
"$folder/bin/python" -I -W ignore - <<'PYTHON'
import numpy as np
from proxop.nonconvex.EntropyLogSum import EntropyLogSum
from proxop.scalar.Huber import Huber
from proxop.scalar.Log import Log
from proxop.scalar.LogisticLoss import LogisticLoss
from proxop.scalar.Power import Power
from proxop.scalar.PRelu import PRelu

x, grid = np.array([-1.3, 0.9, 2.4]), np.linspace(-4, 4, 160_001)
RIGHT = {"Power(2)": Power(2), "Power(4)": Power(4), "Log": Log(), "Huber": Huber(0.7)}
WRONG = {"Power(3)": Power(3), "Power(3/2)": Power(1.5), "Power(4/3)": Power(4 / 3), "LogisticLoss": LogisticLoss()}
for name, f in {**RIGHT, **WRONG, "PRelu": PRelu(0.25)}.items():
    gamma = 1.0 if name == "PRelu" else 0.6
    v = np.asarray(f.prox(x.copy()) if name == "PRelu" else f.prox(x.copy(), gamma))

    def objective(u, x):
        return gamma * float(f(np.array([u, u]))) / 2 + (u - x) ** 2 / 2

    values = np.array([objective(u, 0.0) - u * u / 2 for u in grid])
    best = [grid[np.argmin(values + (grid - each) ** 2 / 2)] for each in x]
    worse = max(objective(a, each) - objective(b, each) for a, b, each in zip(v, best, x))
    print(f"{name}: {v.round(3)}, the minimum {np.round(best, 3)}, objective larger by {worse:.4f}")
    assert (worse < 1e-6) == (name in RIGHT), f"{name} changed"
v = EntropyLogSum(1.0, 0.3).prox(x.copy(), 0.6)
print(f"EntropyLogSum: {v.round(3)}")
assert np.isnan(v[0]), "EntropyLogSum changed"
PYTHON
