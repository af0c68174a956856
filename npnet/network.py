"""A multi-layer perceptron as plain data: a trunk of hidden layers that all tasks share, a named head for each.

A hidden layer is linear, activation, dropout; a head is linear. The network computes nothing by itself: `layers(head)`
and `parameters(head)` give the chain from the inputs to one head's logits, one entry for each step, which training
cuts wherever layers are frozen. A population has parameters with a leading axis, W (R, D, K).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import DTypeLike

from npnet.arrays import Array, array_module, to_device, to_host
from npnet.layers import ACTIVATIONS, Layer, Parameters, chain, dropout, linear
from npnet.trees import Tree, copy_tree, load_tree, save_tree

__all__ = ["INITIALISERS", "Initialiser", "Network", "glorot", "he", "mlp", "normal", "uniform_fan_in"]

Initialiser = Callable[[np.random.Generator, int, int], Parameters]


def glorot(rng: np.random.Generator, fan_in: int, fan_out: int) -> Parameters:
    """W uniform on ±√(6 / (fan_in + fan_out)), b zero. Source: Glorot and Bengio 2010, equation 16."""
    limit = (6 / (fan_in + fan_out)) ** 0.5
    return {"W": rng.uniform(-limit, limit, (fan_in, fan_out)), "b": np.zeros(fan_out)}


def he(rng: np.random.Generator, fan_in: int, fan_out: int) -> Parameters:
    """W normal with standard deviation √(2 / fan_in), b zero. Source: He et al. 2015, equation 10."""
    return {"W": rng.normal(0, (2 / fan_in) ** 0.5, (fan_in, fan_out)), "b": np.zeros(fan_out)}


def uniform_fan_in(rng: np.random.Generator, fan_in: int, fan_out: int) -> Parameters:
    """W and b uniform on ±1/√fan_in: LeCun's rule as Torch made it common, biases included."""
    limit = fan_in**-0.5
    return {"W": rng.uniform(-limit, limit, (fan_in, fan_out)), "b": rng.uniform(-limit, limit, fan_out)}


def normal(rng: np.random.Generator, fan_in: int, fan_out: int, deviation: float = 0.01) -> Parameters:
    """W normal with a fixed standard deviation, b zero."""
    return {"W": rng.normal(0, deviation, (fan_in, fan_out)), "b": np.zeros(fan_out)}


INITIALISERS: dict[str, Initialiser] = {"glorot": glorot, "he": he, "uniform_fan_in": uniform_fan_in, "normal": normal}
"""The initialisations by name."""


