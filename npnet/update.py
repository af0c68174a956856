"""One weight update: the objective's value and gradient on a batch, then a move of the layers that the mask lets move.

The objective is the loss at one head plus every regularizer on the layers that train. Frozen layers cost nothing: their
inputs come precomputed, they are not penalised, and nothing below the lowest layer that trains is back-propagated.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from npnet.arrays import Array, array_module
from npnet.layers import Parameters, chain
from npnet.losses import Loss
from npnet.network import Network
from npnet.optimizers import Optimizer
from npnet.penalties import Regularizer
from npnet.policies import Mask

__all__ = ["NotFiniteError", "Update"]


class NotFiniteError(FloatingPointError):
    """A number of the run is infinite or not a number; says at which epoch, step and layer it was seen first."""

    def __init__(self, what: str, layer: str, epoch: int = 0, step: int = 0) -> None:
        super().__init__(
            f"{what} is not finite at epoch {epoch}, step {step}, in {layer}; expected finite numbers: try a lower "
            "learning rate or smaller inputs (the run stands as it did after the epoch before)"
        )
        self.what, self.layer, self.epoch, self.step = what, layer, epoch, step


class Update:
    """The update of one head's path under one mask, prepared once and made at every batch of an epoch.

    lowest: the first of the network's layers that trains. start: the layer whose inputs the update expects,
    which is the same one unless dropout below it must be drawn anew every time.
    """

    def __init__(
        self,
        network: Network,
        head: str,
        mask: Mask,
        loss: Loss,
        regularizers: Sequence[Regularizer],
        optimizer: Optimizer,
    ) -> None:
        layers, parameters = network.layers(head), network.parameters(head)
        positions = [i for i, p in enumerate(parameters) if p]  # of the hidden layers' and the head's linear maps
        if len(mask) != len(positions):
            raise ValueError(f"mask is {mask}; expected {len(positions)} numbers: every hidden layer's and the head's")
        self.lowest = min((i for i, share in zip(positions, mask, strict=True) if share), default=len(layers))
        self.start = min(self.lowest, network.deterministic)
        self.layers, self.parameters = layers[self.start :], parameters[self.start :]
        self.forward = chain(*self.layers)
        self.head, self.mask, self.depth = head, mask, network.depth
        self.loss, self.regularizers, self.optimizer = loss, regularizers, optimizer
        # (position in the chain, layer of the mask) of all that train, and a flag for each entry of the chain
        self.moving = [(i - self.start, layer) for layer, i in enumerate(positions) if mask[layer]]
        self.flags = [False] * len(self.layers)
        for i, _ in self.moving:
            self.flags[i] = True

    def objective(self, X: Array, labels: Array, rng: np.random.Generator | None) -> tuple[Array, list[Any]]:
        """Return the objective on a batch and its gradients, one entry a layer from `start`, None where frozen."""
        Z, back = self.forward(self.parameters, X, rng)
        value, dZ = self.loss(Z, labels)
        _, gradients = back(dZ, inputs=False, parameters=self.flags)
        if not self.optimizer.proximal:  # a proximal step follows the loss alone, and then applies the penalties
            for i, layer in self.moving:
                value = value + self._penalise(layer, self.parameters[i], gradients[i])
        return value, gradients

    def __call__(
        self, X: Array, labels: Array, rate: float, buffers: dict[str, Any], rng: np.random.Generator
    ) -> float:
        """Move every layer that trains, in place, and return the value that the objective had before.

        Raises NotFiniteError when that value or a weight is not finite.
        """
        objective, gradients = self.objective(X, labels, rng)
        value = float(objective)
        if not math.isfinite(value):
            raise NotFiniteError("objective", self._first_not_finite(X))
        for i, layer in self.moving:
            for key, w in self.parameters[i].items():
                place = f"{self.name(layer)}: {key}"
                if place not in buffers:
                    buffers[place] = self.optimizer.start(w)
                share = rate * self.mask[layer]
                if not self.optimizer.update(w, gradients[i][key], buffers[place], share):
                    raise NotFiniteError(f"updated {key}", self.name(layer))
                if self.optimizer.proximal:
                    self._shrink(layer, key, w, share)
        return value

    def name(self, layer: int) -> str:
        """Return the name of a layer of the mask, in messages and buffers: hidden layer 1 is the lowest."""
        return f"head {self.head!r}" if layer == self.depth else f"hidden layer {layer + 1}"

    def _penalise(self, layer: int, p: Parameters, gradients: Parameters) -> Array | float:
        """Add the gradient of every regularizer on a layer to `gradients` and return their value."""
        value: Array | float = 0.0
        for each in self.regularizers:
            for key, w in p.items():
                if each.applies(layer, self.depth, key):
                    penalty, dw = each.penalty(w, *each.reference(layer, self.depth, key))
                    value = value + each.strength * penalty
                    gradients[key] = gradients[key] + each.strength * dw
        return value

    def _shrink(self, layer: int, key: str, w: Array, rate: float) -> None:
        """Apply the proximal step of every regularizer to an array, in place."""
        for each in self.regularizers:
            if each.applies(layer, self.depth, key):
                w[...] = each.penalty.prox(w, rate * each.strength, *each.reference(layer, self.depth, key))

    def _first_not_finite(self, X: Array) -> str:
        """Return the name of the lowest place whose outputs are not finite, the sum itself where all of them are."""
        xp = array_module(X)
        hidden = self.depth + 1 - sum(1 for p in self.parameters if p)  # hidden layers below `start`
        name = "the inputs" if self.start == 0 else f"the activations of hidden layer {hidden}"
        for layer, p in zip(self.layers, self.parameters, strict=True):
            if not xp.isfinite(X).all():
                return name
            X, _ = layer(p, X)
            if p:
                name, hidden = self.name(hidden), hidden + 1
        return name if not xp.isfinite(X).all() else "the loss or a penalty"
