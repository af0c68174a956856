"""Laterals: layers that also read side inputs, which frozen networks, the columns, make of the same examples.

    Y = h W + S L + b                      linear laterals
    Y = h W + relu(Σⱼ aⱼ Sⱼ Vⱼ) U + b       adapters, aⱼ a learned number (Rusu et al. 2016, equation 2)
    h ← γ h/‖h‖, S ← γ′ S/‖S‖               before either, each block brought to a learned length (Wang et al. 2017)

h is what the layer's own network hands up, S its side inputs. Which of these a layer is, and how wide h and S are,
follows from the names and shapes of its parameters. Between layers travels one array, [h | S₁ | S₂ | …]: each layer
takes h and its own side inputs from the front, puts its output in their place, and passes the rest through.
"""

from dataclasses import dataclass
from functools import partial
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from npnet.activations import relu
from npnet.arrays import Array, array_module
from npnet.layers import Back, Dropout, Layer, MadeOfLinear, Parameters, chain, linear, normalise

__all__ = ["SideDropout", "WithSideInputs", "fan_in", "joined"]


def fan_in(p: Parameters) -> int:
    """Return how many columns of its input a layer takes: the width of h and of its side inputs."""
    return sum(w.shape[0] for w in (p["W"], *([p["L"]] if "L" in p else ()), *_projections(p)))


def _projections(p: Parameters) -> list[Array]:
    return [p[f"V{j}"] for j in range(len(p["a"]))] if "a" in p else []


def joined(
    p: Parameters, X: Array, rng: np.random.Generator | None = None, form: Layer = linear, sides: bool = True
) -> tuple[Array, Back]:
    """Y = h W + lateral(S) + b for X = [h | S], (N, D + E); W (D, K), b (K,), Y (N, K).

    Linear laterals: L (E, K), or none where E is 0. Adapters: Vⱼ (Eⱼ, M), a (J,) for each of J blocks of S, U (M, K).
    With gamma (D,) or (1,) h is normalised first, with gamma_lateral S is. form: that of h W + b. sides: whether dX
    goes on to S; otherwise it is that of h alone. Raises ValueError where X is not as wide as p takes.
    """
    if X.shape[-1] != fan_in(p):
        raise ValueError(f"X has shape {X.shape}; expected (N, {fan_in(p)}), the widths of {', '.join(p)} together")
    D = p["W"].shape[0]
    own = _scaled(linear, "gamma") if "gamma" in p else form
    Y, back_own = own(p, X[:, :D])
    lateral = _adapted if "U" in p else _lateral if "L" in p else None
    if lateral is None:
        return Y, back_own
    side = _scaled(lateral, "gamma_lateral") if "gamma_lateral" in p else partial(lateral, sides=sides)
    Z, back_side = side(p, X[:, D:])

    def back(dY: Array) -> tuple[Array, Parameters]:
        (dh, dp), (dS, dp_side) = back_own(dY), back_side(dY)
        dX = array_module(dY).concatenate([dh, dS], -1) if sides else dh
        return dX, {key: (dp | dp_side)[key] for key in p}

    return Y + Z, back


def _scaled(layer: Layer, name: str) -> Layer:
    """Return the layer on rows that are brought to the learned length p[name] first."""

    def scaled(p: Parameters, X: Array) -> tuple[Array, Back]:
        Y, back_chain = chain(normalise, layer)([{"gamma": p[name]}, p], X)

        def back(dY: Array) -> tuple[Array, Parameters]:
            dX, (length, dp) = back_chain(dY)
            return dX, {**dp, name: length["gamma"]}

        return Y, back

    return scaled


def _lateral(p: Parameters, S: Array, rng: np.random.Generator | None = None, sides: bool = True) -> tuple[Array, Back]:
    """S L, and its way back."""
    L = p["L"]
    return S @ L, lambda dZ: ((L @ dZ.T).T if sides else None, {"L": S.T @ dZ})


def _adapted(p: Parameters, S: Array, rng: np.random.Generator | None = None, sides: bool = True) -> tuple[Array, Back]:
    """relu(Σⱼ aⱼ Sⱼ Vⱼ) U, and its way back."""
    a, U, Vs = p["a"], p["U"], _projections(p)
    blocks = [S[:, start:end] for start, end in pairwise([0, *accumulate(len(V) for V in Vs)])]
    projected = [block @ V for block, V in zip(blocks, Vs, strict=True)]  # (N, M) each
    A, back_relu = relu({}, sum(a[j] * each for j, each in enumerate(projected)))

    def back(dZ: Array) -> tuple[Any, Parameters]:
        xp = array_module(S)
        dA, _ = back_relu((U @ dZ.T).T)
        scaled = [a[j] * dA for j in range(len(Vs))]
        dS = xp.concatenate([(V @ each.T).T for V, each in zip(Vs, scaled, strict=True)], -1) if sides else None
        dp = {f"V{j}": block.T @ each for j, (block, each) in enumerate(zip(blocks, scaled, strict=True))}
        dp["a"] = xp.stack([(each * dA).sum() for each in projected])
        dp["U"] = A.T @ dZ
        return dS, dp

    return A @ U, back


@dataclass(frozen=True)
class WithSideInputs(MadeOfLinear):
    """The layer [h | S | rest] → [above(joined([h | S])) | rest], `above` an activation, dropout or nothing.

    S and the rest come from frozen networks: they count as constants, and the way back has zeros for them.
    """

    above: tuple[Layer, ...] = ()

    def __call__(
        self, p: Parameters, X: Array, rng: np.random.Generator | None = None, form: Layer = linear
    ) -> tuple[Array, Back]:
        """Return [above(joined([h | S])) | rest] and the way back. Raises ValueError for X narrower than p takes."""
        taken, D = fan_in(p), p["W"].shape[0]
        Y, back_joined = joined(p, X[:, :taken], rng, form, sides=False)
        backs: list[Back] = []
        for layer in self.above:
            Y, back_one = layer({}, Y, rng)
            backs.append(back_one)
        K, xp = Y.shape[-1], array_module(X)

        def back(dY: Array) -> tuple[Any, Parameters]:
            dY = dY[:, :K]
            for back_one in reversed(backs):
                dY, _ = back_one(dY)
            dX, dp = back_joined(dY)
            if dX is None or X.shape[-1] == D:
                return dX, dp
            return xp.concatenate([dX, xp.zeros((len(dX), X.shape[-1] - D), dX.dtype)], -1), dp

        return (xp.concatenate([Y, X[:, taken:]], -1) if taken < X.shape[-1] else Y), back


@dataclass(frozen=True)
class SideDropout(Dropout):
    """Dropout of h in [h | rest], the first `width` values; the rest is passed through."""

    width: int = 0

    def __call__(self, p: Parameters, X: Array, rng: np.random.Generator | None = None) -> tuple[Array, Back]:
        """Return Y and the way back."""
        Y, back_own = super().__call__(p, X[:, : self.width], rng)
        xp, rest = array_module(X), X[:, self.width :]

        def back(dY: Array) -> tuple[Array, Parameters]:
            return xp.concatenate([back_own(dY[:, : self.width])[0], dY[:, self.width :]], -1), {}

        return xp.concatenate([Y, rest], -1), back
