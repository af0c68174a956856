"""What the parameters of an estimator may be: they are looked at when a fit begins, for scikit-learn sets them unseen.

Names (of an activation, a solver, a policy, a method) are refused where they are looked up.
"""

from collections.abc import Callable
from math import inf
from numbers import Integral, Real
from typing import Any

import numpy as np

from npnet.arrays import shown

__all__ = ["check_parameters"]

Fits = tuple[Callable[[Any], bool], str]


def check_parameters(e: Any) -> None:
    """Raise ValueError for the first parameter of an estimator that is out of its range or of another kind."""
    for name, (fits, expected) in _FITS.items():
        value = getattr(e, name, None)  # class_weight is the classifier's alone
        if not fits(value):
            raise ValueError(f"{name} is {shown(value)}; expected {expected}")


def _is_number(value: Any, kind: type = Real) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _within(least: float, below: float, words: str) -> Fits:
    """Return what a number with least <= value < below fits."""
    return lambda value: _is_number(value) and least <= value < below, words


def _is(value: Any, name: str) -> bool:
    return isinstance(value, str) and value == name


def _whole(value: Any) -> bool:
    return _is_number(value, Integral) and value >= 1


_SHARE = _within(0, 1, "a number from 0 to less than 1")
_FROM_ZERO = _within(0, inf, "a finite number, 0 or more")
_SWITCH: Fits = (lambda value: isinstance(value, bool | np.bool), "True or False")
_POSITIVE: Fits = (lambda value: _is_number(value) and 0 < value < inf, "a finite number above 0")
_COUNT: Fits = (_whole, "a whole number, at least 1")

_FITS: dict[str, Fits] = {
    "solver": (
        lambda value: isinstance(value, str) or (hasattr(value, "proximal") and hasattr(value, "update")),
        "the name of one, or an npnet optimizer, as npnet.AdamW()",
    ),
    "alpha": _FROM_ZERO,
    "batch_size": (lambda value: _is(value, "auto") or _whole(value), "a whole number, at least 1, or 'auto'"),
    "learning_rate_init": _POSITIVE,
    "power_t": _FROM_ZERO,
    "max_iter": _COUNT,
    "shuffle": _SWITCH,
    "random_state": (
        lambda value: (
            value is None
            or value is np.random
            or isinstance(value, np.random.RandomState)
            or (_is_number(value, Integral) and 0 <= value < 2**32)
        ),
        "None, a seed from 0 to 2**32 - 1, or a numpy.random.RandomState",
    ),
    "tol": _FROM_ZERO,
    "verbose": (lambda value: isinstance(value, Integral | np.bool), "True, False or a whole number"),
    "warm_start": _SWITCH,
    "momentum": _SHARE,
    "nesterovs_momentum": _SWITCH,
    "early_stopping": _SWITCH,
    "validation_fraction": (lambda value: _is_number(value) and 0 < value < 1, "a number between 0 and 1"),
    "beta_1": _SHARE,
    "beta_2": _SHARE,
    "epsilon": _POSITIVE,
    "n_iter_no_change": (lambda value: _whole(value) or (_is_number(value) and value == inf), _COUNT[1] + ", or inf"),
    "max_fun": _COUNT,
    "l1": _FROM_ZERO,
    "group_lasso": _FROM_ZERO,
    "callbacks": (
        lambda value: isinstance(value, list | tuple) and all(map(callable, value)),
        "a list of functions (estimator, record)",
    ),
    "task": (lambda value: isinstance(value, str) and value != "", "a name"),
    "class_weight": (
        lambda value: (
            value is None
            or _is(value, "balanced")
            or isinstance(value, dict)
            or (isinstance(value, list) and all(isinstance(each, dict) for each in value))
        ),
        "None, 'balanced', a dict {class: weight}, or a list of these, one for each label",
    ),
}
