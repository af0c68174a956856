#!/usr/bin/env bash
# glum 3.4.1: theta of the negative binomial is kept in single precision, also with float64 data.
#
# A good guess: with float64 data the deviance, the variance and their derivatives are those of the given theta.
# What happens: theta = 0.7 becomes numpy.float32(0.7), which differs by 1.7e-8 of its size. The variance is that of
# the other theta, and so is all that is computed with it. The integer theta = 1 stays exact.
# Where: glum/_distribution.py, the setter of NegativeBinomialDistribution.theta.
# Why it matters: an error of 1e-8 is under the tolerance of most tests, and far over the rounding of float64. It is
# seen by a check of a derivative that is good to 1e-10, or when results of two packages are compared digit by digit.
# The reference is the documented variance, mu + theta mu^2.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "glum==3.4.1" "tabmat==4.2.1" "numpy==2.4.6" "scipy==1.17.1" \
    "pandas==2.3.3" "scikit-learn==1.9.1"
"$folder/bin/python" -I - <<'PYTHON'
import numpy as np
from glum import NegativeBinomialDistribution

mu = np.array([0.4, 0.9, 1.7, 3.1])
for theta in (1, 0.7):
    given = NegativeBinomialDistribution(theta).unit_variance(mu)
    error = abs(given / (mu + theta * mu**2) - 1).max()
    print(f"theta = {theta}: {given.dtype}, relative error {error:.1e}")
    assert given.dtype == np.float64
    assert error < 1e-15 if theta == 1 else 1e-9 < error < 1e-7, f"the precision changed at theta = {theta}"

narrow = float(np.float32(0.7))
print("theta kept:", float(NegativeBinomialDistribution(0.7).theta))
assert float(NegativeBinomialDistribution(0.7).theta) == narrow, "theta is no longer rounded"
PYTHON
