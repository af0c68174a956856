"""What the classifier and the regressor have in common: parameters, fitting, and transfer to a new task.

The parameters have scikit-learn's names and defaults; the last eight are npnet's own. A fit is an npnet run: network,
loss, policy and stopping rule are made from the parameters, then `npnet.train` takes one epoch after the other.
"""

import copy
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from npnet.arguments import WrongKindError
from npnet.arrays import Array, shown
from npnet.data import Split
from npnet.error import BLOCK, error
from npnet.run import Record
from npnet.sklearn.examples import held_out, readable, taken
from npnet.sklearn.fitted import Fitted
from npnet.sklearn.fitting import given, job_of, start, take_epochs, take_lbfgs
from npnet.sklearn.ranges import check_parameters
from npnet.sklearn.targets import Target

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

    def _target_of(self, y: Array) -> Target:
        """Return the kind of some targets, with what tells them apart."""
        raise NotImplementedError

    def _unknown_target(self, outputs: int) -> Target:
        """Return the targets of a head of which nothing but its outputs is known."""
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
        check_parameters(self)
        state = check_random_state(self.random_state)
        goes_on = self.warm_start and "network_" in vars(self)
        examples = self._examples(X, y, sample_weight, fresh=not goes_on)
        rng = np.random.Generator(state._bit_generator)  # the same stream, so that both draw what scikit-learn draws
        network = self.network_.copy() if goes_on else start(self, examples, rng)
        validation = None if X_val is None else self._split("val", X_val, y_val, self.task)
        if self.early_stopping and validation is None:
            examples, validation = held_out(examples, self.validation_fraction, state)
        old = None if X_old is None else (head := self._task("old"), self._split("old", X_old, y_old, head))
        before = None if old is None else error(network, *old)
        self.history_ = []
        job = job_of(self, examples, network, rng, validation, old)
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
        name = f"task {len(self.tasks_) + 1}" if task is None else task
        source = FrozenEstimator(copy.deepcopy(self))
        return clone(self).set_params(**{"warm_start_from": source, "method": method, "task": name, **parameters})

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, **targets: Any) -> Any:
        """Take one epoch over some examples, with the optimizer's memory of the epochs before, and return self."""
        if self.early_stopping or self.solver == "lbfgs":
            name = "early_stopping" if self.early_stopping else "solver"
            raise ValueError(f"{name} is {getattr(self, name)!r}; expected another one for partial_fit, or a fit")
        check_parameters(self)
        first = "network_" not in vars(self)
        examples = self._examples(X, y, sample_weight, fresh=first, **targets)
        rng = np.random.Generator(check_random_state(self.random_state)._bit_generator) if first else self._run.rng
        network = start(self, examples, rng) if first else self.network_
        job = job_of(self, examples, network, rng, None, None)
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

    def _examples(self, X: Any, y: Any, sample_weight: Any, fresh: bool, **known: Any) -> Split:
        """Return checked examples, without those of weight zero; take note of their targets in a fresh fit."""
        X, y = self._checked(X, y, reset=fresh)
        if fresh:
            self.tasks_ = {**(given(self) or (None, {}))[1], self.task: self._target_of(y, **known)}
        weights = self._weights(X, y, sample_weight)
        split = self._read(X, y, self.task, weights)
        return split if weights is None or weights.all() else taken(split, np.flatnonzero(weights))

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Any, Array]:
        """Return inputs and targets as scikit-learn checks them, one column of targets as (N,)."""
        y = y.toarray() if issparse(y) else y
        X, y = validate_data(self, X, y, reset=reset, **self._reads, **self._reads_targets)
        return X, column_or_1d(y, warn=True) if y.shape[1:] == (1,) else y

    def _read(self, X: Any, y: Array, task: str, weights: Array | None = None) -> Split:
        """Return examples of a task as npnet reads them."""
        target = self.tasks_[task]
        return Split(readable(X), target.encoded(y, X.dtype), target.kind, weights)

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
        try:
            return self._read(*self._checked(X, y, reset=False), task)
        except (TypeError, ValueError) as error:
            raise WrongKindError(f"X_{which}, y_{which}: {error}") from error

    def predict(self, X: Any, task: str | None = None) -> Array:
        """Return the class, the labels or the values of each input.

        task: another one that the network has learned; "old" is the one before the estimator's own.
        """
        return self._target(task).predicted(self._raw(X, task))

    def _target(self, task: str | None) -> Target:
        check_is_fitted(self)
        return self.tasks_[self._task(task)]

    def _task(self, name: str | None) -> str:
        """Return the name of a task: the estimator's own for None, the one learned before for "old".

        Raises ValueError for a task that the network does not know.
        """
        names = list(self.tasks_)
        if name is None:
            return self.task
        if not isinstance(name, str):
            raise ValueError(f"task is {shown(name)}; expected one of {', '.join(map(repr, names))}")
        if name == "old" and name not in names and len(names) > 1:
            return names[-2]
        if name not in names:
            raise ValueError(f"task is {name!r}; expected one of {', '.join(map(repr, names))}")
        return name

    def _raw(self, X: Any, task: str | None) -> Array:
        """Return the outputs (N, K) of the network for inputs: logits, or the values of a regression."""
        head = self._task(task)
        X = readable(validate_data(self, X, reset=False, **self._reads))
        blocks = (X[at : at + BLOCK].astype(self.network_.dtype, copy=False) for at in range(0, len(X), BLOCK))
        return np.concatenate([self.network_.logits(block, head) for block in blocks])
