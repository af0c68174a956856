#!/usr/bin/env bash
# copt 0.9.2: the Hessian products of LogLoss divide the L2 penalty by the number of samples.
#
# A good guess: hessian_mv(x) returns the map v -> H v, where H is the second derivative of the loss that LogLoss(x)
# returns: the mean of the logistic losses, and alpha / 2 |x|^2.
# What happens: the penalty adds alpha / n v, not alpha v. The gradient is right. With alpha = 0 all is right.
# Where: copt/loss.py, LogLoss.hessian_mv.
# Why it matters: a Newton step is far too long where the penalty is the larger part, and no error says so. A check of
# H v against differences of the gradient sees it at once.
# The reference is the central difference of the gradient, which is itself checked against the loss.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "copt==0.9.2" "numpy==2.4.6" "scipy==1.17.1" "scikit-learn==1.9.1" "numba==0.68.1"
"$folder/bin/python" -I - <<'PYTHON'
import numpy as np
from copt.loss import LogLoss

rng = np.random.default_rng(0)
n = 25
A, b = rng.normal(size=(n, 4)), (rng.random(n) > 0.5) * 1.0
x, v = rng.normal(size=4), rng.normal(size=4)
h = 1e-5


def loss(x, alpha):
    """Return the documented loss: -mean(b log s + (1 - b) log(1 - s)) + alpha / 2 |x|^2."""
    s = 1 / (1 + np.exp(-A @ x))
    return -(b * np.log(s) + (1 - b) * np.log(1 - s)).mean() + alpha / 2 * x @ x


for alpha in (0.0, 0.8):
    f = LogLoss(A, b, alpha)
    value, gradient = f.f_grad(x)
    assert np.isclose(value, loss(x, alpha), rtol=1e-12), "another loss than the documented one"
    slopes = np.array([loss(x + h * e, alpha) - loss(x - h * e, alpha) for e in np.eye(4)]) / (2 * h)
    assert np.allclose(gradient, slopes, atol=1e-8), "the gradient changed"
    reference = (f.f_grad(x + h * v)[1] - f.f_grad(x - h * v)[1]) / (2 * h)
    given = f.hessian_mv(x)(v)
    print(f"alpha = {alpha}: H v {given.round(6)}, by differences {reference.round(6)}")
    missing = alpha * (1 - 1 / n) * v
    assert np.allclose(given + missing, reference, atol=1e-7), f"the Hessian changed at alpha = {alpha}"
PYTHON
