"""Faults that users reported on public trackers, written again in a few lines: each is found, and most are named.

Each has the address of its thread on GitHub, and what the report calls likely: "" where it names nothing. A fault that
lies in an expression no longer than a line is written as one.
"""

import re

import numpy as np
import pytest

from npnet.arrays import generator
from npnet.check import check_gradient, check_prox

G = generator(5)
X, W, T = G.standard_normal((6, 3)), G.standard_normal((3, 4)), G.standard_normal((6, 4))
LABELS = np.eye(4)[[0, 2, 1, 3, 3, 1]]
PAIRS = ((X[:, None] - X) ** 2).sum(-1)


def _softmax(Z):
    E = np.exp(Z - Z.real.max(1, keepdims=True))
    return E / E.sum(1, keepdims=True)


def _entropy(Z):
    return -(LABELS * np.log(_softmax(Z))).sum()


def _batch_norm(change):
    """Return batch normalisation with scale γ; change(dX, dY, Z, γ, deviation) is what its way back returns for X."""

    def f(X, gamma):
        centred = X - X.mean(0)
        deviation = np.sqrt((centred * centred).mean(0))
        Z = centred / deviation

        def back(dY):
            dZ = gamma * dY
            dX = (dZ - dZ.mean(0) - Z * (dZ * Z).mean(0)) / deviation
            return change(dX, dY, Z, gamma, deviation), (dY * Z).sum(0)

        return gamma * Z, back

    return f


def _elu_slope(share):
    """Return the slope of ELU as a function with its own slope, of which only a share is returned where x < 0."""
    return lambda x: (np.where(x.real > 0, 1, np.exp(x)).sum(), np.where(x.real > 0, 0, share * np.exp(x)))


def _profile(beta, wrong):
    """Return the score of least squares with the scale profiled out, and its Jacobian times dY."""
    r, y = X, T[:, 0]
    fit = r.T @ (r @ beta - y)
    ssr = ((y - r @ beta) ** 2).sum()
    H = -6 / 2 * (wrong * r.T @ r / ssr - 4 * np.outer(fit, fit) / ssr**2)
    return -6 * fit / ssr, lambda dY: H @ dY


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _pooled_into(buffer):
    """Return the largest entry of each row, whose way back adds to a buffer that is never cleared."""

    def f(X):
        places = X.real.argmax(1)

        def back(dY):
            buffer[np.arange(6), places] += dY
            return buffer.copy()

        return X[np.arange(6), places], back

    return f


FAULTS = {
    "SethHWeidman/DLFS_code/issues/20": (lambda P: (((T - P) ** 2).sum(), P - T), (X @ W,), "factor 2"),
    "davisking/dlib/pull/2518": (
        lambda Z: ((((Z.T @ Z) / 6 - np.eye(4)) ** 2).sum(), 2 / 6 * Z @ (Z.T @ Z / 6 - np.eye(4))),
        (T,),
        "factor 2",
    ),
    "markroxor/fromscratchtoml/issues/65": (lambda Z: (_entropy(Z), 2 * (_softmax(Z) - LABELS)), (T,), "factor 0.5"),
    "NeuromatchAcademy/course-content-dl/issues/176": (
        lambda w: (
            (T[:, 0] - w[0] * w[1] * X[:, 0]) @ (T[:, 0] - w[0] * w[1] * X[:, 0]),
            2 * w[::-1] * ((T[:, 0] - w[0] * w[1] * X[:, 0]) @ X[:, 0]),
        ),
        (np.array([0.4, 1.3]),),
        "a sign",
    ),
    "bighuang624/Andrew-Ng-Deep-Learning-notes/issues/10": (
        lambda b: (
            ((np.tanh(X @ W + b) - T) ** 2).sum(),
            8 * ((np.tanh(X @ W + b) - T) * (1 - np.tanh(X @ W + b) ** 2)).sum(0),
        ),
        (W[0],),
        "1/4",
    ),
    "victorlempitsky/Mate/issues/2": (lambda Z: (_entropy(Z) / 6, (_softmax(Z) - LABELS) / 24), (T,), "4"),
    "tensorflow/swift-apis/pull/42": (lambda Z: (_entropy(Z) / 6, _softmax(Z) - LABELS), (T,), "1/6"),
    "jxgu1016/MNIST_center_loss_pytorch/issues/9": (lambda Z: (((Z - T) ** 2).sum() / 12, Z - T), (X @ W,), "1/6"),
    "paiml/aprender/pull/2182": (lambda Z: (_entropy(Z), (_softmax(Z) - LABELS) / 6), (T,), "1/6"),
    "denizyuret/Knet.jl/issues/288": (
        _batch_norm(lambda dX, dY, Z, gamma, deviation: (dY - dY.mean(0) - Z * (dY * Z).mean(0)) / deviation),
        (X, np.array([0.4, 1.7, -0.8])),
        "each index of axis 1",
    ),
    "apache/mxnet/issues/1053": (
        _batch_norm(lambda dX, dY, Z, gamma, deviation: dX + (gamma * dY).mean(0) / 6),
        (X, np.array([0.4, 1.7, -0.8])),
        "every index of axis 0",
    ),
    "DiffSharp/DiffSharp/issues/16": (
        lambda x: (1 / (1 + np.exp(-x)), lambda dY: np.exp(-x) / (1 + np.exp(-x)) ** 2),
        (W,),
        "not linear",
    ),
    "tensorflow/tensorflow/issues/11091": (_elu_slope(0.5), (W,), "factor 2"),
    "statsmodels/statsmodels/issues/9469": (lambda b: _profile(b, 1.0), (W[:, 0],), ""),
    "statsmodels/statsmodels/issues/1967": (
        lambda p: (np.array([p[0] ** 2, np.exp(2 * p[1])]), lambda dY: dY * np.array([2 * p[0], 2 * np.exp(p[1])])),
        (np.array([0.7, 0.4]),),
        "one entry alone",
    ),
    "scikit-learn/scikit-learn/issues/11113": (
        lambda s: (np.exp(-PAIRS / (2 * s * s)).sum(), (PAIRS / s**2 * np.exp(-PAIRS / (2 * s * s))).sum()),
        (np.array(1.7),),
        "derivative in log x",
    ),
}

