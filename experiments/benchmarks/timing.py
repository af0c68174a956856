"""How the benchmarks measure: contenders in turn, round after round, so that a change of pace hits all alike."""

import os
import time
from collections.abc import Callable, Mapping
from statistics import median

import numpy as np

from npnet.blas import kernels

__all__ = ["Contender", "in_turn", "one_core", "ratio", "sgemm_rate"]

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
