"""Linear probes: a linear classifier on what one hidden layer makes of the inputs, everything below it frozen.

A probe for an old task after a new one was learned tells a lost head from lost features: what it recovers was never
forgotten: it was still in the features.
"""

from functools import partial

import numpy as np

from npnet.arguments import checked
from npnet.data import Task
from npnet.initialisers import Initialiser
from npnet.methods.method import Method, new_head
from npnet.methods.policies import HeadOnly
from npnet.network import Network

__all__ = ["probe"]


@checked
def probe(layer: int | None = None) -> Method:
    """Return the method that trains a new head on hidden layer `layer`, from 1; by default on the last.

    The network it leaves ends with that layer and has this head alone. Raises ValueError for a layer below 1; its
    surgery does where there is no such layer. Source: the third scenario of the review of 2017, and methods that read
    features off lower layers.
    """
    if layer is not None and layer < 1:
        raise ValueError(f"layer is {layer}; expected the number of a hidden layer, from 1")
    return Method("probe" if layer is None else f"probe {layer}", partial(_cut_off, layer=layer), policy=HeadOnly())


def _cut_off(
    network: Network, task: Task, rng: np.random.Generator, initialise: Initialiser, layer: int | None
) -> Network:
    """Return the lowest hidden layers with a new head on them."""
    top = network.depth if layer is None else layer
    if top > network.depth:
        raise ValueError(f"layer is {layer}; expected at most {network.depth}, the hidden layers that there are")
    return new_head(network.truncated(top), task, rng, initialise)
