"""A new multi-layer perceptron: layers that a generator draws one after the other, heads on top."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import DTypeLike

from npnet.arguments import checked
from npnet.arrays import cast
from npnet.initialisers import Initialiser, glorot
from npnet.layers import Layer, Shared, linear
from npnet.network import Network

__all__ = ["mlp"]


@checked
def mlp(
    widths: Sequence[int],
    heads: Mapping[str, int],
    rng: np.random.Generator,
    initialise: Initialiser = glorot,
    activation: Layer | str | Sequence[Layer | str] = "relu",
    dropout: float | Sequence[float] = (),
    dtype: DTypeLike = np.float32,
    patches: int = 1,
    input_dropout: float = 0.0,
) -> Network:
    """Return a new network: widths (inputs, hidden, …, hidden), heads {name: classes}, all drawn from rng in order.

    Numbers are drawn in float64 and then rounded, so that every precision starts from the same network. With the inputs
    alone for widths the heads are linear classifiers. activation, and dropout, a rate: one for all hidden layers, or
    one for each. patches: the first hidden layer is shared over so many equal pieces of an input; its width counts its
    channels. input_dropout: the rate at which inputs drop out.
    Raises ValueError for widths or classes that are no whole numbers from one, a generator or a dtype that is none,
    patches that do not divide the inputs or have no hidden layer, and as `Network` does.
    """
    try:
        floats = np.dtype(dtype).kind == "f"
    except TypeError:
        floats = False
    if not floats:
        name = getattr(dtype, "__name__", repr(dtype))
        raise ValueError(f"dtype is {name:.80}; expected one of floats, as numpy.float32")
    counts = [*widths, *heads.values()]
    if len(widths) < 1 or min(counts) < 1:
        raise ValueError(
            f"widths is {tuple(widths)}, heads {heads}; expected inputs, hidden layers, classes, whole numbers from 1"
        )
    if patches < 1 or widths[0] % patches:
        raise ValueError(f"patches is {patches!r}; expected a number that divides {widths[0]}, the inputs")
    if patches > 1 and len(widths) == 1:
        raise ValueError(f"patches is {patches}; expected 1 where there is no hidden layer")
    fan_ins = [widths[0] // patches, *(width * patches for width in widths[1:2]), *widths[2:]]
    trunk = [cast(initialise(rng, *fans), dtype) for fans in zip(fan_ins, widths[1:], strict=False)]
    tops = {name: cast(initialise(rng, fan_ins[-1], classes), dtype) for name, classes in heads.items()}
    layers: tuple[Layer, ...] = (Shared(patches), *[linear] * (len(trunk) - 1)) if patches > 1 else ()
    return Network(trunk, tops, activation, dropout, layers=layers, input_dropout=input_dropout)  # type: ignore[arg-type]
