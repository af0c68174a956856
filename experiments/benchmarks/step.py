"""One training step and the same step in torch (eager), JAX (jitted) and scikit-learn, on one core, in one run.

The floor is what the step's floating-point operations take at the rate of this run's best large matrix product: no
implementation that does the same products can be faster.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from experiments.benchmarks.measured import print_missing, print_origin, row, write
from experiments.benchmarks.peers import PEERS, RATE, layers_of, start_of
from experiments.benchmarks.timing import Contender, in_turn, one_core, sgemm_rate
from npnet import SGD, cross_entropy, generator
from npnet.objective import loss_at_head
from npnet.optimizers import Optimizer
from npnet.regularizers import Regularizer
from npnet.step import Move, Objective, Penalise, take_step

__all__ = ["NETWORKS", "examples", "main", "npnet_step", "operations", "steps_down"]

NETWORKS = ((1024, 500, 500, 2), (1024, 1000, 1000, 1000, 2))
BATCHES = (20, 128)


def operations(widths: Sequence[int], batch: int) -> int:
    """Return the multiplications and additions of a step: forward, dW, and dX of all layers but the lowest."""
    sizes = [fan_in * fan_out for fan_in, fan_out in pairwise(widths)]
    return 2 * batch * (3 * sum(sizes) - sizes[0])


def examples(rng: np.random.Generator, widths: Sequence[int], batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the inputs and labels of a batch."""
    return rng.random((batch, widths[0]), dtype=np.float32), rng.integers(0, widths[-1], batch)


def npnet_step(
    widths: Sequence[int],
    X: np.ndarray,
    labels: np.ndarray,
    activation: str = "relu",
    dropout: tuple[float, ...] = (),
    **rule: Any,
) -> Contender:
    """Return npnet's step, as `npnet.train` makes it. rule: what `steps_down` takes."""
    network = start_of(widths, activation, dropout)
    mask = (1.0,) * (len(widths) - 1)
    loss = loss_at_head(network, "task", cross_entropy, mask, lambda below: lambda rows: (X, labels))
    take = steps_down(loss, np.arange(len(X)), **rule)

    def make(steps: int) -> list[Any]:
        take(steps)
        return [w for p in layers_of(network) for w in (p["W"], p["b"])]

    return make


def steps_down(
    objective: Objective,
    rows: np.ndarray,
    optimizer: Optimizer | None = None,
    rate: float = RATE,
    regularizers: Sequence[Regularizer] = (),
) -> Callable[[int], None]:
    """Return the function that takes so many steps down an objective on some rows, as `npnet.train` takes them."""
    optimizer = optimizer or SGD()
    penalty = Penalise(regularizers, optimizer.proximal, rate if type(optimizer) is SGD else 0.0)
    move, rng = Move(optimizer, rate, {}, regularizers), generator(1)

    def take(steps: int) -> None:
        for _ in range(steps):
            take_step(objective, penalty, move, rows, rng)

    return take


def main(
    json: Path | str | None = None,
    networks: Sequence[tuple[int, ...]] = NETWORKS,
    batches: Sequence[int] = BATCHES,
    rounds: int = 9,
) -> None:
    """Measure every network at every batch size, print the table, and write the measurements where a path is given."""
    core, console = one_core(), Console(width=120)
    present = {module: PEERS[module] for module in print_missing({m: name for m, (name, _) in PEERS.items()}, console)}
    rate = sgemm_rate()
    table = Table(title=f"microseconds a step on {core}; best sgemm {rate / 1e9:.0f} GFLOP/s")
    for column in ("network", "batch", "floor", "npnet", "npnet / floor", *(name for name, _ in present.values())):
        table.add_column(column, justify="left" if column == "network" else "right")
    rows = []
    rng = generator(0, "bench step")
    for widths in networks:
        for batch in batches:
            X, labels = examples(rng, widths, batch)
            contenders = {"npnet": npnet_step(widths, X, labels)}
            contenders |= {name: make(widths, X, labels) for name, make in present.values()}
            seconds = in_turn(contenders, max(10, 2000 // batch), rounds)
            floor = operations(widths, batch) / rate
            ours = median(seconds["npnet"])
            measured = row({"network": widths, "batch": batch}, seconds, "npnet", floor=floor, over_floor=ours / floor)
            rows.append(measured)
            peers = [f"{median(seconds[n]) * 1e6:.0f} ({measured['ratios'][n]:.2f}×)" for n, _ in present.values()]
            ours_cells = f"{ours * 1e6:.0f}", f"{ours / floor:.2f}"
            table.add_row("-".join(map(str, widths)), str(batch), f"{floor * 1e6:.0f}", *ours_cells, *peers)
    console.print(table)
    console.print("in brackets: the time divided by npnet's, median over rounds in which all took turns")
    print_origin(console, present)
    write(json, "step", rows, present, core=core, sgemm_flops=rate)
