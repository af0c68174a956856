#!/usr/bin/env bash
# astropy 8.0.2: Hermite2D evaluates wrong polynomials in y from the second degree on; its derivatives are right.
#
# A good guess: the model is a sum of c_ij H_i(x) H_j(y) with the physicists' Hermite polynomials, as its page says, and
# where a model and its derivatives disagree, the derivatives are wrong.
# What happens: the values are wrong. In the recurrence for y, n counts on from the terms in x, and the factor 2(n - 1)
# that belongs to the degree is taken from that count. H_2(y) depends on the degree in x, H_0 and H_1 are right.
# fit_deriv has a recurrence of its own, which is right.
# Where: astropy/modeling/polynomial.py, Hermite2D._fcache.
# Why it matters: a fit that uses the derivatives takes wrong steps, and a fit without them converges to other
# coefficients than the page says. A check of gradients says only that the two differ: look at the value too.
# The reference is numpy.polynomial.hermite.hermval2d.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "astropy==8.0.2" "numpy==2.4.6"
"$folder/bin/python" -I - <<'PYTHON'
import numpy as np
from astropy.modeling.models import Hermite2D
from numpy.polynomial.hermite import hermval2d

x, y = np.array([0.4, 1.1, -0.7]), np.array([0.3, -0.5, 1.2])
for name in ("c2_0", "c0_1", "c0_2", "c1_2"):
    i, j = int(name[1]), int(name[3])
    model = Hermite2D(2, 2, **{name: 1.0})
    given, basis = model(x, y), np.zeros((3, 3))
    basis[i, j] = 1.0
    right = hermval2d(x, y, basis)
    derivative = model.fit_deriv(x, y)[:, model.param_names.index(name)]
    print(f"{name}: value {given.round(4)}, derivative by the coefficient {derivative.round(4)},"
          f" H_{i} H_{j} {right.round(4)}")
    assert np.allclose(derivative, right), "the derivatives are no longer right"
    assert np.allclose(given, right) == (j < 2), f"the value of {name} changed"
PYTHON
