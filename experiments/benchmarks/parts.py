"""Where the time of a training step goes: its products, each beside the floor, and what is left of the step.

The products run by themselves, over all layers in turn, with the calls that the step makes. "Python" is the step of a
network with as many layers of two units: what a step costs whatever its size. The rest is elementwise work, and weights
that another product has pushed out of the cache; below zero where the step finds more of them there than a product that
runs by itself.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

from experiments.benchmarks.measured import print_origin, row, write
from experiments.benchmarks.peers import RATE
from experiments.benchmarks.step import NETWORKS, examples, npnet_step, operations
from experiments.benchmarks.timing import Contender, in_turn, one_core, sgemm_rate
from npnet import blas, generator
from npnet.fused import Product, add_product

__all__ = ["main", "products"]

BATCH = 20


def products(widths: Sequence[int], batch: int) -> dict[str, tuple[int, Contender]]:
    """Return {part of a step: (its multiplications and additions, what makes it)}, over all layers."""
    rng = generator(0, "bench parts")
    layers = [
        tuple(rng.random(shape, dtype=np.float32) for shape in ((batch, D), (D, K), (batch, K)))
        for D, K in pairwise(widths)
    ]  # X (N, D), W (D, K), dY (N, K)
    sizes = [2 * batch * W.size for _, W, _ in layers]
    Y, dX = [np.empty_like(dY) for *_, dY in layers], [np.empty_like(X.T) for X, *_ in layers]

    def forward(times: int) -> None:
        for _ in range(times):
            for (X, W, _), out in zip(layers, Y, strict=True):
                if not blas.multiply(out, X, W):
                    np.matmul(X, W, out=out)

    def down(times: int) -> None:
        for _ in range(times):
            for (_, W, dY), out in list(zip(layers, dX, strict=True))[:0:-1]:  # no dX below the lowest layer
                np.matmul(W, dY.T, out=out)

    def update(times: int) -> None:
        for _ in range(times):
            for X, W, dY in reversed(layers):
                add_product(W, Product(X.T, dY), -RATE * 1e-9)

    return {"X W": (sum(sizes), forward), "W dYᵀ": (sum(sizes[1:]), down), "W − rate Xᵀ dY": (sum(sizes), update)}


def main(
    json: Path | str | None = None,
    networks: Sequence[tuple[int, ...]] = NETWORKS,
    batch: int = BATCH,
    rounds: int = 9,
) -> None:
    """Measure the parts of a step of every network, print the table, and write it where a path is given."""
    core, console, rate = one_core(), Console(width=120), sgemm_rate()
    table = Table(title=f"microseconds a step at batch {batch} on {core}; best sgemm {rate / 1e9:.0f} GFLOP/s")
    for column in ("network", "part", "floor", "time", "of the step", "GFLOP/s"):
        table.add_column(column, justify="left" if column in ("network", "part") else "right")
    rows = []
    for widths in networks:
        parts, small = products(widths, batch), (2,) * len(widths)
        rng = generator(0, "bench parts, examples")
        contenders = {name: make for name, (_, make) in parts.items()}
        contenders["Python"] = npnet_step(small, *examples(rng, small, batch))
        contenders["step"] = npnet_step(widths, *examples(rng, widths, batch))
        seconds = in_turn(contenders, max(10, 1000 // batch), rounds)
        parted = zip(seconds["step"], *(seconds[name] for name in (*parts, "Python")), strict=True)
        rest = [whole - sum(each) for whole, *each in parted]
        flops = {name: n for name, (n, _) in parts.items()} | {"step": operations(widths, batch)}
        rows.append(row({"network": widths, "batch": batch}, seconds, "step", operations=flops, rest=rest))
        whole = median(seconds["step"])
        for name, times in [*seconds.items(), ("the rest", rest)]:
            time, n = median(times), flops.get(name)
            floor, speed = (f"{n / rate * 1e6:.0f}", f"{n / time / 1e9:.0f}") if n else ("", "")
            cells = name, floor, f"{time * 1e6:.0f}", f"{100 * time / whole:.0f} %", speed
            table.add_row("-".join(map(str, widths)), *cells, end_section=times is rest)
    console.print(table)
    print_origin(console)
    write(json, "parts", rows, core=core, sgemm_flops=rate)
