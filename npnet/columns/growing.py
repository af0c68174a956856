"""Growing: more units in the last hidden layer, a new layer on top of it, or both; the rest comes from the source.

New units are drawn at random, and learn at another pace than those that have learned before. Bringing old and new
activations to lengths of their own, each with a learned scale, reconciles the two.
"""

from dataclasses import replace
from functools import partial

import numpy as np

from npnet.arguments import checked
from npnet.arrays import Array, array_module
from npnet.columns.column import add_column
from npnet.columns.laterals import fan_in
from npnet.columns.merging import merged
from npnet.columns.network import columns_of
from npnet.data import Task, batch
from npnet.initialisers import Initialiser
from npnet.layers import Parameters, linear
from npnet.methods.method import Method
from npnet.methods.policies import TopLayers
from npnet.network import Network
from npnet.policies import FineTuning

__all__ = ["growing"]

_LOOK = 1_000  # training inputs that say how long activations are


@checked
def growing(
    wider: int = 0,
    deeper: int = 0,
    normalised: bool = True,
    noise: float | None = None,
    trained: int | None = None,
) -> Method:
    """Return the method that grows the last hidden layer by `wider` units and puts a layer of `deeper` units on top.

    normalised: whoever reads a block of activations h, old or new, reads γ h/‖h‖₂ with a learned γ for each unit, which
    begins as the mean length of that block on training inputs. noise: None draws the new units at random; a
    number copies the first `wider` old ones and adds normal noise of that many times their weights' standard deviation.
    trained: how many of the old hidden layers train as well, from the top; 0 trains the new part and the head alone,
    None everything. With 0 the old network stays whole as a column; else old and new are `merged`, without old heads.

    Raises ValueError where nothing grows, for negative numbers, for noise without copies, and in its surgery for more
    copies than there are units, or a network of several columns.
    Source: Wang et al. 2017, as the lecture of 2018 shows it.
    """
    given = f"wider is {wider}, deeper {deeper}, noise {noise}, trained {trained}"
    if min(wider, deeper) < 0 or not wider + deeper or (noise or 0) < 0 or (trained or 0) < 0:
        raise ValueError(f"{given}; expected some growth and no negative number")
    if noise is not None and not wider:
        raise ValueError(f"{given}; expected noise only where units are added to a layer")
    surgery = partial(_grown, wider=wider, deeper=deeper, normalised=normalised, noise=noise, whole=trained == 0)
    policy = TopLayers(trained + bool(deeper)) if trained else FineTuning()
    return Method("+".join(["wider"] * bool(wider) + ["deeper"] * bool(deeper)), surgery, policy=policy)


def _grown(
    network: Network,
    task: Task,
    rng: np.random.Generator,
    initialise: Initialiser,
    wider: int,
    deeper: int,
    normalised: bool,
    noise: float | None,
    whole: bool,
) -> Network:
    """Return the grown network, with the old one whole as a column or merged with it."""
    top = network.depth
    if columns := columns_of(network):
        raise ValueError(f"network has {len(columns)} columns; expected one that reads its inputs alone")
    if not all(layer is linear for layer in network.layers):
        raise ValueError(f"network has hidden layers {network.layers}; expected linear ones alone")
    if not top:
        raise ValueError("network has no hidden layer; expected one that can grow")
    old, below = ((0, top),), ((0, top - 1),)
    widths = [width for width in (wider, deeper) if width]
    reads = [below, old, ()] if wider and deeper else [below, old] if wider else [old, ()]
    grown = add_column(network, task, widths, reads, rng, initialise)
    n = len(widths)
    grown = replace(grown, dropout=network.dropout[-1:] * n, activation=network.activations[-1:] * n)
    if noise is not None:
        _copy(network.trunk[-1], grown.trunk[0], noise, rng)
    if normalised:
        _normalise(grown, task, skip=1 if wider else 0)
    return grown if whole else merged(grown)


def _copy(old: Parameters, new: Parameters, noise: float, rng: np.random.Generator) -> None:
    """Let new units begin as the first of the old ones, with noise on their weights."""
    units = new["b"].shape[-1]
    if units > old["b"].shape[-1]:
        raise ValueError(f"wider is {units}; expected at most {old['b'].shape[-1]} where old units are copied")
    W = old["W"][:, :units]
    jitter = array_module(W).asarray(rng.standard_normal(W.shape).astype(W.dtype))
    new["W"][...] = W + W.dtype.type(noise) * W.std() * jitter
    new["b"][...] = old["b"][:units]


def _normalise(grown: Network, task: Task, skip: int) -> None:
    """Give every reader of old or new blocks, but the first `skip`, a γ for each unit: that block's mean length."""
    state = batch(task.train, slice(0, _LOOK), grown.dtype)
    xp = array_module(state)

    def lengths(block: Array) -> Array:
        mean = xp.sqrt((block * block).sum(-1)).mean()  # over (N,) rows
        return xp.full(block.shape[-1], xp.where(mean > 0, mean, 1), block.dtype)

    for i, (layer, p) in enumerate(grown.path(task.name)):
        if i > skip:  # link 0 are the column inputs
            own, taken = p["W"].shape[0], fan_in(p)
            p["gamma"] = lengths(state[:, :own])
            if taken > own:
                p["gamma_lateral"] = lengths(state[:, own:taken])
        state, _ = layer(p, state)
