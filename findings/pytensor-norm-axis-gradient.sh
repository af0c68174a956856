#!/usr/bin/env bash
# PyTensor 3.0.7: the norms of a real matrix's rows have no gradient, because they are the real parts of real numbers.
#
# A good guess: pytensor.grad of linalg.norm(X, axis=1).sum() is X divided by the norms of its rows, as that of
# sqrt((X**2).sum(axis=1)).sum() is.
# What happens: the values are right and grad raises a TypeError about an "integer-valued variable" of type complex128.
# So does the Frobenius norm over two named axes; without an axis it has its gradient. The cause is real(X): it accepts
# real numbers, returns them as they are, and its backward step makes a complex number whatever the input was.
# Where: pytensor/scalar/basic.py, Real.pullback, and pytensor/tensor/linalg, norm, which calls it for every type.
# Why it matters: a penalty on rows, such as the group lasso, works until it is differentiated. The words of the error
# are of integers, which occur nowhere.
# The reference is the same norm without real.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "pytensor==3.0.7" "numba==0.65.1" "numpy==2.4.6" "scipy==1.17.1"
PYTENSOR_FLAGS="base_compiledir=$folder/compiled,cxx=" "$folder/bin/python" -I -W ignore - <<'PYTHON'
import numpy as np
import pytensor
import pytensor.tensor as pt

X = pt.matrix("X", dtype="float64")
x = np.array([[3.0, -4.0, 0.0], [1.0, 2.0, 2.0]])
rows = np.sqrt((x**2).sum(axis=1))

written_out = pt.sqrt((X**2).sum(axis=1))
assert np.allclose(pytensor.grad(written_out.sum(), X).eval({X: x}), x / rows[:, None]), "the reference is wrong"
assert np.allclose(pytensor.grad(pt.linalg.norm(X), X).eval({X: x}), x / np.linalg.norm(x)), "no axis: it changed"

cases = {"norm(X, axis=1)": (pt.linalg.norm(X, axis=1), rows),
         "norm(X, axis=(0, 1))": (pt.linalg.norm(X, axis=(0, 1)), np.linalg.norm(x)),
         "real(X)": (pt.real(X), x)}
for name, (norm, reference) in cases.items():
    value = norm.eval({X: x})
    assert value.dtype == np.float64 and np.allclose(value, reference), f"{name}: the value changed"
    try:
        pytensor.grad(norm.sum(), X)
    except TypeError as error:
        print(f"{name}: value {value.tolist()}, gradient: {error}")
        assert "integer-valued" in str(error) and "complex128" in str(error), f"{name}: another error"
    else:
        raise AssertionError(f"{name} has a gradient now")
PYTHON