FAULTS |= {
    "jingtinghuang/CS231n-Spring-2017/issues/3": (
        lambda W: (((X @ W - T) ** 2).sum() + 0.3 * (W * W).sum(), 2 * X.T @ (X @ W - T) + 0.3 * W),
        (W,),
        "missing penalty (l2",
    ),
    "ddbourgin/numpy-ml/issues/53": (
        lambda b: (np.log(1 + np.exp(X @ b)).sum() + 0.3 * np.sqrt(b @ b), X.T @ (1 / (1 + np.exp(-X @ b))) + 0.3 * b),
        (W[:, 1],),
        "penalty (l2",
    ),
    "andersbll/nnet/issues/4 (weight decay)": (
        lambda W: (((X @ W - T) ** 2).sum() + 0.15 * (W * W).sum(), 2 * X.T @ (X @ W - T) - 0.3 * W),
        (W,),
        "missing penalty (l2",
    ),
    "andersbll/nnet/issues/4 (tanh)": (lambda x: (np.tanh(x), lambda dY: dY * np.tanh(x)), (W,), "where tanh"),
    "kvfrans/notes/issues/5": (lambda b: (X @ W + b, lambda dY: dY.mean(0)), (W[0],), "1/6"),
    "rust0258/Deeplearning.ai-Natural-Language-Processing-Specialization/issues/62": (
        lambda W, b: (X @ W + b, lambda dY: (X.T @ dY, (X.T @ dY).sum(0))),
        (W, W[0]),
        "the gradient of W, summed over axis 0, in its place",
    ),
    "rasbt/stat453-deep-learning-ss21/issues/5": (
        lambda b: (X @ W + b, lambda dY: dY.sum() * np.ones(4)),
        (W[0],),
        "does not belong there",
    ),
    "kakaobrain/trident/pull/66": (lambda X: (X.mean(1), lambda dY: dY[:, None] * np.ones((6, 3))), (X,), "1/3"),
    "cornellius-gp/gpytorch/issues/2563": (
        lambda x: (np.exp(-((x - X[0]) ** 2) / 2), lambda dY: dY * (x - X[0]) * np.exp(-((x - X[0]) ** 2) / 2)),
        (X[1],),
        "a sign",
    ),
    "gchq/coreax/pull/936": (
        lambda x: (np.exp(-2 * np.sin(x) ** 2).sum(), 2 * np.sin(2 * x) * np.exp(-2 * np.sin(x) ** 2)),
        (X[1],),
        "a sign",
    ),
    "STOR-i/GaussianProcesses.jl/issues/26": (
        lambda m, s: (
            -((T[:, 0] - m) ** 2).sum() / (2 * s),
            (-(T[:, 0] - m).sum() / s, ((T[:, 0] - m) ** 2).sum() / (2 * s * s)),
        ),
        (np.array(0.2), np.array(1.3)),
        "a sign",
    ),
    "fitbenchmarking/fitbenchmarking/issues/956": (
        lambda p: (X @ p - T[:, 0], lambda dY: -X.T @ dY),
        (W[:, 2],),
        "a sign",
    ),
    "fitbenchmarking/fitbenchmarking/issues/635": (
        lambda p: (((X @ p - T[:, 0]) ** 2).sum(), X.T @ (X @ p - T[:, 0])),
        (W[:, 2],),
        "factor 2",
    ),
    "jjhelmus/leastsqbound-scipy/issues/6": (
        lambda p: (X @ np.sin(p) - T[:, 0], lambda dY: X.T @ dY),
        (W[:, 2],),
        "an inner function is missing: sin x",
    ),
    "yizt/numpy_neural_network/issues/3": (
        lambda x: (_sigmoid(x), lambda dY: _sigmoid(1 - _sigmoid(dY))),
        (W,),
        "not linear",
    ),
    "BoltzmannEntropy/interviews.ai/issues/15": (
        lambda x: (_sigmoid(x), lambda dY: dY * x * (1 - x)),
        (W,),
        "at its input where its output belongs (sigmoid",
    ),
    "Kulbear/deep-learning-coursera/pull/42": (
        lambda x: (_sigmoid(x), lambda dY: dY * (_sigmoid(x) * (1 - _sigmoid(x))) ** 2),
        (W,),
        "taken twice (sigmoid",
    ),
    "benoitfragit/libBrain/issues/78": (
        lambda x: (_sigmoid(x), lambda dY: dY * _sigmoid(_sigmoid(x)) * (1 - _sigmoid(_sigmoid(x)))),
        (W,),
        "at its output where its input belongs (sigmoid",
    ),
    "pytorch/executorch/issues/21686": (_pooled_into(np.zeros((6, 3))), (X,), "other bits"),
    "HIPS/autograd/issues/268": (
        lambda w: (np.sqrt((w * w).sum()), w / np.sqrt((w * w).sum())),
        (np.zeros(3),),
        "not finite",
    ),
}


