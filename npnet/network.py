"""A multi-layer perceptron as plain data: a trunk of hidden layers that all tasks share, and a named head for each.

A hidden layer is a layer with parameters, then an activation, then dropout; a head is linear. The network computes
nothing by itself: `path(head)` lists the layers and their parameters from the inputs to the logits of a head, which
training cuts wherever layers are frozen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from npnet import parts
from npnet.activations import layer_named, name_of, names_of
from npnet.arrays import Array, array_module, cast, check_floats, shown, to_device, to_host
from npnet.initialisers import Initialiser, glorot
from npnet.layers import Dropout, Layer, Link, Parameters, forward, linear
from npnet.trees import Tree, copy_tree, load_tree, save_tree

__all__ = ["Network"]


@dataclass
class Network:
    """Trunk (parameters of each hidden layer from the bottom) and heads by name; arrays are kept, not copied.

    Training moves these arrays in place, also those of another program: `copy()` first to keep what they hold.

    activation: a name of ACTIVATIONS, a layer without parameters, or a sequence of these, one for each hidden layer.
    dropout: one rate, one after each hidden layer, or (). input_dropout: the rate of the inputs. memories: what
    mattered to old tasks, by name (see npnet.starting_point). layers: what each hidden layer begins with, () for
    `linear` everywhere; any function of the form of layers.py. inputs: the values of an input, which a first layer of
    your own must state. head_layer: what every head is. Raises ValueError for what parts.py refuses.
    """

    trunk: list[Parameters]
    heads: dict[str, Parameters] = field(default_factory=dict)
    activation: Any = "relu"
    dropout: tuple[float, ...] = ()
    memories: dict[str, Tree] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()
    inputs: int = 0
    head_layer: Layer = linear
    input_dropout: float = 0.0

    plain: ClassVar[bool] = True  # each layer reads what the one below hands up, and nothing else
    kinds: ClassVar[dict[str, type["Network"]]] = {}

    def __init_subclass__(cls) -> None:
        Network.kinds[cls.__name__] = cls

    def __post_init__(self) -> None:
        parts.check_parameters(self.trunk, self.heads)
        self.activation = parts.activation_of(self.activation, self.depth)
        self.dropout = parts.rates_of(self.dropout, self.depth)
        self.input_dropout = parts.rate_of("input_dropout", self.input_dropout)
        self.layers = parts.layers_of(self.layers, self.head_layer, self.inputs, self.depth)
        if self.plain:
            parts.check_linear(self.trunk, self.layers, self.heads, self.head_layer)
        self.inputs = self.inputs or parts.inputs_of(
            [*self.layers, self.head_layer], [*self.trunk, *self.heads.values()]
        )
        parts.check_fit(self.trunk, self.path(), {name: self.path(name)[-1] for name in self.heads}, self._zeros())

    @property
    def depth(self) -> int:
        """The number of hidden layers."""
        return len(self.trunk)

    @property
    def units(self) -> tuple[int, ...]:
        """The number of outputs of each hidden layer: what it makes of an input of zeros."""
        with np.errstate(all="ignore"):
            return tuple(Y.shape[-1] for Y in self.hidden_outputs(self._zeros()))

    def _zeros(self) -> Array:
        return array_module(self.first).zeros((1, self.inputs), self.dtype)

    @property
    def first(self) -> Array:
        """The first array of the network: all others live where it does, in its precision."""
        return next(w for p in (*self.trunk, *self.heads.values()) for w in p.values())

    @property
    def activations(self) -> tuple[Layer, ...]:
        """The activation of each hidden layer."""
        return self.activation if isinstance(self.activation, tuple) else (self.activation,) * self.depth

    @property
    def dtype(self) -> np.dtype:
        """The precision of the parameters."""
        return self.first.dtype

    def head(self, name: str) -> Parameters:
        """Return a head's parameters. Raises ValueError for a name that no head has."""
        if not isinstance(name, str) or name not in self.heads:
            known = ", ".join(map(repr, self.heads)) or "(no heads yet)"
            raise ValueError(f"head is {name!r}; expected one of {known}")
        return self.heads[name]

    def path(self, head: str | None = None, training: bool = False) -> list[Link]:
        """Return the layers and their parameters from the inputs to the logits of a head, or to the last hidden layer.

        training: with dropout, which inference leaves out. The parameters are the arrays themselves.
        """
        rates = self.dropout if training and self.dropout else (0.0,) * self.depth
        path: list[Link] = [(Dropout(self.input_dropout), {})] if training and self.input_dropout else []
        for layer, p, activation, rate in zip(self.layers, self.trunk, self.activations, rates, strict=True):
            path += [(layer, p), (activation, {})]
            path += [(Dropout(rate), {})] if rate else []
        return path if head is None else [*path, (self.head_layer, self.head(head))]

    @np.errstate(under="ignore")
    def hidden_outputs(self, X: Array) -> list[Array]:
        """Return what each hidden layer makes of inputs X (N, D), from the bottom, (N, K): after its activation.

        Raises ValueError for inputs that are not floats, as pixels are before `npnet.tasks.batch` has scaled them.
        """
        check_floats("X", X)
        return forward(self.path(), X)[0][2::2]

    @np.errstate(under="ignore")
    def logits(self, X: Array, head: str) -> Array:
        """Return the logits (N, K) of a head for inputs X (N, D), without dropout.

        Raises ValueError for a head that does not exist, and for inputs that are not floats (see `hidden_outputs`).
        """
        check_floats("X", X)
        return forward(self.path(head), X)[0][-1]

    def add_head(
        self, name: str, classes: int, rng: np.random.Generator, initialise: Initialiser = glorot
    ) -> "Network":
        """Return the network with one more head, drawn from rng; the trunk and the other heads are shared, not copied.

        Raises ValueError for a name that is taken or no string, and for fewer than one class.
        """
        if not isinstance(name, str):
            raise ValueError(f"name is {shown(name)}; expected a string")
        if name in self.heads:
            raise ValueError(f"head {name!r} exists already; expected a name other than {', '.join(self.heads)}")
        if classes < 1:
            raise ValueError(f"classes is {classes}; expected at least one output for head {name!r}")
        drawn = cast(initialise(rng, (self.inputs, *self.units)[-1], classes), self.dtype)
        return replace(self, heads={**self.heads, name: to_device(drawn, array_module(self.first))})

    def truncated(self, depth: int) -> "Network":
        """Return the network of the lowest hidden layers alone, without heads; arrays are shared, not copied."""
        lower: dict[str, Any] = {name: getattr(self, name)[:depth] for name in ("trunk", "dropout", "layers")}
        return replace(self, **lower, activation=self.activations[:depth], heads={}, memories={})

    def copy(self) -> "Network":
        """Return a network with arrays of its own."""
        return self.with_arrays(copy_tree)

    def to(self, xp: ModuleType) -> "Network":
        """Return a copy whose arrays live in xp: numpy for the host, cupy for the device."""
        return self.with_arrays(to_host if xp is np else lambda tree: to_device(tree, xp))

    def with_arrays(self, change: Callable[[Tree], Tree]) -> "Network":
        """Return the network with all its arrays changed by a function of trees."""
        trunk, heads, memories = change([self.trunk, self.heads, self.memories])
        return replace(self, trunk=trunk, heads=heads, memories=memories)

    def tree(self) -> Tree:
        """Return the network as a plain tree that shares its arrays; functions are in it by their names.

        Raises ValueError for a function without a name, and for two of one name.
        """
        names = names_of((*self.layers, *self.activations))
        return {
            "kind": type(self).__name__,
            "trunk": self.trunk,
            "heads": self.heads,
            "activation": names[self.depth :],
            "dropout": [float(rate) for rate in self.dropout],
            "memories": self.memories,
            "layers": names[: self.depth],
            "inputs": self.inputs,
            "head_layer": name_of(self.head_layer),
            "input_dropout": self.input_dropout,
        }

    @classmethod
    def from_tree(cls, tree: Tree, layers: Mapping[str, Layer] | None = None) -> "Network":
        """Return the network of such a tree; layers: functions of your own by their names.

        Raises ValueError for another kind of tree, and for names of layers that are not known.
        """
        if not isinstance(tree, dict) or tree.get("kind") not in cls.kinds:
            held = f"the keys {', '.join(map(repr, tree))}" if isinstance(tree, dict) else f"{tree!r:.80}"
            inside = "; its 'network' is one" if isinstance(tree, dict) and "network" in tree else ""
            raise ValueError(f"tree has no network, but {held}; expected what Network.tree returns{inside}")
        try:
            kind = cls.kinds[tree["kind"]]
            return kind(**kind._fields(tree, layers))
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise ValueError(f"tree has no network ({error!r}); expected what Network.tree returns") from error

    @classmethod
    def _fields(cls, tree: Tree, layers: Mapping[str, Layer] | None) -> dict[str, Any]:
        return {
            **{name: tree[name] for name in ("trunk", "heads", "memories", "inputs", "input_dropout")},
            "activation": tuple(layer_named(name, layers) for name in tree["activation"]),
            "dropout": tuple(tree["dropout"]),
            "head_layer": layer_named(tree["head_layer"], layers),
            "layers": tuple(layer_named(name, layers) for name in tree["layers"]),
        }

    def save(self, path: str | FilePath) -> None:
        """Save as `.npz` without pickling, atomically."""
        save_tree(path, to_host(self.tree()))

    @classmethod
    def load(cls, path: str | FilePath, layers: Mapping[str, Layer] | None = None) -> "Network":
        """Load what `save` wrote; layers: functions of your own by the names under which they were saved.

        Raises ValueError for a damaged file or one that holds something else, and for names that are not known.
        """
        tree = load_tree(path)
        try:
            return cls.from_tree(tree, layers)
        except ValueError as error:
            raise ValueError(f"{path} is no network: {error}") from error


Network.kinds["Network"] = Network
