"""A new column: untrained layers next to a network that is frozen from now on, and whose activations they read."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from npnet.arrays import array_module, cast, to_device
from npnet.columns.network import ColumnNetwork, Source, columns_of, source_widths
from npnet.data import Task
from npnet.initialisers import Initialiser
from npnet.layers import Parameters
from npnet.network import Network

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
) -> ColumnNetwork:
    """Return a network with new hidden layers of these widths and a head for the task; the given one is a column of it.

    reads: what the first hidden layer begins with, the side inputs of each later one and of the head. Linear laterals
    are drawn together with W, for they are more of its fan-in. Adapters (Rusu et al. 2016, section 2) project to as
    many units as the layer below has, and begin with a uniform on [0, 0.1): the source's "small random value". New
    layers have the activations and the dropout of the old ones, those above have the last of these.
    """
    mine = replace(network.copy(), memories={})
    columns = (*columns_of(mine), mine)
    own, new = sum(source_widths(columns, reads[0])), list[Parameters]()
    for fan_out, beside in zip([*widths, task.outputs], [(), *reads[1:]], strict=True):
        p = _draw(own, source_widths(columns, beside), fan_out, rng, initialise, lateral)
        new.append(to_device(cast(p, network.dtype), array_module(network.first)))
        own = fan_out
    dropout = (network.dropout + network.dropout[-1:] * len(widths))[: len(widths)]
    activations = (network.activations + network.activations[-1:] * len(widths))[: len(widths)]
    sources = tuple(tuple(each) for each in reads)
    return ColumnNetwork(new[:-1], {task.name: new[-1]}, activations or "relu", dropout, columns=columns, reads=sources)


def _draw(
    own: int, sides: Sequence[int], fan_out: int, rng: np.random.Generator, initialise: Initialiser, lateral: Lateral
) -> Parameters:
    """Draw the parameters of a layer that has so many own inputs, and so many from each of its sources."""
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
