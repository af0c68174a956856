#!/usr/bin/env bash
# PaddlePaddle 3.3.1: a cross-entropy is never above 64, and the same loss has a slope where it is flat.
#
# A good guess: for the logits 1000, -1000, 0 and the class 1 the cross-entropy is 2000, as the other libraries have it.
# What happens: it is 64, in double precision too. Logarithms of probabilities stop at -64 in log_softmax and in every
# cross-entropy made of logits. The gradient is that of the true loss, 1 and -1, where the value no longer moves.
# Where: paddle/phi/kernels/funcs/softmax_impl.h, ValueClip: the distance to the largest logit is cut at -64 before
# anything else is done. On the CPU. The project has a report of it for version 1.5.0.
# Why it matters: the mean loss of a network with a few confident errors is too small, and a gradient check fails though
# the gradient is right.
# The reference is the largest logit less that of the class, plus the logarithm of the sum of exponentials of
# differences.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "paddlepaddle==3.3.1" "numpy==2.4.6"
"$folder/bin/python" -I -W ignore - <<'PYTHON'
import numpy as np
import paddle
import paddle.nn.functional as F

paddle.set_device("cpu")


def loss(z, label, soft=False):
    z = paddle.to_tensor([z], dtype="float64", stop_gradient=False)
    target = np.eye(z.shape[1])[[label]] if soft else np.array([label])
    value = F.cross_entropy(z, paddle.to_tensor(target), soft_label=soft)
    value.backward()
    return float(value), z.grad.numpy()[0]


def exact(z, label):
    z = np.array(z)
    return z.max() - z[label] + np.log(np.exp(z - z.max()).sum())


for z in ([10.0, 0.0, 0.0], [63.0, 0.0, 0.0], [65.0, 0.0, 0.0], [1000.0, -1000.0, 0.0]):
    value, slope = loss(z, 1)
    h = 1e-3
    moved = (loss([z[0] + h, *z[1:]], 1)[0] - loss([z[0] - h, *z[1:]], 1)[0]) / (2 * h)
    print(f"logits {z}: loss {value:.6f}, true {exact(z, 1):.6f}; slope {slope[0]:.6f}, central difference {moved:.6f}")
    assert np.isclose(value, min(exact(z, 1), 64)), "the value changed"
    assert np.isclose(loss(z, 1, soft=True)[0], value), "soft labels have another loss"
    assert np.isclose(slope[0], 1, atol=1e-3), "the gradient is now that of the cut loss"
    assert np.isclose(moved, slope[0] if exact(z, 1) < 64 else 0, atol=1e-6), "the value changed"

given = F.log_softmax(paddle.to_tensor([1000.0, -1000.0, 0.0], dtype="float64")).numpy()
print("log_softmax", given, "true", [0, -2000, -1000])
assert np.array_equal(given, [0, -64, -64]), "log_softmax changed"
PYTHON
