#!/usr/bin/env bash
# safetensors 0.8.0: a NumPy array in Fortran order, such as a transpose, is saved with its values in other places.
#
# A good guess: load(save({"w": W.T}))["w"] equals W.T, or save refuses.
# What happens: the bytes are written as they lie in memory, with the shape of the transpose. Loading gives an array of
# the right shape and type with the values scrambled. There is no error and no warning.
# The docstring asks for contiguous arrays, which a Fortran-ordered one is. Version 0.7.0 saved it right, and the
# project has a report of the change.
# Where: safetensors/numpy.py, save and save_file.
# Why it matters: libraries disagree whether a layer's weights are (inputs, outputs) or (outputs, inputs), so weights
# are transposed just before they are saved. Sums, norms and shapes of the result are right, and the network is another.
# The reference is the array itself.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "safetensors==0.8.0" "numpy==2.4.6"
"$folder/bin/python" -I - <<'PYTHON'
import numpy as np
from safetensors.numpy import load, save

W = np.arange(6.0).reshape(2, 3)


def through(w):
    return load(save({"w": w}))["w"]


transposed = W.T
given = through(transposed)
print("saved:", transposed.tolist(), "\nloaded:", given.tolist())
assert transposed.flags.f_contiguous and np.array_equal(through(W), W)
assert given.shape == transposed.shape and given.sum() == transposed.sum()
assert not np.array_equal(given, transposed), "a transpose now comes back"
assert np.array_equal(given, W.reshape(3, 2)), "the order of the bytes changed"
assert np.array_equal(through(np.ascontiguousarray(transposed)), transposed), "a copy in C order is scrambled, too"
PYTHON
