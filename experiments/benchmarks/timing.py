"""How the benchmarks measure: contenders in turn, round after round, so that a change of pace hits all alike."""

import os
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console

from experiments.benchmarks.kernels import kernels
from experiments.frame.files import write_json
from experiments.frame.provenance import environment

__all__ = ["Contender", "in_turn", "one_core", "print_missing", "ratio", "sgemm_rate", "write"]

Contender = Callable[[int], object]
"""What is measured: called with a number of steps (or epochs, or blocks), it makes them and returns their outcome."""


def one_core() -> str:
    """Bind this process to one core, where the system lets it, and return which, and by which kernels it multiplies."""
    chosen = kernels() or "unknown"
    if not hasattr(os, "sched_setaffinity"):
        return f"any core, {chosen} kernels"
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return f"core {core}, {chosen} kernels"


def in_turn(contenders: Mapping[str, Contender], steps: int, rounds: int = 9) -> dict[str, list[float]]:
    """Return seconds a step of each contender in each round; a contender takes the number of steps to make."""
    for make in contenders.values():
        make(steps)
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, make in contenders.items():
            start = time.perf_counter()
            make(steps)
            seconds[name].append((time.perf_counter() - start) / steps)
    return seconds


def sgemm_rate(size: int = 2000, rounds: int = 5) -> float:
    """Return the best rate of a large float32 matrix product in this process, in floating-point operations a second."""
    A = np.random.default_rng(0).random((size, size), dtype=np.float32)

    def multiply(times: int) -> None:
        for _ in range(times):
            A @ A

    return 2 * size**3 / min(in_turn({"sgemm": multiply}, 1, rounds)["sgemm"])


def ratio(theirs: list[float], ours: list[float]) -> float:
    """Return the median over rounds of their time divided by ours in the same round."""
    return median(a / b for a, b in zip(theirs, ours, strict=True))


def print_missing(names: Mapping[str, str], console: Console) -> list[str]:
    """Print the peers {module: name} that are not installed, and return the modules of those that are."""
    present = [module for module in names if find_spec(module)]
    missing = [name for module, name in names.items() if module not in present]
    if missing:
        console.print(f"not installed: {', '.join(missing)} (the extra 'peers' brings them)")
    return present


def write(path: Path | None, measured: dict) -> None:
    """Write measurements with the environment they were made in, where a path was given."""
    if path is not None:
        write_json(path, {**measured, "kernels": kernels(), "environment": environment()})
        print(f"measurements are in {path}")
