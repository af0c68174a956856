"""The estimators: a perceptron that classifies, and one for targets with values, as scikit-learn's users know them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from npnet.arrays import Array
from npnet.data import Split
from npnet.losses import Loss, cross_entropy, softmax, squared_error
from npnet.sklearn.perceptron import Perceptron
from npnet.sklearn.weights import weighted_cross_entropy, weighted_squared_error

__all__ = ["MLPClassifier", "MLPRegressor"]


@dataclass(eq=False, repr=False)
class MLPClassifier(ClassifierMixin, Perceptron):
    """A multi-layer perceptron that classifies, with scikit-learn's parameters and npnet's own.

    Those of `sklearn.neural_network.MLPClassifier`, with the same names, defaults and meaning:

    hidden_layer_sizes   units of each hidden layer
    activation           "relu", "tanh", "logistic", "identity", another of npnet.activations, or a layer of your own
    solver               "adam", "sgd", "lbfgs", and here "proximal" or an npnet optimizer
    alpha                strength of L2, α/2 ‖W‖² over the examples of a batch
    batch_size           examples of a batch; "auto" is 200, or all where there are fewer
    learning_rate        "constant", "invscaling", "adaptive", also any function of the epoch, as npnet.cosine(1, 9)
    learning_rate_init   the rate
    power_t              exponent of "invscaling"
    max_iter             most epochs
    shuffle              whether each epoch takes the examples in another order
    random_state         seed, RandomState or None
    tol                  least improvement that counts
    verbose              print a line for each epoch
    warm_start           begin a fit with the weights of the one before
    momentum             of "sgd"; nesterovs_momentum: whether it looks ahead
    early_stopping       set a validation set aside, stop by its score, keep the best weights
    validation_fraction  the share of the examples that is set aside
    beta_1, beta_2, epsilon    of "adam"
    n_iter_no_change     epochs without improvement after which the fit ends
    max_fun              most evaluations of "lbfgs"

    And what npnet adds:

    dropout              rate after each hidden layer: one number, or one for each
    l1, group_lasso      strengths of these penalties against the mean loss; with solver="proximal" by proximal steps,
                         which put weights at zero exactly
    policy               which layers move when: "fine", "gradual", "head", or an npnet policy, as npnet.Freeze(1)
    callbacks            functions (estimator, record) called after each epoch; a true answer ends the fit
    warm_start_from      the network to begin with: an npnet.Network, or a fitted estimator. It decides the layers
    method               transfer method, by name (METHODS) or an npnet.Method; see `transfer`
    task                 name of the network's head for what is learned
    class_weight         {class: weight} or "balanced"

    After a fit: `network_` (an npnet.Network), `history_` (a record for each epoch), `tasks_` (the classes of each task
    the network has learned), `forgetting_`, and scikit-learn's own attributes.
    """

    class_weight: Any = None

    @property
    def classes_(self) -> Array:
        """The classes, sorted: the columns of `predict_proba`."""
        return self.tasks_[self.task]

    def _targets_of(self, y: Array, classes: Any = None) -> Array:
        check_classification_targets(y)
        return np.unique(y if classes is None else classes)

    def _encoded(self, y: Array, known: Array, dtype: Any) -> Array:
        found = np.searchsorted(known, y).clip(max=len(known) - 1)
        if (wrong := known[found] != y).any():
            raise ValueError(f"y has the class {y[wrong].tolist()[0]!r}; expected one of the classes {known.tolist()}")
        return found

    def _outputs(self) -> int:
        return len(self.classes_)

    def _weights(self, X: Any, y: Array, sample_weight: Any) -> Array | None:
        weights = super()._weights(X, y, sample_weight)
        if self.class_weight is None:
            return weights
        by_class = compute_sample_weight(self.class_weight, self.classes_[y]).astype(X.dtype)
        return by_class if weights is None else weights * by_class

    def _losses(self) -> tuple[Loss, Callable[..., Any]]:
        return cross_entropy, weighted_cross_entropy

    def _score_of(self, validation: Split, error: float) -> float:
        return 1 - error / 100

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> "MLPClassifier":
        """Take one epoch over some examples and return the estimator.

        classes: all that there will be, in the first call; by default those in y.
        """
        return self._partial_fit(X, y, sample_weight, **({} if classes is None else {"classes": classes}))

    def predict(self, X: Any, task: str | None = None) -> Array:
        """Return the class of each input, (N,); task: another one that the network has learned, "old" for the last."""
        Z = self._raw(X, task)
        return self.tasks_[self._task(task)][Z.argmax(1)]

    def predict_proba(self, X: Any, task: str | None = None) -> Array:
        """Return the probability of each class, (N, K), in the order of `classes_`."""
        return softmax(self._raw(X, task))

    def predict_log_proba(self, X: Any, task: str | None = None) -> Array:
        """Return their logarithms, (N, K)."""
        Z = self._raw(X, task)
        Z = Z - Z.max(1, keepdims=True)
        return Z - np.log(np.exp(Z).sum(1, keepdims=True))

    def score(self, X: Any, y: Any, sample_weight: Any = None, task: str | None = None) -> float:
        """Return the accuracy on inputs with classes y."""
        return accuracy_score(y, self.predict(X, task), sample_weight=sample_weight)


@dataclass(eq=False, repr=False)
class MLPRegressor(RegressorMixin, Perceptron):
    """A multi-layer perceptron for targets (N,) or (N, K) of real numbers: ½ Σ (z − t)², the mean over examples.

    Its parameters are those of `MLPClassifier`, but for class_weight.
    """

    _reads_targets: ClassVar[dict[str, Any]] = {"multi_output": True, "y_numeric": True}

    def _targets_of(self, y: Array) -> tuple[int, ...]:
        return y.shape[1:] if y.shape[1:] != (1,) else column_or_1d(y, warn=True).shape[1:]

    def _encoded(self, y: Array, known: tuple[int, ...], dtype: Any) -> Array:
        if y.shape[1:] not in (known, known or (1,)):
            raise ValueError(f"y has targets of shape {y.shape[1:]}; expected {known}, as at first")
        return y.astype(dtype, copy=False).reshape(len(y), -1)

    def _outputs(self) -> int:
        return int(np.prod(self.tasks_[self.task], dtype=int))

    def _losses(self) -> tuple[Loss, Callable[..., Any]]:
        return squared_error, weighted_squared_error

    def _score_of(self, validation: Split, error: float) -> float:
        return float(1 - error**2 / max(validation.labels.var(0).mean(), np.finfo(np.float32).tiny))

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> "MLPRegressor":
        """Take one epoch over some examples and return the estimator."""
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X: Any, task: str | None = None) -> Array:
        """Return the values of each input, (N,) or (N, K) as the targets were; task: another one of the network's."""
        Z = self._raw(X, task)
        return Z.reshape(len(Z), *self.tasks_[self._task(task)])

    def score(self, X: Any, y: Any, sample_weight: Any = None, task: str | None = None) -> float:
        """Return R² on inputs with targets y."""
        return r2_score(y, self.predict(X, task), sample_weight=sample_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
