"""Modular: an untrained network in parallel with the frozen source network; a head that sees both of them.

For small targets: the source network stays as it is, and the module next to it learns the rest.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from npnet.arguments import checked
from npnet.columns.column import add_column
from npnet.columns.network import columns_of
from npnet.data import Task
from npnet.initialisers import Initialiser
from npnet.methods.method import Method
from npnet.network import Network
from npnet.policies import FineTuning, Mask

__all__ = ["modular"]


@checked
def modular(
    stitched: Sequence[int] | None = (), widths: Sequence[int] | None = None, policy: Callable[..., Mask] | None = None
) -> Method:
    """Return the method that adds a module, whose layers read the source's layers `stitched` as well as their own.

    stitched: numbers of the source's hidden layers, from 1; () for none, None for all but the last, which the head sees
    anyway. widths: of the module's hidden layers, by default those of the source. The surgery raises ValueError where a
    number has no layer above it in the module. Source: Anderson et al. 2017, as the review of 2017 describes it.
    """
    surgery = partial(_with_module, stitched=stitched, widths=widths)
    return Method("modular", surgery, policy=policy or FineTuning())


def _with_module(
    network: Network,
    task: Task,
    rng: np.random.Generator,
    initialise: Initialiser,
    stitched: Sequence[int] | None,
    widths: Sequence[int] | None,
) -> Network:
    """Return the network with a module next to it."""
    new = list(widths or network.units)
    source = len(columns_of(network))
    possible = range(1, min(len(new), network.depth + 1))
    chosen = possible if stitched is None else stitched
    if not set(chosen) <= set(possible):
        raise ValueError(f"stitched is {stitched}; expected numbers among {list(possible)}")
    inside = [((source, i),) if i in chosen else () for i in range(1, len(new))]
    reads = [((0, 0),), *inside, ((source, network.depth),)]
    return add_column(network, task, new, reads, rng, initialise)
