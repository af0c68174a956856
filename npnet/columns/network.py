"""A network next to earlier ones: columns, frozen for good, whose activations its layers read as side inputs.

Its path begins with the column inputs, a layer that runs the columns; a link for each hidden layer and the head follow.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from npnet.arguments import checked
from npnet.arrays import Array, array_module, check_floats
from npnet.columns.laterals import SideDropout, WithSideInputs
from npnet.initialisers import Initialiser, glorot
from npnet.layers import Back, Layer, Link, Parameters, forward
from npnet.network import Network
from npnet.trees import Tree, leaves

__all__ = ["ColumnInputs", "ColumnNetwork", "Source", "columns_of", "source_widths"]

Source = tuple[int, int]
"""What is read: (column, level). Level 0 of any column are the inputs, level i its hidden layer i's outputs."""


@checked
@dataclass
class ColumnNetwork(Network):
    """A network whose layers also read earlier networks.

    columns: the earlier networks, each of which has those before it for columns of its own. reads: what the first
    hidden layer begins with, then the side inputs of each later one and of the heads. Raises ValueError where the parts
    do not fit.
    """

    columns: tuple[Network, ...] = ()
    reads: tuple[tuple[Source, ...], ...] = ()
    column_inputs: "ColumnInputs" = field(init=False, repr=False, compare=False)

    plain = False

    def __post_init__(self) -> None:
        if len(self.reads) != self.depth + 1:
            raise ValueError(
                f"reads is {self.reads}; expected {self.depth + 1} entries: of each layer of the trunk, of the heads"
            )
        if not self.columns:
            raise ValueError("columns is (); expected at least one earlier network")
        if self.input_dropout:
            raise ValueError(f"input_dropout is {self.input_dropout}; expected 0: it reads what other columns make")
        self.inputs = self.columns[0].inputs
        self.column_inputs = ColumnInputs(self.columns, self.reads)
        super().__post_init__()

    def head(self, name: str) -> Parameters:
        """Return a head's parameters, one of a column's too. Raises ValueError for a name that no head has."""
        return self._owner(name).heads[name]

    def _owner(self, head: str) -> Network:
        for network in (self, *self.columns):
            if head in network.heads:
                return network
        known = ", ".join(repr(name) for network in (*self.columns, self) for name in network.heads)
        raise ValueError(f"head is {head!r}; expected one of {known or '(no heads yet)'}")

    def path(self, head: str | None = None, training: bool = False) -> list[Link]:
        """Return the column inputs, the hidden layers and the head with their parameters.

        For a column's head it is that column's path.
        """
        if head is not None and (owner := self._owner(head)) is not self:
            return owner.path(head, training)
        path: list[Link] = [(self.column_inputs, {})]
        rates = self.dropout if training and self.dropout else (0.0,) * self.depth
        for p, activation, rate in zip(self.trunk, self.activations, rates, strict=True):
            path.append((WithSideInputs((activation,)), p))
            path += [(SideDropout(rate, p["b"].size), {})] if rate else []
        return path if head is None else [*path, (WithSideInputs(), self.heads[head])]

    def hidden_outputs(self, X: Array) -> list[Array]:
        """Return what each hidden layer makes of inputs X (N, D), without its side inputs: (N, K)."""
        check_floats("X", X)
        return self.outputs_above(self.column_inputs({}, X)[0])

    def outputs_above(self, state: Array) -> list[Array]:
        """Return each hidden layer's output from what the column inputs make of the inputs."""
        outputs = forward(self.path()[1:], state)[0][1:]
        return [Y[:, : p["b"].size] for Y, p in zip(outputs, self.trunk, strict=True)]

    def add_head(
        self, name: str, classes: int, rng: np.random.Generator, initialise: Initialiser = glorot
    ) -> "ColumnNetwork":
        """Return the network with one more head, which reads side inputs as the others do: see Network.add_head."""
        if taken := [name for network in self.columns if name in network.heads]:
            raise ValueError(f"head {taken[0]!r} is a column's already; expected a new name")
        own, sides = self.units[-1], sum(source_widths(self.columns, self.reads[-1]))
        if not sides:
            return super().add_head(name, classes, rng, initialise)  # type: ignore[return-value]

        def wider(rng: np.random.Generator, fan_in: int, fan_out: int) -> Parameters:
            drawn = initialise(rng, fan_in + sides, fan_out)
            return {"W": drawn["W"][:own], "b": drawn["b"], "L": drawn["W"][own:]}

        return super().add_head(name, classes, rng, wider)  # type: ignore[return-value]

    def truncated(self, depth: int) -> "ColumnNetwork":
        """Return the network of the lowest hidden layers alone: see Network.truncated."""
        lower: dict[str, Any] = {name: getattr(self, name)[:depth] for name in ("trunk", "dropout", "layers")}
        lower["activation"] = self.activations[:depth]
        return replace(self, **lower, heads={}, memories={}, reads=(*self.reads[:depth], ()))

    def with_arrays(self, change: Callable[[Tree], Tree]) -> "ColumnNetwork":
        """Return the network with all its arrays changed by a function of trees, those of its columns too."""
        columns: tuple[Network, ...] = ()
        for column in self.columns:
            columns = (*columns, _with_columns(column, columns, change))
        return _with_columns(self, columns, change)  # type: ignore[return-value]

    def tree(self) -> Tree:
        """Return the network as a plain tree that shares its arrays; each column stands in it once."""
        columns = [{**column.tree(), "columns": []} for column in self.columns]
        reads = [[list(source) for source in sources] for sources in self.reads]
        return {**super().tree(), "columns": columns, "reads": reads}

    @classmethod
    def _fields(cls, tree: Tree, layers: Mapping[str, Layer] | None) -> dict[str, Any]:
        columns: tuple[Network, ...] = ()
        for each in tree["columns"]:
            kind = Network.kinds[each["kind"]]
            fields = kind._fields(each, layers)
            columns = (*columns, kind(**(fields | {"columns": columns} if "reads" in fields else fields)))
        reads = tuple(tuple((column, level) for column, level in sources) for sources in tree["reads"])
        return {**super()._fields(tree, layers), "columns": columns, "reads": reads}


