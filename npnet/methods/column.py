"""A new column: untrained layers beside a network that is frozen from now on, reading some of what it makes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from npnet.arrays import array_module, cast, to_device
from npnet.initialisers import Initialiser
from npnet.laterals import Source
from npnet.layers import Parameters
from npnet.network import Network
from npnet.tasks.data import Task

__all__ = ["Lateral", "add_column"]

Lateral = Literal["linear", "adapter"]


def add_column(
    network: Network,
    task: Task,
    widths: Sequence[int],
    reads: Sequence[Sequence[Source]],
    rng: np.random.Generator,
    initialise: Initialiser,
    lateral: Lateral = "linear",
) -> Network:
    """Return a network with new hidden layers of these widths and a head for the task; the given one is a column of it.

    reads: what the first hidden layer begins with, what each later one and the head read beside their own. Linear
    laterals are drawn together with W, for they are more of its fan-in. Adapters (Rusu et al. 2016, section 2) project
    to as many units as the layer below has, and begin with a uniform on [0, 0.1): the source's "small random value".
    New layers drop out at the rates of the old ones, those above at the last of these.
    """
    mine = network.copy()
    columns = (*mine.columns, replace(mine, columns=(), memories={}))
    bare = Network([], {}, network.activation, (), {}, columns, ((),))
    like, own = network.trunk[-1]["W"], sum(bare.widths(reads[0]))
    new: list[Parameters] = []
    for fan_out, sources in zip([*widths, task.outputs], [(), *reads[1:]], strict=True):
        p = _draw(own, bare.widths(sources), fan_out, rng, initialise, lateral)
        new.append(to_device(cast(p, like.dtype), array_module(like)))
        own = fan_out
    dropout = (network.dropout + network.dropout[-1:] * len(widths))[: len(widths)]
    return replace(bare, trunk=new[:-1], heads={task.name: new[-1]}, dropout=dropout, reads=tuple(map(tuple, reads)))


def _draw(
    own: int, sides: Sequence[int], fan_out: int, rng: np.random.Generator, initialise: Initialiser, lateral: Lateral
) -> Parameters:
    """Draw the parameters of a layer that has so many own inputs, and so many of each source beside them."""
    if not sides:
        return initialise(rng, own, fan_out)
    if lateral == "linear":
        p = initialise(rng, own + sum(sides), fan_out)
        return {"W": p["W"][:own], "b": p["b"], "L": p["W"][own:]}
    p = initialise(rng, own, fan_out)
    projections = initialise(rng, sum(sides), own)["W"]
    ends = np.cumsum([0, *sides])
    p |= {f"V{j}": projections[ends[j] : ends[j + 1]] for j in range(len(sides))}
    return p | {"a": rng.uniform(0, 0.1, len(sides)), "U": initialise(rng, own, fan_out)["W"]}
