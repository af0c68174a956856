"""Speed of a population: steps times replicates a second, against replicates, with the memory traffic that this needs.

Three sizes of network at batch 20, epochs of 100 steps with all that belongs to an epoch. On a GPU where CuPy finds
one, on one core otherwise, where large networks take turns. A step of 20 examples is bound by memory: every weight is
read going forward, read again going back (but for the lowest layer), its gradient written, and read with the weight to
write the new one. That many bytes, times the rate of steps, is compared with the rate at which the device copies it.
"""

import importlib.util
from collections.abc import Sequence
from itertools import pairwise, product
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from experiments.benchmarks.measured import print_origin, row, write
from experiments.benchmarks.timing import Contender, in_turn, one_core
from npnet import Hyperparameters, Run, Split, Task, TrainingJob, generator, mlp, train, train_population
from npnet.populations import move

__all__ = ["main", "traffic"]

NETWORKS = ((64, 32, 32, 4), (784, 64, 64, 10), (1024, 500, 500, 2))
BATCH, STEPS = 20, 100  # examples in a batch, steps in an epoch


def traffic(widths: Sequence[int], itemsize: int = 4) -> int:
    """Return the bytes of weights and gradients that a step moves at least: 6 a weight, 5 in the lowest layer."""
    sizes = [fan_in * fan_out + fan_out for fan_in, fan_out in pairwise(widths)]
    return itemsize * (6 * sum(sizes) - sizes[0])


def population(xp: ModuleType, replicates: int, widths: Sequence[int]) -> list[TrainingJob]:
    """Return replicates that share a task and differ in their start and the order of their batches."""
    draw = generator(0, "bench population")

    def split(n: int) -> Split:
        return Split(draw.integers(0, 256, (n, widths[0]), dtype=np.uint8), draw.integers(0, widths[-1], n))

    task = Task("task", widths[-1], split(BATCH * STEPS), split(BATCH), split(BATCH))
    settings = Hyperparameters(BATCH, patience=None, max_epochs=10**9, keep="last")
    runs = [Run(mlp(widths[:-1], {"task": widths[-1]}, generator(r)), generator(r, "run")) for r in range(replicates)]
    return move([TrainingJob(run, {"task": task}, settings) for run in runs], xp)


def stacked(xp: ModuleType, replicates: int, widths: Sequence[int]) -> Contender:
    """Return epochs of npnet's population."""
    together = population(xp, replicates, widths)
    epochs = train_population(together)

    def make(times: int) -> list[TrainingJob]:
        for _ in range(times):
            next(epochs)
        return together

    return make


def one_by_one(xp: ModuleType, replicates: int, widths: Sequence[int]) -> Contender:
    """Return epochs of the same networks, each by itself, in turn."""
    alone = population(xp, replicates, widths)
    runs = [train(each.run, each.tasks, each.settings) for each in alone]

    def make(times: int) -> list[TrainingJob]:
        for _ in range(times):
            for run in runs:
                next(run)
        return alone

    return make


def torch_stacked(xp: ModuleType, replicates: int, widths: Sequence[int]) -> Contender:
    """Return the same steps with torch: batched products, autograd, an update of all parameters in place."""
    import torch

    torch.set_num_threads(1)
    device = "cpu" if xp is np else "cuda"
    shapes = [((replicates, D, K), (replicates, 1, K)) for D, K in pairwise(widths)]
    layers = [[torch.randn(shape, device=device).div_(30).requires_grad_() for shape in pair] for pair in shapes]
    parameters = [w for pair in layers for w in pair]
    images = torch.randint(0, 256, (BATCH * STEPS, widths[0]), dtype=torch.uint8, device=device)
    labels = torch.randint(0, widths[-1], (BATCH * STEPS,), device=device)

    def step(rows: Any) -> None:
        X = images[rows] / 255
        for i, (W, b) in enumerate(layers):
            X = torch.baddbmm(b, X, W)
            X = torch.relu(X) if i < len(layers) - 1 else X
        loss = torch.nn.functional.cross_entropy(X.flatten(0, 1), labels[rows].flatten()) * replicates
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            torch._foreach_add_(parameters, gradients, alpha=-0.01)

    def make(times: int) -> None:
        for _ in range(times):
            order = torch.stack([torch.randperm(BATCH * STEPS, device=device) for _ in range(replicates)])
            for rows in order.split(BATCH, 1):
                step(rows)
        if xp is not np:
            torch.cuda.synchronize()

    return make


def copy_rate(xp: ModuleType, size: int = 2**28, rounds: int = 5) -> float:
    """Return the bytes a second that a copy of a large array reads and writes, at best."""
    here, there = xp.ones(size, np.uint8), xp.empty(size, np.uint8)

    def copy(times: int) -> None:
        for _ in range(times):
            there[...] = here
        if xp is not np:
            xp.cuda.Device().synchronize()

    return 2 * size / min(in_turn({"copy": copy}, 5, rounds)["copy"])


def main(
    json: Path | str | None = None,
    sizes: Sequence[int] = (),
    networks: Sequence[tuple[int, ...]] = NETWORKS,
    rounds: int = 5,
) -> None:
    """Measure, print the table, and write the measurements where a path is given."""
    xp, where = _device()
    sizes = sizes or ((1, 4, 16) if xp is np else (1, 4, 16, 64, 256, 1024))
    makers = {"population": stacked, "one by one": one_by_one}
    if importlib.util.find_spec("torch"):
        makers["torch stacked"] = torch_stacked
    copied = copy_rate(xp)
    title = f"thousands of steps × replicates a second at batch {BATCH}, {where}"
    table = Table("network", "replicates", *makers, "GB/s", "of copying", title=title)
    rows = []
    for widths, R in product(networks, sizes):
        present = {name: make for name, make in makers.items() if name != "one by one" or R <= 16}
        seconds = in_turn({name: make(xp, R, widths) for name, make in present.items()}, 1, rounds)
        rates = {name: R * STEPS / median(times) for name, times in seconds.items()}
        moved = rates["population"] * traffic(widths)
        case = {"network": widths, "batch": BATCH, "replicates": R}
        rows.append(row(case, seconds, "population", rates=rates, bytes=moved))
        ratios = rows[-1]["ratios"]
        cells = [f"{rates[n] / 1e3:.2f} ({ratios[n]:.2f}×)" if n in rates else "" for n in makers]
        name = "-".join(map(str, widths))
        table.add_row(name, str(R), *cells, f"{moved / 1e9:.1f}", f"{100 * moved / copied:.0f} %")
    console = Console(width=120)
    console.print(table)
    console.print(f"in brackets: the time divided by the population's; copying moves {copied / 1e9:.0f} GB/s here")
    peers = ["torch"] if "torch stacked" in makers else []
    print_origin(console, peers)
    write(json, "population", rows, peers, core=where, copy=copied)


def _device() -> tuple[ModuleType, str]:
    """Return the array module to measure, and where its arrays live."""
    if importlib.util.find_spec("cupy"):
        import cupy

        return cupy, cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    return np, one_core()
