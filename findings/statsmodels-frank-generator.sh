#!/usr/bin/env bash
# statsmodels 0.15.0: the derivatives of the Frank copula's generator have the wrong sign.
#
# A good guess: TransfFrank.deriv is the slope of TransfFrank.evaluate. A generator falls from infinity to 0, so its
# slope is negative, and it is convex.
# What happens: deriv is positive and deriv2 negative; each has the right size and the opposite sign.
# The Clayton copula, checked the same way, is right.
# Where: statsmodels/distributions/copula/transforms.py, TransfFrank.deriv and deriv2.
# Why it matters: a test of sizes passes, and so does one of the ratio of the two. A check of a derivative needs its
# sign.
# The reference is the textbook's generator, -log((exp(-theta t) - 1) / (exp(-theta) - 1)), differentiated by mpmath.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "statsmodels==0.15.0" "numpy==2.4.6" "scipy==1.17.1" "pandas==2.3.3" "mpmath==1.4.1"
"$folder/bin/python" -I - <<'PYTHON'
import mpmath as mp
import numpy as np
from statsmodels.distributions.copula.transforms import TransfClayton, TransfFrank

mp.mp.dps = 40
theta = 1.7
points = (0.2, 0.5, 0.8)
frank = lambda t: -mp.log(mp.expm1(-theta * t) / mp.expm1(-mp.mpf(theta)))
clayton = lambda t: t ** (-mp.mpf(theta)) - 1

for name, kind, generator, sign in (("Frank", TransfFrank(), frank, -1), ("Clayton", TransfClayton(), clayton, 1)):
    for t in points:
        value, slope, curvature = (float(mp.diff(generator, mp.mpf(t), n)) for n in range(3))
        given = [float(f(t, theta)) for f in (kind.evaluate, kind.deriv, kind.deriv2)]
        print(f"{name}, t = {t}: value {given[0]:.6f}, slope {given[1]:+.6f} for {slope:+.6f},"
              f" curvature {given[2]:+.6f} for {curvature:+.6f}")
        assert np.isclose(given[0], value, rtol=1e-12), f"{name}: another generator"
        assert np.isclose(given[1], sign * slope, rtol=1e-12), f"{name}: the slope changed"
        assert np.isclose(given[2], sign * curvature, rtol=1e-12), f"{name}: the curvature changed"
PYTHON
