#!/usr/bin/env bash
# thinc 8.3.10: the loss that CategoricalCrossentropy reports is no cross-entropy and depends on the size of the batch.
#
# A good guess: the loss is -log p of the true class, averaged over the examples by default, and get_grad is its
# gradient.
# What happens: get_grad is right for a softmax below it: (p - t) / N. The loss is the sum of the squares of that
# gradient. An example that is wrong with certainty costs 2 and not infinity, and the same examples taken twice cost
# half as much, since N is squared. L2Distance has the same: its gradient is N / 2 times that of its value.
# Where: thinc/loss.py, CategoricalCrossentropy._get_loss_from_grad and L2Distance.get_loss; 9.1.1 has the same lines.
# The project has a change of it that is in no release.
# Why it matters: the printed loss is not comparable with that of another library, nor between batches of two sizes, and
# a mean over batches counts the last, smaller one too much.
# The reference is the cross-entropy, and central differences of the loss.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "thinc==8.3.10" "numpy==2.4.6"
"$folder/bin/python" -I -W ignore - <<'PYTHON'
import numpy as np
from thinc.api import CategoricalCrossentropy, L2Distance

P = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4], [0.05, 0.9, 0.05]])
labels = np.array([0, 2, 0])
T = np.eye(3)[labels]

loss = CategoricalCrossentropy()
assert np.allclose(loss.get_grad(P, labels), (P - T) / 3), "the gradient changed"
truth = -np.log(P[np.arange(3), labels]).mean()
once, twice = loss.get_loss(P, labels), loss.get_loss(np.tile(P, (2, 1)), np.tile(labels, 2))
print(f"three examples {once:.6f}, the same ones twice {twice:.6f}; cross-entropy {truth:.6f}")
assert np.isclose(once, ((P - T) ** 2).sum() / 9) and not np.isclose(once, truth), "the loss changed"
assert np.isclose(twice, once / 2), "the loss no longer depends on the size of the batch"

for p in (0.1, 1e-3, 1e-6):
    wrong = loss.get_loss(np.array([[p, 1 - p]]), np.array([0]))
    print(f"one example with {p:g} for its class: {wrong:.6f}, cross-entropy {-np.log(p):.6f}")
    assert wrong <= 2, "the loss is no longer bounded"

distance = L2Distance()
h, slope = 1e-6, np.zeros_like(P)
for place in np.ndindex(P.shape):
    step = np.zeros_like(P)
    step[place] = h
    slope[place] = (distance.get_loss(P + step, T) - distance.get_loss(P - step, T)) / (2 * h)
ratio = distance.get_grad(P, T) / slope
print("L2Distance, three examples: gradient / slope of the loss", ratio.round(6).ravel())
assert np.allclose(ratio, 3 / 2, rtol=1e-5), "L2Distance changed"
PYTHON
