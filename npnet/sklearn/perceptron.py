"""What the classifier and the regressor have in common: parameters, fitting, and transfer to a new task.

The parameters have scikit-learn's names and defaults; the last eight are npnet's own. A fit is an npnet run: network,
loss, policy and stopping rule are made from the parameters, then `npnet.train` takes one epoch after the other.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from npnet.arrays import Array
from npnet.data import Split
from npnet.error import BLOCK, error
from npnet.losses import Loss
from npnet.run import Record
from npnet.sklearn.examples import Examples, held_out, readable
from npnet.sklearn.fitted import Fitted
from npnet.sklearn.fitting import given, job_of, start, take_epochs, take_lbfgs

__all__ = ["Perceptron"]


@dataclass(eq=False, repr=False)
class Perceptron(Fitted, BaseEstimator):
    """The parameters of an estimator, and all that does not depend on whether it classifies."""

    hidden_layer_sizes: Any = (100,)
    activation: Any = "relu"
    solver: Any = "adam"
    alpha: float = 0.0001
    batch_size: Any = "auto"
    learning_rate: Any = "constant"
    learning_rate_init: float = 0.001
    power_t: float = 0.5
    max_iter: int = 200
    shuffle: bool = True
    random_state: Any = None
    tol: float = 1e-4
    verbose: bool = False
    warm_start: bool = False
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    early_stopping: bool = False
    validation_fraction: float = 0.1
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    n_iter_no_change: int = 10
    max_fun: int = 15000
    dropout: Any = 0.0
    l1: float = 0.0
    group_lasso: float = 0.0
    policy: Any = None
    callbacks: Any = ()
    warm_start_from: Any = None
    method: Any = None
    task: str = "task"

    _reads: ClassVar[dict[str, Any]] = {"accept_sparse": "csr", "dtype": (np.float64, np.float32)}
    _reads_targets: ClassVar[dict[str, Any]] = {}

    def _targets_of(self, y: Array) -> Any:
        """Return what `tasks_` holds of a task with such targets: its classes, or how many values a target has."""
        raise NotImplementedError

    def _encoded(self, y: Array, known: Any, dtype: Any) -> Array:
        """Return targets as npnet reads them. Raises ValueError where they are not those that are known of the task."""
        raise NotImplementedError

    def _outputs(self) -> int:
        """Return the number of outputs of the network."""
        raise NotImplementedError

    def _losses(self) -> tuple[Loss, Callable[..., Any]]:
        """Return the loss, and that of examples with weights."""
        raise NotImplementedError

    def _score_of(self, validation: Split, error: float) -> float:
        """Return the score that belongs to an npnet error on the validation set."""
        raise NotImplementedError

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        X_old: Any = None,
        y_old: Any = None,
    ) -> "Perceptron":
        """Fit to inputs X (N, D) and targets y, and return the estimator.

        sample_weight  weights of the examples (N,), 1 by default: 2 is the example twice
        X_val, y_val   a validation set of your own: the fit ends when its score has stopped rising, and keeps the best
                       weights. early_stopping=True sets one aside from X instead
        X_old, y_old   examples of the task that was learned before, for the `forgetting_` of a transfer; nothing is
                       learned from them
        Raises ValueError for parameters and data out of range, naming them.
        """
        state = check_random_state(self.random_state)
        goes_on = self.warm_start and "network_" in vars(self)
        examples = self._examples(X, y, sample_weight, fresh=not goes_on)
        rng = np.random.Generator(state._bit_generator)  # the same stream, so that both draw what scikit-learn draws
        network = self.network_.copy() if goes_on else start(self, examples, self._outputs(), rng)
        validation = None if X_val is None else self._split("val", X_val, y_val, self.task)
        if self.early_stopping and validation is None:
            examples, aside = held_out(examples, self.validation_fraction, state)
            validation = aside.split()
        old = None if X_old is None else (head := self._task("old"), self._split("old", X_old, y_old, head))
        before = None if old is None else error(network, *old)
        self.history_ = []
        job = job_of(self, examples, self._outputs(), network, rng, validation, old)
        if self.solver == "lbfgs":
            take_lbfgs(self, job)
        else:
            take_epochs(self, job, validation)
        self._run = replace(job.run, best=None)  # with the optimizer's memory, for partial_fit to go on with
        self._old_errors = [] if old is None else [before, error(self.network_, *old)]
        return self

    def transfer(self, method: Any = "gradual", task: str | None = None, **parameters: Any) -> Any:
        """Return an unfitted estimator that will learn a new task from where this one stands.

        method: a transfer method, or the name of one in METHODS. task: a name for the new task; "task 2", "task 3" and
        so on by default. parameters: those in which the new estimator differs from this one. It keeps a copy of this
        one, so that it can be cloned, searched and fitted again. After its fit `score(X, y, task="old")` scores the
        task learned before, and fit(..., X_old=, y_old=) measures `forgetting_`.
        """
        check_is_fitted(self)
        name = task or f"task {len(self.tasks_) + 1}"
        source = FrozenEstimator(copy.deepcopy(self))
        return clone(self).set_params(**{"warm_start_from": source, "method": method, "task": name, **parameters})

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, **targets: Any) -> Any:
        """Take one epoch over some examples, with the optimizer's memory of the epochs before, and return self."""
        if self.early_stopping or self.solver == "lbfgs":
            name = "early_stopping" if self.early_stopping else "solver"
            raise ValueError(f"{name} is {getattr(self, name)!r}; expected another one for partial_fit, or a fit")
        first = "network_" not in vars(self)
        examples = self._examples(X, y, sample_weight, fresh=first, **targets)
        rng = np.random.Generator(check_random_state(self.random_state)._bit_generator) if first else self._run.rng
        network = start(self, examples, self._outputs(), rng) if first else self.network_
        job = job_of(self, examples, self._outputs(), network, rng, None, None)
        if first:
            self.history_: list[Record] = []
        else:
            job.run.buffers, job.run.history = self._run.buffers, self._run.history
        job.settings = replace(job.settings, max_epochs=len(job.run.history) + 2)
        take_epochs(self, job, None, epochs=1)
        self._run = replace(job.run, best=None)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _examples(self, X: Any, y: Any, sample_weight: Any, fresh: bool, **targets: Any) -> Examples:
        """Return checked examples, without those of weight zero; take note of their targets in a fresh fit."""
        X, y = validate_data(self, X, y, reset=fresh, **self._reads, **self._reads_targets)
        if fresh:
            source = given(self)
            self.tasks_ = {**(source[1] if source else {}), self.task: self._targets_of(y, **targets)}
        y = self._encoded(y, self.tasks_[self.task], X.dtype)
        examples = Examples(X, y, self._weights(X, y, sample_weight))
        if examples.weights is None or examples.weights.all():
            return examples
        return examples.take(np.flatnonzero(examples.weights))

    def _weights(self, X: Any, y: Array, sample_weight: Any) -> Array | None:
        """Return the weights of examples, None where none are given. Raises ValueError for weights below zero."""
        if sample_weight is None:
            return None
        weights = _check_sample_weight(sample_weight, X, dtype=X.dtype)
        if not weights.min() >= 0 or not weights.any():
            found = f"from {weights.min()} to {weights.max()}"
            raise ValueError(f"sample_weight runs {found}; expected none below zero, and some above")
        return weights

    def _split(self, which: str, X: Any, y: Any, task: str) -> Split:
        """Return other examples of a task as npnet reads them."""
        if y is None:
            raise ValueError(f"X_{which} is given without y_{which}; expected both")
        X, y = validate_data(self, X, y, reset=False, **self._reads, **self._reads_targets)
        return Split(readable(X), self._encoded(y, self.tasks_[task], X.dtype))

    def _task(self, name: str | None) -> str:
        """Return the name of a task: the estimator's own for None, the one learned before for "old".

        Raises ValueError for a task that the network does not know.
        """
        names = list(self.tasks_)
        if name is None:
            return self.task
        if name == "old" and name not in names and len(names) > 1:
            return names[-2]
        if name not in names:
            raise ValueError(f"task is {name!r}; expected one of {', '.join(map(repr, names))}")
        return name

    def _raw(self, X: Any, task: str | None) -> Array:
        """Return the outputs (N, K) of the network for inputs: logits, or the values of a regression."""
        check_is_fitted(self)
        head = self._task(task)
        X = readable(validate_data(self, X, reset=False, **self._reads))
        blocks = (X[at : at + BLOCK].astype(self.network_.dtype, copy=False) for at in range(0, len(X), BLOCK))
        return np.concatenate([self.network_.logits(block, head) for block in blocks])
