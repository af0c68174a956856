"""What users of scikit-learn's perceptron look for after a fit, read off the network and the history."""

from npnet.arrays import Array
from npnet.measures import forgetting
from npnet.network import Network
from npnet.run import Record
from npnet.sklearn.targets import Target

__all__ = ["Fitted"]


class Fitted:
    """Attributes of a fitted estimator. Before a fit each raises AttributeError, as scikit-learn's do."""

    network_: Network
    history_: list[Record]
    tasks_: dict[str, Target]
    task: str

    @property
    def n_iter_(self) -> int:
        """The number of epochs."""
        return int(self.history_[-1]["epoch"])

    @property
    def loss_curve_(self) -> list[float]:
        """The training loss of each epoch, penalties included."""
        return [entry["loss"] for entry in self.history_]

    @property
    def loss_(self) -> float:
        """The training loss of the last epoch."""
        return self.loss_curve_[-1]

    @property
    def best_loss_(self) -> float | None:
        """The least training loss; None for a fit with a validation set."""
        return None if self.validation_scores_ else min(self.loss_curve_)

    @property
    def validation_scores_(self) -> list[float] | None:
        """The validation score after each epoch; None for a fit without a validation set."""
        return [entry["validation_score"] for entry in self.history_ if "validation_score" in entry] or None

    @property
    def best_validation_score_(self) -> float | None:
        """The best of them."""
        return max(self.validation_scores_) if self.validation_scores_ else None

    @property
    def forgetting_(self) -> float:
        """By how much the old task's error rose, in points of percent, or in a regression's units.

        Measured on the X_old, y_old that were given to `fit`; AttributeError without them.
        """
        errors: list[float] = vars(self).get("_old_errors", [])
        if not errors:
            raise AttributeError("forgetting_ is not known; expected fit(X, y, X_old=..., y_old=...) of a transfer")
        return forgetting(*errors)

    @property
    def coefs_(self) -> list[Array]:
        """The weights W (D, K) of each layer: the arrays of the network."""
        return [p["W"] for _, p in self.network_.path(self.task) if "W" in p]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases b (K,) of each layer: the arrays of the network."""
        return [p["b"] for _, p in self.network_.path(self.task) if "b" in p]

    @property
    def out_activation_(self) -> str:
        """What makes predictions of the outputs: "softmax", "logistic" or "identity"."""
        return self.tasks_[self.task].out_activation

    @property
    def n_outputs_(self) -> int:
        """The number of outputs."""
        return self.tasks_[self.task].outputs

    @property
    def n_layers_(self) -> int:
        """The number of layers, that of the inputs included."""
        return self.network_.depth + 2
