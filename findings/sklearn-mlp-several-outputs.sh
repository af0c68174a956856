#!/usr/bin/env bash
# scikit-learn 1.9.1: for several outputs, MLPRegressor's loss and the gradient that it follows are of two functions.
#
# A good guess: loss_ is the loss that is minimised, and a step of plain gradient descent goes along its slope.
# What happens: loss_ is half the squared error averaged over samples and outputs. The step follows the gradient of half
# the squared error averaged over samples and summed over outputs, which is K times as large for K outputs. The penalty
# is not scaled, so no change of units brings the two together, and L-BFGS searches lines with a wrong slope.
# Where: sklearn/neural_network/_base.py, squared_loss (its mean), and _multilayer_perceptron.py, _backprop. The project
# has a report of it since 2017. The Poisson loss sums over outputs and is right.
# Why it matters: with one output all agrees. Beside the loss that is shown, the penalty that is followed is K times too
# weak.
# The reference is the central difference of loss_ itself.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder"
"$folder/bin/pip" install -q "scikit-learn==1.9.1" "numpy==2.4.6" "scipy==1.17.1"
"$folder/bin/python" -I -W ignore - <<'PYTHON'
import numpy as np
from sklearn.neural_network import MLPRegressor

RATE, N = 1e-3, 12
generator = np.random.default_rng(0)
X = generator.normal(size=(N, 3))


def ratio(outputs, loss):
    """Return the gradient that the step follows over the central difference of loss_, for every weight of a network."""
    Y = generator.uniform(0.5, 2, size=(N, outputs))
    Y = Y.ravel() if outputs == 1 else Y
    net = MLPRegressor(loss, (4,), activation="tanh", solver="sgd", alpha=0, momentum=0, learning_rate_init=RATE,
                       batch_size=N, shuffle=False, max_iter=1, warm_start=True, random_state=0).fit(X, Y)
    start = [W.copy() for W in net.coefs_], [b.copy() for b in net.intercepts_]

    def fit(layer, place, change):
        """Start at the first weights with one of them changed; return loss_ there and the weight after one step."""
        net.coefs_, net.intercepts_ = [W.copy() for W in start[0]], [b.copy() for b in start[1]]
        net.coefs_[layer][place] += change
        net.fit(X, Y)
        return net.loss_, net.coefs_[layer][place]

    h, ratios = 1e-5, []
    for layer, W in enumerate(start[0]):
        for place in np.ndindex(W.shape):
            slope = (fit(layer, place, h)[0] - fit(layer, place, -h)[0]) / (2 * h)
            ratios.append((W[place] - fit(layer, place, 0)[1]) / RATE / slope)
    return np.array(ratios)


for loss in ("squared_error", "poisson"):
    for outputs in (1, 2, 5):
        found = ratio(outputs, loss)
        print(f"{loss}, {outputs} outputs: gradient / slope of loss_ from {found.min():.5f} to {found.max():.5f}")
        assert np.allclose(found, outputs if loss == "squared_error" else 1, rtol=1e-3), "the ratio changed"
PYTHON
