"""When a fit ends: once the training loss, or the validation score, has not improved by `tol` for some epochs."""

from dataclasses import dataclass
from math import inf
from typing import Any

from npnet.sklearn.settings import AdaptiveRate

__all__ = ["Stopping"]


@dataclass
class Stopping:
    """The rule of scikit-learn's perceptron: stop in the epoch after `patience` epochs that were no better by `tol`.

    rate: of a fit with learning_rate="adaptive", the rate falls first, and the fit goes on.
    """

    tol: float
    patience: float
    rate: Any
    best: float = inf
    waited: int = 0

    def stops(self, value: float) -> bool:
        """Take note of an epoch's loss, or of what else is to fall, and report whether it was the last."""
        self.waited = self.waited + 1 if value > self.best - self.tol else 0
        self.best = min(self.best, value)
        if self.waited <= self.patience:
            return False
        self.waited = 0
        return not (isinstance(self.rate, AdaptiveRate) and self.rate.falls())
