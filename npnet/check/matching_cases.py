"""Cases of what matches another network's function: losses, maps, input gradients, and whole objectives of terms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from npnet import layers
from npnet.arrays import Array, generator
from npnet.check.case import Case, Draw
from npnet.jacobians import InputGradient, input_gradient, jacobian, loss_gradient
from npnet.joint import JointUpdate
from npnet.layers import Parameters
from npnet.losses import cross_entropy, soft_cross_entropy, softmax, squared_error
from npnet.matching import attention, attention_map, unit, unit_distance
from npnet.methods import begin, gradual_tuning, starting_point, without_forgetting
from npnet.network import Network, mlp
from npnet.penalties import Regularizer
from npnet.tasks.data import Split, Task
from npnet.terms import Batch, Labelled, Match, Term
from npnet.trees import Tree
from npnet.update import Rule

__all__ = ["joint_case", "matching_cases"]


def matching_cases(draw: Draw) -> Iterator[Case]:
    """Yield every case, on arrays that `draw` makes."""
    yield from _losses(draw)
    yield from _maps(draw)
    yield from _sweeps(draw)
    yield from _objectives(draw)


def _losses(draw: Draw) -> Iterator[Case]:
    Z, P = draw(6, 3), softmax(draw(6, 3))
    Z[0] = 0.0
    for T in (1.0, 2.0, 20.0):
        yield Case(f"soft_cross_entropy, T = {T:g}", lambda Z, T=T: soft_cross_entropy(Z, P, T), (Z,))
    yield Case("soft_cross_entropy, one class", lambda Z: soft_cross_entropy(Z, (P > 0.5) * 1.0, 2.0), (Z,))
    both = draw.xp.stack([P, P])
    yield Case("soft_cross_entropy, population", lambda Z: soft_cross_entropy(Z, both), (draw(2, 6, 3),))


def _maps(draw: Draw) -> Iterator[Case]:
    A = draw(5, 6)
    A[1] = 0.0  # a map without direction
    for p in (1.0, 2.0, 3.5):
        yield Case(f"attention map, p = {p:g}", lambda A, p=p: attention_map(A, 3, p), (A,))
    yield Case("unit", unit, (A,))
    for squared in (False, True):
        U = unit(draw(5, 6))[0]
        if squared:
            U[2] = unit(A)[0][2]  # at distance zero
        U[3] = 0.0
        end = ", squared" * squared
        yield Case(f"unit distance{end}", lambda A, U=U, s=squared: unit_distance(A, U, s), (A,))
        V = unit(draw(5, 3) ** 2)[0]
        yield Case(f"attention, channels{end}", lambda A, V=V, s=squared: attention(3, 2.0, s)(A, V), (A,))


def _sweeps(draw: Draw) -> Iterator[Case]:
    def sweep(Ws: Tree, slopes: Tree, C: Array) -> tuple[Array, Any]:
        J, back = input_gradient(Ws, slopes, C)
        return J, lambda dJ: back(dJ)

    for depth in (1, 2, 3):
        widths = [6, 5, 4, 3][: depth + 1]
        Ws = [draw(*pair) for pair in zip(widths, [*widths[1:], 3], strict=True)]
        slopes = [draw(7, width) for width in widths[1:]]
        yield Case(f"input gradient, {depth} hidden", sweep, (Ws, slopes, draw(7, 3)))
    yield Case("input gradient, every logit", sweep, (Ws, slopes, draw(3, 1, 3)))
    Ws = [draw(2, 4), draw(12, 3)]
    yield Case("input gradient, patches", sweep, (Ws, [draw(7, 12)], draw(7, 3)))
    labels = draw.integers(3, 6)
    yield Case("loss gradient", lambda Z: loss_gradient(Z, labels), (draw(6, 3),))


def joint_case(
    draw: Draw,
    name: str,
    network: Network,
    terms: Sequence[Term],
    mask: Sequence[float],
    labels: dict[str, Array],
    X: Array,
    regularizers: tuple[Regularizer, ...] = (),
) -> Case:
    """Return the case of a whole objective of terms as a function of all that moves: trunk, heads, the terms' own."""
    own = {term.name: p for term in terms if (p := term.start(network, generator(0, "own")))}
    own = {key: {name: w + 0.1 for name, w in p.items()} for key, p in own.items()}
    batch = Batch(draw.xp.arange(len(X)), labels)

    def update(parts: Mapping[str, Parameters]) -> JointUpdate:
        """Return the update where some parts, by their names in messages, are other ones."""
        trunk = [parts.get(f"hidden layer {i + 1}", p) for i, p in enumerate(network.trunk)]
        heads = {head: parts.get(f"head {head!r}", p) for head, p in network.heads.items()}
        learned = {key: parts.get(key, p) for key, p in own.items()}
        rule = Rule(tuple(mask), 1.0, regularizers=regularizers)
        return JointUpdate(replace(network, trunk=trunk, heads=heads), terms, rule, learned)

    first = update({})
    moving = {first.name(layer): first.parameters[i] for i, layer in first.layer_at.items()}

    def f(moving: Any) -> tuple[Array, Any]:
        joint = update(moving)
        below = layers.chain(*network.layers()[: joint.start])(network.parameters()[: joint.start], X)[0]
        value, gradients = joint.objective(below, batch, generator(0, name))
        return value, {joint.name(layer): gradients[i] for i, layer in joint.layer_at.items()}

    return Case(name, f, (moving,))


