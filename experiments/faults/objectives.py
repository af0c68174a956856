"""Faults in losses, in penalties with their proximal steps, in whole objectives and in second derivatives."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from experiments.faults.fault import Fault, between, gradient_fault
from experiments.faults.stepping import HEAD, loss_on, value_and_layers
from npnet import Regularizer, cross_entropy, mlp, squared_error
from npnet.check import check_gradient, check_hessian, check_prox, hessian_vector_product
from npnet.losses import softmax
from npnet.penalties import PENALTIES

__all__ = ["loss_faults", "objective_faults", "penalty_faults", "second_order_faults"]

Change = Callable[..., Any]


def _loss(name: str, right: Callable[..., Any], change: Change) -> Fault:
    """Return the fault of a loss: right(Z, t) with classes or targets t, change(dZ, Z, t) what its gradient becomes."""

    def make(rng: np.random.Generator) -> Any:
        Z = rng.standard_normal((6, 3))
        t = rng.integers(0, 3, 6) if right is not squared_error else rng.standard_normal((6, 3))

        def wrong(Z: Any) -> Any:
            value, dZ = right(Z, t)
            return value, change(dZ, Z, t)

        return (lambda Z: right(Z, t)), wrong, (Z,)

    return gradient_fault("losses", name, make)


def _onehot(t: Any) -> Any:
    return np.eye(3)[t]


CLASS_WEIGHTS = np.array([0.2, 1.0, 3.0])
EXAMPLE_WEIGHTS = np.array([0.5, 1.0, 2.0, 0.1, 0.7, 1.5])
TEMPERATURE = 4.0


def _by_class(Z: Any, t: Any) -> Any:
    return cross_entropy(Z, t, None, CLASS_WEIGHTS)


def _by_example(Z: Any, t: Any) -> Any:
    return cross_entropy(Z, t, EXAMPLE_WEIGHTS)


def _distillation(Z: Any, t: Any) -> Any:
    """CE(teacher, softmax(Z/T)), the teacher's probabilities drawn with the classes t."""
    teacher, f = softmax(_onehot(t) + 0.3), softmax(Z / TEMPERATURE)
    return -(teacher * np.log(f)).sum() / len(Z), (f - teacher) / TEMPERATURE / len(Z)


def _over_examples(dZ: Any, Z: Any, t: Any) -> Any:
    E = np.exp(Z - Z.real.max(0))
    return (E / E.sum(0) - _onehot(t)) / len(Z)


def loss_faults() -> Iterator[Fault]:
    """Yield the faults of losses."""
    yield _loss("cross-entropy: no 1/N", cross_entropy, lambda dZ, Z, t: len(Z) * dZ)
    yield _loss("cross-entropy: 1/N twice", cross_entropy, lambda dZ, Z, t: dZ / len(Z))
    yield _loss(
        "cross-entropy: classes counted from 1", cross_entropy, lambda dZ, Z, t: cross_entropy(Z, (t + 1) % 3)[1]
    )
    yield _loss("cross-entropy: softmax over examples", cross_entropy, _over_examples)
    yield _loss("cross-entropy: class weights forgotten", _by_class, lambda dZ, Z, t: cross_entropy(Z, t)[1])
    yield _loss(
        "cross-entropy: divided by N, not Σw", _by_example, lambda dZ, Z, t: dZ * EXAMPLE_WEIGHTS.sum() / len(Z)
    )
    yield _loss("squared error: sign", squared_error, lambda dZ, Z, t: -dZ)
    yield _loss("squared error: 2 of the square kept", squared_error, lambda dZ, Z, t: 2 * dZ)
    yield _loss("squared error: mean over outputs too", squared_error, lambda dZ, Z, t: dZ / Z.shape[-1])
    yield _loss("distillation: no 1/T", _distillation, lambda dZ, Z, t: TEMPERATURE * dZ)


def _penalty(name: str, kind: str, change: Change, kinked: bool = False) -> Fault:
    """Return the fault of a penalty: change(dw, w, anchor, scale) is what is made of its gradient."""

    def make(rng: np.random.Generator) -> Any:
        w, anchor, scale = rng.standard_normal((4, 3)), rng.standard_normal((4, 3)), rng.random((4, 3)) + 0.1
        if kinked:
            w[:, 0], w[0] = anchor[:, 0], anchor[0]

        def wrong(w: Any) -> Any:
            value, dw = PENALTIES[kind](w, anchor, scale)
            return value, change(dw, w, anchor, scale)

        return (lambda w: PENALTIES[kind](w, anchor, scale)), wrong, (w,)

    return gradient_fault("penalties", name, make, kinked, convex=True)


def _prox(name: str, kind: str, wrong: Callable[..., Any]) -> Fault:
    """Return the fault of a proximal step: wrong(penalty, w, step, anchor, scale)."""

    def reports(strength: float, seed: int) -> Any:
        rng, penalty = np.random.default_rng(seed), PENALTIES[kind]
        w, anchor, scale = rng.standard_normal((4, 3)), rng.standard_normal((4, 3)), rng.random((4, 3)) + 0.1

        def prox(w: Any, step: float) -> Any:
            one = penalty.prox(w, step, anchor, scale)
            return between(one, wrong(penalty, w, step, anchor, scale), strength)

        return {"prox": check_prox(lambda v: penalty(v, anchor, scale), prox, w, 0.05)}

    return Fault("penalties", name, reports)