@pytest.mark.parametrize("address", FAULTS)
def test_a_reported_fault_is_found(address):
    f, arguments, likely = FAULTS[address]
    report = check_gradient(f, *arguments)
    assert not report
    said = " ".join([*report.complaints, *(line.likely for line in report.lines if line.wrong)])
    assert re.search(re.escape(likely), said), said


def test_most_faults_are_named():
    unnamed = [address for address, (_, _, likely) in FAULTS.items() if not likely]
    assert len(FAULTS) >= 36
    assert unnamed == [
        "statsmodels/statsmodels/issues/9469"
    ]  # a factor on one of two terms, of which only the sum is seen


def test_the_same_code_without_the_fault_is_confirmed():
    gamma = np.array([0.4, 1.7, -0.8])
    for f, x in (
        (_batch_norm(lambda dX, *_: dX), (X, gamma)),
        (lambda Z: (_entropy(Z), _softmax(Z) - LABELS), (T,)),
        (lambda b: _profile(b, 2.0), (W[:, 0],)),
        (_elu_slope(1.0), (W,)),
    ):
        assert check_gradient(f, *x)


def _huber(v):
    return np.where(abs(v) > 1, abs(v) - 0.5, v * v / 2).sum()


def test_reported_proximal_steps_are_found():
    w, t = np.array([0.4, 1.2, -2.3, 3.1]), 0.5
    # PyLops/pyproximal/issues/189: Huber's step splits at 1 and not at 1 + t
    assert not check_prox(
        _huber, lambda w, t: np.where(abs(w) > 1, np.sign(w) * np.maximum(abs(w) - t, 0), w / (1 + t)), w, t
    )
    assert check_prox(_huber, lambda w, t: w - t * w / np.maximum(abs(w), 1 + t), w, t)
    # CEA-COSMIC/ModOpt/issues/155: the ridge's step also applies the linear operator
    Q = np.linalg.qr(generator(7).standard_normal((4, 4)))[0]
    assert not check_prox(lambda v: (v * v).sum(), lambda w, t: Q @ w / (1 + 2 * t), w, t)
    assert check_prox(lambda v: (v * v).sum(), lambda w, t: w / (1 + 2 * t), w, t)
