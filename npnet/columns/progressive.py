"""Progressive columns: a network of its own for every task, which also reads what all earlier ones make of its inputs.

Hidden layer i of column k reads its own layer i − 1 and layer i − 1 of every earlier column that has one; the head
reads the column's last hidden layer, and those of the same number. Earlier columns never move, so nothing can be
forgotten: their outputs stay the same bits.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from npnet.arguments import checked
from npnet.columns.column import Lateral, add_column
from npnet.columns.network import Source, columns_of
from npnet.data import Task
from npnet.initialisers import Initialiser
from npnet.methods.method import Method
from npnet.network import Network
from npnet.policies import FineTuning, Mask

__all__ = ["progressive"]


@checked
def progressive(
    lateral: Lateral = "linear", widths: Sequence[int] | None = None, policy: Callable[..., Mask] | None = None
) -> Method:
    """Return the method that adds a column: linear laterals, or adapters U relu(V (a h)) (see laterals).

    widths: of the new hidden layers, by default those of the column before. Raises ValueError for an unknown lateral.
    Source: Rusu et al. 2016, section 2; adapters: equation 2. Here a learned number scales each earlier column.
    """
    if lateral not in ("linear", "adapter"):
        raise ValueError(f"lateral is {lateral!r}; expected 'linear' or 'adapter'")
    name = "progressive" if lateral == "linear" else "progressive, adapters"
    return Method(name, partial(_with_column, lateral=lateral, widths=widths), policy=policy or FineTuning())


def _with_column(
    network: Network,
    task: Task,
    rng: np.random.Generator,
    initialise: Initialiser,
    lateral: Lateral,
    widths: Sequence[int] | None,
) -> Network:
    """Return the network with one more column, which reads all earlier ones."""
    new = list(widths or network.units)
    depths = [column.depth for column in (*columns_of(network), network)]

    def level(i: int) -> tuple[Source, ...]:
        return tuple((column, i) for column, depth in enumerate(depths) if i <= depth)

    reads = [((0, 0),), *(level(i) for i in range(1, len(new))), level(len(new))]
    return add_column(network, task, new, reads, rng, initialise, lateral)