def penalty_faults() -> Iterator[Fault]:
    """Yield the faults of penalties and their proximal steps."""
    yield _penalty("l2: 2 of the square kept", "l2", lambda dw, *_: 2 * dw)
    yield _penalty("l2: Fisher information squared", "l2", lambda dw, w, a, s: s * dw)
    yield _penalty("l2: anchor forgotten", "l2", lambda dw, w, a, s: s * w)
    yield _penalty("l1: sign of w, not of w − anchor", "l1", lambda dw, w, a, s: s * np.sign(w.real))
    yield _penalty("l1: slope 1 at the kink", "l1", lambda dw, w, a, s: dw + s * (w.real == a), kinked=True)
    yield _penalty("l1: slope 2 at the kink", "l1", lambda dw, w, a, s: dw + 2 * s * (w.real == a), kinked=True)
    yield _penalty("group lasso: no √p", "group_lasso", lambda dw, *_: dw / 2)
    yield _penalty(
        "group lasso: groups are rows",
        "group_lasso",
        lambda dw, w, a, s: PENALTIES["group_lasso"](w.mT, a.mT, s.mT)[1].mT,
    )
    yield _prox("l1: prox without the scale", "l1", lambda q, w, step, a, s: q.prox(w, step, a))
    yield _prox("l2: prox by a gradient step", "l2", lambda q, w, step, a, s: w - step * s * (w - a))
    yield _prox("group lasso: prox of rows", "group_lasso", lambda q, w, step, a, s: q.prox(w.mT, step, a.mT, s.mT).mT)


def _objective(name: str, wrong: Callable[..., Any], mask: tuple[float, ...] = (1.0, 1.0, 1.0)) -> Fault:
    """Return the fault of a whole objective: wrong(gradients, parameters) is what is made of its gradients."""

    def make(rng: np.random.Generator) -> Any:
        network = mlp((4, 4, 3), {HEAD: 3}, rng, activation="tanh", dtype=np.float64)
        p = [{**q, "b": rng.standard_normal(q["b"].shape)} for q in (*network.trunk, network.heads[HEAD])]
        X, labels = rng.standard_normal((6, 4)), rng.integers(0, 3, 6)
        moving = [i for i, share in enumerate(mask) if share]

        def right(*parameters: Any) -> Any:
            now = list(p)
            for i, each in zip(moving, parameters, strict=True):
                now[i] = each
            network.trunk, network.heads = now[:-1], {HEAD: now[-1]}
            return value_and_layers(loss_on(network, X, labels, mask), (Regularizer(PENALTIES["l2"], 0.1),))

        def function(*parameters: Any) -> Any:
            value, gradients = right(*parameters)
            return value, wrong(gradients, parameters)

        return right, function, tuple(p[i] for i in moving)

    return gradient_fault("objectives", name, make)


def _less(g: Any, p: Any, names: tuple[str, ...], s: float) -> Any:
    return {key: dw - s * p[key] if key in names else dw for key, dw in g.items()}


def objective_faults() -> Iterator[Fault]:
    """Yield the faults of objectives."""
    yield _objective(
        "penalty left out of the head's gradient", lambda g, p: [*g[:-1], _less(g[-1], p[-1], ("W",), 0.1)]
    )
    yield _objective(
        "biases decay in the gradient alone",
        lambda g, p: [_less(a, b, ("b",), -0.1) for a, b in zip(g, p, strict=True)],
    )
    yield _objective(
        "nothing sent below a frozen layer",
        lambda g, p: [between(g[0], {key: 0 * w for key, w in g[0].items()}, 1.0), g[1]],
        (1.0, 0.0, 1.0),
    )
    yield _objective("layers in the wrong order", lambda g, p: [{**g[0], "b": g[0]["b"][::-1]}, *g[1:]])


def _matched(second: bool) -> Callable[..., Any]:
    """½‖∂z/∂x‖² of z = Σ tanh(x w), its gradient with or without the second derivative of tanh."""

    def f(w: Any, x: Any) -> Any:
        Y = np.tanh(x @ w)
        slope = 1 - Y * Y
        dx = slope @ w.T
        dslope = dx @ w
        inner = -2 * Y * slope * dslope if second else 0 * dslope
        return (dx * dx).sum() / 2, dx.T @ slope + x.T @ inner

    return f


def second_order_faults() -> Iterator[Fault]:
    """Yield the faults of second derivatives."""

    def make(rng: np.random.Generator) -> Any:
        x, w = rng.standard_normal((5, 4)), rng.standard_normal((4, 3))
        return (lambda w: _matched(True)(w, x)), (lambda w: _matched(False)(w, x)), (w,)

    yield gradient_fault("second order", "Jacobian matching: tanh″ forgotten", make)

    def gauss_newton(strength: float, seed: int) -> Any:
        rng = np.random.default_rng(seed)
        x, w = rng.standard_normal((5, 4)), rng.standard_normal((4, 3))

        def f(w: Any) -> Any:
            Y = np.tanh(x @ w)
            return (Y * Y).sum() / 2, x.T @ (Y * (1 - Y * Y))

        def product(w: Any, v: Any) -> Any:
            slope = 1 - np.tanh(x @ w) ** 2
            return between(list(hessian_vector_product(f, (w,), (v[0],))), [x.T @ (slope**2 * (x @ v[0]))], strength)

        w = w + 0.0
        return {"Hessian": check_hessian(f, w, product=product), "gradient": check_gradient(f, w)}

    yield Fault("second order", "Hessian-vector product: Gauss-Newton", gauss_newton)

    def asymmetric(rng: np.random.Generator) -> Any:
        H = rng.standard_normal((4, 4))
        H = H + H.T
        return (
            (lambda x: (x @ H @ x / 2, H @ x)),
            (lambda x: (x @ H @ x / 2, np.triu(H) @ x)),
            (rng.standard_normal(4),),
        )

    yield gradient_fault("second order", "quadratic form: half of a symmetric matrix", asymmetric)
