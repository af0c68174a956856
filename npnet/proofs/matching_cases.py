"""Lists the cases of what matches another network: losses, maps, input gradients and whole objectives of terms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, get_args

import numpy as np

from npnet.arrays import Array, generator
from npnet.data import Split, Task
from npnet.fused import dense
from npnet.layers import Parameters
from npnet.losses import cross_entropy, softmax, squared_error
from npnet.matching import Match, input_gradient, jacobian, without_forgetting
from npnet.matching.jacobian_term import InputGradient
from npnet.matching.jacobians import Of, loss_gradient
from npnet.matching.maps import attention, attention_map, unit, unit_distance
from npnet.matching.match import SupervisedLoss
from npnet.matching.several import SumOfTerms
from npnet.matching.terms import Batch, Term
from npnet.methods import begin, gradual_tuning
from npnet.network import Network
from npnet.perceptron import mlp
from npnet.proofs.case import Case, Draw
from npnet.proofs.objectives import moving, reading, value_and_gradients
from npnet.regularizers import Regularizer
from npnet.soft_losses import soft_cross_entropy
from npnet.starting_point import starting_point
from npnet.trees import Tree

__all__ = ["gradient_cases", "joint_case", "matching_cases"]


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

        def multiplied(dJ: Array) -> Any:
            factors, *others = back(dJ)
            return [[dense(pair) for pair in factors if pair], *others]

        return J, multiplied

    for depth in (1, 2, 3):
        widths = [4, 3, 2, 3][: depth + 1]
        Ws = [draw(*pair) for pair in zip(widths, [*widths[1:], 2], strict=True)]
        slopes = [draw(4, width) for width in widths[1:]]
        yield Case(f"input gradient, {depth} hidden", sweep, (Ws, slopes, draw(4, 2)))
    yield Case("input gradient, every logit", sweep, (Ws, slopes, draw(2, 1, 2)))
    Ws = [draw(2, 4), draw(12, 3)]
    yield Case("input gradient, patches", sweep, (Ws, [draw(4, 12)], draw(4, 3)))
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
    """Return the case of a whole objective of terms as a function of all that trains: parameters and terms' own."""
    own = {term.name: p for term in terms if (p := term.start(network, generator(0, "own")))}
    own = {key: {name: w + 0.1 for name, w in p.items()} for key, p in own.items()}
    read, rows = reading(X, lambda rows: Batch(rows, labels)), draw.xp.arange(len(X))

    def objective(parts: Mapping[str, Parameters]) -> SumOfTerms:
        """Return the objective with some parts replaced. Parts are named as in messages."""
        trunk = [parts.get(f"hidden layer {i + 1}", p) for i, p in enumerate(network.trunk)]
        heads = {head: parts.get(f"head {head!r}", p) for head, p in network.heads.items()}
        learned = {key: parts.get(key, p) for key, p in own.items()}
        return SumOfTerms(replace(network, trunk=trunk, heads=heads), terms, tuple(map(float, mask)), read, learned)

    def f(parts: Any) -> tuple[Array, Any]:
        value, gradients = value_and_gradients(objective(parts), rows, generator(0, name), regularizers)
        return value, {key: gradients[key] for key in parts}

    groups = sorted(objective({}).groups, key=lambda group: group.layer)
    return Case(name, f, ({group.name: moving(group, group.parameters) for group in groups},))


def _network(draw: Draw, activation: Any = "relu", widths: Sequence[int] = (4, 3, 3), **options: Any) -> Network:
    network = mlp(widths, {"a": 3, "b": 2}, draw.rng, activation=activation, dtype=np.float64, **options).to(draw.xp)
    return replace(network, trunk=[{**p, "b": p["b"] + 0.1} for p in network.trunk])


