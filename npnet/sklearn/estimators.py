"""The estimators: a perceptron that classifies, and one for targets with values, as scikit-learn's users know them."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from npnet.arrays import Array
from npnet.sklearn.perceptron import Perceptron
from npnet.sklearn.targets import Classes, Labels, Values

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

    _reads_targets: ClassVar[dict[str, Any]] = {"multi_output": True}

    @property
    def classes_(self) -> Array:
        """The classes, sorted: the columns of `predict_proba`."""
        return self.tasks_[self.task].classes

    def _target_of(self, y: Array, classes: Any = None) -> Classes | Labels:
        check_classification_targets(y)
        if type_of_target(y) == "multilabel-indicator":
            return Labels(y.shape[1])
        return Classes(np.unique(y if classes is None else classes))

    def _unknown_target(self, outputs: int) -> Classes:
        return Classes(np.arange(max(outputs, 2)))

    def _weights(self, X: Any, y: Array, sample_weight: Any) -> Array | None:
        weights = super()._weights(X, y, sample_weight)
        if self.class_weight is None:
            return weights
        by_class = compute_sample_weight(self.class_weight, y).astype(X.dtype)
        return by_class if weights is None else weights * by_class

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> "MLPClassifier":
        """Take one epoch over some examples and return the estimator.

        classes: all that there will be, in the first call; by default those in y.
        """
        return self._partial_fit(X, y, sample_weight, **({} if classes is None else {"classes": classes}))

    def predict_proba(self, X: Any, task: str | None = None) -> Array:
        """Return the probability of each class, or label, (N, K), in the order of `classes_`."""
        return self._target(task).probabilities(self._raw(X, task))

    def predict_log_proba(self, X: Any, task: str | None = None) -> Array:
        """Return their logarithms, (N, K)."""
        return self._target(task).log_probabilities(self._raw(X, task))

    def score(self, X: Any, y: Any, sample_weight: Any = None, task: str | None = None) -> float:
        """Return the accuracy on inputs with classes y; of labels, the share of inputs with all of them right."""
        return accuracy_score(y, self.predict(X, task), sample_weight=sample_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


@dataclass(eq=False, repr=False)
class MLPRegressor(RegressorMixin, Perceptron):
    """A multi-layer perceptron for targets (N,) or (N, K) of real numbers: ½ Σ (z − t)², the mean over examples.

    Its parameters are those of `MLPClassifier`, but for class_weight.
    """

    _reads_targets: ClassVar[dict[str, Any]] = {"multi_output": True, "y_numeric": True}

    def _target_of(self, y: Array) -> Values:
        return Values(y.shape[1:])

    def _unknown_target(self, outputs: int) -> Values:
        return Values((outputs,))

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> "MLPRegressor":
        """Take one epoch over some examples and return the estimator."""
        return self._partial_fit(X, y, sample_weight)

    def score(self, X: Any, y: Any, sample_weight: Any = None, task: str | None = None) -> float:
        """Return R² on inputs with targets y."""
        return r2_score(y, self.predict(X, task), sample_weight=sample_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
