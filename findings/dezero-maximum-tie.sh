#!/usr/bin/env bash
# DeZero 0.0.13: the gradient of a maximum gives every winner of a tie the whole.
#
# A good guess: at max(1, 2, 2) any convex combination of (0, 1, 0) and (0, 0, 1) is a subgradient, and max returns one.
# What happens: it returns (0, 1, 1). Each entry alone lies between its two slopes, 0 and 1. But if both winners move
# together, the maximum changes by 1 where the gradient says 2. Other frameworks share one whole among the winners, or
# give it to the first.
# Where: dezero/functions.py, Max.backward (and min). max_pooling takes the first winner.
# Why it matters: a check that moves one entry at a time cannot see it, with differences of one side or of both.
# (0, 1, 1) is no subgradient: max y ≥ max x + ⟨g, y - x⟩ fails at y = (1, 3, 3).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "dezero==0.0.13" "numpy==2.4.6" "matplotlib==3.11.2"
"$folder/bin/python" -I - <<'PYTHON'
import numpy as np

np.int = int  # this version of the package is older than NumPy 2
from dezero import Variable
from dezero import functions as F

for function, sign in ((F.max, 1), (F.min, -1)):
    x = Variable(sign * np.array([1.0, 2.0, 2.0]))
    y = function(x)
    y.backward()
    other = sign * np.array([1.0, 3.0, 3.0])
    change, said = float(function(Variable(other)).data - y.data), float(x.grad.data @ (other - x.data))
    print(f"{function.__name__}{tuple(x.data.tolist())}: gradient {x.grad.data}; to {tuple(other.tolist())} the value"
          f" changes by {change:g}, and the gradient says {said:g}")
    assert x.grad.data.tolist() == [0.0, 1.0, 1.0], "the gradient at a tie changed"
    assert (change, said) == (sign, 2.0 * sign)
PYTHON