def columns_of(network: Network) -> tuple[Network, ...]:
    """Return the columns of any network, none of a plain one."""
    return network.columns if isinstance(network, ColumnNetwork) else ()


def _with_columns(network: Network, columns: tuple[Network, ...], change: Callable[[Tree], Tree]) -> Network:
    """Return a network with its own arrays changed and these columns."""
    trunk, heads, memories = change([network.trunk, network.heads, network.memories])
    own: dict[str, Any] = {"trunk": trunk, "heads": heads, "memories": memories}
    return replace(network, **own, columns=columns) if isinstance(network, ColumnNetwork) else replace(network, **own)


def source_widths(columns: Sequence[Network], sources: Sequence[Source]) -> tuple[int, ...]:
    """Return how wide each of some sources is."""
    return tuple(columns[c].units[level - 1] if level else columns[0].inputs for c, level in sources)


@dataclass(frozen=True, eq=False)
class ColumnInputs:
    """The layer from inputs X to [h | S₁ | S₂ | …]: what the first hidden layer begins with, and all side inputs.

    Each column runs once, without dropout, in order, for a later one may read the earlier. Nothing of it trains, so
    there is no way back: dX is None.
    """

    columns: Sequence[Network]
    reads: Sequence[Sequence[Source]]

    @property
    def held(self) -> list[Any]:
        """The parameters of the columns, which are none of the layer's own."""
        return [column.trunk for column in self.columns]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ColumnInputs) or self.reads != other.reads or len(self.columns) != len(other.columns):
            return False
        return self is other or all(map(_same, self.columns, other.columns))

    def __hash__(self) -> int:
        return hash(tuple(self.reads))

    def __call__(self, p: Parameters, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
        """Run the columns on X (N, D) and return what is read of them."""
        outputs: list[list[Array]] = []
        for column in self.columns:
            if isinstance(column, ColumnNetwork):
                hidden = column.outputs_above(_read(column.reads, outputs, X))
            else:
                hidden = column.hidden_outputs(X)
            outputs.append([X, *hidden])
        return _read(self.reads, outputs, X), lambda dY: (None, {})


def _read(reads: Sequence[Sequence[Source]], outputs: list[list[Array]], X: Array) -> Array:
    arrays = [outputs[column][level] if level else X for sources in reads for column, level in sources]
    return array_module(X).concatenate(arrays, -1) if len(arrays) > 1 else arrays[0]


def _same(one: Network, other: Network) -> bool:
    """Report whether two columns make the same of the same inputs, to the bit."""
    if one is other:
        return True
    reads = [each.reads if isinstance(each, ColumnNetwork) else () for each in (one, other)]
    mine, theirs = dict(leaves(one.trunk)), dict(leaves(other.trunk))
    return (
        (one.activations, one.layers, reads[0]) == (other.activations, other.layers, reads[1])
        and mine.keys() == theirs.keys()
        and all(w.shape == theirs[key].shape and bool((w == theirs[key]).all()) for key, w in mine.items())
    )
