"""What matching costs: a step of each term and a plain step, on one core, in one run, in turn.

Targets are cached; teacher and student have the same shape. The floor is in operations: the two sweeps of the
Jacobian of one logit are three more products with each weight matrix.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from experiments.benchmarks.measured import print_origin, row, write
from experiments.benchmarks.step import examples, npnet_step, operations, steps_down
from experiments.benchmarks.timing import Contender, in_turn, one_core
from npnet import (
    Hyperparameters,
    Method,
    Network,
    Split,
    Task,
    attention_transfer,
    begin,
    cross_entropy,
    distillation,
    fine_tuning,
    generator,
    jacobian_matching,
    mlp,
)
from npnet.matching import add_terms
from npnet.matching.match import SupervisedLoss
from npnet.matching.several import SumOfTerms
from npnet.matching.terms import Batch
from npnet.step import Objective

__all__ = ["main"]

NETWORKS = ((784, 800, 800, 10), (1024, 500, 500, 2))


def methods(teacher: Network) -> Mapping[str, Method]:
    """Return what is measured, by name."""
    return {
        "no term": fine_tuning,
        "distillation": distillation(teacher),
        "Jacobian, one logit": jacobian_matching(teacher),
        "Jacobian, all logits": jacobian_matching(teacher, "all"),
        "input attention": attention_transfer(teacher, "input"),
    }


def with_terms(widths: Sequence[int], method: Method, activation: str, task: Task) -> Contender:
    """Return a step of a method's objective, as `npnet.train` makes it."""
    student = mlp(widths[:-1], {}, generator(0), activation=activation)
    run, settings = begin(method, student, task, generator(1), Hyperparameters())
    given: Any = add_terms(settings, task, []).objective
    labelled = SupervisedLoss(task.name, cross_entropy, given.weights.get(task.name, 1.0))
    rows = np.arange(len(task.train))
    batch = task.train.inputs[:], Batch(rows, {task.name: task.train.labels})
    mask = (1.0,) * (len(widths) - 1)
    total = SumOfTerms(run.network, [labelled, *given.terms], mask, lambda below: lambda rows: batch)
    take = steps_down(Objective(total.groups, total.descent), rows)

    def make(steps: int) -> Network:
        take(steps)
        return run.network

    return make


def extra(widths: Sequence[int], batch: int) -> float:
    """Return how many times a plain step's operations one with the Jacobian of one logit makes."""
    sweeps = 2 * batch * 3 * sum(a * b for a, b in pairwise(widths))
    plain = operations(widths, batch)
    return (plain + sweeps) / plain


def main(
    json: Path | str | None = None,
    networks: Sequence[tuple[int, ...]] = NETWORKS,
    batches: Sequence[int] = (20, 128),
    rounds: int = 9,
) -> None:
    """Measure, print the table, and write the measurements where a path is given."""
    core, console = one_core(), Console(width=140)
    names = list(methods(mlp((2, 2), {"task": 2}, generator(0))))
    table = Table(title=f"times a plain step on {core}; by operations alone, of the Jacobian of one logit")
    for column in ("network", "activation", "batch", "plain, µs", "operations", *names):
        table.add_column(column, justify="right" if column not in ("network", "activation") else "left")
    rows: list[dict[str, Any]] = []
    rng = generator(0, "bench jacobian")
    for widths in networks:
        for activation in ("relu", "tanh"):
            for batch in batches:
                X, labels = examples(rng, widths, batch)
                task = Task("task", widths[-1], *(Split(X, labels) for _ in range(3)))
                teacher = mlp(widths[:-1], {"task": widths[-1]}, generator(3), activation=activation)
                contenders: dict[str, Contender] = {"plain": npnet_step(widths, X, labels, activation)}
                for name, method in methods(teacher).items():
                    contenders[name] = with_terms(widths, method, activation, task)
                seconds = in_turn(contenders, max(10, 1000 // batch), rounds)
                case = {"network": widths, "activation": activation, "batch": batch}
                rows.append(row(case, seconds, "plain", operations=extra(widths, batch)))
                cells = [f"{rows[-1]['ratios'][name]:.2f}" for name in names]
                plain = f"{median(seconds['plain']) * 1e6:.0f}"
                table.add_row(
                    "-".join(map(str, widths)), activation, str(batch), plain, f"{extra(widths, batch):.2f}", *cells
                )
    console.print(table)
    print_origin(console)
    write(json, "jacobian", rows, core=core)
