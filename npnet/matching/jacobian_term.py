"""The term of second order: a network's gradient with respect to its inputs, compared with another one's.

The gradient of its gradient has three parts (see jacobians): of the weight matrices, of the slopes of activations,
which goes on below these through their curvature, and at the logits.
"""

from dataclasses import dataclass
from typing import Any

from npnet.activations import Elementwise
from npnet.arrays import Array
from npnet.losses import Loss, Weighted
from npnet.matching.jacobians import Of, at_logits, check_plain, flat, input_gradient, matrices, slope
from npnet.matching.targets import Targets, check_targets
from npnet.matching.terms import Passed, Place, TermInputs, TermOutput
from npnet.network import Network
from npnet.policies import Mask, trains

__all__ = ["InputGradient"]


def check_activation(network: Network) -> None:
    """Raise ValueError where an activation's curvature is not known, which the gradient of a gradient needs."""
    for activation in network.activations:
        if not isinstance(activation, Elementwise) or not (callable(activation.curvature) or activation.curvature == 0):
            raise ValueError(f"activation is {activation!r}; expected an Activation with a curvature, 0 or a function")


@dataclass(frozen=True)
class InputGradient:
    """weight · loss(J, targets) for J = ∂/∂x of a logit, of all logits, or of the loss of the network that trains.

    J is (N, D), or (N, K · D) of all logits; dropout is that of the step. targets: a row for each training example.
    classes: which logit of each example; None for the label's. The sweeps start at the inputs whatever is frozen, but
    nothing is computed that only frozen weights would use.
    """

    name: str
    task: str
    head: str
    of: Of
    loss: Loss
    targets: Targets
    weight: float = 1.0
    classes: Targets | None = None
    needs_inputs = True

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise ValueError(f"weight is {self.weight}; expected zero or more")

    @property
    def heads(self) -> tuple[str, ...]:
        """The head whose logits are differentiated."""
        return (self.head,)

    def check(self, network: Network, examples: int | None = None) -> None:
        """Raise ValueError where the network has no such head, a layer that is more than linear, or no target."""
        check_plain(network, self.head)
        check_activation(network)
        if network.input_dropout:
            raise ValueError(f"input_dropout is {network.input_dropout}; expected 0 for gradients at the inputs")
        check_targets(self.name, self.targets, examples)

    def acts(self, mask: Mask) -> bool:
        """Say whether anything trains."""
        return any(map(trains, mask))

    def start(self, network: Network, rng: Any) -> dict[str, Array]:
        """Return nothing: it has no parameters."""
        return {}

    def __call__(self, p: dict[str, Array], given: TermInputs) -> TermOutput:
        """Return the weighted loss of J and its gradients."""
        network, rows, Z = given.network, given.batch.rows, given.at[self.head]
        labels = given.batch.labels.get(self.task) if self.classes is None else self.classes[rows]
        labels = labels.labels if isinstance(labels, Weighted) else labels
        C, back_top = at_logits(Z, self.of, labels)
        slopes, keeps = [], []
        for activation, *dropout in (given.above[i] for i in range(1, network.depth + 1)):
            s, *keep = (slope(each.back, each.Y) for each in (activation, *dropout))
            slopes.append(s * keep[0] if keep else s)
            keeps.append(keep)
        J, back = input_gradient(matrices(network, self.head), slopes, C)
        value, dJ = self.loss(flat(J), self.targets[rows].astype(Z.real.dtype, copy=False))
        dJ = self.weight * dJ
        if J.ndim > 2:  # (N, K · D) → (K, N, D)
            dJ = dJ.reshape(J.shape[1], J.shape[0], -1).swapaxes(0, 1)
        gates = [
            callable(activation.curvature) and any(given.trains[: i + 1])  # type: ignore[attr-defined]
            for i, activation in enumerate(network.activations)
        ]
        factors, dslopes, dC = back(dJ, given.trains, gates, back_top is not None)
        at: dict[Place, Array] = {} if back_top is None or dC is None else {self.head: back_top(dC)}
        below = {
            i: self._curved(ds * keep[0] if keep else ds, given.above[i][0])
            for i, (ds, keep) in enumerate(zip(dslopes, keeps, strict=True), 1)
            if ds is not None
        }
        names: list[Place] = [*range(1, network.depth + 1), self.head]
        weights = {place: pair for place, pair in zip(names, factors, strict=True) if pair is not None}
        return TermOutput(self.weight * value, at, weights=weights, below=below)

    def _curved(self, ds: Array, activation: Passed) -> Array:
        """Return the gradient with respect to what an activation reads, of one with respect to its slope: ds f″."""
        return ds * activation.layer.curvature(activation.X, activation.Y)  # type: ignore[attr-defined]
