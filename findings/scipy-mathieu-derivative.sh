#!/usr/bin/env bash
# SciPy 1.17.1: mathieu_cem and mathieu_sem take degrees and return the derivative per radian.
#
# A good guess: the page says that x is in degrees and that the second result is the derivative with respect to x.
# What happens: the derivative is that with respect to radians, 57.3 times larger. The value is right.
# The project has had reports of it; the page of this version still promises the derivative in x.
# Where: scipy.special.mathieu_cem and mathieu_sem.
# Why it matters: the signs and zeros of the derivative are right, so a plot looks right. Only a check of the size sees
# a unit that is lost.
# The reference is the differential equation's solution for q = 0, cos(m x), and central differences for q = 1.5.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "scipy==1.17.1" "numpy==2.4.6"
"$folder/bin/python" -I - <<'PYTHON'
import numpy as np
from scipy.special import mathieu_cem, mathieu_sem

x = np.array([13.0, 47.0, 101.0, 158.0])  # degrees
assert np.allclose(mathieu_cem(2, 0.0, x)[0], np.cos(2 * np.radians(x))), "the argument is not in degrees"

h = 1e-3
for function in (mathieu_cem, mathieu_sem):
    given = function(2, 1.5, x)[1]
    reference = (function(2, 1.5, x + h)[0] - function(2, 1.5, x - h)[0]) / (2 * h)
    print(f"{function.__name__}: derivative {given.round(6)}, by differences in degrees {reference.round(6)},"
          f" ratio {(given / reference).round(6)}")
    assert np.allclose(given / reference, 180 / np.pi, rtol=1e-6), f"the unit of {function.__name__} changed"
PYTHON
