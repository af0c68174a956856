"""What freezing saves: an epoch of the head alone, of the whole network, and of a linear classifier.

1000-1000-1000 on 20,000 images at batch 20. The first head-only epoch computes the features that the later ones reuse;
it is shown apart.
"""

import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from experiments.benchmarks.measured import print_origin, write
from experiments.benchmarks.timing import one_core
from npnet import FineTuning, HeadOnly, Hyperparameters, Policy, Run, Split, Task, generator, mlp, train

__all__ = ["main"]


def seconds_of_epochs(policy: Policy, hidden: tuple[int, ...], inputs: int, epochs: int, images: int) -> list[float]:
    """Return the seconds that each of some epochs takes, evaluation of the validation set included."""
    rng = generator(0, "bench frozen", inputs)

    def split(n: int) -> Split:
        return Split(rng.integers(0, 256, (n, inputs)).astype(np.uint8), rng.integers(0, 2, n))

    task = Task("task", 2, split(images), split(images // 4), split(10))
    run = Run(mlp((inputs, *hidden), {"task": 2}, generator(1)), generator(2))
    seconds, start = [], time.perf_counter()
    for _ in train(run, {"task": task}, Hyperparameters(policy=policy, max_epochs=epochs, patience=None)):
        seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
    return seconds


def main(json: Path | str | None = None, images: int = 20_000) -> None:
    """Measure, print the table, and write the measurements where a path is given."""
    core, console = one_core(), Console(width=120)
    hidden = (1000, 1000, 1000)
    seconds_of_epochs(FineTuning(), (10,), 10, 1, 100)  # compiles what is compiled
    whole = seconds_of_epochs(FineTuning(), hidden, 1024, 3, images)
    first, *later = seconds_of_epochs(HeadOnly(), hidden, 1024, 6, images)
    full, head = min(whole), min(later)
    table = Table(title=f"seconds an epoch, 1000-1000-1000, {images:,} images, batch 20, {core}")
    for column in ("epoch", "seconds", "times faster"):
        table.add_column(column, justify="left" if column == "epoch" else "right")
    table.add_row("all layers train", f"{full:.3f}", "1")
    table.add_row("head only, the first (features computed)", f"{first:.3f}", f"{full / first:.1f}")
    table.add_row("head only, each later one", f"{head:.3f}", f"{full / head:.1f}")
    console.print(table)
    print_origin(console)
    seconds = {"all layers": whole, "head, first": [first], "head, later": later}
    ratios = {name: full / min(times) for name, times in seconds.items()}  # of the fastest epochs: how much is saved
    measured = {"case": {"hidden": hidden, "images": images, "batch": 20}, "seconds": seconds, "ratios": ratios}
    write(json, "frozen", [measured], core=core)
