#!/usr/bin/env bash
# paramz 0.10.0: the gradient factor and the inverse of NegativeExponent have the wrong sign.
#
# A good guess: gradfactor(f, df) brings the gradient df of a parameter f(x) to the free variable x by the chain rule,
# df * f'(x). For f = -exp(x) the factor is f'(x) = -exp(x), which is f itself.
# What happens: the result is df * exp(x), the negative of the right one: an optimizer on x goes uphill. The inverse
# finv is -log(-f) where log(-f) belongs, so a parameter that is set to -2 comes back as -0.5.
# Exponent, Logexp and NegativeLogexp, checked the same way, are right.
# Where: paramz/transformations.py, NegativeExponent.gradfactor and finv.
# Why it matters: the minus of the value was carried to its slope, which contains it already, and to its inverse. Each
# change of variables needs a check of its own.
# The reference is the central difference of the transformation, and that an inverse brings x back.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "paramz==0.10.0" "numpy==2.4.6" "scipy==1.17.1"
"$folder/bin/python" -I - <<'PYTHON'
import numpy as np
from paramz import transformations as tr

x = np.array([-1.2, -0.3, 0.4, 1.1])
df = np.array([0.7, -1.3, 2.1, 0.4])
h = 1e-6

for kind, sign in ((tr.Exponent(), 1), (tr.Logexp(), 1), (tr.NegativeLogexp(), 1), (tr.NegativeExponent(), -1)):
    name = type(kind).__name__
    reference = df * (kind.f(x + h) - kind.f(x - h)) / (2 * h)
    given = kind.gradfactor(kind.f(x), df)
    print(f"{name}: gradfactor {given.round(6)}, chain rule {reference.round(6)}")
    assert np.allclose(kind.finv(kind.f(x)), sign * x), f"{name}: the inverse changed"
    assert np.allclose(given, sign * reference, rtol=1e-6), f"{name}: the gradient factor changed"

negative = tr.NegativeExponent()
assert np.allclose(negative.f(x), -np.exp(x)), "NegativeExponent is another function"
print("-2 comes back as", negative.f(negative.finv(np.array([-2.0]))))
PYTHON
