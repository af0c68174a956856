"""Computes an example of the conformance set with TensorFlow: tf.nn, tf.math and a gradient tape, in float64."""

from typing import Any

import tensorflow as tf

from npnet.check.conformance import Example
from npnet.check.conformance.formulas import value_of

__all__ = ["FUNCTIONS", "evaluate"]


def _cross_entropy(Z: Any, t: Any, w: Any) -> Any:
    return tf.reduce_sum(w * tf.nn.sparse_softmax_cross_entropy_with_logits(t, Z)) / tf.reduce_sum(w)


def _group_lasso(d: Any, s: Any, epsilon: float) -> Any:
    return d.shape[0] ** 0.5 * tf.reduce_sum(tf.sqrt(tf.reduce_sum(s * d**2, 0) + epsilon**2))


FUNCTIONS = {
    "linear": lambda X, W, b: X @ W + b,
    "relu": tf.nn.relu,
    "tanh": tf.tanh,
    "sigmoid": tf.sigmoid,
    "normalise": lambda X, gamma: gamma * tf.linalg.l2_normalize(X, -1),
    "cross_entropy": _cross_entropy,
    "squared_error": lambda Z, T: tf.reduce_sum((Z - T) ** 2) / (2 * Z.shape[0]),
    "sum": tf.reduce_sum,
    "l2": lambda d, s: tf.reduce_sum(s * d**2) / 2,
    "l1": lambda d, s, epsilon: tf.reduce_sum(s * (tf.sqrt(d**2 + epsilon**2) if epsilon else tf.abs(d))),
    "group_lasso": _group_lasso,
    "maximum": lambda X: tf.maximum(X, 0),
    "absolute": tf.abs,
    "erf": tf.math.erf,
    "elu": tf.nn.elu,
    "softplus": tf.math.softplus,
    "clip": lambda X: tf.clip_by_value(X, 0, 1),
    "power_zero": lambda X: X**0.0,
    "guarded_root": lambda X: tf.where(X > 0, tf.sqrt(X), 0),
    "written_sigmoid": lambda X: 1 / (1 + tf.exp(-X)),
    "larger": lambda X: tf.maximum(X[:, 0], X[:, 1]),
    "largest": lambda X: tf.reduce_max(X, -1),
    "product": lambda X: tf.reduce_prod(X, -1),
    "deviation": lambda X: tf.math.reduce_std(X, -1),
    "cumulative_product": lambda X: tf.math.cumprod(X, -1),
    "norm": lambda X: tf.norm(X, axis=-1),
    "root_of_squares": lambda X: tf.sqrt(tf.reduce_sum(X**2, -1)),
}


def evaluate(e: Example) -> tuple[Any, dict[str, Any]]:
    """Return value and gradients of an example."""
    arrays = {path: tf.Variable(a) for path, a in e.inputs.items()}
    with tf.GradientTape() as tape:
        value = value_of(e, FUNCTIONS, arrays, tf.constant)
    return value, {path: g.numpy() for path, g in tape.gradient(value, arrays).items()}
