"""Faults in what moves: optimizers, masks, schedules, Fisher information, and the state of a run."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from experiments.faults.fault import Fault, between
from experiments.faults.stepping import HEAD, loss_on, step_on, value_and_layers
from npnet import SGD, Adam, Momentum, Network, Split, fisher_information, generator, mlp, step
from npnet.check import check_equal, check_frozen, check_resumed
from npnet.check.derivative import STEP
from npnet.losses import softmax
from npnet.trees import copy_tree

__all__ = ["fisher_faults", "freezing_faults", "optimizer_faults", "state_faults"]

RATE = 0.1


def _optimizer(name: str, right: Any, wrong: Callable[..., None], closed: Callable[[Any, int], Any]) -> Fault:
    """Return the fault of an optimizer: wrong(w, dw, buffers) moves w, closed(g, t) is how far t equal gradients do."""

    def reports(strength: float, seed: int) -> Any:
        g = np.random.default_rng(seed).standard_normal(6) * np.array([1, 1, 1, 1, 1e-3, 1e-8])
        w, other = np.zeros(6), np.zeros(6)
        buffers, others = right.start(w), {**right.start(other), "t": 0}
        for _ in range(5):
            right.update(w, g.copy(), buffers, RATE)
            wrong(other, g.copy(), others)
        return {"law": check_equal({"w": between(w, other, strength)}, {"w": -closed(g, 5)})}

    return Fault("optimizers", name, reports)


def _dampened(w: Any, dw: Any, buffers: Any) -> None:
    buffers["velocity"] = 0.9 * buffers["velocity"] + 0.1 * dw
    w -= RATE * buffers["velocity"]


def _nesterov(w: Any, dw: Any, buffers: Any) -> None:
    buffers["velocity"] = 0.9 * buffers["velocity"] + dw
    w -= RATE * (0.9 * buffers["velocity"] + dw)


def _adam(corrected: bool = True, inside: bool = False, counts: int = 1) -> Callable[..., None]:
    def move(w: Any, dw: Any, buffers: Any) -> None:
        buffers["t"] += counts
        buffers["m"] = 0.9 * buffers["m"] + 0.1 * dw
        buffers["v"] = 0.999 * buffers["v"] + 0.001 * dw * dw
        m = buffers["m"] / (1 - 0.9 ** buffers["t"]) if corrected else buffers["m"]
        v = buffers["v"] / (1 - 0.999 ** buffers["t"]) if corrected else buffers["v"]
        w -= RATE * m / (np.sqrt(v + 1e-8) if inside else np.sqrt(v) + 1e-8)

    return move


def optimizer_faults() -> Iterator[Fault]:
    """Yield the faults of optimizers and schedules: under equal gradients each has a closed form."""

    def heavy(g: Any, t: int) -> Any:
        return RATE * g * sum((1 - 0.9**i) / (1 - 0.9) for i in range(1, t + 1))

    def adam(g: Any, t: int) -> Any:
        return RATE * t * g / (abs(g) + 1e-8)

    yield _optimizer("momentum: the gradient dampened", Momentum(0.9), _dampened, heavy)
    yield _optimizer("momentum: a look ahead that was not asked for", Momentum(0.9), _nesterov, heavy)
    yield _optimizer("Adam: no bias correction", Adam(), _adam(corrected=False), adam)
    yield _optimizer("Adam: ε inside the root", Adam(), _adam(inside=True), adam)
    yield _optimizer("Adam: one count for two arrays", Adam(), _adam(counts=2), adam)

    def schedule(strength: float, seed: int) -> Any:
        one, late = step(0.3, 2), step(0.3, 2)
        rates = [one(i) + strength * (late(i + 1) - one(i)) for i in range(6)]
        return {"law": check_equal(rates, [0.3, 0.3, 0.03, 0.03, 0.003, 0.003])}

    yield Fault("optimizers", "schedule: one epoch early", schedule)


def _small(seed: int) -> Network:
    return mlp((4, 3, 3), {HEAD: 3}, generator(seed, "faults"), activation="tanh", dtype=np.float64)


def _batch(seed: int, N: int = 6) -> tuple[Any, Any]:
    rng = generator(seed, "batch")
    return rng.standard_normal((N, 4)), rng.integers(0, 3, N)


def _freezing(name: str, optimizer: Any, leak: Callable[..., Any]) -> Fault:
    """Return the fault of a frozen layer: leak(w, dw, buffers) is by how much its W moves all the same."""

    def reports(strength: float, seed: int) -> Any:
        network, buffers = _small(seed), {}  # type: ignore[var-annotated]
        X, labels = _batch(seed)
        step_on(loss_on(network, X, labels), RATE, buffers, optimizer)
        frozen = loss_on(network, X, labels, (0.0, 1.0, 1.0))
        _, gradients = value_and_layers(loss_on(network, X, labels))

        def move() -> None:
            step_on(frozen, RATE, buffers, optimizer)
            if strength:
                w = network.trunk[0]["W"]
                w -= strength * RATE * leak(w, gradients[0]["W"], buffers.get("hidden layer 1: W", {}))

        return {"freezing": check_frozen(move, network.trunk[0], [network.trunk[1], network.heads[HEAD]])}

    return Fault("masks", name, reports)


def freezing_faults() -> Iterator[Fault]:
    """Yield the faults of masks: a frozen layer keeps every bit."""
    yield _freezing("momentum goes on in a frozen layer", Momentum(0.9), lambda w, dw, b: 0.9 * b["velocity"])
    yield _freezing("weight decay reaches a frozen layer", SGD(), lambda w, dw, b: 1e-3 * w)
    yield _freezing("Adam's moments move a frozen layer", Adam(), lambda w, dw, b: b["m"] / (np.sqrt(b["v"]) + 1e-8))
    yield _freezing("the mask of the layer above", SGD(), lambda w, dw, b: dw)


def _fisher(name: str, wrong: Callable[..., Any]) -> Fault:
    """Return the fault of the Fisher information: wrong(F, network, split), against loops over examples, classes."""

    def reports(strength: float, seed: int) -> Any:
        network, split = _small(seed), Split(*_batch(seed, 5))
        found = fisher_information(network, HEAD, split)
        found = between(found, wrong(found, network, split), strength)
        return {"law": check_equal([F["W"] for F in found], _fisher_by_loops(network, split.inputs), 640)}

    return Fault("Fisher information", name, reports)


def _fisher_by_loops(network: Network, X: Any) -> list[Any]:
    """F_j = 1/m Σᵢ Σₖ f_k (∂ log f_k/∂w_j)², each derivative by a complex step of its own."""
    f = softmax(network.logits(X, HEAD))
    found = []
    for layer, p in enumerate(network.trunk):
        F = np.zeros(p["W"].shape)
        for index in np.ndindex(*F.shape):
            W = p["W"].astype(complex)
            W[index] += 1j * STEP
            trunk = [{**q, "W": W} if i == layer else q for i, q in enumerate(network.trunk)]
            there = np.log(softmax(replace(network, trunk=trunk).logits(X, HEAD))).imag / STEP  # (m, K)
            F[index] = (f * there**2).sum() / len(X)
        found.append(F)
    return found


def _mode(mode: Any, size: int = 64) -> Callable[..., Any]:
    return lambda F, network, split: fisher_information(network, HEAD, split, mode, generator(0), size)


def fisher_faults() -> Iterator[Fault]:
    """Yield the faults of the Fisher information."""
    yield _fisher("divided by m − 1", lambda F, *_: [{key: a * 5 / 4 for key, a in p.items()} for p in F])
    yield _fisher("a sum over examples, not a mean", lambda F, *_: [{key: a * 5 for key, a in p.items()} for p in F])
    yield _fisher("the square of the batch's mean gradient", _mode("batched"))
    yield _fisher("the true labels alone", _mode("empirical"))
    yield _fisher("the preferred class alone", _mode("argmax"))


def _state(name: str, save: Callable[..., Any]) -> Fault:
    """Return the fault of resuming: save(state, fresh, strength) is what a file gives back."""

    def reports(strength: float, seed: int) -> Any:
        def begin() -> Any:
            return {"network": _small(seed), "buffers": {}, "rng": generator(seed), "epoch": 0}

        def go_on(run: Any) -> Any:
            X, labels = _batch(seed)
            rows = run["rng"].permutation(len(X))[:4]
            rate = RATE / (1 + run["epoch"])
            step_on(loss_on(run["network"], X, labels), rate, run["buffers"], Momentum(0.9), rows)
            run["epoch"] += 1
            return copy_tree(run["network"].tree()["trunk"])

        def saved(run: Any) -> Any:
            whole = {**run, "network": run["network"].copy(), "buffers": copy_tree(run["buffers"])}
            return save(whole, begin(), strength) if strength else whole

        return {"resuming": check_resumed(begin, go_on, saved)}

    return Fault("training", name, reports)


def state_faults() -> Iterator[Fault]:
    """Yield the faults of a run's state: what is not saved, is not undone, or is carried over."""

    def shrink(run: Any, fresh: Any, strength: float) -> Any:
        for buffers in run["buffers"].values():
            buffers["velocity"] *= 1 - strength
        return run

    yield _state("velocities are not saved", shrink)
    yield _state("the generator starts again", lambda run, fresh, strength: {**run, "rng": fresh["rng"]})
    yield _state(
        "the epoch of the schedule starts again", lambda run, fresh, s: {**run, "epoch": run["epoch"] * (1 - s)}
    )

    def rounded(run: Any, fresh: Any, strength: float) -> Any:
        for p in run["network"].trunk:
            for w in p.values():
                w += strength * (w.astype(np.float32) - w)
        return run

    yield _state("weights are saved in single precision", rounded)

    def accumulated(strength: float, seed: int) -> Any:
        X, labels = _batch(seed)
        loss = loss_on(_small(seed), X, labels)
        (_, first), (_, again) = value_and_layers(loss), value_and_layers(loss)
        carried = [{key: g + strength * p[key] for key, g in q.items()} for p, q in zip(first, again, strict=True)]
        return {"law": check_equal(carried, first)}

    yield Fault("training", "gradients of the last batch are not cleared", accumulated)

    def means(strength: float, seed: int) -> Any:
        X, labels = _batch(seed, 7)
        loss = loss_on(_small(seed), X, labels)
        whole, *values = (
            float(value_and_layers(loss, rows=rows)[0]) for rows in (slice(0, 7), slice(0, 4), slice(4, 7))
        )
        weights = [4 / 7 + strength * (0.5 - 4 / 7), 3 / 7 + strength * (0.5 - 3 / 7)]
        mean = sum(w * v for w, v in zip(weights, values, strict=True))
        return {"law": check_equal({"loss": mean}, {"loss": whole})}

    yield Fault("training", "the mean of batches' means, the last one short", means)
