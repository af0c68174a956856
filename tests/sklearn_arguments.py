"""Valid calls of the estimators and of their methods, for `test_arguments.py`.

X, y, sample_weight and classes are not among what is tried: scikit-learn's own functions look at these, in its words,
and its own checks of estimators try them.
"""

import copy
import warnings
from functools import cache, partial

import numpy as np

import npnet
from npnet.sklearn import MLPClassifier, MLPRegressor

X = npnet.generator(0, "X").standard_normal((12, 4))
Y = {MLPClassifier: np.arange(12) % 3, MLPRegressor: X[:, 0]}
QUICK = {"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0}
TABLE = {}


@cache
def _learned(kind):
    with warnings.catch_warnings(action="ignore"):
        return kind(**QUICK).fit(X, Y[kind])


def learned(kind):
    return copy.deepcopy(_learned(kind))


def parameters(kind):
    """Return a call with every parameter that plain steps read."""
    given = {
        **kind().get_params(),
        **QUICK,
        "activation": "tanh",
        "solver": "sgd",
        "batch_size": 5,
        "learning_rate": "invscaling",
        "random_state": 0,
        "early_stopping": True,
        "validation_fraction": 0.5,
        "dropout": 0.1,
        "l1": 0.1,
        "group_lasso": 0.1,
        "policy": "fine",
        "callbacks": [lambda estimator, record: False],
        "warm_start_from": learned(kind),
        "method": "gradual",
        "task": "new",
    }
    return kind, given, lambda made: made.fit(X, Y[kind]).predict(X)


def alone(kind, names, **solver):
    """Return a call with the parameters that other solvers read, or no source does."""
    given = {name: kind().get_params()[name] for name in names}
    return (lambda **given: kind(**{**QUICK, **solver, **given})), given, lambda made: made.fit(X, Y[kind])


def calls(kind):
    """Return the calls of a kind of estimator by name, each made when it is asked for."""
    y = Y[kind]
    more = {"X_val": X, "y_val": y, "X_old": X, "y_old": y}

    def transferred():
        return learned(kind).transfer("fine").set_params(max_iter=2)

    table = {
        "": lambda: parameters(kind),
        " new": lambda: alone(kind, ["hidden_layer_sizes", "warm_start"]),
        " adam": lambda: alone(kind, ["beta_1", "beta_2", "epsilon", "n_iter_no_change"], solver="adam"),
        " lbfgs": lambda: alone(kind, ["tol", "max_iter", "max_fun"], solver="lbfgs"),
        ".fit": lambda: (partial(transferred().fit, X, y), more, lambda made: made.predict(X)),
        ".transfer": lambda: (
            learned(kind).transfer,
            {"method": "gradual", "task": "new"},
            lambda made: made.set_params(max_iter=2).fit(X, y),
        ),
        ".score": lambda: (partial(learned(kind).score, X, y), {"task": "task"}, float),
        ".predict": lambda: (partial(learned(kind).predict, X), {"task": "task"}, len),
    }
    if kind is MLPClassifier:
        for name in ("predict_proba", "predict_log_proba"):
            table[f".{name}"] = lambda name=name: (partial(getattr(learned(kind), name), X), {"task": "task"}, len)
    return {f"{kind.__name__}{name}": call for name, call in table.items()}


TABLE = calls(MLPClassifier) | calls(MLPRegressor)
