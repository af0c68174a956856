"""A new multi-layer perceptron: layers that a generator draws one after the other, heads on top."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import DTypeLike

from npnet.arrays import cast, shown
from npnet.initialisers import Initialiser, glorot
from npnet.layers import Layer, Shared, linear
from npnet.network import Network

__all__ = ["mlp"]


def mlp(
    widths: Sequence[int],
    heads: dict[str, int],
    rng: np.random.Generator,
    initialise: Initialiser = glorot,
    activation: Layer | str = "relu",
    dropout: float | Sequence[float] = (),
    dtype: DTypeLike = np.float32,
    patches: int = 1,
) -> Network:
    """Return a new network: widths (inputs, hidden, …, hidden), heads {name: classes}, all drawn from rng in order.

    Numbers are drawn in float64 and then rounded, so that every precision starts from the same network. patches: the
    first hidden layer is shared over so many equal pieces of an input; its width counts its channels. dropout: the rate
    after each hidden layer, or one number for all of them.
    Raises ValueError for fewer than two widths or any that is no whole number from one, heads likewise, a generator or
    a dtype that is none, patches that do not divide the inputs, and as `Network` does.
    """
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng is {rng!r}; expected a generator, as npnet.generator(0)")
    if not isinstance(heads, Mapping):
        raise ValueError(f"heads is {heads!r}; expected {{name: classes}}")
    if not isinstance(widths, Sequence | np.ndarray) or isinstance(widths, str):
        raise ValueError(f"widths is {shown(widths)}; expected (inputs, hidden, ..., hidden)")
    try:
        floats = np.dtype(dtype).kind == "f"
    except TypeError:
        floats = False
    if not floats:
        name = getattr(dtype, "__name__", repr(dtype))
        raise ValueError(f"dtype is {name:.80}; expected one of floats, as numpy.float32")
    counts = [*widths, *heads.values()]
    if len(widths) < 2 or not all(isinstance(n, int | np.integer) and n >= 1 for n in counts):
        raise ValueError(
            f"widths is {tuple(widths)}, heads {heads}; expected inputs, hidden layers, classes, whole numbers from 1"
        )
    if not isinstance(patches, int | np.integer) or patches < 1 or widths[0] % patches:
        raise ValueError(f"patches is {patches!r}; expected a number that divides {widths[0]}, the inputs")
    fan_ins = [widths[0] // patches, widths[1] * patches, *widths[2:]]
    trunk = [cast(initialise(rng, *fans), dtype) for fans in zip(fan_ins, widths[1:], strict=False)]
    layers: tuple[Layer, ...] = (Shared(patches), *[linear] * (len(trunk) - 1)) if patches > 1 else ()
    network = Network(trunk, {}, activation, dropout, layers=layers)  # type: ignore[arg-type]
    for name, classes in heads.items():
        network = network.add_head(name, classes, rng, initialise)
    return network
