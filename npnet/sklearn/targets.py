"""The kinds of targets, each with all that depends on it: outputs, loss, labels for npnet, predictions from outputs.

Classes   one of K for each example: a softmax of K logits, or of two classes one logit and its sigmoid
Labels    yes or no for each of K labels: K logits and their sigmoids
Values    real numbers, the outputs themselves

`tasks_` of an estimator has one for each head of its network.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from npnet.arrays import Array
from npnet.data import Split
from npnet.losses import Loss, cross_entropy, softmax, squared_error
from npnet.smooth import sigmoid, softplus
from npnet.soft_losses import sigmoid_cross_entropy

__all__ = ["Classes", "Labels", "Target", "Values"]


class Target:
    """What an estimator asks of a kind of targets: `predicted` and the others read outputs Z (N, outputs)."""

    kind: str
    classes: Array
    loss: Loss
    outputs: int
    out_activation: str

    def encoded(self, y: Array, dtype: Any) -> Array:
        """Return targets as npnet reads them. Raises ValueError for others than these."""
        raise NotImplementedError

    def predicted(self, Z: Array) -> Array:
        """Return the targets that outputs stand for."""
        raise NotImplementedError

    def probabilities(self, Z: Array) -> Array:
        """Return the probability of each class or label."""
        raise NotImplementedError

    def log_probabilities(self, Z: Array) -> Array:
        """Return their logarithms."""
        raise NotImplementedError

    def score(self, split: Split, error: float) -> float:
        """Return the score that belongs to npnet's error on a split: the share that is right."""
        return 1 - error / 100


@dataclass(frozen=True, eq=False)
class Classes(Target):
    """One of some classes, which are sorted."""

    classes: Array
    kind = "classes"

    @property
    def outputs(self) -> int:  # type: ignore[override]
        """The number of logits: one for two classes."""
        return len(self.classes) if len(self.classes) > 2 else 1

    @property
    def loss(self) -> Loss:  # type: ignore[override]
        """The cross-entropy of the softmax, or of the sigmoid."""
        return cross_entropy if self.outputs > 1 else sigmoid_cross_entropy

    @property
    def out_activation(self) -> str:  # type: ignore[override]
        """What makes probabilities of the logits, by scikit-learn's name."""
        return "softmax" if self.outputs > 1 else "logistic"

    def encoded(self, y: Array, dtype: Any) -> Array:
        """Return the places of classes among the sorted ones. Raises ValueError for a class that is not there."""
        found = np.searchsorted(self.classes, y).clip(max=len(self.classes) - 1)
        if (wrong := self.classes[found] != y).any():
            raise ValueError(f"y has the class {y[wrong].tolist()[0]!r}; expected one of {self.classes.tolist()}")
        return found

    def predicted(self, Z: Array) -> Array:
        """Return the class of the largest logit."""
        best = Z.argmax(1) if self.outputs > 1 else (Z[:, 0] > 0) * (len(self.classes) - 1)
        return self.classes[best]

    def probabilities(self, Z: Array) -> Array:
        """Return the probability of each class, (N, K)."""
        if self.outputs > 1:
            return softmax(Z)
        return np.hstack([sigmoid.value(-Z), sigmoid.value(Z)]) if len(self.classes) > 1 else np.ones_like(Z)

    def log_probabilities(self, Z: Array) -> Array:
        """Return their logarithms, which no probability near zero makes infinite."""
        if self.outputs > 1:
            Z = Z - Z.max(1, keepdims=True)
            return Z - np.log(np.exp(Z).sum(1, keepdims=True))
        return -np.hstack([softplus.value(Z), softplus.value(-Z)]) if len(self.classes) > 1 else np.zeros_like(Z)


@dataclass(frozen=True)
class Labels(Target):
    """Yes or no, 1 or 0, for each of some labels."""

    outputs: int
    kind = "labels"
    loss = staticmethod(sigmoid_cross_entropy)
    out_activation = "logistic"

    @property
    def classes(self) -> Array:  # type: ignore[override]
        """The labels' numbers."""
        return np.arange(self.outputs)

    def encoded(self, y: Array, dtype: Any) -> Array:
        """Return labels (N, K) of 0 and 1. Raises ValueError for another number of them."""
        if y.ndim != 2 or y.shape[1] != self.outputs:
            raise ValueError(f"y has shape {y.shape}; expected (N, {self.outputs}), one column for each label")
        return y.astype(np.int64)

    def predicted(self, Z: Array) -> Array:
        """Return 1 where a label's logit is above 0, and 0 elsewhere."""
        return (Z > 0).astype(np.int64)

    def probabilities(self, Z: Array) -> Array:
        """Return the probability of each label, (N, K)."""
        return sigmoid.value(Z)

    def log_probabilities(self, Z: Array) -> Array:
        """Return their logarithms."""
        return -softplus.value(-Z)


@dataclass(frozen=True)
class Values(Target):
    """Real numbers: one for each example, shape (), or several, shape (K,)."""

    shape: tuple[int, ...]
    kind = "values"
    loss = staticmethod(squared_error)
    out_activation = "identity"

    @property
    def outputs(self) -> int:  # type: ignore[override]
        """The number of values of an example."""
        return int(np.prod(self.shape, dtype=int))

    def encoded(self, y: Array, dtype: Any) -> Array:
        """Return targets (N, K). Raises ValueError for another number of values."""
        if y.shape[1:] not in (self.shape, self.shape or (1,)):
            raise ValueError(f"y has shape {y.shape}; expected (N{''.join(f', {n}' for n in self.shape)})")
        return y.astype(dtype, copy=False).reshape(len(y), -1)

    def predicted(self, Z: Array) -> Array:
        """Return the outputs in the shape of the targets."""
        return Z.reshape(len(Z), *self.shape)

    def score(self, split: Split, error: float) -> float:
        """Return R², with the mean squared error and the variance over all values."""
        return float(1 - error**2 / max(split.labels.var(0).mean(), np.finfo(np.float32).tiny))
