"""Merging: a grown network and the column that it stands on as one network, all of which may train."""

from npnet.arguments import checked
from npnet.arrays import array_module
from npnet.columns.laterals import joined
from npnet.columns.network import ColumnNetwork, columns_of
from npnet.layers import linear
from npnet.network import Network

__all__ = ["merged"]


@checked
def merged(network: Network) -> Network:
    """Return a grown network as one without columns, which computes the same, and in which everything may train.

    Raises ValueError for a network that did not grow so: its first layer reads the last or the last but one of its one
    column.
    """
    columns = columns_of(network)
    depth = columns[0].depth if len(columns) == 1 else -1
    if not isinstance(network, ColumnNetwork) or network.reads[0] not in (((0, depth),), ((0, depth - 1),)):
        reads = network.reads if isinstance(network, ColumnNetwork) else ()
        raise ValueError(f"network reads {reads} from {len(columns)} columns; expected a grown one")
    (old,) = columns
    new, lower, above = network.trunk, old.trunk, []
    dropout, activations = old.dropout + network.dropout, old.activations + network.activations
    if network.reads[0] == ((0, depth - 1),):
        xp = array_module(new[0]["W"])
        wide = {key: xp.concatenate([new[0][key], lower[-1][key]], -1) for key in ("W", "b")}
        lower, above, new, dropout = lower[:-1], [wide], new[1:], old.dropout[:-1] + network.dropout
        activations = old.activations[:-1] + network.activations
    layers = (linear,) * len([*lower, *above]) + (joined,) * len(new)
    return Network(
        [*lower, *above, *new], network.heads, activations, dropout, {}, layers, 0, joined, old.input_dropout
    )
