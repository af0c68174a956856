"""From scikit-learn's perceptrons, and from those of npnet.sklearn."""

from typing import Any

from npnet.activations import ACTIVATIONS, identity
from npnet.arguments import checked
from npnet.arrays import shown
from npnet.exchange.steps import Linear, Step, network_of, own
from npnet.network import Network

__all__ = ["from_sklearn"]

_NAMES = {"logistic": "sigmoid", "relu": "relu", "tanh": "tanh", "identity": "identity"}


@checked
def from_sklearn(estimator: Any, head: str = "task") -> Network:
    """Return the network of a fitted perceptron with copies of its weights.

    estimator: an MLPClassifier or MLPRegressor of scikit-learn or of npnet.sklearn. Its head gives logits: before
    scikit-learn's softmax, or before the logistic function where there are two classes and so one output. Raises
    ValueError for an estimator that is not fitted, or is none of these.
    """
    if isinstance(getattr(estimator, "network_", None), Network):
        return estimator.network_.copy()
    if not hasattr(estimator, "coefs_") or getattr(estimator, "activation", None) not in _NAMES:
        raise ValueError(f"estimator is {shown(estimator)}; expected a fitted MLPClassifier or MLPRegressor")
    activation = ACTIVATIONS[_NAMES[estimator.activation]]
    steps: list[Step] = []
    for W, b in zip(estimator.coefs_, estimator.intercepts_, strict=True):
        steps += [activation] if steps and activation is not identity else []
        steps.append(Linear(own(W), own(b)))
    return network_of(steps, head, "the estimator")
