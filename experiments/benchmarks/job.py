"""The whole work of table 1 compared with a plain torch script of the same protocol: digits 0 to 4, then 5 to 9.

One first network learns mnist04; from it fine tuning and Gradual Tuning each learn mnist59. 500-500, batches of 20,
rate 0.01, both validation errors after every epoch. Both sides begin with the same weights and see the batches in the
same order, so that they come to the same errors. By default each of the three runs ends after a few epochs, and the
time of the whole is proportional; the more epochs, the more of Gradual Tuning's train all layers.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from experiments.benchmarks.job_torch import Data, Script
from experiments.benchmarks.measured import print_missing, print_origin, row, write
from experiments.benchmarks.timing import one_core
from npnet import (
    Hyperparameters,
    Network,
    Run,
    Split,
    Task,
    begin,
    fine_tuning,
    generator,
    gradual_tuning,
    mlp,
    train,
)
from npnet.tasks import mnist_halves

__all__ = ["main", "npnet_job", "torch_job"]

HIDDEN = (500, 500)
LONGEST = 1000  # epochs of a run that ends by itself
METHODS = {"fine tuning": fine_tuning, "Gradual Tuning": gradual_tuning}

Phase = tuple[float, list[float], list[int], Any]  # seconds, errors and trained layers of each epoch, the network


def first_network(task: Task, hidden: Sequence[int]) -> Run:
    """Return the first network at its start."""
    rng = generator(0, "first", task.name)
    return Run(mlp((task.train.inputs.shape[-1], *hidden), {task.name: task.outputs}, rng), rng)


def npnet_job(tasks: tuple[Task, Task], hidden: Sequence[int], epochs: int, patience: int = 20) -> dict[str, Phase]:
    """Make npnet's three runs, as the study of table 1 makes them."""
    old, new = tasks
    settings = Hyperparameters(max_epochs=epochs, patience=patience)

    def phase(start: Callable[[], tuple[Run, Hyperparameters]], task: Task, watched: Mapping[str, Any]) -> Phase:
        began = time.perf_counter()
        run, chosen = start()
        records = list(train(run, {task.name: task}, chosen, watched))
        trained = [sum(map(bool, record["mask"])) for record in records]
        return time.perf_counter() - began, [record["error"] for record in records], trained, run.network

    phases = {"first network": phase(lambda: (first_network(old, hidden), settings), old, {})}
    network: Network = phases["first network"][-1]
    for name, method in METHODS.items():

        def start(method: Any = method) -> tuple[Run, Hyperparameters]:
            return begin(method, network, new, generator(0, "second", new.name), settings)

        phases[name] = phase(start, new, {old.name: (old.name, old.validation)})
    return phases


def torch_job(tasks: tuple[Task, Task], hidden: Sequence[int], epochs: int, patience: int = 20) -> dict[str, Phase]:
    """Make the torch script's three runs; its images are floats in memory before the clock starts."""
    import torch

    old, new = tasks
    data = {each.name: (_tensors(torch, each.train), _tensors(torch, each.validation)) for each in tasks}
    run = first_network(old, hidden)
    first = Script(run.network.trunk, run.network.heads[old.name])

    def phase(start: Callable[[], Script], task: Task, rng: Any, **options: Any) -> Phase:
        began = time.perf_counter()
        script = start()
        epochs_made = list(script.train(*data[task.name], rng, epochs, patience=patience, **options))
        return time.perf_counter() - began, [e for _, e in epochs_made], [n for n, _ in epochs_made], script

    phases = {"first network": phase(lambda: first, old, deepcopy(run.rng))}
    second, _ = begin(fine_tuning, run.network, new, generator(0, "second", new.name))  # draws the same head for both
    for name in METHODS:
        phases[name] = phase(
            lambda: first.add_head(second.network.heads[new.name]),
            new,
            deepcopy(second.rng),
            gradual=name == "Gradual Tuning",
            watched=[(0, data[old.name][1])],
        )
    return phases


def _tensors(torch: Any, split: Split) -> Data:
    return torch.from_numpy(split.inputs[:]).float() / 255, torch.from_numpy(split.labels)


def halves() -> tuple[Task, Task]:
    """Return mnist04 and mnist59. Raises ValueError that says how to get the files where they are missing."""
    try:
        return mnist_halves()
    except (ImportError, OSError) as error:
        raise ValueError(
            f"MNIST is missing ({error}); expected its four files in $NPNET_DATA/mnist, where they are also "
            "downloaded to once there is a network"
        ) from error


def main(
    json: Path | str | None = None,
    epochs: int = 3,
    rounds: int = 3,
    tasks: tuple[Task, Task] | None = None,
    hidden: Sequence[int] = HIDDEN,
) -> None:
    """Measure, print the table, and write the measurements where a path is given.

    epochs: of each run; 0: until the protocol ends it, one round. Without torch there is nothing to compare with.
    """
    core, console = one_core(), Console(width=120)
    present = print_missing({"torch": "torch"}, console)
    if not present:
        console.print("nothing was measured: the benchmark needs torch to compare with")
        return
    tasks, longest, rounds = tasks or halves(), epochs or LONGEST, rounds if epochs else 1
    jobs = {"npnet": npnet_job, "torch": torch_job}
    for make in jobs.values():  # compiles and loads what is compiled and loaded
        make(tasks, (10,), 1)
    made = [{name: make(tasks, hidden, longest) for name, make in jobs.items()} for _ in range(rounds)]
    rows = []
    for phase in ("first network", *METHODS):
        seconds = {name: [each[name][phase][0] for each in made] for name in jobs}
        errors, trained = ({name: made[-1][name][phase][i] for name in jobs} for i in (1, 2))
        rows.append(row({"phase": phase, "hidden": hidden}, seconds, "npnet", errors=errors, trained=trained))
    whole = {name: [sum(each) for each in zip(*(r["seconds"][name] for r in rows), strict=True)] for name in jobs}
    counts = {name: [n for each in rows for n in each["trained"][name]] for name in jobs}
    rows.append(row({"phase": "whole", "hidden": hidden}, whole, "npnet", trained=counts))
    table = Table(title=f"seconds of table 1's work on {core}")
    for column in ("run", "npnet", "torch", "torch / npnet", "epochs: npnet", "torch"):
        table.add_column(column, justify="left" if column == "run" else "right")
    for each in rows:
        cells = [f"{median(each['seconds'][name]):.2f}" for name in jobs]
        table.add_row(
            each["case"]["phase"], *cells, f"{each['ratios']['torch']:.2f}×", *map(_stages, each["trained"].values())
        )
    console.print(table)
    if epochs:
        console.print(
            "the whole work, until the protocol ends each run, is proportional: --epochs 0 makes all of it. "
            "In brackets: how many epochs trained one layer, two, and so on",
            soft_wrap=True,
        )
    print_origin(console, present)
    write(json, "job", rows, present, core=core, epochs=epochs)


def _stages(trained: Sequence[int]) -> str:
    """Return how many epochs there were, and how many of them trained one layer, two, and so on."""
    return f"{len(trained)} ({' + '.join(str(list(trained).count(n)) for n in range(1, max(trained) + 1))})"