def _objectives(draw: Draw) -> Iterator[Case]:
    X, labels, targets = draw(7, 6), draw.integers(3, 7), draw(7, 2)
    by_head = {"a": labels}
    ce = Labelled("a", cross_entropy)

    def two(activation: str = "relu", widths: Sequence[int] = (6, 5, 4), **options: Any) -> Network:
        network = mlp(widths, {"a": 3, "b": 2}, draw.rng, activation=activation, dtype=np.float64, **options)
        network = network.to(draw.xp)
        return replace(network, trunk=[{**p, "b": p["b"] + 0.1} for p in network.trunk])

    soft = partial(soft_cross_entropy, temperature=2.0)
    distil = Match("d", "a", "a", soft, softmax(draw(7, 3) / 2), 4.0)
    recall = Match("r", "a", "b", soft, softmax(targets / 2), 0.7)
    hidden = Match("h", "a", 1, squared_error, draw(7, 5), 0.5)
    regressed = Match("g", "a", 2, squared_error, draw(7, 3), 0.5, width=3)
    units = Match("u", "a", 2, attention(), unit(draw(7, 4) ** 2)[0], 0.5)
    first = (ce, distil, recall, hidden, regressed, units)
    for mask in ((1, 1, 1), (0, 1, 0.5), (1, 0, 1), (0, 0, 1), (1, 1, 0)):
        yield joint_case(draw, f"terms, mask {mask}", two(), first, mask, by_head, X)
    yield joint_case(draw, "terms, dropout", two(dropout=(0.2, 0.5)), first, (1, 1, 1), by_head, X)
    both = (Labelled("a", cross_entropy, 2.0, True), Labelled("b", squared_error, 1.0, True))
    yield joint_case(draw, "uncertainty of two tasks", two(), both, (1, 1, 1), {"a": labels, "b": targets}, X)

    squared = partial(unit_distance, squared=True)
    for activation in layers.ACTIVATIONS:
        for depth in (1, 2, 3):
            widths = (6, 5, 4, 5)[: depth + 1]
            teacher, student = two(activation, widths), two(activation, widths)
            largest = teacher.logits(X, "a").argmax(-1)
            looked = unit(abs(jacobian(teacher, "a", X, "loss", labels)))[0]
            kinds = {
                "Jacobian of one logit": ("logit", squared, unit(jacobian(teacher, "a", X, "logit", largest))[0]),
                "whole Jacobian": ("logits", squared, unit(jacobian(teacher, "a", X))[0]),
                "input attention": ("loss", attention(None, 1.0), looked),
            }
            for what, (of, loss, theirs) in kinds.items():
                term = InputGradient("j", "a", "a", of, loss, theirs, 0.7, largest if of == "logit" else None)  # type: ignore[arg-type]
                ones = (1,) * (depth + 1)
                yield joint_case(draw, f"{what}, {activation}, {depth}", student, (ce, term), ones, by_head, X)
    for mask in ((1, 0, 1), (0, 1, 1), (0, 0, 1), (0, 1, 0)):
        term = InputGradient("j", "a", "a", "loss", attention(None, 2.0, True), unit(draw(7, 6) ** 2)[0])
        yield joint_case(draw, f"input attention, tanh, mask {mask}", two("tanh"), (ce, term), mask, by_head, X)
    term = InputGradient("j", "a", "a", "logits", squared, unit(draw(7, 18))[0])
    deep = two("sigmoid", dropout=(0.2, 0.5))
    yield joint_case(draw, "whole Jacobian, sigmoid, dropout", deep, (ce, term), (1, 1, 1), by_head, X)
    patched = two("tanh", (6, 4, 5), patches=3)
    channels = Match("c", "a", 1, attention(3), unit(draw(7, 3) ** 2)[0])
    yield joint_case(draw, "patches", patched, (ce, channels, term), (1, 1, 1), by_head, X)
    yield _three_words(draw)


def _three_words(draw: Draw) -> Case:
    """Gradual Tuning, L2-SP and Learning without Forgetting as one objective, away from its starting point."""
    task = Task("new", 3, *(Split(draw(9, 6), draw.integers(3, 9)) for _ in range(3)))
    old = mlp((6, 5, 4), {"old": 2}, draw.rng, dtype=np.float64).to(draw.xp)
    method = gradual_tuning + starting_point("l2_sp", 0.3, 0.1) + without_forgetting(0.7)
    run, settings = begin(method, old, task, generator(0, "three"))
    now = run.network
    moved = replace(now, trunk=[{key: w + draw(*w.shape) / 4 for key, w in p.items()} for p in now.trunk])
    terms = (Labelled("new", cross_entropy), *settings.terms)
    labels = {"new": task.train.labels}
    X = task.train.inputs[:]
    return joint_case(draw, method.name, moved, terms, (0, 1, 1), labels, X, settings.regularizers)
