"""A training step with penalties, another optimizer or dropout, compared with torch's, on one core.

Penalties are on the weights and spare the biases. torch's L2 is its `weight_decay`, its L1 a term of the loss. Each
step is measured with torch's usual optimizer and with its fused one, which updates all parameters in one call.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from experiments.benchmarks.measured import print_missing, print_origin, row, write
from experiments.benchmarks.peers import RATE, layers_of, start_of, torch_linears, torch_network
from experiments.benchmarks.step import NETWORKS, examples, npnet_step
from experiments.benchmarks.timing import Contender, in_turn, one_core
from npnet import Adam, Momentum, Regularizer, generator, l1, l2

__all__ = ["VARIANTS", "Variant", "main", "npnet_variant", "torch_variant"]

BATCH = 20


@dataclass(frozen=True)
class Variant:
    """What differs from a plain step. strengths of penalties; dropout: the rate after every hidden layer."""

    l1: float = 0.0
    l2: float = 0.0
    momentum: float = 0.0
    adam: bool = False
    dropout: float = 0.0
    rate: float = RATE


VARIANTS = {
    "plain": Variant(),
    "L1": Variant(l1=1e-4),
    "L2": Variant(l2=1e-4),
    "momentum": Variant(momentum=0.9),
    "Adam": Variant(adam=True, rate=1e-3),
    "dropout": Variant(dropout=0.5),
}


def npnet_variant(variant: Variant, widths: Sequence[int], X: np.ndarray, labels: np.ndarray) -> Contender:
    """Return npnet's step."""
    strengths = ((l1, variant.l1), (l2, variant.l2))
    return npnet_step(
        widths,
        X,
        labels,
        dropout=(variant.dropout,) * (len(widths) - 2) if variant.dropout else (),
        optimizer=Adam() if variant.adam else Momentum(variant.momentum) if variant.momentum else None,
        rate=variant.rate,
        regularizers=tuple(Regularizer(penalty, strength) for penalty, strength in strengths if strength),
    )


def torch_variant(
    variant: Variant, widths: Sequence[int], X: np.ndarray, labels: np.ndarray, fused: bool = False
) -> Contender:
    """Return torch's step."""
    import torch

    torch.manual_seed(0)
    network = torch_network(layers_of(start_of(widths)), (variant.dropout,) * (len(widths) - 2))
    linears = torch_linears(network)
    weights, biases = [layer.weight for layer in linears], [layer.bias for layer in linears]
    groups: list[dict[str, Any]] = [{"params": weights, "weight_decay": variant.l2}, {"params": biases}]
    chosen: dict[str, Any] = {"lr": variant.rate, "fused": True} if fused else {"lr": variant.rate}
    optimizer: Any = (
        torch.optim.Adam(groups, **chosen)
        if variant.adam
        else torch.optim.SGD(groups, momentum=variant.momentum, **chosen)
    )
    cross_entropy, inputs, targets = torch.nn.CrossEntropyLoss(), torch.from_numpy(X), torch.from_numpy(labels)

    def make(steps: int) -> list[Any]:
        for _ in range(steps):
            optimizer.zero_grad()
            loss = cross_entropy(network(inputs), targets)
            if variant.l1:
                loss = loss + variant.l1 * sum(W.abs().sum() for W in weights)
            loss.backward()
            optimizer.step()
        return [w.detach() for W, b in zip(weights, biases, strict=True) for w in (W.T, b)]

    return make


def contenders_of(variant: Variant, widths: Sequence[int], X: np.ndarray, labels: np.ndarray) -> dict[str, Contender]:
    """Return npnet's step, and torch's where it is installed."""
    makers: dict[str, Callable[[], Contender]] = {"npnet": lambda: npnet_variant(variant, widths, X, labels)}
    if find_spec("torch"):
        makers["torch"] = lambda: torch_variant(variant, widths, X, labels)
        makers["torch fused"] = lambda: torch_variant(variant, widths, X, labels, fused=True)
    return {name: make() for name, make in makers.items()}


def main(
    json: Path | str | None = None,
    networks: Sequence[tuple[int, ...]] = NETWORKS,
    batch: int = BATCH,
    rounds: int = 9,
) -> None:
    """Measure every variant of both networks, print the table, and write the measurements where a path is given."""
    core, console = one_core(), Console(width=120)
    present = print_missing({"torch": "torch"}, console)
    names = ("npnet", *(("torch", "torch fused") if present else ()))
    table = Table(title=f"microseconds a step at batch {batch} on {core}")
    for column in ("network", "step", *names):
        table.add_column(column, justify="left" if column in ("network", "step") else "right")
    rows = []
    rng = generator(0, "bench variants")
    for widths in networks:
        X, labels = examples(rng, widths, batch)
        for name, variant in VARIANTS.items():
            seconds = in_turn(contenders_of(variant, widths, X, labels), max(10, 1000 // batch), rounds)
            measured = row({"network": widths, "batch": batch, "step": name}, seconds, "npnet")
            rows.append(measured)
            cells = [f"{median(seconds[each]) * 1e6:.0f} ({measured['ratios'][each]:.2f}×)" for each in names]
            table.add_row("-".join(map(str, widths)), name, *cells)
    console.print(table)
    console.print("in brackets: the time divided by npnet's, median over rounds in which all took turns")
    print_origin(console, present)
    write(json, "variants", rows, present, core=core)
