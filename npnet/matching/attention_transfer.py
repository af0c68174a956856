"""Attention transfer: the student looks where the teacher looks.

    objective = loss + (β/2) Σ_j ‖ Q_S/‖Q_S‖₂ − Q_T/‖Q_T‖₂ ‖₂, the mean over examples, or with the squared norm

Q = |h|^p over the units of a hidden layer; or Σ_c |h_c|^p over the channels of a first layer that is shared over
patches, one value a patch; or |∂L/∂x|^p over the pixels, L the cross-entropy: what the answer depends on.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, get_args

from npnet.arguments import checked
from npnet.arrays import Array
from npnet.data import Task
from npnet.hyperparameters import Hyperparameters
from npnet.layers import Shared
from npnet.matching.jacobian_term import InputGradient
from npnet.matching.jacobians import jacobian
from npnet.matching.maps import attention, attention_map, unit
from npnet.matching.match import Match
from npnet.matching.objective import add_terms
from npnet.matching.targets import cached_targets
from npnet.matching.terms import Term, check_place, width_of
from npnet.methods.method import Method, check_inputs, with_head
from npnet.network import Network
from npnet.policies import FineTuning, Mask

__all__ = ["attention_transfer"]

Kind = Literal["units", "channels", "input"]


@checked
def attention_transfer(
    teacher: Network,
    kind: Kind = "units",
    beta: float = 1.0,
    p: float | None = None,
    squared: bool = False,
    layers: Sequence[tuple[int, int]] | None = None,
    head: str | None = None,
    labels: float = 1.0,
    policy: Callable[..., Mask] | None = None,
) -> Method:
    """Return the method with β/2 on the distance of maps of one kind; several kinds are methods added up.

    p: the power, by default 2, and 1 for "input". squared: the squared norm, as the authors' program has it. layers:
    pairs (student's, teacher's), from 1; by default the last of each for "units", the first for "channels". head: the
    teacher's, for "input"; by default the task's name. labels: the weight of the loss on the labels.
    Raises ValueError for an unknown kind and a negative beta; `begin` does where maps do not have the same size, and
    for a regression's input attention. Without the square the gradient keeps its length however near the maps are:
    where a student begins as its teacher, rounding alone gives it a direction.
    Source: Zagoruyko and Komodakis 2017, sections 3.1 and 3.2.
    """
    if kind not in get_args(Kind):
        raise ValueError(f"kind is {kind!r}; expected one of {', '.join(get_args(Kind))}")
    if not beta >= 0:
        raise ValueError(f"beta is {beta}; expected zero or more")
    power = p if p is not None else 1.0 if kind == "input" else 2.0
    attention_map(teacher.first, None, power)  # refuses a bad power at once
    objective = partial(
        _with_maps,
        teacher=teacher,
        kind=kind,
        beta=beta,
        p=power,
        squared=squared,
        layers=layers,
        head=head,
        labels=labels,
    )
    return Method(f"attention transfer ({kind})", with_head, objective, policy or FineTuning())


def _with_maps(
    network: Network,
    task: Task,
    settings: Hyperparameters,
    teacher: Network,
    kind: Kind,
    beta: float,
    p: float,
    squared: bool,
    layers: Sequence[tuple[int, int]] | None,
    head: str | None,
    labels: float,
) -> Hyperparameters:
    """Return settings with a term for the inputs, or for each pair of layers."""

    def at_input() -> Term:
        if task.train.kind != "classes":
            raise ValueError(f"kind is 'input'; expected classes, and {task.name!r} is a regression")
        theirs = head or task.name
        targets = cached_targets(partial(_at_input, teacher=teacher, head=theirs, p=p), task.train, teacher)
        name, loss = f"input attention on {task.name!r}", attention(None, p, squared)
        return InputGradient(name, task.name, task.name, "loss", loss, targets, beta / 2)

    def at_layer(mine: int, theirs: int) -> Term:
        positions = _positions(network, teacher, kind, mine, theirs)
        at = partial(_at_layer, teacher=teacher, layer=theirs, positions=positions, p=p)
        targets = cached_targets(at, task.train, teacher)
        name = f"{kind} attention of layer {mine} as the teacher's {theirs} on {task.name!r}"
        return Match(name, task.name, mine, attention(positions, p, squared), targets, beta / 2)

    check_inputs(teacher, network)
    pairs = layers or [(1, 1) if kind == "channels" else (network.depth, teacher.depth)]
    terms = [at_input()] if kind == "input" else [at_layer(*pair) for pair in pairs]
    return add_terms(settings, task, terms, labels)


def _at_input(X: Array, labels: Array, teacher: Network, head: str, p: float) -> Array:
    """The teacher's unit maps at the inputs."""
    return unit(attention_map(jacobian(teacher, head, X, "loss", labels), None, p)[0])[0]


def _at_layer(X: Array, labels: Array, teacher: Network, layer: int, positions: int | None, p: float) -> Array:
    """The teacher's unit maps at a hidden layer."""
    return unit(attention_map(teacher.hidden_outputs(X)[layer - 1], positions, p)[0])[0]


def _positions(network: Network, teacher: Network, kind: Kind, mine: int, theirs: int) -> int | None:
    """Return the positions of a map, None for one at each unit. Raises ValueError where maps do not fit each other."""
    check_place(network, mine)
    check_place(teacher, theirs)
    first = [each.layers[0].patches if isinstance(each.layers[0], Shared) else 1 for each in (network, teacher)]
    if kind == "channels" and (first[0] != first[1] or first[0] < 2 or (mine, theirs) != (1, 1)):
        raise ValueError(
            f"kind is 'channels', layers {mine, theirs}, patches {first}; expected first layers, equal patches"
        )
    widths = width_of(network, mine), teacher.units[theirs - 1]
    if kind == "units" and widths[0] != widths[1]:
        raise ValueError(f"layers {mine, theirs} have {widths[0]} and {widths[1]} units; expected equally many")
    return first[0] if kind == "channels" else None
