#!/usr/bin/env bash
# TensorLy 0.10.0: monotonicity_prox moves columns of negative numbers that are monotone already.
#
# A good guess: the function projects a column on the increasing ones, as its page says. A column that increases stays
# as it is, and no increasing column is closer than the result.
# What happens: [-3, -2, -1] becomes [-1, -1, -1]. The function takes maxima over a table of means whose other half is
# filled with zeros, and a zero is larger than a negative mean. Columns without negative numbers come out right.
# Where: tensorly/tenalg/proximal.py, monotonicity_prox, which constrained_parafac(monotonicity=True) uses.
# Why it matters: the result is monotone, so a test of the constraint passes, and so does one with positive numbers. A
# projection has two more properties to check: points of the set stay, and nothing in the set is closer.
# The reference is pool adjacent violators, written out below.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "tensorly==0.10.0" "numpy==2.4.6" "scipy==1.17.1"
"$folder/bin/python" -I - <<'PYTHON'
import numpy as np
from tensorly.tenalg.proximal import monotonicity_prox


def isotonic(y):
    """Return the closest increasing array: neighbours that fall are pooled to their mean."""
    pools = []
    for value in y:
        pools.append([value, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (b, n), (a, m) = pools.pop(), pools.pop()
            pools.append([(a * m + b * n) / (m + n), m + n])
    return np.concatenate([np.full(n, mean) for mean, n in pools])


rng = np.random.default_rng(0)
columns = ([-3.0, -2.0, -1.0], [-1.0, -2.0, 3.0, 1.0], rng.normal(size=6) - 1, abs(rng.normal(size=6)))
for y in map(np.array, columns):
    given, right = np.asarray(monotonicity_prox(y.reshape(-1, 1))).ravel(), isotonic(y)
    distance = lambda v: ((v - y) ** 2).sum()
    print(f"{y.round(3)} -> {given.round(3)}, squared distance {distance(given):.3f};"
          f" the closest {right.round(3)}, {distance(right):.3f}")
    assert (np.diff(given) >= -1e-12).all(), "the result is not monotone"
    if y.min() < 0:
        assert distance(given) > distance(right) + 0.01, "the result is now the closest"
    else:
        assert np.allclose(given, right), "the result changed for positive numbers"
PYTHON
