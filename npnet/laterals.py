"""Laterals: layers that also read what frozen networks beside them, their columns, make of the same inputs.

    Y = h W + S L + b                      linear laterals
    Y = h W + relu(Σⱼ aⱼ Sⱼ Vⱼ) U + b       adapters, aⱼ a learned number (Rusu et al. 2016, equation 2)
    h ← γ h/‖h‖, S ← γ′ S/‖S‖               before either, each block brought to a learned length (Wang et al. 2017)

h is what the layer's own network hands up, S what the layer reads beside it. Which of these a layer is, and how wide h
and S are, follows from the names and shapes of its parameters. Between layers travels one array, [h | S₁ | S₂ | …]:
each layer takes h and the part that it reads from the front, puts its own output in their place, and hands on the rest.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any, Protocol

import numpy as np

from npnet.arrays import Array, array_module, sum_to
from npnet.layers import Back, Layer, Parameters, chain, linear, normalise, relu

__all__ = ["Column", "Source", "handing_on", "is_plain", "joined", "stem", "takes"]

Source = tuple[int, int]
"""What is read: (column, level). Level 0 of any column are the inputs, level i its hidden layer i's outputs."""


class Column(Protocol):
    """What the stem asks of a frozen network."""

    reads: tuple[tuple[Source, ...], ...]

    def outputs_above(self, state: Array) -> list[Array]:
        """Return each hidden layer's output, from the state in which its first one begins."""


def is_plain(p: Parameters) -> bool:
    """Say whether parameters are those of a linear layer that reads nothing beside it."""
    return p.keys() == {"W", "b"}


def takes(p: Parameters) -> int:
    """Return how many columns of its input a layer takes: the width of h and of what it reads beside it."""
    return sum(w.shape[-2] for key, w in p.items() if key in ("W", "L") or key.startswith("V"))


