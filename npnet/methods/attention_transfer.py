"""Attention transfer: the student looks where the teacher looks.

    objective = loss + (β/2) Σ_j ‖ Q_S/‖Q_S‖₂ − Q_T/‖Q_T‖₂ ‖₂, the mean over examples, or with the squared norm

What a map Q is depends on where it is read:

units      Q = |h|^p over the units of a hidden layer, of which student and teacher have equally many
channels   Q = Σ_c |h_c|^p over the channels of a first layer shared over patches of the image: one value a patch
input      Q = |∂L/∂x|^p over the pixels, L the cross-entropy: what the answer hangs on (second derivatives by hand)
"""

from collections.abc import Sequence
from typing import Literal, get_args

from npnet.arrays import Array
from npnet.jacobians import InputGradient, jacobian
from npnet.matching import attention, attention_map, unit
from npnet.methods.method import Method, check_inputs, with_head
from npnet.network import Network
from npnet.policies import FineTuning, Policy
from npnet.recordings import record
from npnet.tasks.data import Task
from npnet.terms import Match, Term, check_place, width_of

__all__ = ["attention_transfer"]

Kind = Literal["units", "channels", "input"]


def attention_transfer(
    teacher: Network,
    kind: Kind = "units",
    beta: float = 1.0,
    p: float | None = None,
    squared: bool = False,
    layers: Sequence[tuple[int, int]] | None = None,
    head: str | None = None,
    labels: float = 1.0,
    policy: Policy | None = None,
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

    def at_input(network: Network, task: Task) -> Term:
        if task.train.regression:
            raise ValueError(f"kind is 'input'; expected classes, and {task.name!r} is a regression")

        def looked(X: Array, labels: Array) -> Array:
            J = jacobian(teacher, head or task.name, X, "loss", labels)
            return unit(attention_map(J, None, power)[0])[0]

        targets = record(looked, task.train, teacher)
        name, loss = f"input attention on {task.name!r}", attention(None, power, squared)
        return InputGradient(name, task.name, task.name, "loss", loss, targets, beta / 2)

    def at_layer(network: Network, task: Task, mine: int, theirs: int) -> Term:
        check_place(network, mine)
        check_place(teacher, theirs)
        sizes = [network.patches, teacher.patches]
        if kind == "channels" and (sizes[0] != sizes[1] or sizes[0] < 2 or (mine, theirs) != (1, 1)):
            raise ValueError(
                f"kind is 'channels', layers {mine, theirs}, patches {sizes}; expected first layers, equal patches"
            )
        widths = width_of(network, mine), teacher.units[theirs - 1]
        if kind == "units" and widths[0] != widths[1]:
            raise ValueError(f"layers {mine, theirs} have {widths[0]} and {widths[1]} units; expected equally many")
        positions = sizes[0] if kind == "channels" else None

        def looked(X: Array, labels: Array) -> Array:
            return unit(attention_map(teacher.hidden_outputs(X)[theirs - 1], positions, power)[0])[0]

        targets = record(looked, task.train, teacher)
        name = f"{kind} attention of layer {mine} as the teacher's {theirs} on {task.name!r}"
        return Match(name, task.name, mine, attention(positions, power, squared), targets, beta / 2)

    def objective(network: Network, task: Task) -> tuple[Term, ...]:
        check_inputs(teacher, network)
        if kind == "input":
            return (at_input(network, task),)
        usual = [(1, 1)] if kind == "channels" else [(network.depth, teacher.depth)]
        return tuple(at_layer(network, task, *pair) for pair in layers or usual)

    attention_map(teacher.trunk[0]["W"], None, power)  # refuses a bad power at once
    return Method(f"attention transfer ({kind})", with_head, objective, policy or FineTuning(), labels)
