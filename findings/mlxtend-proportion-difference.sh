#!/usr/bin/env bash
# mlxtend 0.25.0: the p-value of proportion_difference depends on the order of the two proportions and may be 1.
#
# A good guess: the p-value of a "difference of proportions test" is small if the proportions differ much, and does not
# change with their order.
# What happens: it is the probability of a z as small as the given one. With 0.90 and 0.84 of 500 each, p is 0.998; the
# other way round it is 0.002, half of the two-sided 0.005. 0.9 against 0.1 gives 1.
# Where: mlxtend/evaluate/proportion_difference.py, its last lines: the normal distribution's cdf of the signed z. The
# docstring says "the p-value".
# Why it matters: the test is there to compare two classifiers. With the better one first no difference is ever
# significant, with the worse one first too many are.
# The reference is the two-sided p-value of the same z, and that of statsmodels.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "mlxtend==0.25.0" "scikit-learn==1.9.1" "statsmodels==0.15.0" \
  "numpy==2.4.6" "scipy==1.17.1"
"$folder/bin/python" -I -W ignore - <<'PYTHON'
import numpy as np
from mlxtend.evaluate import proportion_difference
from scipy.stats import norm
from statsmodels.stats.proportion import test_proportions_2indep

for first, second, n in ((0.84, 0.90, 500), (0.90, 0.84, 500), (0.9, 0.1, 100), (0.5, 0.5, 100)):
    z, p = proportion_difference(first, second, n)
    two_sided = 2 * norm.sf(abs(z))
    reference = test_proportions_2indep(first * n, n, second * n, n, method="wald")
    print(f"{first} and {second} of {n}: z {z:.4f}, p {p:.3g}; two-sided {two_sided:.3g}")
    assert np.isclose(z, reference.statistic) and np.isclose(two_sided, reference.pvalue), "the statistic changed"
    assert np.isclose(p, norm.cdf(z)), "the p-value changed"
    assert np.isclose(p + proportion_difference(second, first, n)[1], 1), "the p-value no longer depends on the order"
PYTHON