def _objectives(draw: Draw) -> Iterator[Case]:
    X, labels, targets = draw(5, 4), draw.integers(3, 5), draw(5, 2)
    by_head = {"a": labels}
    ce = SupervisedLoss("a", cross_entropy)
    soft = partial(soft_cross_entropy, temperature=2.0)
    terms = (
        ce,
        Match("distillation", "a", "a", soft, softmax(draw(5, 3) / 2), 4.0),
        Match("recall", "a", "b", soft, softmax(targets / 2), 0.7),
        Match("activations", "a", 1, squared_error, draw(5, 3), 0.5),
        Match("activations, regressor", "a", 2, squared_error, draw(5, 2), 0.5, width=2),
        Match("units", "a", 2, attention(), unit(draw(5, 3) ** 2)[0], 0.5),
    )
    for mask in ((1, 1, 1), (0, 1, 0.5), (0, 0, 1), (1, 1, 0)):
        yield joint_case(draw, f"terms, mask {mask}", _network(draw), terms, mask, by_head, X)
    yield joint_case(draw, "terms, dropout", _network(draw, dropout=(0.2, 0.5)), terms, (1, 1, 1), by_head, X)
    both = (SupervisedLoss("a", cross_entropy, 2.0, True), SupervisedLoss("b", squared_error, 1.0, True))
    yield joint_case(draw, "uncertainty of two tasks", _network(draw), both, (1, 1, 1), {"a": labels, "b": targets}, X)

    for activation in ("relu", "tanh", "sigmoid"):  # path_cases has the others
        for depth in (1, 2, 3):
            yield from gradient_cases(draw, activation, depth, X, labels)
    squared = partial(unit_distance, squared=True)
    dropped = _network(draw, "sigmoid", (4, 4, 3), dropout=(0.2, 0.5))
    whole = InputGradient("every logit", "a", "a", "logits", squared, unit(draw(5, 12))[0])
    yield joint_case(draw, "input gradients, dropout", dropped, (ce, whole), (1, 1, 1), by_head, X)
    patched = _network(draw, "tanh", (4, 2, 3), patches=2)
    channels = Match("channels", "a", 1, attention(2), unit(draw(5, 2) ** 2)[0])
    yield joint_case(draw, "terms, patches", patched, (ce, channels, whole), (1, 1, 1), by_head, X)
    yield _three_words(draw)


def gradient_cases(draw: Draw, activation: Any, depth: int, X: Array, labels: Array) -> Iterator[Case]:
    """Yield objectives of gradients with respect to the inputs, for networks of one activation and depth."""
    name, squared = getattr(activation, "name", activation), partial(unit_distance, squared=True)
    name = " then ".join(name) if isinstance(name, tuple) else name
    teacher, student = (_network(draw, activation, (4, 4, 4, 3)[: depth + 1]) for _ in range(2))
    largest = teacher.logits(X, "a").argmax(-1)
    J = {of: unit(jacobian(teacher, "a", X, of, largest))[0] for of in get_args(Of)}
    ce = SupervisedLoss("a", cross_entropy)
    second = (
        InputGradient("one logit", "a", "a", "logit", squared, J["logit"], 0.7, largest),
        InputGradient("every logit", "a", "a", "logits", squared, J["logits"], 0.7),
        InputGradient("attention", "a", "a", "loss", attention(None, 1.0), abs(J["loss"]), 0.7),
    )

    def case(name: str, terms: Sequence[Term], mask: Sequence[float]) -> Case:
        return joint_case(draw, name, student, (ce, *terms), mask, {"a": labels}, X)

    if name == "tanh" and depth == 2:
        for term in second:
            yield case(f"input gradient of {term.name}", [term], (1, 1, 1))
        for mask in ((0, 1, 1), (0, 0, 1), (1, 0, 0)):
            yield case(f"input gradients, mask {mask}", second, mask)
    yield case(f"input gradients, {name}, {depth}", second, (1,) * (depth + 1))


def _three_words(draw: Draw) -> Case:
    """Return Gradual Tuning, L2-SP and Learning without Forgetting as one objective, away from the starting point."""
    task = Task("new", 3, *(Split(draw(5, 4), draw.integers(3, 5)) for _ in range(3)))
    old = _network(draw)
    method = gradual_tuning + starting_point("l2_sp", 0.3, 0.1) + without_forgetting(0.7)
    run, settings = begin(method, old, task, generator(0, "three"))
    now = run.network
    moved = replace(now, trunk=[{key: w + draw(*w.shape) / 4 for key, w in p.items()} for p in now.trunk])
    added: Any = settings.objective
    terms = (SupervisedLoss("new", cross_entropy), *added.terms)
    labels = {"new": task.train.labels}
    X = task.train.inputs[:]
    return joint_case(draw, method.name, moved, terms, (0, 1, 1), labels, X, settings.regularizers)