@dataclass
class Network:
    """Trunk (hidden layers from the bottom), heads by name, the activation's name, dropout rates.

    dropout: the rate after each hidden layer, or () for none at all. memories: what mattered to old tasks, by name (see
    fisher). Raises ValueError where the parts do not fit.
    """

    trunk: list[Parameters]
    heads: dict[str, Parameters] = field(default_factory=dict)
    activation: str = "relu"
    dropout: tuple[float, ...] = ()
    memories: dict[str, Tree] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation is {self.activation!r}; expected one of {', '.join(ACTIVATIONS)}")
        if self.dropout and len(self.dropout) != len(self.trunk):
            raise ValueError(f"dropout is {self.dropout}; expected {len(self.trunk)} rates, one for each hidden layer")
        for rate in self.dropout:
            dropout(rate)  # raises for what is not a rate
        widths = [(p["W"].shape[-2], p["W"].shape[-1]) for p in self.trunk]
        for below, above in pairwise(widths):
            if below[1] != above[0]:
                raise ValueError(f"trunk has layers {widths}; expected each as wide as the next one's fan-in")

    @property
    def depth(self) -> int:
        """The number of hidden layers."""
        return len(self.trunk)

    def head(self, name: str) -> Parameters:
        """Return a head's parameters. Raises ValueError for a name that no head has."""
        if name not in self.heads:
            raise ValueError(
                f"head is {name!r}; expected one of {', '.join(map(repr, self.heads)) or '(no heads yet)'}"
            )
        return self.heads[name]

    @property
    def dtype(self) -> np.dtype:
        """The precision of the parameters."""
        return self.trunk[0]["W"].dtype

    @property
    def deterministic(self) -> int:
        """How many of `layers()` come before the first dropout: their outputs are the same at every epoch."""
        first = next((i for i, rate in enumerate(self.dropout) if rate), None)
        return 2 * self.depth if first is None else 2 * (first + 1)

    def layers(self, head: str | None = None) -> list[Layer]:
        """Return the layers from the inputs to the logits of a head, or to the last hidden layer's output."""
        layers: list[Layer] = []
        for rate in self.dropout or (0.0,) * self.depth:
            layers += [linear, ACTIVATIONS[self.activation]] + ([dropout(rate)] if rate else [])
        return layers if head is None else [*layers, linear]

    def parameters(self, head: str | None = None) -> list[Parameters]:
        """Return the parameters of each of `layers(head)`: the arrays themselves, and {} for layers without any."""
        parameters: list[Parameters] = []
        for p, rate in zip(self.trunk, self.dropout or (0.0,) * self.depth, strict=True):
            parameters += [p, {}] + ([{}] if rate else [])
        return parameters if head is None else [*parameters, self.head(head)]

    def logits(self, X: Array, head: str) -> Array:
        """Return the logits (..., N, K) of a head for inputs (..., N, D), without dropout."""
        return chain(*self.layers(head))(self.parameters(head), X)[0]

    def add_head(
        self, name: str, classes: int, rng: np.random.Generator, initialise: Initialiser = glorot
    ) -> "Network":
        """Return the network with one more head, drawn from rng; the trunk and the other heads are shared, not copied.

        Raises ValueError for a name that is taken.
        """
        if name in self.heads:
            raise ValueError(f"head {name!r} is there already; expected a new name beside {', '.join(self.heads)}")
        like = self.trunk[-1]["W"]
        new = to_device(cast(initialise(rng, like.shape[-1], classes), like.dtype), array_module(like))
        return replace(self, heads={**self.heads, name: new})

    def copy(self) -> "Network":
        """Return a network with arrays of its own."""
        return Network.from_tree(copy_tree(self.tree()))

    def to(self, xp: ModuleType) -> "Network":
        """Return a copy whose arrays live in xp: numpy for the host, cupy for the device."""
        return Network.from_tree(to_host(self.tree()) if xp is np else to_device(self.tree(), xp))

    def tree(self) -> Tree:
        """Return the network as a plain tree that shares its arrays."""
        return {
            "trunk": self.trunk,
            "heads": self.heads,
            "activation": self.activation,
            "dropout": list(self.dropout),
            "memories": self.memories,
        }

    @classmethod
    def from_tree(cls, tree: Tree) -> "Network":
        """Return the network of such a tree. Raises ValueError for another kind of tree."""
        try:
            memories = dict(tree.get("memories", {}))
            return cls(list(tree["trunk"]), dict(tree["heads"]), tree["activation"], tuple(tree["dropout"]), memories)
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise ValueError(f"tree has no network ({error!r}); expected trunk, heads, activation, dropout") from error

    def save(self, path: str | Path) -> None:
        """Save as `.npz` without pickling, atomically."""
        save_tree(path, to_host(self.tree()))

    @classmethod
    def load(cls, path: str | Path) -> "Network":
        """Load what `save` wrote. Raises ValueError for a damaged file or one that holds something else."""
        return cls.from_tree(load_tree(path))


def cast(p: Parameters, dtype: DTypeLike) -> Parameters:
    """Return parameters in another precision."""
    return {name: w.astype(dtype) for name, w in p.items()}


def mlp(
    widths: Sequence[int],
    heads: dict[str, int],
    rng: np.random.Generator,
    initialise: Initialiser = glorot,
    activation: str = "relu",
    dropout: Sequence[float] = (),
    dtype: DTypeLike = np.float32,
) -> Network:
    """Return a new network: widths (inputs, hidden, …, hidden), heads {name: classes}, all drawn from rng in order.

    Numbers are drawn in float64 and then rounded, so every precision starts from the same network.
    Raises ValueError for fewer than two widths or any below one.
    """
    if len(widths) < 2 or min(*widths, *heads.values(), 1) < 1:
        raise ValueError(f"widths is {tuple(widths)}, heads {heads}; expected inputs, hidden layers, classes, all >= 1")
    trunk = [cast(initialise(rng, fan_in, fan_out), dtype) for fan_in, fan_out in pairwise(widths)]
    network = Network(trunk, {}, activation, tuple(dropout))
    for name, classes in heads.items():
        network = network.add_head(name, classes, rng, initialise)
    return network
