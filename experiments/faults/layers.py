"""Faults in layers, on the way forward and on the way back."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from experiments.faults.fault import Fault, altered, layer_fault
from npnet import Dropout, chain, joined, linear, normalise, relu, sigmoid, tanh
from npnet.check import check_equal, check_mean

__all__ = ["layer_faults"]

Arguments = tuple[Any, Any]


def _maps(*shape: int, N: int = 5) -> Any:
    def arguments(rng: np.random.Generator) -> Arguments:
        p = {"W": rng.standard_normal(shape), "b": rng.standard_normal((*shape[:-2], shape[-1]))}
        return rng.standard_normal((N, shape[-2])), p

    return arguments


def _plain(rng: np.random.Generator) -> Arguments:
    return rng.standard_normal((6, 5)), {}


def _at_zeros(rng: np.random.Generator) -> Arguments:
    return np.where(rng.random((6, 5)) < 0.3, 0.0, rng.standard_normal((6, 5))), {}


def _rows(rng: np.random.Generator) -> Arguments:
    return rng.standard_normal((5, 4)), {"gamma": rng.random(4) + 0.5}


def _rows_of_zeros(rng: np.random.Generator) -> Arguments:
    X, p = _rows(rng)
    X[1] = 0.0
    return X, p


def _adapter(rng: np.random.Generator) -> Arguments:
    shapes = {"W": (3, 2), "b": (2,), "V0": (1, 3), "V1": (3, 3), "a": (2,), "U": (3, 2)}
    return rng.standard_normal((5, 7)), {name: rng.standard_normal(shape) for name, shape in shapes.items()}


def _relu_open(p: Any, X: Any, rng: Any = None) -> Any:
    gate = X.real >= 0
    return X * gate, lambda dY: (dY * gate, {})


def _guided(p: Any, X: Any, rng: Any = None) -> Any:
    gate = X.real > 0
    return X * gate, lambda dY: (dY * gate * (dY.real > 0), {})


def _sloped(f: Any, slope: Any) -> Any:
    def layer(p: Any, X: Any, rng: Any = None) -> Any:
        Y = f(p, X)[0]
        return Y, lambda dY: (dY * slope(X, Y), {})

    return layer


def _replicated(p: Any, X: Any, rng: Any = None) -> Any:
    """`linear` for R replicates that share their inputs: X (N, D), W (R, D, K), b (R, K), Y (R, N, K)."""
    W, b = p["W"], p["b"]
    return X @ W + b[:, None], lambda dY: ((W @ dY.mT).mT.sum(0), {"W": X.T @ dY, "b": dY.sum(-2)})


def _drawn_again(p: Any, X: Any, rng: Any = None) -> Any:
    Y, _ = Dropout(0.4)(p, X, rng)
    return Y, lambda dY: (Dropout(0.4)(p, dY, rng)[0], {})


def _stale() -> Any:
    kept: dict[str, Any] = {}

    def layer(p: Any, X: Any, rng: Any = None) -> Any:
        kept["back"] = linear(p, X)[1]
        return linear(p, X)[0], lambda dY: kept["back"](dY)

    return layer


def _in_place(p: Any, X: Any, rng: Any = None) -> Any:
    def back(dY: Any) -> Any:
        dY *= 1 - np.tanh(X) ** 2
        return dY, {}

    return np.tanh(X), back


def _overwritten(p: Any, X: Any, rng: Any = None) -> Any:
    p["b"] += 1e-3  # as an optimizer step inside of a forward pass does
    return linear(p, X)


def _residual(skip: float) -> Any:
    def layer(p: Any, X: Any, rng: Any = None) -> Any:
        Y, back = tanh(p, X)
        return X + Y, lambda dY: (skip * dY + back(dY)[0], {})

    return layer


def _not_a_number(dX: Any, dp: Any, dY: Any, p: Any, X: Any) -> Any:
    return np.where((X.real == 0).all(-1, keepdims=True), np.nan, dX), dp


def _columns(dX: Any, dp: Any, dY: Any, p: Any, X: Any) -> Any:
    length = np.sqrt((X * X).sum(0, keepdims=True))
    U, G = X / length, p["gamma"] * dY
    return (G - U * (U * G).sum(0, keepdims=True)) / length, dp


def _unit(X: Any) -> Any:
    return X / np.sqrt((X * X).sum(-1, keepdims=True))


def _never_rescaled(strength: float, seed: int) -> Any:
    X = np.random.default_rng(seed).random((2, 3)) + 0.5
    keep = 0.6**strength  # what is left of 1/(1 − rate)

    def draw(i: int) -> Any:
        return keep * Dropout(0.4)({}, X, np.random.default_rng((seed, i)))[0]

    Y = draw(0)
    kept = {"kept": np.where(Y == 0, X, (1 - 0.4) * Y)}
    return {"mean": check_mean(draw, X, 400), "law": check_equal(kept, {"kept": X})}


def _at_inference(strength: float, seed: int) -> Any:
    X = np.random.default_rng(seed).random((2, 3)) + 0.5

    def draw(i: int) -> Any:
        drawn = Dropout(0.4)({}, X, np.random.default_rng((seed, i)))[0]
        return X + strength * (drawn - X)

    return {"law": check_equal({"Y": draw(0)}, {"Y": X})}


def layer_faults() -> Iterator[Fault]:
    """Yield them."""
    square = _maps(4, 4, N=4)
    yield layer_fault(
        "linear: dW transposed", linear, altered(linear, lambda dX, dp, *_: (dX, {**dp, "W": dp["W"].T})), square
    )
    yield layer_fault("linear: dX = dY W", linear, altered(linear, lambda dX, dp, dY, p, X: (dY @ p["W"], dp)), square)
    yield layer_fault(
        "linear: db along the wrong axis",
        linear,
        altered(linear, lambda dX, dp, dY, *_: (dX, {**dp, "b": dY.sum(1)})),
        square,
    )
    yield layer_fault(
        "linear: db a mean", linear, altered(linear, lambda dX, dp, dY, *_: (dX, {**dp, "b": dY.mean(0)})), _maps(4, 3)
    )
    yield layer_fault(
        "linear: last example left out of dW",
        linear,
        altered(linear, lambda dX, dp, dY, p, X: (dX, {**dp, "W": X[:-1].T @ dY[:-1]})),
        _maps(4, 3),
    )
    yield layer_fault(
        "linear: dX a mean over replicates",
        _replicated,
        altered(_replicated, lambda dX, dp, *_: (dX / 3, dp)),
        _maps(3, 4, 2),
    )
    yield layer_fault("relu: the gate of dY, not of X", relu, _guided, _plain)
    yield layer_fault("relu: slope 1 at the kink", relu, _relu_open, _at_zeros, kinked=True)
    yield layer_fault("tanh: slope 1 − Y", tanh, _sloped(tanh, lambda X, Y: 1 - Y), _plain)
    yield layer_fault("tanh: slope 1 − X²", tanh, _sloped(tanh, lambda X, Y: 1 - X * X), _plain)
    yield layer_fault("sigmoid: slope Y", sigmoid, _sloped(sigmoid, lambda X, Y: Y), _plain)
    yield layer_fault(
        "dropout: no mask on the way back",
        Dropout(0.4),
        altered(Dropout(0.4), lambda dX, dp, dY, *_: (dY / 0.6, dp)),
        _plain,
        drop=True,
    )
    yield layer_fault(
        "dropout: not rescaled on the way back",
        Dropout(0.4),
        altered(Dropout(0.4), lambda dX, dp, *_: (0.6 * dX, dp)),
        _plain,
        drop=True,
    )
    yield layer_fault("dropout: drawn again on the way back", Dropout(0.4), _drawn_again, _plain, drop=True)
    yield Fault("layers", "dropout: never rescaled", _never_rescaled)
    yield Fault("layers", "dropout: at inference", _at_inference)
    yield layer_fault(
        "normalise: projection forgotten",
        normalise,
        altered(normalise, lambda dX, dp, dY, p, X: (p["gamma"] * dY / np.sqrt((X * X).sum(-1, keepdims=True)), dp)),
        _rows,
    )
    yield layer_fault("normalise: columns on the way back", normalise, altered(normalise, _columns), _rows)
    yield layer_fault(
        "normalise: dγ from γU",
        normalise,
        altered(normalise, lambda dX, dp, dY, p, X: (dX, {"gamma": (dY * p["gamma"] * _unit(X)).sum(0)})),
        _rows,
    )
    nan = altered(normalise, _not_a_number)
    yield layer_fault("normalise: NaN at a row of zeros", normalise, nan, _rows_of_zeros, kinked=True)
    yield layer_fault("chain: a way back that the next call replaces", linear, _stale(), _maps(4, 3))
    yield layer_fault("residual: skip forgotten on the way back", _residual(1.0), _residual(0.0), _plain)
    yield layer_fault("tanh: dY overwritten", tanh, _in_place, _plain)
    yield layer_fault("linear: parameters moved by the call", linear, _overwritten, _maps(4, 3))
    yield layer_fault(
        "adapter: factor a never learns",
        joined,
        altered(joined, lambda dX, dp, *_: (dX, {**dp, "a": 0 * dp["a"]})),
        _adapter,
    )
    body = chain(linear, tanh)
    yield layer_fault(
        "chain: a slope taken twice",
        _two(body),
        _two(chain(linear, _sloped(tanh, lambda X, Y: (1 - Y * Y) ** 2))),
        _maps(4, 3),
    )


def _two(body: Any) -> Any:
    """Return a chain of a linear map and an activation, whose parameters are those of the map."""

    def layer(p: Any, X: Any, rng: Any = None) -> Any:
        Y, back = body([p, {}], X)

        def way(dY: Any) -> Any:
            dX, dp = back(dY)
            return dX, dp[0]

        return Y, way

    return layer