def joined(p: Parameters, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
    """Y = h W + lateral(S) + b for X = [h | S], (..., N, D + E); W (D, K), b (K,), Y (..., N, K).

    Linear laterals: L (E, K), or none where E is 0. Adapters: Vⱼ (Eⱼ, M), a (J,) for each of J blocks of S, U (M, K).
    With gamma (D,) or (1,) h is normalised first, with gamma_lateral S is. `back(dY, sides=False)` returns the gradient
    with respect to h alone, (..., N, D). Raises ValueError where X is not as wide as p takes.
    """
    if X.shape[-1] != takes(p):
        raise ValueError(f"X has shape {X.shape}; expected (..., N, {takes(p)}), the widths of {', '.join(p)} together")
    D = p["W"].shape[-2]
    Y, back_own = _scaled(p, "gamma", linear)(p, X[..., :D])
    lateral = _adapted if "U" in p else _lateral if "L" in p else None
    back_lateral: Any = None
    if lateral:
        Z, back_lateral = _scaled(p, "gamma_lateral", lateral)(p, X[..., D:])
        Y = Y + Z

    def back(dY: Array, inputs: bool = True, parameters: bool = True, sides: bool = True) -> tuple[Any, Any]:
        dX, dp = back_own(dY, inputs, parameters)
        if back_lateral:
            dS, dp_lateral = back_lateral(dY, inputs and sides, parameters)
            dX = array_module(dX).concatenate([dX, dS], -1) if inputs and sides else dX
            dp = dp | dp_lateral if parameters else None
        return dX, {key: dp[key] for key in p} if parameters else None

    return Y, back


def _scaled(p: Parameters, name: str, layer: Layer) -> Layer:
    """Return the layer on rows that are brought to the learned length p[name] first, where there is one."""
    if name not in p:
        return layer

    def scaled(p: Parameters, X: Array) -> tuple[Array, Back]:
        Y, back_chain = chain(normalise, layer)([{"gamma": p[name]}, p], X)

        def back(dY: Array, inputs: bool = True, parameters: bool = True) -> tuple[Any, Any]:
            dX, dp = back_chain(dY, inputs, parameters)
            return dX, {**dp[1], name: dp[0]["gamma"]} if parameters else None

        return Y, back

    return scaled


def _lateral(p: Parameters, S: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
    """S L, and its way back."""
    L = p["L"]

    def back(dZ: Array, inputs: bool = True, parameters: bool = True) -> tuple[Any, Any]:
        return (L @ dZ.mT).mT if inputs else None, {"L": sum_to(L.shape, S.mT @ dZ)} if parameters else None

    return S @ L, back


def _adapted(p: Parameters, S: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
    """relu(Σⱼ aⱼ Sⱼ Vⱼ) U, and its way back."""
    a, U = p["a"], p["U"]
    Vs = [p[f"V{j}"] for j in range(a.shape[-1])]
    ends = [0, *accumulate(V.shape[-2] for V in Vs)]
    blocks = [S[..., start:end] for start, end in pairwise(ends)]
    factors = [a[..., j, None, None] for j in range(a.shape[-1])]  # (1, 1), or (R, 1, 1) of a population
    projected = [block @ V for block, V in zip(blocks, Vs, strict=True)]  # (..., N, M) each
    A, back_relu = relu({}, sum(factor * each for factor, each in zip(factors, projected, strict=True)))

    def back(dZ: Array, inputs: bool = True, parameters: bool = True) -> tuple[Any, Any]:
        xp = array_module(S)
        dA, _ = back_relu((U @ dZ.mT).mT)
        scaled = [factor * dA for factor in factors]
        dS = dp = None
        if inputs:
            dS = xp.concatenate([(V @ each.mT).mT for V, each in zip(Vs, scaled, strict=True)], -1)
        if parameters:
            dp = {
                f"V{j}": sum_to(V.shape, block.mT @ each)
                for j, (V, block, each) in enumerate(zip(Vs, blocks, scaled, strict=True))
            }
            dp["a"] = sum_to(a.shape, xp.stack([(each * dA).sum((-2, -1)) for each in projected], -1))
            dp["U"] = sum_to(U.shape, A.mT @ dZ)
        return dS, dp

    return A @ U, back


def handing_on(*above: Layer) -> Layer:
    """Return the layer [h | S | rest] → [above(joined([h | S])) | rest], `above` an activation, dropout or nothing.

    S and the rest come from frozen networks: they count as constants, and the way back has zeros for them.
    """

    def layer(p: Parameters, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
        taken, D = takes(p), p["W"].shape[-2]
        Y, back_joined = joined(p, X[..., :taken], rng)
        backs: list[Back] = []
        for each in above:
            Y, one = each({}, Y, rng)
            backs.append(one)
        K = Y.shape[-1]

        def back(dY: Array, inputs: bool = True, parameters: bool = True) -> tuple[Any, Any]:
            dY = dY[..., :K]
            for one in reversed(backs):
                dY, _ = one(dY)
            dX, dp = back_joined(dY, inputs, parameters, sides=False)
            if inputs and X.shape[-1] > D:
                xp = array_module(dX)
                dX = xp.concatenate([dX, xp.zeros((*dX.shape[:-1], X.shape[-1] - D), dX.dtype)], -1)
            return dX, dp

        return (array_module(X).concatenate([Y, X[..., taken:]], -1) if taken < X.shape[-1] else Y), back

    return layer


def stem(columns: Sequence[Column], reads: Sequence[Sequence[Source]]) -> Layer:
    """Return the layer from inputs X to [h | S₁ | S₂ | …]: what the first of some layers begins with, what each reads.

    Each column is run once, without dropout, in order, for a later one may read the earlier. Nothing of it trains, so
    there is no way back: dX is None.
    """

    def layer(p: Parameters, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
        outputs: list[list[Array]] = []
        for column in columns:
            state = read(column.reads, outputs, X) if column.reads else X
            outputs.append([X, *column.outputs_above(state)])
        return read(reads, outputs, X), lambda dY, inputs=True, parameters=True: (None, {} if parameters else None)

    def read(sources: Sequence[Sequence[Source]], outputs: list[list[Array]], X: Array) -> Array:
        arrays = [outputs[column][level] if level else X for of_layer in sources for column, level in of_layer]
        return array_module(X).concatenate(arrays, -1) if len(arrays) > 1 else arrays[0]

    return layer
