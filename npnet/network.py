"""A multi-layer perceptron as plain data: a trunk of hidden layers that all tasks share, a named head for each.

A hidden layer is linear, activation, dropout; a head is linear. The network computes nothing by itself: `layers(head)`
and `parameters(head)` give the chain from the inputs to one head's logits, one entry for each step, which training
cuts wherever layers are frozen. A population has parameters with a leading axis, W (R, D, K).

Columns are earlier networks, frozen for good, whose activations the layers read beside their own (see laterals). With
`reads` the chain begins with the stem, which runs the columns; then one layer for each hidden layer, and the head.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np

from npnet.arrays import Array, array_module, cast, check_floats, to_device, to_host
from npnet.initialisers import Initialiser, glorot
from npnet.laterals import Source, handing_on, is_plain, joined, stem, takes
from npnet.layers import ACTIVATIONS, Layer, Parameters, chain, dropout, linear, shared
from npnet.trees import Tree, copy_tree, load_tree, save_tree

__all__ = ["Network"]


@dataclass
class Network:
    """Trunk (hidden layers from the bottom), heads by name, the activation's name, dropout rates.

    dropout: the rate after each hidden layer, or () for none at all. memories: what mattered to old tasks, by name (see
    fisher). columns: earlier networks, each without columns of its own, for it sees those before it in this tuple.
    reads: what the first hidden layer begins with, then what each later one and the heads read beside their own; ()
    for a network that reads its inputs alone. patches: over how many pieces of an input, one after the other, the first
    hidden layer is shared. Raises ValueError where the parts do not fit.
    """

    trunk: list[Parameters]
    heads: dict[str, Parameters] = field(default_factory=dict)
    activation: str = "relu"
    dropout: tuple[float, ...] = ()
    memories: dict[str, Tree] = field(default_factory=dict)
    columns: tuple["Network", ...] = ()
    reads: tuple[tuple[Source, ...], ...] = ()
    patches: int = 1

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation is {self.activation!r}; expected one of {', '.join(ACTIVATIONS)}")
        if self.dropout and len(self.dropout) != len(self.trunk):
            raise ValueError(f"dropout is {self.dropout}; expected {len(self.trunk)} rates, one for each hidden layer")
        for rate in self.dropout:
            dropout(rate)  # raises for what is not a rate
        if self.reads and len(self.reads) != self.depth + 1:
            raise ValueError(
                f"reads is {self.reads}; expected {self.depth + 1} entries: every hidden layer's, the heads'"
            )
        if self.patches < 1 or (self.patches > 1 and (self.reads or not all(map(is_plain, self.trunk[:1])))):
            raise ValueError(f"patches is {self.patches}; expected 1, or more in a network without columns")
        fan_ins = [p["W"].shape[-2] if self.reads else takes(p) for p in self.trunk]
        widths = list(zip(fan_ins, self.units, strict=True))
        for below, above in pairwise(widths):
            if below[1] != above[0]:
                raise ValueError(f"trunk has layers {widths}; expected each as wide as the next one's fan-in")

    @property
    def depth(self) -> int:
        """The number of hidden layers."""
        return len(self.trunk)

    def head(self, name: str) -> Parameters:
        """Return a head's parameters. Raises ValueError for a name that no head has."""
        return self.owner(name).heads[name]

    @property
    def inputs(self) -> int:
        """The number of values of an input."""
        if self.reads:
            return self.columns[0].inputs
        return self.trunk[0]["W"].shape[-2] * self.patches

    @property
    def units(self) -> tuple[int, ...]:
        """The number of outputs of each hidden layer."""
        times = [self.patches] + [1] * (self.depth - 1)
        return tuple(p["W"].shape[-1] * each for p, each in zip(self.trunk, times, strict=False))

    @property
    def dtype(self) -> np.dtype:
        """The precision of the parameters."""
        return self.trunk[0]["W"].dtype

    @property
    def deterministic(self) -> int:
        """How many of `layers()` come before the first dropout: their outputs are the same at every epoch."""
        first = next((i for i, rate in enumerate(self.dropout) if rate), None)
        if self.reads:
            return 1 + (self.depth if first is None else first)
        return 2 * self.depth if first is None else 2 * (first + 1)

    def layers(self, head: str | None = None) -> list[Layer]:
        """Return the layers from the inputs to the logits of a head, or to the last hidden layer's output."""
        owner = self.owner(head)
        if owner is not self:
            return owner.layers(head)
        activation = ACTIVATIONS[self.activation]
        layers: list[Layer] = [stem(self.columns, self.reads)] if self.reads else []
        for p, rate in zip(self.trunk, self.dropout or (0.0,) * self.depth, strict=True):
            above = [activation, dropout(rate)] if rate else [activation]
            first = shared(self.patches) if self.patches > 1 and not layers else linear
            layers += [handing_on(*above)] if self.reads else [first if is_plain(p) else joined, *above]
        if head is None:
            return layers
        return [*layers, handing_on() if self.reads else linear if is_plain(self.heads[head]) else joined]

    def parameters(self, head: str | None = None) -> list[Parameters]:
        """Return the parameters of each of `layers(head)`: the arrays themselves, and {} for layers without any."""
        owner = self.owner(head)
        if owner is not self:
            return owner.parameters(head)
        parameters: list[Parameters] = [{}] if self.reads else []
        for p, rate in zip(self.trunk, self.dropout or (0.0,) * self.depth, strict=True):
            parameters += [p] if self.reads else [p, {}] + ([{}] if rate else [])
        return parameters if head is None else [*parameters, self.heads[head]]

    def owner(self, head: str | None) -> "Network":
        """Return the network that a head belongs to: this one, or one of its columns with those that it sees."""
        if head is None or head in self.heads:
            return self
        for i, column in enumerate(self.columns):
            if head in column.heads:
                return replace(column, columns=self.columns[:i])
        known = [name for network in (*self.columns, self) for name in network.heads]
        raise ValueError(f"head is {head!r}; expected one of {', '.join(map(repr, known)) or '(no heads yet)'}")

    def hidden_outputs(self, X: Array) -> list[Array]:
        """Return what each hidden layer makes of inputs X (..., N, D), from the bottom, (..., N, K): no dropout.

        Raises ValueError for inputs that are not floats, as pixels are before `npnet.tasks.batch` has scaled them.
        """
        check_floats("X", X)
        return self.outputs_above(self.layers()[0]({}, X)[0] if self.reads else X)

    def outputs_above(self, state: Array) -> list[Array]:
        """Return each hidden layer's output from the state in which the first one begins: the inputs, or the stem's."""
        outputs: list[Array] = []
        start = 1 if self.reads else 0
        for layer, p in zip(self.layers()[start:], self.parameters()[start:], strict=True):
            state, _ = layer(p, state)
            if p:  # a linear map begins a hidden layer; its activation and its dropout go on with it
                outputs.append(state)
            outputs[-1] = state
        return [Y[..., :width] for Y, width in zip(outputs, self.units, strict=True)]

    def logits(self, X: Array, head: str) -> Array:
        """Return the logits (..., N, K) of a head for inputs (..., N, D), without dropout.

        Raises ValueError for a head that is not there, and for inputs that are not floats (see `hidden_outputs`).
        """
        check_floats("X", X)
        return chain(*self.layers(head))(self.parameters(head), X)[0]

    def add_head(
        self, name: str, classes: int, rng: np.random.Generator, initialise: Initialiser = glorot
    ) -> "Network":
        """Return the network with one more head, drawn from rng; the trunk and the other heads are shared, not copied.

        Raises ValueError for a name that is taken, and for fewer than one class.
        """
        taken = [known for network in (*self.columns, self) for known in network.heads]
        if name in taken:
            raise ValueError(f"head {name!r} is there already; expected a new name beside {', '.join(taken)}")
        if classes < 1:
            raise ValueError(f"classes is {classes}; expected at least one output for head {name!r}")
        like = self.trunk[-1]["W"]
        own, beside = self.units[-1], self.widths(self.reads[-1]) if self.reads else ()
        new = to_device(cast(initialise(rng, own + sum(beside), classes), like.dtype), array_module(like))
        if beside:
            new = {"W": new["W"][:own], "b": new["b"], "L": new["W"][own:]}
        return replace(self, heads={**self.heads, name: new})

    def widths(self, sources: Sequence[Source]) -> tuple[int, ...]:
        """Return how wide each of some sources is."""
        return tuple(self.columns[c].units[level - 1] if level else self.inputs for c, level in sources)

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
            "columns": [column.tree() for column in self.columns],
            "reads": [[list(source) for source in sources] for sources in self.reads],
            "patches": self.patches,
        }

    @classmethod
    def from_tree(cls, tree: Tree) -> "Network":
        """Return the network of such a tree. Raises ValueError for another kind of tree."""
        try:
            return cls(
                list(tree["trunk"]),
                dict(tree["heads"]),
                tree["activation"],
                tuple(tree["dropout"]),
                dict(tree.get("memories", {})),
                tuple(map(cls.from_tree, tree.get("columns", ()))),
                tuple(tuple((column, level) for column, level in sources) for sources in tree.get("reads", ())),
                tree.get("patches", 1),
            )
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise ValueError(f"tree has no network ({error!r}); expected trunk, heads, activation, dropout") from error

    def save(self, path: str | Path) -> None:
        """Save as `.npz` without pickling, atomically."""
        save_tree(path, to_host(self.tree()))

    @classmethod
    def load(cls, path: str | Path) -> "Network":
        """Load what `save` wrote. Raises ValueError for a damaged file or one that holds something else."""
        return cls.from_tree(load_tree(path))
