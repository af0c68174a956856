"""Perceptrons as scikit-learn's estimators: fit and predict, with all that npnet can do behind them.

Reading order: estimators, perceptron, ranges, targets, examples, fitting, settings, stopping, lbfgs, fitted. The extra
`sklearn` installs what this room needs; nothing else of npnet imports it.
"""

from npnet.sklearn.estimators import MLPClassifier, MLPRegressor
from npnet.sklearn.settings import METHODS

__all__ = ["METHODS", "MLPClassifier", "MLPRegressor"]
