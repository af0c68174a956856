"""Puts an example together from the functions of an adapter: the chain of layers, the loss, and the penalties.

    value = loss(layer_n(… layer_1(X)), targets) + Σ strength · penalty(parameter)

An adapter hands over a dict of its framework's functions. Every array is of the framework; what is written N, D, K are
its shapes.

    linear(X, W, b)                 X W + b, of (N, D), (D, K), (K,)
    relu, tanh, sigmoid             elementwise
    normalise(X, gamma)             gamma · X / ‖X‖, row by row; a row of zeros stays zero
    cross_entropy(Z, t, w)          Σ w_n (log Σ exp Z_n − Z_n[t_n]) / Σ w; t is a NumPy array of class numbers (N,)
    squared_error(Z, T)             Σ (Z − T)² / 2N
    sum(Z)                          the sum of all numbers
    l2(d, s)                        Σ s d² / 2; d is the parameter minus its anchor, s the scales, both of its shape
    l1(d, s, epsilon)               Σ s √(d² + ε²), or Σ s |d| where ε is 0
    group_lasso(d, s, epsilon)      √D Σ_k √(Σ_d s d² + ε²); the groups are the columns of d (D, K)

Of single points, layers that a network rarely has:

    maximum(X)                      max(X, 0), by the framework's maximum of two
    absolute, erf, elu, softplus    elementwise; elu has α = 1
    clip(X)                         X between 0 and 1
    power_zero(X)                   X to the power 0.0
    guarded_root(X)                 √X where X > 0, else 0: both are computed, and one is chosen
    written_sigmoid(X)              1 / (1 + exp(−X)), written out
    larger(X)                       the larger of X[:, 0] and X[:, 1], by the framework's maximum of two
    largest, product, deviation     of each row: its largest number, product, standard deviation (divided by D)
    cumulative_product(X)           X_1, X_1 X_2, … along each row
    norm, root_of_squares           of each row: the framework's own norm, and √(Σ X²) written out
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from npnet.check.conformance import Example

__all__ = ["value_of"]


def value_of(
    e: Example,
    functions: Mapping[str, Callable[..., Any]],
    arrays: Mapping[str, Any],
    constant: Callable[[Any], Any] = lambda a: a,
) -> Any:
    """Return the value of an example, computed by an adapter's functions.

    arrays: the inputs "X" and the parameters "<layer>/<name>", as the framework's arrays.
    constant: makes an array of the framework from one of NumPy, if it does not take those.

    Raises NotImplementedError that names the function that is missing.
    """

    def function(name: str) -> Callable[..., Any]:
        if name not in functions:
            raise NotImplementedError(f"no {name}")
        return functions[name]

    H = arrays["X"]
    for i, (kind, p) in enumerate(zip(e.layers, e.p, strict=True)):
        if kind == "dropout":
            H = H * constant(e.factors[i])
        else:
            H = function(kind)(H, *(arrays[f"{i}/{name}"] for name in p))
    if e.loss == "cross_entropy":
        w = constant(np.ones(len(e.targets)) if e.weights is None else e.weights)
        if e.class_weights is not None:
            w = w * constant(e.class_weights[e.targets])
        value = function("cross_entropy")(H, e.targets, w)
    else:
        value = function(e.loss)(H, *([constant(e.targets)] if e.loss == "squared_error" else []))
    for q in e.penalties:
        w = arrays[f"{q.layer}/{q.name}"]
        delta = w if q.anchor is None else w - constant(q.anchor)
        s = constant(np.ones(e.p[q.layer][q.name].shape) if q.scale is None else q.scale)
        rounded = [] if q.kind == "l2" else [q.epsilon]
        value = value + q.strength * function(q.kind)(delta, s, *rounded)
    return value
