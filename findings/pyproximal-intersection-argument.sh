#!/usr/bin/env bash
# PyProximal 0.13.0: Intersection overwrites the array that it projects, so its gradient is always zero.
#
# A good guess: prox(x, tau) returns a projection and leaves x as it was, as all other operators do, and grad(x), the
# documented gradient of the Moreau envelope, is (x - prox(x)) / sigma.
# What happens: prox reshapes x, which makes no copy, and works in it. Afterwards x is its own projection. So
# x - prox(x) is zero, and grad returns zeros at points far outside of the set, where the slope is not zero.
# Where: pyproximal/projection/Intersection.py, IntersectionProj.__call__; grad is that of ProxOperator.
# Why it matters: the returned values are right, so a test of values passes. A check has to compare the arguments'
# bits before and after, too, and the gradient with differences of copies.
# The reference is the central difference of the envelope, half the squared distance to the set |a - b| <= 0.7,
# whose projection has a closed form for two vectors.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "pyproximal==0.13.0" "pylops==2.8.0" "numpy==2.4.6" "scipy==1.17.1"
"$folder/bin/python" -I - <<'PYTHON'
import numpy as np
import pyproximal

BOUND = 0.7
x = np.array([1.9, -0.4, 0.3, -0.8, 0.5, 1.4])  # two vectors of three: a, then b


def project(x):
    a, b = x.reshape(2, 3)
    excess = np.sign(a - b) * np.maximum(abs(a - b) - BOUND, 0) / 2
    return np.concatenate([a - excess, b + excess])


def envelope(x):
    return ((x - project(x)) ** 2).sum() / 2


operator = pyproximal.Intersection(2, 3, np.full((2, 2), BOUND), niter=500, tol=1e-13)
argument = x.copy()
given = operator.prox(argument, 1.0)
print("argument before:", x, "\nargument after: ", argument.round(6), "\nprojection:     ", project(x).round(6))
assert np.allclose(given, project(x), atol=1e-6), "the projection itself changed"
assert np.allclose(argument, project(x), atol=1e-6), "the argument is no longer overwritten"

box = x.copy()
pyproximal.Box(-1, 1).prox(box, 1.0)
assert np.array_equal(box, x), "Box overwrites its argument, too"

h = 1e-6
reference = np.array([envelope(x + h * e) - envelope(x - h * e) for e in np.eye(6)]) / (2 * h)
gradient = operator.grad(x.copy())
print("gradient:", gradient, "\nby differences:", reference.round(6))
assert abs(reference).max() > 0.4, "the point lies in the set"
assert np.array_equal(gradient, np.zeros(6)), "the gradient is no longer zero"
PYTHON
